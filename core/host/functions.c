//  functions.c - what a plugin may ask of the host (pb_host_t), in the instance's thread.

#include "host/inside.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

static exchange_t *
s_exchange (const pb_call_t *call)
{
    return call->host;
}

static void *
s_alloc (pb_call_t *call, size_t size)
{
    return arena_alloc (&s_exchange (call)->arena, size);
}

static void
s_log (pb_call_t *call, int level, const char *sentence)
{
    log_level_t at = level >= PB_LOG_ERROR && level <= PB_LOG_DEBUG
                         ? (log_level_t) level
                         : LOG_INFO_;
    log_line (at, s_exchange (call)->instance->config->name, "%s",
              sentence ? sentence : "");
}

static int
s_fail (pb_call_t *call, int result, const char *code, const char *sentence)
{
    exchange_t *self = s_exchange (call);
    snprintf (self->code, sizeof self->code, "%s", code ? code : "");
    snprintf (self->sentence, sizeof self->sentence, "%s", sentence ? sentence : "");
    return result;
}

//  ---------------------------------------------------------------- configuration

static const char *
s_option (pb_call_t *call, const char *name)
{
    return options_get (s_exchange (call)->instance->options, name);
}

static const char *
s_lot_option (pb_call_t *call, const char *lot, const char *name)
{
    return lot ? options_lot (s_exchange (call)->instance->options, lot, name) : NULL;
}

static const char *
s_lane_out (pb_call_t *call, const char *lot, const char *map, const char *lane)
{
    return lot && lane
               ? options_lane_out (s_exchange (call)->instance->options, lot, map, lane)
               : NULL;
}

static const char *
s_lot_in (pb_call_t *call, const char *name, const char *value)
{
    return value ? options_lot_in (s_exchange (call)->instance->options, name, value)
                 : NULL;
}

static const char *
s_lane_in (pb_call_t *call, const char *lot, const char *map, const char *value,
           const char *direction)
{
    return lot && value ? options_lane_in (s_exchange (call)->instance->options, lot,
                                           map, value, direction)
                        : NULL;
}

//  ---------------------------------------------------------------- clock, chance, secrets

static int64_t
s_now_ms (pb_call_t *call)
{
    (void) call;
    return moment_now_ms ();
}

static int
s_random (pb_call_t *call, void *bytes, size_t size)
{
    (void) call;
    return size <= INT32_MAX && RAND_bytes (bytes, (int) size) == 1 ? PB_OK : PB_BUG;
}

static const options_key_t *
s_key (const exchange_t *self, const pb_seal_t *seal)
{
    return seal->key ? options_key (self->instance->options, seal->key) : NULL;
}

//  A refusal by the seal is logged, for a plugin seldom says more than "bad signature".
static int
s_sealed (const exchange_t *self, int result, const pb_error_t *error)
{
    if (result == PB_CONFIG || result == PB_BUG)
        log_error (self->instance->config->name, "%s", error->message);
    return result;
}

static int
s_sign (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size)
{
    pb_error_t error = {0};
    exchange_t *self = s_exchange (call);
    return s_sealed (self, seal_sign (seal, s_key (self, seal), out, size, &error),
                     &error);
}

static int
s_verify (pb_call_t *call, const pb_seal_t *seal, const void *signature, size_t size)
{
    pb_error_t error = {0};
    exchange_t *self = s_exchange (call);
    return s_sealed (
        self, seal_verify (seal, s_key (self, seal), signature, size, &error), &error);
}

static int
s_open (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size)
{
    pb_error_t error = {0};
    exchange_t *self = s_exchange (call);
    return s_sealed (self, seal_open (seal, s_key (self, seal), out, size, &error),
                     &error);
}

//  ---------------------------------------------------------------- remembered values

static remembered_t *
s_remembered (instance_t *self, const char *name)
{
    for (size_t i = 0; i < self->remembered_count; i++)
        if (streq (self->remembered[i].name, name))
            return &self->remembered[i];
    return NULL;
}

static int
s_remember (pb_call_t *call, const char *name, const char *value, uint64_t seconds)
{
    exchange_t *self = s_exchange (call);
    instance_t *instance = self->instance;
    pb_error_t error = {0};
    buffer_t record = {0};
    const char *kept = seconds ? value : NULL;
    int64_t expires_ms = moment_now_ms () + (int64_t) seconds * 1000;
    if (!vault_seal (instance->host->options.memory->vault, instance->config->name,
                     name, kept, expires_ms, &record, &error)) {
        log_error (instance->config->name, "%s", error.message);
        return PB_BUG;
    }
    uint32_t size = (uint32_t) record.size;
    buffer_add (&self->remember, &size, sizeof size);
    buffer_add (&self->remember, record.data, record.size);
    buffer_free (&record);
    remembered_t *item = s_remembered (instance, name);
    if (!item) {
        instance->remembered =
            xrealloc (instance->remembered,
                      (instance->remembered_count + 1) * sizeof *instance->remembered);
        item = &instance->remembered[instance->remembered_count++];
        *item = (remembered_t){xstrdup (name), NULL, 0};
    }
    free (item->value);
    item->value = xstrdup (kept);
    item->expires_ms = expires_ms;
    return PB_OK;
}

static const char *
s_recall (pb_call_t *call, const char *name)
{
    exchange_t *self = s_exchange (call);
    remembered_t *item = s_remembered (self->instance, name);
    return item && item->value && item->expires_ms > moment_now_ms ()
               ? arena_text (&self->arena, SPAN (item->value))
               : NULL;
}

