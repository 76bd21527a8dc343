//  cmb_push.c - what CMB tells and asks the car park (chapter 4), and our answers.

#include <inttypes.h>
#include <string.h>
#include "cmb.h"
#include "cmb_codes.h"
#include "cmb_tables.h"

//  One push in hand.
typedef struct {
    pb_env_t env;
    const cmb_endpoint_t *endpoint;
    pb_taken_t taken;
} push_t;

//  A question in hand, kept until its answer.
typedef struct {
    const char *plate;
    const char *mode;
} question_t;

//  Document 3.4: {"status":…,"message":…}, then what the table gave.
static int
s_reply (const pb_env_t *env, uint64_t http, const char *status, const char *message,
         const pb_pairs_t *more)
{
    pb_pairs_t members = {NULL, 0, 0};
    bool room = pb_pairs_add (env, &members, "status", status, true)
                && pb_pairs_add (env, &members, "message", message, false);
    for (size_t i = 0; room && more && i < more->count; i++)
        room = pb_pairs_add (env, &members, more->items[i].name, more->items[i].value,
                             more->items[i].bare);
    pb_buffer_t json = {.env = env};
    if (!room)
        return PB_NOMEM;
    pb_json_write (&json, &members);
    return pb_reply_text (env, http, pb_media_json, pb_done (&json));
}

//  Say no to CMB, and why to our own operator. `message` NULL: both hear the sentence.
static int
s_refuse (const pb_env_t *env, int result, uint64_t http, const char *message,
          const char *sentence)
{
    int rc = s_reply (env, http, "1", message ? message : sentence, NULL);
    if (rc != PB_OK)
        return rc;
    return pb_fail (env, result, NULL, "%s", sentence ? sentence : message);
}

static int
s_done (const pb_env_t *env)
{
    return s_reply (env, 200, "0", "success", NULL);
}

//  ---------------------------------------------------------------- pay

//  Members that every payment of the push shares.
static bool
s_start_payment (push_t *push, pb_taken_t *event)
{
    const pb_env_t *env = &push->env;
    const pb_taken_t *taken = &push->taken;
    char paid_at[PB_MOMENT_SIZE];
    pb_moment_write (taken->time_ms, PB_CHINA_S, paid_at);
    *event =
        (pb_taken_t){.lot = taken->lot, .time_ms = taken->time_ms, .ext = taken->ext};
    //  A record_id that is no visit of ours: the money counts all the same.
    if (pb_is_visit (taken->visit))
        event->visit = taken->visit;
    else if (!pb_pairs_add (env, &event->ext, "record_id", taken->visit, false))
        return false;
    const char *guaranteed =
        env->host->lot_option (env->call, taken->lot, "guaranteed");
    if (pb_equal (guaranteed, "true")
        && !pb_pairs_add (env, &event->data, "guaranteed", "true", true))
        return false;
    const char *quote = pb_pairs_get (&taken->data, "quote");
    if (quote && !pb_pairs_add (env, &event->data, "quote", quote, false))
        return false;
    const char *at = pb_copy (env, paid_at, strlen (paid_at));
    return at && pb_pairs_add (env, &event->data, "paid_at", at, false)
           && pb_pairs_add (env, &event->data, "witness", "push", false)
           && pb_pairs_add (env, &event->data, "plate",
                            pb_pairs_get (&taken->data, "plate"), false);
}

//  One payment of pay_list. Its natural key is CMB's order number.
static int
s_capture (push_t *push, const pb_json_t *item)
{
    const pb_env_t *env = &push->env;
    const char *order = pb_json_text (pb_json_get (item, "payment"));
    const char *amount = pb_json_text (pb_json_get (item, "amount"));
    const char *pay_type = pb_json_text (pb_json_get (item, "ext.pay_type"));
    const char *key = pb_format (env, "pay:%s", order);
    const char *content =
        pb_format (env, "%s|%s|%s", amount, push->taken.visit, push->taken.lot);
    if (!key || !content)
        return PB_NOMEM;
    int rc = env->host->once (env->call, key, content);
    if (rc != PB_OK)
        return rc;
    pb_taken_t event;
    if (!s_start_payment (push, &event)
        || !pb_pairs_add (env, &event.data, "amount", amount, true)
        || !pb_pairs_add (env, &event.data, "payment", order, false)
        || !pb_pairs_add (env, &event.data, "tender",
                          pb_json_text (pb_json_get (item, "tender")), false)
        || (pay_type && !pb_pairs_add (env, &event.ext, "pay_type", pay_type, false)))
        return PB_NOMEM;
    return pb_emit_taken (env, push->endpoint->type, &event);
}

