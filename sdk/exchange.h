//  sdk/exchange.h - the few things every codec asks of its host: sign, verify, request,
//  reply, emit, ask.

#ifndef PARKBUS_SDK_EXCHANGE_H
#define PARKBUS_SDK_EXCHANGE_H

#include "sdk/field.h"
#include "sdk/text.h"

#define PB_BYTES(text) ((pb_bytes_t){(text), strlen (text)})

extern const char pb_media_form[]; //  application/x-www-form-urlencoded
extern const char pb_media_json[]; //  application/json;charset=utf-8

//  MD5 (text + secret) as 32 lower-case digits; NULL with the sentence given to the
//  host.
const char *pb_md5_hex (const pb_env_t *env, const char *key, const char *text);
//  Is `hex` (either case) that digest? PB_OK or PB_AUTH.
int pb_md5_check (const pb_env_t *env, const char *key, const char *text,
                  const char *hex);

//  A POST of this body.
int pb_request_text (const pb_env_t *env, pb_request_t *request, const char *path,
                     const char *media, const char *body);

//  The reply to a push.
int pb_reply_text (const pb_env_t *env, uint64_t status, const char *media,
                   const char *body);

//  What was read, as an event. `visit` and `lane` of *taken count; time 0 is now.
int pb_emit_taken (const pb_env_t *env, const char *type, const pb_taken_t *taken);
//  The answer to a service call, from what was read.
int pb_result_taken (const pb_env_t *env, const pb_taken_t *taken);

//  A question to a local program.
int pb_ask_members (const pb_env_t *env, const char *service, const char *lot,
                    const char *lane, const pb_pairs_t *body);

#endif
