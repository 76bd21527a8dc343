//  cmb_make.c - values that CMB wants and no single member of ours holds.

#include <string.h>
#include "cmb_tables.h"
#include "sdk/moment.h"

#define FEN_MAX INT32_MAX //  CMB's amounts are "int"

//  ---------------------------------------------------------------- Indata

//  A motorcycle has no car_type of its own, but a model: 6, "not a motor car".
bool
cmb_make_body (pb_codec_t *codec, pb_value_t *value)
{
    value->text = pb_data_text (codec, "body");
    if (!value->text && pb_equal (pb_data_text (codec, "vehicle_class"), "motorcycle"))
        value->text = "non_motor";
    return value->text;
}

//  ---------------------------------------------------------------- SpaceInfo

//  A lot with one pool has no contract spaces: all that is free is for visitors. With
//  one of the two parts known, the other is the rest.
static bool
s_part (const pb_codec_t *codec, const char *part, const char *other, int64_t alone,
        int64_t *number)
{
    int64_t all = 0, rest = 0;
    if (pb_data_int (codec, part, number))
        return true;
    if (!pb_data_int (codec, "free", &all))
        return false;
    *number = alone < 0 ? all : alone;
    if (pb_data_int (codec, other, &rest))
        *number = rest < all ? all - rest : 0;
    return true;
}

bool
cmb_make_vip (pb_codec_t *codec, pb_value_t *value)
{
    return s_part (codec, "free_contract", "free_visitor", 0, &value->number);
}

bool
cmb_make_visitors (pb_codec_t *codec, pb_value_t *value)
{
    return s_part (codec, "free_visitor", "free_contract", -1, &value->number);
}

//  -------------------------------------------------------------- Outdata: charge_items

//  What a settlement adds to the list of payments.
static const struct {
    const char *settlement;
    const char *tender;
    bool rest; //  The amount still due; otherwise 0, and only when nothing was paid
} settlements[] = {
    {"free",     "free",     false},
    {"contract", "contract", false},
    {"deferred", "deferred", true },
    {"escaped",  "deferred", true }, //  CMB has no word for it
};

static int64_t
s_fen (const pb_json_t *object, const char *member, const char *or_member)
{
    int64_t fen = 0;
    if (!pb_json_int (pb_json_get (object, member), 0, FEN_MAX, &fen) && or_member)
        pb_json_int (pb_json_get (object, or_member), 0, FEN_MAX, &fen);
    return fen;
}

static void
s_add_item (pb_buffer_t *list, const char *tender, int64_t due)
{
    pb_add_format (list, "%s{\"tender\":\"%s\",\"due\":%lld,\"paid\":0}",
                   list->size > 1 ? "," : "", tender, (long long) due);
}

static void
s_add_settlement (const pb_codec_t *codec, pb_buffer_t *list, int64_t rest)
{
    const char *settlement = pb_data_text (codec, "settlement");
    for (size_t i = 0; i < PB_COUNT (settlements); i++) {
        bool open = settlements[i].rest ? rest > 0 : list->size == 1;
        if (open && pb_equal (settlement, settlements[i].settlement))
            s_add_item (list, settlements[i].tender, settlements[i].rest ? rest : 0);
    }
}

//  Every payment of the visit once; then the discount; then what a free, unpaid or
//  contract exit leaves open. should_pay adds up to total_due.
bool
cmb_make_items (pb_codec_t *codec, pb_value_t *value)
{
    const pb_json_t *payments = pb_json_get (codec->data, "payments");
    pb_buffer_t list = {.env = codec->env};
    int64_t discount = s_fen (codec->data, "discount", NULL);
    int64_t rest = s_fen (codec->data, "total_due", NULL) - discount;
    pb_add (&list, "[", 1);
    for (const pb_json_t *item = payments ? payments->first : NULL; item;
         item = item->next) {
        pb_add_text (&list, list.size > 1 ? "," : "");
        pb_add (&list, item->raw.data, item->raw.size);
        rest -= s_fen (item, "due", "paid");
    }
    if (discount)
        s_add_item (&list, "discount", discount);
    s_add_settlement (codec, &list, rest);
    pb_add (&list, "]", 1);
    const char *text = pb_done (&list);
    const char *why = NULL;
    if (text)
        value->node = pb_json_read (codec->env, (pb_bytes_t){text, list.size}, &why);
    return value->node;
}

bool
cmb_make_due (pb_codec_t *codec, pb_value_t *value)
{
    return pb_data_int (codec, "due", &value->number)
           || pb_data_int (codec, "paid", &value->number);
}

//  A payment that says only what was due was paid, unless it is deferred.
bool
cmb_make_paid (pb_codec_t *codec, pb_value_t *value)
{
    if (pb_data_int (codec, "paid", &value->number))
        return true;
    bool due = pb_data_int (codec, "due", &value->number);
    if (due && pb_equal (pb_data_text (codec, "tender"), "deferred"))
        value->number = 0;
    return due;
}

//  Free carries its reason, which stands beside the list; 99 is for payments that have
//  an order of CMB's.
bool
cmb_make_tender (pb_codec_t *codec, pb_value_t *value)
{
    value->text = pb_data_text (codec, "tender");
    const char *reason = pb_json_text (pb_json_get (codec->outer, "free_reason"));
    if (pb_equal (value->text, "free") && reason)
        value->text = pb_format (codec->env, "free %s", reason);
    if (pb_equal (value->text, "cmb") && !pb_known (pb_data_text (codec, "ref")))
        value->text = "online";
    return value->text;
}

bool
cmb_make_paid_at (pb_codec_t *codec, pb_value_t *value)
{
    value->number = codec->time_ms;
    return pb_moment_read (pb_data_text (codec, "paid_at"), &value->number)
           || codec->time_ms > 0;
}

//  ---------------------------------------------------------------- calc

//  out_time of a car that is still inside: the moment of the calculation.
bool
cmb_make_as_of (pb_codec_t *codec, pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    if (!pb_moment_read (pb_data_text (codec, "as_of"), &value->number))
        value->number = env->host->now_ms (env->call);
    return true;
}

bool
cmb_make_stay (pb_codec_t *codec, pb_value_t *value)
{
    pb_value_t as_of = {NULL, 0, NULL};
    int64_t entered = 0;
    if (pb_data_int (codec, "stay", &value->number))
        return true;
    if (!pb_moment_read (pb_data_text (codec, "entered_at"), &entered)
        || !cmb_make_as_of (codec, &as_of))
        return false;
    value->number = as_of.number > entered ? (as_of.number - entered) / 1000 : 0;
    return true;
}

//  Only money and time have a word at CMB; should_pay is net of all of them anyway.
bool
cmb_make_discounts (pb_codec_t *codec, pb_value_t *value)
{
    const pb_json_t *all = pb_json_get (codec->data, "discounts");
    pb_buffer_t list = {.env = codec->env};
    int64_t number = 0;
    pb_add (&list, "[", 1);
    for (const pb_json_t *item = all ? all->first : NULL; item; item = item->next) {
        const char *unit = pb_json_text (pb_json_get (item, "unit"));
        bool says = pb_equal (unit, "money") || pb_equal (unit, "time");
        if (!says || !pb_json_int (pb_json_get (item, "value"), 0, INT32_MAX, &number))
            continue;
        pb_add_text (&list, list.size > 1 ? "," : "");
        pb_add (&list, item->raw.data, item->raw.size);
    }
    pb_add (&list, "]", 1);
    const char *text = pb_done (&list);
    const char *why = NULL;
    if (text)
        value->node = pb_json_read (codec->env, (pb_bytes_t){text, list.size}, &why);
    return value->node;
}
