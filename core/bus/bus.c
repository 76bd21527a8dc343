//  bus.c - the two sockets in the loop, and which verb does what.

#include "bus/inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "base/moment.h"

//  What a client may send. `answers`: it is an answer itself, so it is never answered.
static const struct {
    const char *word;
    verb_fn *fn;
    bool answers;
} verbs[] = {
    {"PUBLISH",     publish_verb,     false},
    {"CALL",        call_verb,        false},
    {"SERVE",       serve_verb,       false},
    {"FETCH",       fetch_verb,       false},
    {"SUBSCRIBE",   subscribe_verb,   false},
    {"UNSUBSCRIBE", unsubscribe_verb, false},
    {"FORGET",      forget_verb,      false},
    {"PING",        ping_verb,        false},
    {"ACK",         ack_verb,         true },
    {"REPLY",       reply_verb,       true },
    {"ERROR",       error_verb,       true },
    {"PONG",        NULL,             true },
};

bool
ping_verb (bus_t *self, command_t *in, pb_error_t *error)
{
    if (in->count != 3)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("PING takes nothing after the request id"));
    json_object *services = calls_services_of (self->calls, &in->peer);
    json_object *names = subs_names_of (self->subs, &in->peer);
    buffer_t *json = &self->scratch;
    buffer_reset (json);
    buffer_text (json, "{\"node\":");
    buffer_json_string (json, self->options.node, strlen (self->options.node));
    buffer_text (json, ",\"version\":");
    buffer_json_string (json, self->options.version, strlen (self->options.version));
    buffer_printf (
        json, ",\"head\":%" PRIu64 ",\"boot\":\"%s\",\"services\":%s,\"names\":%s}",
        journal_head (self->options.journal), self->boot,
        json_object_to_json_string_ext (services, JSON_C_TO_STRING_PLAIN),
        json_object_to_json_string_ext (names, JSON_C_TO_STRING_PLAIN));
    wire_send (self, &in->peer, "PONG", in->rid, &(span_t){json->data, json->size}, 1);
    json_object_put (names);
    json_object_put (services);
    return true;
}

//  Frame by frame, in the order in which they could mislead us.
static bool
s_check_frames (command_t *in, pb_error_t *error)
{
    if (in->count < 1 || !span_is (frame_span (&in->frames[0]), "PB1"))
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("the first frame is not PB1: this is parkbus's command "
                            "socket, frames are PB1, verb, request id, …"));
    if (in->count < 3)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("frames are missing: PB1, verb, request id, …"));
    span_t rid = frame_span (&in->frames[2]);
    if (rid.n < 1 || rid.n > BUS_RID_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("a request id has 1 to %d bytes"), BUS_RID_MAX);
    in->rid = rid;
    if (in->count > BUS_FRAMES_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("more than %d frames in one message"), BUS_FRAMES_MAX);
    return true;
}

static void
s_handle (bus_t *self)
{
    command_t *in = &self->in;
    pb_error_t error = {0};
    calls_heard (self->calls, &in->peer);
    if (!s_check_frames (in, &error)) {
        wire_refuse (self, &error);
        return;
    }
    span_t word = frame_span (&in->frames[1]);
    for (size_t i = 0; i < ARRAY_SIZE (verbs); i++) {
        if (!span_is (word, verbs[i].word))
            continue;
        if (verbs[i].fn && !verbs[i].fn (self, in, &error) && !verbs[i].answers)
            wire_refuse (self, &error);
        return;
    }
    bool text = utf8_valid (word.p, word.n);
    pb_error (&error, PB_E_BAD_REQUEST, "", _ ("unknown verb '%.*s'"),
              text ? (int) (word.n < 32 ? word.n : 32) : 0, word.p);
    wire_refuse (self, &error);
}

void
bus_handle_frames (bus_t *self, const span_t *frames, size_t count)
{
    command_t *in = &self->in;
    wire_forget (in);
    in->peer = (peer_id_t){.size = 4, .bytes = "test"};
    for (size_t i = 0; i < count && i < BUS_FRAMES_MAX; i++) {
        zmq_msg_init_size (&in->frames[i], frames[i].n);
        if (frames[i].n)
            memcpy (zmq_msg_data (&in->frames[i]), frames[i].p, frames[i].n);
        in->count++;
    }
    s_handle (self);
}

//  ---------------------------------------------------------------- connections that close

