//  test_power.c - the power goes, or the disk fails, at every change the journal makes to
//  it: what was acknowledged is there, nothing is invented, and the journal goes on.

#include "events.h"

#include "base/log.h"
#include "memdisk.h"

//  Small segments, so that making one is among the changes.
#define SEGMENT 4096
enum { EVENTS = 40, MORE = 10, SEEDS = 6 };

typedef struct {
    uint64_t events, bundles; //  Found
    bool wrong;
    uint64_t open_bundle; //  Event of a bundle whose note has not come yet
} found_t;

//  After every fifth event comes a note in the same group.
static void
s_see (void *arg, const journal_record_t *record)
{
    found_t *self = arg;
    if (record->kind == JOURNAL_EVENT) {
        self->wrong |= record->seq != self->events + 1
                       || !is_numbered (record, self->events) || self->open_bundle;
        self->events++;
        self->open_bundle = self->events % 5 == 0 ? self->events : 0;
        return;
    }
    char want[32];
    snprintf (want, sizeof want, "after %" PRIu64, self->events);
    self->wrong |= record->kind != JOURNAL_INSTANCE || self->open_bundle != self->events
                   || record->size != strlen (want)
                   || memcmp (record->body, want, record->size) != 0;
    self->open_bundle = 0;
    self->bundles++;
}

static journal_t *
s_open (const char *dir, memdisk_t *disk, found_t *found)
{
    *found = (found_t){0};
    pb_error_t error;
    journal_options_t options = {.dir = dir,
                                 .segment_bytes = SEGMENT,
                                 .dedupe_events = 1000,
                                 .gather_bytes = 1 << 20,
                                 .disk = memdisk_calls (disk),
                                 .fold = s_see,
                                 .arg = found};
    return journal_open (&options, &error);
}

//  Append events [from, to) in groups of changing size; the number that is acknowledged.
static uint64_t
s_work (journal_t *journal, uint64_t from, uint64_t to)
{
    uint64_t acknowledged = from;
    for (uint64_t n = from; n < to; n++) {
        made_t made;
        journal_place_t place;
        char note[32];
        bool bundle = (n + 1) % 5 == 0;
        if (bundle && !journal_together (journal, 2, 400, NULL))
            break;
        if (!journal_event (journal, make_numbered (&made, n), &place, NULL))
            break;
        snprintf (note, sizeof note, "after %" PRIu64, n + 1);
        if (bundle
            && !journal_note (journal, JOURNAL_INSTANCE, note, strlen (note), NULL))
            break;
        if (n % 7 == 2 || n % 3 == 0 || n + 1 == to) {
            if (!journal_wait (journal))
                break;
            acknowledged = n + 1;
        }
    }
    //  What was durable though nobody waited for it was acknowledged as well.
    return journal_head (journal) > acknowledged ? journal_head (journal)
                                                 : acknowledged;
}

//  Does the reader give just the events [0, count)?
static bool
s_reads (journal_t *journal, uint64_t count)
{
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    pb_error_t error;
    uint64_t n = 0;
    while (journal_next (reader, &record, &error) && is_numbered (&record, n))
        n++;
    journal_reader_destroy (&reader);
    return n == count && error.code == PB_E_OK;
}

typedef struct {
    const char *promise;
    fault_t fault;
    power_t after;
    bool power; //  Goes after the fault
} row_t;

static const row_t rows[] = {
    {"power cut, unsynced writes are forgotten",       FAULT_DEATH,  POWER_FORGET,  true },
    {"power cut, the last write is torn",              FAULT_DEATH,  POWER_PREFIX,  true },
    {"power cut, sectors are written as they like",    FAULT_DEATH,  POWER_SECTORS, true },
    {"kill -9, then started again",                    FAULT_DEATH,  POWER_FORGET,  false},
    {"disk full, then started again",                  FAULT_ENOSPC, POWER_FORGET,  false},
    {"disk full, then a power cut",                    FAULT_ENOSPC, POWER_SECTORS, true },
    {"a write fails, then started again",              FAULT_EIO,    POWER_FORGET,  false},
    {"a write fails, then a power cut",                FAULT_EIO,    POWER_SECTORS, true },
    {"a sync fails, then started again",               FAULT_SYNC,   POWER_FORGET,  false},
    {"a sync fails, then a power cut that forgets",    FAULT_SYNC,   POWER_FORGET,  true },
    {"a sync fails, then a power cut that half keeps", FAULT_SYNC,   POWER_SECTORS, true },
};

