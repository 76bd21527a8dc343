//  schema/check.h - data against its type's row of the table.

#ifndef PARKBUS_SCHEMA_CHECK_H
#define PARKBUS_SCHEMA_CHECK_H

#include "base/error.h"
#include "schema/types.h"

//  `data` is an object that scan_text () has checked. Refusals are PB_E_BAD_EVENT with a
//  field such as "data.payments[0].paid".
bool check_data (const event_type_t *type, span_t data, pb_error_t *error);

//  A value of `data` by its name, as it stands there; p NULL when absent.
span_t check_member (span_t data, const char *name);

//  As much of a text as a sentence bears, cut between characters.
span_t check_excerpt (span_t text);

#endif
