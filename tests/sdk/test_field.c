//  test_field.c - the field machine on a platform that does not exist: JSON both ways, with
//  what CMB does not need (ids of ours, facts, fixed texts, "required when").

#include <string.h>
#include "promise.h"
#include "sdk/field.h"
#include "sdk/harness.h"

static const pb_word_t color_rows[] = {
    {"blue", "B", false},
    {"red", "R", false},
    {NULL, NULL, false},
};
static const pb_words_t color_words = {color_rows, NULL, NULL, "other"};
static const pb_convert_t color = PB_WORD_OF (color_words, false);
static const pb_convert_t lane = PB_INT_OF (PB_KIND_TEXT, 0, 9);

static bool
s_when_paid (const pb_codec_t *codec)
{
    int64_t due = 0;
    return pb_data_int (codec, "amount", &due) && due > 0;
}

static bool
s_make_stay (pb_codec_t *codec, pb_value_t *value)
{
    value->number = 60;
    return codec->time_ms > 0;
}

// clang-format off
static const pb_field_t item[] = {
    {"n", PB_DATA ("name"),   &pb_text, pb_required},
    {"v", PB_DATA ("amount"), &pb_yuan, pb_required},
    PB_END
};
static const pb_convert_t item_list = PB_ITEMS_OF (item);

static const pb_field_t table[] = {
    {"kind",      PB_FIXED ("pay"),           &pb_text,         pb_required},
    {"key",       PB_OPTION (app),            &pb_text,         pb_required},
    {"lane",      PB_LANE (out),              &lane,            pb_optional},
    {"park",      PB_LOT (park),              &pb_digits,       pb_required},
    {"from",      PB_DATA_LANE ("lane_in", in), &lane,          pb_optional},
    {"order",     PB_VISIT,                   &pb_text,         pb_required},
    {"when",      PB_TIME,                    &pb_unix_seconds, pb_required},
    {"id",        PB_ID,                      &pb_text,         pb_optional},
    {"session",   PB_REF ("session"),         &pb_text,         pb_optional},
    {"entered",   PB_FACT (entered_at),       &pb_unix_seconds, pb_optional},
    {"car.plate", PB_DATA ("plate"),          &pb_text,         pb_required},
    {"car.color", PB_DATA ("plate_color"),    &color,           pb_optional},
    {"money",     PB_DATA ("amount"),         &pb_yuan,         pb_optional},
    {"receipt",   PB_DATA ("payment"),        &pb_text,         s_when_paid},
    {"stay",      PB_MADE ("stay", s_make_stay), &pb_seconds,   pb_optional},
    {"bound",     PB_DATA ("bound"),          &pb_flag,         pb_optional},
    {"parts",     PB_DATA ("items"),          &item_list,       pb_optional},
    {"hint",      PB_EXT ("hint"),            &pb_text,         pb_optional},
    {"noise",     PB_IGNORED,                 &pb_anything,     pb_optional},
    PB_END
};
// clang-format on

static const pb_visit_t facts = {.struct_size = sizeof facts,
                                 .entered_at_ms = INT64_C (1795219200000),
                                 .spaces_free = -1};
static const pb_ref_t refs[] = {{sizeof (pb_ref_t), "quote", "q"},
                                {sizeof (pb_ref_t), "session", "s1"}};

static const pb_message_t event = {.struct_size = sizeof event,
                                   .id = "e1",
                                   .type = "x.paid",
                                   .visit = "V1",
                                   .lot = "north",
                                   .lane = "out-1",
                                   .time_ms = INT64_C (1795226400000),
                                   .facts = &facts,
                                   .refs = refs,
                                   .refs_count = 2};

#define HEAD "{\"kind\":\"pay\",\"key\":\"me\",\"lane\":2,\"park\":\"0012\","
#define MIDDLE                                                                           \
    "\"order\":\"V1\",\"when\":1795226400,\"id\":\"e1\",\"session\":\"s1\",\"entered\":" \
    "1795219200,\"car\":{\"plate\":\"陕A1\""

