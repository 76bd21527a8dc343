//  http/server.c - HTTP in: libmicrohttpd inside the main loop, limits first.

#define _GNU_SOURCE //  memrchr
#include "http/server.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/moment.h"
#include "http/conn.h"
#include "http/listen.h"
#include "http/strict.h"

#define BODY_LIMIT (64 << 10)
#define RUNS_MAX 8 //  Of libmicrohttpd, per call of http_server_run

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

typedef enum {
    EXCHANGE_LINE,    //  The request line is there
    EXCHANGE_BODY,    //  The head is fine
    EXCHANGE_ASKED,   //  The caller has the request
    EXCHANGE_PARKED,  //  And libmicrohttpd waits
    EXCHANGE_REPLIED, //  The answer is ready
    EXCHANGE_SENT     //  libmicrohttpd has it
} exchange_state_t;

//  Two hold it: libmicrohttpd until the answer went out or the client left, and the caller
//  from `request` to http_reply.
struct http_exchange {
    http_server_t *server; //  NULL: libmicrohttpd let go
    http_conn_t *conn;
    struct MHD_Connection *mhd;
    exchange_state_t state;
    bool held;                    //  By the caller
    http_exchange_t *next, *prev; //  While held

    const char *raw; //  The URI as it stands in libmicrohttpd's buffer
    char *uri;       //  And its copy
    size_t uri_size;
    char *path;
    http_route_t route;
    http_request_t request;
    http_header_t *headers;
    char *text; //  Of headers
    char peer[INET6_ADDRSTRLEN];
    buffer_t body;
    size_t body_limit;
    bool last; //  The connection ends with this answer

    unsigned status;
    struct MHD_Response *response;
};

//  ---- Exchanges ----------------------------------------------------------------------

static void
s_exchange_free (http_exchange_t *self)
{
    if (self->response)
        MHD_destroy_response (self->response);
    free (self->uri);
    free (self->path);
    free (self->headers);
    free (self->text);
    buffer_free (&self->body);
    free (self);
}

static void
s_hold (http_exchange_t *self)
{
    http_server_t *server = self->server;
    self->held = true;
    self->prev = NULL;
    self->next = server->exchanges;
    if (self->next)
        self->next->prev = self;
    server->exchanges = self;
}

static void
s_unlist (http_exchange_t *self)
{
    if (self->next)
        self->next->prev = self->prev;
    if (self->prev)
        self->prev->next = self->next;
    else
        self->server->exchanges = self->next;
}

static void
s_run_again (void *arg)
{
    http_server_t *self = arg;
    self->again = 0;
    http_server_run (self);
}

static void
s_wake (http_server_t *self)
{
    if (!self->again)
        self->again = timers_after (self->options.timers, 0, s_run_again, self);
}

static struct MHD_Response *
s_response (const char *media, const http_header_t *headers, const void *body,
            size_t size)
{
    //  Copied at once: libmicrohttpd forgot a const
    void *bytes = (void *) (uintptr_t) (size > 0 ? body : "");
    struct MHD_Response *response =
        MHD_create_response_from_buffer (size, bytes, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;
    if (media)
        MHD_add_response_header (response, "Content-Type", media);
    for (; headers && headers->name; headers++)
        MHD_add_response_header (response, headers->name, headers->value);
    return response;
}

static enum MHD_Result
s_queue (http_exchange_t *self)
{
    self->state = EXCHANGE_SENT;
    if (!self->response)
        return MHD_NO;
    if (self->last)
        MHD_add_response_header (self->response, "Connection", "close");
    http_conn_goes (self->conn, HTTP_CONN_ANSWER);
    return MHD_queue_response (self->mhd, self->status, self->response);
}

static void
s_answer (http_exchange_t *self, unsigned status, struct MHD_Response *response)
{
    self->status = status;
    self->response = response;
    bool parked = self->state == EXCHANGE_PARKED;
    self->state = EXCHANGE_REPLIED;
    //  libmicrohttpd without a thread of its own takes this in at its next run only
    if (parked) {
        MHD_resume_connection (self->mhd);
        s_wake (self->server);
    }
}

void
http_reply (http_exchange_t *self, unsigned status, const char *media,
            const http_header_t *headers, const void *body, size_t size)
{
    assert (self->held && status >= 200 && status <= 599);
    self->held = false;
    if (!self->server) {
        s_exchange_free (self);
        return;
    }
    s_unlist (self);
    s_answer (self, status, s_response (media, headers, body, size));
}

void
http_refuse (http_exchange_t *self, unsigned status, const char *sentence)
{
    http_reply (self, status, "text/plain; charset=utf-8", NULL, sentence,
                strlen (sentence));
}

//  ---- Routing ------------------------------------------------------------------------

bool
http_server_add (http_server_t *self, const http_route_t *route)
{
    for (size_t i = 0; i < self->routes_count; i++)
        if (streq (self->routes[i].method, route->method)
            && streq (self->routes[i].path, route->path))
            return false;
    size_t size = (self->routes_count + 1) * sizeof *self->routes;
    self->routes = xrealloc (self->routes, size);
    self->routes[self->routes_count++] = *route;
    return true;
}

void
http_server_remove (http_server_t *self, void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->routes_count; i++)
        if (self->routes[i].arg != arg)
            self->routes[kept++] = self->routes[i];
    self->routes_count = kept;
}

