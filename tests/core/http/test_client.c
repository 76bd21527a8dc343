//  tests/core/http/test_client.c - what the HTTP client sends, and what it makes of answers.

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/moment.h"
#include "http/body.h"
#include "http/client.h"
#include "promise.h"
#include "stage.h"

#define PATIENCE_MS 10000

typedef struct {
    mailbox_t *done;
    http_client_t *client;
} rig_t;

static rig_t
rig_new (unsigned per_host, const char *ca_file)
{
    rig_t self = {.done = mailbox_new ()};
    http_client_options_t options = {self.done, ca_file, per_host, "parkbus-test/1"};
    self.client = http_client_new (&options);
    return self;
}

static void
rig_destroy (rig_t *self)
{
    http_client_destroy (&self->client);
    for (http_job_t *job; (job = mailbox_take (self->done));)
        http_job_destroy (&job);
    mailbox_destroy (&self->done);
}

//  Send it and wait for it.
static http_job_t *
rig_ask (rig_t *self, http_job_t *job)
{
    http_client_send (self->client, job);
    http_job_t *back = mailbox_wait (self->done, PATIENCE_MS);
    if (back != job) {
        fprintf (stderr, "a job did not come back\n");
        abort ();
    }
    return back;
}

static http_job_t *
s_report (const char *url)
{
    http_job_t *job = http_job_new ("POST", url, "application/x-www-form-urlencoded");
    http_job_body (job, HTTP_BODY_BYTES, "a=1", 3);
    job->timeout_ms = 3000;
    return job;
}

static http_job_t *
s_command (const char *url)
{
    http_job_t *job = s_report (url);
    job->command = true;
    return job;
}

//  ---- Answers ------------------------------------------------------------------------

#define HEAD(line, headers) "HTTP/1.1 " line "\r\n" headers "\r\n"
#define EMPTY "Content-Length: 0\r\n"
#define CHUNKED HEAD ("200 OK", "Transfer-Encoding: chunked\r\n")
#define NO_CONTENT HEAD ("204 No Content", "")
#define REFUSAL HEAD ("400 Bad Request", "Content-Length: 2\r\n") "no"
#define CHUNKS CHUNKED "2\r\nok\r\n0\r\n\r\n"
#define LONG_CHUNKS CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
#define TO_THE_END HEAD ("200 OK", "") "ok"
#define LATER HEAD ("100 Continue", "") STAGE_OK
#define FOUND HEAD ("302 Found", "Location: /elsewhere\r\n" EMPTY)
#define MOVED HEAD ("308 Moved", "Location: /elsewhere\r\n" EMPTY)
#define BUSY(when) HEAD ("503 Busy", "Retry-After: " when "\r\n" EMPTY)
#define PAST BUSY ("Fri, 31 Dec 1999 23:59:59 GMT")
#define HALF HEAD ("200 OK", "Content-Length: 9\r\n") "ok"
#define ENDLESS HEAD ("200 OK", "Content-Length: 9999\r\n") "ok"
#define LONG HEAD ("200 OK", "Content-Length: 11\r\n") "hello world"

