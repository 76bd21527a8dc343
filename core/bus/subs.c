//  subs.c - durable subscribers: a name, a filter, and how far it has come.
//
//  A subscriber gets every event from its cursor on, at most `window` of them
//  unacknowledged; what it acknowledged is a record of the journal at most 100 ms later, so
//  a crash repeats the last few. One reader serves all of them, a batch at a time: there is
//  no difference between catching up and being live.

#include "bus/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

#define NAMES_MAX 1000
#define NAME_MAX_ 64
#define BATCH_BYTES (256 * 1024)
#define BATCH_EVENTS 1000
#define BATCH_SCAN 20000 //  Events looked at for one batch, so that the loop lives on
#define NOTE_MS 100
#define AGAIN_MS 50 //  To one that does not read at the moment

typedef struct {
    char *name;
    json_object *patterns; //  NULL: everything
    filter_t *filter;
    uint64_t cursor; //  Acknowledged
    uint64_t next;   //  To be looked at
    bool noted;      //  cursor, next and filter stand in the journal
    //  While somebody is there
    bool there;
    peer_id_t peer;
    int fd;
    size_t window;
    uint64_t *sent; //  Unacknowledged, a ring of `room`
    size_t room, first, unacked;
} sub_t;

struct subs {
    bus_t *bus;
    zhashx_t *by_name;
    journal_reader_t *reader;
    uint64_t note_timer, pump_timer;
    buffer_t bytes;
};

void
subs_free_one (void **sub_p)
{
    sub_t *sub = *sub_p;
    filter_destroy (&sub->filter);
    json_object_put (sub->patterns);
    free (sub->sent);
    free (sub->name);
    free (sub);
    *sub_p = NULL;
}

//  ---------------------------------------------------------------- cursors on disk

static void
s_write (buffer_t *json, const sub_t *sub, bool forgotten)
{
    buffer_text (json, "{\"name\":");
    buffer_json_string (json, sub->name, strlen (sub->name));
    buffer_printf (json, ",\"cursor\":%" PRIu64 ",\"next\":%" PRIu64, sub->cursor,
                   sub->next);
    if (sub->patterns)
        buffer_printf (
            json, ",\"filter\":%s",
            json_object_to_json_string_ext (sub->patterns, JSON_C_TO_STRING_PLAIN));
    buffer_text (json, forgotten ? ",\"forgotten\":true}" : "}");
}

static bool
s_note (subs_t *self, sub_t *sub, bool forgotten, pb_error_t *error)
{
    buffer_t json = {0};
    s_write (&json, sub, forgotten);
    bool ok = journal_note (self->bus->options.journal, JOURNAL_CURSOR, json.data,
                            json.size, error)
              != 0;
    buffer_free (&json);
    sub->noted = ok;
    return ok;
}

static void
s_note_all (void *arg)
{
    subs_t *self = arg;
    self->note_timer = 0;
    for (sub_t *sub = zhashx_first (self->by_name); sub;
         sub = zhashx_next (self->by_name))
        if (!sub->noted)
            s_note (self, sub, false, NULL);
    journal_flush (self->bus->options.journal);
}

static void
s_changed (subs_t *self, sub_t *sub)
{
    sub->noted = false;
    if (!self->note_timer)
        self->note_timer =
            timers_after (self->bus->options.timers, NOTE_MS, s_note_all, self);
}

static uint64_t
s_number (json_object *object, const char *name)
{
    json_object *member = NULL;
    json_object_object_get_ex (object, name, &member);
    return (uint64_t) json_object_get_int64 (member);
}

void
subs_fold (zhashx_t *self, const journal_record_t *record)
{
    struct json_tokener *reader = json_tokener_new ();
    json_object *json =
        json_tokener_parse_ex (reader, record->body, (int) record->size);
    json_tokener_free (reader);
    json_object *name = NULL, *patterns = NULL;
    if (!json_object_object_get_ex (json, "name", &name))
        goto done;
    zhashx_delete (self, json_object_get_string (name));
    if (json_object_object_get_ex (json, "forgotten", NULL))
        goto done;
    sub_t *sub = xcalloc (1, sizeof *sub);
    sub->name = xstrdup (json_object_get_string (name));
    if (json_object_object_get_ex (json, "filter", &patterns))
        sub->patterns = json_object_get (patterns);
    sub->filter = filter_new (sub->patterns, NULL);
    sub->cursor = s_number (json, "cursor");
    sub->next = s_number (json, "next");
    sub->noted = true;
    zhashx_insert (self, sub->name, sub);

done:
    json_object_put (json);
}

//  ---------------------------------------------------------------- sending

static void
s_leave (sub_t *sub)
{
    sub->there = false;
    free (sub->sent);
    sub->sent = NULL;
    sub->room = sub->first = sub->unacked = 0;
}

