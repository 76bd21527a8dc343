//  bench_journal.c - how fast the journal appends, recovers and looks up, beside the bare
//  disk in the same run, and how much memory it takes.
//
//  bench_journal [EVENTS [DEDUPE_EVENTS [DIR]]]

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "journal/journal.h"

#define SEGMENT (64u << 20)

static char dir[512];
static uint64_t dedupe = 2000000;
static uint64_t told, folded;

static double
s_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

//  VmRSS in KiB.
static long
s_rss (void)
{
    FILE *status = fopen ("/proc/self/status", "r");
    char line[256];
    long rss = 0;
    while (status && fgets (line, sizeof line, status))
        if (strncmp (line, "VmRSS:", 6) == 0)
            rss = strtol (line + 6, NULL, 10);
    if (status)
        fclose (status);
    return rss;
}

static void
s_die (const char *what)
{
    perror (what);
    exit (1);
}

//  ------------------------------------------------------------------ events

//  512 bytes as a gate sends them; a visit has four events.
static void
s_make (event_t *event, char json[600], uint64_t n)
{
    int size =
        snprintf (json, 600,
                  "{\"specversion\":\"1.0\",\"id\":\"%020" PRIu64
                  "\",\"source\":\"gate/in-1\",\"type\":\"%s\",\"subject\":"
                  "\"V%015" PRIu64 "\",\"lot\":\"north\",\"lane\":\"in-1\",\"time\":"
                  "\"2026-11-21T08:00:00.123+08:00\",\"data\":{\"plate\":\"",
                  n, n % 4 ? "out.recorded" : "in.recorded", n / 4);
    int data = size - 10;
    memset (json + size, 'A', 512 - 3 - (size_t) size);
    memcpy (json + 509, "\"}}", 4);
    const char *id = strstr (json, "\"id\":\"") + 6;
    const char *source = strstr (json, "\"source\":\"") + 10;
    const char *type = strstr (source, "\"type\":\"") + 8;
    const char *subject = strstr (type, "\"subject\":\"") + 11;
    const char *lot = strstr (subject, "\"lot\":\"") + 7;
    *event = (event_t){
        .json = json,
        .size = 512,
        .id = {id,          20                },
        .source = {source,      9                 },
        .type = {type,        n % 4 ? 12 : 11   },
        .subject = {subject,     16                },
        .lot = {lot,         5                 },
        .lane = {strstr (lot, "\"lane\":\"") + 8, 4},
        .data = {json + data,           512 - 1 - (size_t) data                  },
        .time_ms = 1795000000123,
        .content_hash = n
    };
}

static void
s_tell (void *arg, const journal_record_t *record)
{
    (void) arg;
    told += record->event.size > 0;
}

static void
s_fold (void *arg, const journal_record_t *record)
{
    (void) arg;
    folded += record->kind == JOURNAL_EVENT;
}

static journal_t *
s_open (void)
{
    pb_error_t error;
    journal_options_t options = {.dir = dir,
                                 .node = "bench",
                                 .segment_bytes = SEGMENT,
                                 .dedupe_events = dedupe,
                                 .fold = s_fold,
                                 .durable = s_tell};
    journal_t *journal = journal_open (&options, &error);
    if (journal)
        return journal;
    fprintf (stderr, "%s\n", error.message);
    exit (1);
}

//  ------------------------------------------------------------------ appending

static uint64_t next_event;

static void
s_turn (journal_t *journal, int wait)
{
    struct pollfd fd = {.fd = journal_fd (journal), .events = POLLIN};
    journal_flush (journal);
    if (poll (&fd, 1, wait) > 0)
        journal_collect (journal);
}

//  `count` events, at most `window` of them not yet durable; events a second.
static double
s_append (journal_t *journal, uint64_t count, uint64_t window)
{
    char json[600];
    event_t event;
    journal_place_t place;
    pb_error_t error;
    double start = s_now ();
    for (uint64_t done = 0; done < count; done++) {
        while (journal_last_appended (journal) - journal_head (journal) >= window)
            s_turn (journal, -1);
        s_make (&event, json, next_event++);
        if (!journal_event (journal, &event, &place, &error)) {
            fprintf (stderr, "%s\n", error.message);
            exit (1);
        }
        //  A turn of the loop has at most 256 messages.
        if (done % 256 == 255)
            s_turn (journal, 0);
    }
    journal_wait (journal);
    return (double) count / (s_now () - start);
}

