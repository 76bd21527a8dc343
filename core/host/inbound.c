//  inbound.c - a platform's push: HTTP -> receive -> (a question) -> journal -> reply.

#include "host/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

#define ANSWER_MS 10000      //  Of a route that names no other
#define ANSWER_MARGIN_MS 300 //  For the way back

//  A push with natural keys whose answer is not given yet. Repeats wait for it here.
typedef struct flying flying_t;
struct flying {
    flying_t *next;
    exchange_t *exchange;
    http_exchange_t **repeats;
    size_t repeats_count;
};

//  ---------------------------------------------------------------- replying

static const char *const json_media = "application/json;charset=utf-8";

//  What is said to a platform when the plugin said nothing, by result.
static const unsigned fallback_status[PB_RESULTS] = {
    [PB_OK] = 200,          [PB_DUP] = 200,  [PB_RETRY] = 503,  [PB_UNKNOWN] = 503,
    [PB_REJECT] = 400,      [PB_AUTH] = 401, [PB_CONFIG] = 503, [PB_BADMSG] = 400,
    [PB_UNSUPPORTED] = 404, [PB_MORE] = 500, [PB_NOMEM] = 503,  [PB_BUG] = 500,
};

static void
s_reply_to (exchange_t *self, http_exchange_t *http)
{
    if (self->replied && self->reply_body)
        http_reply (http, self->reply_status,
                    self->reply.media ? self->reply.media : json_media, NULL,
                    self->reply_body, self->reply_size);
    else
        http_refuse (http, fallback_status[self->result],
                     self->sentence[0] ? self->sentence : "");
}

static flying_t *
s_flying_with (host_t *host, once_key_t key)
{
    for (flying_t *f = host->flying; f; f = f->next)
        for (size_t i = 0; i < f->exchange->natural_count; i++)
            if (f->exchange->natural[i].key.a == key.a
                && f->exchange->natural[i].key.b == key.b)
                return f;
    return NULL;
}

static flying_t *
s_flying_of (exchange_t *self)
{
    flying_t *f = self->instance->host->flying;
    while (f && f->exchange != self)
        f = f->next;
    return f;
}

static void
s_land (exchange_t *self)
{
    host_t *host = self->instance->host;
    for (flying_t **link = &host->flying; *link; link = &(*link)->next)
        if ((*link)->exchange == self) {
            flying_t *f = *link;
            *link = f->next;
            free (f->repeats);
            free (f);
            return;
        }
}

//  The end of a push: it, and all that repeated it meanwhile, get the same answer.
static void
s_finish (exchange_t *self)
{
    flying_t *f = s_flying_of (self);
    for (size_t i = 0; f && i < f->repeats_count; i++)
        s_reply_to (self, f->repeats[i]);
    s_reply_to (self, self->http);
    s_land (self);
    exchange_free (&self);
}

static void
s_refuse_all (exchange_t *self, pb_result_t result, const char *sentence)
{
    self->result = result;
    self->replied = false;
    snprintf (self->sentence, sizeof self->sentence, "%s", sentence);
    s_finish (self);
}

static void
s_durable (void *arg, bool ok)
{
    exchange_t *self = arg;
    if (ok) {
        s_finish (self);
        return;
    }
    for (size_t i = 0; i < self->natural_count; i++)
        if (!self->natural[i].seen)
            once_remove (self->instance->host->options.memory->once,
                         self->natural[i].key);
    s_refuse_all (self, PB_RETRY, _ ("could not be put on disk"));
}

//  ---------------------------------------------------------------- repeats

static void
s_wait_for (flying_t *first, exchange_t *self)
{
    first->repeats =
        xrealloc (first->repeats, (first->repeats_count + 1) * sizeof *first->repeats);
    first->repeats[first->repeats_count++] = self->http;
    exchange_free (&self);
}

//  The first answer, byte for byte.
static void
s_answer_again (exchange_t *self, uint64_t position)
{
    journal_record_t record;
    once_answer_t answer;
    pb_error_t error = {0};
    char media[128];
    if (!journal_read_at (self->instance->host->reader, position, &record, &error)
        || !once_read (record.body, record.size, &answer)
        || !span_copy (answer.media, media, sizeof media)) {
        log_error (self->instance->config->name,
                   _ ("the answer given to '%s' cannot be read again: %s"),
                   self->natural[0].text, error.message);
        s_refuse_all (self, PB_RETRY, _ ("the journal cannot be read"));
        return;
    }
    http_reply (self->http, answer.status, media, NULL, answer.body.p, answer.body.n);
    exchange_free (&self);
}

