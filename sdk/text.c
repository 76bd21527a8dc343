//  text.c - a plugin's memory and words.

#include <stdio.h>
#include <string.h>
#include "sdk/text.h"

#define SHOWN 120 //  Bytes of a stranger's text in a sentence

void *
pb_alloc (const pb_env_t *env, size_t size)
{
    return env->host->alloc (env->call, size);
}

char *
pb_copy (const pb_env_t *env, const char *bytes, size_t size)
{
    char *copy = size < SIZE_MAX ? pb_alloc (env, size + 1) : NULL;
    if (copy && size)
        memcpy (copy, bytes, size);
    return copy;
}

static char *s_vformat (const pb_env_t *env, const char *format, va_list args)
    __attribute__ ((format (printf, 2, 0)));

static char *
s_vformat (const pb_env_t *env, const char *format, va_list args)
{
    va_list again;
    va_copy (again, args);
    int size = vsnprintf (NULL, 0, format, again);
    va_end (again);
    char *text = size < 0 ? NULL : pb_alloc (env, (size_t) size + 1);
    if (text)
        vsnprintf (text, (size_t) size + 1, format, args);
    return text;
}

char *
pb_format (const pb_env_t *env, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    char *text = s_vformat (env, format, args);
    va_end (args);
    return text;
}

bool
pb_equal (const char *a, const char *b)
{
    return a == b || (a && b && !strcmp (a, b));
}

bool
pb_known (const char *text)
{
    return text && *text;
}

//  Length of the UTF-8 sequence at p (RFC 3629); 0 when it is none.
static size_t
s_sequence (const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

bool
pb_utf8 (const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *) bytes;
    while (size) {
        size_t n = s_sequence (p, size);
        if (!n)
            return false;
        p += n;
        size -= n;
    }
    return true;
}

const char *
pb_show (const pb_env_t *env, const char *bytes, size_t size)
{
    char *shown = pb_alloc (env, SHOWN + 8);
    if (!shown)
        return "?";
    size_t used = 0;
    for (size_t i = 0; bytes && i < size;) {
        const unsigned char *p = (const unsigned char *) bytes + i;
        size_t n = s_sequence (p, size - i);
        bool plain = n && *p >= 0x20 && *p != 0x7f;
        size_t take = plain ? n : 1;
        if (used + take > SHOWN) {
            memcpy (shown + used, "…", strlen ("…"));
            break;
        }
        if (plain)
            memcpy (shown + used, p, n);
        else
            shown[used] = '?';
        used += take;
        i += n ? n : 1;
    }
    return shown;
}

bool
pb_whole (const char *text, int64_t min, int64_t max, int64_t *value)
{
    if (!pb_known (text))
        return false;
    bool negative = *text == '-';
    const char *p = text + negative;
    if (!*p)
        return false;
    int64_t sum = 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow (sum, 10, &sum)
            || __builtin_add_overflow (sum, *p - '0', &sum))
            return false;
    }
    if (negative)
        sum = -sum;
    if (sum < min || sum > max)
        return false;
    *value = sum;
    return true;
}

bool
pb_is_visit (const char *text)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    size_t size = text ? strlen (text) : 0;
    return size >= 1 && size <= 48 && strspn (text, allowed) == size;
}

int
pb_fail (const pb_env_t *env, int result, const char *code, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    const char *sentence = s_vformat (env, format, args);
    va_end (args);
    return env->host->fail (env->call, result, code, sentence ? sentence : format);
}

void
pb_log (const pb_env_t *env, int level, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    const char *sentence = s_vformat (env, format, args);
    va_end (args);
    env->host->log (env->call, level, sentence ? sentence : format);
}

//  Room for `more` bytes and a NUL. The arena cannot grow a block, so it doubles.
static bool
s_room (pb_buffer_t *self, size_t more)
{
    if (self->broken || more > SIZE_MAX / 4 - self->size)
        self->broken = true;
    if (self->broken)
        return false;
    if (self->size + more + 1 <= self->room)
        return true;
    size_t room = self->room ? self->room : 256;
    while (room < self->size + more + 1)
        room *= 2;
    char *data = pb_alloc (self->env, room);
    if (!data) {
        self->broken = true;
        self->data = NULL;
        return false;
    }
    if (self->size)
        memcpy (data, self->data, self->size);
    self->data = data;
    self->room = room;
    return true;
}

void
pb_add (pb_buffer_t *self, const char *bytes, size_t size)
{
    if (!s_room (self, size))
        return;
    if (size)
        memcpy (self->data + self->size, bytes, size);
    self->size += size;
    self->data[self->size] = 0;
}

void
pb_add_text (pb_buffer_t *self, const char *text)
{
    pb_add (self, text, strlen (text));
}

void
pb_add_format (pb_buffer_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    const char *text = s_vformat (self->env, format, args);
    va_end (args);
    if (text)
        pb_add_text (self, text);
    else
        self->broken = true;
}

const char *
pb_done (pb_buffer_t *self)
{
    return s_room (self, 0) ? self->data : NULL;
}
