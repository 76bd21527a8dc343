//  timers.c - deadlines of one thread: a heap behind one timerfd.

#include "base/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/moment.h"
#include "base/text.h"

//  A slot keeps its place while its timer moves in the heap. An id is the slot's turn
//  above and its number + 1 below, so an old id never means a new timer.
typedef struct {
    int64_t at_ms;
    uint64_t order; //  Equal deadlines fire as they were added
    timer_fn *fn;   //  NULL: the slot is free
    void *arg;
    uint32_t turn;
    uint32_t place; //  In the heap; in a free slot the next free one
} slot_t;

#define NO_SLOT UINT32_MAX

struct timers {
    slot_t *slots;
    uint32_t *heap; //  Slot numbers, the earliest first
    uint32_t room, used, count, free;
    uint64_t order;
    int64_t armed_ms; //  What the timerfd waits for; INT64_MAX is nothing
    int fd;
};

timers_t *
timers_new (void)
{
    timers_t *self = xcalloc (1, sizeof *self);
    self->free = NO_SLOT;
    self->armed_ms = INT64_MAX;
    self->fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->fd < 0)
        timers_destroy (&self);
    return self;
}

void
timers_destroy (timers_t **self_p)
{
    assert (self_p);
    timers_t *self = *self_p;
    if (!self)
        return;
    if (self->fd >= 0)
        close (self->fd);
    free (self->slots);
    free (self->heap);
    free (self);
    *self_p = NULL;
}

static bool
s_before (const timers_t *self, uint32_t a, uint32_t b)
{
    const slot_t *left = &self->slots[a], *right = &self->slots[b];
    return left->at_ms != right->at_ms ? left->at_ms < right->at_ms
                                       : left->order < right->order;
}

static void
s_put (timers_t *self, uint32_t place, uint32_t slot)
{
    self->heap[place] = slot;
    self->slots[slot].place = place;
}

static void
s_rise (timers_t *self, uint32_t place)
{
    uint32_t slot = self->heap[place];
    while (place && s_before (self, slot, self->heap[(place - 1) / 2])) {
        s_put (self, place, self->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    s_put (self, place, slot);
}

static void
s_sink (timers_t *self, uint32_t place)
{
    uint32_t slot = self->heap[place];
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= self->count)
            break;
        if (child + 1 < self->count
            && s_before (self, self->heap[child + 1], self->heap[child]))
            child++;
        if (!s_before (self, self->heap[child], slot))
            break;
        s_put (self, place, self->heap[child]);
        place = child;
    }
    s_put (self, place, slot);
}

//  Set the timerfd to the earliest. A cancelled one may still wake us once: harmless.
static void
s_arm (timers_t *self)
{
    int64_t at_ms = self->count ? self->slots[self->heap[0]].at_ms : INT64_MAX;
    if (at_ms == self->armed_ms)
        return;
    struct itimerspec when = {0};
    if (at_ms != INT64_MAX) {
        when.it_value.tv_sec = at_ms > 0 ? at_ms / 1000 : 0;
        when.it_value.tv_nsec = at_ms > 0 ? at_ms % 1000 * 1000000 : 1; //  0 disarms
    }
    timerfd_settime (self->fd, TFD_TIMER_ABSTIME, &when, NULL);
    self->armed_ms = at_ms;
}

static uint32_t
s_take_slot (timers_t *self)
{
    if (self->free != NO_SLOT) {
        uint32_t slot = self->free;
        self->free = self->slots[slot].place;
        return slot;
    }
    if (self->used == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->slots = xrealloc (self->slots, self->room * sizeof *self->slots);
        self->heap = xrealloc (self->heap, self->room * sizeof *self->heap);
    }
    self->slots[self->used] = (slot_t){0};
    return self->used++;
}

uint64_t
timers_at (timers_t *self, int64_t at_ms, timer_fn *fn, void *arg)
{
    assert (fn);
    uint32_t number = s_take_slot (self);
    slot_t *slot = &self->slots[number];
    slot->at_ms = at_ms == INT64_MAX ? INT64_MAX - 1 : at_ms;
    slot->order = self->order++;
    slot->fn = fn;
    slot->arg = arg;
    slot->turn++;
    self->heap[self->count] = number;
    s_rise (self, self->count++);
    if (self->heap[0] == number)
        s_arm (self);
    return (uint64_t) slot->turn << 32 | (number + 1);
}

uint64_t
timers_after (timers_t *self, int64_t delay_ms, timer_fn *fn, void *arg)
{
    return timers_at (self, moment_monotonic_ms () + delay_ms, fn, arg);
}

static void
s_remove (timers_t *self, uint32_t number)
{
    slot_t *slot = &self->slots[number];
    uint32_t place = slot->place, last = self->heap[--self->count];
    if (last != number) {
        s_put (self, place, last);
        s_rise (self, place);
        s_sink (self, self->slots[last].place);
    }
    slot->fn = NULL;
    slot->place = self->free;
    self->free = number;
}

void
timers_cancel (timers_t *self, uint64_t id)
{
    uint32_t number = (uint32_t) id - 1;
    if (id == 0 || number >= self->used)
        return;
    slot_t *slot = &self->slots[number];
    if (slot->fn && slot->turn == (uint32_t) (id >> 32))
        s_remove (self, number);
}

int
timers_fd (const timers_t *self)
{
    return self->fd;
}

void
timers_run (timers_t *self)
{
    uint64_t fired;
    if (read (self->fd, &fired, sizeof fired) > 0)
        self->armed_ms = INT64_MAX;
    int64_t now_ms = moment_monotonic_ms ();
    //  No more than there were, or a timer that sets itself for now would never end.
    for (uint32_t most = self->count; most && self->count; most--) {
        uint32_t number = self->heap[0];
        slot_t slot = self->slots[number];
        if (slot.at_ms > now_ms)
            break;
        s_remove (self, number);
        slot.fn (slot.arg);
    }
    s_arm (self);
}