static http_fault_t
s_route (http_exchange_t *self, const char *method, const char *media)
{
    const http_server_t *server = self->server;
    http_fault_t fault = HTTP_NO_PATH;
    for (size_t i = 0; i < server->routes_count; i++) {
        const http_route_t *route = &server->routes[i];
        if (strcmp (route->path, self->path) != 0)
            continue;
        fault = HTTP_NO_METHOD;
        if (strcmp (route->method, method) != 0)
            continue;
        self->route = *route;
        self->body_limit = route->body_limit ? route->body_limit : BODY_LIMIT;
        if (route->media && !http_media_is (media, route->media))
            return HTTP_NO_MEDIA;
        return HTTP_FINE;
    }
    return fault;
}

//  The methods of a path, for Allow.
static void
s_allowed (const http_exchange_t *self, buffer_t *to)
{
    const http_server_t *server = self->server;
    for (size_t i = 0; i < server->routes_count; i++)
        if (strcmp (server->routes[i].path, self->path) == 0)
            buffer_printf (to, "%s%s", to->size ? ", " : "", server->routes[i].method);
}

//  ---- Taking a request ---------------------------------------------------------------

//  A refusal before the request was read to its end: the connection ends with it.
static enum MHD_Result
s_refuse (http_exchange_t *self, http_fault_t fault)
{
    const char *sentence = http_fault_sentence (fault);
    buffer_t allow = {0};
    http_header_t headers[] = {
        {NULL, NULL},
        {NULL, NULL}
    };
    if (fault == HTTP_NO_METHOD) {
        s_allowed (self, &allow);
        headers[0] = (http_header_t){"Allow", allow.data};
    }
    if (fault == HTTP_FULL)
        headers[0] = (http_header_t){"Retry-After", "1"};
    if (fault == HTTP_BIG_HEAD || fault == HTTP_BIG_BODY || fault == HTTP_FULL)
        self->server->counts.refused_limits++;
    self->status = http_fault_status (fault);
    self->response =
        s_response ("text/plain; charset=utf-8", headers, sentence, strlen (sentence));
    buffer_free (&allow);
    http_conn_refused (self->conn);
    self->last = true;
    return s_queue (self);
}

typedef struct {
    http_exchange_t *exchange;
    char *to;
} s_copy_t;

static enum MHD_Result
s_copy_header (void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
               const char *value, size_t value_size)
{
    (void) kind;
    s_copy_t *copy = arg;
    http_exchange_t *self = copy->exchange;
    while (value_size > 0
           && (value[value_size - 1] == ' ' || value[value_size - 1] == '\t'))
        value_size--;
    http_header_t *header = &self->headers[self->request.headers_count++];
    header->name = memcpy (copy->to, name, name_size);
    copy->to += name_size;
    *copy->to++ = 0;
    header->value = copy->to;
    if (value_size > 0)
        memcpy (copy->to, value, value_size);
    copy->to += value_size;
    *copy->to++ = 0;
    if (strcasecmp (header->name, "Content-Type") == 0)
        self->request.media = header->value;
    return MHD_YES;
}

