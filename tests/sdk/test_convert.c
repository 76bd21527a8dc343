//  test_convert.c - converters and instants, in both directions.

#include <inttypes.h>
#include <string.h>
#include "promise.h"
#include "sdk/field.h"
#include "sdk/harness.h"
#include "sdk/hex.h"
#include "sdk/moment.h"

static const pb_convert_t short_text = PB_TEXT_OF (2, 4);
static const pb_convert_t lane = PB_INT_OF (PB_KIND_TEXT, 0, 255);
static const pb_word_t rows[] = {
    {"blue", "0", false}, {"green", "4", false}, {"lime", "4", true},
    {"red", NULL, true},  {NULL, NULL, false},
};
static const pb_words_t closed_words = {rows, NULL, NULL, NULL};
static const pb_words_t open_words = {rows, "1", "9", "other"};
static const pb_convert_t closed = PB_WORD_OF (closed_words, true);
static const pb_convert_t open = PB_WORD_OF (open_words, false);

#define UNKNOWN "?" //  The member is not known

//  Ours outwards; want NULL is refused, "" is left out.
static const struct {
    const char *promise;
    const pb_convert_t *convert;
    const char *text;
    int64_t number;
    const char *want;
} outs[] = {
    {"text", &pb_text, "陕A1", 0, "陕A1"},
    {"no text is left out", &pb_text, "", 0, ""},
    {"text that is not UTF-8", &pb_text, "\xc9\xc2", 0, NULL},
    {"text within its bytes", &short_text, "陕", 0, "陕"},
    {"text too short", &short_text, "a", 0, NULL},
    {"text too long", &short_text, "陕A1", 0, NULL},
    {"digits keep zeros", &pb_digits, "0012", 0, "0012"},
    {"digits only", &pb_digits, "12a", 0, NULL},
    {"an id of 64 bytes", &pb_id,
     "0123456789012345678901234567890123456789012345678901234567890123", 0,
     "0123456789012345678901234567890123456789012345678901234567890123"},
    {"an id of 65", &pb_id,
     "01234567890123456789012345678901234567890123456789012345678901234", 0, NULL},
    {"a lane's number", &lane, "07", 0, "7"},
    {"a lane without number", &lane, "East", 0, NULL},
    {"a lane beyond", &lane, "256", 0, NULL},
    {"a count", &pb_count, NULL, 700, "700"},
    {"a negative count", &pb_count, NULL, -1, NULL},
    {"fen", &pb_fen, NULL, 1250, "1250"},
    {"negative fen", &pb_fen, NULL, -1, NULL},
    {"fen beyond 2^53", &pb_fen, NULL, INT64_C (9007199254740992), NULL},
    {"yuan", &pb_yuan, NULL, 1999, "19.99"},
    {"yuan, nothing", &pb_yuan, NULL, 0, "0.00"},
    {"yuan, one fen", &pb_yuan, NULL, 1, "0.01"},
    {"yuan, many", &pb_yuan, NULL, 9999999, "99999.99"},
    {"seconds cut the milliseconds off", &pb_unix_seconds, NULL,
     INT64_C (1795219200999), "1795219200"},
    {"a time before 2000", &pb_unix_seconds, NULL, 5000, NULL},
    {"yes", &pb_flag, NULL, 1, "1"},
    {"a word", &closed, "green", 0, "4"},
    {"a word they have none for", &closed, "red", 0, ""},
    {"a word without a row, closed", &closed, "pink", 0, ""},
    {"a word without a row, open", &open, "pink", 0, "9"},
    {"a word that is not known, closed", &closed, UNKNOWN, 0, ""},
    {"a word that is not known, open", &open, UNKNOWN, 0, "1"},
};

static void
s_check_outs (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (outs); i++) {
        pb_codec_t codec = {.env = env};
        pb_value_t value = {outs[i].text, outs[i].number, NULL};
        pb_wire_t wire = {NULL, false, NULL};
        bool known = !pb_equal (outs[i].text, UNKNOWN);
        pb_done_t done = outs[i].convert->out (&codec, outs[i].convert,
                                               known ? &value : NULL, &wire);
        bool kept = done == PB_REFUSED ? !outs[i].want && codec.reason
                    : done == PB_NOTHING
                        ? pb_equal (outs[i].want, "")
                        : outs[i].want && pb_equal (wire.text, outs[i].want);
        promise (kept, "out: %s: %s", outs[i].promise,
                 done == PB_REFUSED ? codec.reason
                 : wire.text        ? wire.text
                                    : "nothing");
    }
}

