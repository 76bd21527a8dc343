//  test_journal.c - what a caller of the journal is promised, on a real disk.

#include "events.h"

#include <poll.h>

static journal_t *
s_open (const char *dir, journal_options_t options)
{
    pb_error_t error = {0};
    options.dir = dir;
    options.node = "test";
    if (!options.segment_bytes)
        options.segment_bytes = 1 << 20;
    if (!options.dedupe_events)
        options.dedupe_events = 10000;
    journal_t *journal = journal_open (&options, &error);
    if (!journal)
        printf ("# %s\n", error.message);
    return journal;
}

//  ------------------------------------------------------------------ round trip

typedef struct {
    uint64_t events, notes, next;
    bool wrong;
    char note[64];
} seen_t;

static void
s_see (void *arg, const journal_record_t *record)
{
    seen_t *self = arg;
    if (record->kind != JOURNAL_EVENT) {
        self->notes++;
        snprintf (self->note, sizeof self->note, "%d %.*s", record->kind,
                  (int) record->size, record->body);
        return;
    }
    self->wrong |= record->seq != self->next + 1 || !is_numbered (record, self->next);
    self->next++;
    self->events++;
}

static void
s_round_trip (void)
{
    char *dir = temp_dir ();
    seen_t durable = {0}, folded = {0}, later = {0};
    journal_t *journal = s_open (
        dir, (journal_options_t){.fold = s_see, .durable = s_see, .arg = &durable});
    promise (journal && journal_first (journal) == 1 && journal_head (journal) == 0,
             "an empty directory is a fresh journal");
    promise (append_numbered (journal, 0, 100, 7), "100 events in groups of 7");
    promise (durable.events == 100 && !durable.wrong,
             "durable is called for each, in order");
    pb_error_t error = {0};
    uint64_t group = journal_note (journal, JOURNAL_RAW, "raw bytes", 9, &error);
    uint64_t position = journal_last_position (journal);
    promise (group == journal_barrier (journal) && journal_wait (journal)
                 && journal_barrier (journal) == 0
                 && journal_durable_group (journal) >= group,
             "a note's group becomes durable");
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    promise (journal_read_at (reader, position, &record, &error)
                 && record.kind == JOURNAL_RAW && record.size == 9
                 && memcmp (record.body, "raw bytes", 9) == 0 && record.seq == 100,
             "a note is read by its position");
    bool ok = true;
    for (uint64_t seq = 100; seq; seq--)
        ok = ok && journal_read (reader, seq, &record, &error)
             && is_numbered (&record, seq - 1) && record.seq == seq;
    promise (ok, "each event is read by its seq");
    journal_reader_destroy (&reader);
    journal_close (&journal);

    journal = s_open (
        dir, (journal_options_t){.fold = s_see, .durable = s_see, .arg = &folded});
    promise (journal && folded.events == 100 && folded.notes == 1 && !folded.wrong
                 && strcmp (folded.note, "4 raw bytes") == 0,
             "all records are folded at opening");
    promise (journal_head (journal) == 100 && journal_tail_cut (journal, NULL) == 0,
             "the head is where it was");
    promise (append_numbered (journal, 100, 120, 3), "it goes on");
    journal_close (&journal);
    journal = s_open (dir, (journal_options_t){.fold = s_see, .arg = &later});
    promise (journal && later.events == 120 && !later.wrong, "and on");
    journal_close (&journal);
    remove_dir (dir);
}

int
main (void)
{
    s_round_trip ();
    return promises_kept ();
}
