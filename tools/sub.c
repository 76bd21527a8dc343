//  sub.c - `parkbus fetch` and `parkbus sub`: events as JSON lines, those that are there and
//  those that come.
//
//  Live events may be missed, by a slow reader or a broken connection; each says which event
//  was before it under its topic, and once a second bus.head says the newest of each topic.
//  What is missing is read with FETCH before anything later of that topic is printed.
//  With --name parkbusd keeps the place; that is sub_name.c.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"
#include "bus/filter.h"
#include "commands.h"
#include "pages.h"
#include "sub_name.h"

//  parkbusd says something every second; after this the user is told that it does not.
#define SILENCE_MS 5000
#define LONG_POLL_MS 10000

typedef struct {
    wire_t *wire;
    const cli_t *cli;
    buffer_t filter;  //  All filters, JSON
    uint64_t left;    //  Events still wanted
    bool seqs;        //  Print the seq before each line
    zsock_t *sub;     //  NULL: only the command endpoint is known
    uint64_t base;    //  All up to it is done, whatever the topic
    uint64_t head;    //  All up to it is known of: newest bus.head, or base
    uint64_t heard;   //  Newest bus.head
    zhashx_t *topics; //  Topic -> seq of its last event that is done, if beyond base
    int64_t heard_ms;
    bool silent;
} tail_t;

static const arg_t fetch_args[] = {
    {"from", ARG_NUMBER, N_ ("SEQ"), 0, INT64_MAX,
     N_ ("begin at this position; 1 unless given")                                           },
    {"last", ARG_NUMBER, N_ ("N"),   1, INT64_MAX, N_ ("only the newest N that match")       },
    {"max",  ARG_NUMBER, N_ ("N"),   1, INT64_MAX, N_ ("no more than N events")              },
    {"seq",  ARG_FLAG,   NULL,       0, 0,         N_ ("print each one's position before it")},
    ARGS_END
};

// clang-format off
static const arg_t sub_args[] = {
    {"from", ARG_TEXT, N_ ("SEQ|first|new"), 0, 0, N_ ("begin there; new unless given, with --name first")},
    {"count", ARG_NUMBER, N_ ("N"), 1, INT64_MAX, N_ ("end after N events")},
    {"seq", ARG_FLAG, NULL, 0, 0, N_ ("print each one's position before it")},
    {"name", ARG_TEXT, N_ ("NAME"), 0, 0, N_ ("parkbusd keeps the place under this name: go on behind the last line printed")},
    {"forget", ARG_FLAG, NULL, 0, 0, N_ ("end the name, and its place with it")},
    ARGS_END
};
// clang-format on

//  ---------------------------------------------------------------------- printing

static bool
s_print (void *arg, uint64_t seq, zframe_t *event)
{
    tail_t *self = arg;
    if (self->left == 0)
        return false;
    if (self->seqs)
        printf ("%" PRIu64 "\t", seq);
    fwrite (zframe_data (event), 1, zframe_size (event), stdout);
    putchar ('\n');
    self->left--;
    return self->left > 0 && !ferror (stdout);
}

//  Filters, endpoints, and the command socket. False after saying what is wrong.
static bool
s_prepare (tail_t *self, cli_t *cli, const char **events)
{
    const char *commands;
    wire_error_t error = {"", ""};
    if (page_filters (cli, 0, &self->filter) && cli_endpoints (cli, &commands, events)
        && !(self->wire = wire_new (commands, &error)))
        wire_complain (&error);
    if (!self->wire)
        buffer_free (&self->filter);
    return self->wire != NULL;
}

//  ---------------------------------------------------------------------- fetch

