//  feed.c - the event socket: every durable event, and bus.head once a second.

#include "bus/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct feed {
    bus_t *bus;
    size_t subscriptions; //  Nothing is sent while there is none
    zhashx_t *changed;    //  Topic -> seq since the last bus.head
    uint64_t told;        //  Head at the last bus.head
    uint64_t timer;
};

static void
s_part (feed_t *self, const void *bytes, size_t size, bool more)
{
    zmq_msg_t part;
    if (zmq_msg_init_size (&part, size) != 0)
        return;
    memcpy (zmq_msg_data (&part), bytes, size);
    if (zmq_msg_send (&part, self->bus->events, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
        < 0)
        zmq_msg_close (&part);
}

static void
s_number (feed_t *self, uint64_t number)
{
    char digits[24];
    int size = snprintf (digits, sizeof digits, "%" PRIu64, number);
    s_part (self, digits, (size_t) size, true);
}

//  Once a second, so that a subscriber sees what it missed even when all is quiet.
static void
s_head (void *arg)
{
    feed_t *self = arg;
    uint64_t head = journal_head (self->bus->options.journal);
    buffer_t *json = &self->bus->scratch;
    buffer_reset (json);
    buffer_text (json, "{\"topics\":{");
    const char *comma = "";
    for (void *seq = zhashx_first (self->changed); seq;
         seq = zhashx_next (self->changed)) {
        const char *topic = zhashx_cursor (self->changed);
        buffer_text (json, comma);
        buffer_json_string (json, topic, strlen (topic));
        buffer_printf (json, ":%" PRIu64, *(uint64_t *) seq);
        comma = ",";
    }
    buffer_text (json, "}}");
    s_part (self, "bus.head", 8, true);
    s_number (self, head);
    s_number (self, self->told);
    s_part (self, json->data, json->size, false);
    zhashx_purge (self->changed);
    self->told = head;
    self->timer = timers_after (self->bus->options.timers, 1000, s_head, self);
}

static void *
s_copy_seq (const void *seq)
{
    uint64_t *copy = xmalloc (sizeof *copy);
    *copy = *(const uint64_t *) seq;
    return copy;
}

static void
s_free_seq (void **seq_p)
{
    free (*seq_p);
    *seq_p = NULL;
}

//  XPUB hands us its subscriptions; unread they would pile up.
static int
s_subscription (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    feed_t *self = arg;
    zmq_msg_t message;
    for (size_t i = 0; i < BUS_BURST; i++) {
        zmq_msg_init (&message);
        if (zmq_msg_recv (&message, self->bus->events, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (&message);
            break;
        }
        const char *bytes = zmq_msg_data (&message);
        if (zmq_msg_size (&message) && bytes[0] == 1)
            self->subscriptions++;
        else if (zmq_msg_size (&message) && bytes[0] == 0 && self->subscriptions)
            self->subscriptions--;
        zmq_msg_close (&message);
    }
    return 0;
}

feed_t *
feed_new (bus_t *bus)
{
    feed_t *self = xcalloc (1, sizeof *self);
    self->bus = bus;
    self->changed = zhashx_new ();
    zhashx_set_duplicator (self->changed, s_copy_seq);
    zhashx_set_destructor (self->changed, s_free_seq);
    self->told = journal_head (bus->options.journal);
    zmq_pollitem_t item = {.socket = bus->events, .events = ZMQ_POLLIN};
    zloop_poller (bus->options.loop, &item, s_subscription, self);
    self->timer = timers_after (bus->options.timers, 1000, s_head, self);
    return self;
}

void
feed_destroy (feed_t **self_p)
{
    feed_t *self = *self_p;
    if (!self)
        return;
    timers_cancel (self->bus->options.timers, self->timer);
    zhashx_destroy (&self->changed);
    free (self);
    *self_p = NULL;
}

void
feed_event (feed_t *self, const journal_record_t *record)
{
    char topic[EVENT_TOPIC_MAX];
    size_t size = event_topic (&record->event, topic);
    topic[size] = 0;
    uint64_t *known = zhashx_lookup (self->changed, topic);
    if (known)
        *known = record->seq;
    else
        zhashx_insert (self->changed, topic, (void *) &record->seq);
    if (!self->subscriptions)
        return;
    s_part (self, topic, size, true);
    s_number (self, record->seq);
    s_number (self, record->prev);
    s_part (self, record->event.json, record->event.size, false);
}