static void
s_push_sent (sub_t *sub, uint64_t seq)
{
    if (sub->unacked == sub->room) {
        size_t room = sub->room ? sub->room * 2 : 64;
        uint64_t *bigger = xmalloc (room * sizeof *bigger);
        for (size_t i = 0; i < sub->unacked; i++)
            bigger[i] = sub->sent[(sub->first + i) % sub->room];
        free (sub->sent);
        sub->sent = bigger;
        sub->room = room;
        sub->first = 0;
    }
    sub->sent[(sub->first + sub->unacked++) % sub->room] = seq;
}

//  A batch in the making.
typedef struct {
    uint64_t seqs[BATCH_EVENTS];
    size_t ends[BATCH_EVENTS]; //  Where each event ends in the bytes
    size_t count;
    uint64_t next; //  To be looked at after it
} batch_t;

static bool
s_gather (subs_t *self, const sub_t *sub, batch_t *batch)
{
    uint64_t head = journal_head (self->bus->options.journal);
    journal_record_t record;
    pb_error_t error = {0};
    char topic[EVENT_TOPIC_MAX];
    buffer_reset (&self->bytes);
    batch->count = 0;
    batch->next = sub->next;
    if (sub->next > head || !journal_seek (self->reader, sub->next, &error))
        return false;
    size_t most = sub->window - sub->unacked;
    most = most < BATCH_EVENTS ? most : BATCH_EVENTS;
    for (size_t n = 0; n < BATCH_SCAN && batch->count < most; n++) {
        if (!journal_next (self->reader, &record, &error))
            break;
        size_t size = event_topic (&record.event, topic);
        if (filter_takes (sub->filter, (span_t){topic, size})) {
            if (batch->count && self->bytes.size + record.event.size > BATCH_BYTES)
                break;
            buffer_add (&self->bytes, record.event.json, record.event.size);
            batch->seqs[batch->count] = record.seq;
            batch->ends[batch->count++] = self->bytes.size;
        }
        batch->next = record.seq + 1;
    }
    return batch->next != sub->next;
}

static bool
s_send (subs_t *self, const sub_t *sub, const batch_t *batch)
{
    static char digits[BATCH_EVENTS][24];
    static span_t frames[2 * BATCH_EVENTS];
    size_t start = 0;
    for (size_t i = 0; i < batch->count; i++) {
        int size = snprintf (digits[i], sizeof digits[i], "%" PRIu64, batch->seqs[i]);
        frames[2 * i] = (span_t){digits[i], (size_t) size};
        frames[2 * i + 1] = (span_t){self->bytes.data + start, batch->ends[i] - start};
        start = batch->ends[i];
    }
    return wire_send (self->bus, &sub->peer, "EVENT", SPAN (sub->name), frames,
                      2 * batch->count);
}

//  With nothing open, what the filter passed over is done too.
static void
s_nothing_open (subs_t *self, sub_t *sub)
{
    sub->cursor = sub->next - 1;
    s_changed (self, sub);
}

typedef enum { PUMP_IDLE, PUMP_MORE, PUMP_LATER } pump_t;

//  One batch to one subscriber.
static pump_t
s_pump_one (subs_t *self, sub_t *sub)
{
    static batch_t batch;
    if (!sub->there || sub->unacked >= sub->window || !s_gather (self, sub, &batch))
        return PUMP_IDLE;
    if (batch.count && !s_send (self, sub, &batch)) {
        if (zmq_errno () == EAGAIN)
            return PUMP_LATER; //  It does not read; nothing is skipped
        s_leave (sub);
        return PUMP_IDLE;
    }
    for (size_t i = 0; i < batch.count; i++)
        s_push_sent (sub, batch.seqs[i]);
    sub->next = batch.next;
    if (!sub->unacked)
        s_nothing_open (self, sub);
    return PUMP_MORE;
}

static void
s_pump (void *arg)
{
    subs_t *self = arg;
    self->pump_timer = 0;
    bool more = false, later = false;
    for (sub_t *sub = zhashx_first (self->by_name); sub;
         sub = zhashx_next (self->by_name)) {
        pump_t what = s_pump_one (self, sub);
        more |= what == PUMP_MORE;
        later |= what == PUMP_LATER;
    }
    if (more || later)
        self->pump_timer =
            timers_after (self->bus->options.timers, more ? 0 : AGAIN_MS, s_pump, self);
}

void
subs_wake (subs_t *self)
{
    if (!self->pump_timer)
        s_pump (self);
}

//  ---------------------------------------------------------------- SUBSCRIBE

