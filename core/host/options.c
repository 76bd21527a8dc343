//  options.c - what one instance is configured with: the lookups.

#include "host/options.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "host/options_read.h"
#include "host/value.h"

place_t
options_place (const pb_option_t *row)
{
    if (row->type == PB_OPTION_KEY)
        return PLACE_KEYS;
    return row->scope == PB_SCOPE_LOT ? PLACE_LOTS : PLACE_OPTIONS;
}

size_t
options_row (const options_t *self, const char *name)
{
    size_t row = 0;
    while (row < self->rows_count && !streq (self->rows[row]->name, name))
        row++;
    return row;
}

size_t
options_row_in (const options_t *self, const char *name, place_t place)
{
    size_t row = options_row (self, name);
    return row < self->rows_count && options_place (self->rows[row]) == place
               ? row
               : self->rows_count;
}

static const lot_t *
s_lot (const options_t *self, span_t name)
{
    for (size_t i = 0; i < self->lots_count; i++)
        if (span_is (name, self->lots[i].name))
            return &self->lots[i];
    return NULL;
}

options_t *
options_new (const pb_plugin_t *plugin, const config_instance_t *instance,
             const config_t *config, pb_error_t *error)
{
    options_t *self = xcalloc (1, sizeof *self);
    self->plugin = plugin;
    self->rows_count = (size_t) plugin->options_count;
    self->rows = xcalloc (self->rows_count + 1, sizeof *self->rows);
    const pb_option_t *row = plugin->options;
    for (size_t i = 0; i < self->rows_count; i++) {
        self->rows[i] = row;
        row = PB_NEXT (row);
    }
    self->values = xcalloc (self->rows_count + 1, sizeof *self->values);
    self->keys = xcalloc (self->rows_count + 1, sizeof *self->keys);
    if (!options_read (self, instance, config, error))
        options_destroy (&self);
    return self;
}

static void
s_free_values (const options_t *self, value_t *values)
{
    for (size_t i = 0; values && i < self->rows_count; i++) {
        for (size_t j = 0; j < values[i].lanes_count; j++) {
            free (values[i].lanes[j].lane);
            free (values[i].lanes[j].word);
        }
        free (values[i].lanes);
        free (values[i].text);
    }
    free (values);
}

void
options_destroy (options_t **self_p)
{
    options_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->rows_count; i++)
        for (size_t j = 0; j < self->keys[i].count; j++) {
            OPENSSL_cleanse (self->keys[i].secrets[j], self->keys[i].sizes[j]);
            free (self->keys[i].secrets[j]);
        }
    for (size_t i = 0; i < self->lots_count; i++)
        s_free_values (self, self->lots[i].values);
    s_free_values (self, self->values);
    free (self->keys);
    free (self->lots);
    free (self->rows);
    free (self);
    *self_p = NULL;
}

//  ------------------------------------------------------------------- lookups

static const value_t *
s_lot_value (const options_t *self, const char *lot, const char *name)
{
    const lot_t *found = s_lot (self, SPAN (lot));
    size_t row = options_row_in (self, name, PLACE_LOTS);
    return found && row < self->rows_count ? &found->values[row] : NULL;
}

const char *
options_get (const options_t *self, const char *name)
{
    size_t row = options_row_in (self, name, PLACE_OPTIONS);
    return row < self->rows_count ? self->values[row].text : NULL;
}

const char *
options_lot (const options_t *self, const char *lot, const char *name)
{
    const value_t *value = s_lot_value (self, lot, name);
    return value ? value->text : NULL;
}

const char *
options_lane_out (const options_t *self, const char *lot, const char *map,
                  const char *lane)
{
    const value_t *value = s_lot_value (self, lot, map);
    for (size_t i = 0; value && i < value->lanes_count; i++)
        if (streq (value->lanes[i].lane, lane))
            return value->lanes[i].word;
    return NULL;
}

const char *
options_lot_in (const options_t *self, const char *name, const char *value)
{
    size_t row = options_row_in (self, name, PLACE_LOTS);
    if (row == self->rows_count || !value)
        return NULL;
    char *wanted = value_canonical (self->rows[row], SPAN (value));
    size_t lot = 0;
    while (lot < self->lots_count
           && (!self->lots[lot].values[row].text
               || !streq (self->lots[lot].values[row].text, wanted)))
        lot++;
    free (wanted);
    return lot < self->lots_count ? self->lots[lot].name : NULL;
}

const char *
options_lane_in (const options_t *self, const char *lot, const char *map,
                 const char *value, const char *direction)
{
    const value_t *lanes = s_lot_value (self, lot, map);
    if (!lanes || !value)
        return NULL;
    char *word = value_canonical (self->rows[options_row (self, map)], SPAN (value));
    const char *first = NULL, *suited = NULL;
    for (size_t i = 0; i < lanes->lanes_count && !suited; i++) {
        const char *lane = lanes->lanes[i].lane;
        if (!streq (lanes->lanes[i].word, word))
            continue;
        if (!first)
            first = lane;
        if (direction && strncmp (lane, direction, strlen (direction)) == 0)
            suited = lane;
    }
    free (word);
    return suited ? suited : first;
}

bool
options_lists_lot (const options_t *self, span_t lot)
{
    return s_lot (self, lot) != NULL;
}

const char *
options_lot_lacks (const options_t *self, span_t lot)
{
    const lot_t *found = s_lot (self, lot);
    return found && found->lacks ? found->lacks->name : NULL;
}

const options_key_t *
options_key (const options_t *self, const char *name)
{
    size_t row = options_row_in (self, name, PLACE_KEYS);
    return row < self->rows_count && self->keys[row].count > 0 ? &self->keys[row]
                                                               : NULL;
}
