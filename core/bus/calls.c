//  calls.c - CALL and SERVE: who answers what, deadlines, lost providers.

#include "bus/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "base/moment.h"

#define NAMES_MAX 64 //  Services, lots or lanes of one SERVE

typedef struct provider provider_t;
typedef struct call call_t;
typedef struct given given_t;

//  A program that serves.
struct provider {
    provider_t *next;
    peer_id_t peer;
    int fd;
    int64_t heard_ms;
    json_object *services, *lots, *lanes; //  Arrays of texts
    size_t busy;                          //  Requests it has not answered
    uint64_t turn;                        //  When it was last chosen
};

//  A question that a program has to answer.
struct call {
    call_t *next;
    calls_t *owner;
    uint64_t xid;
    char *service, *lot, *lane, *caller; //  lot and lane may be NULL
    char *body;
    size_t body_size;
    int64_t deadline_ms;
    uint64_t timer;
    provider_t *provider; //  Who has it now
    peer_id_t tried[8];   //  Providers that were lost with it
    size_t tries;
    bus_answer_fn *answer;
    void *arg;
};

//  A service that the core answers.
struct given {
    given_t *next;
    char *service;
    bool wraps;
    bus_provide_fn *fn;
    void *arg;
};

struct calls {
    bus_t *bus;
    provider_t *providers;
    size_t providers_count;
    call_t *open;
    size_t open_count;
    given_t *given;
    uint64_t next_xid, turn;
    uint64_t sweep; //  Timer
};

//  Questions have no effect, so another provider may be asked when one is lost.
static const char *const questions[] = {"fee.quote", "picture.get", "bind.", "visit.",
                                        "entry.check"};

bool
bus_is_question (const char *service)
{
    for (size_t i = 0; i < ARRAY_SIZE (questions); i++) {
        size_t size = strlen (questions[i]);
        bool family = questions[i][size - 1] == '.';
        if (family ? !strncmp (service, questions[i], size)
                   : streq (service, questions[i]))
            return true;
    }
    return false;
}

static provider_t *
s_provider (calls_t *self, const peer_id_t *peer)
{
    for (provider_t *p = self->providers; p; p = p->next)
        if (peer_same (&p->peer, peer))
            return p;
    return NULL;
}

static bool
s_names (json_object *names, const char *name)
{
    if (!name)
        return false;
    for (size_t i = 0; i < json_object_array_length (names); i++)
        if (streq (json_object_get_string (json_object_array_get_idx (names, i)), name))
            return true;
    return false;
}

//  ---------------------------------------------------------------- ending a call

static void
s_unlink (call_t *call)
{
    for (call_t **link = &call->owner->open; *link; link = &(*link)->next)
        if (*link == call) {
            *link = call->next;
            call->owner->open_count--;
            return;
        }
}

static void
s_end (call_t *call, const bus_answer_t *answer)
{
    s_unlink (call);
    timers_cancel (call->owner->bus->options.timers, call->timer);
    if (call->provider)
        call->provider->busy--;
    call->answer (call->arg, answer);
    free (call->service);
    free (call->lot);
    free (call->lane);
    free (call->caller);
    free (call->body);
    free (call);
}

static void
s_fail (call_t *call, const char *code, const char *message)
{
    s_end (call, &(bus_answer_t){.code = code, .message = message});
}

static void
s_deadline (void *arg)
{
    call_t *call = arg;
    call->timer = 0;
    char message[200];
    if (bus_is_question (call->service)) {
        snprintf (message, sizeof message,
                  _ ("no program answered %s in time: does its provider hang?"),
                  call->service);
        s_fail (call, "timeout", message);
    } else {
        snprintf (message, sizeof message,
                  _ ("%s was handed over and not answered in time: find out whether it "
                     "was done before you repeat it"),
                  call->service);
        s_fail (call, "unknown_outcome", message);
    }
}

//  ---------------------------------------------------------------- choosing a provider

//  0: does not serve this; else the better, the more.
static int
s_fits (const provider_t *p, const call_t *call)
{
    if (!s_names (p->services, call->service))
        return 0;
    int lot = s_names (p->lots, call->lot) ? 2 : s_names (p->lots, "*") ? 1 : 0;
    int lane = s_names (p->lanes, call->lane) ? 2 : s_names (p->lanes, "*") ? 1 : 0;
    return lot && lane ? 1 + (lane - 1) * 2 + (lot - 1) : 0;
}

static bool
s_was_tried (const call_t *call, const provider_t *p)
{
    for (size_t i = 0; i < call->tries; i++)
        if (peer_same (&call->tried[i], &p->peer))
            return true;
    return false;
}

