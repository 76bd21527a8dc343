//  http/body.c - a request's body, read piece by piece from its parts.

#include "http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 3072 //  Of a file, whole groups of three for Base64

typedef struct {
    const http_body_part_t *part;
    int fd;
    uint64_t size; //  As it goes out
} s_source_t;

struct http_body {
    s_source_t *sources;
    size_t count;
    uint64_t size;
    //  Where reading is
    size_t now;
    uint64_t given; //  Of this source
    off_t offset;   //  In its file
    //  Encoded and not yet given away: each of 4 characters per 3 bytes may become three
    char piece[PIECE / 3 * 4 * 3];
    size_t piece_size, piece_given;
};

//  ---- Pieces of a file ---------------------------------------------------------------

//  Fill up from a regular file. Bytes, or -1.
static ssize_t
s_pread (int fd, char *to, size_t room, off_t offset)
{
    size_t size = 0;
    while (size < room) {
        ssize_t got = pread (fd, to + size, room - size, offset + (off_t) size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t) got;
    }
    return (ssize_t) size;
}

//  Base64, the characters that mean something in a form percent-encoded.
static size_t
s_encode (const char *bytes, size_t size, char *to)
{
    static const struct {
        char from;
        const char *to;
    } escapes[] = {
        {'+', "%2B"},
        {'/', "%2F"},
        {'=', "%3D"}
    };
    char text[PIECE / 3 * 4 + 1];
    char *start = to;
    base64_encode (bytes, size, text);
    for (const char *p = text; *p; p++) {
        const char *escape = NULL;
        for (size_t i = 0; i < ARRAY_SIZE (escapes); i++)
            if (*p == escapes[i].from)
                escape = escapes[i].to;
        if (escape) {
            memcpy (to, escape, 3);
            to += 3;
        } else
            *to++ = *p;
    }
    return (size_t) (to - start);
}

//  The next piece of the file, as it goes out. Its size; 0 at the end; -1.
static ptrdiff_t
s_next (const s_source_t *source, off_t *offset, char *to)
{
    char bytes[PIECE];
    ssize_t got = s_pread (source->fd, bytes, sizeof bytes, *offset);
    if (got <= 0)
        return got;
    *offset += got;
    if (source->part->kind == HTTP_BODY_FILE_BASE64)
        return (ptrdiff_t) s_encode (bytes, (size_t) got, to);
    memcpy (to, bytes, (size_t) got);
    return got;
}

//  ---- Making -------------------------------------------------------------------------

static bool
s_open (http_body_t *self, s_source_t *source, char error[static 256])
{
    const char *path = source->part->text;
    struct stat stat;
    source->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0 || fstat (source->fd, &stat) != 0) {
        snprintf (error, 256, _ ("cannot read %s: %s"), path, strerror (errno));
        return false;
    }
    if (!S_ISREG (stat.st_mode)) {
        snprintf (error, 256, _ ("%s is no file: name a regular file"), path);
        return false;
    }
    source->size = (uint64_t) stat.st_size;
    if (source->part->kind == HTTP_BODY_FILE)
        return true;
    //  How many characters will be escaped only reading tells
    source->size = 0;
    off_t offset = 0;
    ptrdiff_t got;
    while ((got = s_next (source, &offset, self->piece)) > 0)
        source->size += (uint64_t) got;
    if (got < 0)
        snprintf (error, 256, _ ("cannot read %s: %s"), path, strerror (errno));
    return got == 0;
}

http_body_t *
http_body_new (const http_body_part_t *parts, size_t count, char error[static 256])
{
    http_body_t *self = xcalloc (1, sizeof *self);
    self->sources = xcalloc (count, sizeof *self->sources);
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->sources[i] =
            (s_source_t){.part = &parts[i], .fd = -1, .size = parts[i].size};
    for (size_t i = 0; i < count; i++) {
        if (parts[i].kind != HTTP_BODY_BYTES
            && !s_open (self, &self->sources[i], error)) {
            http_body_destroy (&self);
            return NULL;
        }
        self->size += self->sources[i].size;
    }
    return self;
}

void
http_body_destroy (http_body_t **self_p)
{
    http_body_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (self->sources[i].fd >= 0)
            close (self->sources[i].fd);
    free (self->sources);
    free (self);
    *self_p = NULL;
}

uint64_t
http_body_size (const http_body_t *self)
{
    return self->size;
}

//  ---- Reading ------------------------------------------------------------------------

void
http_body_rewind (http_body_t *self)
{
    self->now = 0;
    self->given = 0;
    self->offset = 0;
    self->piece_size = self->piece_given = 0;
}

//  The bytes at hand of this source; 0: its end; -1.
static ptrdiff_t
s_at_hand (http_body_t *self, const char **bytes)
{
    const s_source_t *source = &self->sources[self->now];
    uint64_t left = source->size - self->given;
    if (source->part->kind == HTTP_BODY_BYTES) {
        *bytes = source->part->text + self->given;
        return (ptrdiff_t) left;
    }
    if (left > 0 && self->piece_given == self->piece_size) {
        ptrdiff_t got = s_next (source, &self->offset, self->piece);
        if (got <= 0)
            return -1; //  Shorter than it was
        self->piece_size = (size_t) got;
        self->piece_given = 0;
    }
    size_t size = self->piece_size - self->piece_given;
    if (size > left)
        return -1; //  Longer
    *bytes = self->piece + self->piece_given;
    return (ptrdiff_t) size;
}

ptrdiff_t
http_body_read (http_body_t *self, char *to, size_t room)
{
    size_t size = 0;
    while (size < room && self->now < self->count) {
        const char *bytes = NULL;
        ptrdiff_t got = s_at_hand (self, &bytes);
        if (got < 0)
            return -1;
        if (got == 0) {
            self->now++;
            self->given = 0;
            self->offset = 0;
            self->piece_size = self->piece_given = 0;
            continue;
        }
        size_t n = (size_t) got < room - size ? (size_t) got : room - size;
        memcpy (to + size, bytes, n);
        size += n;
        self->given += n;
        if (self->sources[self->now].part->kind != HTTP_BODY_BYTES)
            self->piece_given += n;
    }
    return (ptrdiff_t) size;
}
