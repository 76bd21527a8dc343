//  form.c - application/x-www-form-urlencoded, strictly: decoded, sorted, encoded.

#include "config.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

static int
s_hex (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

//  NUL-terminated; NULL for a broken escape or a NUL byte inside.
static char *
s_decode (const char *from, size_t size, size_t *decoded)
{
    char *to = xmalloc (size + 1);
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char) from[i];
        if (c == '+')
            c = ' ';
        else if (c == '%') {
            int high = i + 2 < size ? s_hex (from[i + 1]) : -1;
            int low = i + 2 < size ? s_hex (from[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (c == 0) {
            free (to);
            return NULL;
        }
        to[n++] = (char) c;
    }
    to[n] = 0;
    *decoded = n;
    return to;
}

//  Keeps the fields sorted; false when the name is there already.
static bool
s_insert (form_t *form, form_field_t field)
{
    size_t at = 0;
    while (at < form->count && strcmp (form->fields[at].name, field.name) < 0)
        at++;
    if (at < form->count && strcmp (form->fields[at].name, field.name) == 0)
        return false;
    form->fields = xrealloc (form->fields, (form->count + 1) * sizeof field);
    memmove (form->fields + at + 1, form->fields + at,
             (form->count - at) * sizeof field);
    form->fields[at] = field;
    form->count++;
    return true;
}

//  One "name=value".
static form_fault_t
s_parse_pair (const char *pair, size_t size, form_t *form, const char **culprit)
{
    const char *equals = memchr (pair, '=', size);
    size_t name_size = equals ? (size_t) (equals - pair) : size;
    size_t value_at = equals ? name_size + 1 : size;
    form_field_t field = {0};
    form_fault_t fault = FORM_BROKEN;
    size_t decoded = 0;

    field.name = s_decode (pair, name_size, &decoded);
    if (!field.name || decoded == 0)
        goto failed;
    field.value = s_decode (pair + value_at, size - value_at, &field.value_size);
    if (!field.value)
        goto failed;
    fault = FORM_NOT_UTF8;
    if (!utf8_valid (field.name, decoded)
        || !utf8_valid (field.value, field.value_size))
        goto failed;
    fault = FORM_TWICE;
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp (form->fields[i].name, field.name) == 0)
            *culprit = form->fields[i].name;
    }
    if (!s_insert (form, field))
        goto failed;
    return FORM_OK;

failed:
    free (field.name);
    free (field.value);
    return fault;
}

form_fault_t
form_parse (const char *body, size_t size, form_t *form, const char **culprit)
{
    *form = (form_t){0};
    *culprit = "";
    form_fault_t fault = FORM_OK;
    for (size_t at = 0; at < size && fault == FORM_OK;) {
        const char *end = memchr (body + at, '&', size - at);
        size_t pair = end ? (size_t) (end - body) - at : size - at;
        fault = s_parse_pair (body + at, pair, form, culprit);
        at += pair + 1;
    }
    return fault;
}

const char *
form_get (const form_t *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp (form->fields[i].name, name) == 0)
            return form->fields[i].value;
    }
    return NULL;
}

void
form_add (form_t *form, const char *name, const char *format, ...)
{
    form_field_t field = {.name = xstrdup (name)};
    va_list args;
    va_start (args, format);
    int size = vasprintf (&field.value, format, args);
    va_end (args);
    if (size < 0)
        abort ();
    field.value_size = (size_t) size;
    if (!s_insert (form, field))
        abort (); //  Two fields of one name: a mistake of ours
}

static void
s_encode (const char *text, size_t size, buffer_t *to)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._*";
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == ' ')
            buffer_add (to, "+", 1);
        else if (strchr (plain, c))
            buffer_add (to, &c, 1);
        else
            buffer_printf (to, "%%%02X", (unsigned char) c);
    }
}

void
form_encode (const form_t *form, buffer_t *to)
{
    for (size_t i = 0; i < form->count; i++) {
        const form_field_t *field = &form->fields[i];
        if (i)
            buffer_add (to, "&", 1);
        s_encode (field->name, strlen (field->name), to);
        buffer_add (to, "=", 1);
        s_encode (field->value, field->value_size, to);
    }
}

void
form_free (form_t *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free (form->fields[i].name);
        free (form->fields[i].value);
    }
    free (form->fields);
    *form = (form_t){0};
}
