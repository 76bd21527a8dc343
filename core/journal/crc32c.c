//  crc32c.c - the checksum of records: SSE4.2 where the processor has it, else a table.

#include "journal/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL UINT32_C (0x82f63b78) //  0x1edc6f41, reflected

//  s_table[k][b]: byte b followed by k zero bytes, so that eight bytes go in one step.
static uint32_t s_table[8][256];
static bool s_hardware;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void
s_prepare (void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        s_table[0][byte] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = s_table[k - 1][byte];
            s_table[k][byte] = crc >> 8 ^ s_table[0][crc & 255];
        }
#if defined(__x86_64__)
    s_hardware = __builtin_cpu_supports ("sse4.2");
#endif
}

#if defined(__x86_64__)
__attribute__ ((target ("sse4.2"))) static uint32_t
s_hardware_crc (uint32_t crc, const uint8_t *at, size_t size)
{
    uint64_t value = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy (&word, at, 8);
        value = __builtin_ia32_crc32di (value, word);
    }
    uint32_t rest = (uint32_t) value;
    for (; size; at++, size--)
        rest = __builtin_ia32_crc32qi (rest, *at);
    return ~rest;
}
#endif

static uint32_t
s_table_crc (uint32_t crc, const uint8_t *at, size_t size)
{
    crc = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint32_t low = crc
                       ^ ((uint32_t) at[0] | (uint32_t) at[1] << 8
                          | (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24);
        crc = s_table[7][low & 255] ^ s_table[6][low >> 8 & 255]
              ^ s_table[5][low >> 16 & 255] ^ s_table[4][low >> 24] ^ s_table[3][at[4]]
              ^ s_table[2][at[5]] ^ s_table[1][at[6]] ^ s_table[0][at[7]];
    }
    for (; size; at++, size--)
        crc = crc >> 8 ^ s_table[0][(crc ^ *at) & 255];
    return ~crc;
}

uint32_t
crc32c_table (uint32_t crc, const void *bytes, size_t size)
{
    pthread_once (&s_once, s_prepare);
    return s_table_crc (crc, bytes, size);
}

uint32_t
crc32c (uint32_t crc, const void *bytes, size_t size)
{
    pthread_once (&s_once, s_prepare);
#if defined(__x86_64__)
    if (s_hardware)
        return s_hardware_crc (crc, bytes, size);
#endif
    return s_table_crc (crc, bytes, size);
}
