//  cmb_up.c - CMB as the lot sees it: Indata, Outdata, SpaceInfo, answered and booked.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmb.h"

//  One request, from its form to its answer.
typedef struct {
    cmb_case_t judged;
    sim_platform_t *platform;
    cmb_t *cmb;
    form_t form;
    const char *lot, *record;
    char *said;        //  What was signed: the same content or another
    const char *words; //  CMB's own, where its document has them
    json_object *data;
} upload_t;

typedef struct {
    const char *name;
    const char *path;
    const rule_t *rules;
    void (*book) (upload_t *self);
} endpoint_t;

void
cmb_reply (sim_reply_t *reply, int status, const char *message, json_object *data)
{
    json_object *json = json_object_new_object ();
    json_set_number (json, "status", status);
    json_set_text (json, "message", message);
    if (data)
        json_object_object_add (json, "data", data);
    buffer_text (&reply->body,
                 json_object_to_json_string_ext (json, JSON_C_TO_STRING_PLAIN));
    json_object_put (json);
}

json_object *
cmb_inside (sim_platform_t *self, const char *lot, const char *plate,
            const char **record)
{
    json_object_object_foreach (books_section (self, "visits"), name, visit)
    {
        if (json_object_get_boolean (json_member (visit, "inside"))
            && streq (json_text (visit, "lot"), lot)
            && streq (json_text (visit, "plate"), plate)) {
            *record = name;
            return visit;
        }
    }
    return NULL;
}

static int64_t
s_number (const upload_t *self, const char *name)
{
    int64_t value = 0;
    const char *text = form_get (&self->form, name);
    text_int64 (SPAN (text), INT64_MIN, INT64_MAX, &value);
    return value;
}

//  A lane that the console knows (document 6.8).
static void
s_check_lane (upload_t *self, const char *field, const char *direction)
{
    json_object *lanes =
        json_member (json_member (self->cmb->lots, self->lot), direction);
    int64_t lane = s_number (self, field), known = -1;
    for (size_t i = 0; lanes && i < json_object_array_length (lanes); i++) {
        settings_number (json_object_array_get_idx (lanes, i), &known);
        if (known == lane)
            return;
    }
    if (lanes)
        cmb_wrong (&self->judged, field, _ ("the console has no lane %lld for %s"),
                   (long long) lane, field);
}

//  The same request may come again, another one under the same record may not.
static bool
s_is_repeat (upload_t *self, json_object *earlier)
{
    if (!earlier)
        return false;
    if (streq (json_text (earlier, "said"), self->said))
        json_set_number (earlier, "repeats", json_number (earlier, "repeats") + 1);
    else
        cmb_wrong (&self->judged, "record_id",
                   _ ("record %s came before with other content"), self->record);
    return true;
}

//  Whether this car pays by itself (`data` of Indata's answer).
static void
s_answer_uid (upload_t *self)
{
    json_object *limit = json_member (books_section (self->platform, "bound"),
                                      form_get (&self->form, "vpl_number"));
    self->data = json_object_new_object ();
    json_set_number (self->data, "uid", limit ? 1 : 0);
    if (limit)
        json_object_object_add (self->data, "limit", json_copy (limit));
}

static void
s_book_in (upload_t *self)
{
    json_object *visits = books_section (self->platform, "visits");
    json_object *visit = json_member (visits, self->record);
    s_check_lane (self, "in_code", "entries");
    if (s_is_repeat (self, visit) || self->judged.violations) {
        s_answer_uid (self);
        return;
    }
    visit = json_object_new_object ();
    json_set_text (visit, "lot", self->lot);
    json_set_text (visit, "plate", form_get (&self->form, "vpl_number"));
    json_set_number (visit, "in_code", s_number (self, "in_code"));
    json_set_number (visit, "in_time", s_number (self, "in_time"));
    json_set_number (visit, "car_type", s_number (self, "car_type"));
    json_set_number (visit, "auth_type", s_number (self, "auth_type"));
    json_set_flag (visit, "inside", true);
    json_set_text (visit, "said", self->said);
    json_object_object_add (visits, self->record, visit);
    s_answer_uid (self);
}

