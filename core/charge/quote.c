//  quote.c - a fee question on its way to billing and back.

#include "charge/quote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "base/moment.h"

struct quoting {
    quoting_options_t options;
};

//  One question, from asking to the answer.
typedef struct {
    quoting_t *owner;
    char lot[33], lane[33], caller[80];
    json_object *reply;
    bus_answer_fn *answer;
    void *arg;
} ask_t;

static void
s_end (ask_t *self, const bus_answer_t *answer)
{
    self->answer (self->arg, answer);
    json_object_put (self->reply);
    free (self);
}

static void
s_refuse (ask_t *self, const char *code, const char *message)
{
    s_end (self, &(bus_answer_t){.code = code, .message = message});
}

static const char *
s_text (json_object *object, const char *name)
{
    json_object *member = NULL;
    json_object_object_get_ex (object, name, &member);
    return json_object_is_type (member, json_type_string)
               ? json_object_get_string (member)
               : NULL;
}

static bool
s_fen (json_object *object, const char *name, int64_t *fen)
{
    json_object *member = NULL;
    json_object_object_get_ex (object, name, &member);
    if (!json_object_is_type (member, json_type_int))
        return false;
    *fen = json_object_get_int64 (member);
    return *fen >= 0;
}

static void
s_set_int (json_object *object, const char *name, int64_t value)
{
    json_object_object_add (object, name, json_object_new_int64 (value));
}

static void
s_set_text (json_object *object, const char *name, const char *value)
{
    json_object_object_add (object, name, json_object_new_string (value));
}

static json_object *
s_parse (const char *text, size_t size)
{
    struct json_tokener *reader = json_tokener_new ();
    json_object *object = json_tokener_parse_ex (reader, text, (int) size);
    json_tokener_free (reader);
    return object;
}

static bool
s_in (const char *word, const char *const *words)
{
    for (size_t i = 0; word && words[i]; i++)
        if (streq (word, words[i]))
            return true;
    return false;
}

//  ---------------------------------------------------------------- the answer

static const char *const outcomes[] = {"found",  "no_session", "no_plate",
                                       "no_car", "no_tariff",  "unknown_vehicle",
                                       "busy",   NULL};

//  What a quote that was found must have; NULL: it has it all, else the member.
static const char *
s_lacks (json_object *reply)
{
    static const char *const sums[] = {"total", "due", "paid"};
    int64_t fen;
    pb_time_t time;
    const char *visit = s_text (reply, "visit"),
               *entered = s_text (reply, "entered_at");
    if (!visit || !id_is_visit (SPAN (visit)))
        return "visit";
    if (!s_text (reply, "plate"))
        return "plate";
    if (!entered || !moment_from_rfc3339 (SPAN (entered), &time))
        return "entered_at";
    for (size_t i = 0; i < ARRAY_SIZE (sums); i++)
        if (!s_fen (reply, sums[i], &fen))
            return sums[i];
    return NULL;
}

//  What billing has not booked yet is taken off `due`, or the driver pays it twice.
static void
s_mind_the_gap (ask_t *self)
{
    quoting_options_t *o = &self->owner->options;
    const char *visit = s_text (self->reply, "visit");
    int64_t paid = 0, due = 0, held = 0;
    ledger_visit_t facts;
    s_fen (self->reply, "paid", &paid);
    s_fen (self->reply, "due", &due);
    if (ledger_visit (o->ledger, SPAN (self->lot), SPAN (visit), &facts)) {
        held = ledger_held_fen (&facts);
        ledger_visit_clear (&facts);
    }
    char sentence[300];
    if (paid >= held) {
        bus_alarm (o->bus, false, self->lot, "quote.unbooked",
                   _ ("billing has booked what parkbus holds"));
        return;
    }
    snprintf (sentence, sizeof sentence,
              _ ("visit %s: billing says %" PRId64
                 " fen were paid, parkbus holds %" PRId64 " fen: %" PRId64
                 " fen were taken off what is due; check that billing "
                 "subscribes to pay.captured"),
              visit, paid, held, held - paid);
    int64_t gap = held - paid;
    s_set_int (self->reply, "paid", held);
    s_set_int (self->reply, "due", due > gap ? due - gap : 0);
    bus_alarm (o->bus, true, self->lot, "quote.unbooked", sentence);
}

