//  test_format.c - the bytes on disk do not drift, and the parts that keep them are right.

#include "events.h"

#include "journal/crc32c.h"
#include "journal/disk.h"
#include "journal/format.h"
#include "journal/topics.h"
#include "journal/window.h"
#include "memdisk.h"

//  ------------------------------------------------------------------ checksums

static void
s_sums (void)
{
    static const struct {
        const char *text;
        uint32_t sum;
    } rows[] = {
        {"",                                            0         },
        {"a",                                           0xc1d04330},
        {"123456789",                                   0xe3069283},
        {"The quick brown fox jumps over the lazy dog", 0x22620404},
    };
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++) {
        size_t size = strlen (rows[index].text);
        promise (crc32c (0, rows[index].text, size) == rows[index].sum
                     && crc32c_table (0, rows[index].text, size) == rows[index].sum,
                 "CRC32C of \"%s\"", rows[index].text);
    }
    uint8_t bytes[300];
    for (size_t index = 0; index < sizeof bytes; index++)
        bytes[index] = (uint8_t) (index * index * 7 + 3);
    bool same = true, parts = true;
    for (size_t from = 0; from < 9; from++)
        for (size_t size = 0; from + size <= sizeof bytes; size++) {
            uint32_t whole = crc32c (0, bytes + from, size);
            same = same && whole == crc32c_table (0, bytes + from, size);
            uint32_t first = crc32c (0, bytes + from, size / 3);
            parts =
                parts
                && whole == crc32c (first, bytes + from + size / 3, size - size / 3);
        }
    promise (same, "hardware and table agree at every length and alignment");
    promise (parts, "a checksum goes on over parts");
}

//  ------------------------------------------------------------------ names, heads

static void
s_names (void)
{
    static const struct {
        const char *name;
        bool good;
        uint32_t number;
        uint64_t first_seq;
    } rows[] = {
        {"0000000001-00000000000000000001.pbj",  true,  1,          1         },
        {"4294967295-18446744073709551615.pbj",  true,  UINT32_MAX, UINT64_MAX},
        {"4294967296-00000000000000000001.pbj",  false, 0,          0         },
        {"0000000001-18446744073709551616.pbj",  false, 0,          0         },
        {"0000000000-00000000000000000001.pbj",  false, 0,          0         },
        {"0000000001-00000000000000000000.pbj",  false, 0,          0         },
        {"0000000001-0000000000000000001.pbj",   false, 0,          0         },
        {"0000000001-00000000000000000001.pbj~", false, 0,          0         },
        {"0000000001-000000000000000000x1.pbj",  false, 0,          0         },
        {" 000000001-00000000000000000001.pbj",  false, 0,          0         },
        {"lock",                                 false, 0,          0         },
        {"",                                     false, 0,          0         },
    };
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++) {
        uint32_t number;
        uint64_t first_seq;
        char back[SEGMENT_NAME];
        bool good = segment_name_get (rows[index].name, &number, &first_seq);
        bool kept = good == rows[index].good;
        if (good) {
            segment_name (back, number, first_seq);
            kept = kept && number == rows[index].number
                   && first_seq == rows[index].first_seq
                   && strcmp (back, rows[index].name) == 0;
        }
        promise (kept, "name \"%s\"", rows[index].name);
    }
}

static void
s_heads (void)
{
    segment_head_t head = {.version = 1,
                           .number = 7,
                           .first_seq = 1234,
                           .created_ms = 1795000000123,
                           .capacity = 64 << 20,
                           .salt = 0x1122334455667788},
                   got = {0};
    uint8_t bytes[SEGMENT_HEAD];
    segment_head_put (bytes, &head);
    promise (segment_head_get (bytes, &got) == HEAD_OK && got.number == 7
                 && got.first_seq == 1234 && got.created_ms == head.created_ms
                 && got.capacity == head.capacity && got.salt == head.salt,
             "a segment's head comes back");
    bool bad = true;
    for (size_t at = 0; at < SEGMENT_HEAD; at++) {
        bytes[at] ^= 0x80;
        head_state_t state = segment_head_get (bytes, &got);
        bad = bad && state == (at >= 8 && at < 12 ? HEAD_NEWER : HEAD_BAD);
        bytes[at] ^= 0x80;
    }
    promise (bad, "any changed byte of it is seen");
}

//  ------------------------------------------------------------------ what was written once

typedef struct {
    uint64_t events, notes;
    bool wrong;
} found_t;

