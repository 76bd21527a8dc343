//  fuzz_journal.c - arbitrary bytes as a journal: nothing crashes, verify and opening
//  agree, and what opening left is opened again the same.
//
//  Input: one byte of how, two of where the first segment ends, then the segments' bytes.

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "core/journal/memdisk.h"
#include "journal/format.h"
#include "journal/verify.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { HOW_SUMS = 1, HOW_TWO = 2, HOW_FIRST_SUMS = 4 };

#define SIZE_MAX_ (256u << 10)

static char s_dir[64];

static void
s_remove_dir (void)
{
    char path[80];
    snprintf (path, sizeof path, "%s/lock", s_dir);
    unlink (path);
    rmdir (s_dir);
}

static void
s_check (bool kept, const char *text)
{
    if (kept)
        return;
    fprintf (stderr, "broken: %s\n", text);
    abort ();
}

//  Make heads and checksums right, so that what lies behind them is reached. `records`:
//  how many.
static void
s_mend (uint8_t *bytes, size_t size, uint32_t number, unsigned records)
{
    segment_head_t segment = {.number = number, .first_seq = 1, .capacity = 8192};
    if (size < SEGMENT_HEAD)
        return;
    memcpy (&segment.salt, bytes + 48, sizeof segment.salt);
    memcpy (&segment.first_seq, bytes + 24, 1);
    segment.capacity += (uint64_t) bytes[40] << 8;
    segment_head_put (bytes, &segment);
    record_head_t head;
    for (size_t at = SEGMENT_HEAD; at + RECORD_HEAD <= size && records--;) {
        if (!record_head_get (bytes + at, &head) || at + record_span (head.size) > size)
            return;
        record_sum_put (bytes + at, segment.salt, at);
        at += (size_t) record_span (head.size);
    }
}

static void
s_put_segment (memdisk_t *disk, const uint8_t *data, size_t size, uint8_t how,
               uint32_t number, uint64_t first_seq)
{
    char name[48];
    uint8_t *bytes = malloc (size + 1);
    if (!bytes)
        return;
    memcpy (bytes, data, size);
    if (how & HOW_SUMS)
        s_mend (bytes, size, number, how & HOW_FIRST_SUMS ? how >> 4 : UINT32_MAX);
    if (size >= SEGMENT_HEAD && number > 1)
        memcpy (&first_seq, bytes + 24, sizeof first_seq);
    snprintf (name, sizeof name, "%010" PRIu32 "-%020" PRIu64 ".pbj", number,
              first_seq ? first_seq : 1);
    memdisk_set (disk, name, bytes, size);
    free (bytes);
}

typedef struct {
    uint64_t events, notes, sum;
} found_t;

static void
s_fold (void *arg, const journal_record_t *record)
{
    found_t *self = arg;
    if (record->kind == JOURNAL_EVENT) {
        const event_t *event = &record->event;
        self->events++;
        self->sum += hash64 (event->json, event->size, record->seq)
                     + hash64 (event->id.p, event->id.n, event->lane.n) + event->data.n
                     + record->prev + record->visit_prev;
    } else {
        self->notes++;
        self->sum += hash64 (record->body, record->size, record->seq);
    }
}

static journal_t *
s_open (memdisk_t *disk, found_t *found, pb_error_t *error)
{
    *found = (found_t){0};
    journal_options_t options = {.dir = s_dir,
                                 .segment_bytes = 8192,
                                 .dedupe_events = 100,
                                 .gather_bytes = 65536,
                                 .disk = memdisk_calls (disk),
                                 .fold = s_fold,
                                 .arg = found};
    return journal_open (&options, error);
}

static void
s_read_all (journal_t *journal, uint64_t events)
{
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    pb_error_t error;
    uint64_t count = 0;
    while (journal_next (reader, &record, &error))
        count++;
    if (error.code != PB_E_OK)
        fprintf (stderr, "after %" PRIu64 " of %" PRIu64 ": %s\n", count, events,
                 error.message);
    s_check (error.code == PB_E_OK && count == events, "next gives what was folded");
    uint64_t seq = journal_head (journal);
    for (unsigned steps = 0; seq >= journal_first (journal) && seq && steps < 50;
         steps++) {
        s_check (journal_read (reader, seq, &record, &error), "read by seq");
        seq -= 1 + steps % 3 < seq ? 1 + steps % 3 : seq;
    }
    for (unsigned at = 0; at < 300; at += 8)
        (void) journal_read_at (reader, POSITION (1, at), &record, &error);
    journal_reader_destroy (&reader);
}

static bool
s_append (journal_t *journal)
{
    static const char json[] = "{\"id\":\"new\",\"source\":\"fuzz\",\"type\":\"x.y\","
                               "\"subject\":\"V1\",\"lot\":\"a\",\"data\":{}}";
    event_t event = {
        .json = json,
        .size = sizeof json - 1,
        .id = {json + 7,  3},
        .source = {json + 22, 4},
        .type = {json + 36, 3},
        .subject = {json + 52, 2},
        .lot = {json + 63, 1},
        .data = {json + 73, 2},
        .content_hash = 77
    };
    journal_place_t place;
    pb_error_t error;
    bool added = journal_event (journal, &event, &place, &error) && !place.duplicate;
    s_check (journal_wait (journal), "appending to what was recovered");
    return added;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (!s_dir[0]) {
        snprintf (s_dir, sizeof s_dir, "/tmp/fuzz-journal-XXXXXX");
        if (!mkdtemp (s_dir))
            abort ();
        atexit (s_remove_dir);
        log_setup ((log_level_t) (LOG_ERROR_ - 1), LOG_TEXT);
    }
    if (size < 3 || size > SIZE_MAX_)
        return 0;
    uint8_t how = data[0];
    size_t first = size - 3, cut = (size_t) data[1] << 8 | data[2];
    memdisk_t *disk = memdisk_new ();
    if (how & HOW_TWO && cut < first)
        first = cut;
    s_put_segment (disk, data + 3, first, how, 1, 1);
    if (how & HOW_TWO)
        s_put_segment (disk, data + 3 + first, size - 3 - first, how, 2, 1);

    journal_summary_t summary;
    pb_error_t looked, error;
    found_t found, again;
    bool verified = verify_on (memdisk_calls (disk), s_dir, &summary, &looked);
    journal_t *journal = s_open (disk, &found, &error);
    s_check (verified == (journal != NULL), "verify and opening agree");
    if (journal) {
        s_check (found.events == summary.events
                     && journal_tail_cut (journal, NULL) == summary.tail_bytes,
                 "they count the same");
        s_read_all (journal, found.events);
        bool added = s_append (journal);
        s_read_all (journal, found.events + added);
        journal_close (&journal);
        journal = s_open (disk, &again, &error);
        s_check (journal && again.events == found.events + added
                     && again.notes == found.notes && !journal_tail_cut (journal, NULL),
                 "what was left opens the same again");
        journal_close (&journal);
    } else
        s_check (looked.code == error.code && error.message[0], "the reason is said");
    memdisk_destroy (&disk);
    return 0;
}