//  What billing may leave out.
static void
s_complete (ask_t *self)
{
    quoting_options_t *o = &self->owner->options;
    char quote[40] = "Q", now[32];
    int64_t ignored;
    pb_time_t as_of, entered;
    if (!s_text (self->reply, "quote")) {
        char uuid[37];
        id_uuid7 (uuid);
        size_t size = 1;
        for (const char *c = uuid; *c; c++)
            if (*c != '-')
                quote[size++] = *c;
        quote[size] = 0;
        s_set_text (self->reply, "quote", quote);
    }
    const char *at = s_text (self->reply, "as_of");
    if (!at || !moment_from_rfc3339 (SPAN (at), &as_of)) {
        as_of.ms = moment_now_ms ();
        moment_to_rfc3339 (as_of, zone_find ("Asia/Shanghai"), now);
        s_set_text (self->reply, "as_of", now);
    }
    moment_from_rfc3339 (SPAN (s_text (self->reply, "entered_at")), &entered);
    if (!s_fen (self->reply, "stay", &ignored))
        s_set_int (self->reply, "stay",
                   as_of.ms > entered.ms ? (as_of.ms - entered.ms) / 1000 : 0);
    if (!s_fen (self->reply, "leave_within", &ignored))
        s_set_int (self->reply, "leave_within", o->leave_within_s (o->arg, self->lot));
}

static const char *const quoted_members[] = {"quote",      "total",     "due",
                                             "paid",       "discounts", "plate",
                                             "entered_at", "as_of",     "leave_within"};

