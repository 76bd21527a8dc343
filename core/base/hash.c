//  hash.c - the mixing hash. Its values lie in journals: it must never change.

#include "base/text.h"

#define MIX_A UINT64_C (0x9fb21c651e98df25)
#define MIX_B UINT64_C (0xd6e8feb86659fd93)
#define MIX_C UINT64_C (0xa0761d6478bd642f)

static uint64_t
s_turn (uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

//  Little-endian on every machine, so that a journal can move.
static uint64_t
s_load (const unsigned char *p)
{
    uint64_t word;
    memcpy (&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64 (word);
#endif
    return word;
}

static uint64_t
s_load_half (const unsigned char *p)
{
    uint32_t word;
    memcpy (&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap32 (word);
#endif
    return word;
}

//  The last 0 to 7 bytes, the first lowest. Loads overlap instead of looping: byte by
//  byte this was the larger part of hashing a short text.
static uint64_t
s_tail (const unsigned char *p, size_t left, size_t size)
{
    if (left == 0)
        return 0;
    if (size >= 8)
        return s_load (p + left - 8) >> (64 - 8 * left);
    if (left >= 4)
        return s_load_half (p) | s_load_half (p + left - 4) << (8 * (left - 4));
    return p[0] | (uint64_t) p[left / 2] << (8 * (left / 2))
           | (uint64_t) p[left - 1] << (8 * (left - 1));
}

//  For a given word this is a bijection of the state, so no input makes it forget what
//  came before.
static uint64_t
s_step (uint64_t state, uint64_t word)
{
    state ^= s_turn (word * MIX_A, 29) * MIX_B;
    return s_turn (state, 27) * MIX_A + MIX_C;
}

uint64_t
hash64 (const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t state = seed * MIX_B + MIX_C;
    size_t left = size;
    for (; left >= 8; left -= 8, p += 8)
        state = s_step (state, s_load (p));
    //  The length separates "a" from "a\0".
    state = s_step (state, s_tail (p, left, size)) ^ (uint64_t) size;
    state = (state ^ state >> 32) * MIX_B;
    state = (state ^ state >> 29) * MIX_A;
    return state ^ state >> 32;
}
