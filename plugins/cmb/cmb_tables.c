//  cmb_tables.c - CMB parking: one table per endpoint, rows in the document's order.
//  Source: 招商银行开放平台接口说明书·停车, revision 1.8.2 of 2019-03-07.

#include "cmb_codes.h"
#include "cmb_tables.h"

//  ---------------------------------------------------------------- chapter 3: common

// clang-format off
const pb_field_t cmb_common[] = {
    {"appid", PB_OPTION (appid), &pb_text, pb_required},
    PB_END
};
// clang-format on

//  pic_con is the picture of PicUpload (document 5.6).
const char *const cmb_unsigned[] = {"sign", "pic_con", NULL};

//  ------------------------------------------------------------ chapter 4: CMB calls us

//  Three modes, by which of the two are not empty; neither is nonsense.
static bool
s_without_lane (const pb_codec_t *codec)
{
    return !pb_known (pb_wire_text (codec, "out_code"));
}

// clang-format off

//  Document 4.1, calc: what does this car owe?
static const pb_field_t calc[] = {
    {"park_code",  PB_LOT (park_code), &pb_digits,    pb_required   },
    {"out_code",   PB_LANE (out),      &cmb_any_lane, pb_optional   },
    {"vpl_number", PB_DATA ("plate"),  &cmb_plate,    s_without_lane},
    PB_END
};

static const pb_field_t calc_discount[] = {
    {"unit",  PB_DATA ("unit"),  &cmb_discount_unit,  pb_required},
    {"name",  PB_DATA ("name"),  &pb_text_always,     pb_optional},
    {"value", PB_DATA ("value"), &cmb_discount_value, pb_required},
    PB_END
};
static const pb_convert_t calc_discounts = PB_ITEMS_OF (calc_discount);

//  Written from the billing program's reply; vpl_number is said in every answer that
//  has one, so it is not in this table (cmb_push.c).
static const pb_field_t calc_answer[] = {
    {"data.record_id",  PB_DATA ("visit"),      &pb_text,         pb_required},
    {"data.bill_id",    PB_DATA ("quote"),      &pb_text_always,  pb_optional},
    {"data.in_time",    PB_DATA ("entered_at"), &pb_unix_seconds, pb_required},
    {"data.out_time",   PB_MADE ("as_of", cmb_make_as_of),
                                                &pb_unix_seconds, pb_required},
    {"data.duration",   PB_MADE ("stay", cmb_make_stay),
                                                &pb_seconds,      pb_required},
    {"data.charge.total_price", PB_DATA ("total"), &cmb_fen,      pb_required},
    {"data.charge.should_pay",  PB_DATA ("due"),   &cmb_fen,      pb_required},
    {"data.charge.paid",        PB_DATA ("paid"),  &cmb_fen,      pb_required},
    {"data.discount",   PB_MADE ("discounts", cmb_make_discounts),
                                                &calc_discounts,  pb_optional},
    PB_END
};

static const pb_convert_t pay_order = PB_TEXT_OF (1, 64);
static const pb_convert_t pay_record = PB_TEXT_OF (1, 256);

//  Document 4.2, pay_list: one row per payment. `order` is a number in the document's
//  example and a string in its table: kept as text either way.
static const pb_field_t pay_item[] = {
    {"pay_type", PB_DATA ("tender"),  &cmb_pay_type, pb_required},
    {"amount",   PB_DATA ("amount"),  &cmb_fen,      pb_required},
    {"order",    PB_DATA ("payment"), &pay_order,    pb_required},
    PB_END
};
static const pb_convert_t pay_list = PB_ITEMS_OF (pay_item);

//  Document 4.2, pay: money was taken.
static const pb_field_t pay[] = {
    {"park_code",  PB_LOT (park_code),   &pb_digits,       pb_required},
    {"vpl_number", PB_DATA ("plate"),    &cmb_plate,       pb_required},
    {"record_id",  PB_VISIT,             &pay_record,      pb_required},
    {"bill_id",    PB_DATA ("quote"),    &pb_id,           pb_optional},
    {"pay_time",   PB_TIME,              &pb_unix_seconds, pb_required},
    {"pay_list",   PB_DATA ("payments"), &pay_list,        pb_required},
    PB_END
};

static const pb_convert_t auto_pay_type = PB_TEXT_OF (0, 16);

//  Document 4.3, autoPayBind. auto_pay_type is "not used yet" there: kept, not acted
//  on. post_url is an address from outside: never followed.
static const pb_field_t bind[] = {
    {"park_code",     PB_LOT (park_code),       &pb_digits,     pb_required},
    {"vpl_number",    PB_DATA ("plate"),        &cmb_plate,     pb_required},
    {"auto_pay_type", PB_EXT ("auto_pay_type"), &auto_pay_type, pb_optional},
    {"limiter",       PB_DATA ("limit"),        &cmb_limit,     pb_required},
    {"serial_no",     PB_DATA ("binding"),      &pb_id,         pb_optional},
    {"post_url",      PB_IGNORED,               &pb_anything,   pb_optional},
    PB_END
};

//  Document 4.4, autoPayUnbind.
static const pb_field_t unbind[] = {
    {"park_code",  PB_LOT (park_code), &pb_digits, pb_required},
    {"vpl_number", PB_DATA ("plate"),  &cmb_plate, pb_required},
    PB_END
};

