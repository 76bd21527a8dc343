//  test_filter.c - which patterns are patterns, and what each takes.

#include "bus/filter.h"

#include <stdio.h>
#include "promise.h"

static const struct {
    const char *pattern, *topic;
    bool takes;
} matches[] = {
    {"pay.captured.north", "pay.captured.north",   true },
    {"pay.captured.north", "pay.captured.north-2", false},
    {"pay.captured.north", "pay.captured",         false},
    {"pay.captured",       "pay.captured.north",   false},
    {"pay.>",              "pay.captured.north",   true },
    {"pay.>",              "pay.x",                true },
    {"pay.>",              "pay",                  false},
    {"pay.>",              "payment.captured.n",   false},
    {"pay.*",              "pay.captured",         true },
    {"pay.*",              "pay.captured.north",   false},
    {"*.*.north",          "in.recorded.north",    true },
    {"*.*.north",          "in.recorded.south",    false},
    {"*.*.north",          "recorded.north",       false},
    {"*.recorded.>",       "in.recorded.north",    true },
    {"*.recorded.>",       "in.recorded",          false},
    {">",                  "alarm.raised._",       true },
    {">",                  "in",                   true },
    {"*",                  "in",                   true },
    {"*",                  "in.recorded",          false},
    {"alarm.raised._",     "alarm.raised._",       true },
    {"in.recorded.*",      "in.recorded.north",    true },
    {"in.*.north",         "in.recorded.north",    true },
    {"in.*.north",         "in.north",             false},
};

static const struct {
    const char *pattern;
    bool valid;
} patterns[] = {
    {"pay.>",         true },
    {">",             true },
    {"*",             true },
    {"*.*.north-2",   true },
    {"x.my_word._",   true },
    {"a",             true },
    {"",              false},
    {".",             false},
    {"pay.",          false},
    {".pay",          false},
    {"pay..north",    false},
    {">.north",       false},
    {"pay.>.north",   false},
    {"pay.cap*",      false},
    {"pay.>>",        false},
    {"**",            false},
    {"Pay.captured",  false},
    {"pay captured",  false},
    {"pay.captured ", false},
    {"pay.\xc3\xa4",  false},
    {"pay/x",         false},
};

//  The array of a FETCH.
static const struct {
    const char *says, *json;
    bool good;
    const char *topic;
    bool takes;
} lists[] = {
    {"absent takes everything",     NULL,                    true,  "in.recorded.a", true },
    {"one of two patterns matches", "[\"pay.>\",\"in.>\"]",  true,  "in.recorded.a",
     true                                                                                 },
    {"none of two matches",         "[\"pay.>\",\"out.>\"]", true,  "in.recorded.a", false},
    {"an empty list is refused",    "[]",                    false, NULL,            false},
    {"a text is refused",           "\"pay.>\"",             false, NULL,            false},
    {"an object is refused",        "{\"pay\":1}",           false, NULL,            false},
    {"a number in it is refused",   "[\"pay.>\",7]",         false, NULL,            false},
    {"a list in it is refused",     "[[\"pay.>\"]]",         false, NULL,            false},
    {"null in it is refused",       "[null]",                false, NULL,            false},
    {"a NUL in it is refused",      "[\"pay\\u0000\"]",      false, NULL,            false},
    {"an empty one is refused",     "[\"\"]",                false, NULL,            false},
};

static void
s_lists (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (lists); i++) {
        pb_error_t error = {0};
        json_object *json = lists[i].json ? json_tokener_parse (lists[i].json) : NULL;
        filter_t *filter = filter_new (json, &error);
        json_object_put (json); //  The filter keeps what it needs
        bool kept = (filter != NULL) == lists[i].good;
        if (filter && lists[i].topic)
            kept =
                kept && filter_takes (filter, SPAN (lists[i].topic)) == lists[i].takes;
        if (!lists[i].good)
            kept = kept && error.code == PB_E_BAD_REQUEST && error.message[0];
        promise (kept, "filter: %s", lists[i].says);
        filter_destroy (&filter);
        filter_destroy (&filter);
    }
}

static void
s_limits (void)
{
    for (size_t count = FILTER_PATTERNS_MAX; count <= FILTER_PATTERNS_MAX + 1;
         count++) {
        json_object *json = json_object_new_array ();
        for (size_t i = 0; i < count; i++)
            json_object_array_add (json, json_object_new_string ("pay.>"));
        filter_t *filter = filter_new (json, NULL);
        promise ((filter != NULL) == (count <= FILTER_PATTERNS_MAX),
                 "filter: %zu patterns", count);
        filter_destroy (&filter);
        json_object_put (json);
    }
    char longest[130];
    memset (longest, 'a', sizeof longest);
    promise (filter_valid ((span_t){longest, 128}), "a pattern of 128 bytes is one");
    promise (!filter_valid ((span_t){longest, 129}), "one of 129 is not");
    promise (!filter_valid ((span_t){NULL, 0}), "nothing is no pattern");
}

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (matches); i++)
        promise (filter_match (SPAN (matches[i].pattern), SPAN (matches[i].topic))
                     == matches[i].takes,
                 "%s %s %s", matches[i].pattern, matches[i].takes ? "takes" : "leaves",
                 matches[i].topic);
    for (size_t i = 0; i < ARRAY_SIZE (patterns); i++)
        promise (filter_valid (SPAN (patterns[i].pattern)) == patterns[i].valid,
                 "'%s' is %s pattern", patterns[i].pattern,
                 patterns[i].valid ? "a" : "no");
    s_lists ();
    s_limits ();
    return promises_kept ();
}
