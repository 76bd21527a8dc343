//  http/conn.c - connections to the server: caps, absolute deadlines, lingering ends.

#include "http/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/moment.h"
#include "base/text.h"
#include "http/strict.h"

#define LINGER_MS 2000
#define LINGER_BYTES (64 << 20)
#define LINGERS_MAX 128

struct http_conn {
    http_guard_t *guard;
    http_conn_t *next, *prev;
    struct MHD_Connection *mhd;
    int fd;
    struct in6_addr peer;
    http_conn_state_t state;
    bool first; //  No request was read yet
    bool refused;
    bool begun;        //  Bytes of the next request are there
    uint64_t received; //  Bytes, when it began to wait
    int64_t began_ms;  //  This request; before the first: the connection
    int64_t until_ms;  //  The state's deadline
    uint64_t timer;
};

struct http_linger {
    http_guard_t *guard;
    http_linger_t *next, *prev;
    int fd;
    uint64_t timer;
    size_t left; //  Bytes it may still send
};

//  ---- Caps ---------------------------------------------------------------------------

bool
http_guard_is_proxy (const http_guard_t *self, const struct in6_addr *peer)
{
    for (size_t i = 0; i < self->proxies_count; i++)
        if (IN6_ARE_ADDR_EQUAL (&self->proxies[i], peer))
            return true;
    return false;
}

bool
http_guard_admits (http_guard_t *self, const struct in6_addr *peer)
{
    bool many = http_guard_is_proxy (self, peer)
                || (!self->loopback_is_peer && http_address_is_loopback (peer));
    unsigned limit = many ? self->connections : self->connections_per_peer, count = 0;
    if (self->conns_count >= self->connections)
        return false;
    for (const http_conn_t *conn = self->conns; conn && count < limit;
         conn = conn->next)
        if (IN6_ARE_ADDR_EQUAL (&conn->peer, peer))
            count++;
    return count < limit;
}

//  ---- Deadlines ----------------------------------------------------------------------

static uint64_t
s_received (int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    memset (&info, 0, sizeof info);
    getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_bytes_received;
}

