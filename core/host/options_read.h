//  host/options_read.h - the insides of options.h: what reading fills and looking up
//  uses.

#ifndef PARKBUS_HOST_OPTIONS_READ_H
#define PARKBUS_HOST_OPTIONS_READ_H

#include "host/options.h"

typedef struct {
    char *lane; //  Ours
    char *word; //  The platform's
} lane_t;

//  The value of one row. Scalars and lists have text, lane maps have lanes.
typedef struct {
    char *text;
    lane_t *lanes;
    size_t lanes_count;
    bool given;
} value_t;

typedef struct {
    const char *name;
    value_t *values;          //  One for each row of the table
    const pb_option_t *lacks; //  The first required row that has no value
} lot_t;

struct options {
    const pb_plugin_t *plugin;
    const pb_option_t **rows; //  The plugin's table, by number
    size_t rows_count;
    value_t *values;     //  One for each row
    options_key_t *keys; //  One for each row
    lot_t *lots;
    size_t lots_count;
};

//  Where a row is written in the file of an instance.
typedef enum { PLACE_KEYS, PLACE_OPTIONS, PLACE_LOTS } place_t;

place_t options_place (const pb_option_t *row);

//  Number of a row by name, whatever its place; rows_count when there is none.
size_t options_row (const options_t *self, const char *name);
//  The same, if it stands in that place.
size_t options_row_in (const options_t *self, const char *name, place_t place);

//  Fill values, keys and lots. False with *error; what was read stays for
//  options_destroy.
bool options_read (options_t *self, const config_instance_t *instance,
                   const config_t *config, pb_error_t *error);

#endif
