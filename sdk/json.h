//  sdk/json.h - JSON: a lenient reader that keeps number text, a strict writer.
//
//  The reader keeps each value's bytes as they stand (Bolink signs them) and each
//  number as text: an order number of 30 digits stays what it was, and no amount passes
//  through a double. It forgives what platforms are known to get wrong: a comma too
//  many before a closing bracket, a comma too few between two members.

#ifndef PARKBUS_SDK_JSON_H
#define PARKBUS_SDK_JSON_H

#include "sdk/form.h"
#include "sdk/text.h"

typedef enum {
    PB_JSON_NULL,
    PB_JSON_BOOL,
    PB_JSON_NUMBER,
    PB_JSON_STRING,
    PB_JSON_LIST,
    PB_JSON_OBJECT
} pb_json_kind_t;

typedef struct pb_json pb_json_t;
struct pb_json {
    pb_json_kind_t kind;
    const char *name; //  As a member of an object
    const char *text; //  Strings decoded; numbers, true and false as written
    pb_bytes_t raw;   //  As it stands, with its quotes or brackets
    pb_json_t *first; //  Of a list or object
    pb_json_t *next;  //  In the list or object it stands in
};

//  NULL with *why when it is not JSON (or memory ran out), also for a member twice, a
//  NUL in a string, more than 32 levels, more than 4096 values.
const pb_json_t *pb_json_read (const pb_env_t *env, pb_bytes_t bytes, const char **why);

//  By name, or by names joined with '.'. NULL when absent, or null.
const pb_json_t *pb_json_get (const pb_json_t *object, const char *path);
//  Text of a string or a number; NULL for anything else, and for NULL.
const char *pb_json_text (const pb_json_t *value);
//  An integer, as number or as number text.
bool pb_json_int (const pb_json_t *value, int64_t min, int64_t max, int64_t *number);

//  A text as JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void pb_json_string (pb_buffer_t *to, const char *text);
//  An object of these pairs. Names joined with '.' make objects in objects; pairs of
//  one object stand together.
void pb_json_write (pb_buffer_t *to, const pb_pairs_t *members);

#endif