//  Theirs inwards.
static const struct {
    const char *promise;
    const pb_convert_t *convert;
    const char *wire;
    pb_done_t done;
    const char *text;
    int64_t number;
} ins[] = {
    {"text", &pb_text, "陕A1", PB_DONE, "陕A1", 0},
    {"GBK", &pb_text, "\xc9\xc2", PB_REFUSED, NULL, 0},
    {"an object where a text belongs", &pb_text, NULL, PB_REFUSED, NULL, 0},
    {"a long id goes aside", &pb_id,
     "01234567890123456789012345678901234567890123456789012345678901234", PB_ASIDE,
     NULL, 0},
    {"digits keep zeros", &pb_digits, "0012", PB_DONE, "0012", 0},
    {"digits with a sign", &pb_digits, "-1", PB_REFUSED, NULL, 0},
    {"a lane's number without zeros", &lane, "007", PB_DONE, "7", 7},
    {"fen", &pb_fen, "1250", PB_DONE, NULL, 1250},
    {"fen with decimals", &pb_fen, "12.50", PB_REFUSED, NULL, 0},
    {"fen, negative", &pb_fen, "-1", PB_REFUSED, NULL, 0},
    {"yuan", &pb_yuan, "19.99", PB_DONE, NULL, 1999},
    {"yuan, one decimal", &pb_yuan, "0.1", PB_DONE, NULL, 10},
    {"yuan, none", &pb_yuan, "8", PB_DONE, NULL, 800},
    {"yuan, zeros behind", &pb_yuan, "8.5000", PB_DONE, NULL, 850},
    {"yuan, a third decimal", &pb_yuan, "0.105", PB_REFUSED, NULL, 0},
    {"yuan, a power of ten", &pb_yuan, "1e3", PB_REFUSED, NULL, 0},
    {"yuan, a point alone", &pb_yuan, ".", PB_REFUSED, NULL, 0},
    {"yuan, a point at the end", &pb_yuan, "5.", PB_REFUSED, NULL, 0},
    {"yuan, a point at the start", &pb_yuan, ".5", PB_REFUSED, NULL, 0},
    {"yuan, a thousand's comma", &pb_yuan, "1,000.00", PB_REFUSED, NULL, 0},
    {"yuan, negative", &pb_yuan, "-1", PB_REFUSED, NULL, 0},
    {"yuan, beyond reason", &pb_yuan, "90071992547409.92", PB_REFUSED, NULL, 0},
    {"yuan, 40 digits", &pb_yuan, "1000000000000000000000000000000000000000",
     PB_REFUSED, NULL, 0},
    {"seconds", &pb_unix_seconds, "1795219200", PB_DONE, NULL, INT64_C (1795219200000)},
    {"milliseconds are told by their size", &pb_unix_seconds, "1795219200123", PB_DONE,
     NULL, INT64_C (1795219200123)},
    {"a time that is text", &pb_unix_seconds, "now", PB_REFUSED, NULL, 0},
    {"a time of 1970", &pb_unix_seconds, "1", PB_REFUSED, NULL, 0},
    {"a time beyond all", &pb_unix_seconds, "9223372036854775807", PB_REFUSED, NULL, 0},
    {"yes", &pb_flag, "1", PB_DONE, NULL, 1},
    {"neither yes nor no", &pb_flag, "2", PB_REFUSED, NULL, 2},
    {"the first of the rows of a code", &closed, "4", PB_DONE, "green", 0},
    {"a code without a row, closed", &closed, "77", PB_REFUSED, NULL, 0},
    {"a code without a row, open", &open, "77", PB_FOREIGN, "other", 0},
};

static void
s_check_ins (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (ins); i++) {
        pb_codec_t codec = {.env = env};
        pb_value_t value = {NULL, 0, NULL};
        pb_wire_t wire = {ins[i].wire, false, NULL};
        pb_done_t done = ins[i].convert->in (&codec, ins[i].convert, &wire, &value);
        bool kept = done == ins[i].done;
        if (done == PB_DONE || done == PB_FOREIGN)
            kept = kept && pb_equal (value.text, ins[i].text)
                   && value.number == ins[i].number;
        else if (done == PB_REFUSED)
            kept = kept && codec.reason;
        promise (kept, "in: %s: %s %" PRId64, ins[i].promise,
                 value.text ? value.text : "", value.number);
    }
}

