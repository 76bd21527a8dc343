//  arena.c - memory that lives as long as one exchange.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>

struct arena_block {
    arena_block_t *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

void *
arena_alloc (arena_t *self, size_t size)
{
    if (size > ARENA_MAX)
        return NULL;
    size_t need = (size + 15) & ~(size_t) 15;
    arena_block_t *block = self->blocks;
    if (!block || block->size - block->used < need) {
        size_t room = need > 4096 ? need : 4096;
        if (self->used + room > ARENA_MAX)
            return NULL;
        block = xmalloc (sizeof *block + room);
        block->next = self->blocks;
        block->size = room;
        block->used = 0;
        self->blocks = block;
        self->used += room;
    }
    void *bytes = block->bytes + block->used;
    block->used += need;
    memset (bytes, 0, need);
    return bytes;
}

char *
arena_text (arena_t *self, span_t text)
{
    char *copy = text.p ? arena_alloc (self, text.n + 1) : NULL;
    if (copy)
        memcpy (copy, text.p, text.n);
    return copy;
}

void
arena_free (arena_t *self)
{
    for (arena_block_t *block = self->blocks, *next; block; block = next) {
        next = block->next;
        free (block);
    }
    *self = (arena_t){0};
}
