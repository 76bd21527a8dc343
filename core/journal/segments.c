//  segments.c - which segments there are, and where in them an event lies.

#include "journal/segments.h"

#include <stdlib.h>
#include <string.h>

void
segments_free (segments_t *self)
{
    for (size_t index = 0; index < self->count; index++)
        free (self->list[index].marks);
    free (self->list);
    *self = (segments_t){0};
}

segment_t *
segments_add (segments_t *self, const segment_head_t *head)
{
    //  The one before is complete: its marks take what they need.
    segment_t *last = segments_last (self);
    if (last && last->marks_count && last->marks_count < last->marks_room) {
        last->marks_room = last->marks_count;
        last->marks = xrealloc (last->marks, last->marks_room * sizeof *last->marks);
    }
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->list = xrealloc (self->list, self->room * sizeof *self->list);
    }
    segment_t *segment = self->list + self->count++;
    *segment = (segment_t){.head = *head, .end = SEGMENT_HEAD};
    return segment;
}

void
segments_drop_first (segments_t *self)
{
    free (self->list[0].marks);
    self->count--;
    memmove (self->list, self->list + 1, self->count * sizeof *self->list);
}

const segment_t *
segments_by_number (const segments_t *self, uint32_t number)
{
    if (!self->count || number < self->list[0].head.number
        || number - self->list[0].head.number >= self->count)
        return NULL;
    return self->list + (number - self->list[0].head.number);
}

const segment_t *
segments_by_seq (const segments_t *self, uint64_t seq)
{
    //  The last segment that begins at or before it: one without events begins at the
    //  same seq as the next.
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->list[middle].head.first_seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? self->list + low - 1 : NULL;
}

void
segment_mark (segment_t *self, uint64_t seq, uint32_t offset)
{
    if (self->marks_count
        && offset - self->marks[self->marks_count - 1].offset < MARK_BYTES)
        return;
    if (self->marks_count == self->marks_room) {
        self->marks_room = self->marks_room ? self->marks_room * 2 : 8;
        self->marks = xrealloc (self->marks, self->marks_room * sizeof *self->marks);
    }
    self->marks[self->marks_count++] =
        (mark_t){(uint32_t) (seq - self->head.first_seq), offset};
}

uint32_t
segment_near (const segment_t *self, uint64_t seq)
{
    uint64_t past = seq - self->head.first_seq;
    size_t low = 0, high = self->marks_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->marks[middle].seq <= past)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? self->marks[low - 1].offset : SEGMENT_HEAD;
}
