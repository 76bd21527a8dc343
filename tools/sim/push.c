//  push.c - what a simulated platform sends: questions now, notices until heard.
//
//  A notice (payment, binding) is owed: workers send it, again and again on a growing
//  interval, until the module accepts the answer. Books "pushes" tell its life.

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "sim.h"

#define WORKERS 8
#define ANSWER_MAX (1024 * 1024)

typedef struct owed owed_t;
struct owed {
    owed_t *next;
    int64_t id; //  In books "pushes"; 0: a copy made by FAULT_REPEAT
    char *endpoint, *path, *key, *form, *payment;
    char *first_answer; //  Repeats have to get the same, byte for byte
    int64_t due_ms, delay_ms;
    int64_t repeats; //  Copies to send after the first answer
};

typedef struct pusher {
    pthread_t workers[WORKERS];
    int started;
    owed_t *queue; //  Not those that a worker has in hand
    int64_t last_id;
} pusher_t;

static size_t
s_receive (char *data, size_t size, size_t count, void *arg)
{
    buffer_t *body = arg;
    if (body->size + size * count > ANSWER_MAX)
        return 0;
    buffer_add (body, data, size * count);
    return size * count;
}

//  Ends a transfer when the simulator ends.
static int
s_progress (void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void) a, (void) b, (void) c, (void) d;
    return ((sim_platform_t *) arg)->stopping;
}

void
push_now (sim_platform_t *self, const char *path, const char *form,
          sim_answer_t *answer)
{
    *answer = (sim_answer_t){0};
    CURL *curl = curl_easy_init ();
    buffer_t url = {0};
    buffer_printf (&url, "%s%s", self->lot_url, path);
    struct curl_slist *headers = curl_slist_append (NULL, "Expect:");
    int64_t start = sim_monotonic_ms ();
    curl_easy_setopt (curl, CURLOPT_URL, url.data);
    curl_easy_setopt (curl, CURLOPT_POSTFIELDS, form);
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, s_receive);
    curl_easy_setopt (curl, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt (curl, CURLOPT_TIMEOUT_MS, (long) self->push_timeout_ms);
    curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, s_progress);
    curl_easy_setopt (curl, CURLOPT_XFERINFODATA, self);
    curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt (curl, CURLOPT_USERAGENT, "parkbus-sim");
    CURLcode code = curl_easy_perform (curl);
    if (code == CURLE_OK)
        curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &answer->status);
    else {
        snprintf (answer->error, sizeof answer->error, "%s", curl_easy_strerror (code));
        buffer_reset (&answer->body);
    }
    answer->took_ms = sim_monotonic_ms () - start;
    buffer_add (&answer->body, "", 1); //  A NUL behind the text
    answer->body.size--;
    curl_slist_free_all (headers);
    curl_easy_cleanup (curl);
    buffer_free (&url);
}

static void
s_owed_free (owed_t *owed)
{
    free (owed->endpoint);
    free (owed->path);
    free (owed->key);
    free (owed->form);
    free (owed->payment);
    free (owed->first_answer);
    free (owed);
}

static void
s_queue (pusher_t *pusher, owed_t *owed)
{
    owed_t **at = &pusher->queue;
    while (*at && (*at)->due_ms <= owed->due_ms)
        at = &(*at)->next;
    owed->next = *at;
    *at = owed;
}

static json_object *
s_record (sim_platform_t *self, int64_t id)
{
    char name[32];
    snprintf (name, sizeof name, "%lld", (long long) id);
    return json_member (books_section (self, "pushes"), name);
}

static void
s_state (sim_platform_t *self, const owed_t *owed, const char *state)
{
    json_object *record = s_record (self, owed->id);
    json_object *payment =
        owed->payment ? json_member (books_section (self, "payments"), owed->payment)
                      : NULL;
    if (record)
        json_set_text (record, "state", state);
    if (payment)
        json_set_text (payment, "state", state);
}

//  An older open push of the same key is not worth sending any more.
static void
s_supersede (sim_platform_t *self, const char *key)
{
    for (owed_t **at = &self->pusher->queue; *at;) {
        owed_t *owed = *at;
        if (!key || !streq (owed->key, key)) {
            at = &owed->next;
            continue;
        }
        *at = owed->next;
        s_state (self, owed, "superseded");
        s_owed_free (owed);
    }
}

int64_t
push_owe (sim_platform_t *self, const char *endpoint, const char *path, const char *key,
          const char *form, const char *payment)
{
    pusher_t *pusher = self->pusher;
    char name[32];
    s_supersede (self, key);
    owed_t *owed = xcalloc (1, sizeof *owed);
    owed->id = ++pusher->last_id;
    owed->endpoint = xstrdup (endpoint);
    owed->path = xstrdup (path);
    owed->key = xstrdup (key);
    owed->form = xstrdup (form);
    owed->payment = xstrdup (payment);
    owed->due_ms = sim_monotonic_ms ();
    owed->delay_ms = self->push_retry_ms;

    json_object *record = json_object_new_object ();
    json_set_text (record, "endpoint", endpoint);
    json_set_text (record, "key", key);
    json_set_text (record, "state", "open");
    json_set_number (record, "tries", 0);
    snprintf (name, sizeof name, "%lld", (long long) owed->id);
    json_object_object_add (books_section (self, "pushes"), name, record);
    s_queue (pusher, owed);
    pthread_cond_broadcast (&self->changed);
    return owed->id;
}

