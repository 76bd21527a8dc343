//  tests/core/http/rig.h - a server and raw sockets in one small loop.

#ifndef TEST_HTTP_RIG_H
#define TEST_HTTP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"
#include "base/timers.h"
#include "http/server.h"

#define RIG_LATER_MAX 64

typedef struct {
    timers_t *timers;
    http_server_t *server;
    http_exchange_t *later[RIG_LATER_MAX]; //  Asked at /later, not answered yet
    size_t later_count;
    size_t answer_size; //  Of /now: padded to this
    buffer_t seen;      //  What the last request looked like
    int64_t arrived_ms;
} rig_t;

//  Routes: POST /now (form, 1,000 bytes), GET /now, POST /later (any, 64 KiB), GET /later,
//  POST /big (any, 8 MiB).
rig_t *rig_new (http_server_options_t options);
void rig_destroy (rig_t **self_p);

//  Run the loop until fd is ready for `events` (fd -1: until something ran) or the time is
//  over; true: fd is ready.
bool rig_wait (rig_t *self, int fd, short events, int timeout_ms);
//  Run the loop until `count` requests wait at /later.
bool rig_wait_later (rig_t *self, size_t count);

int rig_connect (rig_t *self, const char *from); //  "127.0.0.2", NULL: any
//  All of it, running the loop meanwhile. False: the peer has closed.
bool rig_send (rig_t *self, int fd, const char *text, size_t size);
//  One answer: its status, head and body into `answer` (may be NULL). 0: the end, instead;
//  -1: nothing within 5 s; -2: reset.
int rig_answer (rig_t *self, int fd, buffer_t *answer);
//  Does the connection end now (true), or is nothing heard within wait_ms?
bool rig_ended (rig_t *self, int fd, int wait_ms);

#endif