//  Data, and the JSON it becomes; or a part of the sentence.
static const struct {
    const char *promise;
    const char *data;
    const char *want;
    const char *sentence;
} writes[] = {
    {"only what is known", "{\"plate\":\"陕A1\"}", HEAD MIDDLE "},\"stay\":60}", NULL},
    {"everything",
     "{\"plate\":\"陕A1\",\"plate_color\":\"red\",\"amount\":1999,\"payment\":\"p\","
     "\"lane_in\":\"in-1\",\"bound\":true,\"items\":[{\"name\":\"a\",\"amount\":5}]}",
     HEAD "\"from\":1," MIDDLE
          ",\"color\":\"R\"},\"money\":\"19.99\",\"receipt\":\"p\","
          "\"stay\":60,\"bound\":1,\"parts\":[{\"n\":\"a\",\"v\":\"0.05\"}]}",
     NULL},
    {"required when there is money", "{\"plate\":\"陕A1\",\"amount\":1}", NULL,
     "receipt (our payment)"},
    {"not required without", "{\"plate\":\"陕A1\",\"amount\":0}",
     HEAD MIDDLE "},\"money\":\"0.00\",\"stay\":60}", NULL},
    {"a required member that is missing", "{}", NULL, "car.plate (our plate)"},
    {"a member of another kind is not known", "{\"plate\":true}", NULL, "car.plate"},
    {"an element without a required member",
     "{\"plate\":\"陕A1\",\"items\":[{\"name\":\"a\"}]}", HEAD MIDDLE "},\"stay\":60}",
     NULL},
};

static void
s_check_writes (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (writes); i++) {
        const char *why = NULL, *got = NULL;
        const char *text = writes[i].data;
        const pb_json_t *data =
            pb_json_read (env, (pb_bytes_t){text, strlen (text)}, &why);
        pb_codec_t codec = pb_codec_out (env, "Test", &event, data);
        pb_pairs_t wire = {NULL, 0, 0};
        pb_buffer_t json = {.env = env};
        int rc = pb_fields_write (&codec, table, &wire);
        if (rc == PB_OK) {
            pb_json_write (&json, &wire);
            got = pb_done (&json);
        }
        bool kept = writes[i].want ? pb_equal (got, writes[i].want)
                                   : rc == PB_REJECT && codec.culprit
                                         && strstr (codec.sentence, writes[i].sentence);
        promise (kept, "written: %s: %s", writes[i].promise,
                 got ? got : codec.sentence);
    }
}

#define SOUND \
    "\"kind\":\"pay\",\"key\":\"me\",\"order\":\"V1\",\"when\":\"1795226400\","

//  The same table read backwards.
static const struct {
    const char *promise;
    const char *json;
    int rc;
    const char *want; //  Data, or a part of the sentence
} reads[] = {
    {"the least", "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"}}", PB_OK,
     "{\"plate\":\"陕A1\"}"},
    {"everything, in whatever types",
     "{\"lane\":\"2\",\"from\":1,\"noise\":[{}],\"hint\":7," SOUND
     "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\",\"color\":\"R\",\"more\":1},\"money\":"
     "19.99,\"receipt\":5,\"stay\":\"60\",\"bound\":\"1\",\"parts\":[{\"n\":\"a\",\"v\":"
     "\"0.05\",\"w\":1}],\"entered\":1795219200,\"session\":\"s\"}",
     PB_OK,
     "{\"lane_in\":\"in-1\",\"plate\":\"陕A1\",\"plate_color\":\"red\",\"amount\":1999,"
     "\"payment\":\"5\",\"stay\":60,\"bound\":true,\"items\":[{\"name\":\"a\",\"amount\":5}],"
     "\"ext\":{\"hint\":\"7\"}}"},
    {"a list as text of a list",
     "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"},\"parts\":"
     "\"[{\\\"n\\\":\\\"a\\\",\\\"v\\\":1}]\"}",
     PB_OK, "{\"plate\":\"陕A1\",\"items\":[{\"name\":\"a\",\"amount\":100}]}"},
    {"a word of theirs without a row",
     "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\",\"color\":\"P\"}}", PB_OK,
     "{\"plate\":\"陕A1\",\"plate_color\":\"other\",\"ext\":{\"car\":{\"color\":\"P\"}}}"},
    {"null and \"\" are not there",
     "{" SOUND "\"park\":\"0012\",\"lane\":null,\"receipt\":\"\",\"car\":{\"plate\":"
     "\"陕A1\",\"color\":null}}",
     PB_OK, "{\"plate\":\"陕A1\"}"},
    {"required, and \"\"", "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"\"}}",
     PB_BADMSG, "car.plate"},
    {"required, and missing", "{" SOUND "\"park\":\"0012\"}", PB_BADMSG, "car.plate"},
    {"an object where a text belongs",
     "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":{}}}", PB_BADMSG, "car.plate"},
    {"a lot that is not ours",
     "{" SOUND "\"park\":\"12\",\"car\":{\"plate\":\"陕A1\"}}", PB_REJECT, "park=12"},
    {"a lane that is not ours",
     "{\"lane\":5," SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"}}", PB_REJECT,
     "lane=5"},
    {"a fixed text that is another", "{\"kind\":\"steal\",\"park\":\"0012\"}", PB_AUTH,
     "kind=steal"},
    {"an option that is another's",
     "{\"kind\":\"pay\",\"key\":\"you\",\"park\":\"0012\"}", PB_AUTH, "key=you"},
    {"an amount with a third decimal",
     "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"},\"money\":0.105}",
     PB_BADMSG, "money=0.105"},
    {"an element that is no object",
     "{" SOUND "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"},\"parts\":[1]}",
     PB_BADMSG, "parts"},
    {"an element without a required member",
     "{" SOUND
     "\"park\":\"0012\",\"car\":{\"plate\":\"陕A1\"},\"parts\":[{\"n\":\"a\"}]}",
     PB_BADMSG, "v: it is missing"},
};

