//  fetch.c - FETCH: what is in the journal, from a seq on or the newest, now or soon.

#include "bus/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

#define FETCH_BYTES (1024 * 1024)
#define FETCH_EVENTS 10000 //  Of one answer
#define FETCH_SCAN 50000 //  Events looked at for one answer, so that the loop lives on

typedef struct fetch fetch_t;
struct fetch {
    fetch_t *next;
    fetches_t *owner;
    peer_id_t peer;
    size_t rid_size;
    char rid[BUS_RID_MAX];
    uint64_t from;
    size_t max;
    filter_t *filter;
    uint64_t timer;
};

struct fetches {
    bus_t *bus;
    fetch_t *parked;
    size_t count;
    uint64_t woken_at; //  Head when the parked ones were last looked at
    buffer_t bytes;    //  Of the events gathered
    size_t events;
    uint64_t seqs[FETCH_EVENTS];
    size_t ends[FETCH_EVENTS]; //  Where each event ends in bytes
};

fetches_t *
fetches_new (bus_t *bus)
{
    fetches_t *self = xcalloc (1, sizeof *self);
    self->bus = bus;
    return self;
}

static void
s_forget (fetch_t *self)
{
    for (fetch_t **link = &self->owner->parked; *link; link = &(*link)->next)
        if (*link == self) {
            *link = self->next;
            self->owner->count--;
            break;
        }
    timers_cancel (self->owner->bus->options.timers, self->timer);
    filter_destroy (&self->filter);
    free (self);
}

void
fetches_destroy (fetches_t **self_p)
{
    if (!*self_p)
        return;
    while ((*self_p)->parked)
        s_forget ((*self_p)->parked);
    buffer_free (&(*self_p)->bytes);
    free (*self_p);
    *self_p = NULL;
}

static bool
s_gather (fetches_t *self, const journal_record_t *record)
{
    const event_t *event = &record->event;
    if (self->events && self->bytes.size + event->size > FETCH_BYTES)
        return false;
    buffer_add (&self->bytes, event->json, event->size);
    self->seqs[self->events] = record->seq;
    self->ends[self->events++] = self->bytes.size;
    return true;
}

static bool
s_takes (const filter_t *filter, const event_t *event)
{
    char topic[EVENT_TOPIC_MAX];
    size_t size = event_topic (event, topic);
    return filter_takes (filter, (span_t){topic, size});
}

//  Forward from `from`; returns where the next FETCH has to go on.
static uint64_t
s_forward (fetches_t *self, uint64_t from, size_t max, const filter_t *filter,
           pb_error_t *error)
{
    journal_record_t record;
    uint64_t head = journal_head (self->bus->options.journal);
    uint64_t next = from;
    if (from > head)
        return next;
    if (!journal_seek (self->bus->reader, from, error))
        return 0;
    for (size_t scanned = 0; self->events < max && scanned < FETCH_SCAN; scanned++) {
        pb_error_t why = {0};
        if (!journal_next (self->bus->reader, &record, &why)) {
            if (why.code != PB_E_OK) {
                *error = why;
                return 0;
            }
            return head + 1 > next ? head + 1 : next;
        }
        if (s_takes (filter, &record.event) && !s_gather (self, &record))
            return record.seq;
        next = record.seq + 1;
    }
    return next;
}

//  ---------------------------------------------------------------- the newest n

typedef struct {
    const filter_t *filter;
    uint64_t *heads; //  Newest not yet taken seq of each topic that matches
    size_t count, room;
} newest_t;

static void
s_newest_topic (void *arg, span_t topic, uint64_t seq)
{
    newest_t *self = arg;
    if (!seq || !filter_takes (self->filter, topic))
        return;
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        self->heads = xrealloc (self->heads, self->room * sizeof *self->heads);
    }
    self->heads[self->count++] = seq;
}

static void
s_sift (uint64_t *heap, size_t count, size_t at)
{
    for (;;) {
        size_t big = at, left = 2 * at + 1, right = left + 1;
        if (left < count && heap[left] > heap[big])
            big = left;
        if (right < count && heap[right] > heap[big])
            big = right;
        if (big == at)
            return;
        uint64_t swap = heap[at];
        heap[at] = heap[big];
        heap[big] = swap;
        at = big;
    }
}

//  Each event names the one before it under its topic: the newest n of all matching
//  topics are found by walking these chains, newest first, without a scan.
static bool
s_newest (fetches_t *self, size_t n, const filter_t *filter, pb_error_t *error)
{
    newest_t newest = {.filter = filter};
    journal_topics (self->bus->options.journal, s_newest_topic, &newest);
    uint64_t head = journal_head (self->bus->options.journal);
    uint64_t first = journal_first (self->bus->options.journal);
    uint64_t *found = xcalloc (n + 1, sizeof *found);
    size_t count = 0, bytes = 0;
    bool ok = true;
    for (size_t i = newest.count; i-- > 0;)
        s_sift (newest.heads, newest.count, i);
    while (ok && newest.count && count < n) {
        uint64_t seq = newest.heads[0];
        journal_record_t record;
        if (seq < first)
            break;
        ok = journal_read (self->bus->reader, seq, &record, error);
        if (!ok)
            break;
        newest.heads[0] = record.prev;
        if (!record.prev)
            newest.heads[0] = newest.heads[--newest.count];
        s_sift (newest.heads, newest.count, 0);
        if (seq > head)
            continue; //  Not on disk yet
        bytes += record.event.size;
        if (count && bytes > FETCH_BYTES)
            break;
        found[count++] = seq;
    }
    for (size_t i = count; ok && i-- > 0;) {
        journal_record_t record;
        ok = journal_read (self->bus->reader, found[i], &record, error);
        if (ok)
            s_gather (self, &record);
    }
    free (found);
    free (newest.heads);
    return ok;
}

