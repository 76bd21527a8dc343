//  cmb_down.c - CMB as a driver's phone moves it: calc, pay, bind, unbind.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cmb.h"

static const char *const s_endpoints[] = {"Indata",        "Outdata", "SpaceInfo",
                                          "calc",          "pay",     "autoPayBind",
                                          "autoPayUnbind", NULL};

//  A driver's deed, as POST /sim/push/… describes it.
typedef struct {
    sim_platform_t *platform;
    cmb_t *cmb;
    json_object *what;
    json_object *result;
    unsigned *status;
    const char *lot, *plate;
    int64_t out_code; //  -1: none
} deed_t;

typedef struct {
    const char *kind;
    void (*play) (deed_t *self);
} deed_row_t;

static void
s_refuse (deed_t *self, unsigned status, const char *sentence)
{
    *self->status = status;
    json_set_text (self->result, "error", sentence);
}

static void
s_sign (deed_t *self, form_t *form)
{
    char sign[33];
    form_add (form, "appid", "%s", self->cmb->appid);
    cmb_sign (form, self->cmb->appsecret, sign);
    form_add (form, "sign", "%s", sign);
}

static char *
s_encoded (form_t *form)
{
    buffer_t body = {0};
    form_encode (form, &body);
    buffer_add (&body, "", 1);
    form_free (form);
    return body.data;
}

//  4.1: each case of the document says what its answer has to hold.
static void
s_check_calc (deed_t *self, json_object *answer, const sim_answer_t *got)
{
    cmb_case_t judged = {.platform = self->platform,
                         .endpoint = "calc",
                         .record = self->plate ? self->plate : ""};
    if (got->status != 200) {
        if (got->status >= 400 && got->status < 500)
            cmb_wrong (&judged, "", _ ("calc was answered HTTP %ld"), got->status);
        return;
    }
    cmb_check_json (&judged, cmb_answer, answer);
    if (judged.violations)
        return;
    int64_t status = json_number (answer, "status");
    json_object *data = json_member (answer, "data");
    if (status < 0 || status > 5)
        cmb_wrong (&judged, "status", _ ("calc was answered status %lld, not 0 to 5"),
                   (long long) status);
    if (status == 0)
        cmb_check_json (&judged, cmb_calc_data, data);
    else if (status == 2 && self->plate)
        cmb_check_json (&judged, cmb_calc_no_order, data);
    const char *plate = json_text (data, "vpl_number");
    if (self->plate && self->out_code < 0 && plate && !streq (plate, self->plate))
        cmb_wrong (&judged, "vpl_number", _ ("calc of %s was answered for %s"),
                   self->plate, plate);
}

//  Ask what is owed. The answer goes into the result; true: status 0.
static bool
s_ask (deed_t *self)
{
    form_t form = {0};
    sim_answer_t answer;
    form_add (&form, "park_code", "%s", self->lot);
    if (self->out_code >= 0)
        form_add (&form, "out_code", "%lld", (long long) self->out_code);
    if (self->plate)
        form_add (&form, "vpl_number", "%s", self->plate);
    s_sign (self, &form);
    char *body = s_encoded (&form);
    push_now (self->platform, "cmbParking/calc", body, &answer);
    free (body);

    json_object *json = json_read (answer.body.data, answer.body.size);
    pthread_mutex_lock (&self->platform->lock);
    books_count (self->platform, "sent", "calc",
                 answer.status ? "answered" : "unanswered");
    s_check_calc (self, json, &answer);
    pthread_mutex_unlock (&self->platform->lock);
    json_object *calc = json_object_new_object ();
    json_set_number (calc, "http", answer.status);
    json_set_number (calc, "ms", answer.took_ms);
    if (answer.status == 0)
        json_set_text (calc, "error", answer.error);
    bool found = answer.status == 200 && json_object_is_type (json, json_type_object)
                 && json_number (json, "status") == 0 && json_member (json, "data");
    json_object_object_add (calc, "answer", json);
    json_object_object_add (self->result, "calc", calc);
    buffer_free (&answer.body);
    return found;
}