//  One run with the fault at change `at`. False: broken. *reached: the fault came.
static bool
s_run (const row_t *row, const char *dir, uint64_t at, uint64_t seed, bool *reached)
{
    memdisk_t *disk = memdisk_new ();
    found_t found;
    uint64_t acknowledged = 0, appended = 0;
    memdisk_fault (disk, row->fault, at);
    journal_t *journal = s_open (dir, disk, &found);
    if (journal) {
        acknowledged = s_work (journal, 0, EVENTS);
        appended = journal_last_appended (journal);
        bool failed = journal_failed (journal) != NULL;
        made_t made;
        journal_place_t place;
        pb_error_t error = {0};
        //  Accepting has ended for good.
        bool refused =
            !journal_event (journal, make_numbered (&made, appended), &place, &error)
            && error.code == PB_E_STORAGE;
        if (failed != refused || (!failed && acknowledged != EVENTS)) {
            printf ("# failed %d, refused %d, %" PRIu64 "\n", failed, refused,
                    acknowledged);
            acknowledged = UINT64_MAX;
        }
        appended = journal_last_appended (journal);
        journal_close (&journal);
    }
    *reached = memdisk_changes (disk) >= at;
    memdisk_fault (disk, FAULT_NONE, 0);
    if (row->power)
        memdisk_power_on (disk, row->after, seed);
    //  And again while it is being opened.
    memdisk_fault (disk, FAULT_DEATH, 1 + seed % 7);
    journal = s_open (dir, disk, &found);
    journal_close (&journal);
    memdisk_fault (disk, FAULT_NONE, 0);
    if (row->power)
        memdisk_power_on (disk, row->after, seed / 7);
    journal = s_open (dir, disk, &found);
    bool sound = journal && !found.wrong && found.events >= acknowledged
                 && found.events <= appended && !found.open_bundle
                 && s_reads (journal, found.events);
    if (!sound)
        printf ("# at %" PRIu64 " seed %" PRIu64 ": opened %d, wrong %d, %" PRIu64
                " acknowledged, %" PRIu64 " found of %" PRIu64 "\n",
                at, seed, journal != NULL, found.wrong, acknowledged, found.events,
                appended);
    //  What was found counts as durable: it survives a power cut at once.
    uint64_t next = found.events;
    journal_close (&journal);
    memdisk_power_on (disk, POWER_FORGET, seed);
    journal = s_open (dir, disk, &found);
    if (sound && !(journal && !found.wrong && found.events == next)) {
        printf ("# at %" PRIu64 " seed %" PRIu64 ": %" PRIu64 " found, then %" PRIu64
                "\n",
                at, seed, next, found.events);
        sound = false;
    }
    //  It goes on from there.
    sound = sound && journal && s_work (journal, next, next + MORE) == next + MORE;
    journal_close (&journal);
    journal = s_open (dir, disk, &found);
    sound = sound && journal && !found.wrong && found.events == next + MORE
            && s_reads (journal, found.events);
    journal_close (&journal);
    memdisk_destroy (&disk);
    return sound;
}

static void
s_row (const row_t *row, const char *dir)
{
    uint64_t at = 0, broken = 0;
    for (bool reached = true; reached && broken < 3;) {
        at++;
        uint64_t seeds = row->after == POWER_FORGET ? 1 : SEEDS;
        for (uint64_t seed = 1; seed <= seeds; seed++)
            broken += !s_run (row, dir, at, seed * 977 + at, &reached);
    }
    promise (!broken && at > 50, "%s: at each of %" PRIu64 " changes", row->promise,
             at);
}

static void
s_short_writes (const char *dir)
{
    memdisk_t *disk = memdisk_new ();
    found_t found;
    memdisk_fault (disk, FAULT_SHORT, 1);
    journal_t *journal = s_open (dir, disk, &found);
    promise (journal && s_work (journal, 0, EVENTS) == EVENTS,
             "short writes are gone on with");
    journal_close (&journal);
    journal = s_open (dir, disk, &found);
    promise (journal && found.events == EVENTS && !found.wrong && !found.open_bundle,
             "and all is there");
    journal_close (&journal);
    memdisk_destroy (&disk);
}

//  Zeros written ahead of large records, and the power goes at every change.
typedef struct {
    uint64_t notes;
    bool wrong;
} large_t;

static char s_large[150000];

static void
s_see_large (void *arg, const journal_record_t *record)
{
    large_t *self = arg;
    self->notes++;
    self->wrong |= record->kind != JOURNAL_RAW || record->size != sizeof s_large
                   || memcmp (record->body, s_large, record->size) != 0;
}

static bool
s_large_run (const char *dir, uint64_t at, power_t mode, bool *reached)
{
    large_t found = {0};
    uint64_t acknowledged = 0;
    memdisk_t *disk = memdisk_new ();
    journal_options_t options = {.dir = dir,
                                 .segment_bytes = 3 << 20,
                                 .dedupe_events = 1000,
                                 .gather_bytes = 1 << 20,
                                 .disk = memdisk_calls (disk),
                                 .fold = s_see_large,
                                 .arg = &found};
    memdisk_fault (disk, FAULT_DEATH, at);
    journal_t *journal = journal_open (&options, NULL);
    while (journal && acknowledged < 9
           && journal_note (journal, JOURNAL_RAW, s_large, sizeof s_large, NULL)
           && journal_wait (journal))
        acknowledged++;
    journal_close (&journal);
    *reached = memdisk_changes (disk) >= at;
    memdisk_power_on (disk, mode, at);
    journal = journal_open (&options, NULL);
    bool sound = journal && !found.wrong && found.notes >= acknowledged
                 && found.notes <= acknowledged + 1;
    journal_close (&journal);
    memdisk_destroy (&disk);
    return sound;
}

static void
s_zeros_ahead (const char *dir)
{
    memset (s_large, 'x', sizeof s_large);
    for (power_t mode = POWER_FORGET; mode < POWER_MODES; mode++) {
        uint64_t at = 0;
        bool sound = true;
        for (bool reached = true; sound && reached;)
            sound = s_large_run (dir, ++at, mode, &reached);
        promise (sound && at > 25, "with zeros ahead: at each of %" PRIu64 " changes",
                 at);
    }
}

int
main (void)
{
    log_setup ((log_level_t) (LOG_ERROR_ - 1), LOG_TEXT);
    char *dir = temp_dir ();
    s_short_writes (dir);
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++)
        s_row (rows + index, dir);
    s_zeros_ahead (dir);
    remove_dir (dir);
    return promises_kept ();
}
