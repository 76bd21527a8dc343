//  http/transfer.c - one job on one curl handle.

#include "http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"

#define CONNECT_TIMEOUT_MS 5000
#define TIMEOUT_MS 10000
#define ANSWER_LIMIT (1 << 20)
#define ANSWER_HEAD_LIMIT (64 << 10)

http_transfer_t *
http_transfer_new (http_job_t *job)
{
    http_transfer_t *self = xcalloc (1, sizeof *self);
    self->job = job;
    self->sent_ms = moment_monotonic_ms ();
    if (job->timeout_ms == 0)
        job->timeout_ms = TIMEOUT_MS;
    if (job->connect_timeout_ms == 0)
        job->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (job->answer_limit == 0)
        job->answer_limit = ANSWER_LIMIT;
    self->host = xstrdup (job->url);
    char *start = strstr (self->host, "://");
    start = start ? start + 3 : self->host;
    start[strcspn (start, "/?#")] = 0;
    return self;
}

void
http_transfer_destroy (http_transfer_t **self_p)
{
    http_transfer_t *self = *self_p;
    if (!self)
        return;
    curl_slist_free_all (self->headers);
    http_body_destroy (&self->body);
    free (self->host);
    free (self);
    *self_p = NULL;
}

int64_t
http_transfer_left_ms (const http_transfer_t *self, int64_t now_ms)
{
    return self->sent_ms + self->job->timeout_ms - now_ms;
}

//  ---- Beginning ----------------------------------------------------------------------

static bool
s_add (http_transfer_t *self, const char *line)
{
    if (strpbrk (line, "\r\n")) {
        snprintf (self->job->error, sizeof self->job->error,
                  _ ("a header for %s has a line break in it"), self->host);
        return false;
    }
    struct curl_slist *list = curl_slist_append (self->headers, line);
    if (list)
        self->headers = list;
    return list != NULL;
}

static bool
s_set_headers (http_transfer_t *self)
{
    const http_job_t *job = self->job;
    buffer_t media = {0};
    //  An empty value: curl must not add its own
    buffer_printf (&media, "Content-Type:%s%s", job->media ? " " : "",
                   job->media ? job->media : "");
    bool fine = s_add (self, media.data) && s_add (self, "Expect:");
    buffer_free (&media);
    for (char **header = job->headers; fine && header && *header; header++)
        fine = s_add (self, *header);
    curl_easy_setopt (self->easy, CURLOPT_HTTPHEADER, self->headers);
    return fine;
}

static size_t
s_read (char *to, size_t size, size_t count, void *arg)
{
    http_transfer_t *self = arg;
    ptrdiff_t got = http_body_read (self->body, to, size * count);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t) got;
}

//  For a repetition on another connection, which curl does for what is no command.
static int
s_seek (void *arg, curl_off_t offset, int origin)
{
    http_transfer_t *self = arg;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    http_body_rewind (self->body);
    return CURL_SEEKFUNC_OK;
}

static bool
s_set_body (http_transfer_t *self)
{
    const http_job_t *job = self->job;
    CURL *easy = self->easy;
    if (job->parts_count == 0 && strcmp (job->method, "HEAD") == 0) {
        curl_easy_setopt (easy, CURLOPT_NOBODY, 1L);
        return true;
    }
    if (job->parts_count == 0 && strcmp (job->method, "POST") != 0
        && strcmp (job->method, "PUT") != 0)
        return true;
    curl_easy_setopt (easy, CURLOPT_POST, 1L);
    if (job->parts_count == 0
        || (job->parts_count == 1 && job->parts[0].kind == HTTP_BODY_BYTES)) {
        size_t size = job->parts_count ? job->parts[0].size : 0;
        curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) size);
        curl_easy_setopt (easy, CURLOPT_POSTFIELDS, size ? job->parts[0].text : "");
        return true;
    }
    self->body = http_body_new (job->parts, job->parts_count, self->job->error);
    if (!self->body)
        return false;
    curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE,
                      (curl_off_t) http_body_size (self->body));
    curl_easy_setopt (easy, CURLOPT_READFUNCTION, s_read);
    curl_easy_setopt (easy, CURLOPT_READDATA, self);
    curl_easy_setopt (easy, CURLOPT_SEEKFUNCTION, s_seek);
    curl_easy_setopt (easy, CURLOPT_SEEKDATA, self);
    return true;
}

