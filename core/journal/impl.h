//  journal/impl.h - what the files of this room share; nobody else includes it.

#ifndef PARKBUS_JOURNAL_IMPL_H
#define PARKBUS_JOURNAL_IMPL_H

#include "journal/disk.h"
#include "journal/format.h"
#include "journal/gather.h"
#include "journal/scan.h"
#include "journal/segments.h"
#include "journal/topics.h"
#include "journal/window.h"
#include "journal/writer.h"

#define GATHER_BYTES (64u << 20)
#define GATHER_RECORDS 200000

//  A visit seen lately, so that its next event need not read the disk.
typedef struct {
    uint64_t seq;
    uint8_t lot_size, visit_size;
    char text[86]; //  Lot, then visit
} recent_t;
#define RECENT 8192

struct journal {
    journal_options_t options; //  dir and node are copies
    journal_disk_t disk;
    int lock_fd, event_fd;

    segments_t segments;
    topics_t *topics;
    window_t *ids;    //  By (source, id)
    window_t *visits; //  By (lot, subject)
    recent_t *recent;
    journal_reader_t *reader; //  For looking at candidates

    gather_t *gathering; //  Appended to
    gather_t *in_flight; //  With the writer, or NULL
    gather_t *spare[2];  //  One is enough but while a third's events are being told
    size_t spares;
    writer_t *writer;
    bool group_open; //  The last group of `gathering` takes more records
    bool fresh;      //  The last segment is still to be made by the writer
    bool telling;    //  Inside journal_collect

    uint64_t last_seq;      //  Appended
    uint64_t last_group;    //  Given out
    uint64_t last_position; //  Appended
    uint64_t durable_seq;
    uint64_t durable_group;
    uint32_t durable_number; //  Readers may read up to here
    uint32_t durable_end;

    uint64_t tail_cut;
    char tail_sentence[512];
};

//  recover.c: read what is there, cut a torn tail, make the segment to write in; *start
//  says where to go on.
bool recover (journal_t *self, writer_start_t *start, pb_error_t *error);

//  The head of a segment that begins behind what was appended.
void segment_head_new (journal_t *self, segment_head_t *head, uint32_t number);

//  index.c: take note of an event at its place, recovered or appended. False: too many
//  topics.
typedef struct {
    uint64_t key, visit; //  Hashes
    char topic[EVENT_TOPIC_MAX];
    span_t topic_span;
} event_keys_t;
void event_keys (event_keys_t *keys, const event_t *event);
void index_event (journal_t *self, const event_keys_t *keys,
                  const journal_record_t *record);
//  The event with the same source and id, 0 none. False: *error, cannot tell.
bool index_same (journal_t *self, const event_keys_t *keys, const event_t *event,
                 uint64_t *seq, bool *equal, pb_error_t *error);
//  The newest event of a visit, 0 none. False: *error, cannot tell.
bool index_visit (journal_t *self, uint64_t hash, span_t lot, span_t visit,
                  uint64_t *seq, pb_error_t *error);

#endif