static void
s_see (void *arg, const journal_record_t *record)
{
    found_t *self = arg;
    if (record->kind == JOURNAL_EVENT)
        self->wrong |= !is_numbered (record, self->events++);
    else
        self->notes++;
}

//  golden-1 is a segment as version 1 wrote it. It has to be read for ever: when this
//  fails, the format has changed and needs a version of its own.
static void
s_golden (void)
{
    const char *srcdir = getenv ("srcdir");
    char path[1024], *dir = temp_dir ();
    static uint8_t bytes[8192];
    snprintf (path, sizeof path, "%s/tests/core/journal/golden-1.pbj",
              srcdir ? srcdir : ".");
    FILE *file = fopen (path, "rb");
    size_t size = file ? fread (bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose (file);
    memdisk_t *disk = memdisk_new ();
    memdisk_set (disk, "0000000001-00000000000000000001.pbj", bytes, size);
    found_t found = {0};
    pb_error_t error = {0};
    journal_options_t options = {.dir = dir,
                                 .segment_bytes = 8192,
                                 .dedupe_events = 1000,
                                 .disk = memdisk_calls (disk),
                                 .fold = s_see,
                                 .arg = &found};
    journal_t *journal = journal_open (&options, &error);
    promise (journal && found.events == 6 && found.notes == 4 && !found.wrong
                 && !journal_tail_cut (journal, NULL),
             "a segment of version 1 is read %s", error.message);
    journal_close (&journal);
    memdisk_destroy (&disk);
    remove_dir (dir);
}

//  ------------------------------------------------------------------ indexes

static bool
s_always (void *arg, uint64_t seq)
{
    (void) seq;
    return arg == NULL;
}

static bool
s_not (void *arg, uint64_t seq)
{
    return seq != *(uint64_t *) arg;
}

static void
s_windows (void)
{
    window_t *window = window_new (100);
    promise (window_find (window, 5, s_always, NULL) == 0,
             "an empty window finds nothing");
    bool found = true, gone = true;
    for (uint64_t seq = 1; seq <= 5000; seq++) {
        window_add (window, hash64 (&seq, sizeof seq, 9), seq);
        uint64_t old = seq > 100 ? seq - 99 : 1, older = seq > 300 ? seq - 200 : 0;
        found = found
                && window_find (window, hash64 (&old, sizeof old, 9), s_always, NULL)
                       == old;
        gone = gone
               && (!older
                   || window_find (window, hash64 (&older, sizeof older, 9), s_always,
                                   NULL)
                          == 0);
    }
    promise (found, "the last 100 are always found");
    promise (gone, "what is older than two windows is not");
    uint64_t last = 5002;
    window_add (window, 77, 5001);
    window_add (window, 77, 5002);
    promise (window_find (window, 77, s_not, &last) == 5001,
             "a candidate that is refused does not hide the one behind it");
    window_destroy (&window);

    window = window_new (100);
    window_renew (window, 42, 0, 1);
    for (uint64_t seq = 2; seq <= 4000; seq++)
        window_renew (window, 42, seq - 1, seq);
    promise (window_find (window, 42, s_always, NULL) == 4000,
             "what is renewed is found at its newest seq");
    window_renew (window, 43, 0, UINT64_C (1) << 40);
    promise (window_find (window, 43, s_always, NULL) == UINT64_C (1) << 40
                 && window_find (window, 42, s_always, NULL) == 0,
             "a jump of the seq empties all");
    window_destroy (&window);
}

static void
s_topics (void)
{
    topics_t *topics = topics_new ();
    char text[32];
    bool ok = true;
    for (uint64_t n = 0; n < TOPICS_MAX; n++) {
        snprintf (text, sizeof text, "x.t%" PRIu64 ".north", n);
        uint64_t *place = topics_place (topics, SPAN (text));
        ok = ok && place && *place == 0;
        if (place)
            *place = n + 1;
    }
    for (uint64_t n = 0; n < TOPICS_MAX; n++) {
        snprintf (text, sizeof text, "x.t%" PRIu64 ".north", n);
        ok = ok && topics_seq (topics, SPAN (text)) == n + 1;
    }
    promise (ok, "%d topics are kept", TOPICS_MAX);
    promise (!topics_place (topics, SPAN ("x.one.more"))
                 && topics_place (topics, SPAN ("x.t5.north")),
             "one more is refused, the known ones are not");
    topics_destroy (&topics);
}

int
main (void)
{
    s_sums ();
    s_names ();
    s_heads ();
    s_golden ();
    s_windows ();
    s_topics ();
    return promises_kept ();
}
