//  http/server.h - HTTP in: libmicrohttpd inside the main loop, limits first.

#ifndef PARKBUS_HTTP_SERVER_H
#define PARKBUS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include "base/timers.h"

typedef struct http_server http_server_t;
typedef struct http_exchange http_exchange_t;

//  A place that answers. Strings live as long as the server.
typedef struct {
    const char *method; //  "POST"
    const char
        *path; //  "/cmb/cmbParking/calc"; doubled slashes of a request are folded
    const char *media; //  "application/x-www-form-urlencoded"; NULL: any
    size_t body_limit; //  0: 64 KiB
    void *arg;         //  For the caller
} http_route_t;

typedef struct {
    const char *name;
    const char *value;
} http_header_t;

//  A whole request that passed the limits. Lives until the exchange was answered.
typedef struct {
    const http_route_t *route;
    const char *method, *path, *query, *media,
        *peer; //  query "" and media "" when absent
    const http_header_t *headers;
    size_t headers_count;
    const char *body;
    size_t body_size;
    int64_t arrived_ms; //  Monotonic, when the request line was read
} http_request_t;

typedef struct {
    const char *address; //  "127.0.0.1:8080", "[::1]:8080"; port 0 chooses one
    timers_t *timers;
    //  A request is there. Answer with http_reply, now or later.
    void (*request) (void *arg, http_exchange_t *exchange,
                     const http_request_t *request);
    void *arg;
    //  Addresses whose X-Forwarded-For is believed; NULL-terminated, may be NULL.
    const char *const *proxies;
    //  Limits; 0 chooses the default.
    unsigned connections;          //  1,000
    unsigned connections_per_peer; //  100 (loopback counts as the proxy it is: 1,000)
    unsigned header_bytes;         //  8 KiB
    unsigned header_ms;            //  5,000
    unsigned request_ms;           //  10,000: header and body
    unsigned idle_ms;              //  60,000 between requests of a connection
    size_t body_bytes; //  64 MiB: bodies of all requests under way; beyond it 503
} http_server_options_t;

//  Of several Host-less, doubly framed or oversized things nothing reaches `request`: they
//  are refused here (400, 404, 405, 408, 413, 415, 417, 431, 503).
//  NULL with *error: address in use or not ours, with the sentence that says what to do.
http_server_t *http_server_new (const http_server_options_t *options,
                                pb_error_t *error);
//  Not inside `request`. What is unanswered gets a 503; its exchanges stay valid until
//  they are answered, which then only frees them.
void http_server_destroy (http_server_t **self_p);

//  Routes may be added and removed while it runs (plugins come and go). Copied but for
//  its strings. False: two equal (method, path).
bool http_server_add (http_server_t *self, const http_route_t *route);
void http_server_remove (http_server_t *self, void *arg); //  All with this arg

int http_server_port (const http_server_t *self);
int http_server_fd (const http_server_t *self); //  Readable: call http_server_run
void http_server_run (http_server_t *self);

//  Answer and end the exchange; `body` is copied. Harmless if the client has gone.
//  `headers` may be NULL; ends with name NULL.
void http_reply (http_exchange_t *self, unsigned status, const char *media,
                 const http_header_t *headers, const void *body, size_t size);
//  Refuse with a plain sentence as text/plain.
void http_refuse (http_exchange_t *self, unsigned status, const char *sentence);

//  Counters since the start, for metrics and tests.
typedef struct {
    uint64_t requests, refused_limits, timeouts, connections;
} http_server_counts_t;
http_server_counts_t http_server_counts (const http_server_t *self);

#endif
