//  harness.c - a host in memory, for tests of plugins.

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sdk/harness.h"
#include "sdk/hex.h"

#define ARENA (16 * 1024 * 1024)

struct pb_harness_block {
    pb_harness_block_t *next;
    max_align_t bytes[];
};

static pb_harness_t *
s_self (pb_call_t *call)
{
    return call->host;
}

static char *
s_copy (const char *text)
{
    return text ? strdup (text) : NULL;
}

static char *
s_bytes (pb_bytes_t bytes)
{
    return strndup (bytes.data ? bytes.data : "", bytes.size);
}

static void
s_set (char **to, char *text)
{
    free (*to);
    *to = text;
}

//  ---------------------------------------------------------------- memory and words

//  Each piece is a block of its own, so that the sanitizers see its end.
static void *
s_alloc (pb_call_t *call, size_t size)
{
    pb_harness_t *self = s_self (call);
    if (self->allocations == 0 || size > ARENA - self->block_bytes)
        return NULL;
    self->allocations -= self->allocations > 0;
    pb_harness_block_t *block = calloc (1, sizeof *block + size);
    if (!block)
        return NULL;
    block->next = self->blocks;
    self->blocks = block;
    self->block_bytes += size;
    return block->bytes;
}

static void
s_log (pb_call_t *call, int level, const char *sentence)
{
    (void) level;
    s_set (&s_self (call)->log, s_copy (sentence));
}

static int
s_fail (pb_call_t *call, int result, const char *code, const char *sentence)
{
    s_set (&s_self (call)->sentence, s_copy (sentence));
    s_set (&s_self (call)->code, s_copy (code));
    return result;
}

//  ---------------------------------------------------------------- options

static const pb_harness_row_t *
s_row (const pb_harness_t *self, const char *lot, const char *map, const char *name)
{
    for (size_t i = 0; i < self->rows_count; i++) {
        const pb_harness_row_t *row = &self->rows[i];
        bool same_lot = lot && row->lot ? !strcmp (lot, row->lot) : lot == row->lot;
        bool same_map = map && row->map ? !strcmp (map, row->map) : map == row->map;
        if (same_lot && same_map && !strcmp (name, row->name))
            return row;
    }
    return NULL;
}

static const char *
s_preset (const pb_harness_t *self, const char *name)
{
    const pb_option_t *option = self->plugin->options;
    for (uint64_t i = 0; i < self->plugin->options_count;
         i++, option = PB_NEXT (option))
        if (!strcmp (option->name, name))
            return option->preset;
    return NULL;
}

static const char *
s_option (pb_call_t *call, const char *name)
{
    const pb_harness_row_t *row = s_row (s_self (call), NULL, NULL, name);
    return row ? row->value : s_preset (s_self (call), name);
}

static const char *
s_lot_option (pb_call_t *call, const char *lot, const char *name)
{
    const pb_harness_row_t *row = s_row (s_self (call), lot, NULL, name);
    return row ? row->value : s_preset (s_self (call), name);
}

static const char *
s_lane_out (pb_call_t *call, const char *lot, const char *map, const char *lane)
{
    const pb_harness_row_t *row = s_row (s_self (call), lot, map, lane);
    return row ? row->value : NULL;
}

static const char *
s_lot_in (pb_call_t *call, const char *name, const char *value)
{
    const pb_harness_t *self = s_self (call);
    for (size_t i = 0; i < self->rows_count; i++) {
        const pb_harness_row_t *row = &self->rows[i];
        if (row->lot && !row->map && !strcmp (row->name, name)
            && !strcmp (row->value, value))
            return row->lot;
    }
    return NULL;
}

static const char *
s_lane_in (pb_call_t *call, const char *lot, const char *map, const char *value,
           const char *direction)
{
    const pb_harness_t *self = s_self (call);
    const char *found = NULL;
    for (size_t i = 0; i < self->rows_count; i++) {
        const pb_harness_row_t *row = &self->rows[i];
        if (!row->map || strcmp (row->map, map) || strcmp (row->lot, lot)
            || strcmp (row->value, value))
            continue;
        if (!found || !strncmp (row->name, direction, strlen (direction)))
            found = row->name;
    }
    return found;
}

