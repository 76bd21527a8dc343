//  demo.c - a complete plugin to copy from, for a platform that does not exist.
//
//  "Example Parking" speaks JSON. We tell it who came in (POST /enter), it tells us who
//  has paid (POST to our mount + paid). Every message carries `sign`: HMAC-SHA-256 in
//  hex over its other fields, "name=value" sorted by name and joined by '&', empty ones
//  left out.
//
//  Read it from the bottom: pb_plugin_v1 is all that parkbus sees. docs/plugins.md
//  explains each word of it.

#include <stdlib.h>
#include <string.h>
#include "parkbus/plugin.h"
#include "sdk/exchange.h"
#include "sdk/field.h"
#include "sdk/form.h"
#include "sdk/hex.h"
#include "sdk/json.h"
#include "sdk/text.h"

//  ---------------------------------------------------------------- what is configured

//  One row for each thing that a site must or may say. parkbus types the values,
//  refuses what does not fit with file, line and column, and shows the help in that
//  sentence. A key is known by its name only: no secret ever comes into this file.
// clang-format off
static const pb_option_t options[] = {
    {
        .struct_size = sizeof (pb_option_t),
        .name = "secret",
        .type = PB_OPTION_KEY,
        .flags = PB_OPTION_REQUIRED,
        .min = 8,
        .max = 128,
        .help_en = "the secret that Example Parking gave with the partner's number",
        .help_zh = "示例平台随商户号一起分配的密钥",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "partner",
        .type = PB_OPTION_TEXT,
        .flags = PB_OPTION_REQUIRED,
        .min = 1,
        .max = 32,
        .help_en = "the partner's number at Example Parking",
        .help_zh = "示例平台的商户号",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "site",
        .type = PB_OPTION_TEXT,
        .scope = PB_SCOPE_LOT,
        .flags = PB_OPTION_REQUIRED,
        .min = 1,
        .max = 32,
        .help_en = "what Example Parking calls this lot",
        .help_zh = "示例平台的车场代号",
    },
    {
        .struct_size = sizeof (pb_option_t),
        .name = "lanes",
        .type = PB_OPTION_LANES,
        .scope = PB_SCOPE_LOT,
        .help_en = "our lane: what Example Parking calls it",
        .help_zh = "本系统车道: 示例平台的通道名称",
    },
};
// clang-format on

//  What is asked of us below the mount. The effect (money) is why `receive` calls
//  `once`.
enum { ROUTE_PAID, ROUTES };

static const pb_route_t routes[ROUTES] = {
    [ROUTE_PAID] = {.struct_size = sizeof (pb_route_t),
                    .method = "POST",
                    .path = "paid",
                    .media = "application/json",
                    .answer_ms = 5000,
                    .flags = PB_ROUTE_EFFECT},
};

static const char *const takes[] = {"in.recorded", NULL};

//  How the platform behaves. What its document does not say stays 0: assume the worse.
static const pb_policy_t policy = {
    .struct_size = sizeof (pb_policy_t),
    .role = PB_ROLE_DRIVER,
    .answer_ms = 5000,
    .push_schedule = "10,60,600",
};

//  ---------------------------------------------------------------- what travels

//  One table per endpoint, rows in the order of the platform's document: its name for
//  the field, where the value lives with us, how it is written, and whether it must be
//  there.
static const pb_field_t enter[] = {
    {"partner", PB_OPTION (partner), &pb_text,         pb_required},
    {"site",    PB_LOT (site),       &pb_text,         pb_required},
    {"visit",   PB_VISIT,            &pb_text,         pb_required},
    {"plate",   PB_DATA ("plate"),   &pb_text,         pb_required},
    {"lane",    PB_LANE (in),        &pb_text,         pb_optional},
    {"entered", PB_TIME,             &pb_unix_seconds, pb_required},
    PB_END
};

//  The same tables read: `partner` must be ours, `site` finds the lot.
static const pb_field_t paid[] = {
    {"partner", PB_OPTION (partner), &pb_text,         pb_required},
    {"site",    PB_LOT (site),       &pb_text,         pb_required},
    {"visit",   PB_VISIT,            &pb_text,         pb_required},
    {"order",   PB_DATA ("payment"), &pb_text,         pb_required},
    {"amount",  PB_DATA ("amount"),  &pb_fen,          pb_required},
    {"paid",    PB_DATA ("paid_at"), &pb_unix_seconds, pb_required},
    PB_END
};

static const char *const unsigned_fields[] = {"sign", NULL};

