//  tests/core/http/rig.c - a server and raw sockets in one small loop.

#define _GNU_SOURCE //  strcasestr
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/moment.h"

#define PATIENCE_MS 5000

static void
s_request (void *arg, http_exchange_t *exchange, const http_request_t *request)
{
    rig_t *self = arg;
    self->arrived_ms = request->arrived_ms;
    buffer_reset (&self->seen);
    buffer_printf (&self->seen, "%s %s ?%s %s from %s: ", request->method,
                   request->path, request->query, request->media, request->peer);
    buffer_add (&self->seen, request->body,
                request->body_size < 1000 ? request->body_size : 1000);
    if (strcmp (request->path, "/later") == 0) {
        if (self->later_count == RIG_LATER_MAX)
            abort ();
        self->later[self->later_count++] = exchange;
        return;
    }
    static const char dots[65536] = {'.'};
    while (self->seen.size < self->answer_size)
        buffer_add (&self->seen, dots, sizeof dots);
    const http_header_t headers[] = {
        {"X-Rig", "yes"},
        {NULL,    NULL }
    };
    http_reply (exchange, 200, "text/plain", headers, self->seen.data, self->seen.size);
}

rig_t *
rig_new (http_server_options_t options)
{
    static const http_route_t routes[] = {
        {"POST", "/now",   "application/x-www-form-urlencoded", 1000,    NULL},
        {"GET",  "/now",   NULL,                                0,       NULL},
        {"POST", "/later", NULL,                                0,       NULL},
        {"GET",  "/later", NULL,                                0,       NULL},
        {"POST", "/big",   NULL,                                8 << 20, NULL},
    };
    rig_t *self = xcalloc (1, sizeof *self);
    pb_error_t error;
    self->timers = timers_new ();
    options.timers = self->timers;
    options.request = s_request;
    options.arg = self;
    if (!options.address)
        options.address = "127.0.0.1:0";
    self->server = http_server_new (&options, &error);
    if (!self->server) {
        fprintf (stderr, "%s\n", error.message);
        abort ();
    }
    for (size_t i = 0; i < ARRAY_SIZE (routes); i++)
        if (!http_server_add (self->server, &routes[i]))
            abort ();
    return self;
}

void
rig_destroy (rig_t **self_p)
{
    rig_t *self = *self_p;
    http_server_destroy (&self->server);
    for (size_t i = 0; i < self->later_count; i++)
        http_refuse (self->later[i], 503, "over");
    timers_destroy (&self->timers);
    buffer_free (&self->seen);
    free (self);
    *self_p = NULL;
}

bool
rig_wait (rig_t *self, int fd, short events, int timeout_ms)
{
    int64_t end_ms = moment_monotonic_ms () + timeout_ms;
    for (;;) {
        struct pollfd fds[] = {
            {timers_fd (self->timers),                          POLLIN, 0},
            {self->server ? http_server_fd (self->server) : -1, POLLIN, 0},
            {fd,                                                events, 0},
        };
        int64_t left = end_ms - moment_monotonic_ms ();
        if (poll (fds, 3, left > 0 ? (int) left : 0) == 0)
            return false;
        if (fds[0].revents)
            timers_run (self->timers);
        if (fds[1].revents)
            http_server_run (self->server);
        if (fds[2].revents || fd < 0)
            return fd >= 0;
        if (moment_monotonic_ms () >= end_ms)
            return false;
    }
}

bool
rig_wait_later (rig_t *self, size_t count)
{
    int64_t end_ms = moment_monotonic_ms () + PATIENCE_MS;
    while (self->later_count < count && moment_monotonic_ms () < end_ms)
        rig_wait (self, -1, 0, PATIENCE_MS);
    return self->later_count == count;
}

int
rig_connect (rig_t *self, const char *from)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port =
                                 htons ((uint16_t) http_server_port (self->server)),
                             .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (from) {
        struct sockaddr_in own = {.sin_family = AF_INET};
        inet_pton (AF_INET, from, &own.sin_addr);
        if (bind (fd, (struct sockaddr *) &own, sizeof own) != 0)
            abort ();
    }
    //  The kernel takes it for the server: no loop needed
    if (connect (fd, (struct sockaddr *) &to, sizeof to) != 0)
        abort ();
    return fd;
}

bool
rig_send (rig_t *self, int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send (fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0) {
            if (!rig_wait (self, fd, POLLOUT, PATIENCE_MS))
                return false;
            continue;
        }
        text += sent;
        size -= (size_t) sent;
    }
    return true;
}

//  Content-Length of a whole head; -1: the head is not whole.
static long
s_body_size (const buffer_t *answer, size_t *head_size)
{
    if (!answer->data)
        return -1;
    const char *end = strstr (answer->data, "\r\n\r\n");
    if (!end)
        return -1;
    *head_size = (size_t) (end - answer->data) + 4;
    if (strncmp (answer->data, "HTTP/1.1 1", 10) == 0)
        return 0;
    const char *length = strcasestr (answer->data, "\r\nContent-Length:");
    return length && length < end ? strtol (length + 17, NULL, 10) : 0;
}

int
rig_answer (rig_t *self, int fd, buffer_t *to)
{
    buffer_t own = {0}, *answer = to ? to : &own;
    int status = -1;
    buffer_reset (answer);
    for (;;) {
        size_t head_size = 0;
        long body_size = s_body_size (answer, &head_size);
        if (body_size >= 0 && answer->size >= head_size + (size_t) body_size) {
            status = atoi (answer->data + 9);
            break;
        }
        if (!rig_wait (self, fd, POLLIN, PATIENCE_MS))
            break;
        //  Byte by byte while in the head, so that the next answer stays in the socket
        char bytes[4096];
        size_t want = body_size < 0 ? 1 : head_size + (size_t) body_size - answer->size;
        ssize_t got = recv (fd, bytes, want < sizeof bytes ? want : sizeof bytes, 0);
        if (got <= 0) {
            status = got == 0 && answer->size == 0 ? 0 : -2;
            break;
        }
        buffer_add (answer, bytes, (size_t) got);
    }
    buffer_free (&own);
    return status;
}

bool
rig_ended (rig_t *self, int fd, int wait_ms)
{
    int64_t end_ms = moment_monotonic_ms () + wait_ms;
    char bytes[512];
    while (rig_wait (self, fd, POLLIN, (int) (end_ms - moment_monotonic_ms ())))
        if (recv (fd, bytes, sizeof bytes, 0) <= 0)
            return true;
    return false;
}
