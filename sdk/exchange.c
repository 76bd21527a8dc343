//  exchange.c - the few things every codec asks of its host.

#include <string.h>
#include "sdk/exchange.h"
#include "sdk/hex.h"

#define MD5_SIZE 16

const char pb_media_form[] = "application/x-www-form-urlencoded";
const char pb_media_json[] = "application/json;charset=utf-8";

static pb_seal_t
s_seal (const char *key, const char *text)
{
    return (pb_seal_t){
        .struct_size = sizeof (pb_seal_t),
        .algorithm = PB_MD5,
        .key = key,
        .before = PB_BYTES (text),
        .after = {"", 0}
    };
}

const char *
pb_md5_hex (const pb_env_t *env, const char *key, const char *text)
{
    unsigned char digest[64];
    size_t size = sizeof digest;
    pb_seal_t seal = s_seal (key, text);
    int rc = env->host->sign (env->call, &seal, digest, &size);
    char *hex =
        rc == PB_OK && size == MD5_SIZE ? pb_alloc (env, 2 * MD5_SIZE + 1) : NULL;
    if (hex)
        pb_hex_lower (digest, MD5_SIZE, hex);
    else
        pb_fail (env, PB_CONFIG, NULL,
                 _ ("cannot sign with the key %s: see keys: in the "
                    "plugin's file"),
                 key);
    return hex;
}

int
pb_md5_check (const pb_env_t *env, const char *key, const char *text, const char *hex)
{
    unsigned char digest[MD5_SIZE];
    if (!hex || !pb_hex_read (hex, digest, sizeof digest))
        return PB_AUTH;
    pb_seal_t seal = s_seal (key, text);
    return env->host->verify (env->call, &seal, digest, sizeof digest);
}

static pb_part_t *
s_part (const pb_env_t *env, const char *text)
{
    pb_part_t *part = pb_alloc (env, sizeof *part);
    if (part)
        *part = (pb_part_t){sizeof *part, PB_PART_BYTES, PB_BYTES (text)};
    return part;
}

int
pb_request_text (const pb_env_t *env, pb_request_t *request, const char *path,
                 const char *media, const char *body)
{
    pb_part_t *part = body ? s_part (env, body) : NULL;
    if (!part)
        return PB_NOMEM;
    request->path = path;
    request->media = media;
    request->parts = part;
    request->parts_count = 1;
    return PB_OK;
}

int
pb_reply_text (const pb_env_t *env, uint64_t status, const char *media,
               const char *body)
{
    pb_part_t *part = body ? s_part (env, body) : NULL;
    if (!part)
        return PB_NOMEM;
    pb_http_reply_t reply = {.struct_size = sizeof reply,
                             .status = status,
                             .media = media,
                             .parts = part,
                             .parts_count = 1};
    return env->host->reply (env->call, &reply);
}

int
pb_emit_taken (const pb_env_t *env, const char *type, const pb_taken_t *taken)
{
    const char *data = pb_taken_json (env, taken);
    if (!data)
        return PB_NOMEM;
    pb_emit_t event = {.struct_size = sizeof event,
                       .type = type,
                       .visit = taken->visit,
                       .lot = taken->lot,
                       .lane = taken->lane,
                       .time_ms = taken->time_ms,
                       .data = PB_BYTES (data)};
    return env->host->emit (env->call, &event);
}

int
pb_result_taken (const pb_env_t *env, const pb_taken_t *taken)
{
    const char *body = pb_taken_json (env, taken);
    return body ? env->host->result (env->call, PB_BYTES (body)) : PB_NOMEM;
}

int
pb_ask_members (const pb_env_t *env, const char *service, const char *lot,
                const char *lane, const pb_pairs_t *body)
{
    pb_buffer_t json = {.env = env};
    pb_json_write (&json, body);
    const char *text = pb_done (&json);
    if (!text)
        return PB_NOMEM;
    pb_question_t question = {.struct_size = sizeof question,
                              .service = service,
                              .lot = lot,
                              .lane = lane,
                              .body = PB_BYTES (text)};
    return env->host->ask (env->call, &question);
}