//  Whom the request comes from: the peer, or, behind proxies that we believe, the last
//  address in X-Forwarded-For that is not one of them.
static void
s_find_peer (http_exchange_t *self)
{
    struct in6_addr peer = *http_conn_peer (self->conn);
    const http_guard_t *guard = &self->server->guard;
    const http_request_t *request = &self->request;
    bool known = http_guard_is_proxy (guard, &peer);
    for (size_t i = request->headers_count; known && i-- > 0;) {
        if (strcasecmp (request->headers[i].name, "X-Forwarded-For") != 0)
            continue;
        const char *value = request->headers[i].value, *end = value + strlen (value);
        while (known && end > value) {
            const char *start = memrchr (value, ',', (size_t) (end - value));
            span_t text = {start ? start + 1 : value, 0};
            text.n = (size_t) (end - text.p);
            for (; text.n > 0 && *text.p == ' '; text.n--)
                text.p++;
            while (text.n > 0 && text.p[text.n - 1] == ' ')
                text.n--;
            struct in6_addr next;
            known = http_address_from (text, &next);
            if (known) {
                peer = next;
                known = http_guard_is_proxy (guard, &peer);
            }
            end = start ? start : value;
        }
    }
    http_address_text (&peer, self->peer);
}

static void
s_copy_request (http_exchange_t *self, const http_head_t *head)
{
    http_request_t *request = &self->request;
    request->route = &self->route;
    request->method = self->route.method;
    request->path = self->path;
    const char *query = strchr (self->uri, '?');
    request->query = query ? query + 1 : "";
    request->media = "";
    self->headers = xcalloc (head->headers + 1, sizeof *self->headers);
    self->text = xmalloc (head->text_size + 1);
    request->headers = self->headers;
    s_copy_t copy = {self, self->text};
    MHD_get_connection_values_n (self->mhd, MHD_HEADER_KIND, s_copy_header, &copy);
    s_find_peer (self);
    request->peer = self->peer;
}

static enum MHD_Result
s_take_head (http_exchange_t *self, const char *url, const char *method,
             const char *version)
{
    http_head_t head = {.mhd = self->mhd,
                        .method = method,
                        .url = url,
                        .version = version,
                        .raw = self->raw,
                        .raw_size = self->uri_size,
                        .header_bytes = self->server->options.header_bytes};
    span_t uri = {self->uri, self->uri_size};
    http_fault_t fault = http_strict_head (&head);
    if (fault == HTTP_FINE)
        fault = http_strict_path (uri, self->path);
    if (fault == HTTP_FINE)
        fault = s_route (self, method, head.media);
    const char *query = strchr (self->uri, '?');
    if (fault == HTTP_FINE && query)
        fault = http_strict_query (SPAN (query + 1));
    if (fault == HTTP_FINE && head.length > self->body_limit)
        fault = HTTP_BIG_BODY;
    if (fault == HTTP_FINE
        && head.length + self->server->body_bytes > self->server->options.body_bytes)
        fault = HTTP_FULL;
    if (fault != HTTP_FINE)
        return s_refuse (self, fault);

    //  Where a chunk ends is a matter of opinion too: nothing may follow on this connection
    self->last = head.chunked;
    self->state = EXCHANGE_BODY;
    http_conn_goes (self->conn, HTTP_CONN_BODY);
    s_copy_request (self, &head);
    return MHD_YES;
}

static enum MHD_Result
s_take_body (http_exchange_t *self, const char *bytes, size_t size)
{
    http_server_t *server = self->server;
    bool big = size > self->body_limit - self->body.size;
    if (big || server->body_bytes + size > server->options.body_bytes) {
        server->counts.refused_limits++;
        if (big)
            http_conn_last_words (self->conn, 413, "Content Too Large");
        else
            http_conn_last_words (self->conn, 503, "Service Unavailable");
        return MHD_NO;
    }
    buffer_add (&self->body, bytes, size);
    server->body_bytes += size;
    return MHD_YES;
}

static enum MHD_Result
s_ask (http_exchange_t *self)
{
    http_server_t *server = self->server;
    self->request.body = self->body.size ? self->body.data : "";
    self->request.body_size = self->body.size;
    if (server->guard.closing)
        return s_refuse (self, HTTP_CLOSING);
    self->state = EXCHANGE_ASKED;
    http_conn_goes (self->conn, HTTP_CONN_WORK);
    s_hold (self);
    server->counts.requests++;
    server->options.request (server->options.arg, self, &self->request);
    return self->state == EXCHANGE_REPLIED ? s_queue (self) : MHD_YES;
}

