//  config/config_docs.h - docs/configuration.md's tables, from the table of keys.

#ifndef PARKBUS_CONFIG_CONFIG_DOCS_H
#define PARKBUS_CONFIG_CONFIG_DOCS_H

#include <stdbool.h>
#include "base/text.h"

//  Copy the document; what stands between the lines "<!-- keys: SECTION -->" and
//  "<!-- end -->" is written anew. False: no such section, or no end.
bool config_docs_write (const char *document, buffer_t *to);

#endif
