//  host/value.h - one value of a plugin's option, against its row of the table.

#ifndef PARKBUS_HOST_VALUE_H
#define PARKBUS_HOST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"
#include "config/config.h"
#include "parkbus/plugin.h"

//  Types and scopes this version knows; the functions below take only such rows.
bool value_type_known (const pb_option_t *row);
bool value_scope_known (const pb_option_t *row);

//  How the row's value is written in YAML.
config_shape_t value_shape (const pb_option_t *row);

//  Does the text fit type, range and words of the row? Of lists and lane maps: one
//  element.
bool value_fits (const pb_option_t *row, span_t text);

//  The text as the plugin gets it: numbers without leading zeros. The caller frees it.
char *value_canonical (const pb_option_t *row, span_t text);

//  What would fit, for sentences: "a whole number from 0 to 255".
void value_wanted (const pb_option_t *row, char *to, size_t room);

//  What the option means, in the language of the messages.
const char *value_help (const pb_option_t *row);

//  The word of `words` ("a|b|c") that begins at *at, which moves on; p NULL at the end.
span_t value_next_word (const char **at);

#endif
