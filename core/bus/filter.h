//  bus/filter.h - which topics a reader wants: "pay.>", "*.*.north".

#ifndef PARKBUS_BUS_FILTER_H
#define PARKBUS_BUS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <json-c/json.h>
#include "base/error.h"
#include "base/text.h"

#define FILTER_PATTERNS_MAX 64

typedef struct filter filter_t;

//  From the protocol's array of patterns; NULL (absent) takes everything. NULL with *error
//  (PB_E_BAD_REQUEST) when it is not an array of patterns.
filter_t *filter_new (json_object *patterns, pb_error_t *error);
void filter_destroy (filter_t **self_p);

bool filter_takes (const filter_t *self, span_t topic);

//  One pattern: tokens between dots; '*' is one token, a final '>' all that follow, at
//  least one.
bool filter_match (span_t pattern, span_t topic);
bool filter_valid (span_t pattern);

#endif
