//  test_journal.c - what a caller of the journal is promised, on a real disk.

#include "events.h"

#include <poll.h>
#include "journal/format.h"

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

//  ------------------------------------------------------------------ appending

static void
s_groups (void)
{
    char *dir = temp_dir ();
    seen_t durable = {0};
    journal_t *journal =
        s_open (dir, (journal_options_t){.durable = s_see, .arg = &durable});
    made_t made;
    journal_place_t place, second, third;
    pb_error_t error;
    journal_event (journal, make_numbered (&made, 0), &place, &error);
    journal_event (journal, make_numbered (&made, 1), &second, &error);
    promise (place.seq == 1 && second.seq == 2 && place.group == second.group
                 && place.group == journal_barrier (journal),
             "events appended together share a group");
    journal_record_t record;
    journal_reader_t *reader = journal_reader_new (journal);
    promise (journal_head (journal) == 0 && journal_last_appended (journal) == 2
                 && journal_read (reader, 2, &record, &error)
                 && is_numbered (&record, 1) && !journal_next (reader, &record, &error)
                 && error.code == PB_E_OK,
             "what is not durable is read by seq, and is not given by next");
    journal_flush (journal);
    journal_event (journal, make_numbered (&made, 2), &third, &error);
    promise (third.group > place.group, "what comes after a flush is in a later group");
    journal_flush (journal); //  The writer may be busy: then nothing happens
    promise (durable.events == 0, "nothing is told before journal_collect");
    while (journal_durable_group (journal) < third.group) {
        struct pollfd wait = {.fd = journal_fd (journal), .events = POLLIN};
        poll (&wait, 1, 10000);
        journal_collect (journal);
        journal_flush (journal);
    }
    promise (durable.events == 3 && !durable.wrong && journal_head (journal) == 3
                 && journal_next (reader, &record, &error) && record.seq == 1,
             "the descriptor becomes readable, and collect tells");
    journal_reader_destroy (&reader);
    journal_close (&journal);
    remove_dir (dir);
}

static void
s_same_again (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (dir, (journal_options_t){0});
    made_t made;
    journal_place_t first, place;
    pb_error_t error = {0};
    journal_event (journal, make_event (&made, "gate", "1", "x.a", NULL, "a"), &first,
                   &error);
    promise (journal_event (journal, make_event (&made, "gate", "1", "x.a", NULL, "a"),
                            &place, &error)
                 && place.duplicate && place.seq == 1 && place.group == first.group,
             "a duplicate of a gathering event waits for that one's group");
    journal_flush (journal);
    promise (!journal_event (journal, make_event (&made, "gate", "1", "x.a", NULL, "b"),
                             &place, &error)
                 && error.code == PB_E_CONFLICT && place.seq == 1 && !place.duplicate
                 && place.group == first.group,
             "a conflict with an event on its way waits as well");
    journal_wait (journal);
    promise (journal_event (journal, make_event (&made, "gate", "1", "x.a", NULL, "a"),
                            &place, &error)
                 && place.duplicate && place.seq == 1 && place.group == 0,
             "a duplicate of a durable event waits for nothing");
    promise (journal_event (journal, make_event (&made, "gate2", "1", "x.a", NULL, "b"),
                            &place, &error)
                 && !place.duplicate && place.seq == 2,
             "the same id from another source is another event");
    journal_close (&journal);
    journal = s_open (dir, (journal_options_t){0});
    promise (journal_event (journal, make_event (&made, "gate", "1", "x.a", NULL, "a"),
                            &place, &error)
                 && place.duplicate && place.seq == 1
                 && !journal_event (journal,
                                    make_event (&made, "gate2", "1", "x.a", NULL, "a"),
                                    &place, &error)
                 && error.code == PB_E_CONFLICT && place.seq == 2
                 && journal_last_appended (journal) == 2,
             "both are known after a restart, and nothing was appended");
    journal_close (&journal);
    remove_dir (dir);
}

