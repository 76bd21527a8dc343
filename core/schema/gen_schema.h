//  schema/gen_schema.h - the two halves of pb-gen-schema.

#ifndef PARKBUS_SCHEMA_GEN_SCHEMA_H
#define PARKBUS_SCHEMA_GEN_SCHEMA_H

#include "base/text.h"
#include "schema/types.h"

void gen_book (buffer_t *to); //  docs/events.md

#endif
