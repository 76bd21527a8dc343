//  form.c - pairs of name and value, and application/x-www-form-urlencoded.

#include <stdlib.h>
#include <string.h>
#include "sdk/form.h"
#include "sdk/hex.h"

bool
pb_pairs_add (const pb_env_t *env, pb_pairs_t *self, const char *name,
              const char *value, bool bare)
{
    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 16;
        pb_pair_t *items = pb_alloc (env, room * sizeof *items);
        if (!items)
            return false;
        if (self->count)
            memcpy (items, self->items, self->count * sizeof *items);
        self->items = items;
        self->room = room;
    }
    self->items[self->count++] = (pb_pair_t){name, value, bare};
    return true;
}

const char *
pb_pairs_get (const pb_pairs_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp (self->items[i].name, name))
            return self->items[i].value;
    return NULL;
}

//  Decode in place of a copy. NULL with *why (NULL there: no memory).
static const char *
s_unescape (const pb_env_t *env, const char *from, size_t size, const char **why)
{
    char *text = pb_alloc (env, size + 1);
    char *to = text;
    for (size_t i = 0; text && i < size; i++) {
        int high = 0, low = 0;
        char c = from[i] == '+' ? ' ' : from[i];
        if (c == '%') {
            high = i + 2 < size ? pb_hex_digit (from[i + 1]) : -1;
            low = i + 2 < size ? pb_hex_digit (from[i + 2]) : -1;
            if (high < 0 || low < 0) {
                *why = _ ("a percent sign is not followed by two hexadecimal digits");
                return NULL;
            }
            c = (char) (high << 4 | low);
            i += 2;
        }
        if (!c) {
            *why = _ ("it holds a NUL byte");
            return NULL;
        }
        *to++ = c;
    }
    return text;
}

//  One "name=value".
static int
s_read_pair (const pb_env_t *env, const char *from, size_t size, pb_pairs_t *form,
             const char **why)
{
    const char *equals = memchr (from, '=', size);
    size_t name_size = equals ? (size_t) (equals - from) : size;
    const char *name = s_unescape (env, from, name_size, why);
    const char *value = "";
    if (name && equals)
        value = s_unescape (env, equals + 1, size - name_size - 1, why);
    if (!name || !value)
        return *why ? PB_BADMSG : PB_NOMEM;
    if (!*name)
        *why = _ ("a value has no name");
    else if (form->count == PB_FORM_FIELDS)
        *why = _ ("it has more than 64 fields");
    else if (pb_pairs_get (form, name))
        *why = pb_format (env, _ ("%s stands there twice"),
                          pb_show (env, name, strlen (name)));
    if (*why)
        return PB_BADMSG;
    return pb_pairs_add (env, form, name, value, false) ? PB_OK : PB_NOMEM;
}

int
pb_form_read (const pb_env_t *env, pb_bytes_t body, pb_pairs_t *form, const char **why)
{
    *form = (pb_pairs_t){NULL, 0, 0};
    *why = NULL;
    const char *p = body.data;
    size_t left = body.size;
    while (left) {
        const char *end = memchr (p, '&', left);
        size_t size = end ? (size_t) (end - p) : left;
        int rc = size ? s_read_pair (env, p, size, form, why) : PB_OK;
        if (rc != PB_OK)
            return rc;
        size_t step = end ? size + 1 : size;
        p += step;
        left -= step;
    }
    return PB_OK;
}

void
pb_form_escape (pb_buffer_t *to, const char *value)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~";
    for (const char *p = value; *p;) {
        size_t run = strspn (p, plain);
        pb_add (to, p, run);
        p += run;
        if (*p) {
            char escape[4] = "%";
            pb_hex_upper (p++, 1, escape + 1);
            pb_add (to, escape, 3);
        }
    }
}

void
pb_form_write (pb_buffer_t *to, const pb_pairs_t *form)
{
    for (size_t i = 0; i < form->count; i++) {
        if (i)
            pb_add (to, "&", 1);
        pb_form_escape (to, form->items[i].name);
        pb_add (to, "=", 1);
        pb_form_escape (to, form->items[i].value);
    }
}

static int
s_by_name (const void *a, const void *b)
{
    return strcmp (((const pb_pair_t *) a)->name, ((const pb_pair_t *) b)->name);
}

static bool
s_listed (const char *const *names, const char *name)
{
    for (; *names; names++)
        if (!strcmp (*names, name))
            return true;
    return false;
}

const char *
pb_form_canonical (const pb_env_t *env, const pb_pairs_t *form,
                   const char *const *except)
{
    pb_pair_t *sorted = pb_alloc (env, (form->count + 1) * sizeof *sorted);
    if (!sorted)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < form->count; i++)
        if (*form->items[i].value && !s_listed (except, form->items[i].name))
            sorted[count++] = form->items[i];
    qsort (sorted, count, sizeof *sorted, s_by_name);

    pb_buffer_t text = {.env = env};
    for (size_t i = 0; i < count; i++) {
        pb_add_text (&text, i ? "&" : "");
        pb_add_text (&text, sorted[i].name);
        pb_add_text (&text, "=");
        pb_add_text (&text, sorted[i].value);
    }
    return pb_done (&text);
}