//  Only cars that were reported in are asked for (5.3).
static bool
s_is_inside (deed_t *self)
{
    const char *record;
    if (!self->plate || json_object_get_boolean (json_member (self->what, "force")))
        return true;
    pthread_mutex_lock (&self->platform->lock);
    bool inside = cmb_inside (self->platform, self->lot, self->plate, &record) != NULL;
    pthread_mutex_unlock (&self->platform->lock);
    return inside;
}

static void
s_play_calc (deed_t *self)
{
    if (s_is_inside (self))
        s_ask (self);
    else
        s_refuse (self, 409, _ ("no Indata says that this car is inside"));
}

//  Under the lock: wait for the end of the first try and tell how it went.
static void
s_report (deed_t *self, int64_t id)
{
    char name[32];
    int64_t until = sim_monotonic_ms () + self->platform->push_timeout_ms + 1000;
    snprintf (name, sizeof name, "%" PRId64, id);
    json_object *push = json_member (books_section (self->platform, "pushes"), name);
    json_object *wait = json_member (self->what, "wait");
    if (!wait || json_object_get_boolean (wait)) {
        while (json_number (push, "tries") == 0
               && streq (json_text (push, "state"), "open") && !self->platform->stopping
               && sim_wait (self->platform, until)) {
        }
    }
    json_object_object_add (self->result, "push", json_copy (push));
}

//  A payment number that is never given twice; CMB prints it as text and as number.
static json_object *
s_new_order (cmb_t *cmb)
{
    char text[48];
    int64_t number = cmb->order_base * 100000 + ++cmb->orders;
    if (cmb->orders % 2)
        return json_object_new_int64 (number);
    snprintf (text, sizeof text, "%" PRId64 "cmb", number);
    return json_object_new_string (text);
}

//  Under the lock: money has moved at the bank; tell the lot until it has heard.
static void
s_pay (deed_t *self, const char *record, const char *bill, const char *plate,
       int64_t amount)
{
    form_t form = {0};
    int64_t paid_at = json_number (self->what, "time");
    if (paid_at == 0)
        paid_at = time (NULL);
    json_object *order = s_new_order (self->cmb);
    char *number = xstrdup (json_object_get_string (order));
    json_object *item = json_object_new_object (), *list = json_object_new_array ();
    json_set_number (item, "pay_type", 99);
    json_set_number (item, "amount", amount);
    json_object_object_add (item, "order", order);
    json_object_array_add (list, item);
    form_add (&form, "park_code", "%s", self->lot);
    form_add (&form, "vpl_number", "%s", plate);
    form_add (&form, "record_id", "%s", record);
    form_add (&form, "bill_id", "%s", bill);
    form_add (&form, "pay_time", "%" PRId64, paid_at);
    form_add (&form, "pay_list", "%s",
              json_object_to_json_string_ext (list, JSON_C_TO_STRING_PLAIN));
    json_object_put (list);
    s_sign (self, &form);

    json_object *payment = json_object_new_object ();
    json_set_text (payment, "record_id", record);
    json_set_text (payment, "bill_id", bill);
    json_set_text (payment, "plate", plate);
    json_set_text (payment, "lot", self->lot);
    json_set_number (payment, "amount", amount);
    json_set_number (payment, "pay_time", paid_at);
    json_set_text (payment, "state", "open");
    json_object_object_add (books_section (self->platform, "payments"), number,
                            payment);
    json_set_text (self->result, "order", number);
    json_set_text (self->result, "record_id", record);
    json_set_number (self->result, "amount", amount);
    char *body = s_encoded (&form);
    int64_t id = push_owe (self->platform, "pay", "cmbParking/pay", NULL, body, number);
    free (body);
    free (number);
    s_report (self, id);
}

