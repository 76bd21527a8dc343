//  exchange.c - one exchange with a platform: made, run in the instance's thread, ended.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"

exchange_t *
exchange_new (instance_t *instance, pb_exchange_t kind)
{
    exchange_t *self = xcalloc (1, sizeof *self);
    self->instance = instance;
    self->call = (pb_call_t){sizeof (pb_call_t), (uint32_t) kind, 0, NULL, self};
    self->emits_end = &self->emits;
    instance->host->busy++;
    return self;
}

static void
s_drop_emits (exchange_t *self)
{
    for (emitted_t *emitted = self->emits, *next; emitted; emitted = next) {
        next = emitted->next;
        free (emitted->json);
        free (emitted);
    }
    self->emits = NULL;
    self->emits_end = &self->emits;
}

void
exchange_free (exchange_t **self_p)
{
    exchange_t *self = *self_p;
    if (!self)
        return;
    self->instance->host->busy--;
    s_drop_emits (self);
    http_job_destroy (&self->job);
    free (self->reply_body);
    buffer_free (&self->remember);
    arena_free (&self->arena);
    free (self);
    *self_p = NULL;
}

void
exchange_send (exchange_t *self, step_t step)
{
    self->step = step;
    mailbox_send (self->instance->inbox, self);
}

//  ---------------------------------------------------------------- parts

static bool
s_add_file (buffer_t *to, const char *path)
{
    FILE *file = fopen (path, "rb");
    if (!file)
        return false;
    char bytes[8192];
    for (size_t n; (n = fread (bytes, 1, sizeof bytes, file)) > 0;)
        buffer_add (to, bytes, n);
    bool ok = !ferror (file);
    fclose (file);
    return ok;
}

static bool
s_add_part (exchange_t *self, buffer_t *to, const pb_part_t *part)
{
    char name[256];
    const options_key_t *key;
    span_t text = {part->bytes.data, part->bytes.size};
    switch (part->kind) {
    case PB_PART_BYTES:
        buffer_add (to, text.p, text.n);
        return true;
    case PB_PART_FILE:
        return span_copy (text, name, sizeof name) && s_add_file (to, name);
    case PB_PART_SECRET:
        key = span_copy (text, name, sizeof name)
                  ? options_key (self->instance->options, name)
                  : NULL;
        if (key && key->count)
            buffer_add (to, key->secrets[0], key->sizes[0]);
        return key && key->count;
    default:
        return false; //  Base64 of files belongs to requests only
    }
}

char *
exchange_parts (exchange_t *self, const pb_part_t *parts, uint64_t count, size_t *size)
{
    buffer_t body = {0};
    const pb_part_t *part = parts;
    buffer_add (&body, "", 0);
    for (uint64_t i = 0; i < count; i++, part = PB_NEXT (part))
        if (!s_add_part (self, &body, part)) {
            log_error (
                self->instance->config->name,
                _ ("part %llu of a body cannot be had: a file that is not there, "
                   "or a secret that is not configured"),
                (unsigned long long) i + 1);
            buffer_free (&body);
            return NULL;
        }
    *size = body.size;
    return body.data ? body.data : xstrdup ("");
}

//  ---------------------------------------------------------------- in the instance's thread

static void
s_encode (exchange_t *self)
{
    instance_t *instance = self->instance;
    self->request = (pb_request_t){.struct_size = sizeof self->request};
    self->result = (pb_result_t) instance->plugin->encode (
        instance->made, &self->call, &self->message, &self->request);
}

static void
s_decode (exchange_t *self)
{
    self->result = (pb_result_t) self->instance->plugin->decode (
        self->instance->made, &self->call, &self->message, &self->response);
}

static void
s_receive (exchange_t *self)
{
    self->result = (pb_result_t) self->instance->plugin->receive (
        self->instance->made, &self->call, &self->push);
}

static void
s_answer (exchange_t *self)
{
    self->result = (pb_result_t) self->instance->plugin->answer (
        self->instance->made, &self->call, &self->answer);
}

static void (*const steps[]) (exchange_t *) = {
    [STEP_ENCODE] = s_encode,
    [STEP_DECODE] = s_decode,
    [STEP_RECEIVE] = s_receive,
    [STEP_ANSWER] = s_answer,
};

void
exchange_run (exchange_t *self)
{
    self->code[0] = self->sentence[0] = 0;
    steps[self->step](self);
    if ((unsigned) self->result >= PB_RESULTS) {
        snprintf (self->sentence, sizeof self->sentence,
                  _ ("the plugin answered %d, which is no result"), (int) self->result);
        self->result = PB_BUG;
    }
}
