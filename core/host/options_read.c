//  options_read.c - the file of an instance into typed values, or a sentence why not.

#include "host/options_read.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "host/value.h"

#define MARK_MAX 256

//  How to get there, for sentences.
static const char *const places[] = {
    [PLACE_KEYS] = N_ ("under keys:"),
    [PLACE_OPTIONS] = N_ ("under options:"),
    [PLACE_LOTS] = N_ ("under each lot of lots:"),
};

//  What one group of values is read from, and into.
typedef struct {
    options_t *self;
    const config_instance_t *instance;
    const config_lot_t *lot; //  PLACE_LOTS
    place_t place;
    value_t *values;
    pb_error_t *error;
} reader_t;

//  ------------------------------------------------------------------- sentences

//  The name in a list that is so near that it may have been meant; NULL for none.
typedef struct {
    const char *given;
    const char *name;
    unsigned distance;
} nearest_t;

static void
s_nearer (nearest_t *nearest, const char *name)
{
    unsigned distance = text_distance (nearest->given, name);
    if (distance <= 1 + strlen (nearest->given) / 4 && distance < nearest->distance) {
        nearest->distance = distance;
        nearest->name = name;
    }
}

static bool
s_unknown (const reader_t *reader, const char *name, config_mark_t mark)
{
    const options_t *self = reader->self;
    const char *module = self->plugin->name;
    char at[MARK_MAX];
    config_mark_text (mark, at, sizeof at);

    size_t row = options_row (self, name);
    if (row < self->rows_count)
        return pb_error (reader->error, PB_E_CONFIG, name,
                         _ ("%s: `%s` of module %s does not belong here: write it %s"),
                         at, name, module, _ (places[options_place (self->rows[row])]));

    nearest_t nearest = {name, NULL, 100};
    buffer_t known = {0};
    for (row = 0; row < self->rows_count; row++)
        if (options_place (self->rows[row]) == reader->place) {
            s_nearer (&nearest, self->rows[row]->name);
            buffer_printf (&known, "%s%s", known.size ? ", " : "",
                           self->rows[row]->name);
        }
    buffer_add (&known, "", 1);
    if (nearest.name)
        pb_error (reader->error, PB_E_CONFIG, name,
                  _ ("%s: module %s knows no `%s` here; did you mean `%s`?"), at,
                  module, name, nearest.name);
    else if (known.size > 1)
        pb_error (reader->error, PB_E_CONFIG, name,
                  _ ("%s: module %s knows no `%s` here, only %s"), at, module, name,
                  known.data);
    else
        pb_error (
            reader->error, PB_E_CONFIG, name,
            _ ("%s: module %s knows no `%s`, nor anything else here: take it out"), at,
            module, name);
    buffer_free (&known);
    return false;
}

static bool
s_misfit (const reader_t *reader, const pb_option_t *row, const char *value,
          config_mark_t mark)
{
    char at[MARK_MAX], wanted[256];
    config_mark_text (mark, at, sizeof at);
    value_wanted (row, wanted, sizeof wanted);
    if (value)
        return pb_error (reader->error, PB_E_CONFIG, row->name,
                         _ ("%s: `%s` is \"%.64s\"; it must be %s (%s)"), at, row->name,
                         value, wanted, value_help (row));
    return pb_error (reader->error, PB_E_CONFIG, row->name,
                     _ ("%s: `%s` must be %s (%s)"), at, row->name, wanted,
                     value_help (row));
}

static bool
s_missing (const reader_t *reader, const pb_option_t *row)
{
    char at[MARK_MAX];
    config_mark_text (reader->instance->mark, at, sizeof at);
    return pb_error (reader->error, PB_E_CONFIG, row->name,
                     _ ("%s: module %s needs `%s` (%s): write it %s"), at,
                     reader->self->plugin->name, row->name, value_help (row),
                     _ (places[options_place (row)]));
}

//  ------------------------------------------------------------------- reading values

