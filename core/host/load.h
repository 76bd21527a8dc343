//  host/load.h - a plugin's file: found, opened, and checked before anything is called.

#ifndef PARKBUS_HOST_LOAD_H
#define PARKBUS_HOST_LOAD_H

#include <stdbool.h>
#include "base/error.h"
#include "parkbus/plugin.h"

typedef struct plugin_file plugin_file_t;

//  Open dir/module.so and check all of docs/plugins.md, "Loading". NULL with *error
//  (PB_E_CONFIG) whose sentence names both sides of a mismatch; nothing stays loaded.
//  Two instances of one module open it twice: each has its own plugin_file_t.
plugin_file_t *plugin_file_open (const char *dir, const char *module,
                                 pb_error_t *error);
//  Close and free; sets *self_p to NULL. Every instance must be destroyed before.
void plugin_file_close (plugin_file_t **self_p);

//  Lives as long as the file is open.
const pb_plugin_t *plugin_file_plugin (const plugin_file_t *self);
const char *plugin_file_path (const plugin_file_t *self);

#endif
