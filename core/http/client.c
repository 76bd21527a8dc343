//  http/client.c - HTTP out: curl multi in a thread of its own.

#include "http/client.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"
#include "http/transfer.h"

#define RUNNING_MAX 128 //  Transfers at once
#define EASIES_MAX 16   //  Handles kept for the next job
#define PER_HOST 8
#define SLEEP_MS 60000 //  With nothing to wait for
#define LOOK_MS 50     //  How exactly the time of those that wait is kept

typedef struct {
    http_transfer_t *first, **last;
} s_queue_t;

//  What is under way to one host; kept while there is something.
typedef struct host {
    struct host *next;
    char *name;
    unsigned running, running_bulk;
    s_queue_t reports, bulk; //  Waiting
} host_t;

struct http_client {
    http_client_options_t options;
    char *ca_file, *user_agent;
    pthread_t thread;
    CURLM *multi;
    //  Between the threads
    pthread_mutex_t mutex;
    s_queue_t mail;
    bool ending;
    //  The thread's own
    host_t *hosts;
    http_transfer_t *transfers; //  Running
    unsigned running;
    int64_t looked_ms; //  For those that are late
    CURL *easies[EASIES_MAX];
    size_t easies_count;
};

//  ---- Queues -------------------------------------------------------------------------

static void
s_queue_init (s_queue_t *self)
{
    self->first = NULL;
    self->last = &self->first;
}

static void
s_queue_put (s_queue_t *self, http_transfer_t *transfer)
{
    transfer->next = NULL;
    *self->last = transfer;
    self->last = &transfer->next;
}

static http_transfer_t *
s_queue_take (s_queue_t *self)
{
    http_transfer_t *transfer = self->first;
    if (transfer) {
        self->first = transfer->next;
        if (!self->first)
            self->last = &self->first;
    }
    return transfer;
}

static host_t *
s_host (http_client_t *self, const char *name)
{
    host_t *host = self->hosts;
    while (host && strcmp (host->name, name) != 0)
        host = host->next;
    if (!host) {
        host = xcalloc (1, sizeof *host);
        host->name = xstrdup (name);
        s_queue_init (&host->reports);
        s_queue_init (&host->bulk);
        host->next = self->hosts;
        self->hosts = host;
    }
    return host;
}

static void
s_forget_hosts (http_client_t *self)
{
    for (host_t **link = &self->hosts; *link;) {
        host_t *host = *link;
        if (host->running > 0 || host->reports.first || host->bulk.first) {
            link = &host->next;
            continue;
        }
        *link = host->next;
        free (host->name);
        free (host);
    }
}

//  ---- Transfers ----------------------------------------------------------------------

static void
s_give_back (http_client_t *self, http_transfer_t *transfer)
{
    http_job_t *job = transfer->job;
    http_transfer_destroy (&transfer);
    mailbox_send (self->options.done, job);
}

static void
s_keep_easy (http_client_t *self, CURL *easy)
{
    if (!easy)
        return;
    curl_easy_reset (easy);
    if (self->easies_count < EASIES_MAX)
        self->easies[self->easies_count++] = easy;
    else
        curl_easy_cleanup (easy);
}

static void
s_start (http_client_t *self, host_t *host, http_transfer_t *transfer)
{
    CURL *easy =
        self->easies_count > 0 ? self->easies[--self->easies_count] : curl_easy_init ();
    if (!easy || !http_transfer_begin (transfer, easy, &self->options)
        || curl_multi_add_handle (self->multi, easy) != CURLM_OK) {
        http_transfer_drop (transfer, transfer->job->error[0]
                                          ? NULL
                                          : _ ("no memory for another transfer"));
        s_give_back (self, transfer);
        s_keep_easy (self, easy);
        return;
    }
    transfer->prev = NULL;
    transfer->next = self->transfers;
    if (transfer->next)
        transfer->next->prev = transfer;
    self->transfers = transfer;
    self->running++;
    host->running++;
    host->running_bulk += transfer->job->bulk;
}

static void
s_end (http_client_t *self, http_transfer_t *transfer, CURLcode code,
       const char *sentence)
{
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        self->transfers = transfer->next;
    CURL *easy = transfer->easy;
    host_t *host = s_host (self, transfer->host);
    http_transfer_end (transfer, code, sentence);
    curl_multi_remove_handle (self->multi, easy);
    self->running--;
    host->running--;
    host->running_bulk -= transfer->job->bulk;
    s_give_back (self, transfer);
    s_keep_easy (self, easy);
}

//  ---- The thread's turn --------------------------------------------------------------

//  Into the hosts' queues. False: it is time to end.
static bool
s_read_mail (http_client_t *self)
{
    pthread_mutex_lock (&self->mutex);
    http_transfer_t *transfer = self->mail.first;
    s_queue_init (&self->mail);
    bool ending = self->ending;
    pthread_mutex_unlock (&self->mutex);
    while (transfer) {
        http_transfer_t *next = transfer->next;
        host_t *host = s_host (self, transfer->host);
        s_queue_put (transfer->job->bulk ? &host->bulk : &host->reports, transfer);
        transfer = next;
    }
    return !ending;
}