//  The driver looks at the price and pays it; `record_id` and `amount` skip the look.
static void
s_play_pay (deed_t *self)
{
    int64_t amount = json_number (self->what, "amount");
    const char *record = json_text (self->what, "record_id");
    const char *bill = json_text (self->what, "bill_id");
    const char *plate = self->plate;
    if (!record) {
        if (!s_is_inside (self)) {
            s_refuse (self, 409, _ ("no Indata says that this car is inside"));
            return;
        }
        if (!s_ask (self))
            return;
        json_object *data = json_member (
            json_member (json_member (self->result, "calc"), "answer"), "data");
        const char *seen = json_text (data, "vpl_number");
        record = json_text (data, "record_id");
        bill = json_text (data, "bill_id");
        plate = seen && *seen ? seen : plate;
        if (amount == 0)
            amount = json_number (json_member (data, "charge"), "should_pay");
    }
    if (!record || !plate || amount <= 0)
        return; //  Nothing to pay
    pthread_mutex_lock (&self->platform->lock);
    s_pay (self, record, bill ? bill : "", plate, amount);
    pthread_mutex_unlock (&self->platform->lock);
}

//  Under the lock: the lot is told only of cars that are inside.
static void
s_tell_binding (deed_t *self, const char *endpoint, const char *path, form_t *form)
{
    const char *record;
    bool force = json_object_get_boolean (json_member (self->what, "force"));
    if (!force && !cmb_inside (self->platform, self->lot, self->plate, &record)) {
        form_free (form);
        return;
    }
    buffer_t key = {0};
    buffer_printf (&key, "%s/%s", self->lot, self->plate);
    buffer_add (&key, "", 1);
    s_sign (self, form);
    char *body = s_encoded (form);
    int64_t id = push_owe (self->platform, endpoint, path, key.data, body, NULL);
    free (body);
    buffer_free (&key);
    s_report (self, id);
}

static void
s_play_bind (deed_t *self)
{
    form_t form = {0};
    int64_t limit = json_number (self->what, "limit");
    if (!self->plate) {
        s_refuse (self, 400, _ ("say which plate"));
        return;
    }
    pthread_mutex_lock (&self->platform->lock);
    json_set_number (books_section (self->platform, "bound"), self->plate, limit);
    form_add (&form, "park_code", "%s", self->lot);
    form_add (&form, "vpl_number", "%s", self->plate);
    form_add (&form, "auto_pay_type", "0");
    form_add (&form, "limiter", "%" PRId64, limit);
    form_add (&form, "serial_no", "S%016" PRIx64, sim_random (&self->platform->random));
    form_add (&form, "post_url", "http://127.0.0.1:%d/api/AutoPay",
              self->platform->port);
    s_tell_binding (self, "autoPayBind", "cmbParking/autoPayBind", &form);
    pthread_mutex_unlock (&self->platform->lock);
}

static void
s_play_unbind (deed_t *self)
{
    form_t form = {0};
    if (!self->plate) {
        s_refuse (self, 400, _ ("say which plate"));
        return;
    }
    pthread_mutex_lock (&self->platform->lock);
    json_object_object_del (books_section (self->platform, "bound"), self->plate);
    form_add (&form, "park_code", "%s", self->lot);
    form_add (&form, "vpl_number", "%s", self->plate);
    s_tell_binding (self, "autoPayUnbind", "cmbParking/autoPayUnbind", &form);
    pthread_mutex_unlock (&self->platform->lock);
}

static const deed_row_t s_deeds[] = {
    {"calc",   s_play_calc  },
    {"pay",    s_play_pay   },
    {"bind",   s_play_bind  },
    {"unbind", s_play_unbind},
};

//  The car park meant; the only one when none is named.
static const char *
s_lot (cmb_t *cmb, json_object *what)
{
    json_object *lot = json_member (what, "lot");
    if (lot)
        return json_object_get_string (lot);
    json_object_object_foreach (cmb->lots, name, value)
    {
        (void) value;
        return json_object_object_length (cmb->lots) == 1 ? name : NULL;
    }
    return NULL;
}