//  A copy of its own, sent once whatever the answer.
static owed_t *
s_copy (const owed_t *owed, int64_t due_ms)
{
    owed_t *copy = xcalloc (1, sizeof *copy);
    copy->endpoint = xstrdup (owed->endpoint);
    copy->path = xstrdup (owed->path);
    copy->form = xstrdup (owed->form);
    copy->first_answer = xstrdup (owed->first_answer);
    copy->due_ms = due_ms;
    return copy;
}

static void
s_note_try (sim_platform_t *self, const owed_t *owed, const sim_answer_t *answer)
{
    json_object *record = s_record (self, owed->id);
    books_count (self, "sent", owed->endpoint,
                 answer->status ? "answered" : "unanswered");
    if (!record)
        return;
    json_set_number (record, "tries", json_number (record, "tries") + 1);
    json_set_number (record, "http", answer->status);
    json_set_number (record, "ms", answer->took_ms);
    json_set_text (record, "answer",
                   answer->status ? answer->body.data : answer->error);
}

//  A repeat is answered as the first was, or cannot be answered at all.
static void
s_check_copy (sim_platform_t *self, const owed_t *owed, const sim_answer_t *answer)
{
    if (owed->first_answer && answer->status == 200
        && !streq (owed->first_answer, answer->body.data))
        books_violation (self, owed->endpoint, "", "", NULL,
                         _ ("a repeat was answered %.80s, the first %.80s"),
                         answer->body.data, owed->first_answer);
}

//  Under the lock, after one try. Frees the push or queues it again.
static void
s_after (sim_platform_t *self, owed_t *owed, const sim_answer_t *answer, fault_t fault)
{
    int64_t now = sim_monotonic_ms ();
    s_note_try (self, owed, answer);
    if (owed->id == 0) {
        s_check_copy (self, owed, answer);
        s_owed_free (owed);
        return;
    }
    json_object *record = s_record (self, owed->id);
    bool over = self->push_tries && json_number (record, "tries") >= self->push_tries;
    bool heard = self->module->accepted (
        self, owed->endpoint, owed->payment ? owed->payment : owed->key, answer);
    if (heard && !owed->first_answer)
        owed->first_answer = xstrdup (answer->body.data);
    else if (heard)
        s_check_copy (self, owed, answer);
    if (heard && fault.kind != FAULT_LOSE_ANSWER) {
        s_state (self, owed, "acknowledged");
        for (int64_t i = 0; fault.kind == FAULT_REPEAT && i < owed->repeats; i++)
            s_queue (self->pusher, s_copy (owed, now + i));
        s_owed_free (owed);
    } else if (over) {
        s_state (self, owed, "given_up");
        s_owed_free (owed);
    } else {
        owed->due_ms = now + owed->delay_ms;
        owed->delay_ms *= 2;
        if (owed->delay_ms > self->push_retry_max_ms)
            owed->delay_ms = self->push_retry_max_ms;
        s_queue (self->pusher, owed);
    }
}

//  Under the lock: the next push that is due, waiting for it; NULL: the end.
static owed_t *
s_take (sim_platform_t *self)
{
    pusher_t *pusher = self->pusher;
    while (!self->stopping) {
        owed_t *first = pusher->queue;
        if (first && first->due_ms <= sim_monotonic_ms ()) {
            pusher->queue = first->next;
            return first;
        }
        sim_wait (self, first ? first->due_ms : sim_monotonic_ms () + 60000);
    }
    return NULL;
}

static void *
s_work (void *arg)
{
    sim_platform_t *self = arg;
    owed_t *owed;
    pthread_mutex_lock (&self->lock);
    while ((owed = s_take (self))) {
        fault_t fault = {0};
        sim_answer_t answer;
        if (owed->id)
            fault = faults_pick (self->faults, owed->endpoint);
        owed->repeats = fault.times;
        if (fault.kind != FAULT_NONE)
            books_count (self, "faults", owed->endpoint, fault_name (fault.kind));
        for (int64_t i = 0;
             fault.kind == FAULT_REPEAT && fault.together && i < fault.times; i++) {
            s_queue (self->pusher, s_copy (owed, sim_monotonic_ms ()));
            owed->repeats = 0;
        }
        pthread_cond_broadcast (&self->changed);
        pthread_mutex_unlock (&self->lock);
        push_now (self, owed->path, owed->form, &answer);
        pthread_mutex_lock (&self->lock);
        s_after (self, owed, &answer, fault);
        pthread_cond_broadcast (&self->changed);
        buffer_free (&answer.body);
    }
    pthread_mutex_unlock (&self->lock);
    return NULL;
}

bool
push_start (sim_platform_t *self)
{
    pusher_t *pusher = self->pusher = xcalloc (1, sizeof *pusher);
    for (; pusher->started < WORKERS; pusher->started++) {
        if (pthread_create (&pusher->workers[pusher->started], NULL, s_work, self))
            return false;
    }
    return true;
}

//  After `stopping` was set.
void
push_stop (sim_platform_t *self)
{
    pusher_t *pusher = self->pusher;
    if (!pusher)
        return;
    for (int i = 0; i < pusher->started; i++)
        pthread_join (pusher->workers[i], NULL);
    while (pusher->queue) {
        owed_t *owed = pusher->queue;
        pusher->queue = owed->next;
        s_owed_free (owed);
    }
    free (pusher);
    self->pusher = NULL;
}