//  `from` of a new name: "first", "new", or a seq.
static bool
s_from (subs_t *self, json_object *head, uint64_t *next, pb_error_t *error)
{
    json_object *from = NULL;
    int64_t seq = 1;
    uint64_t first = journal_first (self->bus->options.journal);
    json_object_object_get_ex (head, "from", &from);
    if (json_object_is_type (from, json_type_string)
        && streq (json_object_get_string (from), "new")) {
        *next = journal_head (self->bus->options.journal) + 1;
        return true;
    }
    bool is_first = !from
                    || (json_object_is_type (from, json_type_string)
                        && streq (json_object_get_string (from), "first"));
    if (!is_first && json_object_is_type (from, json_type_string))
        return pb_error (error, PB_E_BAD_REQUEST, "from",
                         _ ("from is \"first\", \"new\" or a seq"));
    if (!is_first
        && !head_int (head, "from", 0, INT64_C (9007199254740991), &seq, error))
        return false;
    *next = (uint64_t) seq < first ? first : (uint64_t) seq;
    return true;
}

static bool
s_name (json_object *head, const char **name, pb_error_t *error)
{
    if (!head_text (head, "name", NAME_MAX_, name, error))
        return false;
    for (const char *c = *name; c && *c; c++)
        if ((unsigned char) *c < 0x20 || *c == 0x7f)
            *name = NULL;
    return *name
           || pb_error (
               error, PB_E_BAD_REQUEST, "name",
               _ ("name is a text of 1 to %d bytes without control characters"),
               NAME_MAX_);
}

static sub_t *
s_make (subs_t *self, json_object *head, const char *name, pb_error_t *error)
{
    uint64_t next = 0;
    if (zhashx_size (self->by_name) >= NAMES_MAX) {
        pb_error (error, PB_E_BUSY, "name",
                  _ ("%d names are kept already: FORGET those that are not used"),
                  NAMES_MAX);
        return NULL;
    }
    if (!s_from (self, head, &next, error))
        return NULL;
    sub_t *sub = xcalloc (1, sizeof *sub);
    sub->name = xstrdup (name);
    sub->next = next;
    sub->cursor = next - 1;
    zhashx_insert (self->by_name, name, sub);
    return sub;
}

//  Whoever had the name is told that it is somebody else's now.
static void
s_take_over (subs_t *self, sub_t *sub, const peer_id_t *peer)
{
    if (sub->there && !peer_same (&sub->peer, peer))
        wire_error (self->bus, &sub->peer, SPAN (sub->name), "taken",
                    _ ("another client subscribed under this name"));
    s_leave (sub);
}

//  An answer that waits until what it says is on disk.
typedef struct {
    bus_t *bus;
    peer_id_t peer;
    size_t rid_size;
    char rid[BUS_RID_MAX];
    char *name;
    uint64_t cursor;
} promise_t;

static void
s_promise (bus_t *bus, const command_t *in, const char *name, uint64_t cursor,
           bus_after_fn *fn)
{
    promise_t *promise = xcalloc (1, sizeof *promise);
    *promise = (promise_t){.bus = bus,
                           .peer = in->peer,
                           .rid_size = in->rid.n,
                           .name = xstrdup (name),
                           .cursor = cursor};
    memcpy (promise->rid, in->rid.p, in->rid.n);
    bus_after (bus, journal_barrier (bus->options.journal), fn, promise);
    journal_flush (bus->options.journal);
}

static void
s_ended (void *arg, bool ok)
{
    promise_t *self = arg;
    span_t rid = {self->rid, self->rid_size};
    if (ok)
        wire_send (self->bus, &self->peer, "OK", rid, &(span_t){"{}", 2}, 1);
    else
        wire_error (self->bus, &self->peer, rid, "storage",
                    _ ("the cursor could not be put on disk"));
    free (self->name);
    free (self);
}

//  The name stands in the journal: say so, then send.
static void
s_joined (void *arg, bool ok)
{
    promise_t *self = arg;
    span_t rid = {self->rid, self->rid_size};
    char json[64];
    int size = snprintf (json, sizeof json, "{\"cursor\":%" PRIu64 "}", self->cursor);
    sub_t *sub = zhashx_lookup (self->bus->subs->by_name, self->name);
    if (!ok)
        wire_error (self->bus, &self->peer, rid, "storage",
                    _ ("the subscription could not be put on disk"));
    else if (wire_send (self->bus, &self->peer, "OK", rid,
                        &(span_t){json, (size_t) size}, 1)
             && sub && peer_same (&sub->peer, &self->peer)) {
        sub->there = true;
        subs_wake (self->bus->subs);
    }
    free (self->name);
    free (self);
}

