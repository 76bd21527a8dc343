//  publish.c - PUBLISH, and everything else that becomes an event.

#include "bus/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "base/moment.h"

//  ---------------------------------------------------------------- waiting for the disk

struct waiter {
    waiter_t *next;
    uint64_t group;
    bus_after_fn *fn;
    void *arg;
};

void
bus_after (bus_t *self, uint64_t group, bus_after_fn *fn, void *arg)
{
    if (group <= journal_durable_group (self->options.journal)) {
        fn (arg, true);
        return;
    }
    if (journal_failed (self->options.journal)) {
        fn (arg, false);
        return;
    }
    waiter_t *waiter = xcalloc (1, sizeof *waiter);
    *waiter = (waiter_t){NULL, group, fn, arg};
    //  Groups only grow, but an answer may wait for one that is behind the newest.
    waiter_t **link = &self->waiters;
    if (self->waiters_last && self->waiters_last->group <= group)
        link = &self->waiters_last->next;
    while (*link && (*link)->group <= group)
        link = &(*link)->next;
    waiter->next = *link;
    *link = waiter;
    if (!waiter->next)
        self->waiters_last = waiter;
}

//  Tell those whose end is known; with `all` also the others, that theirs is not.
static void
s_release (bus_t *self, bool all)
{
    uint64_t durable = journal_durable_group (self->options.journal);
    bool failed = journal_failed (self->options.journal) != NULL;
    while (self->waiters && (all || failed || self->waiters->group <= durable)) {
        waiter_t *waiter = self->waiters;
        self->waiters = waiter->next;
        if (!self->waiters)
            self->waiters_last = NULL;
        waiter->fn (waiter->arg, waiter->group <= durable);
        free (waiter);
    }
}

void
bus_settle (bus_t *self)
{
    s_release (self, false);
    fetches_wake (self->fetches);
    subs_wake (self->subs);
}

void
waiters_end (bus_t *self)
{
    if (self->waiters)
        s_release (self, true);
}

//  ---------------------------------------------------------------- appending

static bool
s_append (bus_t *self, const event_t *event, journal_place_t *place, pb_error_t *error)
{
    if (!journal_event (self->options.journal, event, place, error))
        return false;
    if (place->duplicate)
        self->counts.duplicates++;
    else {
        self->counts.published++;
        if (self->options.appended)
            self->options.appended (self->options.arg, event, place->seq);
    }
    return true;
}

static bool
s_read (bus_t *self, event_t *event, span_t json, bool client, pb_error_t *error)
{
    self->rules.client = client;
    self->rules.now_ms = moment_now_ms ();
    return event_read (event, json.p, json.n, &self->rules, self->room, error);
}

bool
bus_emit (bus_t *self, const char *json, size_t size, journal_place_t *place,
          pb_error_t *error)
{
    event_t event;
    pb_error_t why = {0};
    *place = (journal_place_t){0};
    if (s_read (self, &event, (span_t){json, size}, false, &why)
        && s_append (self, &event, place, &why))
        return true;
    if (why.code == PB_E_BAD_EVENT)
        log_error (
            "bus",
            _ ("parkbus made an event that its own rules refuse, please report it: %s: %.*s"),
            why.message, (int) (size < 400 ? size : 400), json);
    if (error)
        *error = why;
    return false;
}

static void
s_member (buffer_t *json, const char *name, const char *value)
{
    if (!value)
        return;
    buffer_printf (json, ",\"%s\":", name);
    buffer_json_string (json, value, strlen (value));
}

void
bus_event_json (buffer_t *json, const bus_event_t *event)
{
    char made[37], when[32];
    if (!event->id)
        id_uuid7 (made);
    int64_t time_ms = event->time_ms ? event->time_ms : moment_now_ms ();
    moment_to_rfc3339 ((pb_time_t){time_ms}, zone_find ("Asia/Shanghai"), when);
    buffer_reset (json);
    buffer_text (json, "{\"specversion\":\"1.0\"");
    s_member (json, "id", event->id ? event->id : made);
    s_member (json, "source", event->source ? event->source : "parkbus");
    s_member (json, "type", event->type);
    s_member (json, "subject", event->subject);
    s_member (json, "time", when);
    s_member (json, "lot", event->lot);
    s_member (json, "lane", event->lane);
    buffer_text (json, ",\"data\":");
    buffer_text (json, event->data ? event->data : "{}");
    buffer_text (json, "}");
}

bool
bus_say (bus_t *self, const bus_event_t *event, journal_place_t *place,
         pb_error_t *error)
{
    journal_place_t unwanted;
    buffer_t json = {0};
    bus_event_json (&json, event);
    bool ok = bus_emit (self, json.data, json.size, place ? place : &unwanted, error);
    buffer_free (&json);
    return ok;
}