//  Those whose time is over before their turn came. A bulk job's time begins with its turn.
static void
s_drop_late (http_client_t *self, int64_t now_ms)
{
    if (now_ms < self->looked_ms + LOOK_MS)
        return;
    self->looked_ms = now_ms;
    for (host_t *host = self->hosts; host; host = host->next) {
        s_queue_t waiting = host->reports;
        if (!waiting.first)
            continue;
        s_queue_init (&host->reports);
        for (http_transfer_t *next, *transfer = waiting.first; transfer;
             transfer = next) {
            next = transfer->next;
            if (http_transfer_left_ms (transfer, now_ms) > 0) {
                s_queue_put (&host->reports, transfer);
                continue;
            }
            http_transfer_drop (transfer, _ ("too many requests were before this one"));
            s_give_back (self, transfer);
        }
    }
}

static void
s_start_some (http_client_t *self)
{
    unsigned per_host = self->options.connections_per_host;
    for (host_t *host = self->hosts; host; host = host->next) {
        while (host->reports.first && host->running < per_host
               && self->running < RUNNING_MAX)
            s_start (self, host, s_queue_take (&host->reports));
    }
    //  Pictures and the like take half of what is free, when nobody else wants it
    for (host_t *host = self->hosts; host; host = host->next)
        while (host->bulk.first && !host->reports.first && host->running < per_host
               && host->running_bulk < (per_host + 1) / 2
               && self->running < RUNNING_MAX / 2) {
            host->bulk.first->sent_ms = moment_monotonic_ms ();
            s_start (self, host, s_queue_take (&host->bulk));
        }
}

static bool
s_collect (http_client_t *self)
{
    bool some = false;
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read (self->multi, &left))) {
        http_transfer_t *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &transfer);
        s_end (self, transfer, message->data.result, NULL);
        some = true;
    }
    return some;
}

static int
s_sleep_ms (const http_client_t *self)
{
    for (const host_t *host = self->hosts; host; host = host->next)
        if (host->reports.first)
            return LOOK_MS;
    return SLEEP_MS;
}

//  All that is left goes back unanswered.
static void
s_end_all (http_client_t *self)
{
    const char *sentence = _ ("the program ends");
    while (self->transfers)
        s_end (self, self->transfers, CURLE_ABORTED_BY_CALLBACK, sentence);
    for (host_t *host = self->hosts; host; host = host->next) {
        http_transfer_t *transfer;
        while ((transfer = s_queue_take (&host->reports))
               || (transfer = s_queue_take (&host->bulk))) {
            http_transfer_drop (transfer, sentence);
            s_give_back (self, transfer);
        }
    }
}

static void *
s_thread (void *arg)
{
    http_client_t *self = arg;
    while (s_read_mail (self)) {
        int running = 0;
        s_drop_late (self, moment_monotonic_ms ());
        s_start_some (self);
        curl_multi_perform (self->multi, &running);
        if (s_collect (self))
            continue; //  There is room for others
        s_forget_hosts (self);
        curl_multi_poll (self->multi, NULL, 0, s_sleep_ms (self), NULL);
    }
    s_end_all (self);
    s_forget_hosts (self);
    return NULL;
}

//  ---- Beginning and end --------------------------------------------------------------

static void
s_global_init (void)
{
    curl_global_init (CURL_GLOBAL_DEFAULT);
}

http_client_t *
http_client_new (const http_client_options_t *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    assert (options && options->done);
    pthread_once (&once, s_global_init);
    http_client_t *self = xcalloc (1, sizeof *self);
    self->ca_file = xstrdup (options->ca_file);
    self->user_agent = xstrdup (options->user_agent);
    self->options = *options;
    self->options.ca_file = self->ca_file;
    self->options.user_agent = self->user_agent;
    if (self->options.connections_per_host == 0)
        self->options.connections_per_host = PER_HOST;
    s_queue_init (&self->mail);
    pthread_mutex_init (&self->mutex, NULL);
    self->multi = curl_multi_init ();
    if (!self->multi)
        xmalloc (SIZE_MAX); //  Ends the process with its sentence
    curl_multi_setopt (self->multi, CURLMOPT_MAXCONNECTS, (long) RUNNING_MAX);

    //  Signals are the main thread's
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int code = pthread_create (&self->thread, NULL, s_thread, self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (code != 0) {
        log_error ("http", _ ("cannot start the thread that sends: %s"),
                   strerror (code));
        abort ();
    }
    return self;
}

void
http_client_destroy (http_client_t **self_p)
{
    http_client_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock (&self->mutex);
    self->ending = true;
    pthread_mutex_unlock (&self->mutex);
    curl_multi_wakeup (self->multi);
    pthread_join (self->thread, NULL);
    for (size_t i = 0; i < self->easies_count; i++)
        curl_easy_cleanup (self->easies[i]);
    curl_multi_cleanup (self->multi);
    pthread_mutex_destroy (&self->mutex);
    free (self->ca_file);
    free (self->user_agent);
    free (self);
    *self_p = NULL;
}

void
http_client_send (http_client_t *self, http_job_t *job)
{
    http_transfer_t *transfer = http_transfer_new (job);
    pthread_mutex_lock (&self->mutex);
    assert (!self->ending);
    s_queue_put (&self->mail, transfer);
    pthread_mutex_unlock (&self->mutex);
    curl_multi_wakeup (self->multi);
}
