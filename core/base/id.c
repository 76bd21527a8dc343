//  id.c - names that parkbus makes and names that it accepts.

#include "base/id.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "base/moment.h"

//  A UUIDv7 is 48 bits of time, then 26 bits that count up inside a millisecond (12 of
//  rand_a, the first 14 of rand_b), then 48 random ones.
#define COUNT_BITS 26
#define COUNT_MAX ((UINT32_C (1) << COUNT_BITS) - 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static uint32_t count;
static unsigned char pool[250]; //  Up to 256 bytes getrandom gives in one piece
static size_t pool_left;

static const unsigned char *
s_random (size_t size)
{
    if (pool_left < size) {
        if (getrandom (pool, sizeof pool, 0) != (ssize_t) sizeof pool) {
            fputs ("the system gives no random bytes (getrandom)\n", stderr);
            abort ();
        }
        pool_left = sizeof pool;
    }
    pool_left -= size;
    return pool + pool_left;
}

//  A child that went on with its parent's pool would make its parent's ids.
static void
s_before_fork (void)
{
    pthread_mutex_lock (&lock);
}

static void
s_after_fork (void)
{
    pthread_mutex_unlock (&lock);
}

static void
s_in_child (void)
{
    pool_left = 0;
    pthread_mutex_unlock (&lock);
}

static void
s_watch_forks (void)
{
    pthread_atfork (s_before_fork, s_after_fork, s_in_child);
}

void
id_uuid7 (char to[37])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, s_watch_forks);
    unsigned char id[16], random[10];
    int64_t now_ms = moment_now_ms ();

    pthread_mutex_lock (&lock);
    memcpy (random, s_random (sizeof random), sizeof random);
    if (now_ms > last_ms) {
        last_ms = now_ms;
        //  Half of the range, so that there is always a way up.
        memcpy (&count, random, sizeof count);
        count &= COUNT_MAX >> 1;
    } else if (count++ == COUNT_MAX) {
        last_ms++;
        count = 0;
    }
    uint64_t ms = (uint64_t) last_ms;
    uint32_t counted = count;
    pthread_mutex_unlock (&lock);

    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char) (ms >> (40 - 8 * i));
    id[6] = (unsigned char) (0x70 | counted >> 22);
    id[7] = (unsigned char) (counted >> 14);
    id[8] = (unsigned char) (0x80 | (counted >> 8 & 0x3f));
    id[9] = (unsigned char) counted;
    memcpy (id + 10, random + 4, 6);

    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    const unsigned char *from = id;
    for (size_t i = 0; i < sizeof groups; i++) {
        hex_encode (from, groups[i], to);
        from += groups[i];
        to += 2 * groups[i];
        if (i + 1 < sizeof groups)
            *to++ = '-';
    }
}

static bool
s_digit_or_lower (unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

bool
id_is_name (span_t text)
{
    if (!text.p || text.n < 1 || text.n > 32)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!s_digit_or_lower ((unsigned char) text.p[i]) && text.p[i] != '-')
            return false;
    return true;
}

bool
id_is_visit (span_t text)
{
    if (!text.p || text.n < 1 || text.n > 48)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char) text.p[i];
        if (!s_digit_or_lower (c) && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-')
            return false;
    }
    return true;
}
