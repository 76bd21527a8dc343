//  sub_name.c - `parkbus sub --name`: a durable subscription, acknowledged line by line.
//
//  parkbusd keeps how far the name has come. An event is acknowledged when its line was
//  written and flushed, not before: whoever is killed in between gets it once more, and
//  misses none. Over a restart of parkbusd what comes again was printed already, and is
//  only acknowledged.

#include "sub_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"
#include "pages.h"

#define NAME_SIZE 64
#define PING_MS 10000
#define SILENCE_MS 25000 //  Two PINGs without an answer
//  So many lines at most are written and not acknowledged when we are killed.
#define ACK_EVENTS 50
#define MONITOR "inproc://parkbus-sub-monitor"

typedef struct {
    const char *name;
    wire_t *wire;
    zsock_t *monitor; //  Says when the connection is there again
    buffer_t filter;  //  All filters, JSON
    uint64_t last;    //  All up to it was printed
    uint64_t left;    //  Events still wanted
    bool seqs;        //  Print the seq before each line
    bool asked;       //  SUBSCRIBE is on its way
    char *boot;       //  parkbusd's, as of the last PONG
    int64_t ping_ms;  //  When the next is due
    int64_t heard_ms;
    bool silent;
    bool ended;
    int code;
} named_t;

//  ---------------------------------------------------------------------- asking

static zmsg_t *
s_head (named_t *self, uint64_t from)
{
    buffer_t json = {0};
    buffer_text (&json, "{\"name\":");
    buffer_json_string (&json, self->name, strlen (self->name));
    buffer_printf (&json, ",\"filter\":%s,\"from\":", self->filter.data);
    if (from)
        buffer_printf (&json, "%" PRIu64 "}", from);
    else
        buffer_text (&json, "\"new\"}");
    zmsg_t *head = zmsg_new ();
    zmsg_addmem (head, json.data, json.size);
    buffer_free (&json);
    return head;
}

static zmsg_t *
s_only_name (const char *name)
{
    buffer_t json = {0};
    buffer_text (&json, "{\"name\":");
    buffer_json_string (&json, name, strlen (name));
    buffer_text (&json, "}");
    zmsg_t *head = zmsg_new ();
    zmsg_addmem (head, json.data, json.size);
    buffer_free (&json);
    return head;
}

//  The first SUBSCRIBE, waited for; it says where we begin.
static bool
s_join (named_t *self, uint64_t from)
{
    wire_error_t error;
    zmsg_t *head = s_head (self, from);
    zmsg_t *answer =
        wire_ask (self->wire, "SUBSCRIBE", &head, "OK", WIRE_TIMEOUT_MS, &error);
    if (!answer) {
        wire_complain (&error);
        return false;
    }
    json_object *place = zmsg_first (answer) ? wire_json (zmsg_first (answer)) : NULL;
    self->last = wire_number (place, "cursor", 0);
    json_object_put (place);
    zmsg_destroy (&answer);
    return true;
}

//  Again, without waiting. Should the name be gone, it goes on behind what was printed.
static void
s_join_again (named_t *self)
{
    zmsg_t *head = s_head (self, self->last + 1);
    self->asked = true;
    cli_say (_ ("parkbusd does not know %s any more; subscribing again"), self->name);
    wire_send (self->wire, "SUBSCRIBE", SPAN ("subscribe"), &head);
}

static void
s_ack (named_t *self, uint64_t seq)
{
    char text[24];
    snprintf (text, sizeof text, "%" PRIu64, seq);
    zmsg_t *frames = zmsg_new ();
    zmsg_addstr (frames, text);
    wire_send (self->wire, "ACK", SPAN (self->name), &frames);
}

static void
s_end (named_t *self, int code)
{
    self->ended = true;
    self->code = code;
}

//  ---------------------------------------------------------------------- what comes

static uint64_t
s_seq (zframe_t *frame)
{
    int64_t seq;
    span_t text = {(const char *) zframe_data (frame), zframe_size (frame)};
    return text_int64 (text, 1, INT64_MAX, &seq) ? (uint64_t) seq : 0;
}

static void
s_print (named_t *self, uint64_t seq, zframe_t *event)
{
    if (self->seqs)
        printf ("%" PRIu64 "\t", seq);
    fwrite (zframe_data (event), 1, zframe_size (event), stdout);
    putchar ('\n');
    self->last = seq;
    self->left--;
}

