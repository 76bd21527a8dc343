//  scenario.c - the scenario file: a YAML tree that knows its lines, checked by tables.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "sim.h"

//  Line and column travel in the node's user data: (line << 12) | column.
#define COLUMNS 4096

static void
s_mark (json_object *node, yaml_mark_t mark)
{
    size_t column = mark.column + 1 < COLUMNS ? mark.column + 1 : COLUMNS - 1;
    uintptr_t place = (mark.line + 1) * COLUMNS + column;
    json_object_set_userdata (node, (void *) place, NULL);
}

void
settings_place (json_object *node, const char *where, char *to, size_t room)
{
    uintptr_t place = node ? (uintptr_t) json_object_get_userdata (node) : 0;
    if (place)
        snprintf (to, room, "%s:%zu:%zu", where, (size_t) (place / COLUMNS),
                  (size_t) (place % COLUMNS));
    else
        snprintf (to, room, "%s", where);
}

bool
settings_number (json_object *node, int64_t *value)
{
    if (json_object_is_type (node, json_type_int)) {
        *value = json_object_get_int64 (node);
        return true;
    }
    const char *text = json_object_is_type (node, json_type_string)
                           ? json_object_get_string (node)
                           : "";
    return text_int64 (SPAN (text), INT64_MIN, INT64_MAX, value);
}

static const setting_t *
s_find (const setting_table_t *tables, size_t count, const char *name, void **target)
{
    for (size_t i = 0; i < count; i++) {
        for (const setting_t *row = tables[i].rows; row->name; row++) {
            if (streq (row->name, name)) {
                *target = (char *) tables[i].target + row->offset;
                return row;
            }
        }
    }
    return NULL;
}

static bool
s_set (const setting_t *row, void *target, json_object *value, const char *place,
       pb_error_t *error)
{
    static const json_type wanted[] = {
        [SETTING_MAP] = json_type_object,
        [SETTING_LIST] = json_type_array,
    };
    const char *text = json_object_is_type (value, json_type_string)
                           ? json_object_get_string (value)
                           : NULL;
    int64_t number = 0;
    switch (row->kind) {
    case SETTING_TEXT:
        if (!text || !*text)
            return pb_error (error, PB_E_CONFIG, row->name, _ ("%s: '%s' wants a text"),
                             place, row->name);
        free (*(char **) target);
        *(char **) target = xstrdup (text);
        return true;
    case SETTING_NUMBER:
        if (!settings_number (value, &number) || number < row->min || number > row->max)
            return pb_error (error, PB_E_CONFIG, row->name,
                             _ ("%s: '%s' wants a number from %lld to %lld"), place,
                             row->name, (long long) row->min, (long long) row->max);
        *(int64_t *) target = number;
        return true;
    case SETTING_FLAG:
        *(bool *) target = streq (json_object_get_string (value), "true");
        if (!*(bool *) target && !streq (json_object_get_string (value), "false"))
            return pb_error (error, PB_E_CONFIG, row->name,
                             _ ("%s: '%s' is true or false"), place, row->name);
        return true;
    case SETTING_MAP:
    case SETTING_LIST:
        if (!json_object_is_type (value, wanted[row->kind]))
            return pb_error (error, PB_E_CONFIG, row->name,
                             row->kind == SETTING_MAP ? _ ("%s: '%s' wants a map")
                                                      : _ ("%s: '%s' wants a list"),
                             place, row->name);
        *(json_object **) target = value;
        return true;
    }
    return false;
}

