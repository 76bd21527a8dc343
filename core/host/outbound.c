//  outbound.c - an event that is owed: journal -> encode -> HTTP -> decode -> journal.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

//  ---------------------------------------------------------------- the message

static const char *
s_or_null (exchange_t *self, const char *text)
{
    return text[0] ? arena_text (&self->arena, SPAN (text)) : NULL;
}

static void
s_add_payments (exchange_t *self, pb_visit_t *facts, const ledger_visit_t *visit)
{
    pb_payment_t *payments =
        arena_alloc (&self->arena, (visit->payments_count + 1) * sizeof *payments);
    for (size_t i = 0; payments && i < visit->payments_count; i++) {
        const ledger_payment_t *from = &visit->payments[i];
        payments[i] = (pb_payment_t){
            .struct_size = sizeof payments[i],
            .platform = from->person ? NULL : s_or_null (self, from->source),
            .payment = s_or_null (self, from->payment),
            .tender = s_or_null (self, from->tender),
            .amount_fen = from->amount_fen,
            .refunded_fen = from->refunded_fen,
            .paid_at_ms = from->paid_at_ms,
        };
    }
    facts->payments = payments;
    facts->payments_count = payments ? visit->payments_count : 0;
}

static void
s_add_facts (exchange_t *self, const event_t *event)
{
    ledger_t *ledger = self->instance->host->options.ledger;
    ledger_visit_t visit;
    pb_visit_t *facts = arena_alloc (&self->arena, sizeof *facts);
    if (!facts || !ledger_visit (ledger, event->lot, event->subject, &visit))
        return;
    *facts = (pb_visit_t){
        .struct_size = sizeof *facts,
        .visit = self->message.visit,
        .plate = s_or_null (self, visit.plate),
        .plate_color = s_or_null (self, visit.plate_color),
        .lane_in = s_or_null (self, visit.lane_in),
        .entered_at_ms = visit.entered_at_ms,
        .quote = s_or_null (self, visit.quote),
        .quote_total_fen = visit.quote[0] ? visit.quote_total_fen : -1,
        .quote_due_fen = visit.quote[0] ? visit.quote_due_fen : -1,
        .spaces_free = ledger_spaces_free (ledger, event->lot),
        .picture_in = s_or_null (self, visit.picture_in),
        .picture_out = s_or_null (self, visit.picture_out),
    };
    s_add_payments (self, facts, &visit);
    self->message.facts = facts;
    ledger_visit_clear (&visit);
}

static void
s_make_message (exchange_t *self, const journal_record_t *record)
{
    const event_t *event = &record->event;
    arena_t *arena = &self->arena;
    ledger_t *ledger = self->instance->host->options.ledger;
    self->message = (pb_message_t){
        .struct_size = sizeof self->message,
        .kind = PB_MESSAGE_EVENT,
        .seq = record->seq,
        .id = arena_text (arena, event->id),
        .type = arena_text (arena, event->type),
        .source = arena_text (arena, event->source),
        .visit = arena_text (arena, event->subject),
        .lot = arena_text (arena, event->lot),
        .lane = arena_text (arena, event->lane),
        .time_ms = event->time_ms,
    };
    span_t data = event->data;
    char *completed = NULL;
    //  Reading the visit moves the reader: the event's bytes are copied first.
    char *copy = arena_text (arena, data);
    event_t kept = *event;
    kept.json = NULL;
    kept.subject = SPAN (self->message.visit);
    kept.lot = SPAN (self->message.lot);
    kept.data = (span_t){copy, data.n};
    if (streq (self->message.type, "out.recorded"))
        completed = ledger_complete_exit (ledger, &kept);
    if (completed) {
        copy = arena_text (arena, SPAN (completed));
        data.n = strlen (completed);
        free (completed);
    }
    self->message.data = (pb_bytes_t){copy, copy ? data.n : 0};
    if (kept.subject.p)
        s_add_facts (self, &kept);
}

//  ---------------------------------------------------------------- HTTP

static const struct {
    pb_part_kind_t part;
    http_body_kind_t body;
} part_kinds[] = {
    {PB_PART_BYTES,       HTTP_BODY_BYTES      },
    {PB_PART_FILE,        HTTP_BODY_FILE       },
    {PB_PART_FILE_BASE64, HTTP_BODY_FILE_BASE64},
};