//  libmicrohttpd takes a short read for "nothing more is there" and misses an end that
//  came with the request; without this such a connection would stay for idle_ms.
static bool
s_has_ended (const http_conn_t *self)
{
    char byte;
    return recv (self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void s_due (void *arg);

static void
s_arm (http_conn_t *self, int64_t at_ms)
{
    self->timer = timers_at (self->guard->timers, at_ms, s_due, self);
}

static void
s_cut (http_conn_t *self)
{
    if (self->state == HTTP_CONN_HEAD || self->state == HTTP_CONN_BODY)
        http_conn_last_words (self, 408, "Request Timeout");
    self->state = HTTP_CONN_CUT;
    self->guard->counts->timeouts++;
    //  libmicrohttpd sees the end of the stream and closes
    shutdown (self->fd, SHUT_RDWR);
}

static void
s_due (void *arg)
{
    http_conn_t *self = arg;
    int64_t now = moment_monotonic_ms ();
    self->timer = 0;
    //  Between requests we are not told of the first bytes: the kernel knows
    if (self->state == HTTP_CONN_WAIT && !self->first && s_has_ended (self)) {
        self->state = HTTP_CONN_CUT;
        shutdown (self->fd, SHUT_RDWR);
        return;
    }
    if (self->state == HTTP_CONN_WAIT && !self->first && now < self->until_ms) {
        if (!self->begun && s_received (self->fd) > self->received) {
            self->begun = true;
            self->until_ms = now + self->guard->header_ms;
        }
        int64_t next = now + self->guard->header_ms;
        s_arm (self, next < self->until_ms ? next : self->until_ms);
        return;
    }
    s_cut (self);
}

void
http_conn_goes (http_conn_t *self, http_conn_state_t state)
{
    int64_t now = moment_monotonic_ms ();
    const http_guard_t *guard = self->guard;
    if (self->state == HTTP_CONN_CUT)
        return;
    int64_t look_ms = 0;
    self->until_ms = state == HTTP_CONN_HEAD && self->first ? self->until_ms : 0;
    switch (state) {
    case HTTP_CONN_WAIT:
        self->first = self->begun = false;
        self->received = s_received (self->fd);
        self->until_ms = now + guard->idle_ms;
        //  Not at once: a next request may have been read already
        look_ms = s_has_ended (self) ? now : now + guard->header_ms;
        break;
    case HTTP_CONN_HEAD:
        if (!self->first) {
            self->began_ms = now;
            self->until_ms = now + guard->header_ms;
        }
        break;
    case HTTP_CONN_BODY:
        self->until_ms = self->began_ms + guard->request_ms;
        break;
    case HTTP_CONN_ANSWER:
        self->until_ms = now + guard->request_ms;
        break;
    default:
        break;
    }
    self->state = state;
    timers_cancel (guard->timers, self->timer);
    self->timer = 0;
    if (self->until_ms)
        s_arm (self, look_ms && look_ms < self->until_ms ? look_ms : self->until_ms);
}

//  ---- Beginning and end --------------------------------------------------------------

http_conn_t *
http_conn_new (http_guard_t *guard, struct MHD_Connection *mhd)
{
    http_conn_t *self = xcalloc (1, sizeof *self);
    *self = (http_conn_t){.guard = guard, .mhd = mhd, .fd = -1, .first = true};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        self->fd = info->connect_fd;
    info = MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info)
        http_address_of (info->client_addr, &self->peer);

    self->next = guard->conns;
    if (self->next)
        self->next->prev = self;
    guard->conns = self;
    guard->conns_count++;
    guard->counts->connections++;
    self->began_ms = moment_monotonic_ms ();
    self->until_ms = self->began_ms + guard->header_ms;
    s_arm (self, self->until_ms);
    return self;
}

static void
s_linger_end (http_linger_t *self)
{
    http_guard_t *guard = self->guard;
    if (self->next)
        self->next->prev = self->prev;
    if (self->prev)
        self->prev->next = self->next;
    else
        guard->lingers = self->next;
    guard->lingers_count--;
    timers_cancel (guard->timers, self->timer);
    close (self->fd); //  Leaves the epoll set by this: no other descriptor is left
    free (self);
}

static void
s_linger_due (void *arg)
{
    http_linger_t *self = arg;
    self->timer = 0;
    s_linger_end (self);
}

void
http_linger_read (http_linger_t *self)
{
    ssize_t got = 0;
    for (int turn = 0; turn < 16 && got >= 0; turn++) {
        //  TCP drops the bytes without copying them
        got = recv (self->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
        if (got == 0 || (got > 0 && (size_t) got >= self->left)
            || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            s_linger_end (self);
            return;
        }
        if (got > 0)
            self->left -= (size_t) got;
    }
}

static void
s_linger_begin (http_guard_t *guard, int fd)
{
    if (guard->lingers_count >= LINGERS_MAX)
        return;
    int copy = fcntl (fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    http_linger_t *self = xcalloc (1, sizeof *self);
    *self = (http_linger_t){.guard = guard, .fd = copy, .left = LINGER_BYTES};
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = self};
    if (epoll_ctl (guard->epoll, EPOLL_CTL_ADD, copy, &event) != 0) {
        close (copy);
        free (self);
        return;
    }
    shutdown (copy, SHUT_WR); //  The peer gets our answer and its end now
    self->next = guard->lingers;
    if (self->next)
        self->next->prev = self;
    guard->lingers = self;
    guard->lingers_count++;
    self->timer = timers_after (guard->timers, LINGER_MS, s_linger_due, self);
}

static bool
s_may_send_more (const http_conn_t *self)
{
    char byte;
    ssize_t got = recv (self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && errno == EAGAIN && self->refused);
}

void
http_conn_destroy (http_conn_t **self_p)
{
    http_conn_t *self = *self_p;
    if (!self)
        return;
    http_guard_t *guard = self->guard;
    if (self->state != HTTP_CONN_CUT && !guard->closing && s_may_send_more (self))
        s_linger_begin (guard, self->fd);
    timers_cancel (guard->timers, self->timer);
    if (self->next)
        self->next->prev = self->prev;
    if (self->prev)
        self->prev->next = self->next;
    else
        guard->conns = self->next;
    guard->conns_count--;
    free (self);
    *self_p = NULL;
}

void
http_guard_end (http_guard_t *self)
{
    while (self->lingers)
        s_linger_end (self->lingers);
}

const struct in6_addr *
http_conn_peer (const http_conn_t *self)
{
    return &self->peer;
}

void
http_conn_refused (http_conn_t *self)
{
    self->refused = true;
}

void
http_conn_last_words (http_conn_t *self, unsigned status, const char *reason)
{
    char text[128];
    int size = snprintf (text, sizeof text,
                         "HTTP/1.1 %u %s\r\nConnection: close\r\n"
                         "Content-Length: 0\r\n\r\n",
                         status, reason);
    //  Fits the empty send buffer; should it not, the peer sees the end only
    ssize_t sent = send (self->fd, text, (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void) sent;
    self->refused = true;
}
