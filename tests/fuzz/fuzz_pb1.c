//  fuzz_pb1.c - messages of the command socket, and what the disk and the clock do between.
//
//  Input: steps. A byte n > 0: a message of n frames, each two bytes of length (little-
//  endian) and its bytes; n 255: two bytes say how many. n 0: the journal goes on, and the
//  clock by as many seconds as the next byte says. A request id "x" is the id of the newest
//  REQUEST, for answers. Whoever asks gets exactly one answer.

#define _GNU_SOURCE //  memmem
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "bus/inside.h"
#include "core/site.h"

#define STEPS_MAX 64
#define INPUTS_MAX 1000 //  Then a fresh journal

typedef struct {
    const uint8_t *p, *end;
} input_t;

static site_t s_site;
static client_t *s_client;
static size_t s_inputs, s_due, s_heard;
static char s_xid[32];

//  Request id of the last question of an input; no input has it.
static const char s_last[BUS_RID_MAX + 1] =
    "the-last-question-of-this-input-after-it-all-answers-are-here---";

static void
s_close (void)
{
    client_destroy (&s_client);
    site_close (&s_site);
}

//  The sender that bus_handle_frames names, as a real connection.
static void
s_open (void)
{
    if (s_client)
        s_close ();
    site_open (&s_site);
    s_client = xcalloc (1, sizeof *s_client);
    s_client->site = &s_site;
    s_client->socket = zsock_new (ZMQ_DEALER);
    zsock_set_identity (s_client->socket, "test");
    zsock_set_rcvhwm (s_client->socket, 0);
    zsock_set_linger (s_client->socket, 0);
    zsock_connect (s_client->socket, "%s", bus_commands_endpoint (s_site.bus));
    client_ask (s_client, "PING", "p");
}

static void
s_start (void)
{
    if (!access ("/dev/shm", W_OK))
        setenv ("TMPDIR", "/dev/shm", 0);
    log_setup (LOG_ERROR_, LOG_TEXT);
    s_open ();
    atexit (s_close);
}

static size_t
s_number (input_t *in, size_t bytes)
{
    size_t number = 0;
    for (size_t i = 0; i < bytes && in->p < in->end; i++)
        number |= (size_t) *in->p++ << (8 * i);
    return number;
}

//  One message from the bus, if one comes in time. *ended: it is the answer to s_end's.
static bool
s_hear (long patience_ms, bool *ended)
{
    zmq_pollitem_t item = {.socket = zsock_resolve (s_client->socket),
                           .events = ZMQ_POLLIN};
    int ready;
    do
        ready = zmq_poll (&item, 1, patience_ms);
    while (ready < 0 && errno == EINTR); //  The fuzzer's own alarm
    if (ready <= 0)
        return false;
    zmsg_t *message = zmsg_recv (s_client->socket);
    assert (message);
    zmsg_first (message);
    zframe_t *verb = zmsg_next (message), *rid = zmsg_next (message);
    assert (verb && rid);
    *ended = zframe_streq (verb, "PONG") && zframe_size (rid) > BUS_RID_MAX - 1
             && !memcmp (zframe_data (rid), s_last, BUS_RID_MAX);
    if (zframe_streq (verb, "REQUEST"))
        snprintf (s_xid, sizeof s_xid, "%.*s", (int) zframe_size (rid),
                  (const char *) zframe_data (rid));
    else
        s_heard += !*ended && !zframe_streq (verb, "EVENT");
    zmsg_destroy (&message);
    return true;
}

//  Is it a message that is never answered?
static bool
s_is_answer (const span_t *frames, size_t count)
{
    static const char *const verbs[] = {"REPLY", "ERROR", "PONG", "ACK"};
    if (count < 3 || !span_is (frames[0], "PB1") || !frames[2].n
        || frames[2].n > BUS_RID_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE (verbs); i++)
        if (span_is (frames[1], verbs[i]))
            return true;
    return false;
}

static void
s_message (input_t *in, size_t count)
{
    static span_t frames[BUS_FRAMES_MAX];
    bool ended = false;
    count = count < BUS_FRAMES_MAX ? count : BUS_FRAMES_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t size = s_number (in, 2), left = (size_t) (in->end - in->p);
        frames[i] = (span_t){(const char *) in->p, size < left ? size : left};
        in->p += frames[i].n;
    }
    if (count > 2 && span_is (frames[2], "x")) {
        while (!ended && bus_counts (s_site.bus).calls_open && s_hear (2, &ended))
            ;
        frames[2] = SPAN (s_xid);
    }
    s_due += !s_is_answer (frames, count);
    bus_handle_frames (s_site.bus, frames, count);
}

static void
s_settle (input_t *in)
{
    journal_flush (s_site.journal);
    journal_collect (s_site.journal);
    bus_settle (s_site.bus);
    site_skip (&s_site, (int64_t) s_number (in, 1) * 1000);
}

//  Everything has ended: each question was answered, once.
static void
s_end (void)
{
    site_sync (&s_site);
    for (int i = 0; i < 2; i++)
        site_skip (&s_site, 61000);
    site_sync (&s_site);
    bus_counts_t counts = bus_counts (s_site.bus);
    assert (!journal_failed (s_site.journal) && !counts.unsent);
    assert (!counts.calls_open && !counts.providers);
    //  Answers come in order, so after this one's no more are on their way.
    bool ended = false;
    span_t last[] = {SPAN ("PB1"), SPAN ("PING"), SPAN (s_last)};
    bus_handle_frames (s_site.bus, last, ARRAY_SIZE (last));
    while (!ended && s_hear (20000, &ended))
        ;
    assert (ended && s_heard == s_due);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    //  An input that says the harness's own last question would end it too early.
    if (memmem (data, size, s_last, 16))
        return 0;
    if (!s_client)
        s_start ();
    else if (++s_inputs % INPUTS_MAX == 0)
        s_open ();
    input_t in = {data, data + size};
    s_due = s_heard = 0;
    s_xid[0] = 0;
    for (size_t i = 0; i < STEPS_MAX && in.p < in.end; i++) {
        size_t count = s_number (&in, 1);
        if (count)
            s_message (&in, count < 255 ? count : s_number (&in, 2));
        else
            s_settle (&in);
    }
    s_end ();
    return 0;
}
