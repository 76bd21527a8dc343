//  config/config.h - the site's configuration: strict YAML into typed values.
//
//  Every key of docs/configuration.md is a row of one table (config_keys.c) with type,
//  default, range, unit, help. A key that is not known, comes twice, or has the wrong
//  type is an error with file:line:column and the nearest known key.

#ifndef PARKBUS_CONFIG_CONFIG_H
#define PARKBUS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"

//  Where a value stood, for messages written later ("plugins.d/cmb.yaml:9:3").
typedef struct {
    const char *file;
    unsigned line, column;
} config_mark_t;

typedef struct {
    char *name;
    char *value;
    config_mark_t mark;
} config_pair_t;

typedef struct {
    char *name;
    char *zone;
    int64_t spaces;
    char **lanes;
    size_t lanes_count;
    int64_t leave_within_s, lane_deadline_s;
    char **charge_order;
    size_t charge_order_count;
    bool auto_refund;
    char *pictures; //  Absolute; NULL none
    config_mark_t mark;
} config_lot_t;

//  A secret: where it lies. Read when the plugin is loaded, never logged.
typedef enum { SECRET_FILE, SECRET_ENV, SECRET_CRED, SECRET_PLAIN } secret_kind_t;
typedef struct {
    secret_kind_t kind;
    char *where; //  Absolute path, variable, credential name, or the text itself
    config_mark_t mark;
} config_secret_t;

typedef struct {
    char *name;
    config_secret_t secrets[2]; //  The first signs, both verify
    size_t count;
    config_mark_t mark;
} config_key_t;

//  An option as written: scalar, list, or map. Typed later by the plugin's table.
typedef enum { OPTION_SCALAR, OPTION_LIST, OPTION_MAP } config_shape_t;
typedef struct {
    char *name;
    config_shape_t shape;
    char *value;          //  OPTION_SCALAR
    config_pair_t *items; //  OPTION_LIST (names NULL), OPTION_MAP
    size_t count;
    config_mark_t mark;
} config_option_t;

typedef struct {
    char *lot;
    config_option_t *options;
    size_t count;
    config_mark_t mark;
} config_instance_lot_t;

typedef struct {
    char *name; //  From the file's name
    char *file;
    char *module;
    bool enabled;
    bool process; //  host: process
    char *mount;  //  Begins and ends with '/'
    char *url;    //  Without a trailing '/'; NULL none
    bool insecure;
    config_key_t *keys;
    size_t keys_count;
    config_option_t *options;
    size_t options_count;
    config_instance_lot_t *lots;
    size_t lots_count;
    config_mark_t mark, mark_module, mark_mount, mark_url;
    //  What is wrong with this file; "" when nothing is. Such an instance stays off.
    pb_error_t error;
} config_instance_t;

typedef struct {
    char *file;
    char *node, *data_dir, *plugin_dir, *plugins_d, *lots_d;
    config_lot_t *lots;
    size_t lots_count;
    char *events, *commands;       //  Endpoints
    config_secret_t *curve_secret; //  NULL: no CURVE
    char *curve_clients;
    int64_t live_mb;
    char *http_listen;
    char **proxies; //  NULL-terminated
    char *admin_listen;
    config_secret_t *admin_token;
    int64_t segment_mb, retain_days, max_gb, dedupe_events, lease_s;
    int log_level, log_format; //  log_level_t, log_format_t
    config_instance_t *instances;
    size_t instances_count;
    config_mark_t mark_events, mark_commands, mark_http, mark_admin;
    char **notes; //  For config_unused
    size_t notes_count;
    char **files; //  Names of lots' files, for their marks
    size_t files_count;
} config_t;

//  Read the main file and those of plugins_d and lots_d. NULL with *error (PB_E_CONFIG,
//  message begins with file:line:column) when the main file or a lot's file is wrong. A
//  wrong plugin file does not end the rest: its instance carries the error.
config_t *config_load (const char *file, pb_error_t *error);
void config_destroy (config_t **self_p);

const config_lot_t *config_lot (const config_t *self, span_t name); //  NULL: unknown

//  Say which keys are set but not used by this version, one sentence each.
void config_unused (const config_t *self, void (*say) (void *arg, const char *sentence),
                    void *arg);

//  Read a secret into malloc'd memory (trailing newline removed). NULL with *error; the
//  sentence says where it was looked for, never what it is. Files that others may read
//  are warned about.
char *config_secret_read (const config_secret_t *secret, pb_error_t *error);

//  "cmb.yaml:9:3" with the directory.
void config_mark_text (config_mark_t mark, char *to, size_t room);

#endif
