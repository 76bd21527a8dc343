//  schema/event.h - the event: read, checked, completed, kept as one line of JSON.
//
//  One pass over the bytes, no tree, no allocation: this is the bus's hot path. The rules
//  are those of docs/events.md; the types table (schema/types.h) drives them.

#ifndef PARKBUS_SCHEMA_EVENT_H
#define PARKBUS_SCHEMA_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include "schema/types.h"

#define EVENT_MAX (64 * 1024) //  Bytes of one event, as sent
//  What completing may add to it (specversion, id, time).
#define EVENT_ROOM (EVENT_MAX + 256)

//  An event as it is kept. Spans point into json; values without quotes, never escaped.
typedef struct {
    const char *json; //  One line, white space removed, envelope first, `data` last
    uint32_t size;
    span_t id, source, type, subject, lot, lane; //  p NULL when absent
    span_t data;                                 //  The object with its braces
    int64_t time_ms;                             //  When it happened
    uint64_t content_hash; //  Of what was sent: order of members and space do not count
    const event_type_t *is; //  Row of the types table; NULL for x.* types
} event_t;

typedef struct {
    bool client;        //  Apply "who may say what": refuses what only parkbus says
    int64_t now_ms;     //  For an absent `time`
    const char *offset; //  "+08:00": how an absent `time` is written
    //  Is this lot configured? NULL: every lot is.
    bool (*lot_known) (void *arg, span_t lot);
    //  Is this source a plugin instance or parkbus itself? NULL: none is.
    bool (*source_reserved) (void *arg, span_t source);
    void *arg;
} event_rules_t;

//  Read what somebody sent. On success *event points into `room` (EVENT_ROOM bytes,
//  the caller's). Refusals: PB_E_BAD_EVENT or PB_E_DENIED with the member to blame.
bool event_read (event_t *event, const char *json, size_t size,
                 const event_rules_t *rules, char *room, pb_error_t *error);

//  Hash of (source, id): the dedupe key.
uint64_t event_key_hash (const event_t *event);
//  Hash of (lot, subject); 0 when there is no subject.
uint64_t event_visit_hash (const event_t *event);
//  "pay.captured.north", "alarm.raised._". Needs EVENT_TOPIC_MAX bytes; returns its length.
#define EVENT_TOPIC_MAX 128
size_t event_topic (const event_t *event, char to[EVENT_TOPIC_MAX]);

//  The value of a top-level member of `data` as JSON text (strings with quotes);
//  p NULL when absent. For the few members the core itself reads.
span_t event_data_raw (const event_t *event, const char *name);
//  The same, decoded. False when absent, of another kind, or too long for `room`.
bool event_data_text (const event_t *event, const char *name, char *to, size_t room);
bool event_data_int (const event_t *event, const char *name, int64_t *value);

//  Well-formed JSON by the bus's rules (depth, no floats, no doubles, UTF-8)? For bodies of
//  calls: must be an object.
bool json_check (const char *json, size_t size, pb_error_t *error);

#endif
