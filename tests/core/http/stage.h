//  tests/core/http/stage.h - a platform of a few lines: takes requests, acts as told.

#ifndef TEST_HTTP_STAGE_H
#define TEST_HTTP_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

typedef struct stage stage_t;

//  What happens to a request.
typedef enum {
    STAGE_ANSWER, //  The text goes back, the connection stays
    STAGE_CLOSE,  //  Closed; after the text, if there is one
    STAGE_HANG,   //  Nothing, until the peer closes
    STAGE_DRIP,   //  The text, then its last byte for ever
    STAGE_HOLD    //  The text once stage_release is called
} stage_act_t;

#define STAGE_OK \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"

stage_t *stage_new (void);
//  With TLS: a self-signed certificate for `name` ("127.0.0.1", "localhost"); its file
//  is named by stage_certificate.
stage_t *stage_new_tls (const char *name);
void stage_destroy (stage_t **self_p);
const char *stage_url (stage_t *self, const char *path); //  Until the next call
const char *stage_certificate (const stage_t *self);

//  Every request from now on; on a connection that had one already, `again`.
void stage_acts (stage_t *self, stage_act_t act, const char *text);
void stage_acts_again (stage_t *self, stage_act_t act, const char *text);
//  Those on hold go on, and later ones too.
void stage_release (stage_t *self);

//  Wait until this many requests have come; false: not within 5 s.
bool stage_wait (stage_t *self, unsigned requests);
unsigned stage_requests (stage_t *self);
unsigned stage_connections (stage_t *self);
unsigned stage_most_at_once (stage_t *self); //  Requests under way
//  All requests in order, heads and bodies; a copy to be freed.
buffer_t stage_heard (stage_t *self);

#endif