static int
s_fetch (cli_t *cli)
{
    tail_t tail = {.cli = cli,
                   .left = (uint64_t) cli_number (cli, "max", INT64_MAX),
                   .seqs = cli_given (cli, "seq")};
    const char *events;
    wire_error_t error = {"", ""};
    if (cli_given (cli, "from") && cli_given (cli, "last"))
        return cli_usage (cli, _ ("--from and --last exclude each other"));
    if (!s_prepare (&tail, cli, &events))
        return CLI_USAGE;
    page_t page = {.last = (uint64_t) cli_number (cli, "last", 0),
                   .filter = tail.filter.data};
    page.from = page.last ? 0 : (uint64_t) cli_number (cli, "from", 1);
    page.from += !page.last && !page.from; //  0 is 1
    bool well = true;
    //  What is there when we come; what is published meanwhile need not end it ever.
    uint64_t end = 0;
    while (well && tail.left > 0) {
        page.max = tail.left < PAGE_EVENTS ? tail.left : PAGE_EVENTS;
        well = page_fetch (tail.wire, &page, s_print, &tail, &error);
        if (end == 0)
            end = page.head;
        if (page.from > end)
            break;
    }
    wire_destroy (&tail.wire);
    buffer_free (&tail.filter);
    return well ? CLI_OK : wire_complain (&error);
}

//  ---------------------------------------------------------------------- sub: what is done

static uint64_t
s_done (const tail_t *self, const char *topic)
{
    const uint64_t *seq = zhashx_lookup (self->topics, topic);
    return seq && *seq > self->base ? *seq : self->base;
}

static void
s_set_done (tail_t *self, const char *topic, uint64_t seq)
{
    uint64_t *known = zhashx_lookup (self->topics, topic);
    if (!known) {
        known = xmalloc (sizeof *known);
        zhashx_insert (self->topics, topic, known);
    }
    *known = seq;
}

static void
s_free_seq (void **item_p)
{
    free (*item_p);
    *item_p = NULL;
}

static bool
s_wanted (const tail_t *self, const char *topic)
{
    size_t count = cli_words_count (self->cli);
    for (size_t i = 0; i < count; i++)
        if (filter_match (SPAN (cli_word (self->cli, i)), SPAN (topic)))
            return true;
    return count == 0;
}

//  Print an event unless it is done already. False: enough.
static bool
s_offer (tail_t *self, const char *topic, uint64_t seq, zframe_t *event)
{
    if (seq <= s_done (self, topic))
        return true;
    s_set_done (self, topic, seq);
    return s_print (self, seq, event);
}

static bool
s_offer_fetched (void *arg, uint64_t seq, zframe_t *event)
{
    tail_t *self = arg;
    char topic[256];
    json_object *object = wire_json (event);
    snprintf (topic, sizeof topic, "%s.%s", wire_text (object, "type", ""),
              wire_text (object, "lot", "_"));
    json_object_put (object);
    return s_offer (self, topic, seq, event);
}

//  Read and print what was missed from `from` to `to`. False: it could not be read now; it
//  stays missing, and the next bus.head says so again.
static bool
s_repair (tail_t *self, uint64_t from, uint64_t to, const char *filter)
{
    page_t page = {.from = from, .max = PAGE_EVENTS, .filter = filter};
    wire_error_t error;
    while (page.from <= to && self->left > 0) {
        if (!page_fetch (self->wire, &page, s_offer_fetched, self, &error)) {
            wire_complain (&error);
            return false;
        }
        if (page.from > page.head)
            break;
    }
    return true;
}

static bool
s_repair_topic (tail_t *self, const char *topic, uint64_t to)
{
    buffer_t filter = {0};
    buffer_text (&filter, "[");
    buffer_json_string (&filter, topic, strlen (topic));
    buffer_text (&filter, "]");
    bool well = s_repair (self, s_done (self, topic) + 1, to, filter.data);
    buffer_free (&filter);
    return well;
}

//  ---------------------------------------------------------------------- sub: live

//  bus.head: head, head of the bus.head before, newest seq of each topic that changed.
//  False: the journal is another one now.
static bool
s_head (tail_t *self, uint64_t head, uint64_t before, zframe_t *frame)
{
    if (head < self->heard) {
        cli_fail (
            _ ("the journal began anew: its head is %" PRIu64 ", it was %" PRIu64),
            head, self->heard);
        return false;
    }
    self->heard = head;
    //  A bus.head was missed too: which topics changed is not known.
    if (before > self->head
        && !s_repair (self, self->head + 1, head, self->filter.data))
        return true;
    json_object *object = wire_json (frame), *topics;
    bool well = true;
    if (json_object_object_get_ex (object, "topics", &topics)
        && json_object_is_type (topics, json_type_object)) {
        json_object_object_foreach (topics, topic, value)
        {
            uint64_t seq = json_object_get_uint64 (value);
            if (s_wanted (self, topic) && seq > s_done (self, topic))
                well = s_repair_topic (self, topic, seq) && well;
        }
    }
    json_object_put (object);
    if (well && head > self->head)
        self->head = head;
    return true;
}

