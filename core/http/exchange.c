//  http/exchange.c - one request at the server, from its first line to its answer.

#define _GNU_SOURCE //  memrchr
#include "http/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/moment.h"
#include "http/strict.h"

#define BODY_LIMIT (64 << 10)

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

//  ---- Answering ----------------------------------------------------------------------

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
        http_server_wake (self->server);
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

http_exchange_t *
http_exchange_next (const http_exchange_t *self)
{
    return self->next;
}

void
http_exchange_close (http_exchange_t *self)
{
    const char *sentence = http_fault_sentence (HTTP_CLOSING);
    self->last = true;
    s_answer (
        self, http_fault_status (HTTP_CLOSING),
        s_response ("text/plain; charset=utf-8", NULL, sentence, strlen (sentence)));
}

//  ---- Taking a request ---------------------------------------------------------------

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

enum MHD_Result
http_exchange_goes (http_exchange_t *self, const char *url, const char *method,
                    const char *version, const char *upload, size_t *upload_size)
{
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
        MHD_suspend_connection (self->mhd);
        return MHD_YES;
    case EXCHANGE_REPLIED:
        return s_queue (self);
    default:
        return MHD_YES;
    }
}

//  ---- Beginning and end --------------------------------------------------------------

http_exchange_t *
http_exchange_new (http_server_t *server, http_conn_t *conn, struct MHD_Connection *mhd,
                   const char *uri)
{
    http_exchange_t *self = xcalloc (1, sizeof *self);
    self->server = server;
    self->mhd = mhd;
    self->conn = conn;
    self->raw = uri;
    self->uri_size = strlen (uri);
    self->uri = xstrdup (uri);
    self->path = xmalloc (self->uri_size + 1);
    self->request.arrived_ms = moment_monotonic_ms ();
    http_conn_goes (self->conn, HTTP_CONN_HEAD);
    return self;
}

void
http_exchange_end (http_exchange_t *self, enum MHD_RequestTerminationCode code)
{
    self->server->body_bytes -= self->body.size;
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