static const struct {
    const char *promise;
    stage_act_t act;
    const char *text;
    long status; //  0: none
    const char *body;
    uint64_t retry_after_s;
} s_answers[] = {
    {"an answer",                    STAGE_ANSWER, STAGE_OK,                  200, "ok", 0  },
    {"an answer without a body",     STAGE_ANSWER, NO_CONTENT,                204, "",   0  },
    {"a refusal has its body",       STAGE_ANSWER, REFUSAL,                   400, "no", 0  },
    {"an answer in chunks",          STAGE_ANSWER, CHUNKS,                    200, "ok", 0  },
    {"an answer until the end",      STAGE_CLOSE,  TO_THE_END,                200, "ok", 0  },
    {"an answer after 100 Continue", STAGE_ANSWER, LATER,                     200, "ok", 0  },
    {"a redirect is not followed",   STAGE_ANSWER, FOUND,                     302, "",   0  },
    {"nor a permanent one",          STAGE_ANSWER, MOVED,                     308, "",   0  },
    {"Retry-After in seconds",       STAGE_ANSWER, BUSY ("120"),              503, "",   120},
    {"Retry-After in the past",      STAGE_ANSWER, PAST,                      503, "",   0  },
    {"Retry-After in words",         STAGE_ANSWER, BUSY ("soon"),             503, "",   0  },
    {"closed without a byte",        STAGE_CLOSE,  NULL,                      0,   NULL, 0  },
    {"closed in the head",           STAGE_CLOSE,  "HTTP/1.1 200 O",          0,   NULL, 0  },
    {"closed in the body",           STAGE_CLOSE,  HALF,                      0,   NULL, 0  },
    {"closed in a chunk",            STAGE_CLOSE,  CHUNKED "9\r\nok",         0,   NULL, 0  },
    {"nonsense",                     STAGE_CLOSE,  "nonsense\r\n\r\n",        0,   NULL, 0  },
    {"longer than the limit",        STAGE_ANSWER, LONG,                      0,   NULL, 0  },
    {"longer in chunks",             STAGE_ANSWER, LONG_CHUNKS,               0,   NULL, 0  },
    {"silence",                      STAGE_HANG,   NULL,                      0,   NULL, 0  },
    {"a dripping head",              STAGE_DRIP,   "HTTP/1.1 200 OK\r\nX: x", 0,   NULL, 0  },
    {"a dripping body",              STAGE_DRIP,   ENDLESS,                   0,   NULL, 0  },
};

static void
test_answers (void)
{
    rig_t rig = rig_new (0, NULL);
    for (size_t i = 0; i < 2 * ARRAY_SIZE (s_answers); i++) {
        size_t row = i / 2;
        const char *name = s_answers[row].promise, *kind = i % 2 ? "command" : "report";
        stage_t *stage = stage_new ();
        stage_acts (stage, s_answers[row].act, s_answers[row].text);
        http_job_t *job = i % 2 ? s_command (stage_url (stage, "/a"))
                                : s_report (stage_url (stage, "/a"));
        job->answer_limit = 10;
        job->timeout_ms = s_answers[row].status ? 5000 : 300;
        int64_t start_ms = moment_monotonic_ms ();
        rig_ask (&rig, job);
        promise (job->status == s_answers[row].status, "%s, %s: %ld %s", kind, name,
                 job->status, job->error);
        const char *body = job->body.data ? job->body.data : "";
        promise (!s_answers[row].body || strcmp (body, s_answers[row].body) == 0,
                 "%s, %s: its body", kind, name);
        promise (!job->nothing_sent, "%s, %s: something was sent", kind, name);
        promise (job->retry_after_s == s_answers[row].retry_after_s, "%s, %s: %d s",
                 kind, name, (int) job->retry_after_s);
        promise ((job->status == 0) == (job->error[0] != 0),
                 "%s, %s: a sentence if none", kind, name);
        promise (moment_monotonic_ms () - start_ms < 3000, "%s, %s: in time", kind,
                 name);
        promise (stage_requests (stage) == 1, "%s, %s: sent once", kind, name);
        http_job_destroy (&job);
        stage_destroy (&stage);
    }
    rig_destroy (&rig);
}