//  An instance holds what `create` wants to keep: here only the host's functions.
//  Options are asked for when they are needed.
typedef struct {
    const pb_host_t *host;
} demo_t;

#define DIGEST_SIZE 32

static pb_seal_t
s_seal (const char *text)
{
    return (pb_seal_t){.struct_size = sizeof (pb_seal_t),
                       .algorithm = PB_HMAC_SHA256,
                       .key =
                           "secret", //  The row of `options`; the core knows the rest
                       .before = PB_BYTES (text)};
}

//  Add `sign` to what will be sent.
static int
s_sign (const pb_env_t *env, pb_pairs_t *fields)
{
    unsigned char digest[DIGEST_SIZE];
    size_t size = sizeof digest;
    char *hex = pb_alloc (env, 2 * DIGEST_SIZE + 1);
    const char *text = pb_form_canonical (env, fields, unsigned_fields);
    if (!hex || !text)
        return PB_NOMEM;
    pb_seal_t seal = s_seal (text);
    int rc = env->host->sign (env->call, &seal, digest, &size);
    if (rc != PB_OK)
        return rc;
    pb_hex_lower (digest, size, hex);
    return pb_pairs_add (env, fields, "sign", hex, false) ? PB_OK : PB_NOMEM;
}

//  Is `sign` the platform's? Over every field that came, also those we do not know:
//  else somebody could add one.
static int
s_verify (const pb_env_t *env, const pb_json_t *message)
{
    unsigned char digest[DIGEST_SIZE];
    pb_pairs_t fields = {NULL, 0, 0};
    for (const pb_json_t *field = message->first; field; field = field->next) {
        const char *value = pb_json_text (field);
        if (!value) //  A list or an object: nothing that could have been signed
            return PB_AUTH;
        if (!pb_pairs_add (env, &fields, field->name, value, false))
            return PB_NOMEM;
    }
    const char *text = pb_form_canonical (env, &fields, unsigned_fields);
    const char *sign = pb_pairs_get (&fields, "sign");
    if (!text)
        return PB_NOMEM;
    if (!sign || !pb_hex_read (sign, digest, sizeof digest))
        return PB_AUTH;
    pb_seal_t seal = s_seal (text);
    return env->host->verify (env->call, &seal, digest, sizeof digest);
}

//  ---------------------------------------------------------------- we tell them

static int
s_encode (void *instance, pb_call_t *call, const pb_message_t *message,
          pb_request_t *request)
{
    demo_t *self = instance;
    pb_env_t env = {self->host, call};
    const char *why = NULL;
    const pb_json_t *data = pb_json_read (&env, message->data, &why);
    if (!data)
        return pb_fail (&env, PB_BUG, NULL, _ ("the event cannot be read: %s"), why);

    pb_pairs_t fields = {NULL, 0, 0};
    pb_codec_t codec = pb_codec_out (&env, "enter", message, data);
    int rc = pb_fields_write (&codec, enter, &fields);
    if (rc == PB_REJECT) //  Something that the table needs is not known: set aside
        return pb_fail (&env, rc, NULL, "%s", codec.sentence);
    if (rc == PB_OK)
        rc = s_sign (&env, &fields);
    if (rc != PB_OK)
        return rc;
    pb_buffer_t json = {.env = &env};
    pb_json_write (&json, &fields);
    return pb_request_text (&env, request, "/enter", pb_media_json, pb_done (&json));
}

//  Example Parking answers {"ok":true} or {"ok":false,"code":…}; what each code means.
static const struct {
    const char *code;
    int result;
} codes[] = {
    {"known",    PB_DUP   },
    {"busy",     PB_RETRY },
    {"bad_sign", PB_AUTH  },
    {"partner",  PB_CONFIG},
};

static int
s_decode (void *instance, pb_call_t *call, const pb_message_t *message,
          const pb_response_t *response)
{
    demo_t *self = instance;
    pb_env_t env = {self->host, call};
    const char *why = NULL;
    (void) message;
    const pb_json_t *answer =
        response->status == 200 ? pb_json_read (&env, response->body, &why) : NULL;
    const pb_json_t *ok = pb_json_get (answer, "ok");
    //  Silence, 5xx and nonsense say nothing about the report: it goes again.
    if (!ok || ok->kind != PB_JSON_BOOL)
        return pb_fail (&env, PB_RETRY, NULL,
                        _ ("Example Parking gave no answer (HTTP %u)"),
                        (unsigned) response->status);
    if (pb_equal (ok->text, "true"))
        return PB_OK;
    const char *code = pb_json_text (pb_json_get (answer, "code"));
    for (size_t i = 0; i < PB_COUNT (codes); i++)
        if (pb_equal (code, codes[i].code))
            return pb_fail (&env, codes[i].result, code, _ ("Example Parking says %s"),
                            code);
    return pb_fail (&env, PB_REJECT, code, _ ("Example Parking does not take it: %s"),
                    code ? code : "");
}

