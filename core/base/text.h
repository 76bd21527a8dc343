//  base/text.h - spans, UTF-8, hex, Base64, a growing buffer, gettext's marks.

#ifndef PARKBUS_BASE_TEXT_H
#define PARKBUS_BASE_TEXT_H

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define _(text) gettext (text)
#define N_(text) text

#define ARRAY_SIZE(a) (sizeof (a) / sizeof (a)[0])

//  Bytes that belong to somebody else. p NULL: absent.
typedef struct {
    const char *p;
    size_t n;
} span_t;

static inline span_t
span_of (const char *text)
{
    return (span_t){text, text ? strlen (text) : 0};
}
#define SPAN(text) span_of (text)
#define SPAN_ARG(s) (int) (s).n, (s).p //  For "%.*s"

bool span_eq (span_t a, span_t b);
bool span_is (span_t a, const char *text);
//  Copy into a buffer with NUL; false and "" when it does not fit.
bool span_copy (span_t from, char *to, size_t room);

bool streq (const char *a, const char *b); //  Both may be NULL: then equal

//  RFC 3629: no overlong forms, surrogates, or beyond U+10FFFF.
bool utf8_valid (const void *bytes, size_t size);
//  Characters (code points) of valid UTF-8.
size_t utf8_length (const char *text, size_t size);

//  Lower-case hex, 2 * size + 1 bytes in `to`.
void hex_encode (const void *bytes, size_t size, char *to);
//  Either case. Bytes written, or -1 if it is not hex or does not fit.
int hex_decode (const char *hex, size_t size, void *to, size_t room);
//  Standard alphabet with padding, no line breaks; `to` takes (size + 2) / 3 * 4 + 1 bytes.
void base64_encode (const void *bytes, size_t size, char *to);

//  Whole decimal text to integer, no sign but '-', no spaces. False: not a number or
//  out of [min, max].
bool text_int64 (span_t text, int64_t min, int64_t max, int64_t *value);

//  Edit distance (Damerau, adjacent swaps count 1), for "did you mean …".
unsigned text_distance (const char *a, const char *b);

//  Growing bytes. Memory running out ends the process with a sentence (xmalloc's rule).
typedef struct {
    char *data;
    size_t size;
    size_t room;
} buffer_t;

void buffer_add (buffer_t *self, const void *bytes, size_t size);
void buffer_text (buffer_t *self, const char *text);
void buffer_printf (buffer_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
//  Text as a JSON string, quotes included. Input is valid UTF-8.
void buffer_json_string (buffer_t *self, const char *text, size_t size);
void buffer_reset (buffer_t *self); //  Size 0, memory kept
void buffer_free (buffer_t *self);

void *xmalloc (size_t size);
void *xcalloc (size_t count, size_t size);
void *xrealloc (void *p, size_t size);
char *xstrdup (const char *text); //  NULL gives NULL

//  Mixing hash for tables and content; not for secrets. Same in every run and version:
//  it is stored in the journal.
uint64_t hash64 (const void *bytes, size_t size, uint64_t seed);

#endif
