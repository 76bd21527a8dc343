//  test_json.c - JSON read leniently and written strictly.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "promise.h"
#include "sdk/harness.h"
#include "sdk/json.h"

//  A text, and the text at a path of it; NULL: refused. "-": there, but no text.
static const struct {
    const char *promise;
    const char *json, *path, *want;
} texts[] = {
    {"a text", "{\"a\":\"b\"}", "a", "b"},
    {"a number keeps its text", "{\"a\":123456789012345678901234567890}", "a",
     "123456789012345678901234567890"},
    {"zeros and all", "{\"a\":1.500}", "a", "1.500"},
    {"powers of ten are numbers", "{\"a\":-1.5E+3}", "a", "-1.5E+3"},
    {"objects in objects", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "a.b.c", "x"},
    {"null is not there", "{\"a\":null,\"b\":1}", "a", NULL},
    {"true is no text", "{\"a\":true}", "a", "-"},
    {"escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a", "\"\\/\b\f\n\r\t"},
    {"\\u, two and three bytes", "{\"a\":\"\\u00e9\\u9655\"}", "a", "é陕"},
    {"\\u, a pair", "{\"a\":\"\\ud83d\\ude97\"}", "a", "🚗"},
    {"white space anywhere", " {\n\"a\" :\t1 ,\r\"b\":[ ] } ", "a", "1"},
    {"a byte order mark", "\xef\xbb\xbf{\"a\":1}", "a", "1"},
    {"a comma too many in an object", "{\"a\":1,}", "a", "1"},
    {"a comma too many in a list", "{\"a\":[1,],\"b\":2}", "b", "2"},
    {"a comma too few between members", "{\"a\":1 \"b\":2}", "b", "2"},
    {"an empty name", "{\"\":1,\"a\":2}", "a", "2"},
};

static const struct {
    const char *promise, *json;
} refused[] = {
    {"nothing", ""},
    {"blanks", "  "},
    {"half an object", "{\"a\":1"},
    {"half a text", "{\"a\":\"b"},
    {"a backslash at the end", "{\"a\":\"b\\"},
    {"an unknown escape", "{\"a\":\"\\x\"}"},
    {"\\u0000", "{\"a\":\"\\u0000\"}"},
    {"half a pair", "{\"a\":\"\\ud83d\"}"},
    {"the wrong half", "{\"a\":\"\\ude97\"}"},
    {"a short \\u", "{\"a\":\"\\u12\"}"},
    {"a member twice", "{\"a\":1,\"a\":2}"},
    {"a member twice, once escaped", "{\"a\":1,\"\\u0061\":2}"},
    {"something behind", "{} x"},
    {"two values", "1 2"},
    {"a comma too few in a list", "[1 2]"},
    {"only commas", "[,]"},
    {"a bare word", "{a:1}"},
    {"quotes of another kind", "{'a':1}"},
    {"NaN", "{\"a\":NaN}"},
    {"a lone minus", "{\"a\":-}"},
    {"a point without digits", "{\"a\":1.}"},
    {"a power without digits", "{\"a\":1e}"},
    {"a plus sign", "{\"a\":+1}"},
    {"the wrong bracket", "[1}"},
    {"HTML", "<html>"},
};

static const pb_json_t *
s_read (const pb_env_t *env, const char *json, const char **why)
{
    return pb_json_read (env, (pb_bytes_t){json, strlen (json)}, why);
}

static void
s_check_reading (const pb_env_t *env)
{
    const char *why = NULL;
    for (size_t i = 0; i < PB_COUNT (texts); i++) {
        const pb_json_t *value =
            pb_json_get (s_read (env, texts[i].json, &why), texts[i].path);
        const char *got = pb_json_text (value);
        bool kept = pb_equal (texts[i].want, "-") ? value && !got
                                                  : pb_equal (got, texts[i].want);
        promise (kept && !why, "%s: %s", texts[i].promise, got ? got : why);
    }
    for (size_t i = 0; i < PB_COUNT (refused); i++)
        promise (!s_read (env, refused[i].json, &why) && why && *why, "refused: %s: %s",
                 refused[i].promise, why);
    char deep[200];
    memset (deep, '[', 100);
    memset (deep + 100, ']', 100);
    promise (!pb_json_read (env, (pb_bytes_t){deep, 200}, &why), "too deep: %s", why);
    char *wide = malloc (20000);
    memset (wide, '1', 20000);
    for (int i = 1; i < 20000; i += 2)
        wide[i] = ',';
    wide[0] = '[';
    wide[19999] = ']';
    promise (!pb_json_read (env, (pb_bytes_t){wide, 20000}, &why), "too many: %s", why);
    free (wide);
    promise (!pb_json_read (env, (pb_bytes_t){"{\"a\":\"\0\"}", 9}, &why),
             "a NUL in a text: %s", why);
}