//  The monitor says which descriptor closed before the descriptor is used again, so it is
//  emptied before any message is acted on.
static void
s_read_monitor (bus_t *self)
{
    for (;;) {
        zmq_msg_t what, where;
        zmq_msg_init (&what);
        if (zmq_msg_recv (&what, self->monitor, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (&what);
            return;
        }
        uint16_t event = 0;
        int32_t fd = -1;
        if (zmq_msg_size (&what) >= 6) {
            const char *bytes = zmq_msg_data (&what);
            memcpy (&event, bytes, sizeof event);
            memcpy (&fd, bytes + sizeof event, sizeof fd);
        }
        bool more = zmq_msg_more (&what);
        zmq_msg_close (&what);
        if (more) {
            zmq_msg_init (&where);
            zmq_msg_recv (&where, self->monitor, ZMQ_DONTWAIT);
            zmq_msg_close (&where);
        }
        if (event == ZMQ_EVENT_DISCONNECTED)
            subs_lost_fd (self->subs, fd);
        if (event == ZMQ_EVENT_DISCONNECTED)
            calls_lost_fd (self->calls, fd);
    }
}

static int
s_monitor (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    s_read_monitor (arg);
    return 0;
}

static int
s_commands (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    bus_t *self = arg;
    for (size_t i = 0; i < BUS_BURST && wire_receive (self); i++) {
        s_read_monitor (self);
        s_handle (self);
    }
    journal_flush (self->options.journal);
    return 0;
}

//  ---------------------------------------------------------------- memory

bus_memory_t *
bus_memory_new (void)
{
    bus_memory_t *self = xcalloc (1, sizeof *self);
    self->alarms = zhashx_new ();
    self->subs = zhashx_new ();
    zhashx_set_destructor (self->subs, subs_free_one);
    return self;
}

void
bus_memory_destroy (bus_memory_t **self_p)
{
    if (!*self_p)
        return;
    zhashx_destroy (&(*self_p)->alarms);
    zhashx_destroy (&(*self_p)->subs);
    free (*self_p);
    *self_p = NULL;
}

void
bus_memory_fold (bus_memory_t *self, const journal_record_t *record)
{
    char name[128], key[170];
    if (record->kind == JOURNAL_CURSOR)
        subs_fold (self->subs, record);
    if (record->kind != JOURNAL_EVENT)
        return;
    bool raised = span_is (record->event.type, "alarm.raised");
    if ((!raised && !span_is (record->event.type, "alarm.cleared"))
        || !event_data_text (&record->event, "name", name, sizeof name))
        return;
    snprintf (key, sizeof key, "%s/%.*s", name, SPAN_ARG (record->event.lot));
    if (raised)
        zhashx_update (self->alarms, key, self);
    else
        zhashx_delete (self->alarms, key);
}

//  ---------------------------------------------------------------- making and ending

static char *
s_bound (void *socket)
{
    char endpoint[256] = "";
    size_t size = sizeof endpoint;
    zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    return xstrdup (endpoint);
}

static void *
s_socket (bus_t *self, int type, const char *endpoint, const char *key,
          pb_error_t *error)
{
    void *socket = zmq_socket (self->zmq, type);
    int linger = 200, yes = 1, mark = 100000;
    int64_t largest = BUS_FRAME_MAX;
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
    zmq_setsockopt (socket, ZMQ_SNDHWM, &mark, sizeof mark);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    else
        zmq_setsockopt (socket, ZMQ_XPUB_VERBOSER, &yes, sizeof yes);
    if (zmq_bind (socket, endpoint) == 0)
        return socket;
    pb_error (error, PB_E_STORAGE, key,
              errno == EADDRINUSE
                  ? _ ("bus.%s: %s is in use: does another parkbusd run, or choose "
                       "another port")
                  : _ ("bus.%s: cannot listen at %s: %s"),
              key, endpoint, zmq_strerror (errno));
    zmq_close (socket);
    return NULL;
}

static bool
s_watch_connections (bus_t *self)
{
    static unsigned number;
    char at[64];
    snprintf (at, sizeof at, "inproc://parkbus-monitor-%u", number++);
    if (zmq_socket_monitor (self->commands, at, ZMQ_EVENT_DISCONNECTED) != 0)
        return false;
    self->monitor = zmq_socket (self->zmq, ZMQ_PAIR);
    int linger = 0, mark = 0;
    zmq_setsockopt (self->monitor, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (self->monitor, ZMQ_RCVHWM, &mark, sizeof mark);
    return zmq_connect (self->monitor, at) == 0;
}

//  The service bus.stats: counters since the start.
static void
s_stats (void *arg, const bus_question_t *question, bus_answer_fn *answer,
         void *answer_arg)
{
    (void) question;
    bus_counts_t counts = bus_counts (arg);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"published",    counts.published   },
        {"duplicates",   counts.duplicates  },
        {"refused",      counts.refused     },
        {"errors",       counts.errors      },
        {"calls",        counts.calls       },
        {"calls_open",   counts.calls_open  },
        {"providers",    counts.providers   },
        {"late_replies", counts.late_replies},
        {"unsent",       counts.unsent      },
    };
    buffer_t json = {0};
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++)
        buffer_printf (&json, "%s\"%s\":%" PRIu64, i ? "," : "{", rows[i].name,
                       rows[i].value);
    buffer_text (&json, "}");
    answer (answer_arg, &(bus_answer_t){.body = json.data, .body_size = json.size});
    buffer_free (&json);
}