static void
s_limits (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (
        dir, (journal_options_t){.segment_bytes = 16 << 20, .gather_bytes = 4096});
    made_t made;
    journal_place_t place;
    pb_error_t error = {0};
    uint64_t n = 0;
    while (n < 1000
           && journal_event (journal, make_numbered (&made, n), &place, &error))
        n++;
    promise (n > 5 && n < 30 && error.code == PB_E_BUSY, "a full gathering says busy");
    promise (journal_wait (journal) && journal_head (journal) == n
                 && journal_event (journal, make_numbered (&made, n), &place, &error),
             "and takes more when it is written");
    size_t size = 8 << 20;
    char *big = calloc (1, size);
    memset (big, 'x', size);
    promise (!journal_note (journal, JOURNAL_RAW, big, size, &error)
                 && error.code == PB_E_BUSY,
             "a large note waits for its turn");
    journal_wait (journal);
    bool ok = journal_note (journal, JOURNAL_RAW, big, size, &error) != 0;
    uint64_t position = journal_last_position (journal);
    journal_record_t record;
    journal_reader_t *reader = journal_reader_new (journal);
    promise (ok && journal_wait (journal)
                 && journal_read_at (reader, position, &record, &error)
                 && record.size == size && memcmp (record.body, big, size) == 0,
             "a note of 8 MiB is written and read");
    journal_wait (journal);
    promise (journal_note (journal, JOURNAL_RAW, big, size, &error)
                 && POSITION_NUMBER (journal_last_position (journal)) == 2
                 && journal_wait (journal),
             "a second one goes to the next segment");
    promise (journal_read (reader, 3, &record, &error) && is_numbered (&record, 2)
                 && append_numbered (journal, n + 1, n + 2, 1)
                 && journal_seek (reader, n, &error)
                 && journal_next (reader, &record, &error) && record.seq == n
                 && journal_next (reader, &record, &error)
                 && journal_next (reader, &record, &error) && record.seq == n + 2,
             "events around them are read");
    promise (!journal_together (journal, 2, size, &error)
                 && error.code == PB_E_BAD_REQUEST,
             "more than a group takes cannot be together");
    journal_reader_destroy (&reader);
    journal_close (&journal);
    remove_dir (dir);

    dir = temp_dir ();
    journal = s_open (dir, (journal_options_t){.segment_bytes = 4096});
    promise (!journal_note (journal, JOURNAL_RAW, big, 4096, &error)
                 && error.code == PB_E_BAD_REQUEST,
             "a record that fits no segment is refused");
    journal_close (&journal);
    free (big);
    remove_dir (dir);
}

//  ------------------------------------------------------------------ chains and indexes

typedef struct {
    unsigned count;
    uint64_t in, out;
} topics_seen_t;

static void
s_topic (void *arg, span_t topic, uint64_t seq)
{
    topics_seen_t *self = arg;
    self->count++;
    if (span_is (topic, "in.recorded.north"))
        self->in = seq;
    if (span_is (topic, "out.recorded.north"))
        self->out = seq;
}

static bool
s_chains_are (journal_t *journal, uint64_t count)
{
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    pb_error_t error;
    bool ok = true;
    for (uint64_t n = 0; ok && n < count; n++) {
        ok = journal_next (reader, &record, &error) && record.seq == n + 1
             && record.prev == (n >= 2 ? n - 1 : 0)
             && record.visit_prev == (n % 4 ? n : 0) && is_numbered (&record, n);
    }
    ok = ok && !journal_next (reader, &record, &error) && error.code == PB_E_OK;
    journal_reader_destroy (&reader);
    topics_seen_t topics = {0};
    journal_topics (journal, s_topic, &topics);
    char visit[32];
    snprintf (visit, sizeof visit, "V%" PRIu64, (count - 1) / 4);
    return ok && topics.count == 2 && topics.in + topics.out == 2 * count - 1
           && journal_topic_seq (journal, SPAN ("in.recorded.north")) == topics.in
           && journal_topic_seq (journal, SPAN ("in.recorded.south")) == 0
           && journal_visit_seq (journal, SPAN ("north"), SPAN (visit)) == count
           && journal_visit_seq (journal, SPAN ("south"), SPAN (visit)) == 0
           && journal_visit_seq (journal, SPAN ("north"), SPAN ("V0")) == 4;
}