static uint64_t
s_number (zframe_t *frame)
{
    int64_t number;
    span_t text = {(const char *) zframe_data (frame), zframe_size (frame)};
    return text_int64 (text, 0, INT64_MAX, &number) ? (uint64_t) number : 0;
}

//  One message of the event socket. False: that is the end.
static bool
s_live (tail_t *self, zmsg_t *message)
{
    if (zmsg_size (message) != 4)
        return true;
    char *topic = zmsg_popstr (message);
    zframe_t *first = zmsg_first (message), *second = zmsg_next (message);
    zframe_t *last = zmsg_next (message);
    uint64_t seq = s_number (first), prev = s_number (second);
    bool go_on = true;
    if (streq (topic, "bus.head"))
        go_on = s_head (self, seq, prev, last);
    else if (s_wanted (self, topic)
             && (prev <= s_done (self, topic) || s_repair_topic (self, topic, prev)))
        go_on = s_offer (self, topic, seq, last);
    free (topic);
    return go_on && self->left > 0;
}

static void
s_heard (tail_t *self)
{
    if (self->silent)
        cli_say (_ ("parkbusd is back"));
    self->silent = false;
    self->heard_ms = moment_monotonic_ms ();
}

static void
s_not_heard (tail_t *self)
{
    if (self->silent || moment_monotonic_ms () - self->heard_ms < SILENCE_MS)
        return;
    self->silent = true;
    cli_say (_ ("nothing heard from parkbusd for %d s; waiting for it"),
             SILENCE_MS / 1000);
}

static void
s_listen (tail_t *self)
{
    zmq_pollitem_t items[] = {
        {zsock_resolve (self->sub), 0,              ZMQ_POLLIN, 0},
        {NULL,                      cli_signals (), ZMQ_POLLIN, 0},
    };
    self->heard_ms = moment_monotonic_ms ();
    while (!cli_interrupted ()) {
        zmq_poll (items, 2, 1000);
        if (items[1].revents)
            cli_signals_drain ();
        if (!(items[0].revents & ZMQ_POLLIN)) {
            s_not_heard (self);
            continue;
        }
        zmsg_t *message = zmsg_recv (self->sub);
        if (!message)
            continue;
        s_heard (self);
        bool go_on = s_live (self, message);
        zmsg_destroy (&message);
        fflush (stdout);
        if (!go_on)
            return;
    }
}

//  Without the event endpoint: FETCH waits for what comes.
static void
s_poll_pages (tail_t *self)
{
    page_t page = {.from = self->base + 1,
                   .max = PAGE_EVENTS,
                   .wait_ms = LONG_POLL_MS,
                   .filter = self->filter.data};
    self->heard_ms = moment_monotonic_ms ();
    while (self->left > 0 && !cli_interrupted ()) {
        wire_error_t error;
        if (page_fetch (self->wire, &page, s_print, self, &error))
            s_heard (self);
        else if (error.code[0]) {
            wire_complain (&error);
            return;
        } else
            s_not_heard (self);
        fflush (stdout);
    }
}

//  ---------------------------------------------------------------------- sub: beginning

//  The event socket, subscribed before anything is read, so that nothing falls between.
static bool
s_subscribe (tail_t *self, const char *events)
{
    self->sub = zsock_new (ZMQ_SUB);
    zsock_set_linger (self->sub, 0);
    zsock_set_rcvhwm (self->sub, 100000);
    if (zsock_connect (self->sub, "%s", events) != 0) {
        cli_fail (_ ("%s is no endpoint; one looks like tcp://127.0.0.1:5570"), events);
        return false;
    }
    zsock_set_subscribe (self->sub, "bus.head");
    for (size_t i = 0; i < cli_words_count (self->cli); i++) {
        //  As far as every topic that matches is the same; the rest is compared by us.
        char *prefix = xstrdup (cli_word (self->cli, i));
        prefix[strcspn (prefix, "*>")] = '\0';
        zsock_set_subscribe (self->sub, prefix);
        free (prefix);
    }
    if (cli_words_count (self->cli) == 0)
        zsock_set_subscribe (self->sub, "");
    return true;
}

