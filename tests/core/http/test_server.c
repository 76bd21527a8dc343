//  tests/core/http/test_server.c - what the HTTP server takes, refuses, and when it ends.

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/moment.h"
#include "promise.h"
#include "rig.h"

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define POST_NOW "POST /now HTTP/1.1\r\nHost: x\r\n" FORM
#define GET_NOW "GET /now HTTP/1.1\r\nHost: x\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"

//  Room for a machine that is busy.
#define SLACK_MS 1500

static void
s_fill (buffer_t *to, char with, size_t size)
{
    char some[4096];
    memset (some, with, sizeof some);
    for (; size > sizeof some; size -= sizeof some)
        buffer_add (to, some, sizeof some);
    buffer_add (to, some, size);
}

//  Send a request; does its answer have this status?
static bool
s_ask (rig_t *rig, int fd, const char *request, int status)
{
    rig_send (rig, fd, request, strlen (request));
    return rig_answer (rig, fd, NULL) == status;
}

//  Answer the youngest request that waits.
static void
s_reply (rig_t *rig, const char *text)
{
    http_reply (rig->later[--rig->later_count], 200, "text/plain", NULL, text,
                strlen (text));
}

//  Let the server see what has happened. Nothing is promised of this time.
static void
s_run_for (rig_t *rig, int ms)
{
    int64_t end_ms = moment_monotonic_ms () + ms;
    do
        rig_wait (rig, -1, 0, (int) (end_ms - moment_monotonic_ms ()));
    while (moment_monotonic_ms () < end_ms);
}

//  ---- Requests and what they get -----------------------------------------------------

