//  host/check.h - is what a plugin declares sound? The checks that need no file.

#ifndef PARKBUS_HOST_CHECK_H
#define PARKBUS_HOST_CHECK_H

#include <stdbool.h>
#include "base/error.h"
#include "parkbus/plugin.h"

//  Bytes that a structure had in ABI 1.0. A shorter one is refused, so everything up to
//  here may be read without PB_HAS; whatever is appended later may not. Never changed.
#define PLUGIN_SIZE_1_0 offsetof_end (pb_plugin_t, flush)
#define OPTION_SIZE_1_0 offsetof_end (pb_option_t, help_zh)
#define ROUTE_SIZE_1_0 offsetof_end (pb_route_t, flags)
#define POLICY_SIZE_1_0 offsetof_end (pb_policy_t, push_schedule)
#define offsetof_end(type, member) \
    (offsetof (type, member) + sizeof ((type *) 0)->member)

#define PLUGIN_BODY_MAX (8u << 20) //  Largest body a route may ask for

//  Check a plugin that should be called `module`. `readable` is how many bytes may be
//  read at `plugin` (the symbol's size). False with *error (PB_E_CONFIG).
bool plugin_check (const pb_plugin_t *plugin, size_t readable, const char *module,
                   pb_error_t *error);

#endif
