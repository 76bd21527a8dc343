//  http/exchange.h - one request at the server, from its first line to its answer.

#ifndef PARKBUS_HTTP_EXCHANGE_H
#define PARKBUS_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include "http/conn.h"
#include "http/server.h"

//  Known to this room only.
struct http_server {
    http_server_options_t options;
    http_guard_t guard;
    http_server_counts_t counts;
    struct in6_addr *proxies;
    struct MHD_Daemon *daemon;
    int port;
    http_route_t *routes;
    size_t routes_count;
    http_exchange_t *exchanges; //  That the caller holds
    size_t body_bytes;          //  Of all exchanges
    uint64_t again;             //  Timer: libmicrohttpd has more to do
    bool closed;                //  A connection was, during this run
};

//  libmicrohttpd has something to do at its next run, and nothing else says so.
void http_server_wake (http_server_t *self);

//  The request line is there.
http_exchange_t *http_exchange_new (http_server_t *server, http_conn_t *conn,
                                    struct MHD_Connection *mhd, const char *uri);
//  libmicrohttpd lets go: answered, or the client has left.
void http_exchange_end (http_exchange_t *self, enum MHD_RequestTerminationCode code);
//  libmicrohttpd's handler: the head is there, a piece of the body, all of it, and again
//  when it may take an answer.
enum MHD_Result http_exchange_goes (http_exchange_t *self, const char *url,
                                    const char *method, const char *version,
                                    const char *upload, size_t *upload_size);
//  The next that the caller holds.
http_exchange_t *http_exchange_next (const http_exchange_t *self);
//  The server ends: 503 instead of the caller's answer.
void http_exchange_close (http_exchange_t *self);

#endif