bool
settings_read (json_object *map, const char *where, const setting_table_t *tables,
               size_t count, pb_error_t *error)
{
    char place[256];
    settings_place (map, where, place, sizeof place);
    if (!json_object_is_type (map, json_type_object))
        return pb_error (error, PB_E_CONFIG, "", _ ("%s: a map of keys belongs here"),
                         place);
    json_object_object_foreach (map, name, value)
    {
        void *target = NULL;
        const setting_t *row = s_find (tables, count, name, &target);
        char at[256];
        settings_place (value, where, at, sizeof at);
        if (!row)
            return pb_error (
                error, PB_E_CONFIG, name,
                _ ("%s: there is no key '%s' here; docs/sandbox.md lists them"), at,
                name);
        if (!s_set (row, target, value, at, error))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        for (const setting_t *row = tables[i].rows; row->name; row++) {
            if (row->required && !json_member (map, row->name))
                return pb_error (error, PB_E_CONFIG, row->name,
                                 _ ("%s: the key '%s' is missing"), place, row->name);
        }
    }
    return true;
}

//  A YAML document on its way to a tree.
typedef struct {
    const char *file;
    yaml_document_t document;
    int depth;
    pb_error_t *error;
} reader_t;

static json_object *s_node (reader_t *self, yaml_node_t *node);

static bool
s_wrong (reader_t *self, yaml_mark_t mark, const char *sentence)
{
    return pb_error (self->error, PB_E_CONFIG, "", "%s:%zu:%zu: %s", self->file,
                     mark.line + 1, mark.column + 1, sentence);
}

static bool
s_pairs (reader_t *self, json_object *map, yaml_node_t *node)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node (&self->document, pair->key);
        if (key->type != YAML_SCALAR_NODE)
            return s_wrong (self, key->start_mark, _ ("a key has to be a word"));
        const char *name = (const char *) key->data.scalar.value;
        if (json_member (map, name))
            return s_wrong (self, key->start_mark, _ ("this key stands here twice"));
        json_object *child =
            s_node (self, yaml_document_get_node (&self->document, pair->value));
        if (!child)
            return false;
        json_object_object_add (map, name, child);
    }
    return true;
}

static bool
s_items (reader_t *self, json_object *list, yaml_node_t *node)
{
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_object *child =
            s_node (self, yaml_document_get_node (&self->document, *item));
        if (!child)
            return false;
        json_object_array_add (list, child);
    }
    return true;
}

static json_object *
s_node (reader_t *self, yaml_node_t *node)
{
    json_object *made = NULL;
    bool whole = true;
    if (++self->depth > 16) //  An alias may point at what it stands in
        whole = s_wrong (self, node->start_mark, _ ("this is nested too deeply"));
    else if (node->type == YAML_SCALAR_NODE)
        made = json_object_new_string_len ((const char *) node->data.scalar.value,
                                           (int) node->data.scalar.length);
    else if (node->type == YAML_SEQUENCE_NODE) {
        made = json_object_new_array ();
        whole = s_items (self, made, node);
    } else {
        made = json_object_new_object ();
        whole = s_pairs (self, made, node);
    }
    self->depth--;
    if (!whole) {
        json_object_put (made);
        return NULL;
    }
    s_mark (made, node->start_mark);
    return made;
}

static json_object *
s_document (reader_t *self)
{
    yaml_node_t *root = yaml_document_get_root_node (&self->document);
    if (root)
        return s_node (self, root);
    pb_error (self->error, PB_E_CONFIG, "", _ ("%s: the file is empty"), self->file);
    return NULL;
}

json_object *
scenario_load (const char *file, pb_error_t *error)
{
    reader_t reader = {.file = file, .error = error};
    json_object *made = NULL;
    yaml_parser_t parser;
    FILE *in = fopen (file, "rb");
    if (!in) {
        pb_error (error, PB_E_CONFIG, "", _ ("%s cannot be read: %s"), file,
                  strerror (errno));
        return NULL;
    }
    yaml_parser_initialize (&parser);
    yaml_parser_set_input_file (&parser, in);
    if (!yaml_parser_load (&parser, &reader.document))
        s_wrong (&reader, parser.problem_mark,
                 parser.problem ? parser.problem : _ ("this is not YAML"));
    else {
        made = s_document (&reader);
        yaml_document_delete (&reader.document);
    }
    yaml_parser_delete (&parser);
    fclose (in);
    return made;
}
