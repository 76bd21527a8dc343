//  text.c - spans, UTF-8, hex, Base64, whole numbers, edit distance.

#include "base/text.h"

#include <limits.h>

bool
span_eq (span_t a, span_t b)
{
    return a.n == b.n && (a.n == 0 || memcmp (a.p, b.p, a.n) == 0);
}

bool
span_is (span_t a, const char *text)
{
    //  One loop over a short word beats strlen () and memcmp ().
    size_t i = 0;
    while (i < a.n && text[i] && a.p[i] == text[i])
        i++;
    return a.p && i == a.n && !text[i];
}

bool
span_copy (span_t from, char *to, size_t room)
{
    if (room == 0)
        return false;
    bool fits = from.n < room;
    if (fits && from.n)
        memcpy (to, from.p, from.n);
    to[fits ? from.n : 0] = 0;
    return fits;
}

bool
streq (const char *a, const char *b)
{
    return a && b ? strcmp (a, b) == 0 : a == b;
}

//  Bytes of the character that starts at p, 0 when it is none.
static size_t
s_utf8_one (const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last; //  Range of the leading byte
        unsigned char low, high;   //  Range of the second: no overlong, no surrogate
        unsigned char bytes;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0x00, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    //  Most of Chinese, before the table is searched.
    if (left >= 3 && *p >= 0xe1 && *p <= 0xec)
        return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    for (size_t i = 0; i < ARRAY_SIZE (forms); i++) {
        if (*p < forms[i].first || *p > forms[i].last)
            continue;
        size_t bytes = forms[i].bytes;
        if (bytes > left)
            return 0;
        if (bytes > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
            return 0;
        for (size_t j = 2; j < bytes; j++)
            if ((p[j] & 0xc0) != 0x80)
                return 0;
        return bytes;
    }
    return 0;
}

//  Are the 32 bytes at p all ASCII?
static bool
s_all_ascii (const unsigned char *p)
{
    uint64_t words[4];
    memcpy (words, p, sizeof words);
    return !((words[0] | words[1] | words[2] | words[3])
             & UINT64_C (0x8080808080808080));
}

bool
utf8_valid (const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    size_t at = 0;
    while (at < size) {
        if (size - at >= 32 && s_all_ascii (p + at)) {
            at += 32;
            continue;
        }
        //  Up to the first other character, then past it.
        while (at < size && p[at] < 0x80)
            at++;
        if (at == size)
            break;
        size_t one = s_utf8_one (p + at, size - at);
        if (!one)
            return false;
        at += one;
    }
    return true;
}

size_t
utf8_length (const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char) text[i] & 0xc0) != 0x80;
    return count;
}

void
hex_encode (const void *bytes, size_t size, char *to)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) {
        *to++ = "0123456789abcdef"[p[i] >> 4];
        *to++ = "0123456789abcdef"[p[i] & 15];
    }
    *to = 0;
}

static int
s_nibble (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
hex_decode (const char *hex, size_t size, void *to, size_t room)
{
    if (size % 2 || size / 2 > room || size / 2 > INT_MAX)
        return -1;
    unsigned char *bytes = to;
    for (size_t i = 0; i < size; i += 2) {
        int high = s_nibble (hex[i]), low = s_nibble (hex[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        *bytes++ = (unsigned char) (high << 4 | low);
    }
    return (int) (size / 2);
}

void
base64_encode (const void *bytes, size_t size, char *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    while (size) {
        size_t take = size < 3 ? size : 3;
        uint32_t three = (uint32_t) p[0] << 16;
        if (take > 1)
            three |= (uint32_t) p[1] << 8;
        if (take > 2)
            three |= p[2];
        *to++ = alphabet[three >> 18];
        *to++ = alphabet[three >> 12 & 63];
        *to++ = take > 1 ? alphabet[three >> 6 & 63] : '=';
        *to++ = take > 2 ? alphabet[three & 63] : '=';
        p += take;
        size -= take;
    }
    *to = 0;
}

bool
text_int64 (span_t text, int64_t min, int64_t max, int64_t *value)
{
    bool negative = text.n && *text.p == '-';
    size_t at = negative;
    if (at == text.n)
        return false;
    uint64_t limit = (uint64_t) INT64_MAX + negative, sum = 0;
    for (; at < text.n; at++) {
        unsigned digit = (unsigned) (unsigned char) text.p[at] - '0';
        if (digit > 9 || sum > (limit - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    int64_t number = negative ? -(int64_t) (sum - 1) - 1 : (int64_t) sum;
    if (sum == 0)
        number = 0;
    if (number < min || number > max)
        return false;
    *value = number;
    return true;
}

#define DISTANCE_MAX 64

static unsigned
s_least (unsigned a, unsigned b)
{
    return a < b ? a : b;
}

//  Optimal string alignment over three rows of the table.
unsigned
text_distance (const char *a, const char *b)
{
    size_t an = strlen (a), bn = strlen (b);
    if (an > DISTANCE_MAX || bn > DISTANCE_MAX)
        return streq (a, b) ? 0 : (unsigned) (an > bn ? an : bn);
    unsigned rows[3][DISTANCE_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= bn; j++)
        last[j] = (unsigned) j;
    for (size_t i = 1; i <= an; i++) {
        now[0] = (unsigned) i;
        for (size_t j = 1; j <= bn; j++) {
            now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = s_least (now[j], s_least (last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = s_least (now[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[bn];
}