//  --------------------------------------------------------------- clock, chance, seals

static int64_t
s_now_ms (pb_call_t *call)
{
    return s_self (call)->now_ms;
}

//  Not random at all: a test wants to know what comes.
static int
s_random (pb_call_t *call, void *bytes, size_t size)
{
    (void) call;
    memset (bytes, 0x5a, size);
    return PB_OK;
}

static bool
s_digest (const pb_seal_t *seal, const char *secret, unsigned char *to, unsigned *size)
{
    const EVP_MD *md = seal->algorithm == PB_SHA256 ? EVP_sha256 () : EVP_md5 ();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new ();
    bool done = ctx && EVP_DigestInit_ex (ctx, md, NULL)
                && EVP_DigestUpdate (ctx, seal->before.data, seal->before.size)
                && EVP_DigestUpdate (ctx, secret, strlen (secret))
                && EVP_DigestUpdate (ctx, seal->after.data, seal->after.size)
                && EVP_DigestFinal_ex (ctx, to, size);
    EVP_MD_CTX_free (ctx);
    return done;
}

static int
s_sign (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size)
{
    const pb_harness_t *self = s_self (call);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    for (size_t i = 0; i < self->secrets_count; i++)
        if (!strcmp (self->secrets[i][0], seal->key)) {
            if (!s_digest (seal, self->secrets[i][1], digest, &length)
                || length > *size)
                return PB_BUG;
            memcpy (out, digest, length);
            *size = length;
            return PB_OK;
        }
    return PB_CONFIG;
}

static int
s_verify (pb_call_t *call, const pb_seal_t *seal, const void *signature, size_t size)
{
    const pb_harness_t *self = s_self (call);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    for (size_t i = 0; i < self->secrets_count; i++)
        if (!strcmp (self->secrets[i][0], seal->key)
            && s_digest (seal, self->secrets[i][1], digest, &length) && length == size
            && !CRYPTO_memcmp (digest, signature, size))
            return PB_OK;
    return PB_AUTH;
}

static int
s_open (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size)
{
    (void) seal;
    (void) out;
    (void) size;
    return s_fail (call, PB_UNSUPPORTED, NULL, "the harness opens nothing");
}

//  ---------------------------------------------------------------- remembered values

static int
s_remember (pb_call_t *call, const char *name, const char *value, uint64_t seconds)
{
    pb_harness_t *self = s_self (call);
    pb_harness_row_t *row = (pb_harness_row_t *) s_row (self, "", "remembered", name);
    if (!row)
        pb_harness_lane (self, "", "remembered", name, seconds ? value : "");
    else
        s_set (&row->value, s_copy (seconds ? value : ""));
    return PB_OK;
}

static const char *
s_recall (pb_call_t *call, const char *name)
{
    const pb_harness_row_t *row = s_row (s_self (call), "", "remembered", name);
    return row && *row->value ? row->value : NULL;
}

//  ---------------------------------------------------------------- events and replies

static int
s_emit (pb_call_t *call, const pb_emit_t *event)
{
    pb_harness_t *self = s_self (call);
    if (self->seen)
        return PB_OK;
    if (self->events_count == PB_HARNESS_EVENTS)
        return PB_BUG;
    self->events[self->events_count++] = (pb_harness_event_t){
        .type = s_copy (event->type),
        .visit = s_copy (event->visit),
        .lot = s_copy (event->lot),
        .lane = s_copy (event->lane),
        .data = s_bytes (event->data),
        .key = s_copy (self->key),
        .time_ms = event->time_ms,
    };
    return PB_OK;
}

static int
s_once (pb_call_t *call, const char *key, const char *content)
{
    pb_harness_t *self = s_self (call);
    s_set (&self->key, s_copy (key));
    self->seen = false;
    for (size_t i = 0; i < self->onces_count; i++)
        if (!strcmp (self->onces[i].key, key)) {
            self->seen = true;
            return self->late_duplicates ? PB_OK : PB_DUP;
        }
    if (self->onces_count == PB_HARNESS_EVENTS)
        return PB_BUG;
    self->onces[self->onces_count++] =
        (pb_harness_once_t){.key = s_copy (key), .content = s_copy (content)};
    return PB_OK;
}

