//  host/inside.h - what the files of the host share; nobody else includes it.

#ifndef PARKBUS_HOST_INSIDE_H
#define PARKBUS_HOST_INSIDE_H

#include <pthread.h>
#include "host/host.h"
#include "base/mailbox.h"
#include "host/load.h"
#include "host/options.h"
#include "host/seal.h"
#include "host/vault.h"
#include "parkbus/plugin.h"

//  ---------------------------------------------------------------- memory of one call

#define ARENA_MAX (16 * 1024 * 1024)
typedef struct arena_block arena_block_t;
typedef struct {
    arena_block_t *blocks;
    size_t used; //  All in all
} arena_t;
void *arena_alloc (arena_t *self, size_t size); //  Zeroed; NULL beyond ARENA_MAX
char *arena_text (arena_t *self, span_t text);  //  NUL-terminated; NULL for p NULL
void arena_free (arena_t *self);

//  ---------------------------------------------------------------- natural keys

//  128 bits of a key: collisions do not occur by chance.
typedef struct {
    uint64_t a, b;
} once_key_t;

//  What is known of a key. position 0: of money, no answer is kept.
typedef struct {
    once_key_t key;
    uint64_t content;
    uint64_t position; //  Of the ONCE record in the journal
} once_seen_t;

typedef struct once once_t; //  The table
once_t *once_new (void);
void once_destroy (once_t **self_p);
once_key_t once_key (const char *instance, const char *kind, const char *key);
const once_seen_t *once_find (const once_t *self, once_key_t key);
void once_add (once_t *self, once_seen_t seen);
void once_remove (once_t *self, once_key_t key);

//  The ONCE record: keys with the answer that was given. Reading: spans into `body`.
typedef struct {
    once_key_t key;
    uint64_t content;
    unsigned status;
    span_t media, body;
} once_answer_t;
void once_write (buffer_t *record, const once_answer_t *answer);
bool once_read (const void *record, size_t size, once_answer_t *answer);

struct host_memory {
    vault_t *vault;
    once_t *once;
    zhashx_t *states;     //  Instance -> last state said
    zhashx_t *remembered; //  Instance -> list of vault_item_t
};

//  The key of a capture or refund: one fact for ever. False: not a fact of that kind.
bool host_money_key (const event_t *event, once_seen_t *seen);

//  ---------------------------------------------------------------- instances

typedef enum { STATE_OFF, STATE_UP, STATE_DEGRADED } state_t;

typedef struct {
    char *name, *value;
    int64_t expires_ms;
} remembered_t;

typedef struct instance instance_t;
struct instance {
    host_t *host;
    const config_instance_t *config;
    plugin_file_t *file;
    const pb_plugin_t *plugin;
    options_t *options;
    void *made; //  By the plugin's create
    state_t state;
    char sentence[512];
    mailbox_t *inbox; //  exchange_t *
    pthread_t thread;
    bool running;
    http_route_t *routes;
    char **paths;
    size_t routes_count;
    delivery_t *delivery;
    remembered_t *remembered; //  Its thread's own
    size_t remembered_count;
    uint64_t pushes, refused;
};

//  Make it: load, options, create. False: it stays off, with its sentence.
bool instance_open (instance_t *self, host_t *host, const config_instance_t *config);
void instance_start (instance_t *self); //  Its thread
void instance_close (instance_t *self); //  Also after a failed open
bool instance_takes (const instance_t *self, const event_t *event);
//  What a message of that call would say; sets off / up / degraded and says so.
void instance_state (instance_t *self, state_t state, const char *sentence);
const char *instance_state_word (state_t state);

//  Hand an instance what was remembered for it; it is its own from then on.
void host_memory_take (host_memory_t *self, const char *instance, remembered_t **items,
                       size_t *count);

//  ---------------------------------------------------------------- exchanges

typedef enum { STEP_ENCODE, STEP_DECODE, STEP_RECEIVE, STEP_ANSWER } step_t;

typedef struct emitted emitted_t;
struct emitted {
    emitted_t *next;
    size_t once; //  1 + index of the natural key it belongs to; 0: none
    char *json;
    size_t size;
};

typedef struct {
    once_key_t key;
    uint64_t content;
    const char *text; //  The key, for people
    bool seen;        //  Before this exchange
} natural_t;

#define NATURAL_MAX 64 //  Natural keys of one push
#define ROUNDS_MAX 4

//  One exchange with a platform, from its first function to its last. Belongs to the loop,
//  lent to the instance's thread for each step.
typedef struct exchange exchange_t;
struct exchange {
    pb_call_t call;
    instance_t *instance;
    step_t step;
    arena_t arena;

    //  Of an event that is carried
    uint64_t seq;
    uint64_t sent_after; //  Newest event when the request went out
    pb_message_t message;
    pb_request_t request;
    pb_response_t response;
    http_job_t *job;

    //  Of a push
    http_exchange_t *http;
    pb_http_request_t push;
    const pb_route_t *route;
    int64_t arrived_ms;
    pb_answer_t answer;

    //  What came of it
    pb_result_t result;
    char code[64], sentence[512];
    emitted_t *emits, **emits_end;
    natural_t natural[NATURAL_MAX];
    size_t natural_count;
    bool asked, replied;
    pb_question_t question;
    pb_http_reply_t reply;
    unsigned reply_status;
    char *reply_body;
    size_t reply_size;
    buffer_t remember; //  Records for the journal: u32 size, bytes
};

extern const pb_host_t host_functions;

exchange_t *exchange_new (instance_t *instance, pb_exchange_t kind);
void exchange_free (exchange_t **self_p);
//  Give it to the instance's thread; it comes back to host_step.
void exchange_send (exchange_t *self, step_t step);
//  In the instance's thread.
void exchange_run (exchange_t *self);
//  Parts put together; secrets filled in. malloc'd; NULL when a part cannot be read.
char *exchange_parts (exchange_t *self, const pb_part_t *parts, uint64_t count,
                      size_t *size);

struct host {
    host_options_t options;
    instance_t *instances;
    size_t count;
    mailbox_t *stepped; //  exchange_t * back from the instances
    mailbox_t *fetched; //  http_job_t * back from the client
    http_server_t *server;
    http_client_t *client;
    journal_reader_t *reader;
    struct flying *flying; //  Pushes whose answer is not on disk yet
    size_t busy;           //  Exchanges under way
    size_t asking;         //  Of them, pushes that wait for a local program
    bool ending;
};

//  outbound.c
void outbound_carry (void *instance, uint64_t seq);
void outbound_stepped (exchange_t *exchange);
void outbound_fetched (http_job_t *job);

//  inbound.c
void inbound_request (void *host, http_exchange_t *http, const http_request_t *request);
void inbound_stepped (exchange_t *exchange);
void inbound_destroy (host_t *self);

//  emits.c: what a plugin said becomes events, but for what belongs to a natural key that
//  was seen before. False with *error: the journal refused one.
bool emits_append (exchange_t *exchange, pb_error_t *error);
//  Same money key with another content: an alarm, and a case with what was said now.
void emits_contradiction (instance_t *instance, const char *key, const event_t *event);
//  The same for one of the exchange's natural keys.
void emits_contradict (exchange_t *exchange, size_t natural);

#endif
