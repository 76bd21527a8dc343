//  wire.c - frames in and out of the command socket, and the small JSON heads.

#include "bus/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"

bool
peer_same (const peer_id_t *a, const peer_id_t *b)
{
    return a->size == b->size && !memcmp (a->bytes, b->bytes, a->size);
}

span_t
frame_span (zmq_msg_t *frame)
{
    return (span_t){zmq_msg_data (frame), zmq_msg_size (frame)};
}

span_t
command_frame (command_t *self, size_t index)
{
    size_t at = index + 3;
    if (at >= self->count || at >= BUS_FRAMES_MAX)
        return (span_t){NULL, 0};
    span_t frame = frame_span (&self->frames[at]);
    return frame.p ? frame : (span_t){"", 0};
}

static bool
s_send_part (void *socket, const void *bytes, size_t size, int flags)
{
    zmq_msg_t part;
    if (zmq_msg_init_size (&part, size) != 0)
        return false;
    if (size)
        memcpy (zmq_msg_data (&part), bytes, size);
    if (zmq_msg_send (&part, socket, flags) >= 0)
        return true;
    zmq_msg_close (&part);
    return false;
}

bool
wire_send (bus_t *self, const peer_id_t *peer, const char *verb, span_t rid,
           const span_t *frames, size_t count)
{
    //  ROUTER_MANDATORY: a peer that has gone or does not read is said here, at the first
    //  part; what follows cannot fail then.
    int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    if (!s_send_part (self->commands, peer->bytes, peer->size, more)) {
        self->counts.unsent++;
        return false;
    }
    s_send_part (self->commands, "PB1", 3, more);
    s_send_part (self->commands, verb, strlen (verb), more);
    s_send_part (self->commands, rid.p, rid.n, count ? more : ZMQ_DONTWAIT);
    for (size_t i = 0; i < count; i++)
        s_send_part (self->commands, frames[i].p, frames[i].n,
                     i + 1 < count ? more : ZMQ_DONTWAIT);
    return true;
}

void
wire_error (bus_t *self, const peer_id_t *peer, span_t rid, const char *code,
            const char *message)
{
    buffer_t body = {0};
    buffer_printf (&body, "{\"code\":\"%s\",\"message\":", code);
    buffer_json_string (&body, message, strlen (message));
    buffer_text (&body, "}");
    self->counts.errors++;
    wire_send (self, peer, "ERROR", rid, &(span_t){body.data, body.size}, 1);
    buffer_free (&body);
}

void
wire_refuse (bus_t *self, const pb_error_t *error)
{
    span_t rid = self->in.rid.p ? self->in.rid : (span_t){"", 0};
    wire_error (self, &self->in.peer, rid, pb_error_word (error->code), error->message);
}

void
wire_forget (command_t *in)
{
    size_t kept = in->count < BUS_FRAMES_MAX ? in->count : BUS_FRAMES_MAX;
    for (size_t i = 0; i < kept; i++)
        zmq_msg_close (&in->frames[i]);
    in->count = 0;
    in->fd = -1;
    in->rid = (span_t){NULL, 0};
}

//  All parts of a message are read, but only BUS_FRAMES_MAX kept.
bool
wire_receive (bus_t *self)
{
    command_t *in = &self->in;
    wire_forget (in);
    zmq_msg_t id;
    zmq_msg_init (&id);
    if (zmq_msg_recv (&id, self->commands, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close (&id);
        return false;
    }
    in->peer.size = (uint8_t) zmq_msg_size (&id);
    memcpy (in->peer.bytes, zmq_msg_data (&id), in->peer.size);
    bool more = zmq_msg_more (&id);
    zmq_msg_close (&id);
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *frame = in->count < BUS_FRAMES_MAX ? &in->frames[in->count] : &extra;
        zmq_msg_init (frame);
        if (zmq_msg_recv (frame, self->commands, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (frame);
            break;
        }
        more = zmq_msg_more (frame);
        if (in->count == 0)
            in->fd = zmq_msg_get (frame, ZMQ_SRCFD);
        if (frame == &extra)
            zmq_msg_close (frame);
        in->count++;
    }
    return true;
}

json_object *
head_parse (span_t text, pb_error_t *error)
{
    if (!text.p) {
        pb_error (error, PB_E_BAD_REQUEST, "",
                  _ ("the head is missing: a JSON object"));
        return NULL;
    }
    if (text.n > EVENT_MAX) {
        pb_error (error, PB_E_BAD_REQUEST, "", _ ("the head is longer than 64 KiB"));
        return NULL;
    }
    if (!json_check (text.p, text.n, error)) {
        if (error)
            error->code = PB_E_BAD_REQUEST;
        return NULL;
    }
    struct json_tokener *reader = json_tokener_new ();
    json_object *head = json_tokener_parse_ex (reader, text.p, (int) text.n);
    json_tokener_free (reader);
    if (json_object_is_type (head, json_type_object))
        return head;
    json_object_put (head);
    pb_error (error, PB_E_BAD_REQUEST, "", _ ("the head is not a JSON object"));
    return NULL;
}

bool
head_text (json_object *head, const char *name, size_t max, const char **value,
           pb_error_t *error)
{
    json_object *member = NULL;
    if (!json_object_object_get_ex (head, name, &member))
        return true;
    size_t size = json_object_is_type (member, json_type_string)
                      ? (size_t) json_object_get_string_len (member)
                      : 0;
    if (size < 1 || size > max)
        return pb_error (error, PB_E_BAD_REQUEST, name,
                         _ ("%s is a text of 1 to %zu bytes"), name, max);
    *value = json_object_get_string (member);
    return true;
}

bool
head_int (json_object *head, const char *name, int64_t min, int64_t max, int64_t *value,
          pb_error_t *error)
{
    json_object *member = NULL;
    if (!json_object_object_get_ex (head, name, &member))
        return true;
    int64_t number = json_object_get_int64 (member);
    if (!json_object_is_type (member, json_type_int) || number < min || number > max)
        return pb_error (error, PB_E_BAD_REQUEST, name,
                         _ ("%s is an integer from %lld to %lld"), name,
                         (long long) min, (long long) max);
    *value = number;
    return true;
}