static size_t
s_write (char *bytes, size_t size, size_t count, void *arg)
{
    http_transfer_t *self = arg;
    http_job_t *job = self->job;
    if (size * count > job->answer_limit - job->body.size) {
        self->too_large = true;
        return 0;
    }
    buffer_add (&job->body, bytes, size * count);
    return size * count;
}

static size_t
s_head (char *line, size_t size, size_t count, void *arg)
{
    (void) line;
    http_transfer_t *self = arg;
    self->head_size += size * count;
    self->too_large = self->head_size > ANSWER_HEAD_LIMIT;
    return self->too_large ? 0 : size * count;
}

static void
s_set_connection (http_transfer_t *self, const http_client_options_t *options)
{
    CURL *easy = self->easy;
    const http_job_t *job = self->job;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_HTTP_VERSION,   CURL_HTTP_VERSION_1_1  },
        {CURLOPT_NOSIGNAL,       1                      },
        {CURLOPT_FOLLOWLOCATION, 0                      },
        {CURLOPT_SSL_VERIFYPEER, 1                      },
        {CURLOPT_SSL_VERIFYHOST, 2                      },
        {CURLOPT_SSLVERSION,     CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NETRC,          CURL_NETRC_IGNORED     },
        {CURLOPT_TCP_NODELAY,    1                      },
        {CURLOPT_TCP_KEEPALIVE,  1                      },
 //  A name server that hangs must not stop the thread when a job's time is over
        {CURLOPT_QUICK_EXIT,     1                      },
 //  curl repeats a request by itself if a connection that it reuses closes before
  //  the first byte of an answer: no way for what moves money
        {CURLOPT_FRESH_CONNECT,  job->command           },
        {CURLOPT_FORBID_REUSE,   job->command           },
    };
    for (size_t i = 0; i < ARRAY_SIZE (numbers); i++)
        curl_easy_setopt (easy, numbers[i].option, numbers[i].value);
    curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt (easy, CURLOPT_PROXY, ""); //  Nor from the environment
    if (options->user_agent)
        curl_easy_setopt (easy, CURLOPT_USERAGENT, options->user_agent);
    if (options->ca_file)
        curl_easy_setopt (easy, CURLOPT_CAINFO, options->ca_file);
}

static bool
s_is_method (const char *method)
{
    return *method && strspn (method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen (method);
}

bool
http_transfer_begin (http_transfer_t *self, CURL *easy,
                     const http_client_options_t *options)
{
    http_job_t *job = self->job;
    self->easy = easy;
    int64_t left_ms = http_transfer_left_ms (self, moment_monotonic_ms ());
    if (left_ms < 1)
        left_ms = 1;
    if (!s_is_method (job->method)) {
        snprintf (job->error, sizeof job->error, _ ("\"%s\" is no HTTP method"),
                  job->method);
        return false;
    }
    s_set_connection (self, options);
    curl_easy_setopt (easy, CURLOPT_PRIVATE, self);
    curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, self->curl_says);
    curl_easy_setopt (easy, CURLOPT_URL, job->url);
    curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, (long) left_ms);
    curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS, (long) job->connect_timeout_ms);
    curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, s_write);
    curl_easy_setopt (easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, s_head);
    curl_easy_setopt (easy, CURLOPT_HEADERDATA, self);
    if (!s_set_body (self) || !s_set_headers (self))
        return false;
    curl_easy_setopt (easy, CURLOPT_CUSTOMREQUEST, job->method);
    return true;
}

//  ---- The end ------------------------------------------------------------------------

