//  serve.c - `parkbus serve`: a service answered by a shell command, once per request.

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"
#include "commands.h"
#include "job.h"
#include "wire.h"

#define JOBS_MAX 64
#define JOBS 16
#define LISTS_MAX 64
#define PING_MS 10000
#define SILENCE_MS 25000 //  Two PINGs without an answer

static const arg_t args[] = {
    {"lot",  ARG_TEXT,   N_ ("LOT"),     0, 0,
     N_ ("only requests of this lot; may be repeated")           },
    {"lane", ARG_TEXT,   N_ ("LANE"),    0, 0,
     N_ ("only requests of this lane; may be repeated")          },
    {"exec", ARG_TEXT,   N_ ("COMMAND"), 0, 0,
     N_ ("run for each request: body on stdin, answer on stdout")},
    {"jobs", ARG_NUMBER, N_ ("N"),       1, JOBS_MAX,
     N_ ("at most N at once; 16 unless given")                   },
    ARGS_END
};

typedef struct {
    job_t *job; //  NULL: free
    zframe_t *xid;
} slot_t;

typedef struct {
    const cli_t *cli;
    wire_t *wire;
    const char *command;
    buffer_t offer; //  SERVE's JSON
    slot_t slots[JOBS_MAX];
    size_t most;     //  Slots in use at once
    char *boot;      //  parkbusd's, as of the last PONG
    int64_t ping_ms; //  When the next is due
    int64_t heard_ms;
    bool silent;
    int code; //  Exit code; CLI_OK while it goes on
} server_t;

//  ---------------------------------------------------------------------- what is offered

static void
s_list (const cli_t *cli, const char *option, const char *name, buffer_t *json)
{
    const char *texts[LISTS_MAX];
    size_t count = cli_texts (cli, option, texts, LISTS_MAX);
    buffer_printf (json, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        buffer_text (json, i ? "," : "");
        buffer_json_string (json, texts[i], strlen (texts[i]));
    }
    buffer_text (json, count ? "]" : "\"*\"]");
}

static void
s_offer (server_t *self)
{
    buffer_text (&self->offer, "{\"services\":[");
    for (size_t i = 0; i < cli_words_count (self->cli); i++) {
        const char *word = cli_word (self->cli, i);
        buffer_text (&self->offer, i ? "," : "");
        buffer_json_string (&self->offer, word, strlen (word));
    }
    buffer_text (&self->offer, "]");
    s_list (self->cli, "lot", "lots", &self->offer);
    s_list (self->cli, "lane", "lanes", &self->offer);
    buffer_text (&self->offer, "}");
}