static enum MHD_Result
s_handle (void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
          const char *version, const char *upload, size_t *upload_size, void **context)
{
    (void) arg;
    http_exchange_t *self = *context;
    if (!self)
        return MHD_NO;
    switch (self->state) {
    case EXCHANGE_LINE:
        return s_take_head (self, url, method, version);
    case EXCHANGE_BODY:
        if (*upload_size == 0)
            return s_ask (self);
        if (s_take_body (self, upload, *upload_size) == MHD_NO)
            return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
    case EXCHANGE_ASKED:
        //  Not before this second call: a connection suspended in the first one is read
        //  once when it resumes, and a peer that has closed its half, as it may, would
        //  get no answer
        self->state = EXCHANGE_PARKED;
        MHD_suspend_connection (mhd);
        return MHD_YES;
    case EXCHANGE_REPLIED:
        return s_queue (self);
    default:
        return MHD_YES;
    }
}

//  ---- What libmicrohttpd tells us ----------------------------------------------------

static http_conn_t *
s_conn_of (struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result
s_admit (void *arg, const struct sockaddr *from, socklen_t size)
{
    (void) size;
    http_server_t *self = arg;
    struct in6_addr peer;
    if (http_address_of (from, &peer) && http_guard_admits (&self->guard, &peer))
        return MHD_YES;
    self->counts.refused_limits++;
    return MHD_NO;
}

static void
s_connection (void *arg, struct MHD_Connection *mhd, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    http_server_t *self = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = http_conn_new (&self->guard, mhd);
    else {
        http_conn_t *conn = *context;
        http_conn_destroy (&conn);
        *context = NULL;
        self->closed = true;
    }
}

//  The request line is there. What this returns is the request's context.
static void *
s_request_line (void *arg, const char *uri, struct MHD_Connection *mhd)
{
    http_exchange_t *self = xcalloc (1, sizeof *self);
    self->server = arg;
    self->mhd = mhd;
    self->conn = s_conn_of (mhd);
    self->raw = uri;
    self->uri_size = strlen (uri);
    self->uri = xstrdup (uri);
    self->path = xmalloc (self->uri_size + 1);
    self->request.arrived_ms = moment_monotonic_ms ();
    http_conn_goes (self->conn, HTTP_CONN_HEAD);
    return self;
}

static void
s_completed (void *arg, struct MHD_Connection *mhd, void **context,
             enum MHD_RequestTerminationCode code)
{
    (void) mhd;
    http_server_t *server = arg;
    http_exchange_t *self = *context;
    if (!self)
        return;
    *context = NULL;
    server->body_bytes -= self->body.size;
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        http_conn_goes (self->conn, HTTP_CONN_WAIT);
    else if (code == MHD_REQUEST_TERMINATED_WITH_ERROR)
        http_conn_refused (self->conn);
    if (self->held)
        s_unlist (self);
    self->server = NULL;
    self->conn = NULL;
    if (!self->held)
        s_exchange_free (self);
}

//  ---- The loop -----------------------------------------------------------------------

static bool
s_run_once (http_server_t *self)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 1;
    self->closed = false;
    MHD_run (self->daemon);
    //  A closed connection makes room, which only the next run sees
    return self->closed
           || (MHD_get_timeout (self->daemon, &wait_ms) == MHD_YES && wait_ms == 0);
}

void
http_server_run (http_server_t *self)
{
    struct epoll_event events[32];
    int count = epoll_wait (self->guard.epoll, events, 32, 0);
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr)
            http_linger_read (events[i].data.ptr);

    bool more = true;
    for (int run = 0; more && run < RUNS_MAX; run++)
        more = s_run_once (self);
    if (more)
        s_wake (self);
}

int
http_server_fd (const http_server_t *self)
{
    return self->guard.epoll;
}

int
http_server_port (const http_server_t *self)
{
    return self->port;
}

http_server_counts_t
http_server_counts (const http_server_t *self)
{
    return self->counts;
}

//  ---- Beginning and end --------------------------------------------------------------

static void
s_set_defaults (http_server_t *self)
{
    http_server_options_t *options = &self->options;
    self->guard.loopback_is_peer = options->connections_per_peer > 0;
    const struct {
        unsigned *option, value;
    } defaults[] = {
        {&options->connections,          1000     },
        {&options->connections_per_peer, 100      },
        {&options->header_bytes,         8 << 10  },
        {&options->header_ms,            5 * 1000 },
        {&options->request_ms,           10 * 1000},
        {&options->idle_ms,              60 * 1000},
    };
    for (size_t i = 0; i < ARRAY_SIZE (defaults); i++)
        if (*defaults[i].option == 0)
            *defaults[i].option = defaults[i].value;
    if (options->body_bytes == 0)
        options->body_bytes = 64 << 20;
}