//  What is reported as paid through CMB has to be a payment that CMB knows.
static void
s_check_items (upload_t *self, json_object *items)
{
    json_object *payments = books_section (self->platform, "payments");
    for (size_t i = 0; i < json_object_array_length (items); i++) {
        json_object *item = json_object_array_get_idx (items, i);
        const char *serial = json_text (item, "seq_num");
        json_object *payment = json_member (payments, serial ? serial : "");
        for (size_t j = 0; j < i; j++) {
            if (streq (json_text (json_object_array_get_idx (items, j), "seq_num"),
                       serial)
                && serial && *serial)
                cmb_wrong (&self->judged, "seq_num", _ ("payment %s is listed twice"),
                           serial);
        }
        if (json_number (item, "pay_type") != 99)
            continue;
        if (!payment || !streq (json_text (payment, "record_id"), self->record))
            cmb_wrong (&self->judged, "seq_num",
                       _ ("record %s has no CMB payment '%s'"), self->record, serial);
        else if (json_number (payment, "amount") != json_number (item, "actual_pay"))
            cmb_wrong (&self->judged, "actual_pay",
                       _ ("payment %s was %lld fen, not %lld"), serial,
                       (long long) json_number (payment, "amount"),
                       (long long) json_number (item, "actual_pay"));
    }
}

static void
s_compare_with_entry (upload_t *self, json_object *visit)
{
    const char *plate = form_get (&self->form, "vpl_number");
    if (!streq (json_text (visit, "lot"), self->lot))
        cmb_wrong (&self->judged, "park_code", _ ("record %s belongs to car park %s"),
                   self->record, json_text (visit, "lot"));
    if (json_number (visit, "in_code") != s_number (self, "in_code"))
        cmb_wrong (&self->judged, "in_code", _ ("record %s came in by lane %lld"),
                   self->record, (long long) json_number (visit, "in_code"));
    //  A car park may correct a plate or a time, and CMB has no message for it.
    if (!streq (json_text (visit, "plate"), plate))
        books_remark (self->platform, "Outdata", self->record,
                      _ ("came in as %s, went out as %s"), json_text (visit, "plate"),
                      plate);
    if (json_number (visit, "in_time") != s_number (self, "in_time"))
        books_remark (self->platform, "Outdata", self->record,
                      _ ("in_time was %lld, now %lld"),
                      (long long) json_number (visit, "in_time"),
                      (long long) s_number (self, "in_time"));
}

static void
s_book_out (upload_t *self)
{
    json_object *visit =
        json_member (books_section (self->platform, "visits"), self->record);
    s_check_lane (self, "out_code", "exits");
    if (s_number (self, "in_time") > s_number (self, "out_time"))
        cmb_wrong (&self->judged, "out_time", _ ("the car left before it came"));
    if (!visit) {
        cmb_wrong (&self->judged, "record_id", _ ("Outdata of %s came without Indata"),
                   self->record);
        return;
    }
    if (s_is_repeat (self, json_member (visit, "out")))
        return;
    const char *text = form_get (&self->form, "charge_items");
    json_object *items = json_read (text, strlen (text));
    if (items) { //  Its form was checked by the table
        s_check_items (self, items);
        s_compare_with_entry (self, visit);
    }
    if (self->judged.violations) {
        json_object_put (items);
        return;
    }
    json_object *out = json_object_new_object ();
    json_set_text (out, "plate", form_get (&self->form, "vpl_number"));
    json_set_number (out, "out_code", s_number (self, "out_code"));
    json_set_number (out, "in_time", s_number (self, "in_time"));
    json_set_number (out, "out_time", s_number (self, "out_time"));
    json_object_object_add (out, "charge_items", items);
    json_set_text (out, "said", self->said);
    json_object_object_add (visit, "out", out);
    json_set_flag (visit, "inside", false);
}