static provider_t *
s_choose (calls_t *self, const call_t *call)
{
    provider_t *best = NULL;
    int best_fit = 0;
    for (provider_t *p = self->providers; p; p = p->next) {
        int fit = s_was_tried (call, p) ? 0 : s_fits (p, call);
        if (!fit)
            continue;
        bool better = !best || fit > best_fit
                      || (fit == best_fit
                          && (p->busy < best->busy
                              || (p->busy == best->busy && p->turn < best->turn)));
        if (better) {
            best = p;
            best_fit = fit;
        }
    }
    return best;
}

static bool
s_hand_over (calls_t *self, call_t *call, provider_t *p)
{
    char xid[32];
    int size = snprintf (xid, sizeof xid, "x%" PRIu64, call->xid);
    int64_t left = call->deadline_ms - moment_monotonic_ms ();
    buffer_t head = {0};
    buffer_printf (&head, "{\"service\":\"%s\"", call->service);
    if (call->lot)
        buffer_printf (&head, ",\"lot\":\"%s\"", call->lot);
    if (call->lane)
        buffer_printf (&head, ",\"lane\":\"%s\"", call->lane);
    buffer_printf (&head,
                   ",\"deadline_ms\":%" PRId64 ",\"caller\":", left > 0 ? left : 0);
    buffer_json_string (&head, call->caller, strlen (call->caller));
    buffer_text (&head, "}");
    span_t frames[] = {
        {head.data,  head.size      },
        {call->body, call->body_size}
    };
    bool sent = wire_send (self->bus, &p->peer, "REQUEST", (span_t){xid, (size_t) size},
                           frames, 2);
    buffer_free (&head);
    return sent;
}

//  Give the call to the best provider that can be reached; ends it when there is none.
static void
s_dispatch (calls_t *self, call_t *call)
{
    for (provider_t *p; (p = s_choose (self, call));) {
        if (s_hand_over (self, call, p)) {
            call->provider = p;
            p->busy++;
            p->turn = ++self->turn;
            return;
        }
        if (call->tries == ARRAY_SIZE (call->tried))
            break;
        call->tried[call->tries++] = p->peer; //  Cannot be reached, or does not read
    }
    char message[200];
    snprintf (message, sizeof message,
              _ ("no program serves %s%s%s: is it running and connected?"),
              call->service, call->lot ? _ (" for lot ") : "",
              call->lot ? call->lot : "");
    s_fail (call, "no_provider", message);
}

void
bus_ask (bus_t *bus, const bus_question_t *question, bus_answer_fn *answer, void *arg)
{
    calls_t *self = bus->calls;
    bus->counts.calls++;
    if (self->open_count >= BUS_CALLS_MAX) {
        answer (
            arg,
            &(bus_answer_t){
                .code = "busy",
                .message = _ (
                    "too many calls wait already: does a provider hang? Try again later")});
        return;
    }
    call_t *call = xcalloc (1, sizeof *call);
    call->owner = self;
    call->xid = ++self->next_xid;
    call->service = xstrdup (question->service);
    call->lot = xstrdup (question->lot);
    call->lane = xstrdup (question->lane);
    call->caller = xstrdup (question->caller ? question->caller : "parkbus");
    call->body = xmalloc (question->body_size + 1);
    memcpy (call->body, question->body, question->body_size);
    call->body_size = question->body_size;
    call->answer = answer;
    call->arg = arg;
    call->deadline_ms = moment_monotonic_ms () + question->timeout_ms;
    call->next = self->open;
    self->open = call;
    self->open_count++;
    call->timer =
        timers_after (bus->options.timers, question->timeout_ms, s_deadline, call);
    s_dispatch (self, call);
}

//  ---------------------------------------------------------------- losing a provider

static void
s_lose (calls_t *self, provider_t *lost, const char *why)
{
    for (provider_t **link = &self->providers; *link; link = &(*link)->next)
        if (*link == lost) {
            *link = lost->next;
            self->providers_count--;
            break;
        }
    log_info ("bus", _ ("a provider of %s %s"),
              json_object_to_json_string (lost->services), why);
    //  The list may change while calls end: start again after each.
    for (call_t *call = self->open; call;) {
        if (call->provider != lost) {
            call = call->next;
            continue;
        }
        call->provider = NULL;
        if (call->tries < ARRAY_SIZE (call->tried))
            call->tried[call->tries++] = lost->peer;
        if (bus_is_question (call->service))
            s_dispatch (self, call);
        else
            s_fail (call, "unknown_outcome",
                    _ ("the program that had it was lost: find out whether it was done "
                       "before you repeat it"));
        call = self->open;
    }
    json_object_put (lost->services);
    json_object_put (lost->lots);
    json_object_put (lost->lanes);
    free (lost);
}