//  Was this order number in the list before? Then *same tells whether its amount was
//  too.
static bool
s_before (const pb_json_t *list, const pb_json_t *item, bool *same)
{
    const char *order = pb_json_text (pb_json_get (item, "payment"));
    for (const pb_json_t *earlier = list->first; earlier != item;
         earlier = earlier->next)
        if (pb_equal (pb_json_text (pb_json_get (earlier, "payment")), order)) {
            *same = pb_equal (pb_json_text (pb_json_get (earlier, "amount")),
                              pb_json_text (pb_json_get (item, "amount")));
            return true;
        }
    return false;
}

//  Each order number once. Everything is checked before the first is told.
static int
s_pay (push_t *push)
{
    const pb_env_t *env = &push->env;
    const char *text = pb_pairs_get (&push->taken.data, "payments");
    const char *why = NULL;
    const pb_json_t *list = pb_json_read (env, PB_BYTES (text), &why);
    bool same = true;
    if (!list)
        return PB_NOMEM;
    if (!list->first)
        return s_refuse (env, PB_BADMSG, 200, NULL,
                         _ ("pay: pay_list holds no payment"));
    for (const pb_json_t *item = list->first; item; item = item->next)
        if (s_before (list, item, &same) && !same)
            return s_refuse (env, PB_BADMSG, 200, NULL,
                             _ ("pay: pay_list names one order with two amounts"));
    size_t fresh = 0;
    for (const pb_json_t *item = list->first; item; item = item->next) {
        if (s_before (list, item, &same))
            continue;
        int rc = s_capture (push, item);
        if (rc != PB_OK && rc != PB_DUP)
            return s_refuse (env, rc, 200, NULL,
                             _ ("pay: the payment could not be recorded"));
        fresh += rc == PB_OK;
    }
    int rc = s_done (env);
    return rc == PB_OK && !fresh ? PB_DUP : rc;
}

//  ---------------------------------------------------------------- binds

static int
s_bind (push_t *push)
{
    const pb_env_t *env = &push->env;
    if (!pb_pairs_add (env, &push->taken.data, "scope", "plate", false))
        return PB_NOMEM;
    int rc = pb_emit_taken (env, push->endpoint->type, &push->taken);
    if (rc != PB_OK)
        return s_refuse (env, rc, 200, NULL, _ ("the binding could not be recorded"));
    return s_done (env);
}

//  ---------------------------------------------------------------- calc

static const struct {
    bool lane, plate;
    const char *mode;
} modes[] = {
    {true,  false, "lane"     }, //  出口扫码计费
    {false, true,  "plate"    }, //  普通车牌查费
    {true,  true,  "plateless"}, //  无牌车查费
};

static const char *
s_mode (bool lane, bool plate)
{
    for (size_t i = 0; i < PB_COUNT (modes); i++)
        if (modes[i].lane == lane && modes[i].plate == plate)
            return modes[i].mode;
    return NULL;
}

static int
s_calc (push_t *push)
{
    const pb_env_t *env = &push->env;
    const pb_taken_t *taken = &push->taken;
    question_t *question = pb_alloc (env, sizeof *question);
    if (!question)
        return PB_NOMEM;
    question->plate = pb_pairs_get (&taken->data, "plate");
    question->mode = s_mode (taken->lane, question->plate);
    pb_pairs_t body = {NULL, 0, 0};
    if (!question->mode || !pb_pairs_add (env, &body, "mode", question->mode, false)
        || (question->plate
            && !pb_pairs_add (env, &body, "plate", question->plate, false))
        || (taken->lane && !pb_pairs_add (env, &body, "lane", taken->lane, false)))
        return PB_NOMEM;
    env->call->plugin = question;
    int rc = pb_ask_members (env, push->endpoint->type, taken->lot, taken->lane, &body);
    if (rc == PB_OK)
        return PB_MORE;
    return s_refuse (env, rc, 200, "无法访问计费系统",
                     _ ("calc: fee.quote could not be asked"));
}

//  Document 4.1: what an outcome of fee.quote is to CMB. `plate`: say it, "" if none.
static const struct {
    const char *outcome;
    const char *status;
    const char *message;
    bool plate;
    bool order;
} outcomes[] = {
    {"found",           "0", "success",                        true,  true },
    {"no_session",      "2", "无记录",                      true,  false},
    {"no_car",          "2", "无记录，出口无车",       true,  false},
    {"no_plate",        "3", "未获取车牌",                false, false},
    {"unknown_vehicle", "4", "未知车型",                   false, false},
    {"no_tariff",       "5", "计费规则相关配置错误", false, false},
    {"busy",            "1", "正在扣费，请稍后再试", false, false},
};

//  Document 4.1, the table of plateless cars: what stands at the exit decides the
//  plate.
static const char *
s_plate (const question_t *question, const pb_json_t *reply)
{
    const char *outcome = pb_json_text (pb_json_get (reply, "outcome"));
    const char *car = pb_json_text (pb_json_get (reply, "car"));
    const char *plate = pb_json_text (pb_json_get (reply, "plate"));
    bool plateless = pb_equal (question->mode, "plateless");
    if (pb_equal (outcome, "no_car") || (plateless && pb_equal (car, "none")))
        return "";
    if (plate)
        return plate;
    return question->plate ? question->plate : "";
}