static int
s_ask (pb_call_t *call, const pb_question_t *question)
{
    pb_harness_t *self = s_self (call);
    s_set (&self->service, s_copy (question->service));
    s_set (&self->question, s_bytes (question->body));
    s_set (&self->question_lot, s_copy (question->lot));
    s_set (&self->question_lane, s_copy (question->lane));
    return PB_OK;
}

static char *
s_join (const pb_part_t *part, uint64_t count)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&joined, &size);
    for (uint64_t i = 0; out && i < count; i++, part = PB_NEXT (part))
        fwrite (part->bytes.data, 1, part->bytes.size, out);
    if (out)
        fclose (out);
    return joined;
}

static int
s_reply (pb_call_t *call, const pb_http_reply_t *reply)
{
    pb_harness_t *self = s_self (call);
    self->replies++;
    self->reply_status = reply->status;
    s_set (&self->reply, s_join (reply->parts, reply->parts_count));
    return PB_OK;
}

static int
s_result (pb_call_t *call, pb_bytes_t body)
{
    s_set (&s_self (call)->result, s_bytes (body));
    return PB_OK;
}

static const char *
s_secret (pb_call_t *call, const char *key)
{
    (void) call;
    (void) key;
    return NULL;
}

static const void *
s_extension (const char *name)
{
    (void) name;
    return NULL;
}

//  ---------------------------------------------------------------- exchanges

static void
s_free_blocks (pb_harness_t *self)
{
    while (self->blocks) {
        pb_harness_block_t *next = self->blocks->next;
        free (self->blocks);
        self->blocks = next;
    }
    self->block_bytes = 0;
}

static void
s_drop_events (pb_harness_t *self, size_t from)
{
    for (size_t i = from; i < self->events_count; i++) {
        pb_harness_event_t *event = &self->events[i];
        free (event->type);
        free (event->visit);
        free (event->lot);
        free (event->lane);
        free (event->data);
        free (event->key);
    }
    self->events_count = from;
}

static void
s_begin (pb_harness_t *self, uint32_t exchange)
{
    char **words[] = {&self->sentence, &self->code,         &self->log,
                      &self->key,      &self->reply,        &self->service,
                      &self->question, &self->question_lot, &self->question_lane,
                      &self->result,   &self->body};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        s_set (words[i], NULL);
    s_free_blocks (self);
    s_drop_events (self, 0);
    self->seen = false;
    self->replies = 0;
    self->reply_status = 0;
    self->call = (pb_call_t){
        .struct_size = sizeof (pb_call_t), .exchange = exchange, .host = self};
}

//  What failed leaves no trace: no events, no natural keys.
static int
s_end (pb_harness_t *self, int result, size_t onces)
{
    bool kept = result == PB_OK || result == PB_DUP || result == PB_MORE;
    if (!kept) {
        s_drop_events (self, 0);
        for (size_t i = onces; i < self->onces_count; i++) {
            free (self->onces[i].key);
            free (self->onces[i].content);
        }
        self->onces_count = onces;
    }
    return result;
}

pb_harness_t *
pb_harness_new (const pb_plugin_t *plugin)
{
    pb_harness_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->plugin = plugin;
    self->allocations = -1;
    self->now_ms = INT64_C (1795226400000); //  2026-11-21T10:00:00+08:00
    self->host = (pb_host_t){.struct_size = sizeof (pb_host_t),
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
                             .extension = s_extension};
    return self;
}

void
pb_harness_destroy (pb_harness_t **self_p)
{
    pb_harness_t *self = *self_p;
    if (!self)
        return;
    if (self->instance)
        self->plugin->destroy (self->instance);
    s_begin (self, PB_EXCHANGE_SETUP);
    for (size_t i = 0; i < self->rows_count; i++) {
        free (self->rows[i].lot);
        free (self->rows[i].map);
        free (self->rows[i].name);
        free (self->rows[i].value);
    }
    for (size_t i = 0; i < self->secrets_count; i++) {
        free (self->secrets[i][0]);
        free (self->secrets[i][1]);
    }
    for (size_t i = 0; i < self->onces_count; i++) {
        free (self->onces[i].key);
        free (self->onces[i].content);
    }
    free (self);
    *self_p = NULL;
}

