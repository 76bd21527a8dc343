//  cmb_report.c - what the car park reports to CMB (chapter 5), and what CMB answers.

#include <string.h>
#include "cmb.h"
#include "cmb_tables.h"

static const cmb_endpoint_t *
s_endpoint (const char *type)
{
    for (const cmb_endpoint_t *row = cmb_endpoints; row->name; row++)
        if (row->way == CMB_UP && pb_equal (row->type, type))
            return row;
    return NULL;
}

//  The body: appid, the endpoint's fields, and the signature over all of them.
static int
s_body (pb_codec_t *codec, const cmb_endpoint_t *endpoint, const char **body)
{
    const pb_env_t *env = codec->env;
    pb_pairs_t fields = {NULL, 0, 0};
    int rc = pb_fields_write (codec, cmb_common, &fields);
    if (rc == PB_OK)
        rc = pb_fields_write (codec, endpoint->request, &fields);
    if (rc == PB_REJECT)
        return pb_fail (env, rc, NULL, "%s", codec->sentence);
    const char *text =
        rc == PB_OK ? pb_form_canonical (env, &fields, cmb_unsigned) : NULL;
    if (!text)
        return PB_NOMEM;
    const char *sign = pb_md5_hex (env, cmb_key, text);
    if (!sign)
        return PB_CONFIG;
    pb_buffer_t form = {.env = env};
    if (!pb_pairs_add (env, &fields, "sign", sign, false))
        return PB_NOMEM;
    pb_form_write (&form, &fields);
    *body = pb_done (&form);
    return *body ? PB_OK : PB_NOMEM;
}

int
cmb_encode (void *instance, pb_call_t *call, const pb_message_t *message,
            pb_request_t *request)
{
    cmb_t *self = instance;
    pb_env_t env = {self->host, call};
    const cmb_endpoint_t *endpoint = s_endpoint (message->type);
    if (message->kind != PB_MESSAGE_EVENT || !endpoint)
        return pb_fail (&env, PB_UNSUPPORTED, NULL, _ ("CMB has no interface for %s"),
                        message->type);
    const char *why = NULL;
    const pb_json_t *data = pb_json_read (&env, message->data, &why);
    if (!data)
        return pb_fail (&env, PB_BUG, NULL, _ ("the data of %s %s is not JSON: %s"),
                        message->type, message->id ? message->id : "", why);
    //  SpaceInfo knows the whole lot only.
    if (pb_json_get (data, "area") && pb_equal (message->type, "space.changed"))
        return PB_UNSUPPORTED;
    pb_codec_t codec = pb_codec_out (&env, endpoint->name, message, data);
    const char *body = NULL;
    int rc = s_body (&codec, endpoint, &body);
    if (rc != PB_OK)
        return rc;
    return pb_request_text (&env, request, endpoint->path, pb_media_form, body);
}

//  ---------------------------------------------------------------- answers

//  The document has one number for every refusal; what kind it is, CMB says in words only
//  (6.1, 6.6; "it is there already" is what a repeated report may hear).
static const struct {
    const char *word;
    int result;
} refusals[] = {
    {"签名",       PB_AUTH},
    {"验签",       PB_AUTH},
    {"校验失败", PB_AUTH},
    {"appid",        PB_AUTH},
    {"AppID",        PB_AUTH},
    {"APPID",        PB_AUTH},
    {"appsecret",    PB_AUTH},
    {"已存在",    PB_DUP },
    {"重复",       PB_DUP },
};

static int
s_refusal (const char *message)
{
    for (size_t i = 0; i < PB_COUNT (refusals); i++)
        if (strstr (message, refusals[i].word))
            return refusals[i].result;
    return PB_REJECT;
}

//  A report that CMB did not take in. Reports are idempotent by record_id, so whatever
//  is not CMB's own word is tried again.
static int
s_not_taken (const pb_env_t *env, const cmb_endpoint_t *endpoint,
             const pb_response_t *response, const char *why)
{
    const char *code = pb_format (env, "%u", (unsigned) response->status);
    if (!response->status)
        return pb_fail (env, PB_RETRY, NULL, _ ("CMB gave no answer to %s"),
                        endpoint->name);
    if (response->status == 401 || response->status == 403)
        return pb_fail (
            env, PB_AUTH, code,
            _ ("CMB answered %s with HTTP %u: is this address allowed there?"),
            endpoint->name, (unsigned) response->status);
    if (response->status != 200)
        return pb_fail (env, PB_RETRY, code, _ ("CMB answered %s with HTTP %u"),
                        endpoint->name, (unsigned) response->status);
    return pb_fail (env, PB_RETRY, NULL,
                    _ ("CMB's answer to %s is not its JSON: %s (%s)"), endpoint->name,
                    why ? why : _ ("no status in it"),
                    pb_show (env, response->body.data, response->body.size));
}

//  Indata's answer may carry the autopay state of the plate.
static int
s_emit_bind (const pb_env_t *env, const cmb_endpoint_t *endpoint,
             const pb_message_t *message, const pb_json_t *json)
{
    pb_codec_t codec = {.env = env, .what = endpoint->name, .json = json};
    pb_taken_t answer, event = {.lot = message->lot, .visit = message->visit};
    int rc = pb_fields_read (&codec, endpoint->answer, &answer);
    if (rc == PB_BADMSG) {
        //  The report itself was taken; only what came with it is nonsense.
        pb_log (env, PB_LOG_WARNING, "%s", codec.sentence);
        return PB_OK;
    }
    const char *bound = rc == PB_OK ? pb_pairs_get (&answer.data, "bound") : NULL;
    if (!bound)
        return rc;
    const char *why = NULL;
    const char *plate =
        pb_json_text (pb_json_get (pb_json_read (env, message->data, &why), "plate"));
    const char *limit = pb_pairs_get (&answer.data, "limit");
    bool added = pb_equal (bound, "true");
    if (!plate || !pb_pairs_add (env, &event.data, "plate", plate, false)
        || !pb_pairs_add (env, &event.data, "scope", "plate", false)
        || (added && limit && !pb_pairs_add (env, &event.data, "limit", limit, true)))
        return PB_NOMEM;
    return pb_emit_taken (env, added ? "bind.added" : "bind.removed", &event);
}

int
cmb_decode (void *instance, pb_call_t *call, const pb_message_t *message,
            const pb_response_t *response)
{
    cmb_t *self = instance;
    pb_env_t env = {self->host, call};
    const cmb_endpoint_t *endpoint = s_endpoint (message->type);
    if (!endpoint)
        return PB_BUG;
    const char *why = NULL;
    const pb_json_t *json = NULL;
    int64_t status = 0;
    if (response->status == 200)
        json = pb_json_read (&env, response->body, &why);
    if (!pb_json_int (pb_json_get (json, "status"), INT32_MIN, INT32_MAX, &status))
        return s_not_taken (&env, endpoint, response, why);
    if (status == 0)
        return endpoint->answer ? s_emit_bind (&env, endpoint, message, json) : PB_OK;
    const char *message_text = pb_json_text (pb_json_get (json, "message"));
    const char *text = message_text ? message_text : "";
    return pb_fail (&env, s_refusal (text), pb_json_text (pb_json_get (json, "status")),
                    _ ("CMB refused %s with status %lld: %s"), endpoint->name,
                    (long long) status, pb_show (&env, text, strlen (text)));
}
