//  books.c - what a simulated platform remembers, as one JSON tree per platform.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

json_object *
json_member (json_object *map, const char *name)
{
    json_object *value = NULL;
    if (json_object_is_type (map, json_type_object))
        json_object_object_get_ex (map, name, &value);
    return value;
}

const char *
json_text (json_object *map, const char *name)
{
    json_object *value = json_member (map, name);
    return json_object_is_type (value, json_type_string)
               ? json_object_get_string (value)
               : NULL;
}

int64_t
json_number (json_object *map, const char *name)
{
    int64_t value = 0;
    settings_number (json_member (map, name), &value);
    return value;
}

void
json_set_text (json_object *map, const char *name, const char *text)
{
    json_object_object_add (map, name, json_object_new_string (text ? text : ""));
}

void
json_set_number (json_object *map, const char *name, int64_t value)
{
    json_object_object_add (map, name, json_object_new_int64 (value));
}

void
json_set_flag (json_object *map, const char *name, bool value)
{
    json_object_object_add (map, name, json_object_new_boolean (value));
}

json_object *
json_copy (json_object *value)
{
    json_object *copy = NULL;
    if (value)
        json_object_deep_copy (value, &copy, NULL);
    return copy;
}

json_object *
json_read (const char *text, size_t size)
{
    json_tokener *tokener = json_tokener_new_ex (16);
    json_tokener_set_flags (tokener, JSON_TOKENER_STRICT);
    json_object *value = json_tokener_parse_ex (tokener, text, (int) size);
    enum json_tokener_error error = json_tokener_get_error (tokener);
    if (error == json_tokener_continue) {
        //  A number at the very end is only complete with something behind it.
        value = json_tokener_parse_ex (tokener, "", 1);
        error = json_tokener_get_error (tokener);
    } else if (json_tokener_get_parse_end (tokener) != size)
        error = json_tokener_error_parse_unexpected;
    if (error != json_tokener_success) {
        json_object_put (value);
        value = NULL;
    }
    json_tokener_free (tokener);
    return value;
}

static json_object *
s_child (json_object *map, const char *name, bool list)
{
    json_object *child = json_member (map, name);
    if (!child) {
        child = list ? json_object_new_array () : json_object_new_object ();
        json_object_object_add (map, name, child);
    }
    return child;
}

json_object *
books_section (sim_platform_t *self, const char *name)
{
    return s_child (self->books, name, false);
}

void
books_count (sim_platform_t *self, const char *section, const char *row,
             const char *column)
{
    json_object *counts = s_child (books_section (self, section), row, false);
    json_set_number (counts, column, json_number (counts, column) + 1);
}

static void
s_note (sim_platform_t *self, const char *list, const char *endpoint,
        const char *record, const char *field, const char *sentence)
{
    json_object *note = json_object_new_object ();
    json_set_text (note, "endpoint", endpoint);
    json_set_text (note, "record", record);
    if (field)
        json_set_text (note, "field", field);
    json_set_text (note, "sentence", sentence);
    json_object_array_add (s_child (self->books, list, true), note);
}

void
books_violation (sim_platform_t *self, const char *endpoint, const char *record,
                 const char *field, char *said, const char *format, ...)
{
    char sentence[SIM_SENTENCE];
    va_list args;
    va_start (args, format);
    vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    s_note (self, "violations", endpoint, record, field, sentence);
    if (said)
        snprintf (said, SIM_SENTENCE, "%s", sentence);
}

void
books_remark (sim_platform_t *self, const char *endpoint, const char *record,
              const char *format, ...)
{
    char sentence[SIM_SENTENCE];
    va_list args;
    va_start (args, format);
    vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    s_note (self, "remarks", endpoint, record, NULL, sentence);
}