static void
s_check_reads (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (reads); i++) {
        const char *why = NULL;
        const char *text = reads[i].json;
        pb_taken_t taken;
        pb_codec_t codec = {.env = env, .what = "Test"};
        codec.json = pb_json_read (env, (pb_bytes_t){text, strlen (text)}, &why);
        int rc = pb_fields_read (&codec, table, &taken);
        const char *got = rc == PB_OK ? pb_taken_json (env, &taken) : codec.sentence;
        bool kept = rc == reads[i].rc && got
                    && (rc == PB_OK ? pb_equal (got, reads[i].want)
                                          && pb_equal (taken.lot, "north")
                                          && pb_equal (taken.visit, "V1")
                                          && taken.time_ms == event.time_ms
                                    : !!strstr (got, reads[i].want));
        promise (kept, "read: %s: %s", reads[i].promise, got ? got : why);
    }
}

//  Rows that no table may have; each alone.
static const struct {
    const char *promise;
    pb_field_t row;
} unsound[] = {
    {"money by a text converter", {"a", PB_DATA ("amount"), &pb_text, pb_required}},
    {"a text by a money converter", {"a", PB_DATA ("plate"), &pb_fen, pb_required}},
    {"a word by a text converter",
     {"a", PB_DATA ("plate_color"), &pb_text, pb_required}},
    {"a time by a number converter",
     {"a", PB_DATA ("entered_at"), &pb_count, pb_required}},
    {"a member the bus does not have",
     {"a", PB_DATA ("colour"), &pb_text, pb_required}},
    {"a fact there is none of", {"a", PB_FACT (color), &pb_text, pb_required}},
    {"a fact of another kind", {"a", PB_FACT (entered_at), &pb_text, pb_required}},
    {"the time by a text converter", {"a", PB_TIME, &pb_text, pb_required}},
    {"a lane by a money converter", {"a", PB_LANE (in), &pb_fen, pb_required}},
    {"no converter", {"a", PB_DATA ("plate"), NULL, pb_required}},
    {"no need", {"a", PB_DATA ("plate"), &pb_text, NULL}},
    {"a maker that is missing",
     {"a", PB_MADE ("stay", NULL), &pb_seconds, pb_required}},
};

static void
s_check_soundness (void)
{
    promise (!pb_fields_check (table), "the table above is sound: %s",
             pb_fields_check (table) ? pb_fields_check (table) : "yes");
    for (size_t i = 0; i < PB_COUNT (unsound); i++) {
        const pb_field_t rows[] = {unsound[i].row, PB_END};
        promise (pb_equal (pb_fields_check (rows), "a"), "unsound: %s",
                 unsound[i].promise);
    }
    static const pb_field_t bad_item[] = {
        {"inner", PB_DATA ("amount"), &pb_text, pb_required}, PB_END};
    static const pb_convert_t bad_list = PB_ITEMS_OF (bad_item);
    const pb_field_t rows[] = {{"a", PB_DATA ("items"), &bad_list, pb_required},
                               PB_END};
    promise (pb_equal (pb_fields_check (rows), "inner"),
             "unsound: in a list's element");
}

int
main (void)
{
    static const pb_plugin_t none = {.struct_size = sizeof none};
    pb_harness_t *site = pb_harness_new (&none);
    site->call.host = site;
    pb_harness_option (site, "app", "me");
    pb_harness_lot (site, "north", "park", "0012");
    pb_harness_lane (site, "north", "lanes", "in-1", "1");
    pb_harness_lane (site, "north", "lanes", "out-1", "2");
    pb_env_t env = {&site->host, &site->call};
    s_check_soundness ();
    s_check_writes (&env);
    s_check_reads (&env);
    pb_harness_destroy (&site);
    return promises_kept ();
}
