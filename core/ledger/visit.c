//  visit.c - one car's stay, read backwards through the journal.

#include "ledger/inside.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"

#define VISIT_EVENTS_MAX 10000 //  A visit with more events than this is no visit

//  What is known so far, walking from the newest event to the oldest: what was said last
//  is met first and stays.
typedef struct {
    ledger_visit_t *facts;
    zhashx_t *refunds; //  "platform/payment" -> refunded fen
    bool plate_set, entered_set;
} walk_t;

static void
s_text_once (const event_t *event, const char *member, char *to, size_t room)
{
    if (!to[0])
        event_data_text (event, member, to, room);
}

static void
s_quote (walk_t *self, const event_t *event)
{
    if (self->facts->quote[0])
        return;
    event_data_text (event, "quote", self->facts->quote, sizeof self->facts->quote);
    event_data_int (event, "total", &self->facts->quote_total_fen);
    event_data_int (event, "due", &self->facts->quote_due_fen);
}

//  Payment ids are each platform's own. "" is no platform: a person did it, and did not
//  say through which.
static void
s_platform (const event_t *event, char platform[65])
{
    char witness[16] = "";
    event_data_text (event, "witness", witness, sizeof witness);
    if (!event_data_text (event, "platform", platform, 65)
        && !streq (witness, "person"))
        span_copy (event->source, platform, 65);
}

#define REFUND_KEY 132

static int64_t
s_refunded_of (walk_t *self, const char *platform, const char *payment)
{
    char key[REFUND_KEY];
    snprintf (key, sizeof key, "%s/%s", platform, payment);
    int64_t *sum = zhashx_lookup (self->refunds, key);
    return sum ? *sum : 0;
}

static void
s_captured (walk_t *self, const event_t *event)
{
    char purpose[16], paid_at[40] = "", witness[16] = "", platform[65];
    ledger_payment_t payment = {0};
    bool other = event_data_text (event, "purpose", purpose, sizeof purpose)
                 && !streq (purpose, "visit");
    if (other
        || !event_data_text (event, "payment", payment.payment, sizeof payment.payment)
        || !event_data_int (event, "amount", &payment.amount_fen))
        return;
    span_copy (event->source, payment.source, sizeof payment.source);
    for (size_t i = 0; i < self->facts->payments_count; i++)
        if (streq (self->facts->payments[i].payment, payment.payment)
            && streq (self->facts->payments[i].source, payment.source))
            return; //  The same money twice
    event_data_text (event, "tender", payment.tender, sizeof payment.tender);
    event_data_text (event, "witness", witness, sizeof witness);
    payment.person = streq (witness, "person");
    payment.paid_at_ms = event->time_ms;
    pb_time_t at;
    if (event_data_text (event, "paid_at", paid_at, sizeof paid_at)
        && moment_from_rfc3339 (SPAN (paid_at), &at))
        payment.paid_at_ms = at.ms;
    snprintf (payment.paid_at, sizeof payment.paid_at, "%s", paid_at);
    s_platform (event, platform);
    payment.refunded_fen = s_refunded_of (self, "", payment.payment);
    if (platform[0])
        payment.refunded_fen += s_refunded_of (self, platform, payment.payment);
    ledger_visit_t *facts = self->facts;
    facts->payments = xrealloc (facts->payments,
                                (facts->payments_count + 1) * sizeof *facts->payments);
    facts->payments[facts->payments_count++] = payment;
}

static void
s_refunded (walk_t *self, const event_t *event)
{
    char payment[65], platform[65], key[REFUND_KEY];
    int64_t amount;
    if (!event_data_text (event, "payment", payment, sizeof payment)
        || !event_data_int (event, "amount", &amount))
        return;
    s_platform (event, platform);
    snprintf (key, sizeof key, "%s/%s", platform, payment);
    int64_t *sum = zhashx_lookup (self->refunds, key);
    if (sum)
        *sum += amount;
    else {
        sum = xmalloc (sizeof *sum);
        *sum = amount;
        zhashx_insert (self->refunds, key, sum);
    }
}

static void
s_entered (walk_t *self, const event_t *event)
{
    ledger_visit_t *facts = self->facts;
    if (facts->entered)
        return;
    facts->entered = true;
    if (!self->plate_set)
        event_data_text (event, "plate", facts->plate, sizeof facts->plate);
    s_text_once (event, "plate_color", facts->plate_color, sizeof facts->plate_color);
    if (!self->entered_set) {
        facts->entered_at_ms = event->time_ms;
        moment_to_rfc3339 ((pb_time_t){event->time_ms}, zone_find ("Asia/Shanghai"),
                           facts->entered_at);
    }
    span_copy (event->lane, facts->lane_in, sizeof facts->lane_in);
    s_text_once (event, "picture", facts->picture_in, sizeof facts->picture_in);
}

static void
s_corrected (walk_t *self, const event_t *event)
{
    ledger_visit_t *facts = self->facts;
    char what[16] = "", at[40];
    pb_time_t time;
    event_data_text (event, "what", what, sizeof what);
    if (streq (what, "plate")) {
        if (!self->plate_set)
            self->plate_set =
                event_data_text (event, "plate", facts->plate, sizeof facts->plate);
        s_text_once (event, "plate_color", facts->plate_color,
                     sizeof facts->plate_color);
    }
    if (streq (what, "entered_at") && !self->entered_set
        && event_data_text (event, "entered_at", at, sizeof at)
        && moment_from_rfc3339 (SPAN (at), &time)) {
        self->entered_set = true;
        facts->entered_at_ms = time.ms;
        snprintf (facts->entered_at, sizeof facts->entered_at, "%s", at);
    }
}

