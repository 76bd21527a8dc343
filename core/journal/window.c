//  window.c - hash to seq over the last so many events, in memory of fixed size.

#include "journal/window.h"

#include <assert.h>
#include <stdlib.h>
#include "base/text.h"
#include "journal/pages.h"

//  Four full ones hold the window; the fifth is filling.
enum { GENERATIONS = 5 };

struct window {
    uint64_t *slots; //  GENERATIONS tables; a slot is tag << 32 | seq - base, 0 empty
    uint64_t size;   //  Slots of one table
    uint64_t length; //  Seqs of one generation
    uint64_t newest; //  Number of the filling generation: (seq - 1) / length
    bool begun;
};

static size_t
s_bytes (const window_t *self)
{
    return (size_t) self->size * GENERATIONS * sizeof *self->slots;
}

window_t *
window_new (uint64_t events)
{
    window_t *self = xcalloc (1, sizeof *self);
    self->length = (events + GENERATIONS - 2) / (GENERATIONS - 1);
    if (self->length < 16)
        self->length = 16;
    assert (self->length < UINT32_MAX);
    self->size = self->length + self->length / 3 + 1; //  Three quarters full at most
    self->slots = pages_new (s_bytes (self));
    return self;
}

void
window_destroy (window_t **self_p)
{
    window_t *self = *self_p;
    if (!self)
        return;
    pages_free (self->slots, s_bytes (self));
    free (self);
    *self_p = NULL;
}

static uint64_t *
s_table (const window_t *self, uint64_t generation)
{
    return self->slots + generation % GENERATIONS * self->size;
}

static uint64_t
s_start (const window_t *self, uint64_t hash)
{
    return (hash >> 32) * self->size >> 32;
}

static uint64_t
s_slot (const window_t *self, uint64_t hash, uint64_t generation, uint64_t seq)
{
    return hash << 32 | (seq - generation * self->length);
}

static void
s_empty (window_t *self, uint64_t generation)
{
    size_t bytes = (size_t) self->size * sizeof *self->slots;
    size_t from = (size_t) (generation % GENERATIONS) * bytes;
    pages_empty (self->slots, from, from + bytes);
}

static void
s_reach (window_t *self, uint64_t generation)
{
    if (!self->begun) {
        self->begun = true;
        self->newest = generation;
        return;
    }
    if (generation > self->newest + GENERATIONS)
        self->newest = generation - GENERATIONS;
    while (self->newest < generation)
        s_empty (self, ++self->newest);
}

void
window_add (window_t *self, uint64_t hash, uint64_t seq)
{
    uint64_t generation = (seq - 1) / self->length;
    s_reach (self, generation);
    uint64_t *table = s_table (self, generation);
    uint64_t at = s_start (self, hash);
    while (table[at])
        if (++at == self->size)
            at = 0;
    table[at] = s_slot (self, hash, generation, seq);
}

void
window_renew (window_t *self, uint64_t hash, uint64_t old, uint64_t seq)
{
    uint64_t generation = (seq - 1) / self->length;
    s_reach (self, generation);
    if (!old || (old - 1) / self->length != generation) {
        window_add (self, hash, seq);
        return;
    }
    uint64_t *table = s_table (self, generation);
    uint64_t was = s_slot (self, hash, generation, old);
    uint64_t at = s_start (self, hash);
    while (table[at] && table[at] != was)
        if (++at == self->size)
            at = 0;
    table[at] = s_slot (self, hash, generation, seq);
}

static uint64_t
s_find_in (const window_t *self, uint64_t generation, uint64_t hash,
           bool (*is) (void *arg, uint64_t seq), void *arg)
{
    const uint64_t *table = s_table (self, generation);
    for (uint64_t at = s_start (self, hash); table[at];) {
        if (table[at] >> 32 == (uint32_t) hash) {
            uint64_t seq = generation * self->length + (uint32_t) table[at];
            if (is (arg, seq))
                return seq;
        }
        if (++at == self->size)
            at = 0;
    }
    return 0;
}

uint64_t
window_find (const window_t *self, uint64_t hash, bool (*is) (void *arg, uint64_t seq),
             void *arg)
{
    for (uint64_t age = 0; self->begun && age < GENERATIONS && age <= self->newest;
         age++) {
        uint64_t seq = s_find_in (self, self->newest - age, hash, is, arg);
        if (seq)
            return seq;
    }
    return 0;
}

void
window_expect (const window_t *self, uint64_t hash)
{
    uint64_t at = s_start (self, hash);
    for (uint64_t age = 0; self->begun && age < GENERATIONS && age <= self->newest;
         age++)
        __builtin_prefetch (s_table (self, self->newest - age) + at);
}