static const struct {
    const char *promise, *json;
    int64_t min, max, want;
    bool fits;
} numbers[] = {
    {"a number", "12", 0, 100, 12, true},
    {"number text", "\"12\"", 0, 100, 12, true},
    {"negative", "-12", -100, 100, -12, true},
    {"the largest", "9223372036854775807", 0, INT64_MAX, INT64_MAX, true},
    {"one more", "9223372036854775808", 0, INT64_MAX, 0, false},
    {"beyond the range", "101", 0, 100, 0, false},
    {"below it", "-1", 0, 100, 0, false},
    {"with a decimal", "1.0", 0, 100, 0, false},
    {"a power of ten", "1e1", 0, 100, 0, false},
    {"blanks in text", "\" 1\"", 0, 100, 0, false},
    {"a plus sign in text", "\"+1\"", 0, 100, 0, false},
    {"hexadecimal", "\"0x1\"", 0, 100, 0, false},
    {"nothing", "\"\"", 0, 100, 0, false},
    {"a lone minus", "\"-\"", -100, 100, 0, false},
    {"true", "true", 0, 100, 0, false},
};

static void
s_check_numbers (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (numbers); i++) {
        const char *why = NULL;
        int64_t got = 0;
        bool fits = pb_json_int (s_read (env, numbers[i].json, &why), numbers[i].min,
                                 numbers[i].max, &got);
        promise (fits == numbers[i].fits && got == numbers[i].want,
                 "integer: %s: %" PRId64, numbers[i].promise, got);
    }
}

static void
s_check_writing (const pb_env_t *env)
{
    static const struct {
        const char *name, *value;
        bool bare;
    } pairs[] = {{"status", "0", true},     {"message", "a\"\\\n\x01陕\x7f", false},
                 {"data.a", "1", false},    {"data.c.x", "1", true},
                 {"data.c.y", "[1]", true}, {"data.d.x", "2", true},
                 {"data.da", "3", true},    {"last", "\xff\xe9", false}};
    static const char want[] =
        "{\"status\":0,\"message\":\"a\\\"\\\\\\n\\u0001陕\x7f\",\"data\":{\"a\":\"1\","
        "\"c\":{\"x\":1,\"y\":[1]},\"d\":{\"x\":2},\"da\":3},\"last\":\"\xef\xbf\xbd"
        "\xef\xbf\xbd\"}";
    pb_pairs_t members = {NULL, 0, 0};
    pb_buffer_t to = {.env = env};
    for (size_t i = 0; i < PB_COUNT (pairs); i++)
        pb_pairs_add (env, &members, pairs[i].name, pairs[i].value, pairs[i].bare);
    pb_json_write (&to, &members);
    promise (pb_equal (pb_done (&to), want), "objects in objects, and back out: %s",
             pb_done (&to));
    const char *why = NULL;
    const pb_json_t *tree = s_read (env, want, &why);
    const pb_json_t *c = pb_json_get (tree, "data.c");
    promise (c && c->raw.size == strlen ("{\"x\":1,\"y\":[1]}")
                 && !memcmp (c->raw.data, "{\"x\":1,\"y\":[1]}", c->raw.size),
             "the bytes of a value as they stand");
}

int
main (void)
{
    pb_harness_t *memory = pb_harness_new (NULL);
    memory->call.host = memory;
    pb_env_t env = {&memory->host, &memory->call};
    s_check_reading (&env);
    s_check_numbers (&env);
    s_check_writing (&env);
    pb_harness_destroy (&memory);
    return promises_kept ();
}