static void
s_left (walk_t *self, const event_t *event)
{
    self->facts->left = true;
    s_text_once (event, "picture", self->facts->picture_out,
                 sizeof self->facts->picture_out);
}

static void
s_pictured (walk_t *self, const event_t *event)
{
    char direction[8] = "";
    ledger_visit_t *facts = self->facts;
    event_data_text (event, "direction", direction, sizeof direction);
    bool in = streq (direction, "in");
    char *to = in ? facts->picture_in : facts->picture_out;
    s_text_once (event, "path", to, sizeof facts->picture_in);
    s_text_once (event, "url", to, sizeof facts->picture_in);
}

static const struct {
    const char *type;
    void (*note) (walk_t *self, const event_t *event);
} notes[] = {
    {"in.recorded",      s_entered  },
    {"in.corrected",     s_corrected},
    {"out.recorded",     s_left     },
    {"fee.quoted",       s_quote    },
    {"pay.captured",     s_captured },
    {"refund.done",      s_refunded },
    {"picture.captured", s_pictured },
};

static void
s_free (void **item_p)
{
    free (*item_p);
    *item_p = NULL;
}

static void
s_reverse (ledger_visit_t *facts)
{
    for (size_t i = 0, j = facts->payments_count; i + 1 < j; i++) {
        ledger_payment_t swap = facts->payments[i];
        facts->payments[i] = facts->payments[--j];
        facts->payments[j] = swap;
    }
}

bool
ledger_visit (ledger_t *self, span_t lot, span_t visit, ledger_visit_t *facts)
{
    *facts = (ledger_visit_t){0};
    uint64_t seq =
        visit.p && visit.n ? journal_visit_seq (self->journal, lot, visit) : 0;
    if (!seq)
        return false;
    walk_t walk = {.facts = facts, .refunds = zhashx_new ()};
    zhashx_set_destructor (walk.refunds, s_free);
    journal_record_t record;
    for (size_t n = 0; seq && n < VISIT_EVENTS_MAX; n++, seq = record.visit_prev) {
        if (!journal_read (self->reader, seq, &record, NULL))
            break;
        for (size_t i = 0; i < ARRAY_SIZE (notes); i++)
            if (span_is (record.event.type, notes[i].type)) {
                notes[i].note (&walk, &record.event);
                break;
            }
    }
    zhashx_destroy (&walk.refunds);
    s_reverse (facts);
    return true;
}

void
ledger_visit_clear (ledger_visit_t *facts)
{
    free (facts->payments);
    *facts = (ledger_visit_t){0};
}

int64_t
ledger_held_fen (const ledger_visit_t *facts)
{
    int64_t sum = 0;
    for (size_t i = 0; i < facts->payments_count; i++)
        sum += facts->payments[i].amount_fen - facts->payments[i].refunded_fen;
    return sum;
}

//  ---------------------------------------------------------------- completing an exit

static bool
s_listed (json_object *payments, const char *ref)
{
    for (size_t i = 0; i < json_object_array_length (payments); i++) {
        json_object *member = NULL;
        json_object_object_get_ex (json_object_array_get_idx (payments, i), "ref",
                                   &member);
        if (member && streq (json_object_get_string (member), ref))
            return true;
    }
    return false;
}

static void
s_add_text (json_object *data, const char *name, const char *text)
{
    if (text[0] && !json_object_object_get_ex (data, name, NULL))
        json_object_object_add (data, name, json_object_new_string (text));
}

static void
s_add_payments (json_object *data, const ledger_visit_t *facts)
{
    json_object *payments = NULL;
    if (!json_object_object_get_ex (data, "payments", &payments)) {
        payments = json_object_new_array ();
        json_object_object_add (data, "payments", payments);
    }
    for (size_t i = 0; i < facts->payments_count; i++) {
        const ledger_payment_t *paid = &facts->payments[i];
        int64_t held = paid->amount_fen - paid->refunded_fen;
        if (held <= 0 || s_listed (payments, paid->payment))
            continue;
        json_object *item = json_object_new_object ();
        json_object_object_add (item, "tender", json_object_new_string (paid->tender));
        json_object_object_add (item, "due", json_object_new_int64 (held));
        json_object_object_add (item, "paid", json_object_new_int64 (held));
        json_object_object_add (item, "ref", json_object_new_string (paid->payment));
        char paid_at[32];
        moment_to_rfc3339 ((pb_time_t){paid->paid_at_ms}, zone_find ("Asia/Shanghai"),
                           paid_at);
        s_add_text (item, "paid_at", paid->paid_at[0] ? paid->paid_at : paid_at);
        json_object_array_add (payments, item);
    }
}

char *
ledger_complete_exit (ledger_t *self, const event_t *event)
{
    struct json_tokener *reader = json_tokener_new ();
    json_object *data =
        json_tokener_parse_ex (reader, event->data.p, (int) event->data.n);
    json_tokener_free (reader);
    ledger_visit_t facts;
    if (data && ledger_visit (self, event->lot, event->subject, &facts)) {
        s_add_text (data, "entered_at", facts.entered_at);
        s_add_text (data, "lane_in", facts.lane_in);
        s_add_payments (data, &facts);
        ledger_visit_clear (&facts);
    }
    char *json =
        xstrdup (data ? json_object_to_json_string_ext (
                     data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                      : "{}");
    json_object_put (data);
    return json;
}
