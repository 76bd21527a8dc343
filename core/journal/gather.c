//  gather.c - records in memory on their way to the disk, cut into groups.

#include "journal/gather.h"

#include <stdlib.h>
#include <string.h>
#include "journal/pages.h"

#define KEPT (1u << 20) //  Memory that an empty gather keeps

gather_t *
gather_new (size_t room)
{
    gather_t *self = xcalloc (1, sizeof *self);
    self->room = room;
    self->bytes = pages_new (room);
    return self;
}

void
gather_destroy (gather_t **self_p)
{
    gather_t *self = *self_p;
    if (!self)
        return;
    pages_free (self->bytes, self->room);
    free (self->groups);
    free (self->events);
    free (self);
    *self_p = NULL;
}

void
gather_reset (gather_t *self)
{
    if (self->used > KEPT)
        pages_empty (self->bytes, KEPT, self->used);
    self->used = 0;
    self->groups_count = 0;
    self->events_count = 0;
    self->records = 0;
    self->delivered = 0;
}

group_t *
gather_group (gather_t *self, const group_t *like)
{
    if (self->groups_count == self->groups_room) {
        self->groups_room = self->groups_room ? self->groups_room * 2 : 8;
        self->groups =
            xrealloc (self->groups, self->groups_room * sizeof *self->groups);
    }
    group_t *group = self->groups + self->groups_count++;
    *group = *like;
    group->from = group->to = self->used;
    return group;
}

uint8_t *
gather_record (gather_t *self, const record_head_t *head)
{
    uint8_t *at = self->bytes + self->used;
    size_t span = (size_t) record_span (head->size);
    memset (at + span - 8, 0, 8);
    record_head_put (at, head);
    if (head->kind == JOURNAL_EVENT) {
        if (self->events_count == self->events_room) {
            self->events_room = self->events_room ? self->events_room * 2 : 256;
            self->events =
                xrealloc (self->events, self->events_room * sizeof *self->events);
        }
        if (!self->events_count)
            self->first_seq = head->seq;
        self->events[self->events_count++] = (uint32_t) self->used;
    }
    self->used += span;
    gather_last (self)->to = self->used;
    return at + RECORD_HEAD;
}

//  The group that holds a byte.
static const group_t *
s_group_at (const gather_t *self, size_t at)
{
    size_t low = 0, high = self->groups_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->groups[middle].from <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? self->groups + low - 1 : NULL;
}

static bool
s_has (const gather_t *self, uint64_t seq)
{
    return self->events_count && seq >= self->first_seq
           && seq - self->first_seq < self->events_count;
}

const uint8_t *
gather_event (const gather_t *self, uint64_t seq, uint64_t *position)
{
    if (!s_has (self, seq))
        return NULL;
    size_t at = self->events[seq - self->first_seq];
    const group_t *group = s_group_at (self, at);
    *position = POSITION (group->segment.number, group->offset + (at - group->from));
    return self->bytes + at;
}

const uint8_t *
gather_at (const gather_t *self, uint64_t position)
{
    for (size_t index = 0; index < self->groups_count; index++) {
        const group_t *group = self->groups + index;
        uint32_t offset = POSITION_OFFSET (position);
        if (group->segment.number == POSITION_NUMBER (position)
            && offset >= group->offset
            && offset - group->offset < group->to - group->from)
            return self->bytes + group->from + (offset - group->offset);
    }
    return NULL;
}

const group_t *
gather_group_of (const gather_t *self, uint64_t seq)
{
    return s_has (self, seq) ? s_group_at (self, self->events[seq - self->first_seq])
                             : NULL;
}