//  ---------------------------------------------------------------- events

//  Facts about money name the instance they came through, unless the plugin did.
static bool
s_wants_platform (const event_t *event)
{
    for (const field_t *f = event->is ? event->is->fields : NULL; f && f->name; f++)
        if (streq (f->name, "platform"))
            return !event_data_raw (event, "platform").p;
    return false;
}

//  The data of an event with `platform` as its first member. Needs an object.
static char *
s_with_platform (exchange_t *self, const char *data)
{
    buffer_t json = {0};
    const char *rest = data + 1 + strspn (data + 1, " \t\r\n");
    buffer_printf (&json, "{\"platform\":\"%s\"%s%s", self->instance->config->name,
                   *rest == '}' ? "" : ",", rest);
    char *copy = arena_text (&self->arena, (span_t){json.data, json.size});
    buffer_free (&json);
    return copy;
}

static int
s_emit (pb_call_t *call, const pb_emit_t *emit)
{
    exchange_t *self = s_exchange (call);
    char room[EVENT_ROOM];
    buffer_t json = {0};
    event_t event;
    pb_error_t error = {0};
    event_rules_t rules = {.now_ms = moment_now_ms (), .offset = "+08:00"};
    bus_event_t parts = {
        .type = emit->type,
        .source = self->instance->config->name,
        .id = emit->id,
        .subject = emit->visit,
        .lot = emit->lot,
        .lane = emit->lane,
        .time_ms = emit->time_ms,
        .data = arena_text (&self->arena, (span_t){emit->data.data, emit->data.size}),
    };
    bus_event_json (&json, &parts);
    bool ok = event_read (&event, json.data, json.size, &rules, room, &error);
    if (ok && s_wants_platform (&event)) {
        parts.data = s_with_platform (self, parts.data);
        bus_event_json (&json, &parts);
        ok = event_read (&event, json.data, json.size, &rules, room, &error);
    }
    if (!ok) {
        log_error (
            self->instance->config->name,
            _ ("the plugin's event breaks the rules of docs/events.md: %s: %.300s"),
            error.message, json.data);
        buffer_free (&json);
        return PB_BUG;
    }
    emitted_t *emitted = xcalloc (1, sizeof *emitted);
    *emitted = (emitted_t){NULL, self->natural_count, json.data, json.size};
    *self->emits_end = emitted;
    self->emits_end = &emitted->next;
    return PB_OK;
}

static int
s_once (pb_call_t *call, const char *key, const char *content)
{
    exchange_t *self = s_exchange (call);
    if (!key || !*key || self->natural_count == NATURAL_MAX) {
        log_error (self->instance->config->name,
                   _ ("the plugin named no natural key, or more than %d"), NATURAL_MAX);
        return PB_BUG;
    }
    natural_t *natural = &self->natural[self->natural_count++];
    *natural = (natural_t){
        .key = once_key (self->instance->config->name, "push", key),
        .content = content ? hash64 (content, strlen (content), 0) : 0,
        .text = arena_text (&self->arena, SPAN (key)),
    };
    return PB_OK;
}

//  ---------------------------------------------------------------- questions, replies

static int
s_ask (pb_call_t *call, const pb_question_t *question)
{
    exchange_t *self = s_exchange (call);
    if (self->asked || !question->service || call->exchange != PB_EXCHANGE_RECEIVE)
        return PB_BUG;
    self->question = *question;
    self->asked = true;
    return PB_OK;
}

static int
s_reply (pb_call_t *call, const pb_http_reply_t *reply)
{
    exchange_t *self = s_exchange (call);
    if (self->replied || call->exchange != PB_EXCHANGE_RECEIVE)
        return PB_BUG;
    self->reply = *reply;
    self->replied = true;
    self->reply_status = (unsigned) reply->status;
    self->reply_body =
        exchange_parts (self, reply->parts, reply->parts_count, &self->reply_size);
    return self->reply_body ? PB_OK : PB_BUG;
}

//  Services of plugins are not called in this version, so nothing takes a result.
static int
s_result (pb_call_t *call, pb_bytes_t body)
{
    (void) call;
    (void) body;
    return PB_UNSUPPORTED;
}

static const char *
s_secret (pb_call_t *call, const char *key)
{
    instance_t *instance = s_exchange (call)->instance;
    if (instance->plugin->kind != PB_SINK)
        return NULL;
    const options_key_t *found = options_key (instance->options, key);
    return found && found->count ? found->secrets[0] : NULL;
}

static const void *
s_extension (const char *name)
{
    (void) name;
    return NULL;
}

const pb_host_t host_functions = {
    .struct_size = sizeof (pb_host_t),
    .abi_major = PB_ABI_MAJOR,
    .abi_minor = PB_ABI_MINOR,
    .alloc = s_alloc,
    .log = s_log,
    .fail = s_fail,
    .option = s_option,
    .lot_option = s_lot_option,
    .lane_out = s_lane_out,
    .lot_in = s_lot_in,
    .lane_in = s_lane_in,
    .now_ms = s_now_ms,
    .random = s_random,
    .sign = s_sign,
    .verify = s_verify,
    .open = s_open,
    .remember = s_remember,
    .recall = s_recall,
    .emit = s_emit,
    .once = s_once,
    .ask = s_ask,
    .reply = s_reply,
    .result = s_result,
    .secret = s_secret,
    .extension = s_extension,
};