bool
subscribe_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    subs_t *self = bus->subs;
    const char *name = NULL;
    int64_t window = 1000;
    json_object *patterns = NULL;
    filter_t *filter = NULL;
    bool ok = false;
    if (in->count != 4)
        return pb_error (error, PB_E_BAD_REQUEST, "", _ ("SUBSCRIBE takes one head"));
    json_object *head = head_parse (command_frame (in, 0), error);
    if (!head)
        return false;
    uint64_t unused;
    json_object_object_get_ex (head, "filter", &patterns);
    if (!s_name (head, &name, error) || !s_from (self, head, &unused, error)
        || !head_int (head, "window", 1, 100000, &window, error)
        || !(filter = filter_new (patterns, error)))
        goto done;
    sub_t *sub = zhashx_lookup (self->by_name, name);
    if (!sub && !(sub = s_make (self, head, name, error)))
        goto done;
    s_take_over (self, sub, &in->peer);
    filter_destroy (&sub->filter);
    json_object_put (sub->patterns);
    sub->filter = filter;
    filter = NULL;
    sub->patterns = json_object_get (patterns);
    sub->peer = in->peer;
    sub->fd = in->fd;
    sub->window = (size_t) window;
    //  What was sent and not acknowledged is sent again.
    if (sub->next > sub->cursor + 1)
        sub->next = sub->cursor + 1;
    if (!s_note (self, sub, false, error))
        goto done;
    s_promise (bus, in, name, sub->cursor, s_joined);
    ok = true;

done:
    filter_destroy (&filter);
    json_object_put (head);
    return ok;
}

//  ---------------------------------------------------------------- ACK

//  Only of whoever has the name now; the name stands where a request id would.
bool
ack_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    (void) error; //  An ACK is never answered
    subs_t *self = bus->subs;
    char name[NAME_MAX_ + 1];
    int64_t seq;
    sub_t *sub = span_copy (in->rid, name, sizeof name)
                     ? zhashx_lookup (self->by_name, name)
                     : NULL;
    if (!sub || !sub->there || !peer_same (&sub->peer, &in->peer)
        || !text_int64 (command_frame (in, 0), 1, INT64_MAX, &seq))
        return true;
    while (sub->unacked && sub->sent[sub->first] <= (uint64_t) seq) {
        sub->cursor = sub->sent[sub->first];
        sub->first = (sub->first + 1) % sub->room;
        sub->unacked--;
    }
    s_changed (self, sub);
    if (!sub->unacked)
        s_nothing_open (self, sub);
    subs_wake (self);
    return true;
}

//  ---------------------------------------------------------------- UNSUBSCRIBE, FORGET

static bool
s_end (bus_t *bus, command_t *in, bool forget, pb_error_t *error)
{
    subs_t *self = bus->subs;
    const char *name = NULL;
    bool ok = false;
    if (in->count != 4)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("UNSUBSCRIBE and FORGET take one head with a name"));
    json_object *head = head_parse (command_frame (in, 0), error);
    if (!head)
        return false;
    if (!s_name (head, &name, error))
        goto done;
    sub_t *sub = zhashx_lookup (self->by_name, name);
    bool mine = sub && peer_same (&sub->peer, &in->peer);
    if (sub && (forget || mine) && !s_note (self, sub, forget, error))
        goto done;
    if (sub && forget)
        zhashx_delete (self->by_name, name);
    else if (mine)
        s_leave (sub);
    s_promise (bus, in, name, 0, s_ended);
    ok = true;

done:
    json_object_put (head);
    return ok;
}

bool
unsubscribe_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    return s_end (bus, in, false, error);
}

bool
forget_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    return s_end (bus, in, true, error);
}

//  ---------------------------------------------------------------- making and ending

void
subs_lost_fd (subs_t *self, int fd)
{
    for (sub_t *sub = zhashx_first (self->by_name); sub;
         sub = zhashx_next (self->by_name))
        if (sub->there && sub->fd == fd)
            s_leave (sub);
}

json_object *
subs_names_of (subs_t *self, const peer_id_t *peer)
{
    json_object *names = json_object_new_array ();
    for (sub_t *sub = zhashx_first (self->by_name); sub;
         sub = zhashx_next (self->by_name))
        if (sub->there && peer_same (&sub->peer, peer))
            json_object_array_add (names, json_object_new_string (sub->name));
    return names;
}

subs_t *
subs_new (bus_t *bus, zhashx_t *by_name)
{
    subs_t *self = xcalloc (1, sizeof *self);
    self->bus = bus;
    self->by_name = by_name;
    self->reader = journal_reader_new (bus->options.journal);
    return self;
}

void
subs_destroy (subs_t **self_p)
{
    subs_t *self = *self_p;
    if (!self)
        return;
    s_note_all (self);
    timers_cancel (self->bus->options.timers, self->note_timer);
    timers_cancel (self->bus->options.timers, self->pump_timer);
    journal_reader_destroy (&self->reader);
    buffer_free (&self->bytes);
    free (self);
    *self_p = NULL;
}