static const struct {
    CURLcode code;
    const char *sentence;
} s_errors[] = {
    {CURLE_COULDNT_RESOLVE_HOST,
     N_ ("%s has a name that is not known: check it, and DNS")                          },
    {CURLE_COULDNT_CONNECT,          N_ ("%s cannot be reached")                        },
    {CURLE_PEER_FAILED_VERIFICATION,
     N_ ("%s does not prove who it is: check its certificate and our CA file")          },
    {CURLE_SSL_CONNECT_ERROR,        N_ ("no TLS connection to %s comes about")         },
    {CURLE_OPERATION_TIMEDOUT,       N_ ("%s did not answer in time")                   },
    {CURLE_GOT_NOTHING,              N_ ("%s closed the connection without an answer")  },
    {CURLE_SEND_ERROR,               N_ ("the connection to %s broke while sending")    },
    {CURLE_RECV_ERROR,               N_ ("the connection to %s broke before its answer")},
    {CURLE_PARTIAL_FILE,             N_ ("%s stopped in the middle of its answer")      },
    {CURLE_ABORTED_BY_CALLBACK,      N_ ("a file changed while it was sent to %s")      },
    {CURLE_WRITE_ERROR,              N_ ("the answer of %s is too large")               },
    {CURLE_UNSUPPORTED_PROTOCOL,     N_ ("%s does not speak HTTP")                      },
    {CURLE_WEIRD_SERVER_REPLY,       N_ ("%s does not speak HTTP")                      },
    {CURLE_URL_MALFORMAT,            N_ ("%s is no URL")                                },
};

static void
s_say (http_transfer_t *self, CURLcode code)
{
    http_job_t *job = self->job;
    const char *sentence = NULL;
    if (self->too_large)
        code = CURLE_WRITE_ERROR;
    for (size_t i = 0; i < ARRAY_SIZE (s_errors) && !sentence; i++)
        if (s_errors[i].code == code)
            sentence = _ (s_errors[i].sentence);
    buffer_t text = {0};
    const char *mark = sentence ? strstr (sentence, "%s") : NULL;
    if (mark) {
        buffer_add (&text, sentence, (size_t) (mark - sentence));
        buffer_text (&text, self->host);
        buffer_text (&text, mark + 2);
    } else
        buffer_text (&text, self->host);
    //  What curl knows more closely, e.g. which certificate; never the URL's query
    buffer_printf (&text, " (%s)",
                   self->curl_says[0] ? self->curl_says : curl_easy_strerror (code));
    snprintf (job->error, sizeof job->error, "%s", text.data);
    buffer_free (&text);
}

void
http_transfer_end (http_transfer_t *self, CURLcode code, const char *sentence)
{
    http_job_t *job = self->job;
    long sent = 0;
    curl_off_t ready_us = 0, took_us = 0, retry_after_s = 0;
    char *media = NULL;
    curl_easy_getinfo (self->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo (self->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    curl_easy_getinfo (self->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    job->took_us = took_us;
    if (code != CURLE_OK) {
        //  Only what failed before curl was ready to send
        job->nothing_sent = sent == 0 && ready_us == 0;
        buffer_free (&job->body);
        if (sentence)
            snprintf (job->error, sizeof job->error, "%s: %s", self->host, sentence);
        else
            s_say (self, code);
        return;
    }
    curl_easy_getinfo (self->easy, CURLINFO_RESPONSE_CODE, &job->status);
    curl_easy_getinfo (self->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo (self->easy, CURLINFO_CONTENT_TYPE, &media);
    job->answer_media = xstrdup (media);
    job->retry_after_s = retry_after_s > 0 ? (uint64_t) retry_after_s : 0;
}

void
http_transfer_drop (http_transfer_t *self, const char *sentence)
{
    http_job_t *job = self->job;
    job->nothing_sent = true;
    if (sentence)
        snprintf (job->error, sizeof job->error, "%s: %s", self->host, sentence);
}
