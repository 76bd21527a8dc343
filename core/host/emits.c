//  emits.c - what a plugin said becomes events of the journal, each fact once.

#include "host/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/log.h"
#include "base/moment.h"

//  The case that a person has to close, with what the second message said.
static void
s_open_case (instance_t *instance, const event_t *event)
{
    char id[37], lot[33] = "", visit[49] = "", payment[65] = "";
    int64_t amount = 0;
    buffer_t data = {0};
    id_uuid7 (id);
    span_copy (event->lot, lot, sizeof lot);
    span_copy (event->subject, visit, sizeof visit);
    buffer_printf (&data,
                   "{\"case\":\"%s\",\"reason\":\"contradiction\",\"platform\":\"%s\"",
                   id, instance->config->name);
    if (event_data_int (event, "amount", &amount))
        buffer_printf (&data, ",\"amount\":%" PRId64, amount);
    if (event_data_text (event, "payment", payment, sizeof payment)) {
        buffer_text (&data, ",\"payment\":");
        buffer_json_string (&data, payment, strlen (payment));
    }
    buffer_text (&data, "}");
    bus_event_t opened = {.type = "case.opened",
                          .lot = lot[0] ? lot : NULL,
                          .subject = visit[0] ? visit : NULL,
                          .data = data.data};
    bus_say (instance->host->options.bus, &opened, NULL, NULL);
    buffer_free (&data);
}

void
emits_contradiction (instance_t *instance, const char *key, const event_t *event)
{
    char sentence[400], alarm[80];
    snprintf (sentence, sizeof sentence,
              _ ("%s sent '%.64s' again with another content: the first one stands and "
                 "was answered again; compare with the platform's own list"),
              instance->config->name, key);
    snprintf (alarm, sizeof alarm, "money.contradiction.%s", instance->config->name);
    bus_notice (instance->host->options.bus, NULL, alarm, sentence);
    if (event)
        s_open_case (instance, event);
}

//  Is this fact known already? Bindings are said on change only, money once for ever.
static bool
s_known (const exchange_t *self, const event_t *event, once_seen_t *seen, bool *money)
{
    instance_t *instance = self->instance;
    host_t *host = instance->host;
    *money = host_money_key (event, seen);
    if (*money) {
        const once_seen_t *first = once_find (host->options.memory->once, seen->key);
        if (first && first->content != seen->content) {
            char payment[65] = "";
            event_data_text (event, "payment", payment, sizeof payment);
            emits_contradiction (instance, payment, event);
        }
        return first != NULL;
    }
    bool binds =
        span_is (event->type, "bind.added") || span_is (event->type, "bind.removed");
    if (!binds)
        return false;
    //  An answer tells how it was when the platform formed it: what was told since is newer.
    bool stale = self->call.exchange != PB_EXCHANGE_RECEIVE
                 && ledger_binding_seq (host->options.ledger, event) > self->sent_after;
    return stale || !ledger_binding_changes (host->options.ledger, event);
}

static bool
s_append (const exchange_t *self, const emitted_t *emitted, char *room,
          pb_error_t *error)
{
    instance_t *instance = self->instance;
    event_t event;
    once_seen_t seen;
    journal_place_t place;
    bool money;
    event_rules_t rules = {.now_ms = moment_now_ms (), .offset = "+08:00"};
    if (!event_read (&event, emitted->json, emitted->size, &rules, room, error))
        return false;
    if (s_known (self, &event, &seen, &money))
        return true;
    if (!bus_emit (instance->host->options.bus, emitted->json, emitted->size, &place,
                   error))
        return false;
    if (money)
        once_add (instance->host->options.memory->once, seen);
    return true;
}

static bool
s_remember (exchange_t *self, pb_error_t *error)
{
    for (size_t at = 0; at < self->remember.size;) {
        uint32_t size;
        memcpy (&size, self->remember.data + at, sizeof size);
        at += sizeof size;
        if (!journal_note (self->instance->host->options.journal, JOURNAL_REMEMBER,
                           self->remember.data + at, size, error))
            return false;
        at += size;
    }
    buffer_reset (&self->remember);
    return true;
}

bool
emits_append (exchange_t *self, pb_error_t *error)
{
    char *room = xmalloc (EVENT_ROOM);
    bool ok = s_remember (self, error);
    for (emitted_t *e = self->emits; ok && e; e = e->next)
        if (!e->once || !self->natural[e->once - 1].seen)
            ok = s_append (self, e, room, error);
    free (room);
    journal_flush (self->instance->host->options.journal);
    return ok;
}

void
emits_contradict (exchange_t *self, size_t natural)
{
    char *room = xmalloc (EVENT_ROOM);
    event_t event;
    event_rules_t rules = {.now_ms = moment_now_ms (), .offset = "+08:00"};
    emitted_t *e = self->emits;
    while (e && e->once != natural + 1)
        e = e->next;
    bool read = e && event_read (&event, e->json, e->size, &rules, room, NULL);
    emits_contradiction (self->instance, self->natural[natural].text,
                         read ? &event : NULL);
    free (room);
}