//  ---------------------------------------------------------------- they tell us

//  Their form of saying no; ours to the operator goes with the result.
static int
s_refuse (const pb_env_t *env, int result, uint64_t http, const char *body,
          const char *sentence)
{
    int rc = pb_reply_text (env, http, pb_media_json, body);
    return rc == PB_OK ? pb_fail (env, result, NULL, "%s", sentence) : rc;
}

static int
s_capture (const pb_env_t *env, pb_taken_t *taken)
{
    //  The order number makes the push what it is; with another amount it is a lie.
    const char *key =
        pb_format (env, "paid:%s", pb_pairs_get (&taken->data, "payment"));
    const char *content = pb_format (env, "%s|%s|%s", taken->lot, taken->visit,
                                     pb_pairs_get (&taken->data, "amount"));
    if (!key || !content || !pb_pairs_add (env, &taken->data, "witness", "push", false)
        || !pb_pairs_add (env, &taken->data, "tender", "online", false))
        return PB_NOMEM;
    int again = env->host->once (env->call, key, content);
    if (again != PB_OK && again != PB_DUP)
        return again;
    int rc = again == PB_OK ? pb_emit_taken (env, "pay.captured", taken) : PB_OK;
    //  The reply leaves only when the event is on disk; to a repeat, the first one
    //  does.
    if (rc == PB_OK)
        rc = pb_reply_text (env, 200, pb_media_json, "{\"ok\":true}");
    return rc == PB_OK ? again : rc;
}

static int
s_receive (void *instance, pb_call_t *call, const pb_http_request_t *request)
{
    demo_t *self = instance;
    pb_env_t env = {self->host, call};
    const char *why = NULL;
    const pb_json_t *message = pb_json_read (&env, request->body, &why);
    if (!message || message->kind != PB_JSON_OBJECT)
        return s_refuse (&env, PB_BADMSG, 400, "{\"ok\":false,\"code\":\"json\"}",
                         why ? why : _ ("a push is not a JSON object"));
    //  First who says it, then what.
    int rc = s_verify (&env, message);
    if (rc == PB_AUTH)
        return s_refuse (&env, rc, 401, "{\"ok\":false,\"code\":\"bad_sign\"}",
                         _ ("a push is not signed with the secret"));
    pb_taken_t taken = {0};
    pb_codec_t codec = {.env = &env, .what = "paid", .json = message};
    if (rc == PB_OK)
        rc = pb_fields_read (&codec, paid, &taken);
    if (rc != PB_OK && codec.sentence)
        return s_refuse (&env, rc, 400, "{\"ok\":false,\"code\":\"field\"}",
                         codec.sentence);
    return rc == PB_OK ? s_capture (&env, &taken) : rc;
}

//  ---------------------------------------------------------------- the plugin

static int
s_create (const pb_host_t *host, pb_call_t *call, void **instance)
{
    pb_env_t env = {host, call};
    const char *enter_row = pb_fields_check (enter);
    const char *row = enter_row ? enter_row : pb_fields_check (paid);
    if (row)
        return pb_fail (&env, PB_BUG, NULL, _ ("the table row %s is not sound"), row);
    demo_t *self = calloc (1, sizeof *self);
    if (!self)
        return PB_NOMEM;
    self->host = host;
    *instance = self;
    return PB_OK;
}

static void
s_destroy (void *instance)
{
    free (instance);
}

PB_EXPORT const pb_plugin_t pb_plugin_v1 = {
    .magic = PB_PLUGIN_MAGIC,
    .struct_size = sizeof (pb_plugin_t),
    .abi_major = PB_ABI_MAJOR,
    .abi_minor = PB_ABI_MINOR,
    .kind = PB_CODEC,
    .name = "demo",
    .version = "1.0",
    .source = "Example Parking, interface for partners, 1.0",
    .options = options,
    .options_count = PB_COUNT (options),
    .routes = routes,
    .routes_count = ROUTES,
    .takes = takes,
    .policy = &policy,
    .create = s_create,
    .destroy = s_destroy,
    .encode = s_encode,
    .decode = s_decode,
    .receive = s_receive,
};
