//  buffer.c - growing bytes, and memory that is there or the process is not.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"

static void *
s_there (void *p)
{
    if (p)
        return p;
    //  Nothing that needs memory any more: no gettext, no log.
    fputs ("out of memory: give the process more, or lower its limits\n", stderr);
    abort ();
}

void *
xmalloc (size_t size)
{
    return s_there (malloc (size ? size : 1));
}

void *
xcalloc (size_t count, size_t size)
{
    return s_there (calloc (count ? count : 1, size ? size : 1));
}

void *
xrealloc (void *p, size_t size)
{
    return s_there (realloc (p, size ? size : 1));
}

char *
xstrdup (const char *text)
{
    return text ? s_there (strdup (text)) : NULL;
}

//  Room for `more` bytes and a NUL behind them.
static void
s_reserve (buffer_t *self, size_t more)
{
    if (more >= SIZE_MAX / 4 || self->size >= SIZE_MAX / 4)
        s_there (NULL);
    size_t need = self->size + more + 1;
    if (need <= self->room)
        return;
    size_t room = self->room ? self->room : 128;
    while (room < need)
        room *= 2;
    self->data = xrealloc (self->data, room);
    self->room = room;
}

void
buffer_add (buffer_t *self, const void *bytes, size_t size)
{
    s_reserve (self, size);
    if (size)
        memcpy (self->data + self->size, bytes, size);
    self->size += size;
    self->data[self->size] = 0;
}

void
buffer_text (buffer_t *self, const char *text)
{
    buffer_add (self, text, strlen (text));
}

void
buffer_printf (buffer_t *self, const char *format, ...)
{
    va_list args, again;
    va_start (args, format);
    va_copy (again, args);
    int size = vsnprintf (NULL, 0, format, args);
    va_end (args);
    if (size > 0) {
        s_reserve (self, (size_t) size);
        vsnprintf (self->data + self->size, (size_t) size + 1, format, again);
        self->size += (size_t) size;
    }
    va_end (again);
}

void
buffer_json_string (buffer_t *self, const char *text, size_t size)
{
    static const char shorts[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    buffer_add (self, "\"", 1);
    size_t from = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_add (self, text + from, i - from);
        from = i + 1;
        if (c >= 0x20)
            buffer_printf (self, "\\%c", c);
        else if (shorts[c])
            buffer_printf (self, "\\%c", shorts[c]);
        else
            buffer_printf (self, "\\u%04x", c);
    }
    buffer_add (self, text + from, size - from);
    buffer_add (self, "\"", 1);
}

void
buffer_reset (buffer_t *self)
{
    self->size = 0;
    if (self->data)
        self->data[0] = 0;
}

void
buffer_free (buffer_t *self)
{
    free (self->data);
    *self = (buffer_t){0};
}
