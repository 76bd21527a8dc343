//  journal/segments.h - which segments there are, and where in them an event lies.

#ifndef PARKBUS_JOURNAL_SEGMENTS_H
#define PARKBUS_JOURNAL_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/format.h"

//  An event's place, one for every MARK_BYTES of a segment.
#define MARK_BYTES 8192

typedef struct {
    uint32_t seq; //  Past the segment's first
    uint32_t offset;
} mark_t;

typedef struct {
    segment_head_t head;
    uint32_t end; //  Where the next record goes; appended is not yet durable
    mark_t *marks;
    size_t marks_count, marks_room;
    int64_t newest_ms; //  When its last record was recorded
} segment_t;

typedef struct {
    segment_t *list; //  Oldest first, numbers without gaps
    size_t count, room;
} segments_t;

void segments_free (segments_t *self);
segment_t *segments_add (segments_t *self, const segment_head_t *head);
void segments_drop_first (segments_t *self);
//  NULL: not kept.
const segment_t *segments_by_number (const segments_t *self, uint32_t number);
//  The segment that holds an event.
const segment_t *segments_by_seq (const segments_t *self, uint64_t seq);
static inline segment_t *
segments_last (const segments_t *self)
{
    return self->count ? self->list + self->count - 1 : NULL;
}

//  Note an event's place; call for each, ascending.
void segment_mark (segment_t *self, uint64_t seq, uint32_t offset);
//  Where to begin looking for an event: at it or less than MARK_BYTES before.
uint32_t segment_near (const segment_t *self, uint64_t seq);

#endif
