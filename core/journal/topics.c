//  topics.c - topic to its newest seq: an open hash table, texts in one arena.

#include "journal/topics.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t hash; //  0: an empty slot
    uint64_t seq;
    uint32_t text; //  Offset in texts
    uint32_t size;
} entry_t;

struct topics {
    entry_t *entries;
    size_t room; //  A power of two
    size_t count;
    buffer_t texts;
};

topics_t *
topics_new (void)
{
    topics_t *self = xcalloc (1, sizeof *self);
    self->room = 64;
    self->entries = xcalloc (self->room, sizeof *self->entries);
    return self;
}

void
topics_destroy (topics_t **self_p)
{
    topics_t *self = *self_p;
    if (!self)
        return;
    free (self->entries);
    buffer_free (&self->texts);
    free (self);
    *self_p = NULL;
}

//  The topic's entry, or the empty one where it would be.
static entry_t *
s_find (const topics_t *self, span_t topic, uint64_t hash)
{
    for (size_t at = hash & (self->room - 1);; at = (at + 1) & (self->room - 1)) {
        entry_t *entry = self->entries + at;
        if (!entry->hash)
            return entry;
        if (entry->hash == hash && entry->size == topic.n
            && memcmp (self->texts.data + entry->text, topic.p, topic.n) == 0)
            return entry;
    }
}

static uint64_t
s_hash (span_t topic)
{
    uint64_t hash = hash64 (topic.p, topic.n, 0);
    return hash ? hash : 1;
}

static void
s_grow (topics_t *self)
{
    entry_t *old = self->entries;
    size_t old_room = self->room;
    self->room *= 2;
    self->entries = xcalloc (self->room, sizeof *self->entries);
    for (size_t from = 0; from < old_room; from++) {
        size_t at = old[from].hash & (self->room - 1);
        while (old[from].hash && self->entries[at].hash)
            at = (at + 1) & (self->room - 1);
        if (old[from].hash)
            self->entries[at] = old[from];
    }
    free (old);
}

uint64_t
topics_seq (const topics_t *self, span_t topic)
{
    return s_find (self, topic, s_hash (topic))->seq;
}

uint64_t *
topics_place (topics_t *self, span_t topic)
{
    uint64_t hash = s_hash (topic);
    entry_t *entry = s_find (self, topic, hash);
    if (entry->hash)
        return &entry->seq;
    if (self->count == TOPICS_MAX)
        return NULL;
    if (self->count * 2 >= self->room) {
        s_grow (self);
        entry = s_find (self, topic, hash);
    }
    *entry = (entry_t){hash, 0, (uint32_t) self->texts.size, (uint32_t) topic.n};
    buffer_add (&self->texts, topic.p, topic.n);
    self->count++;
    return &entry->seq;
}

void
topics_visit (const topics_t *self,
              void (*visit) (void *arg, span_t topic, uint64_t seq), void *arg)
{
    for (size_t at = 0; at < self->room; at++) {
        const entry_t *entry = self->entries + at;
        if (entry->hash && entry->seq)
            visit (arg, (span_t){self->texts.data + entry->text, entry->size},
                   entry->seq);
    }
}
