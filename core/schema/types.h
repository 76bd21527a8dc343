//  schema/types.h - the event types as one table: what validation, etc/schema/ and
//  docs/events.md are made from.

#ifndef PARKBUS_SCHEMA_TYPES_H
#define PARKBUS_SCHEMA_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

typedef enum {
    FIELD_TEXT,
    FIELD_PLATE,    //  Text of at most 64 bytes
    FIELD_MONEY,    //  Integer fen >= 0
    FIELD_INT,      //  Integer >= 0
    FIELD_DURATION, //  Integer seconds >= 0
    FIELD_TIME,     //  RFC 3339 with offset
    FIELD_ENUM,     //  One of `words`
    FIELD_BOOL,
    FIELD_LANE,   //  [a-z0-9-]{1,32}
    FIELD_VISIT,  //  [0-9A-Za-z_-]{1,48}
    FIELD_LIST,   //  Array of objects by `items`, or of anything if that is NULL
    FIELD_OBJECT, //  Anything in braces
    FIELD_ID      //  Text of 1 to 64 bytes: names and numbers that others gave
} field_kind_t;

typedef struct field field_t;
struct field {
    const char *name;
    field_kind_t kind;
    bool required;
    const char *const *words; //  FIELD_ENUM: NULL-terminated
    const field_t *items;     //  FIELD_LIST: ends with name NULL
    const char *help_en;
    const char *help_zh;
};

enum {
    TYPE_SUBJECT = 1, //  `subject` required
    TYPE_LOT = 2,     //  `lot` required
    TYPE_LANE = 4,    //  `lane` required
    TYPE_CLIENT = 8,  //  PUBLISH accepts it
    TYPE_PERSON = 16, //  PUBLISH accepts it with `witness` person and an `operator`
    TYPE_MONEY = 32,  //  A fact about money
    TYPE_ONE_OF = 64, //  bind.*: plate, or person when scope is person
    TYPE_NEEDS = 128  //  event_needs has rows for it
};

typedef struct {
    const char *name; //  "pay.captured"
    unsigned flags;
    const field_t *fields; //  Ends with name NULL
    const char *help_en;
    const char *help_zh;
} event_type_t;

extern const event_type_t event_types[]; //  Ends with name NULL

//  A member that is required because of another one.
typedef struct {
    const char *type;
    const char *member;
    const char *word; //  NULL: the member stands there, whatever it is
    bool unless;      //  The other way round: the member is not this, or is absent
    const char *needs;
} need_t;

extern const need_t
    event_needs[]; //  Ends with type NULL; rows of a type stand together

//  NULL for an unknown name.
const event_type_t *event_type_find (span_t name);

//  The enumerations of contract section 4, by name ("plate_color"); NULL if unknown.
const char *const *enum_words (const char *name);

#endif
