//  Text: spans, UTF-8, hex, Base64, numbers, distance, buffers, hash, errors.

#include <inttypes.h>
#include <stdlib.h>
#include "base/error.h"
#include "base/text.h"
#include "promise.h"

#define BYTES(text) (text), sizeof (text) - 1

static const struct {
    const char *promise;
    const char *bytes;
    size_t size;
    bool valid;
} utf8[] = {
  // clang-format off
    {"empty is UTF-8", BYTES (""), true},
    {"ASCII and NUL are", BYTES ("a\0b"), true},
    {"Chinese is", BYTES ("京A12345 停车场"), true},
    {"four bytes are", BYTES ("\xf0\x9f\x9a\x97"), true},
    {"U+10FFFF is", BYTES ("\xf4\x8f\xbf\xbf"), true},
    {"beyond U+10FFFF is not", BYTES ("\xf4\x90\x80\x80"), false},
    {"an overlong slash is not", BYTES ("\xc0\xaf"), false},
    {"three bytes overlong are not", BYTES ("\xe0\x80\xaf"), false},
    {"four bytes overlong are not", BYTES ("\xf0\x8f\xbf\xbf"), false},
    {"a surrogate is not", BYTES ("\xed\xa0\x80"), false},
    {"the last before surrogates is", BYTES ("\xed\x9f\xbf"), true},
    {"a cut character is not", BYTES ("12345678\xe4\xba"), false},
    {"a lone continuation is not", BYTES ("abcdefgh\x80"), false},
    {"GBK is not", BYTES ("\xbe\xa9" "A12345"), false},
    {"0xff is not", BYTES ("\xff"), false},
  // clang-format on
};

