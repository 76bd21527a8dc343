//  schema/scan.h - JSON by the bus's rules: checked and hashed in one pass over the bytes,
//  then walked. No tree; the only memory is the caller's.

#ifndef PARKBUS_SCHEMA_SCAN_H
#define PARKBUS_SCHEMA_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"

#define SCAN_DEPTH 16 //  Objects and arrays inside each other, the outermost counted
//  Names that may be open at once in `size` bytes: `"":1,` is the shortest member, and
//  one on each level may be without its value yet.
#define SCAN_NAMES(size) ((size) / 5 + SCAN_DEPTH)

typedef struct {
    const char *p, *start, *end;
    span_t whole;         //  The object, once it was checked
    pb_error_code_t code; //  Of refusals
    pb_error_t *error;
    bool spaced;  //  White space was seen between tokens
    bool escaped; //  The last string has escapes
    unsigned depth;
    size_t names_count;
    uint64_t *names; //  Of open objects' members, hashed; room for SCAN_NAMES (size)
    struct {
        span_t name; //  p NULL: an array's element
        size_t index;
    } path[SCAN_DEPTH + 1];
} scan_t;

//  One member, as it stood in the text.
typedef struct {
    span_t name;  //  Without quotes
    bool escaped; //  The name is written with escapes
    span_t value;
    bool value_escaped; //  The value is a string with escapes
    bool spaced;        //  White space inside the value
} member_t;

typedef bool (scan_fn) (void *arg, const member_t *member);

//  Check the text, which must be one object. `each` (may be NULL) sees the members of the
//  outermost object in order and may refuse by returning false with *error filled. *hash:
//  of the content, whatever the order of members and the white space.
bool scan_text (scan_t *self, scan_fn *each, void *arg, uint64_t *hash);

//  A value without its white space, copied. Returns the end of the copy, at most
//  value.n bytes on.
char *scan_pack (char *to, span_t value);

//  ------------------------------------------------------------ walking checked text

//  Over the members of an object or the elements of an array.
typedef struct {
    const char *p, *end;
    char room[64]; //  A name that was written with escapes
} walk_t;

void walk_start (walk_t *self, span_t container); //  With its brackets
//  False at the end. A name with escapes is decoded; one too long for `room` is given as
//  it is (no name of ours is that long).
bool walk_member (walk_t *self, span_t *name, span_t *value);
bool walk_element (walk_t *self, span_t *value);

//  The text of a string value (with quotes) without quotes and escapes. Points into the
//  value, or to `room` when it had escapes. p NULL: not a string, or too long for `room`.
span_t scan_string_text (span_t value, char *room, size_t size);
bool scan_integer (span_t value, int64_t *number);

#endif