//  Mark the keys that were seen before; says how many were not.
static size_t
s_mark_seen (exchange_t *self)
{
    host_t *host = self->instance->host;
    size_t fresh = 0;
    for (size_t i = 0; i < self->natural_count; i++) {
        natural_t *natural = &self->natural[i];
        const once_seen_t *seen = once_find (host->options.memory->once, natural->key);
        flying_t *f = s_flying_with (host, natural->key);
        natural->seen = seen || (f && f->exchange != self);
        uint64_t content = natural->content;
        if (seen)
            content = seen->content;
        for (size_t k = 0; !seen && f && k < f->exchange->natural_count; k++)
            if (f->exchange->natural[k].key.a == natural->key.a)
                content = f->exchange->natural[k].content;
        if (natural->seen && content != natural->content)
            emits_contradict (self, i);
        fresh += !natural->seen;
    }
    return fresh;
}

//  True: it was a repeat and has been dealt with.
static bool
s_is_repeat (exchange_t *self)
{
    host_t *host = self->instance->host;
    if (!self->natural_count || s_flying_of (self) || s_mark_seen (self))
        return false;
    flying_t *first = s_flying_with (host, self->natural[0].key);
    const once_seen_t *seen =
        once_find (host->options.memory->once, self->natural[0].key);
    if (first)
        s_wait_for (first, self);
    else
        s_answer_again (self, seen->position);
    return true;
}

static void
s_take_off (exchange_t *self)
{
    if (!self->natural_count || s_flying_of (self))
        return;
    flying_t *f = xcalloc (1, sizeof *f);
    f->exchange = self;
    f->next = self->instance->host->flying;
    self->instance->host->flying = f;
}

//  ---------------------------------------------------------------- the journal

//  The bytes as received, for a dispute over a signature.
static bool
s_note_raw (exchange_t *self, pb_error_t *error)
{
    buffer_t raw = {0};
    buffer_printf (&raw, "%s\n%s\n%s\n%s\n", self->instance->config->name,
                   self->push.path, self->push.peer, self->push.media);
    buffer_add (&raw, self->push.body.data, self->push.body.size);
    bool ok = journal_note (self->instance->host->options.journal, JOURNAL_RAW,
                            raw.data, raw.size, error)
              != 0;
    buffer_free (&raw);
    return ok;
}

static bool
s_note_keys (exchange_t *self, pb_error_t *error)
{
    journal_t *journal = self->instance->host->options.journal;
    for (size_t i = 0; i < self->natural_count; i++) {
        natural_t *natural = &self->natural[i];
        if (natural->seen)
            continue;
        once_answer_t answer = {
            natural->key,
            natural->content,
            self->reply_status,
            SPAN (self->reply.media ? self->reply.media : json_media),
            {self->reply_body, self->reply_size}
        };
        buffer_t record = {0};
        once_write (&record, &answer);
        uint64_t group =
            journal_note (journal, JOURNAL_ONCE, record.data, record.size, error);
        buffer_free (&record);
        if (!group)
            return false;
        once_add (self->instance->host->options.memory->once,
                  (once_seen_t){natural->key, natural->content,
                                journal_last_position (journal)});
    }
    return true;
}

static void
s_accept (exchange_t *self)
{
    host_t *host = self->instance->host;
    pb_error_t error = {0};
    bool said = self->emits || self->natural_count;
    if (!self->replied || !self->reply_body) {
        s_refuse_all (self, PB_BUG, _ ("the plugin accepted a push and gave no reply"));
        return;
    }
    self->instance->pushes++;
    if (!said) {
        s_finish (self); //  A question: nothing to keep
        return;
    }
    s_take_off (self);
    if (!emits_append (self, &error) || !s_note_raw (self, &error)
        || !s_note_keys (self, &error)) {
        log_error (self->instance->config->name, "%s", error.message);
        s_refuse_all (self, PB_RETRY, error.message);
        return;
    }
    journal_flush (host->options.journal);
    bus_after (host->options.bus, journal_barrier (host->options.journal), s_durable,
               self);
}

static void
s_refused (exchange_t *self)
{
    self->instance->refused++;
    log_warning ("audit", _ ("%s refused a push to %s from %s: %s"),
                 self->instance->config->name, self->push.path, self->push.peer,
                 self->sentence[0] ? self->sentence : _ ("no reason given"));
    s_finish (self);
}

//  ---------------------------------------------------------------- questions