//  ---------------------------------------------------------------- answering

static void
s_answer (fetches_t *self, const peer_id_t *peer, span_t rid, uint64_t next)
{
    size_t count = self->events, start = 0;
    span_t *frames = xcalloc (1 + 2 * count, sizeof *frames);
    char (*seqs)[24] = xcalloc (count + 1, sizeof *seqs);
    char head[128];
    int size =
        snprintf (head, sizeof head,
                  "{\"next\":%" PRIu64 ",\"head\":%" PRIu64 ",\"first\":%" PRIu64 "}",
                  next, journal_head (self->bus->options.journal),
                  journal_first (self->bus->options.journal));
    frames[0] = (span_t){head, (size_t) size};
    for (size_t i = 0; i < count; i++) {
        int digits = snprintf (seqs[i], sizeof seqs[i], "%" PRIu64, self->seqs[i]);
        frames[1 + 2 * i] = (span_t){seqs[i], (size_t) digits};
        frames[2 + 2 * i] = (span_t){self->bytes.data + start, self->ends[i] - start};
        start = self->ends[i];
    }
    wire_send (self->bus, peer, "EVENTS", rid, frames, 1 + 2 * count);
    free (seqs);
    free (frames);
}

static void
s_reset (fetches_t *self)
{
    buffer_reset (&self->bytes);
    self->events = 0;
}

//  A parked FETCH: answered when something came, or when its time is over.
static void
s_serve_parked (fetch_t *fetch, bool over)
{
    fetches_t *self = fetch->owner;
    pb_error_t error = {0};
    span_t rid = {fetch->rid, fetch->rid_size};
    s_reset (self);
    uint64_t next = s_forward (self, fetch->from, fetch->max, fetch->filter, &error);
    if (!next)
        wire_error (self->bus, &fetch->peer, rid, pb_error_word (error.code),
                    error.message);
    else if (self->events || over)
        s_answer (self, &fetch->peer, rid, next);
    else {
        fetch->from = next;
        return;
    }
    s_forget (fetch);
}

static void
s_over (void *arg)
{
    fetch_t *fetch = arg;
    fetch->timer = 0;
    s_serve_parked (fetch, true);
}

void
fetches_wake (fetches_t *self)
{
    uint64_t head = journal_head (self->bus->options.journal);
    if (head == self->woken_at)
        return;
    self->woken_at = head;
    for (fetch_t *fetch = self->parked, *next; fetch; fetch = next) {
        next = fetch->next;
        s_serve_parked (fetch, false);
    }
}

static bool
s_park (fetches_t *self, command_t *in, uint64_t from, size_t max, filter_t **filter,
        int64_t wait_ms, pb_error_t *error)
{
    if (self->count >= BUS_PARKED_MAX)
        return pb_error (error, PB_E_BUSY, "wait_ms",
                         _ ("%d FETCHes wait already: ask again later"),
                         BUS_PARKED_MAX);
    fetch_t *fetch = xcalloc (1, sizeof *fetch);
    fetch->owner = self;
    fetch->peer = in->peer;
    fetch->rid_size = in->rid.n;
    memcpy (fetch->rid, in->rid.p, in->rid.n);
    fetch->from = from;
    fetch->max = max;
    fetch->filter = *filter;
    *filter = NULL;
    fetch->timer = timers_after (self->bus->options.timers, wait_ms, s_over, fetch);
    fetch->next = self->parked;
    self->parked = fetch;
    self->count++;
    return true;
}

bool
fetch_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    fetches_t *self = bus->fetches;
    int64_t from = 1, last = 0, max = 1000, wait_ms = 0;
    json_object *patterns = NULL;
    filter_t *filter = NULL;
    bool ok = false;
    const int64_t most = INT64_C (9007199254740991);
    if (in->count != 4)
        return pb_error (error, PB_E_BAD_REQUEST, "", _ ("FETCH takes one head"));
    json_object *head = head_parse (command_frame (in, 0), error);
    if (!head)
        return false;
    if (!head_int (head, "from", 0, most, &from, error)
        || !head_int (head, "last", 0, most, &last, error)
        || !head_int (head, "max", 1, most, &max, error)
        || !head_int (head, "wait_ms", 0, 30000, &wait_ms, error))
        goto done;
    json_object_object_get_ex (head, "filter", &patterns);
    filter = filter_new (patterns, error);
    if (!filter)
        goto done;
    size_t limit = max < FETCH_EVENTS ? (size_t) max : FETCH_EVENTS;
    uint64_t first = journal_first (bus->options.journal);
    uint64_t start = (uint64_t) from < first ? first : (uint64_t) from;
    uint64_t next = 0;
    s_reset (self);
    if (last > 0) {
        size_t n = last < FETCH_EVENTS ? (size_t) last : FETCH_EVENTS;
        if (!s_newest (self, n, filter, error))
            goto done;
        next = journal_head (bus->options.journal) + 1;
    } else {
        next = s_forward (self, start, limit, filter, error);
        if (!next)
            goto done;
        if (!self->events && wait_ms && next > journal_head (bus->options.journal)) {
            ok = s_park (self, in, next, limit, &filter, wait_ms, error);
            goto done;
        }
    }
    s_answer (self, &in->peer, in->rid, next);
    ok = true;

done:
    filter_destroy (&filter);
    json_object_put (head);
    return ok;
}
