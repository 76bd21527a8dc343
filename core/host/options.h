//  host/options.h - what one instance is configured with, typed by its plugin's table.

#ifndef PARKBUS_HOST_OPTIONS_H
#define PARKBUS_HOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "parkbus/plugin.h"

typedef struct options options_t;

//  A secret of the instance. NUL follows each; wiped when the options are destroyed.
typedef struct {
    char *secrets[2]; //  The first signs, both verify
    size_t sizes[2];
    size_t count;
} options_key_t;

//  Type what the file of the instance says and read its secrets. `plugin` and `config`
//  are borrowed for the life of the options. NULL with *error (PB_E_CONFIG, message
//  begins with file:line:column) when something is unknown, of the wrong type or
//  missing.
//
//  What a single lot lacks (a required lot option, a lane without a word) stops nothing
//  else: it is a warning in the log, and the lookups answer NULL there.
//  An instance that lists no lots serves all of them, unless the plugin's table has a
//  required lot option.
options_t *options_new (const pb_plugin_t *plugin, const config_instance_t *instance,
                        const config_t *config, pb_error_t *error);
void options_destroy (options_t **self_p);

//  The lookups of pb_host_t (parkbus/plugin.h). What they return lives as long as the
//  options; NULL is "none".
const char *options_get (const options_t *self, const char *name);
const char *options_lot (const options_t *self, const char *lot, const char *name);
const char *options_lane_out (const options_t *self, const char *lot, const char *map,
                              const char *lane);
const char *options_lot_in (const options_t *self, const char *name, const char *value);
const char *options_lane_in (const options_t *self, const char *lot, const char *map,
                             const char *value, const char *direction);

//  Does the instance serve this lot?
bool options_lists_lot (const options_t *self, span_t lot);
//  The first required option that a listed lot lacks; NULL when it has all of them.
const char *options_lot_lacks (const options_t *self, span_t lot);
//  NULL: the plugin has no such key, or this instance was given none.
const options_key_t *options_key (const options_t *self, const char *name);

#endif
