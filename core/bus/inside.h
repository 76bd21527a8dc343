//  bus/inside.h - what the files of the bus share; nobody else includes it.

#ifndef PARKBUS_BUS_INSIDE_H
#define PARKBUS_BUS_INSIDE_H

#include "bus/bus.h"
#include "bus/filter.h"

#define BUS_BURST 256       //  Messages a turn of the loop
#define BUS_FRAMES_MAX 1004 //  PB1, verb, request id, 1000 events, one to see too many
#define BUS_BODY_MAX (1024 * 1024)
#define BUS_PUBLISH_MAX (8 * 1024 * 1024)
#define BUS_FRAME_MAX (16 * 1024 * 1024)
#define BUS_EVENTS_MAX 1000
#define BUS_RID_MAX 64
#define BUS_SILENT_MS 30000 //  A provider unheard for so long is dropped
#define BUS_CALLS_MAX 10000
#define BUS_PROVIDERS_MAX 1000
#define BUS_PARKED_MAX 1000 //  Waiting FETCHes

//  Who sent a message: the ROUTER's routing id.
typedef struct {
    uint8_t size;
    char bytes[255];
} peer_id_t;

//  A message from the command socket. Frames live until the next one is received.
typedef struct {
    peer_id_t peer;
    int fd;       //  Of the connection; -1 not known
    size_t count; //  Frames after the routing id, also those beyond BUS_FRAMES_MAX
    zmq_msg_t frames[BUS_FRAMES_MAX];
    span_t rid; //  p NULL when it cannot be read
} command_t;

typedef struct calls calls_t;
typedef struct fetches fetches_t;
typedef struct feed feed_t;
typedef struct subs subs_t;
typedef struct waiter waiter_t;

struct bus {
    bus_options_t options;
    event_rules_t rules;
    char *only_lot;
    char boot[37]; //  New at each start
    bus_memory_t *memory, *own_memory;
    void *zmq;     //  The context, czmq's own
    void *commands, *events, *monitor;
    char *commands_at, *events_at;
    command_t in;
    journal_reader_t *reader;
    calls_t *calls;
    fetches_t *fetches;
    feed_t *feed;
    subs_t *subs;
    waiter_t *waiters, *waiters_last; //  In order of their group
    bus_counts_t counts;
    char room[EVENT_ROOM];
    buffer_t scratch;
};

//  What the journal says of the bus.
struct bus_memory {
    zhashx_t *alarms; //  "name/lot" that are up
    zhashx_t *subs;   //  Durable subscribers by name
};

bool peer_same (const peer_id_t *a, const peer_id_t *b);
span_t frame_span (zmq_msg_t *frame);
span_t command_frame (command_t *self,
                      size_t index); //  After the request id; p NULL: none

//  wire.c: answers. `rid` may be empty.
bool wire_send (bus_t *self, const peer_id_t *peer, const char *verb, span_t rid,
                const span_t *frames, size_t count);
void wire_error (bus_t *self, const peer_id_t *peer, span_t rid, const char *code,
                 const char *message);
void wire_refuse (bus_t *self, const pb_error_t *error); //  Of the message at hand
//  Receive one whole message. False: none is there.
bool wire_receive (bus_t *self);
void wire_forget (command_t *in); //  The message at hand

//  The head of a command: a JSON object. NULL: refused with *error.
json_object *head_parse (span_t text, pb_error_t *error);
//  A member of a head: absent leaves *value as it is. False with *error: wrong.
bool head_text (json_object *head, const char *name, size_t max, const char **value,
                pb_error_t *error);
bool head_int (json_object *head, const char *name, int64_t min, int64_t max,
               int64_t *value, pb_error_t *error);

//  Act on one message given as frames (after the routing id), as if a peer had sent it:
//  for tests and fuzzers.
void bus_handle_frames (bus_t *self, const span_t *frames, size_t count);

//  The verbs; each answers or refuses.
typedef bool (verb_fn) (bus_t *self, command_t *in, pb_error_t *error);
verb_fn publish_verb, fetch_verb, call_verb, serve_verb, reply_verb, error_verb;
verb_fn subscribe_verb, ack_verb, unsubscribe_verb, forget_verb, ping_verb;

//  The bus ends: who waits for the disk is told, with "not known" if need be.
void waiters_end (bus_t *self);

calls_t *calls_new (bus_t *bus);
void calls_destroy (calls_t **self_p);
void calls_heard (calls_t *self, const peer_id_t *peer);
void calls_lost_fd (calls_t *self, int fd);
json_object *calls_services_of (calls_t *self, const peer_id_t *peer);

fetches_t *fetches_new (bus_t *bus);
void fetches_destroy (fetches_t **self_p);
void fetches_wake (fetches_t *self); //  New events are durable

//  The table by name is the memory's; subscribers in it are freed by subs_free_one.
subs_t *subs_new (bus_t *bus, zhashx_t *by_name);
void subs_destroy (subs_t **self_p);
void subs_wake (subs_t *self); //  New events are durable
void subs_lost_fd (subs_t *self, int fd);
json_object *subs_names_of (subs_t *self, const peer_id_t *peer);
void subs_fold (zhashx_t *by_name, const journal_record_t *record);
void subs_free_one (void **sub_p);

feed_t *feed_new (bus_t *bus);
void feed_destroy (feed_t **self_p);
void feed_event (feed_t *self, const journal_record_t *record);

#endif