static bool
s_among (json_object *list, const char *word)
{
    if (!json_object_is_type (list, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length (list); i++)
        if (streq (json_object_get_string (json_object_array_get_idx (list, i)), word))
            return true;
    return false;
}

//  PONG says what this connection serves: offer it again when parkbusd forgot, as it does
//  when it starts anew.
static void
s_pong (server_t *self, zmsg_t *message)
{
    zframe_t *frame = zmsg_first (message);
    json_object *object = frame ? wire_json (frame) : NULL, *services = NULL;
    const char *boot = wire_text (object, "boot", "");
    bool known = self->boot && streq (boot, self->boot);
    json_object_object_get_ex (object, "services", &services);
    for (size_t i = 0; known && i < cli_words_count (self->cli); i++)
        known = s_among (services, cli_word (self->cli, i));
    bool first = !self->boot;
    free (self->boot);
    self->boot = xstrdup (boot);
    json_object_put (object);
    if (known || first)
        return;
    cli_say (_ ("parkbusd does not know our services any more; offering them again"));
    zmsg_t *offer = zmsg_new ();
    zmsg_addmem (offer, self->offer.data, self->offer.size);
    wire_send (self->wire, "SERVE", SPAN ("serve"), &offer);
}

//  ---------------------------------------------------------------------- requests

static void
s_answer (server_t *self, zframe_t *xid, const char *verb, const void *head,
          size_t size, const span_t *body)
{
    zmsg_t *frames = zmsg_new ();
    zmsg_addmem (frames, head, size);
    if (body)
        zmsg_addmem (frames, body->p, body->n);
    span_t first = {(const char *) zframe_data (xid), zframe_size (xid)};
    wire_send (self->wire, verb, first, &frames);
}

static void
s_refuse (server_t *self, zframe_t *xid, const char *code, const char *message)
{
    buffer_t json = {0};
    buffer_printf (&json, "{\"code\":\"%s\",\"message\":", code);
    buffer_json_string (&json, message, strlen (message));
    buffer_text (&json, "}");
    s_answer (self, xid, "ERROR", json.data, json.size, NULL);
    buffer_free (&json);
}

//  PARKBUS_LOT=north; unset when the request does not say it.
static void
s_variable (char *to, size_t room, const char *name, const char *value)
{
    snprintf (to, room, value ? "%s=%s" : "%s", name, value);
}

static job_t *
s_start (server_t *self, json_object *head, zframe_t *body)
{
    static const char *const members[] = {"service", "lot", "lane", "caller"};
    static const char *const names[] = {"PARKBUS_SERVICE", "PARKBUS_LOT",
                                        "PARKBUS_LANE", "PARKBUS_CALLER"};
    char texts[ARRAY_SIZE (members) + 1][256];
    const char *environment[ARRAY_SIZE (members) + 2] = {NULL};
    for (size_t i = 0; i < ARRAY_SIZE (members); i++) {
        s_variable (texts[i], sizeof texts[i], names[i],
                    wire_text (head, members[i], NULL));
        environment[i] = texts[i];
    }
    uint64_t left_ms = wire_number (head, "deadline_ms", 0);
    snprintf (texts[ARRAY_SIZE (members)], sizeof texts[0],
              "PARKBUS_DEADLINE_MS=%" PRIu64, left_ms);
    environment[ARRAY_SIZE (members)] = texts[ARRAY_SIZE (members)];
    return job_new (self->command, environment, zframe_data (body), zframe_size (body),
                    moment_monotonic_ms () + (int64_t) left_ms);
}

//  REQUEST xid head body.
static void
s_request (server_t *self, zmsg_t *message, zframe_t *xid)
{
    zframe_t *first = zmsg_first (message), *body = zmsg_next (message);
    json_object *head = first && body ? wire_json (first) : NULL;
    slot_t *slot = NULL;
    for (size_t i = 0; i < self->most && !slot; i++)
        if (!self->slots[i].job)
            slot = &self->slots[i];
    if (!head)
        s_refuse (self, xid, "bad_request", _ ("the REQUEST cannot be read"));
    else if (!slot || cli_interrupted ())
        s_refuse (self, xid, "busy", _ ("as many commands run as may run at once"));
    else if (!(slot->job = s_start (self, head, body)))
        s_refuse (self, xid, "rejected", _ ("the command could not be started"));
    else
        slot->xid = zframe_dup (xid);
    json_object_put (head);
}

static void
s_end (server_t *self, slot_t *slot)
{
    span_t answer;
    char message[512];
    if (job_answer (slot->job, &answer, message, sizeof message))
        s_answer (self, slot->xid, "REPLY", "{}", 2, &answer);
    else {
        cli_say ("%s", message);
        s_refuse (self, slot->xid, job_late (slot->job) ? "timeout" : "rejected",
                  message);
    }
    job_destroy (&slot->job);
    zframe_destroy (&slot->xid);
}

//  ERROR to our SERVE or PING. Without a place to serve there is nothing to go on for.
static void
s_error (server_t *self, zmsg_t *message, zframe_t *rid)
{
    wire_error_t error;
    wire_error_read (zmsg_first (message), &error);
    if (zframe_streq (rid, "serve"))
        self->code = wire_complain (&error);
}

static void
s_message (server_t *self, zmsg_t *message)
{
    if (self->silent)
        cli_say (_ ("parkbusd is back"));
    self->silent = false;
    self->heard_ms = moment_monotonic_ms ();
    zframe_t *verb = zmsg_pop (message), *first = zmsg_pop (message);
    if (zframe_streq (verb, "REQUEST"))
        s_request (self, message, first);
    else if (zframe_streq (verb, "PONG"))
        s_pong (self, message);
    else if (zframe_streq (verb, "ERROR"))
        s_error (self, message, first);
    zframe_destroy (&verb);
    zframe_destroy (&first);
}

//  ---------------------------------------------------------------------- the loop

static size_t
s_running (const server_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->most; i++)
        count += self->slots[i].job != NULL;
    return count;
}