static bool
s_set_guard (http_server_t *self, pb_error_t *error)
{
    const http_server_options_t *options = &self->options;
    http_guard_t *guard = &self->guard;
    size_t count = 0;
    while (options->proxies && options->proxies[count])
        count++;
    self->proxies = xcalloc (count + 1, sizeof *self->proxies);
    for (size_t i = 0; i < count; i++)
        if (!http_address_from (SPAN (options->proxies[i]), &self->proxies[i]))
            return pb_error (
                error, PB_E_CONFIG, "proxies",
                _ ("\"%s\" is no IP address: name each proxy by its address"),
                options->proxies[i]);
    guard->proxies = self->proxies;
    guard->proxies_count = count;
    guard->timers = options->timers;
    guard->connections = options->connections;
    guard->connections_per_peer = options->connections_per_peer;
    guard->header_ms = options->header_ms;
    guard->request_ms = options->request_ms;
    guard->idle_ms = options->idle_ms;
    guard->counts = &self->counts;
    guard->epoll = epoll_create1 (EPOLL_CLOEXEC);
    return guard->epoll >= 0
           || pb_error (
               error, PB_E_STORAGE, "",
               _ ("No descriptor is left for the HTTP server: raise LimitNOFILE"));
}

static struct MHD_Daemon *
s_start (http_server_t *self, int listener)
{
    //  Room for the head, its records and the head of the answer
    size_t pool = self->options.header_bytes * 4 < 32 << 10
                      ? 32 << 10
                      : self->options.header_bytes * (size_t) 4;
    return MHD_start_daemon (
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, s_admit, self, s_handle, self,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool,
        //  Ours is the lower cap: at its own it would leave peers waiting
        MHD_OPTION_CONNECTION_LIMIT, self->options.connections + 16,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_NOTIFY_CONNECTION, s_connection,
        self, MHD_OPTION_URI_LOG_CALLBACK, s_request_line, self,
        MHD_OPTION_NOTIFY_COMPLETED, s_completed, self,
#if MHD_VERSION >= 0x00097701
        MHD_OPTION_CLIENT_DISCIPLINE_LVL, 3,
#endif
        MHD_OPTION_END);
}

http_server_t *
http_server_new (const http_server_options_t *options, pb_error_t *error)
{
    http_server_t *self = xcalloc (1, sizeof *self);
    int listener = -1;
    self->options = *options;
    self->guard.epoll = -1;
    s_set_defaults (self);
    if (!s_set_guard (self, error))
        goto failed;
    listener = http_listen (options->address, &self->port, error);
    if (listener < 0)
        goto failed;
    self->daemon = s_start (self, listener);
    if (!self->daemon) {
        pb_error (error, PB_E_CONFIG, "listen",
                  _ ("%s: the HTTP server does not start"), options->address);
        goto failed;
    }
    listener = -1; //  libmicrohttpd's now
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info (self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl (self->guard.epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) != 0) {
        pb_error (error, PB_E_CONFIG, "listen",
                  _ ("%s: the HTTP server does not start"), options->address);
        goto failed;
    }
    http_server_run (self); //  It begins to listen in its first run
    return self;

failed:
    if (listener >= 0)
        close (listener);
    http_server_destroy (&self);
    return NULL;
}

void
http_server_destroy (http_server_t **self_p)
{
    http_server_t *self = *self_p;
    if (!self)
        return;
    self->guard.closing = true;
    if (self->daemon) {
        const char *sentence = http_fault_sentence (HTTP_CLOSING);
        for (http_exchange_t *exchange = self->exchanges; exchange;
             exchange = exchange->next) {
            exchange->last = true;
            s_answer (exchange, http_fault_status (HTTP_CLOSING),
                      s_response ("text/plain; charset=utf-8", NULL, sentence,
                                  strlen (sentence)));
        }
        for (int run = 0; run < RUNS_MAX && s_run_once (self); run++)
            ;
        MHD_stop_daemon (self->daemon);
    }
    http_guard_end (&self->guard);
    timers_cancel (self->options.timers, self->again);
    if (self->guard.epoll >= 0)
        close (self->guard.epoll);
    free (self->routes);
    free (self->proxies);
    free (self);
    *self_p = NULL;
}