void
calls_lost_fd (calls_t *self, int fd)
{
    for (provider_t *p = self->providers, *next; p; p = next) {
        next = p->next;
        if (p->fd == fd) {
            s_lose (self, p, _ ("closed its connection"));
            next = self->providers;
        }
    }
}

void
calls_heard (calls_t *self, const peer_id_t *peer)
{
    provider_t *p = self->providers ? s_provider (self, peer) : NULL;
    if (p)
        p->heard_ms = moment_monotonic_ms ();
}

static void
s_sweep (void *arg)
{
    calls_t *self = arg;
    int64_t silent = moment_monotonic_ms () - BUS_SILENT_MS;
    for (provider_t *p = self->providers, *next; p; p = next) {
        next = p->next;
        if (p->heard_ms < silent) {
            s_lose (self, p,
                    _ ("was not heard from for 30 s (clients PING every 10 s)"));
            next = self->providers;
        }
    }
    self->sweep = timers_after (self->bus->options.timers, 1000, s_sweep, self);
}

calls_t *
calls_new (bus_t *bus)
{
    calls_t *self = xcalloc (1, sizeof *self);
    self->bus = bus;
    self->sweep = timers_after (bus->options.timers, 1000, s_sweep, self);
    return self;
}

void
calls_destroy (calls_t **self_p)
{
    calls_t *self = *self_p;
    if (!self)
        return;
    while (self->open)
        s_fail (self->open, "no_provider", _ ("parkbusd is stopping"));
    while (self->providers)
        s_lose (self, self->providers, _ ("is let go: parkbusd is stopping"));
    for (given_t *given = self->given, *next; given; given = next) {
        next = given->next;
        free (given->service);
        free (given);
    }
    timers_cancel (self->bus->options.timers, self->sweep);
    free (self);
    *self_p = NULL;
}

json_object *
calls_services_of (calls_t *self, const peer_id_t *peer)
{
    provider_t *p = s_provider (self, peer);
    return p ? json_object_get (p->services) : json_object_new_array ();
}

//  ---------------------------------------------------------------- SERVE

void
bus_provide (bus_t *bus, const char *service, bool wraps, bus_provide_fn *fn, void *arg)
{
    given_t *given = xcalloc (1, sizeof *given);
    *given = (given_t){bus->calls->given, xstrdup (service), wraps, fn, arg};
    bus->calls->given = given;
}

static given_t *
s_given (calls_t *self, const char *service)
{
    given_t *given = self->given;
    while (given && !streq (given->service, service))
        given = given->next;
    return given;
}

//  "fee.quote", "x.hello": two words or more between dots.
static bool
s_is_service (const char *text)
{
    size_t dots = 0, word = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '.' && word) {
            dots++;
            word = 0;
        } else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'
                   || *c == '-')
            word++;
        else
            return false;
    }
    return dots >= 1 && word;
}

//  A list of names in SERVE's head. NULL with *error when one is not allowed.
static json_object *
s_list (bus_t *bus, json_object *head, const char *name, bool star, pb_error_t *error)
{
    json_object *list = NULL;
    if (!json_object_object_get_ex (head, name, &list) && star) {
        list = json_object_new_array ();
        json_object_array_add (list, json_object_new_string ("*"));
        return list;
    }
    size_t count = json_object_is_type (list, json_type_array)
                       ? json_object_array_length (list)
                       : NAMES_MAX + 1;
    if (count > NAMES_MAX) {
        pb_error (error, PB_E_BAD_REQUEST, name,
                  _ ("%s is an array of at most %d names"), name, NAMES_MAX);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        json_object *item = json_object_array_get_idx (list, i);
        const char *text = json_object_is_type (item, json_type_string)
                               ? json_object_get_string (item)
                               : "";
        bool ok = star ? streq (text, "*") || id_is_name (SPAN (text))
                       : s_is_service (text) && strlen (text) <= 64;
        bool lot = streq (name, "lots") && !streq (text, "*");
        if (ok && lot && !bus->options.lot_known (bus->options.arg, SPAN (text))) {
            pb_error (error, PB_E_BAD_REQUEST, name,
                      _ ("lot %s is not in the configuration"), text);
            return NULL;
        }
        if (!ok) {
            pb_error (error, PB_E_BAD_REQUEST, name, _ ("%s: '%.40s' is not a name"),
                      name, text);
            return NULL;
        }
    }
    return json_object_get (list);
}

