//  bus/bus.h - the protocol PB1: a command socket and an event socket.
//
//  One thread, inside a zloop. Upper floors reach the bus in three ways: they emit events
//  (bus_emit), answer services themselves (bus_provide), and ask the programs that serve
//  one (bus_ask). Contract section 5; docs/protocol.md.

#ifndef PARKBUS_BUS_BUS_H
#define PARKBUS_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include <czmq.h>
#undef streq //  czmq's macro hides ours, which may be given NULL
#include <json-c/json.h>
#include "base/timers.h"
#include "journal/journal.h"
#include "schema/event.h"

typedef struct bus bus_t;

//  What the journal says of the bus: durable subscribers, alarms that are up. Made before
//  the journal is opened, folded while it is.
typedef struct bus_memory bus_memory_t;
bus_memory_t *bus_memory_new (void);
void bus_memory_destroy (bus_memory_t **self_p);
void bus_memory_fold (bus_memory_t *self, const journal_record_t *record);

typedef struct {
    const char *node, *version;
    const char *events, *commands; //  Endpoints; port * chooses one
    const char *offset;            //  Of the site's zone, for events without a time
    const char *only_lot; //  The lot of calls that name none; NULL: must name it
    zloop_t *loop;
    timers_t *timers;
    journal_t *journal;
    bus_memory_t *memory; //  Outlives the bus; NULL: nothing is remembered
    bool (*lot_known) (void *arg, span_t lot);
    bool (*source_reserved) (void *arg, span_t source);
    //  Every event that was appended, at once, before it is durable: folds live on this.
    void (*appended) (void *arg, const event_t *event, uint64_t seq);
    void *arg;
} bus_options_t;

//  Binds both sockets. NULL with *error: an endpoint is in use or cannot be bound.
bus_t *bus_new (const bus_options_t *options, pb_error_t *error);
void bus_destroy (bus_t **self_p);

//  Where the sockets are bound ("tcp://127.0.0.1:5570").
const char *bus_events_endpoint (const bus_t *self);
const char *bus_commands_endpoint (const bus_t *self);

//  ------------------------------------------------------------------ from the journal

//  An event became durable: publish it. Called by the journal's `durable`.
void bus_durable (bus_t *self, const journal_record_t *record);
//  Groups ended: answer who waits for them. Call after journal_collect.
void bus_settle (bus_t *self);

//  ------------------------------------------------------------------ emitting

//  Append an event that the core or a plugin says. `json` is a whole event. False with
//  *error: not an event (a bug, logged), or the journal's refusal.
bool bus_emit (bus_t *self, const char *json, size_t size, journal_place_t *place,
               pb_error_t *error);

//  An event by its parts; texts may be NULL. Without an id one is made; time_ms 0: now;
//  without a source: parkbus.
typedef struct {
    const char *type, *source, *id, *subject, *lot, *lane;
    int64_t time_ms;
    const char *data; //  JSON object
} bus_event_t;
//  As JSON; what was in the buffer goes.
void bus_event_json (buffer_t *json, const bus_event_t *event);
//  Build and emit. `place` and `error` may be NULL.
bool bus_say (bus_t *self, const bus_event_t *event, journal_place_t *place,
              pb_error_t *error);

//  Raise or clear an alarm: logged, and an alarm.* event. Raising one that is up already
//  (same name and lot) only logs once. `lot` may be NULL.
void bus_alarm (bus_t *self, bool raised, const char *lot, const char *name,
                const char *sentence);

//  An alarm of something that happened and does not end, so it is never cleared: said each
//  time.
void bus_notice (bus_t *self, const char *lot, const char *name, const char *sentence);

//  Call fn when the group is durable (ok) or will never be (not ok). At once when it is.
typedef void (bus_after_fn) (void *arg, bool ok);
void bus_after (bus_t *self, uint64_t group, bus_after_fn *fn, void *arg);

//  ------------------------------------------------------------------ services

//  A call on its way. `code` NULL: answered with body; else an error word and sentence.
typedef struct {
    const char *code, *message;
    const char *body;
    size_t body_size;
} bus_answer_t;
typedef void (bus_answer_fn) (void *arg, const bus_answer_t *answer);

typedef struct {
    const char *service;
    const char *lot, *lane, *via; //  NULL: not named
    const char *caller;
    const char *body;
    size_t body_size;
    uint32_t timeout_ms;
} bus_question_t;

//  Ask the programs that serve it. Exactly one answer comes, by the time-out at the
//  latest; perhaps inside this call.
void bus_ask (bus_t *self, const bus_question_t *question, bus_answer_fn *answer,
              void *arg);

//  The core answers this service: fn gets the question and must give exactly one answer,
//  now or later. `wraps`: programs may serve it too (fn asks them itself); otherwise SERVE
//  of it is denied. The question lives until fn returns.
typedef void (bus_provide_fn) (void *arg, const bus_question_t *question,
                               bus_answer_fn *answer, void *answer_arg);
void bus_provide (bus_t *self, const char *service, bool wraps, bus_provide_fn *fn,
                  void *arg);

//  Is it a question (passes to another provider when one is lost) or a command?
bool bus_is_question (const char *service);

//  ------------------------------------------------------------------ counters

typedef struct {
    uint64_t published, refused, duplicates, calls, late_replies, errors, unsent;
    size_t providers, calls_open;
} bus_counts_t;
bus_counts_t bus_counts (const bus_t *self);

#endif