static void
s_say_alarm (bus_t *self, const char *type, const char *lot, const char *name,
             const char *sentence)
{
    buffer_t data = {0};
    buffer_text (&data, "{\"name\":");
    buffer_json_string (&data, name, strlen (name));
    buffer_text (&data, ",\"sentence\":");
    buffer_json_string (&data, sentence, strlen (sentence));
    buffer_text (&data, "}");
    bus_event_t event = {.type = type, .lot = lot, .data = data.data};
    bus_say (self, &event, NULL, NULL);
    buffer_free (&data);
}

void
bus_alarm (bus_t *self, bool raised, const char *lot, const char *name,
           const char *sentence)
{
    char key[160];
    snprintf (key, sizeof key, "%s/%s", name, lot ? lot : "");
    bool up = zhashx_lookup (self->memory->alarms, key) != NULL;
    if (raised)
        log_warning (name, "%s", sentence);
    else if (up)
        log_info (name, "%s", sentence);
    if (raised == up)
        return;
    if (raised)
        zhashx_insert (self->memory->alarms, key, self);
    else
        zhashx_delete (self->memory->alarms, key);
    s_say_alarm (self, raised ? "alarm.raised" : "alarm.cleared", lot, name, sentence);
}

void
bus_notice (bus_t *self, const char *lot, const char *name, const char *sentence)
{
    log_warning (name, "%s", sentence);
    s_say_alarm (self, "alarm.raised", lot, name, sentence);
}

//  ---------------------------------------------------------------- PUBLISH

typedef struct {
    bus_t *bus;
    peer_id_t peer;
    size_t rid_size;
    char rid[BUS_RID_MAX];
    buffer_t results;
} publish_t;

static void
s_published (void *arg, bool ok)
{
    publish_t *self = arg;
    span_t rid = {self->rid, self->rid_size};
    if (ok)
        wire_send (self->bus, &self->peer, "OK", rid,
                   &(span_t){self->results.data, self->results.size}, 1);
    else
        wire_error (self->bus, &self->peer, rid, "storage",
                    _ ("not known to be on disk: publish again with the same ids after "
                       "a restart"));
    buffer_free (&self->results);
    free (self);
}

static void
s_result_error (buffer_t *results, const pb_error_t *error)
{
    buffer_printf (results, "{\"error\":{\"code\":\"%s\",\"message\":",
                   pb_error_word (error->code));
    buffer_json_string (results, error->message, strlen (error->message));
    if (error->field[0]) {
        buffer_text (results, ",\"field\":");
        buffer_json_string (results, error->field, strlen (error->field));
    }
    buffer_text (results, "}}");
}

//  One event of a PUBLISH: its row of the results, and the group to wait for.
static uint64_t
s_publish_one (bus_t *self, span_t json, buffer_t *results, size_t *refused,
               pb_error_t *last)
{
    event_t event;
    journal_place_t place = {0};
    pb_error_t error = {0};
    if (!s_read (self, &event, json, true, &error)
        || !s_append (self, &event, &place, &error)) {
        self->counts.refused++;
        (*refused)++;
        *last = error;
        s_result_error (results, &error);
        //  A conflict too is answered only when the event it meets is on disk.
        return error.code == PB_E_CONFLICT ? place.group : 0;
    }
    buffer_text (results, "{\"id\":");
    buffer_json_string (results, event.id.p, event.id.n);
    buffer_printf (results, ",\"seq\":%" PRIu64 ",\"duplicate\":%s}", place.seq,
                   place.duplicate ? "true" : "false");
    return place.group;
}

bool
publish_verb (bus_t *self, command_t *in, pb_error_t *error)
{
    size_t count = in->count - 3, bytes = 0, refused = 0;
    if (count < 1 || count > BUS_EVENTS_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("PUBLISH takes 1 to %d events, not %zu"), BUS_EVENTS_MAX,
                         count);
    for (size_t i = 0; i < count; i++)
        bytes += command_frame (in, i).n;
    if (bytes > BUS_PUBLISH_MAX)
        return pb_error (
            error, PB_E_BAD_REQUEST, "",
            _ ("PUBLISH carries at most 8 MiB: send the events in several"));

    publish_t *publish = xcalloc (1, sizeof *publish);
    publish->bus = self;
    publish->peer = in->peer;
    publish->rid_size = in->rid.n;
    memcpy (publish->rid, in->rid.p, in->rid.n);
    uint64_t group = 0;
    pb_error_t last = {0};
    buffer_text (&publish->results, "{\"results\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_text (&publish->results, ",");
        uint64_t wait = s_publish_one (self, command_frame (in, i), &publish->results,
                                       &refused, &last);
        group = wait > group ? wait : group;
    }
    buffer_text (&publish->results, "]}");
    //  A full journal, or one that has ended, refuses the whole message.
    if (refused == count && (last.code == PB_E_BUSY || last.code == PB_E_STORAGE)) {
        *error = last;
        buffer_free (&publish->results);
        free (publish);
        return false;
    }
    bus_after (self, group, s_published, publish);
    return true;
}
