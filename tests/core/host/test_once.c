//  test_once.c - the table of natural keys, and the record of an answer.

#include "host/inside.h"

#include <stdlib.h>
#include "promise.h"

#define MANY 20000

static once_key_t
s_key (unsigned n)
{
    char text[24];
    snprintf (text, sizeof text, "key-%u", n);
    return once_key ("cmb", "pay", text);
}

static bool
s_knows (const once_t *once, unsigned n)
{
    const once_seen_t *seen = once_find (once, s_key (n));
    return seen && seen->content == n && seen->position == n + 7;
}

static void
s_add (once_t *once, unsigned n)
{
    once_add (once, (once_seen_t){s_key (n), n, n + 7});
}

static void
s_table (void)
{
    once_t *once = once_new ();
    promise (!once_find (once, s_key (1)), "an empty table knows nothing");
    once_remove (once, s_key (1));
    bool all = true, none = true;
    for (unsigned n = 0; n < MANY; n++)
        s_add (once, n);
    for (unsigned n = 0; n < MANY; n++) {
        all = all && s_knows (once, n);
        none = none && !once_find (once, s_key (MANY + n));
    }
    promise (all, "it grows and knows what was added");
    promise (none, "and nothing else");
    once_add (once, (once_seen_t){s_key (5), 99, 100});
    promise (once_find (once, s_key (5))->content == 99,
             "added again, the newest counts");
    s_add (once, 5);
    for (unsigned n = 0; n < MANY; n += 2)
        once_remove (once, s_key (n));
    bool kept = true, gone = true;
    for (unsigned n = 0; n < MANY; n++)
        if (n % 2)
            kept = kept && s_knows (once, n);
        else
            gone = gone && !once_find (once, s_key (n));
    promise (gone, "what was removed is gone");
    promise (kept, "and everything else is still found");
    for (unsigned n = 0; n < MANY; n += 2)
        s_add (once, n);
    all = true;
    for (unsigned n = 0; n < MANY; n++)
        all = all && s_knows (once, n);
    promise (all, "what was removed can come again");
    once_destroy (&once);
    once_destroy (&once);
    promise (!once, "ending it twice is harmless");
}

static void
s_keys (void)
{
    static const char *const rows[][3] = {
        {"cmb",    "pay",  "1"    },
        {"bolink", "pay",  "1"    },
        {"cmb",    "bind", "1"    },
        {"cmb",    "pay",  "2"    },
        {"cmb",    "pay1", ""     },
        {"cmb",    "pay",  "1 "   },
        {"cmb",    "pay",  "京A1"},
    };
    bool differ = true, same = true, marked = true;
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++)
        for (size_t j = 0; j < ARRAY_SIZE (rows); j++) {
            once_key_t a = once_key (rows[i][0], rows[i][1], rows[i][2]);
            once_key_t b = once_key (rows[j][0], rows[j][1], rows[j][2]);
            bool equal = a.a == b.a && a.b == b.b;
            marked = marked && a.a;
            if (i == j)
                same = same && equal;
            else
                differ = differ && !equal;
        }
    promise (same, "a key is the same every time");
    promise (differ, "instance, kind and text make it");
    promise (marked, "and it never looks like an empty place");
}

static void
s_record (void)
{
    static const struct {
        const char *says, *media, *body;
        unsigned status;
    } rows[] = {
        {"an answer",              "application/json", "{\"status\":0}", 200},
        {"one without a body",     "text/plain",       "",               503},
        {"one without media type", "",                 "ok",             200},
        {"an empty one",           "",                 "",               204},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        buffer_t record = {0};
        once_answer_t answer, want = {s_key (9), 77, rows[i].status,
                                      SPAN (rows[i].media), SPAN (rows[i].body)};
        once_write (&record, &want);
        //  An exact copy, so that reading beyond it is seen.
        char *bytes = xmalloc (record.size);
        memcpy (bytes, record.data, record.size);
        promise (once_read (bytes, record.size, &answer) && answer.key.a == want.key.a
                     && answer.key.b == want.key.b && answer.content == 77
                     && answer.status == rows[i].status
                     && span_is (answer.media, rows[i].media)
                     && span_is (answer.body, rows[i].body),
                 "record: %s comes back", rows[i].says);
        free (bytes);
        bool refused = true;
        for (size_t size = 0; size < record.size; size++) {
            bytes = xmalloc (size + 1);
            memcpy (bytes, record.data, size);
            refused = refused && !once_read (bytes, size, &answer);
            free (bytes);
        }
        promise (refused, "record: %s cut short is refused", rows[i].says);
        buffer_free (&record);
    }
}

//  Sizes that lie: 4 bytes at 28 (media) and 32 (body).
static void
s_tampered (void)
{
    static const struct {
        const char *says;
        size_t at;
        uint32_t size;
    } rows[] = {
        {"a media type longer than the record", 28, 4000      },
        {"a body longer than the record",       32, 4000      },
        {"a media type of 4 GiB",               28, UINT32_MAX},
        {"a body of 4 GiB",                     32, UINT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        buffer_t record = {0};
        once_answer_t answer = {s_key (9), 77, 200, SPAN ("text/plain"), SPAN ("ok")};
        once_write (&record, &answer);
        memcpy (record.data + rows[i].at, &rows[i].size, 4);
        promise (!once_read (record.data, record.size, &answer),
                 "record: %s is refused", rows[i].says);
        buffer_free (&record);
    }
}

int
main (void)
{
    s_table ();
    s_keys ();
    s_record ();
    s_tampered ();
    return promises_kept ();
}
