//  journal/journal.h - everything that happened, on disk, in order, for ever.
//
//  Used by one thread (the main loop); a writer thread of its own does the syncing.
//  Appending puts records into the gathering group; the group is written and synced as
//  soon as the one before it is (group commit without a timer). Format: docs/journal.md.

#ifndef PARKBUS_JOURNAL_JOURNAL_H
#define PARKBUS_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "schema/event.h"

typedef struct journal journal_t;

//  What a record is. EVENT has a seq of its own; the others carry the seq of the event
//  before them. Numbers are on disk: never reuse one.
typedef enum {
    JOURNAL_EVENT = 1,
    JOURNAL_COMMIT = 2,     //  Ends a group
    JOURNAL_SEAL = 3,       //  Ends a segment
    JOURNAL_RAW = 4,        //  Bytes received from a platform, for disputes
    JOURNAL_ONCE = 5,       //  Natural key of a push, and the answer it got
    JOURNAL_PROGRESS = 6,   //  What an instance is still owed
    JOURNAL_ASIDE = 7,      //  A delivery set aside, with its sentence
    JOURNAL_REMEMBER = 8,   //  A plugin's remembered value, encrypted
    JOURNAL_INSTANCE = 9,   //  An instance was enabled for the first time
    JOURNAL_CURSOR = 10,    //  Of a durable subscriber
    JOURNAL_CHECKPOINT = 11 //  What must outlive the segments before it
} journal_kind_t;

//  A record as it lies on disk, seen while recovering or reading.
typedef struct {
    journal_kind_t kind;
    uint64_t seq;
    uint64_t position; //  Of the record: segment number << 32 | offset
    int64_t recorded_ms;
    const char *body; //  Not EVENT
    size_t size;
    event_t event;       //  EVENT only
    uint64_t prev;       //  EVENT: seq of the event before it under its topic; 0 none
    uint64_t visit_prev; //  EVENT: seq of the event before it in its visit; 0 none
} journal_record_t;

//  The few calls the journal makes to the disk, so that a test can take its place.
typedef struct journal_disk {
    int (*open) (void *arg, const char *path, int flags, int mode);
    int (*close) (void *arg, int fd);
    long (*pwrite) (void *arg, int fd, const void *bytes, size_t size, uint64_t offset);
    long (*pread) (void *arg, int fd, void *bytes, size_t size, uint64_t offset);
    int (*fdatasync) (void *arg, int fd);
    int (*sync_dir) (void *arg, const char *path);
    //  Call visit for each name in a directory; -1 with errno when it cannot be read.
    int (*list) (void *arg, const char *path,
                 void (*visit) (void *visit_arg, const char *name), void *visit_arg);
    int (*unlink) (void *arg, const char *path);
    void *arg;
} journal_disk_t;

typedef struct {
    const char *dir; //  Made if absent
    const char *node;
    uint64_t segment_bytes;
    uint64_t dedupe_events;
    const journal_disk_t *disk; //  NULL: the real one
    size_t gather_bytes;        //  Waiting for the disk at most; 0: 64 MiB
    //  Called for each record that was found at opening, oldest first.
    void (*fold) (void *arg, const journal_record_t *record);
    //  Called by journal_collect for each event that became durable, in order.
    void (*durable) (void *arg, const journal_record_t *record);
    void *arg;
} journal_options_t;

//  Open, lock, recover. NULL with *error: PB_E_DAMAGED names segment and offset of damage
//  before the tail and says `parkbus journal verify DIR`; PB_E_STORAGE for the rest (a second
//  daemon, no permission, a newer format). A torn tail is cut and logged; see
//  journal_tail_cut.
journal_t *journal_open (const journal_options_t *options, pb_error_t *error);
//  Writes and syncs what was appended, then closes.
void journal_close (journal_t **self_p);

//  Bytes that recovery cut from a torn tail, and the sentence that says so; 0 is none.
uint64_t journal_tail_cut (const journal_t *self, const char **sentence);

//  ------------------------------------------------------------------ appending

typedef struct {
    uint64_t seq;
    bool duplicate;
    uint64_t group; //  Wait for this one before answering; 0: durable already
} journal_place_t;