//  What was written is done. False: it could not be written, so it is not.
static bool
s_done (named_t *self, uint64_t seq)
{
    if (fflush (stdout) == 0 && !ferror (stdout)) {
        s_ack (self, seq);
        return true;
    }
    s_end (self, CLI_FAILED);
    return false;
}

//  EVENT name seq event seq event …
static void
s_event (named_t *self, zmsg_t *message, zframe_t *first)
{
    if (!zframe_streq (first, self->name))
        return;
    uint64_t done = 0, open = 0;
    for (zframe_t *frame = zmsg_first (message); frame && self->left > 0;
         frame = zmsg_next (message)) {
        zframe_t *event = zmsg_next (message);
        uint64_t seq = s_seq (frame);
        if (!event || !seq)
            break;
        if (seq > self->last)
            s_print (self, seq, event);
        done = seq;
        if (++open < ACK_EVENTS)
            continue;
        if (!s_done (self, done))
            return;
        open = 0;
    }
    if (open > 0 && !s_done (self, done))
        return;
    if (self->left == 0)
        s_end (self, CLI_OK);
}

static bool
s_among (json_object *list, const char *word)
{
    for (size_t i = 0; json_object_is_type (list, json_type_array)
                       && i < json_object_array_length (list);
         i++)
        if (streq (json_object_get_string (json_object_array_get_idx (list, i)), word))
            return true;
    return false;
}

//  PONG says which names this connection has: subscribe again when ours is not among them,
//  as after a restart.
static void
s_pong (named_t *self, zmsg_t *message, zframe_t *first)
{
    (void) first;
    zframe_t *frame = zmsg_first (message);
    json_object *object = frame ? wire_json (frame) : NULL, *names = NULL;
    const char *boot = wire_text (object, "boot", "");
    uint64_t head = wire_number (object, "head", 0);
    json_object_object_get_ex (object, "names", &names);
    bool known =
        s_among (names, self->name) && (!self->boot || streq (self->boot, boot));
    free (self->boot);
    self->boot = xstrdup (boot);
    if (head < self->last)
        s_end (self, cli_fail (_ ("the journal began anew: its head is %" PRIu64
                                  ", it was %" PRIu64),
                               head, self->last));
    else if (!known && !self->asked)
        s_join_again (self);
    json_object_put (object);
}

static void
s_ok (named_t *self, zmsg_t *message, zframe_t *first)
{
    (void) message;
    if (zframe_streq (first, "subscribe"))
        self->asked = false;
}

//  ERROR to our name: it is somebody else's. To our SUBSCRIBE: what passes is tried again
//  with the next PONG.
static void
s_error (named_t *self, zmsg_t *message, zframe_t *first)
{
    wire_error_t error;
    wire_error_read (zmsg_first (message), &error);
    if (streq (error.code, "taken")) {
        if (zframe_streq (first, self->name))
            s_end (self, cli_fail (_ ("%s is taken: another client subscribed under "
                                      "this name; give each its own"),
                                   self->name));
        return;
    }
    if (!zframe_streq (first, "subscribe"))
        return;
    self->asked = false;
    wire_complain (&error);
    if (!streq (error.code, "busy") && !streq (error.code, "storage"))
        s_end (self, CLI_FAILED);
}

static void
s_message (named_t *self, zmsg_t *message)
{
    static const struct {
        const char *verb;
        void (*fn) (named_t *self, zmsg_t *message, zframe_t *first);
    } verbs[] = {
        {"EVENT", s_event},
        {"PONG",  s_pong },
        {"OK",    s_ok   },
        {"ERROR", s_error},
    };
    if (self->silent)
        cli_say (_ ("parkbusd is back"));
    self->silent = false;
    self->heard_ms = moment_monotonic_ms ();
    zframe_t *verb = zmsg_pop (message), *first = zmsg_pop (message);
    for (size_t i = 0; i < ARRAY_SIZE (verbs); i++)
        if (zframe_streq (verb, verbs[i].verb))
            verbs[i].fn (self, message, first);
    zframe_destroy (&verb);
    zframe_destroy (&first);
}

//  ---------------------------------------------------------------------- the loop

//  A connection that is there again is asked at once, not when the next PING is due.
static void
s_watch (named_t *self)
{
    zmq_socket_monitor (zsock_resolve (wire_socket (self->wire)), MONITOR,
                        ZMQ_EVENT_CONNECTED);
    self->monitor = zsock_new (ZMQ_PAIR);
    zsock_connect (self->monitor, MONITOR);
}

