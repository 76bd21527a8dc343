//  once.c - natural keys of pushes and of money: what was seen is not done again.
//
//  Kept for ever, so an entry is 32 bytes in an open table; the answers lie in the journal.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>

struct once {
    once_seen_t *slots; //  key.a 0: empty
    size_t room, count; //  room is a power of two
};

once_t *
once_new (void)
{
    once_t *self = xcalloc (1, sizeof *self);
    self->room = 1024;
    self->slots = xcalloc (self->room, sizeof *self->slots);
    return self;
}

void
once_destroy (once_t **self_p)
{
    if (!*self_p)
        return;
    free ((*self_p)->slots);
    free (*self_p);
    *self_p = NULL;
}

once_key_t
once_key (const char *instance, const char *kind, const char *key)
{
    buffer_t text = {0};
    buffer_printf (&text, "%s\n%s\n%s", instance, kind, key);
    once_key_t made = {hash64 (text.data, text.size, 0x6f6e6365) | 1,
                       hash64 (text.data, text.size, 0x6b657973)};
    buffer_free (&text);
    return made;
}

static once_seen_t *
s_slot (const once_t *self, once_key_t key)
{
    size_t at = (size_t) (key.a ^ key.b >> 7) & (self->room - 1);
    while (self->slots[at].key.a
           && (self->slots[at].key.a != key.a || self->slots[at].key.b != key.b))
        at = (at + 1) & (self->room - 1);
    return &self->slots[at];
}

const once_seen_t *
once_find (const once_t *self, once_key_t key)
{
    const once_seen_t *slot = s_slot (self, key);
    return slot->key.a ? slot : NULL;
}

static void
s_grow (once_t *self)
{
    once_t bigger = {.room = self->room * 2};
    bigger.slots = xcalloc (bigger.room, sizeof *bigger.slots);
    for (size_t i = 0; i < self->room; i++)
        if (self->slots[i].key.a)
            *s_slot (&bigger, self->slots[i].key) = self->slots[i];
    free (self->slots);
    self->slots = bigger.slots;
    self->room = bigger.room;
}

void
once_add (once_t *self, once_seen_t seen)
{
    once_seen_t *slot = s_slot (self, seen.key);
    if (!slot->key.a && ++self->count > self->room / 4 * 3) {
        s_grow (self);
        slot = s_slot (self, seen.key);
    }
    *slot = seen;
}

//  Take one out and put what follows it in its row where it belongs.
void
once_remove (once_t *self, once_key_t key)
{
    once_seen_t *slot = s_slot (self, key);
    if (!slot->key.a)
        return;
    *slot = (once_seen_t){0};
    self->count--;
    size_t at = (size_t) (slot - self->slots);
    for (at = (at + 1) & (self->room - 1); self->slots[at].key.a;
         at = (at + 1) & (self->room - 1)) {
        once_seen_t moved = self->slots[at];
        self->slots[at] = (once_seen_t){0};
        *s_slot (self, moved.key) = moved;
    }
}

//  ---------------------------------------------------------------- the record

//  On disk, little-endian like everything in the journal: this head, media, body.
typedef struct {
    uint64_t a, b, content;
    uint32_t status, media_size, body_size, reserved;
} head_t;

void
once_write (buffer_t *record, const once_answer_t *answer)
{
    head_t head = {answer->key.a,
                   answer->key.b,
                   answer->content,
                   answer->status,
                   (uint32_t) answer->media.n,
                   (uint32_t) answer->body.n,
                   0};
    buffer_add (record, &head, sizeof head);
    buffer_add (record, answer->media.p, answer->media.n);
    buffer_add (record, answer->body.p, answer->body.n);
}

bool
once_read (const void *record, size_t size, once_answer_t *answer)
{
    head_t head;
    if (size < sizeof head)
        return false;
    memcpy (&head, record, sizeof head);
    if (size - sizeof head < (size_t) head.media_size + head.body_size)
        return false;
    const char *bytes = (const char *) record + sizeof head;
    *answer = (once_answer_t){
        {head.a,                  head.b         },
        head.content,
        head.status,
        {bytes,                   head.media_size},
        {bytes + head.media_size, head.body_size }
    };
    return true;
}