static void
s_book_spaces (upload_t *self)
{
    static const char *const names[] = {"total_empty", "vip_empty", "tmp_empty"};
    json_object *spaces = json_object_new_object ();
    if (self->judged.violations) {
        json_object_put (spaces);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE (names); i++)
        json_set_number (spaces, names[i], s_number (self, names[i]));
    json_object_object_add (books_section (self->platform, "spaces"), self->lot,
                            spaces);
}

static const endpoint_t s_endpoints[] = {
    {"SpaceInfo", "/api/SpaceInfo", cmb_space_info, s_book_spaces},
    {"Indata",    "/api/Indata",    cmb_indata,     s_book_in    },
    {"Outdata",   "/api/Outdata",   cmb_outdata,    s_book_out   },
};

const char *
cmb_find (const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE (s_endpoints); i++) {
        if (streq (s_endpoints[i].path, path))
            return s_endpoints[i].name;
    }
    return NULL;
}

//  3.1, 3.2 and 3.3: what every request has to satisfy before its fields are looked at.
static bool
s_is_authentic (upload_t *self, const sim_request_t *request)
{
    static const char *const why[] = {
        [FORM_BROKEN] = N_ ("the form is broken"),
        [FORM_TWICE] = N_ ("a field stands twice in the form"),
        [FORM_NOT_UTF8] = N_ ("the form is not UTF-8"),
    };
    static const char form_media[] = "application/x-www-form-urlencoded";
    const char *culprit, *sign;
    char wanted[33];
    if (strncasecmp (request->media, form_media, sizeof form_media - 1) != 0)
        return cmb_wrong (&self->judged, "", _ ("the request is '%.60s', not a form"),
                          request->media),
               false;
    form_fault_t fault = form_parse (request->body ? request->body : "", request->size,
                                     &self->form, &culprit);
    if (fault != FORM_OK)
        return cmb_wrong (&self->judged, culprit, "%s", _ (why[fault])), false;
    self->record = self->judged.record = form_get (&self->form, "record_id");
    self->lot = form_get (&self->form, "park_code");
    self->words = "appid 不能为空"; //  6.1
    if (!streq (form_get (&self->form, "appid"), self->cmb->appid))
        return cmb_wrong (&self->judged, "appid", _ ("appid is missing or unknown")),
               false;
    self->words = "签名校验失败"; //  6.6
    sign = form_get (&self->form, "sign");
    cmb_sign (&self->form, self->cmb->appsecret, wanted);
    if (!streq (sign, wanted))
        return cmb_wrong (&self->judged, "sign", _ ("the signature is wrong")), false;
    self->words = NULL;
    return true;
}

void
cmb_request (sim_platform_t *self, const sim_request_t *request, sim_reply_t *reply)
{
    const endpoint_t *endpoint = s_endpoints;
    while (!streq (endpoint->name, request->endpoint))
        endpoint++;
    upload_t upload = {
        .judged = {.platform = self, .endpoint = endpoint->name},
        .platform = self,
        .cmb = self->state
    };
    buffer_t said = {0};
    if (s_is_authentic (&upload, request)) {
        cmb_check_form (&upload.judged, endpoint->rules, &upload.form);
        cmb_string_a (&upload.form, &said);
        buffer_add (&said, "", 1);
        upload.said = said.data;
        if (!upload.judged.violations)
            endpoint->book (&upload);
    }
    bool good = upload.judged.violations == 0;
    const char *why = upload.words ? upload.words : upload.judged.said;
    books_count (self, "requests", endpoint->name, good ? "accepted" : "refused");
    cmb_reply (reply, good ? 0 : 1, good ? "success" : why, good ? upload.data : NULL);
    if (!good)
        json_object_put (upload.data);
    form_free (&upload.form);
    buffer_free (&said);
}