//  Append an event to the gathering group; its bytes are copied. An event with the same
//  (source, id) in the dedupe window: place->duplicate and its seq when the content is the
//  same, false with PB_E_CONFLICT (seq in place) when not; nothing is appended then. Also
//  false: PB_E_BUSY (gathering is full), PB_E_STORAGE (accepting has ended).
bool journal_event (journal_t *self, const event_t *event, journal_place_t *place,
                    pb_error_t *error);
//  Append another record; returns its group, 0 with *error. Same group as the events
//  appended before it when nothing was flushed in between.
uint64_t journal_note (journal_t *self, journal_kind_t kind, const void *body,
                       size_t size, pb_error_t *error);

//  Let the records appended next, up to `records` of them with `bytes` of body or JSON in
//  all, end in one group, so that a power cut keeps all of them or none. For an event and
//  what follows from it. False: PB_E_BUSY, or more than a group takes (PB_E_BAD_REQUEST).
bool journal_together (journal_t *self, unsigned records, size_t bytes,
                       pb_error_t *error);

//  The group that has to be durable for all that was appended so far; 0: all is.
uint64_t journal_barrier (const journal_t *self);

//  Give the gathering group to the writer if that is idle. Call once per turn of the loop.
void journal_flush (journal_t *self);
//  Readable when groups have ended.
int journal_fd (const journal_t *self);
//  Take note of ended groups: calls `durable` for their events, in order.
void journal_collect (journal_t *self);
//  Wait until all that was appended is durable (tests, closing). False: storage failed.
bool journal_wait (journal_t *self);

uint64_t journal_durable_group (const journal_t *self); //  All up to it are on disk
//  The sentence of the error that ended accepting; NULL while it is healthy.
const char *journal_failed (const journal_t *self);

//  ------------------------------------------------------------------ reading

uint64_t journal_head (const journal_t *self);  //  Newest durable event; 0: none
uint64_t journal_first (const journal_t *self); //  Oldest event kept; 1 when empty
uint64_t journal_last_appended (const journal_t *self); //  Durable or not

//  Newest seq under a topic, durable or not; 0: none.
uint64_t journal_topic_seq (const journal_t *self, span_t topic);
//  Visit all topics with their newest seq.
void journal_topics (const journal_t *self,
                     void (*visit) (void *arg, span_t topic, uint64_t seq), void *arg);
//  Newest event (durable or not) of a visit; 0: none known (the index holds the visits of
//  the last `dedupe_events` events).
uint64_t journal_visit_seq (const journal_t *self, span_t lot, span_t visit);

//  Reads forward or at a seq. Bytes it hands out live until its next call. Not yet durable
//  events are found too (from memory) by journal_read.
typedef struct journal_reader journal_reader_t;
journal_reader_t *journal_reader_new (journal_t *journal);
void journal_reader_destroy (journal_reader_t **self_p);
//  One event by seq. False: not kept any more, never there, or unreadable (*error).
bool journal_read (journal_reader_t *self, uint64_t seq, journal_record_t *record,
                   pb_error_t *error);
//  Place the reader so that journal_next gives the first durable event with seq >= `seq`.
bool journal_seek (journal_reader_t *self, uint64_t seq, pb_error_t *error);
//  The next durable event; false at the head or with *error (code PB_E_OK at the head).
bool journal_next (journal_reader_t *self, journal_record_t *record, pb_error_t *error);
//  A record of any kind by the position that `fold` or journal_note_position gave.
bool journal_read_at (journal_reader_t *self, uint64_t position,
                      journal_record_t *record, pb_error_t *error);
//  Position of the record that the last successful journal_note (or journal_event) made.
//  Readable once its group is durable.
uint64_t journal_last_position (const journal_t *self);

//  ------------------------------------------------------------------ without a daemon

typedef struct {
    uint64_t segments, bytes, records, events, first, head, groups;
    uint64_t tail_bytes;       //  A torn tail that opening would cut
    int64_t first_ms, last_ms; //  When recorded
    uint32_t version;
} journal_summary_t;

//  Read-only look over a directory, also while a daemon runs. False: *error says where the
//  damage is. For `parkbus journal info|verify`.
bool journal_verify (const char *dir, journal_summary_t *summary, pb_error_t *error);

#endif