static void
s_chains (void)
{
    static const struct {
        const char *promise;
        uint64_t segment_bytes, group;
    } rows[] = {
        {"in one segment",                     1 << 20, 10 },
        {"over many segments",                 4096,    3  },
        {"over many segments, one at a time",  4096,    1  },
        {"over many segments in one go",       4096,    500},
        {"over segments that hold more marks", 65536,   100},
    };
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++) {
        char *dir = temp_dir ();
        journal_options_t options = {.segment_bytes = rows[index].segment_bytes};
        journal_t *journal = s_open (dir, options);
        promise (append_numbered (journal, 0, 298, rows[index].group)
                     && s_chains_are (journal, 298),
                 "prev and visit_prev chains %s", rows[index].promise);
        journal_close (&journal);
        journal = s_open (dir, options);
        promise (s_chains_are (journal, 298)
                     && append_numbered (journal, 298, 603, rows[index].group)
                     && s_chains_are (journal, 603),
                 "and over a restart");
        journal_close (&journal);
        journal_summary_t summary;
        pb_error_t error;
        bool agrees = journal_verify (dir, &summary, &error) && summary.events == 603
                      && summary.first == 1 && summary.head == 603
                      && !summary.tail_bytes && summary.version == 1
                      && summary.first_ms > 0 && summary.last_ms >= summary.first_ms
                      && (summary.segments > 1) == (rows[index].segment_bytes < 100000);
        promise (agrees, "and verify agrees (%" PRIu64 " segments, %" PRIu64 " groups)",
                 summary.segments, summary.groups);
        remove_dir (dir);
    }
}

static void
s_dedupe_window (void)
{
    char *dir = temp_dir ();
    const uint64_t window = 1000, total = 7000;
    journal_options_t options = {.segment_bytes = 65536, .dedupe_events = window};
    journal_t *journal = s_open (dir, options);
    made_t made;
    journal_place_t place;
    pb_error_t error;
    bool fresh = true, known = true;
    for (uint64_t n = 0; n < total; n++) {
        fresh = fresh
                && journal_event (journal, make_numbered (&made, n), &place, &error)
                && !place.duplicate;
        if (n % 64 == 0)
            journal_wait (journal);
        uint64_t old = n >= window ? n - window + 1 : 0;
        known = known
                && journal_event (journal, make_numbered (&made, old), &place, &error)
                && place.duplicate && place.seq == old + 1;
    }
    promise (fresh, "%" PRIu64 " events are each taken once", total);
    promise (known, "the oldest of the last %" PRIu64 " is always known", window);
    journal_wait (journal);
    journal_close (&journal);
    journal = s_open (dir, options);
    known = true;
    for (uint64_t n = total - window; n < total; n++)
        known = known
                && journal_event (journal, make_numbered (&made, n), &place, &error)
                && place.duplicate && place.seq == n + 1;
    promise (known, "and all of them after a restart");
    promise (journal_event (journal, make_numbered (&made, 0), &place, &error)
                 && !place.duplicate && place.seq == total + 1,
             "what is long past is taken again: the window does not grow");
    journal_close (&journal);
    remove_dir (dir);
}

