//  sdk/harness.h - a host in memory: a plugin is tested through its vtable, without a
//  core, a network or a clock. For tests only (libpbharness).
//
//  The members may be read, and those above the line set, as a test likes.

#ifndef PARKBUS_SDK_HARNESS_H
#define PARKBUS_SDK_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include "parkbus/plugin.h"

#define PB_HARNESS_ROWS 64
#define PB_HARNESS_EVENTS 512

typedef struct {
    char *lot; //  NULL: of the instance
    char *map; //  NULL: an option; otherwise a map, and `name` is our lane
    char *name;
    char *value;
} pb_harness_row_t;

typedef struct {
    char *type, *visit, *lot, *lane, *data, *key;
    int64_t time_ms;
} pb_harness_event_t;

typedef struct {
    char *key, *content;
    uint64_t status; //  Of the first reply
    char *reply;
} pb_harness_once_t;

typedef struct pb_harness_block pb_harness_block_t;

typedef struct {
    const pb_plugin_t *plugin;
    int64_t now_ms;
    bool late_duplicates; //  once () never says PB_DUP itself, as a busy core
    long allocations;     //  This many more succeed; negative: all do
    //  ------------------------------------------------------------
    pb_host_t host;
    pb_call_t call;
    void *instance;
    pb_harness_row_t rows[PB_HARNESS_ROWS];
    size_t rows_count;
    char *secrets[8][2]; //  Key name, secret
    size_t secrets_count;
    pb_harness_block_t *blocks;
    size_t block_bytes;
    pb_harness_once_t onces[PB_HARNESS_EVENTS]; //  Over all exchanges
    size_t onces_count;

    //  What the last exchange did.
    char *sentence, *code, *log;
    pb_harness_event_t events[PB_HARNESS_EVENTS];
    size_t events_count;
    char *key; //  The natural key in force, and whether it was seen before
    bool seen;
    uint64_t reply_status;
    char *reply;
    unsigned replies;
    char *service, *question, *question_lot, *question_lane;
    char *result;
    pb_request_t request;
    char *body; //  Of the request, parts joined
} pb_harness_t;

pb_harness_t *pb_harness_new (const pb_plugin_t *plugin);
void pb_harness_destroy (pb_harness_t **self_p);

void pb_harness_option (pb_harness_t *self, const char *name, const char *value);
void pb_harness_lot (pb_harness_t *self, const char *lot, const char *name,
                     const char *value);
void pb_harness_lane (pb_harness_t *self, const char *lot, const char *map,
                      const char *lane, const char *word);
//  The same name again: the older secret of a rotation, which verifies only.
void pb_harness_key (pb_harness_t *self, const char *name, const char *secret);

//  Each runs one function of the plugin, with a new exchange except for decode and
//  answer, and gives its result. Events of an exchange that failed are dropped, as the
//  core does.
int pb_harness_create (pb_harness_t *self);
int pb_harness_encode (pb_harness_t *self, const pb_message_t *message);
int pb_harness_decode (pb_harness_t *self, const pb_message_t *message, unsigned status,
                       const char *body);
//  `route` is its path; "" of a body of bytes that hold NULs: give `size`.
int pb_harness_receive (pb_harness_t *self, const char *route, const char *body,
                        size_t size);
int pb_harness_answer (pb_harness_t *self, const char *code, const char *body);

//  MD5 (text + secret), 32 lower-case digits, for tests that play the platform.
void pb_harness_md5 (const char *text, const char *secret, char to[33]);

#endif