static const struct {
    const char *text;
    int64_t ms; //  0: refused
    const char *back;
} moments[] = {
    {"2026-11-21T08:00:00+08:00", INT64_C (1795219200000), "2026-11-21T08:00:00+08:00"},
    {"2026-11-21T08:00:00.123+08:00", INT64_C (1795219200123),
     "2026-11-21T08:00:00.123+08:00"},
    {"2026-11-21T00:00:00Z", INT64_C (1795219200000), "2026-11-21T08:00:00+08:00"},
    {"2026-11-20T19:00:00-05:00", INT64_C (1795219200000), "2026-11-21T08:00:00+08:00"},
    {"2026-12-31T23:59:59.999999+08:00", INT64_C (1798732799999),
     "2026-12-31T23:59:59.999+08:00"},
    {"2027-01-01T00:00:00+08:00", INT64_C (1798732800000), "2027-01-01T00:00:00+08:00"},
    {"2024-02-29T12:00:00+08:00", INT64_C (1709179200000), "2024-02-29T12:00:00+08:00"},
    {"2000-01-01T00:00:00Z", INT64_C (946684800000), "2000-01-01T08:00:00+08:00"},
    {"2025-02-29T12:00:00+08:00", 0, NULL},
    {"2100-02-29T12:00:00+08:00", 0, NULL},
    {"1999-12-31T12:00:00+08:00", 0, NULL},
    {"2200-01-01T12:00:00+08:00", 0, NULL},
    {"2026-11-21T24:00:00+08:00", 0, NULL},
    {"2026-11-21T08:00:60+08:00", 0, NULL},
    {"2026-11-21T08:00:00", 0, NULL},
    {"2026-11-21T08:00:00+0800", 0, NULL},
    {"2026-11-21T08:00:00.+08:00", 0, NULL},
    {"2026-11-21T08:00:00.1234567890+08:00", 0, NULL},
    {"2026-13-21T08:00:00+08:00", 0, NULL},
    {"2026-11-31T08:00:00+08:00", 0, NULL},
    {"2026-11-21T08:00:00+24:00", 0, NULL},
    {"2026-11-21T08:00:00+08:00x", 0, NULL},
    {"26-11-21T08:00:00+08:00", 0, NULL},
    {"", 0, NULL},
};

static void
s_check_moments (void)
{
    for (size_t i = 0; i < PB_COUNT (moments); i++) {
        int64_t ms = 0;
        char back[PB_MOMENT_SIZE] = "refused";
        bool read = pb_moment_read (moments[i].text, &ms);
        if (read)
            pb_moment_write (ms, PB_CHINA_S, back);
        promise (read == !!moments[i].ms && ms == moments[i].ms
                     && (!read || pb_equal (back, moments[i].back)),
                 "\"%s\" is %s", moments[i].text, back);
    }
    promise (!pb_moment_read (NULL, &(int64_t){0}), "no time is none");
}

static void
s_check_hex (void)
{
    unsigned char bytes[3] = {0};
    char text[7];
    promise (pb_hex_read ("00fFA9", bytes, 3) && bytes[1] == 0xff && bytes[2] == 0xa9,
             "hex in either case");
    promise (!pb_hex_read ("00fFA", bytes, 3) && !pb_hex_read ("00fFA9a", bytes, 3)
                 && !pb_hex_read ("00fFAg", bytes, 3),
             "hex of another length, or none");
    pb_hex_upper (bytes, 3, text);
    promise (pb_equal (text, "00FFA9"), "upper case: %s", text);
    pb_hex_lower (bytes, 3, text);
    promise (pb_equal (text, "00ffa9"), "lower case: %s", text);
}

int
main (void)
{
    pb_harness_t *memory = pb_harness_new (NULL);
    memory->call.host = memory;
    pb_env_t env = {&memory->host, &memory->call};
    s_check_outs (&env);
    s_check_ins (&env);
    s_check_moments ();
    s_check_hex ();
    pb_harness_destroy (&memory);
    return promises_kept ();
}
