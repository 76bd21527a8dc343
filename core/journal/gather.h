//  journal/gather.h - records in memory on their way to the disk, cut into groups.

#ifndef PARKBUS_JOURNAL_GATHER_H
#define PARKBUS_JOURNAL_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/format.h"

//  What is written and synced at once: records, their COMMIT, and a SEAL when the segment
//  ends with it.
typedef struct {
    uint64_t id;
    size_t from, to;        //  In the gather's bytes
    uint32_t offset;        //  In the segment
    uint32_t records;       //  COMMIT and SEAL not counted
    uint64_t last_seq;      //  Newest event in it or before it
    bool fresh;             //  First of its segment, which is still to be made
    segment_head_t segment; //  Where it goes
} group_t;

typedef struct {
    uint8_t *bytes; //  Reserved once; pages come as they are touched
    size_t used, room;
    group_t *groups; //  The last one may be open
    size_t groups_count, groups_room;
    uint32_t *events; //  Offset in bytes of each event
    size_t events_count, events_room;
    uint64_t first_seq; //  Of events[0]
    size_t records;
    size_t delivered; //  Events told durable
} gather_t;

gather_t *gather_new (size_t room);
void gather_destroy (gather_t **self_p);
//  Empty it; memory beyond a little goes back to the system.
void gather_reset (gather_t *self);

group_t *gather_group (gather_t *self, const group_t *like);
static inline group_t *
gather_last (const gather_t *self)
{
    return self->groups_count ? self->groups + self->groups_count - 1 : NULL;
}

//  Put a record's head at the end and return where its payload goes (zeroed padding
//  follows it).
uint8_t *gather_record (gather_t *self, const record_head_t *head);
//  Bytes of an event's record by seq; NULL: not in here. Its position too.
const uint8_t *gather_event (const gather_t *self, uint64_t seq, uint64_t *position);
//  Bytes of the record at a position; NULL: not in here.
const uint8_t *gather_at (const gather_t *self, uint64_t position);
//  The group that holds an event.
const group_t *gather_group_of (const gather_t *self, uint64_t seq);

#endif