static void
s_add_row (pb_harness_t *self, const char *lot, const char *map, const char *name,
           const char *value)
{
    if (self->rows_count == PB_HARNESS_ROWS)
        abort ();
    self->rows[self->rows_count++] = (pb_harness_row_t){.lot = s_copy (lot),
                                                        .map = s_copy (map),
                                                        .name = s_copy (name),
                                                        .value = s_copy (value)};
}

void
pb_harness_option (pb_harness_t *self, const char *name, const char *value)
{
    s_add_row (self, NULL, NULL, name, value);
}

void
pb_harness_lot (pb_harness_t *self, const char *lot, const char *name,
                const char *value)
{
    s_add_row (self, lot, NULL, name, value);
}

void
pb_harness_lane (pb_harness_t *self, const char *lot, const char *map, const char *lane,
                 const char *word)
{
    s_add_row (self, lot, map, lane, word);
}

void
pb_harness_key (pb_harness_t *self, const char *name, const char *secret)
{
    if (self->secrets_count == 8)
        abort ();
    self->secrets[self->secrets_count][0] = s_copy (name);
    self->secrets[self->secrets_count++][1] = s_copy (secret);
}

int
pb_harness_create (pb_harness_t *self)
{
    s_begin (self, PB_EXCHANGE_SETUP);
    return self->plugin->create (&self->host, &self->call, &self->instance);
}

int
pb_harness_encode (pb_harness_t *self, const pb_message_t *message)
{
    s_begin (self, PB_EXCHANGE_ENCODE);
    self->request = (pb_request_t){.struct_size = sizeof (pb_request_t)};
    int rc =
        self->plugin->encode (self->instance, &self->call, message, &self->request);
    if (rc == PB_OK)
        self->body = s_join (self->request.parts, self->request.parts_count);
    return rc;
}

int
pb_harness_decode (pb_harness_t *self, const pb_message_t *message, unsigned status,
                   const char *body)
{
    s_begin (self, PB_EXCHANGE_ENCODE);
    char *copy = s_copy (body); //  So that the sanitizers see its end
    pb_response_t response = {
        .struct_size = sizeof response,
        .status = status,
        .media = "application/json",
        .body = {copy, copy ? strlen (copy) : 0}
    };
    int rc = self->plugin->decode (self->instance, &self->call, message, &response);
    free (copy);
    return s_end (self, rc, self->onces_count);
}

int
pb_harness_receive (pb_harness_t *self, const char *route, const char *body,
                    size_t size)
{
    uint64_t number = 0;
    const pb_route_t *row = self->plugin->routes;
    while (number < self->plugin->routes_count && strcmp (row->path, route)) {
        row = PB_NEXT (row);
        number++;
    }
    s_begin (self, PB_EXCHANGE_RECEIVE);
    size_t onces = self->onces_count;
    pb_http_request_t request = {
        .struct_size = sizeof request,
        .route = number,
        .method = "POST",
        .path = route,
        .query = "",
        .media = "application/x-www-form-urlencoded",
        .peer = "127.0.0.1",
        .body = {body, size}
    };
    int rc = self->plugin->receive (self->instance, &self->call, &request);
    return s_end (self, rc, onces);
}

int
pb_harness_answer (pb_harness_t *self, const char *code, const char *body)
{
    pb_answer_t answer = {
        .struct_size = sizeof answer,
        .code = code,
        .message = code ? "scripted" : NULL,
        .body = {body ? body : "", body ? strlen (body) : 0}
    };
    self->call.round++;
    int rc = self->plugin->answer (self->instance, &self->call, &answer);
    return s_end (self, rc, self->onces_count);
}

void
pb_harness_md5 (const char *text, const char *secret, char to[33])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    pb_seal_t seal = {
        .struct_size = sizeof seal,
        .algorithm = PB_MD5,
        .before = {text, strlen (text)}
    };
    if (s_digest (&seal, secret, digest, &size))
        pb_hex_lower (digest, size, to);
    else
        *to = 0;
}
