//  test_arena.c - the memory of one exchange.

#include "host/inside.h"

#include "promise.h"

static bool
s_is_zero (const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static void
s_small (void)
{
    arena_t arena = {0};
    bool aligned = true, zeroed = true, apart = true;
    char *before = NULL;
    size_t before_size = 0;
    for (size_t size = 1; size < 300; size++) {
        char *bytes = arena_alloc (&arena, size);
        aligned = aligned && (uintptr_t) bytes % 16 == 0;
        zeroed = zeroed && s_is_zero (bytes, size);
        apart = apart
                && (!before || bytes >= before + before_size || bytes + size <= before);
        memset (bytes, 0xa5, size);
        before = bytes;
        before_size = size;
    }
    promise (aligned, "every piece is aligned to 16 bytes");
    promise (zeroed, "and zeroed");
    promise (apart, "and apart from the others");
    promise (arena_alloc (&arena, 0) != NULL, "nothing can be asked for");
    arena_free (&arena);
    char *again = arena_alloc (&arena, 5000);
    promise (again && s_is_zero (again, 5000), "after the end it can be used again");
    arena_free (&arena);
    arena_free (&arena);
    promise (!arena.blocks && !arena.used, "ending it twice is harmless");
}

static void
s_limit (void)
{
    static const struct {
        const char *says;
        size_t size;
        bool given;
    } rows[] = {
        {"16 MiB",                   ARENA_MAX,     true },
        {"one byte more",            ARENA_MAX + 1, false},
        {"all that there is",        SIZE_MAX,      false},
        {"nearly all that there is", SIZE_MAX - 14, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        arena_t arena = {0};
        promise ((arena_alloc (&arena, rows[i].size) != NULL) == rows[i].given,
                 "%s in one piece: %s", rows[i].says,
                 rows[i].given ? "given" : "refused");
        arena_free (&arena);
    }
    arena_t arena = {0};
    size_t pieces = 0;
    while (pieces < 100 && arena_alloc (&arena, 1 << 20))
        pieces++;
    promise (pieces == 16, "16 MiB in pieces of one MiB");
    promise (!arena_alloc (&arena, 4097), "then no more");
    arena_free (&arena);
    pieces = 0;
    while (pieces < ARENA_MAX && arena_alloc (&arena, 16))
        pieces++;
    promise (pieces == ARENA_MAX / 16, "or in pieces of 16 bytes");
    arena_free (&arena);
}

static void
s_text (void)
{
    arena_t arena = {0};
    const char bytes[] = {'a', 'b', 'c', 'd'};
    char *text = arena_text (&arena, (span_t){bytes, 3});
    promise (streq (text, "abc") && text != bytes, "a text is copied and ended");
    promise (streq (arena_text (&arena, SPAN ("")), ""), "also an empty one");
    promise (!arena_text (&arena, (span_t){NULL, 0}), "no text is no text");
    arena_free (&arena);
}

int
main (void)
{
    s_small ();
    s_limit ();
    s_text ();
    return promises_kept ();
}
