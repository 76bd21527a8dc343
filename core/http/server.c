//  http/server.c - HTTP in: libmicrohttpd inside the main loop, limits first.

#include "http/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "http/conn.h"
#include "http/exchange.h"
#include "http/listen.h"
#include "http/strict.h"

#define RUNS_MAX 8 //  Of libmicrohttpd, per call of http_server_run

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

//  ---- What libmicrohttpd tells us ----------------------------------------------------

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

//  What this returns is the request's context.
static void *
s_request_line (void *arg, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return http_exchange_new (arg, info->socket_context, mhd, uri);
}

static enum MHD_Result
s_handle (void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
          const char *version, const char *upload, size_t *upload_size, void **context)
{
    (void) arg;
    (void) mhd;
    if (!*context)
        return MHD_NO;
    return http_exchange_goes (*context, url, method, version, upload, upload_size);
}

static void
s_completed (void *arg, struct MHD_Connection *mhd, void **context,
             enum MHD_RequestTerminationCode code)
{
    (void) arg;
    (void) mhd;
    if (*context)
        http_exchange_end (*context, code);
    *context = NULL;
}

//  ---- The loop -----------------------------------------------------------------------

static void
s_run_again (void *arg)
{
    http_server_t *self = arg;
    self->again = 0;
    http_server_run (self);
}

void
http_server_wake (http_server_t *self)
{
    if (!self->again)
        self->again = timers_after (self->options.timers, 0, s_run_again, self);
}

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
        http_server_wake (self);
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
        for (http_exchange_t *exchange = self->exchanges, *next; exchange;
             exchange = next) {
            next = http_exchange_next (exchange);
            http_exchange_close (exchange);
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