//  An entry and an exit lane may share a word; two of one direction may not be told
//  apart.
static void
s_warn_shared (const reader_t *reader, const value_t *value, config_mark_t mark)
{
    const lane_t *last = &value->lanes[value->lanes_count - 1];
    for (const lane_t *other = value->lanes; other < last; other++) {
        if (!streq (other->word, last->word))
            continue;
        bool in = strncmp (other->lane, "in", 2) == 0;
        bool out = strncmp (other->lane, "out", 3) == 0;
        bool last_in = strncmp (last->lane, "in", 2) == 0;
        bool last_out = strncmp (last->lane, "out", 3) == 0;
        if ((in && last_out) || (out && last_in))
            continue;
        char at[MARK_MAX];
        config_mark_text (mark, at, sizeof at);
        log_warning (
            reader->instance->name,
            _ ("%s: lanes %s and %s of lot %s are both \"%s\": what the platform "
               "says of it is taken to be of %s"),
            at, other->lane, last->lane, reader->lot->name, last->word, other->lane);
        return;
    }
}

static bool
s_lot_has_lane (const config_lot_t *lot, const char *lane)
{
    for (size_t i = 0; i < lot->lanes_count; i++)
        if (streq (lot->lanes[i], lane))
            return true;
    return false;
}

static bool
s_read_lane (const reader_t *reader, const pb_option_t *row, const config_pair_t *pair,
             value_t *value)
{
    char at[MARK_MAX];
    config_mark_text (pair->mark, at, sizeof at);
    if (!id_is_name (SPAN (pair->name)))
        return pb_error (
            reader->error, PB_E_CONFIG, row->name,
            _ ("%s: \"%s\" cannot be a lane: its name is 1 to 32 of a-z, 0-9 "
               "and -"),
            at, pair->name);
    if (!value_fits (row, SPAN (pair->value)))
        return s_misfit (reader, row, pair->value, pair->mark);
    if (!s_lot_has_lane (reader->lot, pair->name))
        log_warning (
            reader->instance->name,
            _ ("%s: lot %s has no lane %s: add it to `lanes` of the lot, or take "
               "it out here"),
            at, reader->lot->name, pair->name);
    value->lanes[value->lanes_count].lane = xstrdup (pair->name);
    value->lanes[value->lanes_count++].word = value_canonical (row, SPAN (pair->value));
    s_warn_shared (reader, value, pair->mark);
    return true;
}

//  Lanes of the lot that a required map leaves out: what happens there cannot be sent.
static void
s_warn_wordless (const reader_t *reader, const pb_option_t *row, const value_t *value,
                 config_mark_t mark)
{
    if (!(row->flags & PB_OPTION_REQUIRED))
        return;
    for (size_t i = 0; i < reader->lot->lanes_count; i++) {
        const char *lane = reader->lot->lanes[i];
        size_t found = 0;
        while (found < value->lanes_count && !streq (value->lanes[found].lane, lane))
            found++;
        if (found < value->lanes_count)
            continue;
        char at[MARK_MAX];
        config_mark_text (mark, at, sizeof at);
        log_warning (
            reader->instance->name,
            _ ("%s: lane %s of lot %s is not in `%s` (%s): what happens there is "
               "set aside until it is"),
            at, lane, reader->lot->name, row->name, value_help (row));
    }
}

static bool
s_read_map (const reader_t *reader, const pb_option_t *row,
            const config_option_t *given, value_t *value)
{
    value->lanes = xcalloc (given->count + 1, sizeof *value->lanes);
    for (size_t i = 0; i < given->count; i++)
        if (!s_read_lane (reader, row, &given->items[i], value))
            return false;
    s_warn_wordless (reader, row, value, given->mark);
    return true;
}