//  These collide in the smallest window: same slot, same tag. Only a look at the record
//  tells them apart.
static void
s_collisions (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (dir, (journal_options_t){.dedupe_events = 16});
    made_t made;
    journal_place_t place;
    pb_error_t error;
    journal_event (journal, make_event (&made, "s", "100890", "x.a", NULL, "1"), &place,
                   &error);
    uint64_t key = event_key_hash (&made.event);
    promise (journal_event (journal,
                            make_event (&made, "s", "1185572", "x.a", NULL, "2"),
                            &place, &error)
                 && !place.duplicate && place.seq == 2
                 && (uint32_t) event_key_hash (&made.event) == (uint32_t) key,
             "another id with the same tag is another event");
    promise (journal_event (journal,
                            make_event (&made, "s", "100890", "x.a", NULL, "1"), &place,
                            &error)
                 && place.duplicate && place.seq == 1
                 && journal_event (journal,
                                   make_event (&made, "s", "1185572", "x.a", NULL, "2"),
                                   &place, &error)
                 && place.duplicate && place.seq == 2,
             "and both are known again");
    journal_event (journal, make_event (&made, "s", "a", "x.a", "1053745", "1"), &place,
                   &error);
    uint64_t visit = event_visit_hash (&made.event);
    journal_event (journal, make_event (&made, "s", "b", "x.a", "1804470", "2"), &place,
                   &error);
    promise ((uint32_t) event_visit_hash (&made.event) == (uint32_t) visit
                 && journal_visit_seq (journal, SPAN ("north"), SPAN ("1053745")) == 3
                 && journal_visit_seq (journal, SPAN ("north"), SPAN ("1804470")) == 4,
             "another visit with the same tag is another visit");
    journal_close (&journal);
    journal = s_open (dir, (journal_options_t){.dedupe_events = 16});
    promise (journal_visit_seq (journal, SPAN ("north"), SPAN ("1053745")) == 3
                 && journal_visit_seq (journal, SPAN ("north"), SPAN ("1804470")) == 4,
             "after a restart too");
    journal_close (&journal);
    remove_dir (dir);
}

//  A visit with very many events does not fill the index for the others.
static void
s_long_visit (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (dir, (journal_options_t){.dedupe_events = 4000});
    made_t made;
    journal_place_t place;
    char id[32];
    bool ok = true;
    for (uint64_t n = 0; ok && n < 6000; n++) {
        snprintf (id, sizeof id, "%" PRIu64, n);
        ok = journal_event (journal, make_event (&made, "s", id, "x.a", "V", "same"),
                            &place, NULL);
        if (n % 100 == 0)
            ok = ok && journal_wait (journal);
    }
    journal_wait (journal);
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    uint64_t seq = journal_visit_seq (journal, SPAN ("north"), SPAN ("V")), steps = 0;
    for (; seq && journal_read (reader, seq, &record, NULL); seq = record.visit_prev)
        steps++;
    promise (ok && steps == 6000, "a visit of 6000 events is one chain (%" PRIu64 ")",
             steps);
    journal_reader_destroy (&reader);
    journal_close (&journal);
    remove_dir (dir);
}

//  ------------------------------------------------------------------ readers

static void
s_readers (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (dir, (journal_options_t){.segment_bytes = 8192});
    journal_record_t record;
    pb_error_t error = {0};
    journal_reader_t *early = journal_reader_new (journal);
    promise (!journal_next (early, &record, &error) && error.code == PB_E_OK,
             "an empty journal has no next event");
    promise (journal_seek (early, 5, &error) && append_numbered (journal, 0, 4, 1)
                 && !journal_next (early, &record, &error) && error.code == PB_E_OK,
             "a reader placed past the head waits");
    promise (append_numbered (journal, 4, 6, 1) && journal_next (early, &record, &error)
                 && record.seq == 5 && journal_next (early, &record, &error)
                 && record.seq == 6 && !journal_next (early, &record, &error),
             "until its event has come");
    append_numbered (journal, 6, 200, 5);
    promise (!journal_read (early, 201, &record, &error)
                 && error.code == PB_E_BAD_REQUEST
                 && !journal_read (early, 0, &record, &error),
             "what never was is not read");
    bool ok = journal_next (early, &record, &error) && record.seq == 7;
    //  Jumps of every length, both ways.
    for (uint64_t step = 1; ok && step < 200; step += 13)
        for (uint64_t k = 0, seq = 1; ok && k < 200; k++) {
            seq = (seq + step * 37 - 1) % 200 + 1;
            ok = journal_read (early, seq, &record, &error) && record.seq == seq
                 && is_numbered (&record, seq - 1);
        }
    promise (ok, "reading at random finds what is there");
    ok = true;
    for (uint64_t seq = 8; ok && seq <= 200; seq++)
        ok = journal_next (early, &record, &error) && record.seq == seq
             && is_numbered (&record, seq - 1)
             && journal_read (early, 201 - seq, &record, &error);
    promise (ok && !journal_next (early, &record, &error) && error.code == PB_E_OK,
             "and does not move the place of next");
    journal_reader_destroy (&early);
    journal_close (&journal);
    remove_dir (dir);
}