static bool
s_say_quoted (ask_t *self, journal_place_t *place, pb_error_t *error)
{
    json_object *data = json_object_new_object (), *member;
    for (size_t i = 0; i < ARRAY_SIZE (quoted_members); i++)
        if (json_object_object_get_ex (self->reply, quoted_members[i], &member))
            json_object_object_add (data, quoted_members[i], json_object_get (member));
    s_set_text (data, "asked_by", self->caller);
    bus_event_t event = {
        .type = "fee.quoted",
        .subject = s_text (self->reply, "visit"),
        .lot = self->lot,
        .lane = self->lane[0] ? self->lane : NULL,
        .data = json_object_to_json_string_ext (
            data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
    };
    bool ok = bus_say (self->owner->options.bus, &event, place, error);
    json_object_put (data);
    return ok;
}

static void
s_give (void *arg, bool ok)
{
    ask_t *self = arg;
    if (!ok) {
        s_refuse (self, "storage", _ ("the quote could not be put on disk"));
        return;
    }
    const char *json = json_object_to_json_string_ext (
        self->reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    s_end (self, &(bus_answer_t){.body = json, .body_size = strlen (json)});
}

static void
s_answered (void *arg, const bus_answer_t *answer)
{
    ask_t *self = arg;
    char message[700];
    if (answer->code) {
        s_end (self, answer);
        return;
    }
    self->reply = s_parse (answer->body, answer->body_size);
    const char *outcome = s_text (self->reply, "outcome");
    if (!s_in (outcome, outcomes)) {
        snprintf (
            message, sizeof message,
            _ ("billing answered fee.quote without an outcome that parkbus knows "
               "(found, no_session, no_plate, no_car, no_tariff, unknown_vehicle, "
               "busy)"));
        log_warning ("quote", "%s", message);
        s_refuse (self, "rejected", message);
        return;
    }
    if (!streq (outcome, "found")) {
        s_end (self, answer);
        return;
    }
    const char *lacks = s_lacks (self->reply);
    journal_place_t place;
    pb_error_t error = {0};
    if (lacks) {
        snprintf (message, sizeof message,
                  _ ("billing answered fee.quote as found, but '%s' is missing or not "
                     "what docs/protocol.md says"),
                  lacks);
        log_warning ("quote", "%s", message);
        s_refuse (self, "rejected", message);
        return;
    }
    s_mind_the_gap (self);
    s_complete (self);
    if (!s_say_quoted (self, &place, &error)) {
        bool ours = error.code == PB_E_STORAGE || error.code == PB_E_BUSY;
        s_refuse (self, ours ? pb_error_word (error.code) : "rejected", error.message);
        return;
    }
    bus_after (self->owner->options.bus, place.group, s_give, self);
}

//  ---------------------------------------------------------------- the question

static const char *const modes[] = {"plate", "lane", "plateless", "visit", NULL};

//  The member that each mode cannot do without, in the order of modes[].
static const char *const mode_needs[] = {"plate", "lane", "lane", "visit"};

static const char *
s_question_lacks (json_object *body, const char *lane)
{
    const char *mode = s_text (body, "mode");
    for (size_t i = 0; mode && modes[i]; i++)
        if (streq (mode, modes[i]))
            return s_text (body, mode_needs[i])
                           || (streq (mode_needs[i], "lane") && lane)
                       ? NULL
                       : mode_needs[i];
    return "mode";
}

//  What parkbus knows and the asker need not.
static void
s_enrich (quoting_t *self, json_object *body, const char *lot, const char *lane)
{
    char visit[49] = "", plate[PB_PLATE_MAX + 1] = "";
    const char *mode = s_text (body, "mode");
    if (lane && !s_text (body, "lane"))
        s_set_text (body, "lane", lane);
    if (streq (mode, "lane") && s_text (body, "lane")
        && ledger_at_lane (self->options.ledger, SPAN (lot),
                           SPAN (s_text (body, "lane")), visit, plate)) {
        if (visit[0] && !s_text (body, "visit"))
            s_set_text (body, "visit", visit);
        if (plate[0] && !s_text (body, "plate"))
            s_set_text (body, "plate", plate);
    }
    const char *known = s_text (body, "visit");
    ledger_visit_t facts;
    if (known
        && ledger_visit (self->options.ledger, SPAN (lot), SPAN (known), &facts)) {
        s_set_int (body, "captured", ledger_held_fen (&facts));
        ledger_visit_clear (&facts);
    } else
        json_object_object_del (body, "captured"); //  Ours to say
}

void
quoting_ask (quoting_t *self, const bus_question_t *question, bus_answer_fn *answer,
             void *arg)
{
    ask_t *ask = xcalloc (1, sizeof *ask);
    *ask = (ask_t){.owner = self, .answer = answer, .arg = arg};
    json_object *body = s_parse (question->body, question->body_size);
    const char *lacks = s_question_lacks (body, question->lane);
    char message[300];
    if (!question->lot) {
        s_refuse (ask, "bad_request",
                  _ ("fee.quote needs a lot: more than one is configured"));
        goto done;
    }
    if (lacks) {
        snprintf (message, sizeof message,
                  _ ("fee.quote: '%s' is missing or not known; mode is plate, lane, "
                     "plateless or visit, and names what it asks about"),
                  lacks);
        s_refuse (ask, "bad_request", message);
        goto done;
    }
    s_enrich (self, body, question->lot, question->lane);
    const char *lane = question->lane ? question->lane : s_text (body, "lane");
    snprintf (ask->lot, sizeof ask->lot, "%s", question->lot);
    if (lane && id_is_name (SPAN (lane)))
        snprintf (ask->lane, sizeof ask->lane, "%s", lane);
    snprintf (ask->caller, sizeof ask->caller, "%s",
              question->caller ? question->caller : "parkbus");
    bus_question_t out = *question;
    out.lane = ask->lane[0] ? ask->lane : NULL;
    out.body = json_object_to_json_string_ext (
        body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    out.body_size = strlen (out.body);
    bus_ask (self->options.bus, &out, s_answered, ask);

done:
    json_object_put (body);
}

static void
s_called (void *arg, const bus_question_t *question, bus_answer_fn *answer,
          void *answer_arg)
{
    quoting_ask (arg, question, answer, answer_arg);
}

quoting_t *
quoting_new (const quoting_options_t *options)
{
    quoting_t *self = xcalloc (1, sizeof *self);
    self->options = *options;
    bus_provide (options->bus, "fee.quote", true, s_called, self);
    return self;
}

void
quoting_destroy (quoting_t **self_p)
{
    free (*self_p);
    *self_p = NULL;
}
