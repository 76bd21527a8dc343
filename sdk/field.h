//  sdk/field.h - the field machine: an endpoint is a table of its wire fields, in the
//  order of the platform's document; one loop writes them, one loop reads them back.
//
//      //  Document 5.3, POST /api/Indata: a car has entered.
//      static const pb_field_t cmb_indata[] = {
//          {"park_code",  PB_LOT (park_code),  &pb_digits, pb_required},
//          {"vpl_number", PB_DATA ("plate"),   &pb_text,   pb_required},
//          …
//          PB_END
//      };
//
//  Wire names joined with '.' are members of objects in objects (JSON only).

#ifndef PARKBUS_SDK_FIELD_H
#define PARKBUS_SDK_FIELD_H

#include "sdk/convert.h"
#include "sdk/form.h"
#include "sdk/json.h"
#include "sdk/text.h"

//  Where a wire field comes from, and where it goes when it is read.
typedef enum {
    PB_FROM_NOWHERE,   //  Read, checked, not kept
    PB_FROM_DATA,      //  A member of the event's data, or of a service's body
    PB_FROM_EXT,       //  Read: kept under data.ext
    PB_FROM_VISIT,     //  The event's subject
    PB_FROM_TIME,      //  When it happened
    PB_FROM_ID,        //  Id of the event or call
    PB_FROM_LOT,       //  An option of the lot; read: finds the lot
    PB_FROM_LANE,      //  The event's lane, through a map of the lot
    PB_FROM_DATA_LANE, //  A lane named in data, through a map of the lot
    PB_FROM_OPTION,    //  An option of the instance; read: must be equal
    PB_FROM_FACT,      //  What parkbus knows of the visit (pb_visit_t), by member name
    PB_FROM_REF,       //  An id that this instance gave the visit, by kind
    PB_FROM_FIXED,     //  Always this text; read: must be equal
    PB_FROM_MADE,      //  Made by a function; read: a member of data
    PB_FROMS
} pb_from_t;

//  Makes a value that no single member holds. False: not known.
typedef bool (pb_make_fn) (pb_codec_t *codec, pb_value_t *value);
//  Must this field be there? A platform's "required when" is one more function of this
//  shape, kept beside its tables.
typedef bool (pb_need_fn) (const pb_codec_t *codec);

pb_need_fn pb_required;
pb_need_fn pb_optional;

struct pb_field {
    const char *wire; //  Spelled as the platform spells it
    //  These four come from one of the macros below.
    pb_from_t from;
    const char *name; //  Member, option, fact, kind of id, fixed text, or map
    const char *way;  //  Lanes: "in", "out"
    pb_make_fn *make;
    const pb_convert_t *convert;
    pb_need_fn *need;
};

// clang-format off
#define PB_DATA(member)            PB_FROM_DATA, member, NULL, NULL
#define PB_EXT(member)             PB_FROM_EXT, member, NULL, NULL
#define PB_VISIT                   PB_FROM_VISIT, "subject", NULL, NULL
#define PB_TIME                    PB_FROM_TIME, "time", NULL, NULL
#define PB_ID                      PB_FROM_ID, "id", NULL, NULL
#define PB_LOT(option)             PB_FROM_LOT, #option, NULL, NULL
#define PB_LANE(way)               PB_FROM_LANE, "lanes", #way, NULL
#define PB_LANE_BY(map, way)       PB_FROM_LANE, #map, #way, NULL
#define PB_DATA_LANE(member, way)  PB_FROM_DATA_LANE, member, #way, NULL
#define PB_OPTION(option)          PB_FROM_OPTION, #option, NULL, NULL
#define PB_FACT(member)            PB_FROM_FACT, #member, NULL, NULL
#define PB_REF(kind)               PB_FROM_REF, kind, NULL, NULL
#define PB_FIXED(text)             PB_FROM_FIXED, text, NULL, NULL
#define PB_MADE(member, function)  PB_FROM_MADE, member, NULL, function
#define PB_IGNORED                 PB_FROM_NOWHERE, NULL, NULL, NULL
#define PB_END                     {NULL, PB_FROM_NOWHERE, NULL, NULL, NULL, NULL, NULL}
// clang-format on

//  What was read from a platform's message.
typedef struct {
    const char *lot;
    const char *lane;
    const char *visit;
    int64_t time_ms;
    pb_pairs_t data; //  Canonical members
    pb_pairs_t ext;  //  Members of data.ext
} pb_taken_t;

//  One message being written or read.
struct pb_codec {
    const pb_env_t *env;
    const char *what; //  Of the endpoint, for sentences: "Indata"

    //  Writing: where values come from.
    const pb_message_t *message; //  NULL: none
    const pb_json_t *data;       //  Canonical members
    const pb_json_t *outer;      //  In an element of a list: what it stands in
    const char *lot, *lane, *visit;
    int64_t time_ms;

    //  Reading: one of the two.
    const pb_pairs_t *form;
    const pb_json_t *json;
    pb_taken_t *taken;

    //  What went wrong, after PB_REFUSED.
    bool broken; //  Memory ran out: not the message's fault
    const char *reason;
    const char *sentence; //  Whole, when reading or writing failed
    const char *culprit;  //  Wire name
};

//  The wire name of the first row whose converter does not fit its member, or that
//  names a member the bus does not have; NULL when the table is sound. `create` refuses
//  a plugin with an unsound table.
const char *pb_fields_check (const pb_field_t *table);

//  A codec that writes this message.
pb_codec_t pb_codec_out (const pb_env_t *env, const char *what,
                         const pb_message_t *message, const pb_json_t *data);

//  Write by the table, appending to `wire`; optional fields that are not known are left
//  out. PB_OK, PB_NOMEM, or PB_REJECT with codec->sentence: names the wire field, the
//  canonical member, and what to do.
int pb_fields_write (pb_codec_t *codec, const pb_field_t *table, pb_pairs_t *wire);

//  Read by the table from codec->form or codec->json into *taken. PB_OK, PB_NOMEM, or
//  PB_BADMSG with codec->sentence; PB_REJECT when the message is sound but names a lot
//  or a lane that is not configured; PB_AUTH when an option (appid) is another's.
int pb_fields_read (pb_codec_t *codec, const pb_field_t *table, pb_taken_t *taken);

//  What was read, as `data` of an event.
const char *pb_taken_json (const pb_env_t *env, const pb_taken_t *taken);

//  The member that a row writes or reads, for needs, makers and plugins.
const char *pb_wire_text (const pb_codec_t *codec, const char *wire);   //  Reading
const char *pb_data_text (const pb_codec_t *codec, const char *member); //  Writing
bool pb_data_int (const pb_codec_t *codec, const char *member, int64_t *number);

//  Kinds of a canonical member; 0 when the bus has no such member. Held against
//  core/schema by a test.
unsigned pb_member_kinds (const char *member);

#endif