static bool
s_may_serve (calls_t *self, json_object *services, pb_error_t *error)
{
    for (size_t i = 0; i < json_object_array_length (services); i++) {
        const char *name =
            json_object_get_string (json_object_array_get_idx (services, i));
        given_t *given = s_given (self, name);
        if (given && !given->wraps)
            return pb_error (error, PB_E_DENIED, "services",
                             _ ("%s is answered by parkbus itself"), name);
    }
    return true;
}

bool
serve_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    calls_t *self = bus->calls;
    json_object *services = NULL, *lots = NULL, *lanes = NULL;
    bool ok = false;
    if (in->count != 4)
        return pb_error (error, PB_E_BAD_REQUEST, "", _ ("SERVE takes one head"));
    json_object *head = head_parse (command_frame (in, 0), error);
    if (!head)
        return false;
    if (!(services = s_list (bus, head, "services", false, error))
        || !(lots = s_list (bus, head, "lots", true, error))
        || !(lanes = s_list (bus, head, "lanes", true, error))
        || !s_may_serve (self, services, error))
        goto done;
    provider_t *p = s_provider (self, &in->peer);
    bool ends = json_object_array_length (services) == 0;
    if (!p && !ends) {
        if (self->providers_count >= BUS_PROVIDERS_MAX) {
            pb_error (error, PB_E_BUSY, "",
                      _ ("%d programs serve already: end those that are not used"),
                      BUS_PROVIDERS_MAX);
            goto done;
        }
        p = xcalloc (1, sizeof *p);
        p->peer = in->peer;
        p->next = self->providers;
        self->providers = p;
        self->providers_count++;
    }
    if (p) {
        //  What it was asked already stays its to answer.
        json_object_put (p->services);
        json_object_put (p->lots);
        json_object_put (p->lanes);
        p->services = json_object_get (services);
        p->lots = json_object_get (lots);
        p->lanes = json_object_get (lanes);
        p->fd = in->fd;
        p->heard_ms = moment_monotonic_ms ();
    }
    if (p && ends && !p->busy)
        s_lose (self, p, _ ("serves no more"));
    wire_send (bus, &in->peer, "OK", in->rid, &(span_t){"{}", 2}, 1);
    ok = true;

done:
    json_object_put (lanes);
    json_object_put (lots);
    json_object_put (services);
    json_object_put (head);
    return ok;
}

//  ---------------------------------------------------------------- CALL

typedef struct {
    bus_t *bus;
    peer_id_t peer;
    size_t rid_size;
    char rid[BUS_RID_MAX];
} caller_t;

static void
s_reply_caller (void *arg, const bus_answer_t *answer)
{
    caller_t *self = arg;
    span_t rid = {self->rid, self->rid_size};
    if (answer->code)
        wire_error (self->bus, &self->peer, rid, answer->code, answer->message);
    else {
        span_t frames[] = {
            {"{}",         2                },
            {answer->body, answer->body_size}
        };
        wire_send (self->bus, &self->peer, "REPLY", rid, frames, 2);
    }
    free (self);
}

static bool
s_check_body (span_t body, pb_error_t *error)
{
    if (!body.p)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("CALL takes a head and a body, both JSON objects"));
    if (body.n > BUS_BODY_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "", _ ("a body is at most 1 MiB"));
    pb_error_t why = {0};
    if (json_check (body.p, body.n, &why))
        return true;
    return pb_error (error, PB_E_BAD_REQUEST, "", _ ("the body: %s"), why.message);
}

static bool
s_check_call (bus_t *bus, bus_question_t *q, pb_error_t *error)
{
    if (!q->service || !s_is_service (q->service))
        return pb_error (error, PB_E_BAD_REQUEST, "service",
                         _ ("service is missing, or not a name such as fee.quote"));
    if (q->lot && !bus->options.lot_known (bus->options.arg, SPAN (q->lot)))
        return pb_error (error, PB_E_BAD_REQUEST, "lot",
                         _ ("lot %s is not in the configuration"), q->lot);
    if (q->lane && !id_is_name (SPAN (q->lane)))
        return pb_error (error, PB_E_BAD_REQUEST, "lane",
                         _ ("lane is 1 to 32 of a-z 0-9 -"));
    if (q->via && !id_is_name (SPAN (q->via)))
        return pb_error (error, PB_E_BAD_REQUEST, "via",
                         _ ("via is the name of a plugin instance"));
    if (!q->lot)
        q->lot = bus->only_lot;
    return true;
}