bus_t *
bus_new (const bus_options_t *options, pb_error_t *error)
{
    bus_t *self = xcalloc (1, sizeof *self);
    self->options = *options;
    self->only_lot = xstrdup (options->only_lot);
    self->own_memory = options->memory ? NULL : bus_memory_new ();
    self->memory = options->memory ? options->memory : self->own_memory;
    self->rules = (event_rules_t){.offset = options->offset,
                                  .lot_known = options->lot_known,
                                  .source_reserved = options->source_reserved,
                                  .arg = options->arg};
    id_uuid7 (self->boot);
    self->reader = journal_reader_new (options->journal);
    self->zmq = zmq_ctx_new ();
    zmq_ctx_set (self->zmq, ZMQ_MAX_SOCKETS, 20000);
    self->commands = s_socket (self, ZMQ_ROUTER, options->commands, "commands", error);
    if (self->commands)
        self->events = s_socket (self, ZMQ_XPUB, options->events, "events", error);
    if (!self->events || !s_watch_connections (self)) {
        bus_destroy (&self);
        return NULL;
    }
    self->commands_at = s_bound (self->commands);
    self->events_at = s_bound (self->events);
    self->calls = calls_new (self);
    self->fetches = fetches_new (self);
    self->feed = feed_new (self);
    self->subs = subs_new (self, self->memory->subs);
    bus_provide (self, "bus.stats", false, s_stats, self);
    zmq_pollitem_t commands = {.socket = self->commands, .events = ZMQ_POLLIN};
    zmq_pollitem_t monitor = {.socket = self->monitor, .events = ZMQ_POLLIN};
    zloop_poller (options->loop, &monitor, s_monitor, self);
    zloop_poller (options->loop, &commands, s_commands, self);
    return self;
}

void
bus_destroy (bus_t **self_p)
{
    bus_t *self = *self_p;
    if (!self)
        return;
    void *sockets[] = {self->commands, self->events, self->monitor};
    for (size_t i = 0; i < ARRAY_SIZE (sockets); i++)
        if (sockets[i]) {
            zmq_pollitem_t item = {.socket = sockets[i]};
            zloop_poller_end (self->options.loop, &item);
        }
    waiters_end (self);
    if (self->calls)
        calls_destroy (&self->calls);
    fetches_destroy (&self->fetches);
    feed_destroy (&self->feed);
    subs_destroy (&self->subs);
    wire_forget (&self->in);
    if (self->commands)
        zmq_socket_monitor (self->commands, NULL, 0);
    for (size_t i = 0; i < ARRAY_SIZE (sockets); i++)
        if (sockets[i])
            zmq_close (sockets[i]);
    zmq_ctx_term (self->zmq);
    journal_reader_destroy (&self->reader);
    bus_memory_destroy (&self->own_memory);
    buffer_free (&self->scratch);
    free (self->commands_at);
    free (self->events_at);
    free (self->only_lot);
    free (self);
    *self_p = NULL;
}

const char *
bus_events_endpoint (const bus_t *self)
{
    return self->events_at;
}

const char *
bus_commands_endpoint (const bus_t *self)
{
    return self->commands_at;
}

void
bus_durable (bus_t *self, const journal_record_t *record)
{
    feed_event (self->feed, record);
}
