//  http/conn.h - connections to the server: caps, absolute deadlines, lingering ends.

#ifndef PARKBUS_HTTP_CONN_H
#define PARKBUS_HTTP_CONN_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/timers.h"
#include "http/server.h"

typedef struct http_conn http_conn_t;
typedef struct http_linger http_linger_t;

//  What the connections of one server have in common.
typedef struct {
    timers_t *timers;
    int epoll; //  Lingering sockets are waited for here, with their http_linger_t
    unsigned connections, connections_per_peer;
    bool loopback_is_peer; //  The cap per peer was chosen: it holds for loopback too
    const struct in6_addr *proxies; //  Not capped per peer
    size_t proxies_count;
    unsigned header_ms, request_ms, idle_ms;
    http_server_counts_t *counts;
    bool closing;
    //  Kept here
    http_conn_t *conns;
    unsigned conns_count;
    http_linger_t *lingers;
    unsigned lingers_count;
} http_guard_t;

//  May this peer have one more connection?
bool http_guard_admits (http_guard_t *self, const struct in6_addr *peer);
bool http_guard_is_proxy (const http_guard_t *self, const struct in6_addr *peer);
//  A lingering socket is readable.
void http_linger_read (http_linger_t *self);
//  End all that linger.
void http_guard_end (http_guard_t *self);

//  What a connection is doing; each state has its deadline, absolute, so that bytes that
//  trickle in buy no time.
typedef enum {
    HTTP_CONN_WAIT,   //  For a request: idle_ms; the first within header_ms
    HTTP_CONN_HEAD,   //  Request line is there: header_ms
    HTTP_CONN_BODY,   //  request_ms since the request began
    HTTP_CONN_WORK,   //  We are to answer: no deadline
    HTTP_CONN_ANSWER, //  It has to read the answer: request_ms
    HTTP_CONN_CUT     //  Its time is over
} http_conn_state_t;

http_conn_t *http_conn_new (http_guard_t *guard, struct MHD_Connection *mhd);
//  libmicrohttpd is about to close the socket. If the peer may still be sending, a copy of
//  the socket is read dry for a while first: closing it with bytes unread would
//  reset the connection and take our answer away from the peer.
void http_conn_destroy (http_conn_t **self_p);

void http_conn_goes (http_conn_t *self, http_conn_state_t state);
const struct in6_addr *http_conn_peer (const http_conn_t *self);
//  It was answered before its request was read.
void http_conn_refused (http_conn_t *self);
//  An answer past libmicrohttpd, which takes none in the middle of a body. The caller
//  closes the connection then.
void http_conn_last_words (http_conn_t *self, unsigned status, const char *reason);

#endif