//  What rots under a running daemon is said, not handed out.
static void
s_rot (void)
{
    char *dir = temp_dir (), path[512];
    journal_t *journal = s_open (dir, (journal_options_t){.segment_bytes = 8192});
    append_numbered (journal, 0, 100, 5);
    snprintf (path, sizeof path, "%s/0000000001-00000000000000000001.pbj", dir);
    FILE *file = fopen (path, "r+b");
    fseek (file, 64 + 32 + 64 + 20, SEEK_SET);
    fputc ('?', file);
    fclose (file);
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    pb_error_t error;
    promise (!journal_read (reader, 1, &record, &error) && error.code == PB_E_DAMAGED
                 && strstr (error.message, path) && strstr (error.message, "offset 64"),
             "a spoiled event is not handed out: %s", error.message);
    promise (journal_read (reader, 2, &record, &error) && is_numbered (&record, 1),
             "the ones behind it are");
    journal_summary_t summary;
    promise (!journal_verify (dir, &summary, &error)
                 && strstr (error.message, "offset 64"),
             "and verify finds it beside the running journal");
    journal_reader_destroy (&reader);
    journal_close (&journal);
    remove_dir (dir);
}

//  ------------------------------------------------------------------ one daemon

static void
s_locked (void)
{
    char *dir = temp_dir (), path[300];
    snprintf (path, sizeof path, "%s/deeper/still", dir);
    journal_options_t options = {
        .dir = path, .node = "other", .segment_bytes = 8192, .dedupe_events = 100};
    pb_error_t error = {0};
    journal_t *journal = journal_open (&options, &error);
    promise (journal != NULL, "missing directories are made");
    journal_t *second = journal_open (&options, &error);
    promise (!second && error.code == PB_E_STORAGE && strstr (error.message, path)
                 && strstr (error.message, "other"),
             "a second one is refused: %s", error.message);
    journal_close (&journal);
    second = journal_open (&options, &error);
    promise (second != NULL, "and may when the first has ended");
    journal_close (&second);
    remove_dir (path);
    *strrchr (path, '/') = 0;
    remove_dir (path);
    options.dir = "/dev/null/journal";
    promise (!journal_open (&options, &error) && error.code == PB_E_STORAGE
                 && strstr (error.message, "/dev/null/journal"),
             "where none can be made it says so: %s", error.message);
    options.dir = dir;
    options.segment_bytes = 100;
    promise (!journal_open (&options, &error) && error.code == PB_E_CONFIG,
             "segments too small are refused");
    remove_dir (dir);
}

//  journal_verify beside a journal that is being written never sees damage.
static void
s_verify_beside (void)
{
    char *dir = temp_dir ();
    journal_t *journal = s_open (dir, (journal_options_t){.segment_bytes = 65536});
    bool ok = true;
    uint64_t looks = 0, behind = 0;
    for (uint64_t n = 0; ok && n < 3000; n++) {
        made_t made;
        journal_place_t place;
        ok = journal_event (journal, make_numbered (&made, n), &place, NULL);
        journal_flush (journal);
        if (n % 10 == 0) {
            journal_summary_t summary;
            pb_error_t error = {0};
            uint64_t head = journal_head (journal);
            ok = ok && journal_verify (dir, &summary, &error) && summary.head >= head
                 && summary.events == summary.head;
            if (!ok)
                printf ("# %s\n", error.message);
            behind += summary.tail_bytes > 0;
            looks++;
        }
        journal_collect (journal);
    }
    promise (ok && looks == 300,
             "verify beside the writer (%" PRIu64 " half groups seen)", behind);
    journal_close (&journal);
    remove_dir (dir);
}

int
main (void)
{
    s_round_trip ();
    s_groups ();
    s_same_again ();
    s_limits ();
    s_chains ();
    s_dedupe_window ();
    s_collisions ();
    s_long_visit ();
    s_readers ();
    s_rot ();
    s_locked ();
    s_verify_beside ();
    return promises_kept ();
}