static void
s_connected (named_t *self)
{
    while (zsock_events (self->monitor) & ZMQ_POLLIN) {
        zmsg_t *message = zmsg_recv (self->monitor);
        zmsg_destroy (&message);
    }
    self->ping_ms = 0;
    self->asked = false; //  It went with the old connection
}

static void
s_ping (named_t *self)
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
s_turn (named_t *self)
{
    zmq_pollitem_t items[] = {
        {zsock_resolve (wire_socket (self->wire)), 0,              ZMQ_POLLIN, 0},
        {zsock_resolve (self->monitor),            0,              ZMQ_POLLIN, 0},
        {NULL,                                     cli_signals (), ZMQ_POLLIN, 0},
    };
    int64_t left_ms = self->ping_ms - moment_monotonic_ms ();
    zmq_poll (items, ARRAY_SIZE (items), left_ms > 0 ? (long) left_ms : 0);
    if (items[2].revents)
        cli_signals_drain ();
    if (items[1].revents)
        s_connected (self);
    zmsg_t *message;
    while (!self->ended && !cli_interrupted () && (message = wire_take (self->wire))) {
        s_message (self, message);
        zmsg_destroy (&message);
    }
    s_ping (self);
}

//  Give the name back; the answer also says that the last ACK came. Not knowing that is no
//  failure: everything was printed, the last ones may come again.
static void
s_leave (named_t *self)
{
    zmsg_t *head = s_only_name (self->name);
    wire_error_t error;
    if (cli_interrupted ()) {
        wire_send (self->wire, "UNSUBSCRIBE", SPAN ("end"), &head);
        zsock_set_linger (wire_socket (self->wire), 500);
        return;
    }
    zmsg_t *answer =
        wire_ask (self->wire, "UNSUBSCRIBE", &head, "OK", WIRE_TIMEOUT_MS, &error);
    if (!answer && error.message[0])
        cli_say (_ ("%s; the last events may come again next time"), error.message);
    zmsg_destroy (&answer);
}

static void
s_subscribed (named_t *self)
{
    self->heard_ms = moment_monotonic_ms ();
    s_watch (self);
    while (!self->ended && !cli_interrupted ())
        s_turn (self);
    if (self->code == CLI_OK)
        s_leave (self);
    zmq_socket_monitor (zsock_resolve (wire_socket (self->wire)), NULL, 0);
    zsock_destroy (&self->monitor);
    free (self->boot);
}

//  ---------------------------------------------------------------------- beginning

//  The name, as parkbusd takes it. NULL after saying what is wrong.
static const char *
s_name (const cli_t *cli)
{
    const char *name = cli_text (cli, "name");
    size_t size = strlen (name);
    bool well = size >= 1 && size <= NAME_SIZE;
    for (size_t i = 0; well && i < size; i++)
        well = (unsigned char) name[i] >= 0x20 && name[i] != 0x7f;
    if (!well)
        cli_usage (cli,
                   _ ("--name wants 1 to %d bytes, without control "
                      "characters"),
                   NAME_SIZE);
    return well ? name : NULL;
}

static wire_t *
s_connect (cli_t *cli)
{
    const char *commands, *events;
    wire_error_t error = {"", ""};
    if (!cli_endpoints (cli, &commands, &events))
        return NULL;
    wire_t *wire = wire_new (commands, &error);
    if (!wire)
        wire_complain (&error);
    return wire;
}

int
sub_named (cli_t *cli, uint64_t from)
{
    named_t self = {.name = s_name (cli),
                    .left = (uint64_t) cli_number (cli, "count", INT64_MAX),
                    .seqs = cli_given (cli, "seq"),
                    .code = CLI_USAGE};
    if (self.name && page_filters (cli, 0, &self.filter)
        && (self.wire = s_connect (cli))) {
        self.code = CLI_FAILED;
        if (s_join (&self, from)) {
            self.code = CLI_OK;
            s_subscribed (&self);
        } else if (cli_interrupted ())
            self.code = CLI_OK;
    }
    wire_destroy (&self.wire);
    buffer_free (&self.filter);
    return self.code;
}

int
sub_forget (cli_t *cli)
{
    const char *name = s_name (cli);
    wire_t *wire = name ? s_connect (cli) : NULL;
    if (!wire)
        return CLI_USAGE;
    wire_error_t error;
    zmsg_t *head = s_only_name (name);
    zmsg_t *answer = wire_ask (wire, "FORGET", &head, "OK", WIRE_TIMEOUT_MS, &error);
    int code = answer ? CLI_OK : wire_complain (&error);
    zmsg_destroy (&answer);
    wire_destroy (&wire);
    return code;
}