static void
test_retry_after_date (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    char date[64], text[200];
    time_t then = time (NULL) + 100;
    struct tm tm;
    strftime (date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r (&then, &tm));
    snprintf (text, sizeof text,
              HEAD ("429 Slow", "Retry-After: %s\r\nContent-Length: 0\r\n"), date);
    stage_acts (stage, STAGE_ANSWER, text);
    http_job_t *job = rig_ask (&rig, s_report (stage_url (stage, "/")));
    promise (job->retry_after_s >= 90 && job->retry_after_s <= 100,
             "Retry-After as a date: %d s", (int) job->retry_after_s);
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_huge_head (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    buffer_t text = {0};
    buffer_text (&text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 20000; i++)
        buffer_text (&text, "X: a header of no use\r\n");
    buffer_text (&text, "\r\n");
    stage_acts (stage, STAGE_ANSWER, text.data);
    http_job_t *job = rig_ask (&rig, s_report (stage_url (stage, "/")));
    promise (job->status == 0, "an answer that is all head: %s", job->error);
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
    buffer_free (&text);
}

//  ---- Once and only once -------------------------------------------------------------

static void
test_commands (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    http_job_t *job = rig_ask (&rig, s_report (stage_url (stage, "/1")));
    http_job_destroy (&job);
    job = rig_ask (&rig, s_report (stage_url (stage, "/2")));
    promise (job->status == 200 && stage_connections (stage) == 1,
             "reports keep their connection");
    http_job_destroy (&job);
    job = rig_ask (&rig, s_command (stage_url (stage, "/3")));
    promise (job->status == 200 && stage_connections (stage) == 2,
             "a command has a connection of its own");
    http_job_destroy (&job);
    job = rig_ask (&rig, s_command (stage_url (stage, "/4")));
    promise (job->status == 200 && stage_connections (stage) == 3,
             "and leaves it to nobody");
    http_job_destroy (&job);
    job = rig_ask (&rig, s_report (stage_url (stage, "/5")));
    promise (job->status == 200 && stage_connections (stage) == 3,
             "reports go on with theirs");
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

//  A platform that takes the request and closes without a byte, on a kept connection: curl
//  sends it again by itself. That is what commands are kept from.
static void
test_sent_once (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    stage_acts_again (stage, STAGE_CLOSE, NULL);
    http_job_t *job = rig_ask (&rig, s_report (stage_url (stage, "/first")));
    http_job_destroy (&job);
    job = rig_ask (&rig, s_report (stage_url (stage, "/report")));
    promise (job->status == 200 && stage_requests (stage) == 3,
             "curl repeats a report by itself: %u requests", stage_requests (stage));
    http_job_destroy (&job);

    job = rig_ask (&rig, s_command (stage_url (stage, "/command")));
    promise (job->status == 200 && stage_requests (stage) == 4,
             "a command is sent once beside kept connections");
    http_job_destroy (&job);
    stage_acts (stage, STAGE_CLOSE, NULL);
    job = rig_ask (&rig, s_command (stage_url (stage, "/command")));
    promise (job->status == 0 && !job->nothing_sent && stage_requests (stage) == 5,
             "a command whose answer is missing is sent once: %s", job->error);
    http_job_destroy (&job);
    buffer_t heard = stage_heard (stage);
    unsigned count = 0;
    for (char *p = heard.data; (p = strstr (p, "POST /command")); p++)
        count++;
    promise (count == 2, "the platform saw each command once");
    buffer_free (&heard);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

//  ---- Nothing sent -------------------------------------------------------------------

//  A port nobody listens on; *full: one whose queue is full, so that connecting hangs.
static int
s_bind (int backlog, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind (fd, (struct sockaddr *) &address, size) != 0
        || (backlog >= 0 && listen (fd, backlog) != 0)
        || getsockname (fd, (struct sockaddr *) &address, &size) != 0)
        abort ();
    *port = ntohs (address.sin_port);
    return fd;
}

static int
s_knock (int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons ((uint16_t) port),
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect (fd, (struct sockaddr *) &address, sizeof address);
    return fd;
}

static void
test_nothing_sent (void)
{
    int closed_port, full_port, mute_port;
    int closed = s_bind (-1, &closed_port), full = s_bind (0, &full_port),
        mute = s_bind (10, &mute_port);
    int a = s_knock (full_port), b = s_knock (full_port), c = s_knock (full_port);
    const struct {
        const char *promise, *url;
        int port;
    } rows[] = {
        {"a port nobody listens on",        "http://127.0.0.1:%d/",     closed_port},
        {"the same with TLS",               "https://127.0.0.1:%d/",    closed_port},
        {"a connection that does not come", "http://127.0.0.1:%d/",     full_port  },
        {"a greeting that does not come",   "https://127.0.0.1:%d/",    mute_port  },
        {"another language",                "ftp://127.0.0.1:%d/",      closed_port},
        {"a file",                          "file:///etc/passwd",       0          },
        {"no URL",                          "http://",                  0          },
        {"no port",                         "http://127.0.0.1:x/",      0          },
        {"a line break in a URL",           "http://127.0.0.1:%d/a\nb", mute_port  },
    };
    rig_t rig = rig_new (0, NULL);
    for (size_t i = 0; i < 2 * ARRAY_SIZE (rows); i++) {
        char url[100];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf (url, sizeof url, rows[i / 2].url, rows[i / 2].port);
#pragma GCC diagnostic pop
        http_job_t *job = i % 2 ? s_command (url) : s_report (url);
        job->connect_timeout_ms = 200;
        rig_ask (&rig, job);
        promise (job->status == 0 && job->nothing_sent, "%s: %s", rows[i / 2].promise,
                 job->error);
        http_job_destroy (&job);
    }
    close (closed);
    close (full);
    close (mute);
    close (a);
    close (b);
    close (c);
    rig_destroy (&rig);
}

//  A handle that has sent is used again for one that does not.
static void
test_nothing_sent_after_something (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    int port, fd = s_bind (-1, &port);
    char url[64];
    snprintf (url, sizeof url, "http://127.0.0.1:%d/", port);
    for (int i = 0; i < 3; i++) {
        http_job_t *job = rig_ask (&rig, s_command (stage_url (stage, "/")));
        promise (job->status == 200 && !job->nothing_sent, "a command arrives");
        http_job_destroy (&job);
        job = rig_ask (&rig, s_command (url));
        promise (job->status == 0 && job->nothing_sent, "the next does not");
        http_job_destroy (&job);
    }
    close (fd);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_tls (void)
{
    stage_t *stage = stage_new_tls ("127.0.0.1"), *other = stage_new_tls ("localhost");
    rig_t rig = rig_new (0, NULL);
    http_job_t *job = rig_ask (&rig, s_command (stage_url (stage, "/")));
    promise (job->status == 0 && job->nothing_sent && stage_requests (stage) == 0,
             "a certificate nobody vouches for: %s", job->error);
    http_job_destroy (&job);
    rig_destroy (&rig);

    rig = rig_new (0, stage_certificate (stage));
    job = rig_ask (&rig, s_command (stage_url (stage, "/")));
    promise (job->status == 200, "one we vouch for: %s", job->error);
    http_job_destroy (&job);
    job = rig_ask (&rig, s_command (stage_url (other, "/")));
    promise (job->status == 0 && job->nothing_sent && stage_requests (other) == 0,
             "but not another's");
    http_job_destroy (&job);
    rig_destroy (&rig);

    rig = rig_new (0, stage_certificate (other));
    job = rig_ask (&rig, s_command (stage_url (other, "/")));
    promise (job->status == 0 && job->nothing_sent && stage_requests (other) == 0,
             "nor for another name: %s", job->error);
    http_job_destroy (&job);
    rig_destroy (&rig);
    rig = rig_new (0, "/nonexistent/ca.pem");
    job = rig_ask (&rig, s_command (stage_url (stage, "/")));
    promise (job->status == 0 && job->nothing_sent, "nor without the CA file: %s",
             job->error);
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
    stage_destroy (&other);
}

//  A name server that hangs, for names that begin with "hangs".
static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_changed = PTHREAD_COND_INITIALIZER;
static bool s_hangs;
static int s_asked, s_told;

__attribute__ ((visibility ("default"))) int
getaddrinfo (const char *name, const char *service, const struct addrinfo *hints,
             struct addrinfo **result)
{
    (void) name;
    (void) service;
    (void) hints;
    *result = NULL;
    pthread_mutex_lock (&s_mutex);
    s_asked++;
    while (s_hangs)
        pthread_cond_wait (&s_changed, &s_mutex);
    s_told++;
    pthread_cond_broadcast (&s_changed);
    pthread_mutex_unlock (&s_mutex);
    return EAI_NONAME;
}

static void
test_names (void)
{
    rig_t rig = rig_new (0, NULL);
    http_job_t *job = rig_ask (&rig, s_command ("http://unknown.example/"));
    promise (job->nothing_sent && s_asked == 1, "a name that is not known: %s",
             job->error);
    http_job_destroy (&job);

    stage_t *stage = stage_new ();
    s_hangs = true;
    http_job_t *hanging = s_command ("http://hangs.example/");
    hanging->connect_timeout_ms = 300;
    http_client_send (rig.client, hanging);
    int64_t start_ms = moment_monotonic_ms ();
    job = rig_ask (&rig, s_report (stage_url (stage, "/")));
    promise (job->status == 200, "a name server that hangs does not stop others");
    http_job_destroy (&job);
    job = mailbox_wait (rig.done, PATIENCE_MS);
    promise (job == hanging && job->nothing_sent
                 && moment_monotonic_ms () - start_ms < 3000,
             "nor the time-out: %s", job->error);
    http_job_destroy (&job);
    job = rig_ask (&rig, s_report (stage_url (stage, "/")));
    promise (job->status == 200, "nor those after it");
    http_job_destroy (&job);
    http_client_send (rig.client, s_command ("http://hangs.example/again"));
    rig_destroy (&rig);
    promise (s_told == 1, "nor the end");

    pthread_mutex_lock (&s_mutex);
    s_hangs = false;
    pthread_cond_broadcast (&s_changed);
    while (s_told < s_asked)
        pthread_cond_wait (&s_changed, &s_mutex);
    pthread_mutex_unlock (&s_mutex);
    stage_destroy (&stage);
}

//  ---- What is sent -------------------------------------------------------------------

static bool
s_heard (stage_t *stage, const char *text)
{
    buffer_t heard = stage_heard (stage);
    bool there = strstr (heard.data, text) != NULL;
    buffer_free (&heard);
    return there;
}

static void
test_request (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    http_job_t *job = http_job_new ("POST", stage_url (stage, "/p?q=1"), "text/x-form");
    http_job_body (job, HTTP_BODY_BYTES, "a=1&b=%E4", 9);
    http_job_header (job, "X-One", "1");
    http_job_header (job, "X-Two", "2");
    rig_ask (&rig, job);
    promise (job->status == 200 && strcmp (job->answer_media, "text/plain") == 0
                 && job->took_us > 0,
             "an answer has a type and a time");
    http_job_destroy (&job);
    static const char *const lines[] = {
        "POST /p?q=1 HTTP/1.1\r\n",           "\r\nContent-Type: text/x-form\r\n",
        "\r\nX-One: 1\r\nX-Two: 2\r\n",       "\r\nContent-Length: 9\r\n",
        "\r\nUser-Agent: parkbus-test/1\r\n", "\r\n\r\na=1&b=%E4"};
    for (size_t i = 0; i < ARRAY_SIZE (lines); i++)
        promise (s_heard (stage, lines[i]), "a request has part %zu", i + 1);
    stage_destroy (&stage);

    static const struct {
        const char *promise, *method, *wanted, *unwanted;
    } rows[] = {
        {"a GET has no body",          "GET",    "GET / HTTP/1.1\r\n",        "Content-"},
        {"an empty POST has length 0", "POST",   "\r\nContent-Length: 0\r\n",
         "Content-Type"                                                                 },
        {"a DELETE",                   "DELETE", "DELETE / HTTP/1.1\r\n",     "Content-"},
        {"nothing waits for 100",      "PUT",    "PUT / HTTP/1.1\r\n",        "Expect"  },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        stage = stage_new ();
        job =
            rig_ask (&rig, http_job_new (rows[i].method, stage_url (stage, "/"), NULL));
        promise (job->status == 200 && s_heard (stage, rows[i].wanted)
                     && !s_heard (stage, rows[i].unwanted),
                 "%s", rows[i].promise);
        http_job_destroy (&job);
        stage_destroy (&stage);
    }
    rig_destroy (&rig);
}

static void
test_smuggling (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    http_job_t *job = http_job_new ("POST", stage_url (stage, "/"), "a\r\nX: y");
    rig_ask (&rig, job);
    promise (job->nothing_sent, "no second header in a media type: %s", job->error);
    http_job_destroy (&job);
    job = http_job_new ("POST", stage_url (stage, "/"), "a");
    http_job_header (job, "X", "a\nY: b");
    rig_ask (&rig, job);
    promise (job->nothing_sent, "nor in a header: %s", job->error);
    http_job_destroy (&job);
    job = http_job_new ("GET / HTTP/1.1\r\nX:", stage_url (stage, "/"), NULL);
    rig_ask (&rig, job);
    promise (job->nothing_sent, "nor in a method: %s", job->error);
    http_job_destroy (&job);
    promise (stage_connections (stage) == 0, "the platform saw none of it");
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_environment (void)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
                                        "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_SIZE (names); i++)
        setenv (names[i], "http://127.0.0.1:1", 1);
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    http_job_t *job = rig_ask (&rig, s_report (stage_url (stage, "/")));
    promise (job->status == 200, "the environment's proxies are not for us: %s",
             job->error);
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
    for (size_t i = 0; i < ARRAY_SIZE (names); i++)
        unsetenv (names[i]);
}

//  ---- Bodies from files --------------------------------------------------------------

typedef struct {
    char path[32];
    char *bytes;
    size_t size;
} file_t;

static file_t
s_file (size_t size)
{
    file_t self = {
        .path = "/tmp/body-XXXXXX", .bytes = xmalloc (size + 1), .size = size};
    for (size_t i = 0; i < size; i++)
        self.bytes[i] = (char) (hash64 (&i, sizeof i, 7) & 0xff);
    int fd = mkstemp (self.path);
    if (write (fd, self.bytes, size) != (ssize_t) size)
        abort ();
    close (fd);
    return self;
}

static void
s_file_end (file_t *self)
{
    unlink (self->path);
    free (self->bytes);
}

//  The same in one go.
static void
s_encoded (const file_t *file, buffer_t *to)
{
    char *text = xmalloc ((file->size + 2) / 3 * 4 + 1);
    base64_encode (file->bytes, file->size, text);
    for (char *p = text; *p; p++) {
        if (strchr ("+/=", *p))
            buffer_printf (to, "%%%02X", *p);
        else
            buffer_add (to, p, 1);
    }
    free (text);
}

static void
test_body_sizes (void)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 3071, 3072, 3073, 6144, 9999, 100000};
    static const size_t rooms[] = {1, 3, 1000, 65536};
    for (size_t i = 0; i < ARRAY_SIZE (sizes) * ARRAY_SIZE (rooms); i++) {
        size_t room = rooms[i % ARRAY_SIZE (rooms)];
        file_t file = s_file (sizes[i / ARRAY_SIZE (rooms)]);
        char first[] = "a=", nothing[] = "", second[] = "&b=";
        http_body_part_t parts[] = {
            {HTTP_BODY_BYTES,       first,     2},
            {HTTP_BODY_FILE_BASE64, file.path, 0},
            {HTTP_BODY_BYTES,       nothing,   0},
            {HTTP_BODY_BYTES,       second,    3},
            {HTTP_BODY_FILE,        file.path, 0},
        };
        buffer_t wanted = {0}, got = {0};
        buffer_text (&wanted, "a=");
        s_encoded (&file, &wanted);
        buffer_text (&wanted, "&b=");
        buffer_add (&wanted, file.bytes, file.size);
        char error[256] = "", *piece = xmalloc (room);
        http_body_t *body = http_body_new (parts, ARRAY_SIZE (parts), error);
        ptrdiff_t n = 0;
        bool same = true;
        for (int round = 0; round < 2; round++) {
            buffer_reset (&got);
            while ((n = http_body_read (body, piece, room)) > 0)
                buffer_add (&got, piece, (size_t) n);
            same = same && n == 0 && got.size == wanted.size
                   && memcmp (got.data, wanted.data, got.size) == 0;
            http_body_rewind (body);
        }
        promise (same && http_body_size (body) == wanted.size,
                 "a file of %zu bytes, read by %zu, twice", file.size, room);
        http_body_destroy (&body);
        buffer_free (&wanted);
        buffer_free (&got);
        free (piece);
        s_file_end (&file);
    }
}

static void
test_body_changes (void)
{
    static const struct {
        const char *promise;
        http_body_kind_t kind;
        off_t size;
        ptrdiff_t last;
    } rows[] = {
        {"a file that shrinks is noticed",   HTTP_BODY_FILE,        100,   -1},
        {"also in Base64",                   HTTP_BODY_FILE_BASE64, 100,   -1},
        {"one that grows is sent as it was", HTTP_BODY_FILE,        20000, -1},
        {"one that stays is sent",           HTTP_BODY_FILE,        10000, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        file_t file = s_file (10000);
        http_body_part_t part = {rows[i].kind, file.path, 0};
        char error[256] = "", piece[1000];
        http_body_t *body = http_body_new (&part, 1, error);
        if (truncate (file.path, rows[i].size) != 0)
            abort ();
        ptrdiff_t n;
        while ((n = http_body_read (body, piece, sizeof piece)) > 0)
            ;
        promise (n == rows[i].last, "%s", rows[i].promise);
        http_body_destroy (&body);
        s_file_end (&file);
    }
}

static void
test_pictures (void)
{
    rig_t rig = rig_new (0, NULL);
    stage_t *stage = stage_new ();
    file_t file = s_file (2000003);
    for (int command = 0; command < 2; command++) {
        http_job_t *job = http_job_new ("POST", stage_url (stage, "/"), "x");
        http_job_body (job, HTTP_BODY_BYTES, "picture=", 8);
        http_job_body (job, HTTP_BODY_FILE_BASE64, file.path, strlen (file.path));
        http_job_body (job, HTTP_BODY_BYTES, "&sign=1", 7);
        job->command = command;
        job->bulk = !command;
        rig_ask (&rig, job);
        buffer_t wanted = {0}, heard = stage_heard (stage);
        buffer_text (&wanted, "\r\n\r\npicture=");
        s_encoded (&file, &wanted);
        buffer_text (&wanted, "&sign=1");
        promise (job->status == 200 && heard.size > wanted.size
                     && memcmp (heard.data + heard.size - wanted.size, wanted.data,
                                wanted.size)
                            == 0,
                 "a picture arrives as it is: %s", job->error);
        buffer_free (&wanted);
        buffer_free (&heard);
        http_job_destroy (&job);
    }
    static const char *const missing[] = {"/nonexistent/picture", "/tmp"};
    for (size_t i = 0; i < ARRAY_SIZE (missing); i++) {
        http_job_t *job = http_job_new ("POST", stage_url (stage, "/"), "x");
        http_job_body (job, HTTP_BODY_FILE, missing[i], strlen (missing[i]));
        rig_ask (&rig, job);
        promise (job->status == 0 && job->nothing_sent, "no picture: %s", job->error);
        http_job_destroy (&job);
    }
    s_file_end (&file);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

//  ---- Many ---------------------------------------------------------------------------

static void
test_many (void)
{
    enum { MANY = 500 };
    rig_t rig = rig_new (4, NULL);
    stage_t *stage = stage_new ();
    for (int i = 0; i < MANY; i++)
        http_client_send (rig.client, s_report (stage_url (stage, "/")));
    int good = 0;
    for (int i = 0; i < MANY; i++) {
        http_job_t *job = mailbox_wait (rig.done, PATIENCE_MS);
        good += job && job->status == 200;
        http_job_destroy (&job);
    }
    promise (good == MANY, "%d of %d reports", good, MANY);
    promise (stage_connections (stage) <= 4, "over %u connections",
             stage_connections (stage));
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_per_host (void)
{
    rig_t rig = rig_new (2, NULL);
    stage_t *stage = stage_new (), *other = stage_new ();
    stage_acts (stage, STAGE_HOLD, STAGE_OK);
    for (int i = 0; i < 6; i++)
        http_client_send (rig.client, i % 2 ? s_command (stage_url (stage, "/"))
                                            : s_report (stage_url (stage, "/")));
    promise (stage_wait (stage, 2), "two are under way");
    http_job_t *job = rig_ask (&rig, s_report (stage_url (other, "/")));
    promise (job->status == 200, "another host does not wait for them");
    http_job_destroy (&job);
    promise (stage_requests (stage) == 2, "but the others do");
    stage_release (stage);
    int good = 0;
    for (int i = 0; i < 6; i++) {
        job = mailbox_wait (rig.done, PATIENCE_MS);
        good += job && job->status == 200;
        http_job_destroy (&job);
    }
    promise (good == 6 && stage_most_at_once (stage) == 2, "two at once at most");
    rig_destroy (&rig);
    stage_destroy (&stage);
    stage_destroy (&other);
}

static void
test_bulk (void)
{
    rig_t rig = rig_new (1, NULL);
    stage_t *stage = stage_new ();
    stage_acts (stage, STAGE_HOLD, STAGE_OK);
    http_client_send (rig.client, s_report (stage_url (stage, "/first")));
    promise (stage_wait (stage, 1), "the first is under way");
    for (int i = 0; i < 3; i++) {
        http_job_t *bulk = s_report (stage_url (stage, "/bulk"));
        bulk->bulk = true;
        http_client_send (rig.client, bulk);
    }
    for (int i = 0; i < 3; i++)
        http_client_send (rig.client, s_report (stage_url (stage, "/report")));
    stage_release (stage);
    for (int i = 0; i < 7; i++) {
        http_job_t *job = mailbox_wait (rig.done, PATIENCE_MS);
        promise (job && job->status == 200 && (job->bulk != 0) == (i >= 4),
                 "number %d is %s", i + 1, i >= 4 ? "bulk" : "none");
        http_job_destroy (&job);
    }
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_late (void)
{
    rig_t rig = rig_new (1, NULL);
    stage_t *stage = stage_new ();
    stage_acts (stage, STAGE_HOLD, STAGE_OK);
    http_job_t *first = s_report (stage_url (stage, "/first"));
    http_client_send (rig.client, first);
    promise (stage_wait (stage, 1), "one is under way");
    http_job_t *job = s_command (stage_url (stage, "/late"));
    job->timeout_ms = 200;
    rig_ask (&rig, job);
    promise (job->status == 0 && job->nothing_sent, "its time passes waiting: %s",
             job->error);
    http_job_destroy (&job);
    stage_release (stage);
    job = mailbox_wait (rig.done, PATIENCE_MS);
    promise (job == first && job->status == 200 && stage_requests (stage) == 1,
             "and it is not sent later");
    http_job_destroy (&job);
    rig_destroy (&rig);
    stage_destroy (&stage);
}

static void
test_destroy (void)
{
    rig_t rig = rig_new (2, NULL);
    stage_t *stage = stage_new ();
    stage_acts (stage, STAGE_HANG, NULL);
    for (int i = 0; i < 5; i++) {
        http_job_t *job = s_command (stage_url (stage, "/"));
        job->bulk = i == 4;
        http_client_send (rig.client, job);
    }
    promise (stage_wait (stage, 2), "two are under way, three wait");
    http_client_destroy (&rig.client);
    int back = 0, sent = 0;
    for (http_job_t *job; (job = mailbox_take (rig.done));) {
        back += job->status == 0 && job->error[0];
        sent += !job->nothing_sent;
        http_job_destroy (&job);
    }
    promise (back == 5, "all come back unanswered: %d", back);
    promise (sent == 2, "and say whether they were sent: %d", sent);
    mailbox_destroy (&rig.done);
    stage_destroy (&stage);
}

int
main (void)
{
    test_answers ();
    test_retry_after_date ();
    test_huge_head ();
    test_commands ();
    test_sent_once ();
    test_nothing_sent ();
    test_nothing_sent_after_something ();
    test_names ();
    test_tls ();
    test_request ();
    test_smuggling ();
    test_environment ();
    test_body_sizes ();
    test_body_changes ();
    test_pictures ();
    test_many ();
    test_per_host ();
    test_bulk ();
    test_late ();
    test_destroy ();
    return promises_kept ();
}