json_object *
cmb_push (sim_platform_t *self, const char *kind, json_object *what, unsigned *status)
{
    deed_t deed = {.platform = self,
                   .cmb = self->state,
                   .what = what,
                   .result = json_object_new_object (),
                   .status = status,
                   .plate = json_text (what, "plate"),
                   .out_code = -1};
    deed.lot = s_lot (deed.cmb, what);
    if (json_member (what, "out_code"))
        deed.out_code = json_number (what, "out_code");
    for (size_t i = 0; i < ARRAY_SIZE (s_deeds); i++) {
        if (!streq (s_deeds[i].kind, kind))
            continue;
        if (deed.lot)
            s_deeds[i].play (&deed);
        else
            s_refuse (&deed, 400, _ ("say which lot"));
        return deed.result;
    }
    s_refuse (&deed, 404, _ ("CMB pushes calc, pay, bind and unbind"));
    return deed.result;
}

bool
cmb_accepted (sim_platform_t *self, const char *endpoint, const char *record,
              const sim_answer_t *answer)
{
    cmb_case_t judged = {.platform = self, .endpoint = endpoint, .record = record};
    if (answer->status >= 400 && answer->status < 500)
        cmb_wrong (&judged, "", _ ("%s was answered HTTP %ld"), endpoint,
                   answer->status);
    if (answer->status != 200)
        return false;
    json_object *json = json_read (answer->body.data, answer->body.size);
    cmb_check_json (&judged, cmb_answer, json);
    bool accepted = judged.violations == 0 && json_number (json, "status") == 0;
    json_object_put (json);
    return accepted;
}

//  --------------------------------------------------------------------- the module

typedef struct {
    json_object *entries, *exits;
} cmb_lot_t;

static const setting_t s_lot_settings[] = {
    SETTING ("entries", cmb_lot_t, entries, LIST, false, 0, 0),
    SETTING ("exits", cmb_lot_t, exits, LIST, false, 0, 0),
    SETTING_END,
};

static const setting_t s_settings[] = {
    SETTING ("appid", cmb_t, appid, TEXT, true, 0, 0),
    SETTING ("appsecret", cmb_t, appsecret, TEXT, true, 0, 0),
    SETTING ("lots", cmb_t, lots, MAP, true, 0, 0),
    SETTING ("bound", cmb_t, bound, MAP, false, 0, 0),
    SETTING_END,
};

static bool
s_start (sim_platform_t *self, const char *where, pb_error_t *error)
{
    cmb_t *cmb = self->state;
    cmb->order_base = time (NULL); //  Another run gives other numbers
    json_object_object_foreach (cmb->lots, name, lot)
    {
        cmb_lot_t lanes = {0};
        int64_t code;
        char place[256];
        settings_place (lot, where, place, sizeof place);
        setting_table_t table = {s_lot_settings, &lanes};
        if (!text_int64 (SPAN (name), 1, INT64_MAX, &code))
            return pb_error (error, PB_E_CONFIG, "lots",
                             _ ("%s: the car park '%s' has to be a number"), place,
                             name);
        if (!settings_read (lot, where, &table, 1, error))
            return false;
    }
    json_object *bound = books_section (self, "bound");
    if (!cmb->bound)
        return true;
    json_object_object_foreach (cmb->bound, plate, limit)
    {
        int64_t fen = 0;
        char place[256];
        settings_place (limit, where, place, sizeof place);
        if (!settings_number (limit, &fen) || fen < 0)
            return pb_error (error, PB_E_CONFIG, "bound",
                             _ ("%s: the limit of %s has to be a number of fen"), place,
                             plate);
        json_set_number (bound, plate, fen);
    }
    return true;
}

static void
s_stop (sim_platform_t *self)
{
    cmb_t *cmb = self->state;
    free (cmb->appid);
    free (cmb->appsecret);
}

static void
s_refuse_request (sim_platform_t *self, sim_reply_t *reply)
{
    (void) self;
    cmb_reply (reply, 1, "系统繁忙", NULL);
}

const sim_module_t sim_cmb = {
    .name = "cmb",
    .endpoints = s_endpoints,
    .settings = s_settings,
    .state_size = sizeof (cmb_t),
    .start = s_start,
    .stop = s_stop,
    .find = cmb_find,
    .request = cmb_request,
    .refuse = s_refuse_request,
    .push = cmb_push,
    .accepted = cmb_accepted,
};