//  Where the live part begins: print what is there from `from` on; 0: nothing of it.
static bool
s_begin (tail_t *self, uint64_t from, wire_error_t *error)
{
    if (from == 0) {
        zmsg_t *pong =
            wire_ask (self->wire, "PING", NULL, "PONG", WIRE_TIMEOUT_MS, error);
        if (!pong)
            return false;
        json_object *object = zmsg_first (pong) ? wire_json (zmsg_first (pong)) : NULL;
        self->base = self->head = wire_number (object, "head", 0);
        json_object_put (object);
        zmsg_destroy (&pong);
        return true;
    }
    page_t page = {.from = from, .max = PAGE_EVENTS, .filter = self->filter.data};
    do {
        if (!page_fetch (self->wire, &page, s_print, self, error))
            return false;
        if (page.first > from)
            cli_say (_ ("events before %" PRIu64 " are not kept any more"), page.first);
        from = page.first > from ? page.first : from;
    } while (page.from <= page.head && self->left > 0);
    self->base = self->head = page.from - 1;
    fflush (stdout);
    return true;
}

//  SEQ, first or new, as a position; 0 is new. False: it is none of them.
static bool
s_from (const char *text, uint64_t *from)
{
    int64_t seq = streq (text, "first") ? 1 : 0;
    bool word = !text || seq || streq (text, "new");
    if (!word && !text_int64 (SPAN (text), 0, INT64_MAX, &seq))
        return false;
    *from = word || seq ? (uint64_t) seq : 1;
    return true;
}

//  Live, with what was missed filled in.
static int
s_tail (cli_t *cli, uint64_t from)
{
    tail_t tail = {.cli = cli,
                   .left = (uint64_t) cli_number (cli, "count", INT64_MAX),
                   .seqs = cli_given (cli, "seq")};
    const char *events;
    wire_error_t error = {"", ""};
    if (!s_prepare (&tail, cli, &events))
        return CLI_USAGE;
    tail.topics = zhashx_new ();
    zhashx_set_destructor (tail.topics, s_free_seq);
    int code = CLI_OK;
    if (events && !s_subscribe (&tail, events))
        code = CLI_USAGE;
    else if (!s_begin (&tail, from, &error))
        code = cli_interrupted () ? CLI_OK : wire_complain (&error);
    else if (tail.left > 0 && tail.sub)
        s_listen (&tail);
    else if (tail.left > 0)
        s_poll_pages (&tail);
    //  Without a count, only Ctrl-C ends it well.
    if (code == CLI_OK && tail.left > 0 && !cli_interrupted ())
        code = CLI_FAILED;
    zsock_destroy (&tail.sub);
    wire_destroy (&tail.wire);
    zhashx_destroy (&tail.topics);
    buffer_free (&tail.filter);
    return code;
}

static int
s_sub (cli_t *cli)
{
    bool named = cli_given (cli, "name");
    const char *text = cli_text (cli, "from");
    uint64_t from;
    if (!s_from (!text && named ? "first" : text, &from))
        return cli_usage (cli, _ ("--from wants a position, first, or new"));
    if (!cli_given (cli, "forget"))
        return named ? sub_named (cli, from) : s_tail (cli, from);
    if (!named)
        return cli_usage (cli, _ ("--forget wants --name: which one is to end"));
    if (text || cli_given (cli, "count") || cli_words_count (cli))
        return cli_usage (cli, _ ("--forget ends the name; nothing is subscribed to"));
    return sub_forget (cli);
}

const command_t command_fetch = {
    "fetch",
    N_ ("[FILTER…]"),
    N_ ("print the events that are in the journal"),
    fetch_args,
    0,
    64,
    s_fetch,
};
const command_t command_sub = {
    "sub", N_ ("[FILTER…]"), N_ ("print events as they come"), sub_args, 0, 64, s_sub,
};
