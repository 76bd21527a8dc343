//  sdk/form.h - pairs of name and value, and application/x-www-form-urlencoded.

#ifndef PARKBUS_SDK_FORM_H
#define PARKBUS_SDK_FORM_H

#include "sdk/text.h"

#define PB_FORM_FIELDS 64 //  More are refused

//  What is, or will be, on the wire. Texts end in NUL and hold none.
typedef struct {
    const char *name;
    const char *value;
    bool bare; //  In JSON: as it is, without quotes (numbers, lists, objects)
} pb_pair_t;

typedef struct {
    pb_pair_t *items;
    size_t count;
    size_t room;
} pb_pairs_t;

//  Append; false when memory ran out.
bool pb_pairs_add (const pb_env_t *env, pb_pairs_t *self, const char *name,
                   const char *value, bool bare);
//  NULL when there is no such name.
const char *pb_pairs_get (const pb_pairs_t *self, const char *name);

//  Read a form: percent signs and '+' decoded once, bytes otherwise as received. PB_OK,
//  PB_NOMEM, or PB_BADMSG with *why: a malformed escape, a name twice (then what is
//  signed would be ambiguous), no name, a NUL, too many fields.
int pb_form_read (const pb_env_t *env, pb_bytes_t body, pb_pairs_t *form,
                  const char **why);
//  "name=value&…": unreserved characters of RFC 3986 as they are, all else as %XX.
void pb_form_write (pb_buffer_t *to, const pb_pairs_t *form);
//  One value, escaped.
void pb_form_escape (pb_buffer_t *to, const char *value);

//  Sorted "name=value&…" of raw values, by name in ASCII order: what many platforms
//  sign. Left out: empty values, and the names in `except` (NULL-terminated).
const char *pb_form_canonical (const pb_env_t *env, const pb_pairs_t *form,
                               const char *const *except);

#endif