static bool
s_read_list (const reader_t *reader, const pb_option_t *row,
             const config_option_t *given, value_t *value)
{
    buffer_t joined = {0};
    bool fits = true;
    for (size_t i = 0; i < given->count && fits; i++) {
        const config_pair_t *item = &given->items[i];
        fits = value_fits (row, SPAN (item->value))
               || s_misfit (reader, row, item->value, item->mark);
        if (joined.size > 0)
            buffer_add (&joined, "\n", 1);
        buffer_text (&joined, item->value ? item->value : "");
    }
    buffer_add (&joined, "", 1);
    value->text = xstrdup (joined.data);
    buffer_free (&joined);
    return fits;
}

static bool
s_read_scalar (const reader_t *reader, const pb_option_t *row,
               const config_option_t *given, value_t *value)
{
    bool empty = !given->value || !*given->value;
    if ((empty && row->flags & PB_OPTION_REQUIRED)
        || !value_fits (row, SPAN (given->value)))
        return s_misfit (reader, row, given->value, given->mark);
    value->text = value_canonical (row, SPAN (given->value));
    return true;
}

//  One row per config_shape_t.
static bool (*const shapes[]) (const reader_t *, const pb_option_t *,
                               const config_option_t *, value_t *) = {
    [OPTION_SCALAR] = s_read_scalar,
    [OPTION_LIST] = s_read_list,
    [OPTION_MAP] = s_read_map,
};

static bool
s_read_option (const reader_t *reader, const config_option_t *given)
{
    const options_t *self = reader->self;
    size_t number = options_row_in (self, given->name, reader->place);
    if (number == self->rows_count)
        return s_unknown (reader, given->name, given->mark);
    const pb_option_t *row = self->rows[number];
    //  `lanes: []` is how a map without lanes may be written, and the other way round.
    bool empty = given->shape != OPTION_SCALAR && given->count == 0;
    if (given->shape != value_shape (row)
        && !(empty && value_shape (row) != OPTION_SCALAR))
        return s_misfit (reader, row, given->value, given->mark);
    reader->values[number].given = true;
    return shapes[value_shape (row)](reader, row, given, &reader->values[number]);
}

//  Read what is given, preset what is not. *lacks: the first required row without
//  either.
static bool
s_read_group (const reader_t *reader, const config_option_t *given, size_t count,
              const pb_option_t **lacks)
{
    for (size_t i = 0; i < count; i++)
        if (!s_read_option (reader, &given[i]))
            return false;
    *lacks = NULL;
    for (size_t i = 0; i < reader->self->rows_count; i++) {
        const pb_option_t *row = reader->self->rows[i];
        if (options_place (row) != reader->place || reader->values[i].given)
            continue;
        reader->values[i].text = xstrdup (row->preset);
        if (row->flags & PB_OPTION_REQUIRED && !*lacks)
            *lacks = row;
    }
    return true;
}

//  ------------------------------------------------------------------- keys

static bool
s_read_secret (const reader_t *reader, const pb_option_t *row,
               const config_key_t *given, options_key_t *key)
{
    const config_secret_t *from = &given->secrets[key->count];
    char *secret = config_secret_read (from, reader->error);
    if (!secret)
        return false;
    size_t size = strlen (secret);
    key->secrets[key->count] = secret;
    key->sizes[key->count++] = size;
    if (value_fits (row, (span_t){secret, size}))
        return true;
    char at[MARK_MAX], wanted[256];
    config_mark_text (from->mark, at, sizeof at);
    value_wanted (row, wanted, sizeof wanted);
    return pb_error (reader->error, PB_E_CONFIG, row->name,
                     _ ("%s: key `%s` is %zu bytes long; it must be %s (%s)"), at,
                     row->name, size, wanted, value_help (row));
}