//  The bare disk: groups of the same bytes, into blocks written before or growing.
static double
s_raw (uint64_t count, uint64_t group, bool zeroed)
{
    char path[600];
    snprintf (path, sizeof path, "%s/raw", dir);
    int fd = open (path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t size = (size_t) group * 608 + 48, at = 0;
    char *bytes = xcalloc (1, size);
    for (uint64_t done = 0; zeroed && done < count; done += group, at += size)
        if (pwrite (fd, bytes, size, (off_t) at) < 0)
            s_die (path);
    if (fsync (fd) != 0)
        s_die (path);
    memset (bytes, 'x', size);
    double start = s_now ();
    at = 0;
    for (uint64_t done = 0; done < count; done += group, at += size)
        if (pwrite (fd, bytes, size, (off_t) at) < 0 || fdatasync (fd) != 0)
            s_die (path);
    double rate = (double) count / (s_now () - start);
    free (bytes);
    close (fd);
    unlink (path);
    return rate;
}

static void
s_appending (journal_t *journal)
{
    static const struct {
        uint64_t window, count;
    } rows[] = {
        {1,     2000  },
        {10,    20000 },
        {100,   100000},
        {1000,  400000},
        {10000, 500000}
    };
    printf ("%8s %12s %12s %12s %8s\n", "window", "journal/s", "growing/s", "zeroed/s",
            "ratio");
    for (size_t index = 0; index < ARRAY_SIZE (rows); index++) {
        double growing = s_raw (rows[index].count, rows[index].window, false);
        double zeroed = s_raw (rows[index].count, rows[index].window, true);
        double rate = s_append (journal, rows[index].count, rows[index].window);
        printf ("%8" PRIu64 " %12.0f %12.0f %12.0f %8.2f\n", rows[index].window, rate,
                growing, zeroed, rate / zeroed);
    }
}

//  ------------------------------------------------------------------ looking up

static void
s_reading (journal_t *journal)
{
    journal_reader_t *reader = journal_reader_new (journal);
    journal_record_t record;
    pb_error_t error;
    uint64_t head = journal_head (journal), count = 0;
    double start = s_now ();
    while (journal_next (reader, &record, &error))
        count++;
    double took = s_now () - start;
    printf ("read in order     %12.0f events/s\n", (double) count / took);
    start = s_now ();
    for (uint64_t k = 0; k < 100000; k++)
        if (!journal_read (reader, k * 7919 % head + 1, &record, &error))
            exit (1);
    printf ("read at random    %12.0f events/s\n", 1e5 / (s_now () - start));
    journal_reader_destroy (&reader);
    char json[600];
    event_t event;
    journal_place_t place;
    start = s_now ();
    for (uint64_t k = 0; k < 100000; k++) {
        s_make (&event, json,
                next_event - 1 - k * 7919 % (head < dedupe ? head : dedupe));
        if (!journal_event (journal, &event, &place, &error) || !place.duplicate)
            exit (1);
    }
    printf ("duplicates        %12.0f events/s\n", 1e5 / (s_now () - start));
}

static void
s_remove (void)
{
    char command[600];
    snprintf (command, sizeof command, "rm -rf '%s'", dir);
    if (system (command) != 0)
        s_die (dir);
}

int
main (int argc, char **argv)
{
    uint64_t events = argc > 1 ? strtoull (argv[1], NULL, 10) : 2000000;
    dedupe = argc > 2 ? strtoull (argv[2], NULL, 10) : dedupe;
    snprintf (dir, sizeof dir, "%s/bench-journal-XXXXXX", argc > 3 ? argv[3] : ".");
    if (!mkdtemp (dir))
        s_die (dir);
    long before = s_rss ();
    journal_t *journal = s_open ();
    printf ("memory, empty     %12ld KiB\n", s_rss () - before);
    s_appending (journal);
    uint64_t there = journal_head (journal);
    if (there < events)
        printf ("append, %8" PRIu64 " more, window 1000: %.0f/s\n", events - there,
                s_append (journal, events - there, 1000));
    s_reading (journal);
    printf ("memory, %9" PRIu64 " events, running %8ld KiB\n", journal_head (journal),
            s_rss () - before);
    journal_close (&journal);
    double start = s_now ();
    folded = 0;
    journal = s_open ();
    double took = s_now () - start;
    printf ("recovery          %12.3f s, %" PRIu64 " events, %.0f/s\n", took, folded,
            (double) folded / took);
    printf ("memory, recovered %12ld KiB\n", s_rss () - before);
    journal_close (&journal);
    s_remove ();
    return 0;
}