bool
call_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    bus_question_t q = {0};
    int64_t timeout_ms = 5000;
    bool ok = false;
    char caller_name[80] = "client-";
    if (in->count != 5)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("CALL takes a head and a body, both JSON objects"));
    span_t body = command_frame (in, 1);
    json_object *head = head_parse (command_frame (in, 0), error);
    if (!head)
        return false;
    if (!head_text (head, "service", 64, &q.service, error)
        || !head_text (head, "lot", 32, &q.lot, error)
        || !head_text (head, "lane", 32, &q.lane, error)
        || !head_text (head, "via", 32, &q.via, error)
        || !head_int (head, "timeout_ms", 100, 60000, &timeout_ms, error)
        || !s_check_call (bus, &q, error) || !s_check_body (body, error))
        goto done;
    size_t shown = in->peer.size < 16 ? in->peer.size : 16;
    hex_encode (in->peer.bytes, shown, caller_name + strlen (caller_name));
    q.caller = caller_name;
    q.body = body.p;
    q.body_size = body.n;
    q.timeout_ms = (uint32_t) timeout_ms;

    caller_t *caller = xcalloc (1, sizeof *caller);
    caller->bus = bus;
    caller->peer = in->peer;
    caller->rid_size = in->rid.n;
    memcpy (caller->rid, in->rid.p, in->rid.n);
    given_t *given = s_given (bus->calls, q.service);
    if (given)
        given->fn (given->arg, &q, s_reply_caller, caller);
    else if (q.via)
        s_reply_caller (
            caller, &(bus_answer_t){.code = "no_provider",
                                    .message = _ ("no plugin instance of that name "
                                                  "serves it: parkbus plugin list")});
    else
        bus_ask (bus, &q, s_reply_caller, caller);
    ok = true;

done:
    json_object_put (head);
    return ok;
}

//  ---------------------------------------------------------------- REPLY and ERROR

//  The open call that this peer answers; NULL: late, or never asked.
static call_t *
s_answered (bus_t *bus, command_t *in)
{
    int64_t xid = 0;
    bool ours =
        in->rid.n > 1 && in->rid.p[0] == 'x'
        && text_int64 ((span_t){in->rid.p + 1, in->rid.n - 1}, 1, INT64_MAX, &xid);
    for (call_t *call = ours ? bus->calls->open : NULL; call; call = call->next)
        if (call->xid == (uint64_t) xid && call->provider
            && peer_same (&call->provider->peer, &in->peer))
            return call;
    bus->counts.late_replies++;
    log_debug ("bus", _ ("a reply came too late, or to nobody's question"));
    return NULL;
}

bool
reply_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    (void) error; //  An answer is never answered
    call_t *call = s_answered (bus, in);
    if (!call)
        return true;
    pb_error_t why = {0};
    span_t body = command_frame (in, 1);
    if (in->count == 5 && s_check_body (body, &why))
        s_end (call, &(bus_answer_t){.body = body.p, .body_size = body.n});
    else {
        char message[640];
        snprintf (message, sizeof message, _ ("the provider's answer is not one: %s"),
                  in->count == 5 ? why.message : _ ("REPLY takes a head and a body"));
        s_fail (call, "rejected", message);
    }
    return true;
}

//  Codes that a provider may give; any other becomes `rejected`.
static const char *const provider_codes[] = {
    "bad_request", "no_provider", "timeout",         "busy",
    "denied",      "rejected",    "unknown_outcome",
};

bool
error_verb (bus_t *bus, command_t *in, pb_error_t *error)
{
    (void) error;
    call_t *call = s_answered (bus, in);
    if (!call)
        return true;
    const char *code = NULL, *message = NULL, *known = "rejected";
    pb_error_t why = {0};
    json_object *head = head_parse (command_frame (in, 0), &why);
    if (head) {
        head_text (head, "code", 64, &code, &why);
        head_text (head, "message", 4096, &message, &why);
    }
    for (size_t i = 0; code && i < ARRAY_SIZE (provider_codes); i++)
        if (streq (code, provider_codes[i]))
            known = provider_codes[i];
    s_fail (call, known, message ? message : _ ("the provider said no"));
    json_object_put (head);
    return true;
}

bus_counts_t
bus_counts (const bus_t *self)
{
    bus_counts_t counts = self->counts;
    counts.providers = self->calls->providers_count;
    counts.calls_open = self->calls->open_count;
    return counts;
}