//  ------------------------------------------------------------- chapter 5: we call CMB

//  Document 5.2, SpaceInfo (its table is printed with the columns mixed up).
static const pb_field_t space_info[] = {
    {"park_code",   PB_LOT (park_code), &pb_digits, pb_required},
    {"total_empty", PB_DATA ("free"),   &pb_count,  pb_required},
    {"vip_empty",   PB_MADE ("free_contract", cmb_make_vip),
                                        &pb_count,  pb_required},
    {"tmp_empty",   PB_MADE ("free_visitor", cmb_make_visitors),
                                        &pb_count,  pb_required},
    PB_END
};

//  Document 5.3, Indata: a car has entered.
static const pb_field_t indata[] = {
    {"park_code",   PB_LOT (park_code),        &pb_digits,       pb_required},
    {"in_code",     PB_LANE (in),              &cmb_lane,        pb_required},
    {"vpl_number",  PB_DATA ("plate"),         &cmb_plate,       pb_required},
    {"record_id",   PB_VISIT,                  &pb_text,         pb_required},
    {"in_time",     PB_TIME,                   &pb_unix_seconds, pb_required},
    {"car_type",    PB_DATA ("vehicle_class"), &cmb_car_type,    pb_required},
    {"power_type",  PB_DATA ("energy"),        &cmb_power_type,  pb_required},
    {"body_color",  PB_DATA ("body_color"),    &cmb_plate_color, pb_optional},
    {"plate_color", PB_DATA ("plate_color"),   &cmb_plate_color, pb_optional},
    {"logo",        PB_DATA ("make"),          &pb_text,         pb_optional},
    {"auth_type",   PB_DATA ("user_class"),    &cmb_auth_type,   pb_optional},
    {"model",       PB_MADE ("body", cmb_make_body),
                                               &cmb_model,       pb_optional},
    {"owner",       PB_DATA ("owner"),         &pb_text,         pb_optional},
    PB_END
};

//  Its answer may tell at once whether the plate is bound ("selectable" since revision
//  1.5).
static const pb_field_t indata_answer[] = {
    {"data.uid",   PB_DATA ("bound"), &pb_flag,   pb_optional},
    {"data.limit", PB_DATA ("limit"), &cmb_limit, pb_optional},
    PB_END
};

//  Document 5.4, charge_items. Amounts in fen, like every other amount of the document.
static const pb_field_t charge_item[] = {
    {"should_pay",     PB_MADE ("due", cmb_make_due), &cmb_fen,        pb_required},
    {"actual_pay",     PB_MADE ("paid", cmb_make_paid), &cmb_fen,      pb_required},
    {"pay_type",       PB_MADE ("tender", cmb_make_tender),
                                                      &cmb_pay_type,   pb_required},
    {"toll_collector", PB_DATA ("cashier"),           &pb_text_always, pb_required},
    {"seq_num",        PB_DATA ("ref"),               &pb_text_always, pb_required},
    {"time",           PB_MADE ("paid_at", cmb_make_paid_at),
                                                      &pb_unix_seconds, pb_required},
    PB_END
};
static const pb_convert_t charge_items = PB_ITEMS_OF (charge_item);

//  Document 5.4, Outdata: a car has left. (auth_type and model, explained under its
//  table, are not in it.)
static const pb_field_t outdata[] = {
    {"park_code",    PB_LOT (park_code),           &pb_digits,       pb_required},
    {"in_code",      PB_DATA_LANE ("lane_in", in), &cmb_lane,        pb_required},
    {"out_code",     PB_LANE (out),                &cmb_lane,        pb_required},
    {"vpl_number",   PB_DATA ("plate"),            &cmb_plate,       pb_required},
    {"record_id",    PB_VISIT,                     &pb_text,         pb_required},
    {"in_time",      PB_DATA ("entered_at"),       &pb_unix_seconds, pb_required},
    {"out_time",     PB_TIME,                      &pb_unix_seconds, pb_required},
    {"charge_items", PB_MADE ("payments", cmb_make_items),
                                                   &charge_items,    pb_required},
    PB_END
};

const cmb_endpoint_t cmb_endpoints[] = {
    {"4.1", "calc", CMB_DOWN, "cmbParking/calc",
     "fee.quote", calc, calc_answer},
    {"4.2", "pay", CMB_DOWN, "cmbParking/pay",
     "pay.captured", pay, NULL},
    {"4.3", "autoPayBind", CMB_DOWN, "cmbParking/autoPayBind",
     "bind.added", bind, NULL},
    {"4.4", "autoPayUnbind", CMB_DOWN, "cmbParking/autoPayUnbind",
     "bind.removed", unbind, NULL},
    {"5.2", "SpaceInfo", CMB_UP, "/api/SpaceInfo",
     "space.changed", space_info, NULL},
    {"5.3", "Indata", CMB_UP, "/api/Indata",
     "in.recorded", indata, indata_answer},
    {"5.4", "Outdata", CMB_UP, "/api/Outdata",
     "out.recorded", outdata, NULL},
    {NULL, NULL, CMB_UP, NULL, NULL, NULL, NULL},
};
// clang-format on