//  Wait until something is to be done.
static void
s_wait (server_t *self)
{
    zmq_pollitem_t items[2 + 3 * JOBS_MAX] = {
        {zsock_resolve (wire_socket (self->wire)), 0,              ZMQ_POLLIN, 0},
        {NULL,                                     cli_signals (), ZMQ_POLLIN, 0},
    };
    int count = 2;
    int64_t until_ms = self->ping_ms;
    for (size_t i = 0; i < self->most; i++) {
        if (!self->slots[i].job)
            continue;
        int fds[3];
        job_fds (self->slots[i].job, fds);
        for (int f = 0; f < 3; f++)
            if (fds[f] >= 0)
                items[count++] = (zmq_pollitem_t){
                    NULL, fds[f], (short) (f == 0 ? ZMQ_POLLOUT : ZMQ_POLLIN), 0};
        if (job_deadline_ms (self->slots[i].job) < until_ms)
            until_ms = job_deadline_ms (self->slots[i].job);
    }
    int64_t left_ms = until_ms - moment_monotonic_ms ();
    zmq_poll (items, count, left_ms > 0 ? (long) left_ms : 0);
    if (items[1].revents)
        cli_signals_drain ();
}

static void
s_ping (server_t *self)
{
    int64_t now_ms = moment_monotonic_ms ();
    if (now_ms < self->ping_ms)
        return;
    self->ping_ms = now_ms + PING_MS;
    wire_send (self->wire, "PING", SPAN ("ping"), NULL);
    if (self->silent || now_ms - self->heard_ms < SILENCE_MS)
        return;
    self->silent = true;
    cli_say (_ ("nothing heard from parkbusd for %d s; waiting for it"),
             SILENCE_MS / 1000);
}

static void
s_turn (server_t *self)
{
    s_wait (self);
    zmsg_t *message;
    while ((message = wire_take (self->wire))) {
        s_message (self, message);
        zmsg_destroy (&message);
    }
    for (size_t i = 0; i < self->most; i++)
        if (self->slots[i].job && job_turn (self->slots[i].job, moment_monotonic_ms ()))
            s_end (self, &self->slots[i]);
    s_ping (self);
}

//  The first SERVE, waited for. False: we have no place there.
static bool
s_register (server_t *self, const char *json, size_t size)
{
    zmsg_t *offer = zmsg_new ();
    zmsg_addmem (offer, json, size);
    wire_error_t error;
    zmsg_t *answer =
        wire_ask (self->wire, "SERVE", &offer, "OK", WIRE_TIMEOUT_MS, &error);
    bool well = answer != NULL;
    zmsg_destroy (&answer);
    if (!well)
        wire_complain (&error);
    return well;
}

//  Ctrl-C: no new requests; what runs may end (a second Ctrl-C kills it), then good-bye.
static void
s_finish (server_t *self)
{
    static const char nothing[] =
        "{\"services\":[],\"lots\":[\"*\"],\"lanes\":[\"*\"]}";
    zmsg_t *offer = zmsg_new ();
    zmsg_addmem (offer, nothing, sizeof nothing - 1);
    wire_send (self->wire, "SERVE", SPAN ("end"), &offer);
    while (s_running (self) > 0 && cli_interrupted () < 2)
        s_turn (self);
    //  What was sent last must leave before the socket closes.
    zsock_set_linger (wire_socket (self->wire), 500);
}

static void
s_serve (server_t *self)
{
    //  A command that does not read its input is no reason to end.
    signal (SIGPIPE, SIG_IGN);
    cli_signals ();
    s_offer (self);
    self->code = CLI_FAILED;
    if (!s_register (self, self->offer.data, self->offer.size))
        return;
    self->code = CLI_OK;
    cli_say (_ ("serving %s; Ctrl-C ends it"), self->offer.data);
    self->heard_ms = moment_monotonic_ms ();
    while (!cli_interrupted () && self->code == CLI_OK)
        s_turn (self);
    if (self->code == CLI_OK)
        s_finish (self);
}

static int
s_run (cli_t *cli)
{
    const char *commands, *events;
    wire_error_t error;
    if (!cli_given (cli, "exec"))
        return cli_usage (
            cli, _ ("--exec COMMAND is missing: what is run for each request"));
    if (!cli_endpoints (cli, &commands, &events))
        return CLI_USAGE;
    server_t server = {.cli = cli,
                       .command = cli_text (cli, "exec"),
                       .most = (size_t) cli_number (cli, "jobs", JOBS)};
    if (!(server.wire = wire_new (commands, &error))) {
        wire_complain (&error);
        return CLI_USAGE;
    }
    s_serve (&server);
    for (size_t i = 0; i < server.most; i++) {
        job_destroy (&server.slots[i].job);
        zframe_destroy (&server.slots[i].xid);
    }
    wire_destroy (&server.wire);
    buffer_free (&server.offer);
    free (server.boot);
    return server.code;
}

const command_t command_serve = {
    "serve",
    N_ ("SERVICE…"),
    N_ ("answer a service by running a command per request"),
    args,
    1,
    LISTS_MAX,
    s_run,
};
