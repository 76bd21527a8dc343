//  filter.h - which topics a subscriber wants: "pay.>", "*.*.north".

#ifndef PARKBUS_TOOLS_FILTER_H
#define PARKBUS_TOOLS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

//  Tokens between dots, none empty; `*` is one, `>` the rest and the last.
bool filter_valid (const char *filter);
//  The whole topic, not a prefix: pay.captured.north is not pay.captured.north-2.
bool filter_match (const char *filter, const char *topic);
//  How many bytes of the filter every topic that matches begins with.
size_t filter_prefix (const char *filter);

#endif