static const struct {
    const char *promise;
    const char *text;
    int64_t min, max;
    bool good;
    int64_t value;
} numbers[] = {
  // clang-format off
    {"zero", "0", 0, 9, true, 0},
    {"leading zeros are digits", "0012", 0, 99, true, 12},
    {"negative", "-7", -9, 9, true, -7},
    {"the least of all", "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
    {"the greatest of all", "9223372036854775807", INT64_MIN, INT64_MAX, true,
     INT64_MAX},
    {"one more overflows", "9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
    {"one less too", "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
    {"20 digits overflow", "18446744073709551617", INT64_MIN, INT64_MAX, false, 0},
    {"below the range", "4", 5, 9, false, 0},
    {"above the range", "10", 5, 9, false, 0},
    {"nothing is no number", "", 0, 9, false, 0},
    {"a minus is no number", "-", -9, 9, false, 0},
    {"a plus is not taken", "+1", 0, 9, false, 0},
    {"nor spaces", " 1", 0, 9, false, 0},
    {"nor letters behind", "1a", 0, 9, false, 0},
  // clang-format on
};

static const struct {
    const char *a, *b;
    unsigned distance;
} distances[] = {
    {"",            "",            0},
    {"listen",      "",            6},
    {"listen",      "listne",      1},
    {"in.recorded", "in.recordet", 1},
    {"in.recorded", "n.recordd",   2},
    {"ca",          "abc",         3},
};

static const struct {
    const char *bytes;
    size_t size;
    const char *hex, *base64;
} codes[] = {
    {BYTES (""),                 "",         ""        },
    {BYTES ("f"),                "66",       "Zg=="    },
    {BYTES ("fo"),               "666f",     "Zm8="    },
    {BYTES ("foo"),              "666f6f",   "Zm9v"    },
    {BYTES ("\xff\xfe\x00\x3e"), "fffe003e", "//4APg=="},
};

static void
s_codes (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (codes); i++) {
        char hex[16], base64[16], back[8];
        hex_encode (codes[i].bytes, codes[i].size, hex);
        base64_encode (codes[i].bytes, codes[i].size, base64);
        promise (streq (hex, codes[i].hex), "hex %s", codes[i].hex);
        promise (streq (base64, codes[i].base64), "Base64 %s", codes[i].base64);
        int size = hex_decode (hex, strlen (hex), back, sizeof back);
        promise (size == (int) codes[i].size
                     && memcmp (back, codes[i].bytes, codes[i].size) == 0,
                 "hex %s back", codes[i].hex);
    }
    unsigned char byte;
    promise (hex_decode ("aF", 2, &byte, 1) == 1 && byte == 0xaf, "hex in either case");
    promise (hex_decode ("a", 1, &byte, 1) == -1, "half a byte is no hex");
    promise (hex_decode ("g0", 2, &byte, 1) == -1, "g is no hex");
    promise (hex_decode ("0102", 4, &byte, 1) == -1, "hex that does not fit");
}

static void
s_buffers (void)
{
    buffer_t buffer = {0};
    buffer_text (&buffer, "a");
    buffer_printf (&buffer, "%d%s", 12, "bc");
    buffer_add (&buffer, "d\0e", 3);
    promise (buffer.size == 8 && memcmp (buffer.data, "a12bcd\0e", 8) == 0
                 && buffer.data[8] == 0,
             "a buffer grows and ends in NUL");
    buffer_reset (&buffer);
    buffer_json_string (&buffer, "\"\\/\b\f\n\r\t\x01\x7f京", 13);
    promise (streq (buffer.data, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f京\""),
             "a JSON string escapes what it must: %s", buffer.data);
    buffer_reset (&buffer);
    char *long_text = xmalloc (5001);
    memset (long_text, 'x', 5000);
    long_text[5000] = 0;
    buffer_printf (&buffer, "%s", long_text);
    promise (buffer.size == 5000 && streq (buffer.data, long_text), "long texts fit");
    free (long_text);
    buffer_free (&buffer);
    promise (!buffer.data && !buffer.size, "a freed buffer is empty");
    promise (!xstrdup (NULL), "no text copied is no text");
}

//  These values lie in journals: when a row fails, the hash is wrong, not the row.
static void
s_hashes (void)
{
    static const struct {
        const char *text;
        uint64_t seed, hash;
    } frozen[] = {
        {"",                        0, UINT64_C (0xc4ec5c20c4cd5a22)},
        {"a",                       0, UINT64_C (0xfe74c8193ed462b4)},
        {"a",                       1, UINT64_C (0xf3a058c7c28f7eb8)},
        {"gate/in-1|019aa1b2-0001", 0, UINT64_C (0xbc4da67bb69bd5c8)},
    };
    for (size_t i = 0; i < ARRAY_SIZE (frozen); i++) {
        uint64_t hash =
            hash64 (frozen[i].text, strlen (frozen[i].text), frozen[i].seed);
        promise (hash == frozen[i].hash, "the hash of \"%s\" stays 0x%016" PRIx64,
                 frozen[i].text, hash);
    }
    promise (hash64 ("a\0", 2, 0) != hash64 ("a", 1, 0), "a NUL behind counts");
    promise (hash64 ("12345678", 8, 0) != hash64 ("12345678\0", 9, 0),
             "also behind a whole word");

    //  One bit in changes half of the bits out, from every place.
    unsigned least = 64, most = 0;
    unsigned char bytes[24] = {0};
    uint64_t before = hash64 (bytes, sizeof bytes, 7);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
        unsigned changed =
            (unsigned) __builtin_popcountll (before ^ hash64 (bytes, sizeof bytes, 7));
        bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
        least = changed < least ? changed : least;
        most = changed > most ? changed : most;
    }
    promise (least >= 14 && most <= 50, "one bit changes %u to %u of 64", least, most);
}

static void
s_errors (void)
{
    pb_error_t error = {0};
    promise (!pb_error (&error, PB_E_BAD_EVENT, "lot", "no lot '%s'", "x")
                 && error.code == PB_E_BAD_EVENT && streq (error.field, "lot")
                 && streq (error.message, "no lot 'x'"),
             "an error is filled");
    promise (!pb_error (NULL, PB_E_BUSY, NULL, "unheard"), "an error needs no place");
    pb_error (&error, PB_E_BAD_EVENT, error.field, "%s again", error.message);
    promise (streq (error.message, "no lot 'x' again") && streq (error.field, "lot"),
             "an error may wrap itself");
    char text[700];
    memset (text, 'a', sizeof text);
    for (size_t i = 1; i + 3 < sizeof text; i += 3)
        memcpy (text + i, "京", 3);
    text[sizeof text - 1] = 0;
    pb_error (&error, PB_E_BAD_EVENT, NULL, "%s", text);
    promise (strlen (error.message) > 500
                 && utf8_valid (error.message, strlen (error.message)),
             "a cut sentence is UTF-8");
    promise (streq (pb_error_word (PB_E_UNKNOWN_OUTCOME), "unknown_outcome"), "words");
    promise (streq (pb_error_word ((pb_error_code_t) 99), "unknown"), "unknown codes");
}

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (utf8); i++) {
        //  An exact copy, so that ASan sees a byte too many.
        char *copy = xmalloc (utf8[i].size);
        memcpy (copy, utf8[i].bytes, utf8[i].size);
        promise (utf8_valid (copy, utf8[i].size) == utf8[i].valid, "%s",
                 utf8[i].promise);
        free (copy);
    }
    promise (utf8_length ("京A1", 5) == 3, "characters are counted, not bytes");
    for (size_t i = 0; i < ARRAY_SIZE (numbers); i++) {
        int64_t value = 0;
        bool good =
            text_int64 (SPAN (numbers[i].text), numbers[i].min, numbers[i].max, &value);
        promise (good == numbers[i].good && value == numbers[i].value, "%s",
                 numbers[i].promise);
    }
    for (size_t i = 0; i < ARRAY_SIZE (distances); i++)
        promise (text_distance (distances[i].a, distances[i].b)
                     == distances[i].distance,
                 "from '%s' to '%s' are %u steps", distances[i].a, distances[i].b,
                 distances[i].distance);
    char room[4];
    promise (span_copy (SPAN ("abc"), room, 4) && streq (room, "abc"), "a copy fits");
    promise (!span_copy (SPAN ("abcd"), room, 4) && !*room, "or it is empty");
    promise (!span_is ((span_t){NULL, 0}, ""), "absent is not empty");
    promise (streq (NULL, NULL) && !streq ("", NULL), "NULL is equal to NULL only");
    s_codes ();
    s_buffers ();
    s_hashes ();
    s_errors ();
    return promises_kept ();
}
