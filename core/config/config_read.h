//  config/config_read.h - what this room's files share: the table's shape, the reader.

#ifndef PARKBUS_CONFIG_CONFIG_READ_H
#define PARKBUS_CONFIG_CONFIG_READ_H

#include "config/config.h"
#include "config/config_tree.h"

//  ------------------------------------------------------------------ sentences

#define CONFIG_QUOTE 64 //  Room for a quoted text

//  "file:line:column: sentence" as PB_E_CONFIG. Always false.
bool config_wrong (pb_error_t *error, config_mark_t mark, const char *field,
                   const char *format, ...) __attribute__ ((format (printf, 4, 5)));
//  Text of a file in a sentence: cut short, without control characters.
const char *config_quote (const char *text, char to[CONFIG_QUOTE]);
//  The nearest of two words to one that is not known; `best` may be NULL.
const char *config_nearer (const char *text, const char *word, const char *best);

//  ------------------------------------------------------------------ the table of keys

typedef struct config_reader config_reader_t;
typedef struct config_row config_row_t;

//  How a key's value is read. `to` is where the row says it goes.
typedef struct {
    const char *en, *zh; //  "whole number"; for docs/configuration.md
    bool (*read) (config_reader_t *reader, const config_row_t *row,
                  const config_node_t *node, void *to);
} config_type_t;

typedef struct {
    const char *name; //  For docs/configuration.md: "main", "bus"
    const config_row_t *rows;
    size_t count;
} config_section_t;

struct config_row {
    const char *name;
    const config_type_t *type;
    const config_section_t
        *section; //  Keys inside, for type_section and maps of sections
    bool required;
    size_t at;                //  In the structure of the section
    size_t count_at;          //  Lists: where their size_t goes
    size_t mark_at;           //  Where its config_mark_t goes; 0 nowhere
    const char *preset;       //  Default as it would be written; NULL none
    const char *preset_words; //  Said in the documentation instead of it
    int64_t min, max;         //  Numbers
    const char *unit;
    const char *words; //  One of these, "a|b|c"
    const char
        *later; //  What to say of it when this version does not use it; NULL used
    const char *later_if; //  Only for this value
    const char *refused;  //  A sentence: why it must not be set in this version
    const char *en, *zh;  //  Help
};

extern const config_section_t config_main, config_lot_keys, config_bus, config_curve,
    config_http, config_admin, config_journal, config_money, config_log,
    config_instance;
//  All of them, for documentation and tests; ends with NULL.
extern const config_section_t *const config_sections[];

extern const config_type_t type_section, type_lots, type_module, type_name, type_names,
    type_flag, type_choice, type_number, type_zone, type_path, type_endpoint,
    type_listen, type_addresses, type_mount, type_url, type_secret, type_keys,
    type_options, type_instance_lots;

//  ------------------------------------------------------------------ reading

//  One file under way.
struct config_reader {
    config_t *config;
    config_instance_t *instance; //  When it is a plugin's file
    const char *dir;             //  Absolute, of the file
    const char *under; //  Of the section being read: "", "journal", "lots.north"
    pb_error_t *error;
};

//  Read a map by its section's rows into `base`; node NULL: defaults only.
bool config_section_read (config_reader_t *reader, const config_section_t *section,
                          const char *under, const config_node_t *node, void *base);
//  The same words for every key: "journal.segment_mb must be …, not '…'". Always false.
bool config_must (config_reader_t *reader, const config_row_t *row,
                  const config_node_t *node, const char *what);
//  A sentence for config_unused.
void config_note (config_t *self, config_mark_t mark, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  One more zeroed element at the end of an array.
void *config_grow (void *array_p, size_t *count, size_t size);
//  Relative to a directory unless it begins with '/'.
char *config_path (const char *dir, const char *path);

void config_lot_free (config_lot_t *self);
void config_instance_free (config_instance_t *self);
void config_secret_free (config_secret_t *self);

//  "file:x", "env:x", "cred:x", "plain:x". Never says what was written.
bool config_secret_parse (config_reader_t *reader, const char *name,
                          const config_node_t *node, config_secret_t *to);

//  A whole regular file, at most `limit` bytes; errno when false (EFBIG, EINVAL: no
//  regular file). `others`: may any user read it? May be NULL.
bool config_file_read (const char *path, size_t limit, buffer_t *to, bool *others);

//  ------------------------------------------------------------------ files from memory

//  What config_load does, step by step, for tests and fuzzers: the main file (plugins_d
//  and lots_d are not looked at), files of lots, files of plugins, what needs them all.
config_t *config_parse (const char *file, const char *text, size_t size,
                        pb_error_t *error);
bool config_parse_lot (config_t *self, const char *file, const char *name,
                       const char *text, size_t size, pb_error_t *error);
bool config_lots_check (config_t *self, pb_error_t *error);
void config_parse_instance (config_t *self, const char *file, const char *name,
                            const char *text, size_t size);
void config_mounts_check (config_t *self);

#endif