static void
s_answered (void *arg, const bus_answer_t *answer)
{
    exchange_t *self = arg;
    arena_t *arena = &self->arena;
    self->instance->host->asking--;
    if (self->instance->host->ending) {
        s_refuse_all (self, PB_RETRY, _ ("parkbusd is ending"));
        return;
    }
    self->answer = (pb_answer_t){
        .struct_size = sizeof self->answer,
        .code = arena_text (arena, SPAN (answer->code)),
        .message = arena_text (arena, SPAN (answer->message)),
    };
    if (!answer->code) {
        char *body = arena_text (arena, (span_t){answer->body, answer->body_size});
        self->answer.body = (pb_bytes_t){body, body ? answer->body_size : 0};
        if (!body)
            self->answer.code = "rejected";
    }
    self->asked = false;
    self->call.round++;
    exchange_send (self, STEP_ANSWER);
}

static void
s_ask (exchange_t *self)
{
    host_t *host = self->instance->host;
    const pb_question_t *q = &self->question;
    uint64_t most = self->route->answer_ms ? self->route->answer_ms : ANSWER_MS;
    int64_t left =
        self->arrived_ms + (int64_t) most - ANSWER_MARGIN_MS - moment_monotonic_ms ();
    if (q->timeout_ms && (int64_t) q->timeout_ms < left)
        left = (int64_t) q->timeout_ms;
    bus_question_t question = {
        .service = q->service,
        .lot = q->lot,
        .lane = q->lane,
        .caller = self->instance->config->name,
        .body = q->body.data ? q->body.data : "{}",
        .body_size = q->body.data ? q->body.size : 2,
        .timeout_ms = left > 100 ? (uint32_t) left : 100,
    };
    host->asking++;
    if (streq (q->service, "fee.quote"))
        quoting_ask (host->options.quoting, &question, s_answered, self);
    else
        bus_ask (host->options.bus, &question, s_answered, self);
}

//  ---------------------------------------------------------------- the way

void
inbound_stepped (exchange_t *self)
{
    bool more = self->result == PB_MORE && self->asked && self->call.round < ROUNDS_MAX;
    bool good = self->result == PB_OK || self->result == PB_DUP;
    if ((more || good) && s_is_repeat (self))
        return;
    if (more) {
        s_take_off (self);
        s_ask (self);
    } else if (good)
        s_accept (self);
    else
        s_refused (self);
}

static const pb_route_t *
s_route (const instance_t *instance, size_t index)
{
    const pb_route_t *route = instance->plugin->routes;
    for (size_t i = 0; i < index; i++)
        route = PB_NEXT (route);
    return route;
}

static void
s_copy_headers (exchange_t *self, const http_request_t *request)
{
    pb_header_t *headers =
        arena_alloc (&self->arena, (request->headers_count + 1) * sizeof *headers);
    for (size_t i = 0; headers && i < request->headers_count; i++)
        headers[i] =
            (pb_header_t){sizeof headers[i],
                          arena_text (&self->arena, SPAN (request->headers[i].name)),
                          arena_text (&self->arena, SPAN (request->headers[i].value))};
    self->push.headers = headers;
    self->push.headers_count = headers ? request->headers_count : 0;
}

void
inbound_request (void *arg, http_exchange_t *http, const http_request_t *request)
{
    (void) arg;
    instance_t *instance = request->route->arg;
    if (instance->host->ending || journal_failed (instance->host->options.journal)) {
        http_refuse (
            http, 503,
            _ ("parkbusd takes nothing now: its disk failed, or it is being stopped"));
        return;
    }
    exchange_t *self = exchange_new (instance, PB_EXCHANGE_RECEIVE);
    arena_t *arena = &self->arena;
    size_t index = 0;
    while (index + 1 < instance->routes_count
           && !streq (instance->routes[index].path, request->route->path))
        index++;
    self->http = http;
    self->route = s_route (instance, index);
    self->arrived_ms = request->arrived_ms;
    char *body = arena_text (arena, (span_t){request->body, request->body_size});
    self->push = (pb_http_request_t){
        .struct_size = sizeof self->push,
        .route = index,
        .method = arena_text (arena, SPAN (request->method)),
        .path = arena_text (arena, SPAN (request->path)),
        .query = arena_text (arena, SPAN (request->query)),
        .media = arena_text (arena, SPAN (request->media)),
        .peer = arena_text (arena, SPAN (request->peer)),
        .body = {body ? body : "", body ? request->body_size : 0},
    };
    s_copy_headers (self, request);
    exchange_send (self, STEP_RECEIVE);
}

void
inbound_destroy (host_t *self)
{
    while (self->flying)
        s_refuse_all (self->flying->exchange, PB_RETRY, _ ("parkbusd is ending"));
}
