//  wire.c - the bus protocol PB1 as a client speaks it: a DEALER, one question at a time.

#include "wire.h"

#include <stdio.h>
#include <string.h>
#include "base/moment.h"
#include "cli.h"

struct wire {
    zsock_t *socket;
    char *endpoint;
    uint64_t asked;
};

//  How many seconds, without ".0".
static unsigned
s_seconds (int64_t ms)
{
    return (unsigned) ((ms + 999) / 1000);
}

static void
s_error (wire_error_t *error, const char *code, const char *message)
{
    snprintf (error->code, sizeof error->code, "%s", code);
    snprintf (error->message, sizeof error->message, "%s", message);
}

wire_t *
wire_new (const char *endpoint, wire_error_t *error)
{
    //  Signals are ours, and nothing is owed to a socket that is closed.
    zsys_handler_set (NULL);
    wire_t *self = xcalloc (1, sizeof *self);
    self->endpoint = xstrdup (endpoint);
    self->socket = zsock_new (ZMQ_DEALER);
    if (self->socket && zsock_connect (self->socket, "%s", endpoint) == 0) {
        zsock_set_linger (self->socket, 0);
        zsock_set_sndtimeo (self->socket, WIRE_TIMEOUT_MS);
        return self;
    }
    error->code[0] = '\0';
    snprintf (error->message, sizeof error->message,
              _ ("%s is no endpoint; one looks like tcp://127.0.0.1:5571"), endpoint);
    wire_destroy (&self);
    return NULL;
}

void
wire_destroy (wire_t **self_p)
{
    wire_t *self = *self_p;
    if (!self)
        return;
    zsock_destroy (&self->socket);
    free (self->endpoint);
    free (self);
    *self_p = NULL;
}

zsock_t *
wire_socket (wire_t *self)
{
    return self->socket;
}

void
wire_send (wire_t *self, const char *verb, span_t first, zmsg_t **frames_p)
{
    zmsg_t *message = frames_p && *frames_p ? *frames_p : zmsg_new ();
    zmsg_pushmem (message, first.p, first.n);
    zmsg_pushstr (message, verb);
    zmsg_pushstr (message, "PB1");
    if (zmsg_send (&message, self->socket) != 0)
        zmsg_destroy (&message);
    if (frames_p)
        *frames_p = NULL;
}

zmsg_t *
wire_take (wire_t *self)
{
    if (!(zsock_events (self->socket) & ZMQ_POLLIN))
        return NULL;
    zmsg_t *message = zmsg_recv (self->socket);
    zframe_t *mark = message ? zmsg_pop (message) : NULL;
    if (!mark || !zframe_streq (mark, "PB1") || zmsg_size (message) < 2)
        zmsg_destroy (&message);
    zframe_destroy (&mark);
    return message;
}

void
wire_error_read (zframe_t *frame, wire_error_t *error)
{
    json_object *object = frame ? wire_json (frame) : NULL;
    const char *message = wire_text (object, "message", "");
    s_error (error, wire_text (object, "code", "bad_request"),
             message[0] ? message : _ ("parkbusd gives no reason"));
    json_object_put (object);
}

//  Is this the answer to `rid`? Then its frames after the id, or NULL with *error; *more
//  says whether to wait on.
static zmsg_t *
s_match (zmsg_t *message, const char *rid, const char *want, bool *more,
         wire_error_t *error)
{
    zframe_t *verb = zmsg_pop (message), *id = zmsg_pop (message);
    bool ours = zframe_streq (id, rid);
    //  An empty id: the broker could not read what we sent.
    bool refused = zframe_streq (verb, "ERROR") && (ours || zframe_size (id) == 0);
    *more = !ours && !refused;
    if (refused)
        wire_error_read (zmsg_first (message), error);
    else if (ours && !zframe_streq (verb, want)) {
        refused = true;
        s_error (error, "bad_request",
                 _ ("parkbusd answers with something else than asked"));
    }
    zframe_destroy (&verb);
    zframe_destroy (&id);
    if (*more || refused)
        zmsg_destroy (&message);
    return message;
}

//  Wait for something to read. False: the time is over, or the user ended it.
static bool
s_wait (wire_t *self, int64_t deadline_ms)
{
    while (!cli_interrupted ()) {
        int64_t left = deadline_ms - moment_monotonic_ms ();
        if (left <= 0)
            return false;
        zmq_pollitem_t items[] = {
            {zsock_resolve (self->socket), 0,              ZMQ_POLLIN, 0},
            {NULL,                         cli_signals (), ZMQ_POLLIN, 0},
        };
        int ready = zmq_poll (items, 2, (long) left);
        if (ready > 0 && items[1].revents)
            cli_signals_drain ();
        if (ready > 0 && items[0].revents)
            return true;
    }
    return false;
}

zmsg_t *
wire_ask (wire_t *self, const char *verb, zmsg_t **frames_p, const char *want,
          int64_t timeout_ms, wire_error_t *error)
{
    char rid[32];
    snprintf (rid, sizeof rid, "%llu", (unsigned long long) ++self->asked);
    wire_send (self, verb, SPAN (rid), frames_p);
    int64_t deadline_ms = moment_monotonic_ms () + timeout_ms;
    *error = (wire_error_t){"", ""};
    while (s_wait (self, deadline_ms)) {
        zmsg_t *message = wire_take (self);
        if (!message)
            continue;
        bool more;
        message = s_match (message, rid, want, &more, error);
        if (!more)
            return message;
    }
    if (!cli_interrupted ())
        snprintf (error->message, sizeof error->message,
                  _ ("no answer from parkbusd at %s within %u s: is it running?"),
                  self->endpoint, s_seconds (timeout_ms));
    return NULL;
}

json_object *
wire_json (zframe_t *frame)
{
    size_t size = zframe_size (frame);
    if (size > INT32_MAX)
        return NULL;
    json_tokener *tokener = json_tokener_new ();
    json_object *object =
        json_tokener_parse_ex (tokener, (const char *) zframe_data (frame), (int) size);
    json_tokener_free (tokener);
    return object;
}

uint64_t
wire_number (json_object *object, const char *name, uint64_t preset)
{
    json_object *member;
    if (!json_object_object_get_ex (object, name, &member)
        || !json_object_is_type (member, json_type_int))
        return preset;
    return json_object_get_uint64 (member);
}

const char *
wire_text (json_object *object, const char *name, const char *preset)
{
    json_object *member;
    if (!json_object_object_get_ex (object, name, &member)
        || !json_object_is_type (member, json_type_string))
        return preset;
    return json_object_get_string (member);
}

int
wire_complain (const wire_error_t *error)
{
    if (error->code[0])
        fprintf (stderr, "%s: %s\n", error->code, error->message);
    else if (error->message[0])
        cli_fail ("%s", error->message);
    return CLI_FAILED;
}
