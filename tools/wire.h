//  wire.h - the bus protocol PB1 as a client speaks it: a DEALER, one question at a time.

#ifndef PARKBUS_TOOLS_WIRE_H
#define PARKBUS_TOOLS_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/text.h" //  Before czmq.h, whose macro streq would hide ours
#include <czmq.h>
#include <json-c/json.h>

#undef streq

typedef struct wire wire_t;

//  Why there is no answer. `code` is the bus's word; "" when it did not come from the bus.
//  `message` "": the user ended it.
typedef struct {
    char code[40];
    char message[1024];
} wire_error_t;

//  Long enough for a group commit on a slow disk, short enough for a person.
#define WIRE_TIMEOUT_MS 5000

//  Connects without waiting. NULL with *error when it is no endpoint.
wire_t *wire_new (const char *endpoint, wire_error_t *error);
void wire_destroy (wire_t **self_p);
zsock_t *wire_socket (wire_t *self);

//  Send `verb` with `first` (a request id, an xid) and the frames, which are taken over.
void wire_send (wire_t *self, const char *verb, span_t first, zmsg_t **frames_p);
//  What came, without "PB1"; NULL: nothing there, or not our protocol.
zmsg_t *wire_take (wire_t *self);

//  Ask and wait for the answer `want` ("OK", "REPLY", "EVENTS", "PONG"). The frames after
//  the request id; the caller's. NULL with *error.
zmsg_t *wire_ask (wire_t *self, const char *verb, zmsg_t **frames_p, const char *want,
                  int64_t timeout_ms, wire_error_t *error);

//  ERROR's frame of code and message.
void wire_error_read (zframe_t *frame, wire_error_t *error);
//  A frame's JSON; NULL when it is none. json_object_put it.
json_object *wire_json (zframe_t *frame);
//  Members of an object; the preset when absent or of another kind.
uint64_t wire_number (json_object *object, const char *name, uint64_t preset);
const char *wire_text (json_object *object, const char *name, const char *preset);

//  Say it on stderr. Returns CLI_FAILED.
int wire_complain (const wire_error_t *error);

#endif
