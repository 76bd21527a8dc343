//  walk.c - over JSON that scan_text () has checked: members, elements, values, packing.
//
//  Nothing here checks again: the text is known to be right.

#include "schema/scan.h"

static bool
s_blank (char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *
s_skip_blank (const char *p)
{
    while (s_blank (*p))
        p++;
    return p;
}

//  At a quote: behind the closing one.
static const char *
s_skip_string (const char *p, const char *end)
{
    for (p++;; p++) {
        p = memchr (p, '"', (size_t) (end - p));
        //  An odd number of backslashes before it makes it a part of the text.
        const char *slash = p;
        while (slash[-1] == '\\')
            slash--;
        if ((p - slash) % 2 == 0)
            return p + 1;
    }
}

static const char *
s_skip_value (const char *p, const char *end)
{
    if (*p == '"')
        return s_skip_string (p, end);
    if (*p != '{' && *p != '[') {
        while (p < end && *p != ',' && *p != '}' && *p != ']' && !s_blank (*p))
            p++;
        return p;
    }
    for (unsigned depth = 0;;) {
        if (*p == '"') {
            p = s_skip_string (p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
}

void
walk_start (walk_t *self, span_t container)
{
    self->p = container.p + 1;
    self->end = container.p + container.n - 1;
}

//  To the next member or element; false at the end.
static bool
s_next (walk_t *self)
{
    while (self->p < self->end && (s_blank (*self->p) || *self->p == ','))
        self->p++;
    return self->p < self->end;
}

bool
walk_element (walk_t *self, span_t *value)
{
    if (!s_next (self))
        return false;
    value->p = self->p;
    self->p = s_skip_value (self->p, self->end);
    value->n = (size_t) (self->p - value->p);
    return true;
}

bool
walk_member (walk_t *self, span_t *name, span_t *value)
{
    if (!s_next (self))
        return false;
    const char *first = self->p;
    self->p = s_skip_string (first, self->end);
    span_t quoted = {first, (size_t) (self->p - first)};
    *name = scan_string_text (quoted, self->room, sizeof self->room);
    if (!name->p)
        *name = (span_t){first + 1, quoted.n - 2};
    self->p = s_skip_blank (self->p); //  To the colon
    self->p = s_skip_blank (self->p + 1);
    value->p = self->p;
    self->p = s_skip_value (self->p, self->end);
    value->n = (size_t) (self->p - value->p);
    return true;
}

char *
scan_pack (char *to, span_t value)
{
    const char *p = value.p, *end = value.p + value.n;
    while (p < end) {
        if (*p == '"') {
            const char *behind = s_skip_string (p, end);
            memcpy (to, p, (size_t) (behind - p));
            to += behind - p;
            p = behind;
        } else if (s_blank (*p))
            p++;
        else
            *to++ = *p++;
    }
    return to;
}

bool
scan_integer (span_t value, int64_t *number)
{
    return value.p && text_int64 (value, INT64_MIN, INT64_MAX, number);
}
