//  base/id.h - names that parkbus makes: UUIDv7, quotes.

#ifndef PARKBUS_BASE_ID_H
#define PARKBUS_BASE_ID_H

#include <stdint.h>
#include <stdbool.h>
#include "base/text.h"

//  RFC 9562 version 7, lower case, 36 characters and NUL. Ascending within a process even
//  inside one millisecond and when the clock steps back. Safe over threads.
void id_uuid7 (char to[37]);

//  [a-z0-9-]{1,32}: lots, lanes, plugin instances.
bool id_is_name (span_t text);
//  [0-9A-Za-z_-]{1,48}: visits.
bool id_is_visit (span_t text);

#endif