//  The plate as CMB writes plates.
static bool
s_add_plate (pb_codec_t *codec, pb_pairs_t *more, const char *plate)
{
    pb_value_t value = {plate, 0, NULL};
    pb_wire_t wire = {NULL, false, NULL};
    if (cmb_plate.out (codec, &cmb_plate, &value, &wire) != PB_DONE)
        wire.text = plate;
    return pb_pairs_add (codec->env, more, "data.vpl_number", wire.text, false);
}

static int
s_answer_outcome (const pb_env_t *env, const question_t *question, size_t outcome,
                  const pb_json_t *reply)
{
    pb_pairs_t more = {NULL, 0, 0};
    pb_codec_t codec = pb_codec_out (env, "calc", NULL, reply);
    if (outcomes[outcome].plate
        && !s_add_plate (&codec, &more, s_plate (question, reply)))
        return PB_NOMEM;
    int rc = PB_OK;
    if (outcomes[outcome].order)
        rc = pb_fields_write (&codec, cmb_endpoints[CMB_CALC].answer, &more);
    if (rc == PB_REJECT) {
        pb_log (env, PB_LOG_ERROR,
                _ ("the billing program's reply to fee.quote will not "
                   "do: %s"),
                codec.sentence);
        return s_reply (env, 200, "1", "计费系统的回答不完整", NULL);
    }
    if (rc != PB_OK)
        return rc;
    return s_reply (env, 200, outcomes[outcome].status, outcomes[outcome].message,
                    &more);
}

int
cmb_answer (void *instance, pb_call_t *call, const pb_answer_t *answer)
{
    cmb_t *self = instance;
    pb_env_t env = {self->host, call};
    const question_t *question = call->plugin;
    const char *why = NULL;
    if (!question)
        return PB_BUG;
    if (answer->code)
        return s_reply (&env, 200, "1",
                        pb_equal (answer->code, "timeout") ? "计费系统超时"
                                                           : "无法访问计费系统",
                        NULL);
    const pb_json_t *reply = pb_json_read (&env, answer->body, &why);
    const char *outcome = pb_json_text (pb_json_get (reply, "outcome"));
    for (size_t i = 0; i < PB_COUNT (outcomes); i++)
        if (pb_equal (outcome, outcomes[i].outcome))
            return s_answer_outcome (&env, question, i, reply);
    pb_log (&env, PB_LOG_ERROR,
            _ ("the billing program's reply to fee.quote has no outcome "
               "of the contract"));
    return s_reply (&env, 200, "1", "计费系统的回答无法识别", NULL);
}

//  ---------------------------------------------------------------- all of them

static int (*const handlers[CMB_ROUTES]) (push_t *push) = {
    [CMB_CALC] = s_calc,
    [CMB_PAY] = s_pay,
    [CMB_BIND] = s_bind,
    [CMB_UNBIND] = s_bind,
};

//  Document 3.2, over the decoded values; fields we do not know take part.
static int
s_check_sign (const pb_env_t *env, const pb_pairs_t *form)
{
    const char *text = pb_form_canonical (env, form, cmb_unsigned);
    if (!text)
        return PB_NOMEM;
    return pb_md5_check (env, cmb_key, text, pb_pairs_get (form, "sign"));
}

int
cmb_receive (void *instance, pb_call_t *call, const pb_http_request_t *request)
{
    cmb_t *self = instance;
    push_t push = {
        .env = {self->host, call}
    };
    const pb_env_t *env = &push.env;
    const char *why = NULL;
    pb_pairs_t form;
    if (request->route >= CMB_ROUTES)
        return PB_BUG;
    push.endpoint = &cmb_endpoints[request->route];
    int rc = pb_form_read (env, request->body, &form, &why);
    if (rc == PB_BADMSG) {
        why = pb_format (env, "%s: %s", push.endpoint->name, why);
        return why ? s_refuse (env, rc, 400, NULL, why) : PB_NOMEM;
    }
    if (rc == PB_OK)
        rc = s_check_sign (env, &form);
    if (rc == PB_AUTH)
        return s_refuse (env, rc, 200, "签名错误",
                         pb_format (env,
                                    _ ("%s: the signature does not fit; `parkbus "
                                       "verify cmb` tells where it parts"),
                                    push.endpoint->name));
    pb_codec_t codec = {.env = env, .what = push.endpoint->name, .form = &form};
    if (rc == PB_OK)
        rc = pb_fields_read (&codec, cmb_common, &push.taken);
    if (rc == PB_OK)
        rc = pb_fields_read (&codec, push.endpoint->request, &push.taken);
    if (rc != PB_OK)
        return codec.sentence ? s_refuse (env, rc, 200, NULL, codec.sentence) : rc;
    return handlers[request->route](&push);
}