static bool
s_read_keys (const reader_t *reader)
{
    options_t *self = reader->self;
    for (size_t i = 0; i < reader->instance->keys_count; i++) {
        const config_key_t *given = &reader->instance->keys[i];
        size_t number = options_row_in (self, given->name, PLACE_KEYS);
        if (number == self->rows_count)
            return s_unknown (reader, given->name, given->mark);
        while (self->keys[number].count < given->count)
            if (!s_read_secret (reader, self->rows[number], given, &self->keys[number]))
                return false;
    }
    for (size_t i = 0; i < self->rows_count; i++)
        if (options_place (self->rows[i]) == PLACE_KEYS && self->keys[i].count == 0
            && self->rows[i]->flags & PB_OPTION_REQUIRED)
            return s_missing (reader, self->rows[i]);
    return true;
}

//  ------------------------------------------------------------------- lots

static void
s_add_lot (options_t *self, reader_t *reader, const config_lot_t *config)
{
    lot_t *lot = &self->lots[self->lots_count++];
    lot->name = config->name;
    lot->values = xcalloc (self->rows_count + 1, sizeof *lot->values);
    reader->lot = config;
    reader->values = lot->values;
}

static bool
s_read_lot (options_t *self, reader_t *reader, const config_t *config,
            const config_instance_lot_t *given)
{
    const config_lot_t *known = config_lot (config, SPAN (given->lot));
    assert (known); //  config_load refuses a file that lists another
    s_add_lot (self, reader, known);
    lot_t *lot = &self->lots[self->lots_count - 1];
    if (!s_read_group (reader, given->options, given->count, &lot->lacks))
        return false;
    if (lot->lacks) {
        char at[MARK_MAX];
        config_mark_text (given->mark, at, sizeof at);
        log_warning (
            reader->instance->name,
            _ ("%s: lot %s has no `%s` (%s): what concerns it is set aside until "
               "it has"),
            at, given->lot, lot->lacks->name, value_help (lot->lacks));
    }
    return true;
}

//  The file lists no lots: all of them, with presets, if presets are enough.
static bool
s_read_all_lots (options_t *self, reader_t *reader, const config_t *config)
{
    const pb_option_t *lacks = NULL;
    for (size_t i = 0; i < config->lots_count; i++) {
        s_add_lot (self, reader, &config->lots[i]);
        if (!s_read_group (reader, NULL, 0, &lacks))
            return false;
        if (lacks)
            return s_missing (reader, lacks);
    }
    return true;
}

static bool
s_read_lots (options_t *self, reader_t *reader, const config_t *config)
{
    const config_instance_t *instance = reader->instance;
    reader->place = PLACE_LOTS;
    self->lots =
        xcalloc (instance->lots_count + config->lots_count + 1, sizeof *self->lots);
    if (instance->lots_count == 0)
        return s_read_all_lots (self, reader, config);
    for (size_t i = 0; i < instance->lots_count; i++)
        if (!s_read_lot (self, reader, config, &instance->lots[i]))
            return false;
    return true;
}

//  ------------------------------------------------------------------- the whole

//  A platform that is sent something needs an address.
static bool
s_check_url (const reader_t *reader)
{
    const pb_plugin_t *plugin = reader->self->plugin;
    bool sends = (plugin->takes && plugin->takes[0])
                 || (plugin->serves && plugin->serves[0]) || plugin->poll;
    if (plugin->kind != PB_CODEC || !sends || reader->instance->url)
        return true;
    char at[MARK_MAX];
    config_mark_text (reader->instance->mark, at, sizeof at);
    return pb_error (reader->error, PB_E_CONFIG, "url",
                     _ ("%s: module %s needs `url`, the address of the platform: add "
                        "`url: https://…`"),
                     at, plugin->name);
}

bool
options_read (options_t *self, const config_instance_t *instance,
              const config_t *config, pb_error_t *error)
{
    reader_t reader = {self, instance, NULL, PLACE_OPTIONS, self->values, error};
    const pb_option_t *lacks;
    if (!s_check_url (&reader))
        return false;
    if (!s_read_group (&reader, instance->options, instance->options_count, &lacks))
        return false;
    if (lacks)
        return s_missing (&reader, lacks);
    reader.place = PLACE_KEYS;
    return s_read_keys (&reader) && s_read_lots (self, &reader, config);
}