static bool
s_add_body (exchange_t *self, http_job_t *job, const pb_part_t *part)
{
    for (size_t i = 0; i < ARRAY_SIZE (part_kinds); i++)
        if (part->kind == (uint64_t) part_kinds[i].part) {
            http_job_body (job, part_kinds[i].body, part->bytes.data, part->bytes.size);
            return true;
        }
    size_t size;
    char *secret = exchange_parts (self, part, 1, &size);
    if (secret)
        http_job_body (job, HTTP_BODY_BYTES, secret, size);
    free (secret);
    return secret != NULL;
}

static bool
s_make_job (exchange_t *self)
{
    const pb_request_t *request = &self->request;
    buffer_t url = {0};
    buffer_text (&url, self->instance->config->url);
    buffer_text (&url, request->path ? request->path : "");
    self->job = http_job_new (request->method ? request->method : "POST", url.data,
                              request->media);
    buffer_free (&url);
    self->job->arg = self;
    self->job->command = (request->flags & PB_REQUEST_COMMAND) != 0;
    self->job->bulk = (request->flags & PB_REQUEST_BULK) != 0;
    self->job->timeout_ms = (uint32_t) request->timeout_ms;
    const pb_header_t *header = request->headers;
    for (uint64_t i = 0; i < request->headers_count; i++, header = PB_NEXT (header))
        http_job_header (self->job, header->name, header->value);
    const pb_part_t *part = request->parts;
    for (uint64_t i = 0; i < request->parts_count; i++, part = PB_NEXT (part))
        if (!s_add_body (self, self->job, part))
            return false;
    return true;
}

void
outbound_fetched (http_job_t *job)
{
    exchange_t *self = job->arg;
    self->response = (pb_response_t){
        .struct_size = sizeof self->response,
        .status = (uint32_t) job->status,
        .nothing_sent = job->nothing_sent,
        .media = job->answer_media,
        .body = {job->body.data ? job->body.data : "", job->body.size},
        .retry_after_s = job->retry_after_s,
    };
    if (!job->status)
        log_debug (self->instance->config->name, "%s", job->error);
    exchange_send (self, STEP_DECODE);
}

//  ---------------------------------------------------------------- the way

static void
s_done (exchange_t *self)
{
    //  Why nothing came is known here and not to the plugin.
    char sentence[1000];
    bool silent = self->job && !self->job->status && self->job->error[0];
    snprintf (sentence, sizeof sentence, "%s%s%s", self->sentence,
              silent && self->sentence[0] ? ": " : "", silent ? self->job->error : "");
    uint64_t seq = self->seq, retry_after_s = self->response.retry_after_s;
    delivery_t *delivery = self->instance->delivery;
    pb_result_t result = self->result;
    char code[64];
    snprintf (code, sizeof code, "%s", self->code);
    exchange_free (&self);
    if (delivery)
        delivery_done (delivery, seq, result, code, sentence, retry_after_s);
}

static void
s_encoded (exchange_t *self)
{
    if (self->result != PB_OK) {
        s_done (self);
        return;
    }
    http_job_destroy (&self->job);
    if (self->instance->host->ending || !s_make_job (self)) {
        self->result = PB_RETRY;
        s_done (self);
        return;
    }
    self->sent_after = journal_last_appended (self->instance->host->options.journal);
    http_client_send (self->instance->host->client, self->job);
}

static void
s_decoded (exchange_t *self)
{
    pb_error_t error = {0};
    if (self->result == PB_MORE && ++self->call.round < ROUNDS_MAX) {
        exchange_send (self, STEP_ENCODE);
        return;
    }
    if (self->result == PB_MORE)
        self->result = PB_BUG;
    bool good = self->result == PB_OK || self->result == PB_DUP;
    if (good && !emits_append (self, &error)) {
        snprintf (self->sentence, sizeof self->sentence, "%s", error.message);
        self->result = PB_RETRY; //  Asked again, answered again, journaled then
    }
    s_done (self);
}

void
outbound_stepped (exchange_t *self)
{
    if (self->step == STEP_ENCODE)
        s_encoded (self);
    else
        s_decoded (self);
}

void
outbound_carry (void *arg, uint64_t seq)
{
    instance_t *instance = arg;
    journal_record_t record;
    pb_error_t error = {0};
    if (instance->host->ending)
        return;
    if (!journal_read (instance->host->reader, seq, &record, &error)) {
        delivery_done (instance->delivery, seq, PB_RETRY, "", error.message, 0);
        return;
    }
    exchange_t *self = exchange_new (instance, PB_EXCHANGE_ENCODE);
    self->seq = seq;
    s_make_message (self, &record);
    exchange_send (self, STEP_ENCODE);
}