//  `ends`: the connection is closed then; else a further request is answered on it.
static const struct {
    const char *promise;
    const char *request;
    size_t size;
    int status;
    bool ends;
} s_requests[] = {
#define ROW(promise, request, status, ends)                  \
    {                                                        \
        promise, request, sizeof (request) - 1, status, ends \
    }
    ROW ("a form is taken", POST_NOW "Content-Length: 3\r\n\r\na=1", 200, false),
    ROW ("a question is taken", GET_NOW "\r\n", 200, false),
    ROW ("an empty body is a body", POST_NOW "Content-Length: 0\r\n\r\n", 200, false),
    ROW ("no body is a body", POST_NOW "\r\n", 200, false),
    ROW ("empty lines before a request are nothing", "\r\n\r\n" GET_NOW "\r\n", 200,
         false),
    ROW ("HTTP/1.0 needs no Host and ends", "GET /now HTTP/1.0\r\n\r\n", 200, true),
    ROW ("HTTP/1.0 may ask to go on",
         "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false),
    ROW ("Connection: close ends", GET_NOW "Connection: close\r\n\r\n", 200, true),
    ROW ("chunks are taken, and nothing after them",
         POST_NOW "Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n0\r\n\r\n", 200, true),
    ROW ("chunks have extensions and trailers",
         POST_NOW "Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\na=1\r\n0\r\nT: u\r\n\r\n",
         200, true),
    ROW ("the media type has parameters and no case",
         "POST /now HTTP/1.1\r\nHost: x\r\nContent-Type: "
         "Application/X-WWW-form-urlencoded ; charset=UTF-8\r\n\r\n",
         200, false),
    ROW ("doubled slashes are one", "POST //now HTTP/1.1\r\nHost: x\r\n" FORM "\r\n",
         200, false),
    ROW ("a path may be escaped", "GET /n%6fw HTTP/1.1\r\nHost: x\r\n\r\n", 200, false),
    ROW ("a query is no part of the path",
         "GET /now?a=1&b=2 HTTP/1.1\r\nHost: x\r\n\r\n", 200, false),
    ROW ("white space around values is nothing",
         "GET /now HTTP/1.1\r\nHost: \t x \r\nContent-Length:0\r\n\r\n", 200, false),
    ROW ("bytes beyond ASCII in a value", GET_NOW "X: \xe4\xba\xac\r\n\r\n", 200,
         false),

    ROW ("an unknown path is 404", "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404,
         true),
    ROW ("a slash at the end is another path", "GET /now/ HTTP/1.1\r\nHost: x\r\n\r\n",
         404, true),
    ROW ("no climbing", "GET /later/../now HTTP/1.1\r\nHost: x\r\n\r\n", 404, true),
    ROW ("an escaped slash is no slash", "GET %2fnow HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("an escaped slash separates nothing",
         "GET /%2Fnow HTTP/1.1\r\nHost: x\r\n\r\n", 404, true),
    ROW ("another method is 405", "PUT /now HTTP/1.1\r\nHost: x\r\n\r\n", 405, true),
    ROW ("methods have case", "get /now HTTP/1.1\r\nHost: x\r\n\r\n", 405, true),
    ROW ("HEAD is another method", "HEAD /now HTTP/1.1\r\nHost: x\r\n\r\n", 405, true),
    ROW ("another type is 415",
         "POST /now HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         "Content-Length: 2\r\n\r\n{}",
         415, true),
    ROW ("a type that only begins so is 415",
         "POST /now HTTP/1.1\r\nHost: x\r\nContent-Type: "
         "application/x-www-form-urlencoded2\r\n\r\n",
         415, true),
    ROW ("no type is 415",
         "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", 415, true),
    ROW ("too long by its own word is 413 at once",
         POST_NOW "Content-Length: 1001\r\n\r\n", 413, true),
    ROW ("a length beyond counting is 413",
         POST_NOW "Content-Length: 99999999999999999999\r\n\r\n", 413, true),
    ROW ("too long a chunk is 413",
         POST_NOW "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 413,
         true),
    ROW ("an unknown expectation is 417", POST_NOW "Expect: miracles\r\n\r\n", 417,
         true),
    ROW ("HTTP/2.0 is 505", "GET /now HTTP/2.0\r\nHost: x\r\n\r\n", 505, true),

    ROW ("two lengths are 400",
         POST_NOW "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, true),
    ROW ("two equal lengths are 400",
         POST_NOW "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400, true),
    ROW ("a list of lengths is 400", POST_NOW "Content-Length: 3, 3\r\n\r\n", 400,
         true),
    ROW ("a signed length is 400", POST_NOW "Content-Length: +3\r\n\r\n", 400, true),
    ROW ("a negative length is 400", POST_NOW "Content-Length: -3\r\n\r\n", 400, true),
    ROW ("an empty length is 400", POST_NOW "Content-Length: \r\n\r\n", 400, true),
    ROW ("a hexadecimal length is 400", POST_NOW "Content-Length: 0x3\r\n\r\n", 400,
         true),
    ROW ("length and chunks are 400",
         POST_NOW "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, true),
    ROW ("chunks and length are 400",
         POST_NOW "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, true),
    ROW ("chunked twice is 400",
         POST_NOW "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400, true),
    ROW ("chunked in HTTP/1.0 is 400",
         "POST /now HTTP/1.0\r\n" FORM "Transfer-Encoding: chunked\r\n\r\n", 400, true),
    ROW ("gzip, chunked is 400", POST_NOW "Transfer-Encoding: gzip, chunked\r\n\r\n",
         400, true),
    ROW ("identity is 400", POST_NOW "Transfer-Encoding: identity\r\n\r\n", 400, true),
    ROW ("chunked with a tail is 400", POST_NOW "Transfer-Encoding: chunked \r\n\r\n",
         400, true),
    ROW ("xchunked is 400", POST_NOW "Transfer-Encoding: xchunked\r\n\r\n", 400, true),
    ROW ("a bad chunk size is 400",
         POST_NOW "Transfer-Encoding: chunked\r\n\r\nzz\r\na=1\r\n0\r\n\r\n", 400,
         true),
    ROW ("a chunk longer than its size is 400",
         POST_NOW "Transfer-Encoding: chunked\r\n\r\n3\r\na=12\r\n0\r\n\r\n", 400,
         true),
    ROW ("no Host is 400", "GET /now HTTP/1.1\r\n\r\n", 400, true),
    ROW ("two Hosts are 400", "GET /now HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("two Content-Types are 400", POST_NOW FORM "\r\n", 400, true),
    ROW ("a folded line is 400", GET_NOW "X: a\r\n b\r\n\r\n", 400, true),
    ROW ("a folded line without a value is 400", GET_NOW "X:\r\n\tb\r\n\r\n", 400,
         true),
    ROW ("a folded length is 400", POST_NOW "Content-Length: 1\r\n 0\r\n\r\n0123456789",
         400, true),
    ROW ("a line of spaces is 400", GET_NOW "X: a\r\n \r\n\r\n", 400, true),
    ROW ("a folded first line is 400", "GET /now HTTP/1.1\r\n Host: x\r\n\r\n", 400,
         true),
    ROW ("a line without colon is 400", GET_NOW "nonsense\r\n\r\n", 400, true),
    ROW ("a header without name is 400", GET_NOW ": x\r\n\r\n", 400, true),
    ROW ("space before the colon is 400", POST_NOW "Content-Length : 3\r\n\r\na=1", 400,
         true),
    ROW ("a space in a name is 400", GET_NOW "X Y: 3\r\n\r\n", 400, true),
    ROW ("a bare LF in the head is 400", "GET /now HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
         400, true),
    ROW ("a bare LF after the request line is 400",
         "GET /now HTTP/1.1\nHost: x\r\n\r\n", 400, true),
    ROW ("a bare LF as the empty line is 400", "GET /now HTTP/1.1\r\nHost: x\r\n\n",
         400, true),
    ROW ("a bare LF everywhere is 400", "GET /now HTTP/1.1\nHost: x\n\n", 400, true),
    ROW ("a bare CR in a value is 400", GET_NOW "X: a\rb\r\n\r\n", 400, true),
    ROW ("a NUL in a value is 400", GET_NOW "X: a\0b\r\n\r\n", 400, true),
    ROW ("a NUL in a name is 400", GET_NOW "X\0Y: a\r\n\r\n", 400, true),
    ROW ("a NUL in the URI is 400", "GET /now\0x HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("a NUL in the method is 400", "GET\0 /now HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("a control character in a value is 400", GET_NOW "X: \x01\r\n\r\n", 400, true),
    ROW ("two spaces in the request line are 400",
         "GET  /now HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("a space in the URI is 400", "GET /now it HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("a space behind the version is 400", "GET /now HTTP/1.1 \r\nHost: x\r\n\r\n",
         400, true),
    ROW ("a method is a word", "G@T /now HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("no version is 400", "GET /now\r\n\r\n", 400, true),
    ROW ("no URI is 400", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("a word for a version is 400", "GET /now HTTP/one\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("a URI begins with a slash", "GET now HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("a proxy's URI is 400", "GET http://x/now HTTP/1.1\r\nHost: x\r\n\r\n", 400,
         true),
    ROW ("a fragment is 400", "GET /now#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("a broken escape in the path is 400", "GET /n%6 HTTP/1.1\r\nHost: x\r\n\r\n",
         400, true),
    ROW ("an escaped NUL in the path is 400", "GET /now%00 HTTP/1.1\r\nHost: x\r\n\r\n",
         400, true),
    ROW ("a parameter twice is 400", "GET /now?a=1&a=2 HTTP/1.1\r\nHost: x\r\n\r\n",
         400, true),
    ROW ("a parameter twice in disguise is 400",
         "GET /now?b&a%20=1&a+=2 HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
    ROW ("an empty parameter may come twice",
         "GET /now?&&a HTTP/1.1\r\nHost: x\r\n\r\n", 200, false),
    ROW ("an empty name twice is 400", "GET /now?=1&=2 HTTP/1.1\r\nHost: x\r\n\r\n",
         400, true),
#undef ROW
};

static void
test_requests (void)
{
    rig_t *rig = rig_new ((http_server_options_t){0});
    for (size_t i = 0; i < ARRAY_SIZE (s_requests); i++) {
        const char *name = s_requests[i].promise;
        buffer_t answer = {0};
        int fd = rig_connect (rig, NULL);
        rig_send (rig, fd, s_requests[i].request, s_requests[i].size);
        int status = rig_answer (rig, fd, &answer);
        if (status == -2 && answer.size > 0) //  HEAD: a length and no body
            status = atoi (answer.data + 9);
        promise (status == s_requests[i].status, "%s: %d", name, status);
        bool ends;
        if (s_requests[i].ends)
            ends = rig_ended (rig, fd, 5000);
        else
            ends = !s_ask (rig, fd, GET_NOW "\r\n", 200);
        promise (ends == s_requests[i].ends, "%s: and then %s", name,
                 s_requests[i].ends ? "the end" : "the next");
        buffer_free (&answer);
        close (fd);
    }
    rig_destroy (&rig);
}

//  ---- Sizes --------------------------------------------------------------------------

static void
test_head_sizes (void)
{
    static const struct {
        const char *promise;
        size_t header, uri, count;
        int status;
    } rows[] = {
        {"a head of 8 KiB is taken",    8192 - 35, 0,    0,    200},
        {"one byte more is 431",        8193 - 35, 0,    0,    431},
        {"a head of 14 KB is 431",      14000,     0,    0,    431},
        {"a head of 100 KB is 431",     100000,    0,    0,    431},
        {"a URI of 8 KiB is 431",       0,         8192, 0,    431},
        {"a URI of 100 KB is 414",      0,         1e5,  0,    414},
        {"99 more headers are taken",   0,         0,    99,   200},
        {"100 more headers are 431",    0,         0,    100,  431},
        {"1,500 small headers are 431", 0,         0,    1500, 431},
    };
    rig_t *rig = rig_new ((http_server_options_t){0});
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        buffer_t text = {0};
        buffer_text (&text, "GET /now");
        if (rows[i].uri)
            buffer_text (&text, "?");
        s_fill (&text, 'u', rows[i].uri);
        buffer_text (&text, " HTTP/1.1\r\nHost: x\r\n");
        for (size_t n = 0; n < rows[i].count; n++)
            buffer_text (&text, "a:\r\n");
        if (rows[i].header)
            buffer_text (&text, "X: ");
        s_fill (&text, 'h', rows[i].header);
        if (rows[i].header)
            buffer_text (&text, "\r\n");
        buffer_text (&text, "\r\n");
        int fd = rig_connect (rig, NULL);
        rig_send (rig, fd, text.data, text.size);
        int status = rig_answer (rig, fd, NULL);
        promise (status == rows[i].status, "%s: %d", rows[i].promise, status);
        close (fd);
        buffer_free (&text);
    }
    rig_destroy (&rig);
}

static void
test_body_sizes (void)
{
    static const struct {
        const char *promise, *path;
        size_t size, chunk;
        int status;
    } rows[] = {
        {"a body at its route's limit",                "/now",   1000,     0,    200},
        {"one byte more",                              "/now",   1001,     0,    413},
        {"the same in chunks",                         "/now",   1000,     100,  200},
        {"one byte more in chunks",                    "/now",   1001,     100,  413},
        {"in one chunk",                               "/now",   1001,     1001, 413},
        {"a route without limit has 64 KiB",           "/later", 65537,    0,    413},
        {"a route may have 8 MiB",                     "/big",   8388608,  0,    200},
        {"in chunks too",                              "/big",   8388608,  5000, 200},
        {"its sender learns of 413 though he goes on", "/big",   20000000, 0,    413},
        {"and in chunks",                              "/big",   20000000, 5000, 413},
    };
    rig_t *rig = rig_new ((http_server_options_t){0});
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        buffer_t text = {0};
        buffer_printf (&text, "POST %s HTTP/1.1\r\nHost: x\r\n" FORM, rows[i].path);
        if (rows[i].chunk)
            buffer_text (&text, "Transfer-Encoding: chunked\r\n\r\n");
        else
            buffer_printf (&text, "Content-Length: %zu\r\n\r\n", rows[i].size);
        for (size_t left = rows[i].size; left > 0;) {
            size_t n = rows[i].chunk && rows[i].chunk < left ? rows[i].chunk : left;
            if (rows[i].chunk)
                buffer_printf (&text, "%zx\r\n", n);
            s_fill (&text, 'b', n);
            if (rows[i].chunk)
                buffer_text (&text, "\r\n");
            left -= n;
        }
        if (rows[i].chunk)
            buffer_text (&text, "0\r\n\r\n");
        int fd = rig_connect (rig, NULL);
        rig_send (rig, fd, text.data, text.size);
        int status = rig_answer (rig, fd, NULL);
        promise (status == rows[i].status, "%s: %d", rows[i].promise, status);
        close (fd);
        buffer_free (&text);
    }
    rig_destroy (&rig);
}

static void
test_body_budget (void)
{
    rig_t *rig = rig_new ((http_server_options_t){.body_bytes = 1500});
    static const char half[] =
        "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
        "\r\n";
    static const char chunks[] = "POST /big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n3E8\r\n";
    buffer_t body = {0};
    s_fill (&body, 'b', 1000);
    int a = rig_connect (rig, NULL), b = rig_connect (rig, NULL),
        c = rig_connect (rig, NULL), d = rig_connect (rig, NULL);
    rig_send (rig, a, half, sizeof half - 1);
    rig_send (rig, a, body.data, 900);
    promise (!rig_ended (rig, a, 20), "half a body under way");
    rig_send (rig, b, half, sizeof half - 1);
    promise (rig_answer (rig, b, NULL) == 503, "all bodies together have a limit");
    rig_send (rig, c, chunks, sizeof chunks - 1);
    rig_send (rig, c, body.data, body.size);
    promise (rig_answer (rig, c, NULL) == 503, "chunks too");
    rig_send (rig, a, body.data, 100);
    promise (rig_answer (rig, a, NULL) == 200, "the first goes on");
    rig_send (rig, d, half, sizeof half - 1);
    rig_send (rig, d, body.data, body.size);
    promise (rig_answer (rig, d, NULL) == 200, "and makes room");
    buffer_free (&body);
    close (a);
    close (b);
    close (c);
    close (d);
    rig_destroy (&rig);
}

//  ---- Time ---------------------------------------------------------------------------

#define BODY POST_NOW "Content-Length: 900\r\n\r\nbb"
#define CHUNK POST_NOW "Transfer-Encoding: chunked\r\n\r\n300\r\nbb"
#define IN_HEAD_MS 100
#define IN_BODY_MS 200
#define IDLE_MS 300

//  The limits of slow tests.
static const http_server_options_t s_quick = {
    .header_ms = IN_HEAD_MS, .request_ms = IN_BODY_MS, .idle_ms = IDLE_MS};

//  What a slow peer does; `drip`: byte by byte, for ever the last one.
static const struct {
    const char *promise;
    bool second; //  After a request that was answered
    const char *text;
    bool drip;
    int status; //  What it gets; 0: only the end
    int after_ms;
} s_slow[] = {
    {"nothing is said",             false, "",               false, 0,   IN_HEAD_MS},
    {"half a request line",         false, "GET /n",         false, 0,   IN_HEAD_MS},
    {"a dripping request line",     false, "GET /nnnn",      true,  0,   IN_HEAD_MS},
    {"empty lines for ever",        false, "\r\n\r\n",       true,  0,   IN_HEAD_MS},
    {"half a head",                 false, GET_NOW "X: ",    false, 408, IN_HEAD_MS},
    {"a dripping head",             false, GET_NOW "X: xxx", true,  408, IN_HEAD_MS},
    {"half a body",                 false, BODY,             false, 408, IN_BODY_MS},
    {"a dripping body",             false, BODY,             true,  408, IN_BODY_MS},
    {"half a chunk",                false, CHUNK,            false, 408, IN_BODY_MS},
    {"a dripping chunk",            false, CHUNK,            true,  408, IN_BODY_MS},
    {"a connection not used",       true,  "",               false, 0,   IDLE_MS   },
    {"half a second request line",  true,  "GET /n",         false, 0,   IN_HEAD_MS},
    {"a dripping second line",      true,  "GET /nnnn",      true,  0,   IN_HEAD_MS},
    {"empty lines after a request", true,  "\r\n\r\n",       true,  0,   IN_HEAD_MS},
    {"a dripping second head",      true,  GET_NOW "X: xxx", true,  408, IN_HEAD_MS},
    {"a dripping second body",      true,  BODY,             true,  408, IN_BODY_MS},
};

static void
test_slow (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (s_slow); i++) {
        rig_t *rig = rig_new (s_quick);
        const char *text = s_slow[i].text;
        int fd = rig_connect (rig, NULL);
        if (s_slow[i].second)
            s_ask (rig, fd, GET_NOW "\r\n", 200);
        int64_t start_ms = moment_monotonic_ms ();
        size_t size = strlen (text);
        //  What is dripped last is dripped for ever
        size_t at_once = s_slow[i].drip && size > 4 ? size - 4 : 0;
        rig_send (rig, fd, text, s_slow[i].drip ? at_once : size);
        for (size_t n = at_once; s_slow[i].drip; n++) {
            if (rig_wait (rig, fd, POLLIN, 10)
                || moment_monotonic_ms () - start_ms > 2000)
                break;
            rig_send (rig, fd, text + (n < size ? n : size - 1), 1);
        }
        int status = rig_answer (rig, fd, NULL);
        if (status == -2)
            status = 0;
        promise (status == s_slow[i].status, "%s: %d", s_slow[i].promise, status);
        promise (rig_ended (rig, fd, 5000), "%s: is ended", s_slow[i].promise);
        int took_ms = (int) (moment_monotonic_ms () - start_ms);
        //  Between requests the first bytes are seen a little later
        promise (took_ms >= s_slow[i].after_ms - 10
                     && took_ms <= 2 * s_slow[i].after_ms + SLACK_MS,
                 "%s: after %d ms", s_slow[i].promise, took_ms);
        promise (http_server_counts (rig->server).timeouts == 1, "%s: is counted",
                 s_slow[i].promise);
        close (fd);
        rig_destroy (&rig);
    }
}

static void
test_slow_reader (void)
{
    rig_t *rig = rig_new (s_quick);
    rig->answer_size = 16 << 20; //  More than two sockets hold
    int fd = rig_connect (rig, NULL);
    rig_send (rig, fd, GET_NOW "\r\n", strlen (GET_NOW "\r\n"));
    int64_t start_ms = moment_monotonic_ms ();
    while (http_server_counts (rig->server).timeouts == 0
           && moment_monotonic_ms () - start_ms < 5000)
        rig_wait (rig, -1, 0, 1000);
    int took_ms = (int) (moment_monotonic_ms () - start_ms);
    promise (took_ms >= 190 && took_ms < 400 + SLACK_MS,
             "who does not read the answer is cut after %d ms", took_ms);
    close (fd);
    rig_destroy (&rig);
}

static void
test_no_deadline_while_we_work (void)
{
    rig_t *rig = rig_new (s_quick);
    int fd = rig_connect (rig, NULL);
    rig_send (rig, fd, GET_LATER, strlen (GET_LATER));
    promise (rig_wait_later (rig, 1), "a request is with us");
    promise (!rig_wait (rig, fd, POLLIN, 600), "however long it takes us");
    s_reply (rig, "at last");
    promise (rig_answer (rig, fd, NULL) == 200, "its answer comes");
    close (fd);
    rig_destroy (&rig);
}

//  ---- Later --------------------------------------------------------------------------

static void
test_later (void)
{
    rig_t *rig = rig_new ((http_server_options_t){0});
    buffer_t answer = {0};
    int a = rig_connect (rig, NULL), b = rig_connect (rig, NULL);
    rig_send (rig, a, GET_LATER, strlen (GET_LATER));
    promise (rig_wait_later (rig, 1), "the first waits");
    rig_send (rig, b, GET_LATER, strlen (GET_LATER));
    promise (rig_wait_later (rig, 2), "the second waits");
    promise (!rig_wait (rig, a, POLLIN, 20) && !rig_wait (rig, b, POLLIN, 20),
             "nobody has an answer");
    s_reply (rig, "second");
    promise (rig_answer (rig, b, &answer) == 200 && strstr (answer.data, "second"),
             "answers come in our order");
    s_reply (rig, "first");
    promise (rig_answer (rig, a, &answer) == 200 && strstr (answer.data, "first"),
             "and to the right one");
    promise (s_ask (rig, a, GET_NOW "\r\n", 200), "and the connection goes on");
    buffer_free (&answer);
    close (a);
    close (b);
    rig_destroy (&rig);
}

static void
test_half_closed (void)
{
    rig_t *rig = rig_new ((http_server_options_t){0});
    int fd = rig_connect (rig, NULL);
    rig_send (rig, fd, GET_NOW "\r\n", strlen (GET_NOW "\r\n"));
    shutdown (fd, SHUT_WR);
    promise (rig_answer (rig, fd, NULL) == 200,
             "who has closed his half gets an answer");
    promise (rig_ended (rig, fd, 5000), "and the end");
    close (fd);

    fd = rig_connect (rig, NULL);
    rig_send (rig, fd, GET_LATER, strlen (GET_LATER));
    shutdown (fd, SHUT_WR);
    promise (rig_wait_later (rig, 1), "his other request waits");
    promise (!rig_wait (rig, fd, POLLIN, 20), "and waits");
    s_reply (rig, "later");
    promise (rig_answer (rig, fd, NULL) == 200, "and gets its answer too");
    promise (rig_ended (rig, fd, 5000), "and the end");
    close (fd);
    rig_destroy (&rig);
}

static void
test_client_gone (void)
{
    static const char body[] =
        "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        "\r\nhello";
    static const struct {
        const char *promise;
        bool reset;
        int wait_ms; //  Before the answer
    } rows[] = {
        {"closed, then our answer", false, 20},
        {"closed as we answer",     false, 0 },
        {"reset, then our answer",  true,  20},
        {"reset as we answer",      true,  0 },
    };
    rig_t *rig = rig_new ((http_server_options_t){0});
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        int fd = rig_connect (rig, NULL);
        rig_send (rig, fd, body, sizeof body - 1);
        promise (rig_wait_later (rig, 1), "%s: it is with us", rows[i].promise);
        struct linger linger = {.l_onoff = rows[i].reset, .l_linger = 0};
        setsockopt (fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close (fd);
        if (rows[i].wait_ms)
            s_run_for (rig, rows[i].wait_ms);
        s_reply (rig, "for nobody");
        s_run_for (rig, 10);
        int next = rig_connect (rig, NULL);
        promise (s_ask (rig, next, GET_NOW "\r\n", 200), "%s: others are served",
                 rows[i].promise);
        close (next);
    }
    rig_destroy (&rig);
}

static void
test_pipelined (void)
{
    rig_t *rig = rig_new ((http_server_options_t){0});
    buffer_t text = {0};
    for (int i = 0; i < 20; i++) {
        buffer_text (&text, POST_NOW "Content-Length: 3\r\n\r\na=1");
        buffer_text (&text, GET_LATER);
    }
    int fd = rig_connect (rig, NULL), good = 0;
    rig_send (rig, fd, text.data, text.size);
    for (int i = 0; i < 20; i++) {
        good += rig_answer (rig, fd, NULL) == 200;
        if (rig_wait_later (rig, 1))
            s_reply (rig, "later");
        good += rig_answer (rig, fd, NULL) == 200;
    }
    promise (good == 40, "pipelined requests are answered in order: %d of 40", good);
    close (fd);
    fd = rig_connect (rig, NULL);
    good = 0;
    rig_send (rig, fd, text.data, text.size / 20);
    shutdown (fd, SHUT_WR);
    good += rig_answer (rig, fd, NULL) == 200;
    if (rig_wait_later (rig, 1))
        s_reply (rig, "later");
    good += rig_answer (rig, fd, NULL) == 200;
    promise (good == 2 && rig_ended (rig, fd, 5000), "also with the end behind them");
    close (fd);
    buffer_free (&text);
    rig_destroy (&rig);
}

static void
test_continue (void)
{
    rig_t *rig = rig_new (s_quick);
    int fd = rig_connect (rig, NULL);
    static const char head[] =
        POST_NOW "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n";
    rig_send (rig, fd, head, sizeof head - 1);
    promise (rig_answer (rig, fd, NULL) == 100, "who asks to go on may");
    promise (s_ask (rig, fd, "a=1", 200), "and then has the answer");
    rig_send (rig, fd, head, sizeof head - 1);
    promise (rig_answer (rig, fd, NULL) == 100, "who asks again may again");
    promise (rig_answer (rig, fd, NULL) == 408, "but if nothing comes, it ends");
    close (fd);
    fd = rig_connect (rig, NULL);
    static const char large[] =
        POST_NOW "Content-Length: 3000\r\nExpect: 100-Continue\r\n\r\n";
    rig_send (rig, fd, large, sizeof large - 1);
    promise (rig_answer (rig, fd, NULL) == 413, "who asks with too much may not");
    close (fd);
    rig_destroy (&rig);
}

//  ---- Ends ---------------------------------------------------------------------------

static void
test_destroy (void)
{
    rig_t *rig = rig_new ((http_server_options_t){0});
    int waiting = rig_connect (rig, NULL), half = rig_connect (rig, NULL),
        idle = rig_connect (rig, NULL), silent = rig_connect (rig, NULL);
    rig_send (rig, waiting, GET_LATER, strlen (GET_LATER));
    rig_send (rig, half, GET_NOW, strlen (GET_NOW));
    s_ask (rig, idle, GET_NOW "\r\n", 200);
    promise (rig_wait_later (rig, 1), "a request is with us");
    s_run_for (rig, 10);
    http_server_destroy (&rig->server);
    promise (rig->server == NULL, "the server ends");
    promise (rig_answer (rig, waiting, NULL) == 503, "who waits is told");
    promise (rig_ended (rig, half, 0) && rig_ended (rig, idle, 0)
                 && rig_ended (rig, silent, 0),
             "the others see the end");
    s_reply (rig, "too late");
    promise (rig->later_count == 0, "an answer after it is harmless");
    close (waiting);
    close (half);
    close (idle);
    close (silent);
    rig_destroy (&rig);

    rig = rig_new ((http_server_options_t){0});
    waiting = rig_connect (rig, NULL);
    rig_send (rig, waiting, GET_LATER, strlen (GET_LATER));
    promise (rig_wait_later (rig, 1), "a request has just come");
    http_server_destroy (&rig->server);
    promise (rig_answer (rig, waiting, NULL) == 503, "it is told at once too");
    close (waiting);
    rig_destroy (&rig);
}

static void
test_caps (void)
{
    rig_t *rig =
        rig_new ((http_server_options_t){.connections = 3, .connections_per_peer = 2});
    int a = rig_connect (rig, "127.0.0.2"), b = rig_connect (rig, "127.0.0.2");
    promise (s_ask (rig, a, GET_NOW "\r\n", 200) && s_ask (rig, b, GET_NOW "\r\n", 200),
             "two connections of a peer");
    int c = rig_connect (rig, "127.0.0.2");
    promise (rig_ended (rig, c, 5000), "its third is ended");
    int d = rig_connect (rig, "127.0.0.3");
    promise (s_ask (rig, d, GET_NOW "\r\n", 200), "another peer has its own");
    int e = rig_connect (rig, "127.0.0.4");
    promise (rig_ended (rig, e, 5000), "but all together have a cap");
    promise (http_server_counts (rig->server).refused_limits == 2, "both are counted");
    close (a);
    s_run_for (rig, 10);
    close (c);
    close (e);
    c = rig_connect (rig, "127.0.0.2");
    promise (s_ask (rig, c, GET_NOW "\r\n", 200), "who goes makes room");
    close (b);
    close (c);
    close (d);
    rig_destroy (&rig);
}

static void
test_many (void)
{
    enum { MANY = 300 };
    rig_t *rig = rig_new ((http_server_options_t){0});
    int fds[MANY], good = 0;
    for (int i = 0; i < MANY; i++) {
        fds[i] = rig_connect (rig, NULL);
        rig_send (rig, fds[i], GET_NOW "\r\n", strlen (GET_NOW "\r\n"));
        s_run_for (rig, 0);
    }
    for (int i = 0; i < MANY; i++)
        good += rig_answer (rig, fds[i], NULL) == 200;
    promise (good == MANY, "loopback is a proxy with many connections: %d", good);
    for (int i = 0; i < MANY; i++)
        close (fds[i]);
    rig_destroy (&rig);
}

//  ---- The peer -----------------------------------------------------------------------

static void
test_forwarded (void)
{
    static const struct {
        const char *promise, *from, *headers, *peer;
    } rows[] = {
        {"no proxy, no word",          "127.0.0.9", "X-Forwarded-For: 1.2.3.4\r\n",          "127.0.0.9"  },
        {"a proxy names its peer",     "127.0.0.8", "X-Forwarded-For: 1.2.3.4\r\n",
         "1.2.3.4"                                                                                        },
        {"the last word counts",       "127.0.0.8", "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n",
         "1.2.3.4"                                                                                        },
        {"the last header counts",     "127.0.0.8",
         "X-Forwarded-For: 6.6.6.6\r\nX-FORWARDED-FOR: 1.2.3.4\r\n",                         "1.2.3.4"    },
        {"proxies behind proxies",     "127.0.0.8",
         "X-Forwarded-For: 6.6.6.6, 1.2.3.4 , 10.0.0.1\r\n",                                 "1.2.3.4"    },
        {"over two headers",           "127.0.0.8",
         "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-For: 10.0.0.1\r\n",               "1.2.3.4"    },
        {"only proxies: the farthest", "127.0.0.8", "X-Forwarded-For: 10.0.0.1\r\n",
         "10.0.0.1"                                                                                       },
        {"nonsense ends the belief",   "127.0.0.8",
         "X-Forwarded-For: 1.2.3.4, nonsense, 10.0.0.1\r\n",                                 "10.0.0.1"   },
        {"a proxy that says nothing",  "127.0.0.8", "",                                      "127.0.0.8"  },
        {"IPv6",                       "127.0.0.8", "X-Forwarded-For: 2001:db8::1\r\n",      "2001:db8::1"},
    };
    static const char *const proxies[] = {"127.0.0.8", "10.0.0.1", NULL};
    rig_t *rig = rig_new ((http_server_options_t){.proxies = proxies});
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        buffer_t text = {0}, wanted = {0};
        buffer_printf (&text, GET_NOW "%s\r\n", rows[i].headers);
        buffer_printf (&wanted, " from %s: ", rows[i].peer);
        int fd = rig_connect (rig, rows[i].from);
        bool fine = s_ask (rig, fd, text.data, 200);
        promise (fine && strstr (rig->seen.data, wanted.data), "%s: %s",
                 rows[i].promise, rig->seen.data);
        close (fd);
        buffer_free (&text);
        buffer_free (&wanted);
    }
    rig_destroy (&rig);
}

//  ---- Routes and addresses -----------------------------------------------------------

static void
test_routes (void)
{
    static int mine;
    const http_route_t route = {"GET", "/mine", NULL, 0, &mine};
    rig_t *rig = rig_new ((http_server_options_t){0});
    buffer_t answer = {0};
    promise (http_server_add (rig->server, &route), "a route is added");
    promise (!http_server_add (rig->server, &route), "but not twice");
    int fd = rig_connect (rig, NULL);
    promise (s_ask (rig, fd, "GET /mine?a=%61 HTTP/1.1\r\nHost: x\r\n\r\n", 200),
             "it answers");
    promise (strcmp (rig->seen.data, "GET /mine ?a=%61  from 127.0.0.1: ") == 0,
             "and sees the request: %s", rig->seen.data);
    promise (moment_monotonic_ms () - rig->arrived_ms < 5000, "and when it came");
    http_server_remove (rig->server, &mine);
    promise (s_ask (rig, fd, "GET /mine HTTP/1.1\r\nHost: x\r\n\r\n", 404),
             "until it is removed");
    close (fd);

    fd = rig_connect (rig, NULL);
    static const char wrong[] = "DELETE /now HTTP/1.1\r\nHost: x\r\n\r\n";
    rig_send (rig, fd, wrong, sizeof wrong - 1);
    promise (rig_answer (rig, fd, &answer) == 405
                 && strstr (answer.data, "Allow: POST, GET\r\n"),
             "405 says what is allowed");
    close (fd);
    fd = rig_connect (rig, NULL);
    rig_send (rig, fd, GET_NOW "\r\n", strlen (GET_NOW "\r\n"));
    promise (rig_answer (rig, fd, &answer) == 200
                 && strstr (answer.data, "X-Rig: yes\r\n")
                 && strstr (answer.data, "Content-Type: text/plain\r\n"),
             "an answer's own headers are sent");
    close (fd);
    buffer_free (&answer);
    rig_destroy (&rig);
}

static void
test_addresses (void)
{
    static const char *const bad[] = {"",          "8080",         "localhost:80",
                                      "127.0.0.1", "127.0.0.1:",   "127.0.0.1:65536",
                                      "::1:80",    "[::1]",        "[127.0.0.1]:80",
                                      "1.2.3.4:x", "127.0.0.1:-1", "[::1:80"};
    timers_t *timers = timers_new ();
    http_server_options_t options = {.timers = timers};
    for (size_t i = 0; i < ARRAY_SIZE (bad); i++) {
        pb_error_t error = {0};
        options.address = bad[i];
        promise (!http_server_new (&options, &error) && error.code == PB_E_CONFIG,
                 "\"%s\": %s", bad[i], error.message);
    }
    pb_error_t error = {0};
    options.address = "192.0.2.1:0";
    promise (!http_server_new (&options, &error), "not ours: %s", error.message);
    options.address = "127.0.0.1:0";
    http_server_t *first = http_server_new (&options, &error);
    promise (first && http_server_port (first) > 0, "a port is chosen");
    char taken[32];
    snprintf (taken, sizeof taken, "127.0.0.1:%d", http_server_port (first));
    options.address = taken;
    promise (!http_server_new (&options, &error), "in use: %s", error.message);
    http_server_destroy (&first);
    static const char *const names[] = {"proxy.example", NULL};
    options.address = "127.0.0.1:0";
    options.proxies = names;
    promise (!http_server_new (&options, &error), "proxies: %s", error.message);
    timers_destroy (&timers);
}

int
main (void)
{
    test_requests ();
    test_head_sizes ();
    test_body_sizes ();
    test_body_budget ();
    test_slow ();
    test_slow_reader ();
    test_no_deadline_while_we_work ();
    test_later ();
    test_half_closed ();
    test_client_gone ();
    test_pipelined ();
    test_continue ();
    test_destroy ();
    test_caps ();
    test_many ();
    test_forwarded ();
    test_routes ();
    test_addresses ();
    return promises_kept ();
}
