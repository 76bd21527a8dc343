//  cmb_codes.c - CMB's code lists (chapters 4 and 5 of the document) as tables.
//
//  A row is ours, theirs; "lossy" comes back as another word. Rows of one code: the
//  first is what comes back.

#include <string.h>
#include "cmb_codes.h"
#include "sdk/field.h"

//  Document 5.3, plate_color and body_color. The document has no "unknown": what is not
//  known is left out.
static const pb_word_t plate_colors[] = {
    {"blue",         "0",  false},
    {"yellow",       "1",  false},
    {"white",        "2",  false},
    {"black",        "3",  false},
    {"green",        "4",  false},
    {"yellow_green", "4",  true },
    {"green_full",   "4",  true },
    {"blue_white",   NULL, true },
    {"red",          NULL, true },
    {"other",        NULL, true },
    {NULL,           NULL, false},
};
static const pb_words_t plate_color = {plate_colors, NULL, NULL, "other"};

//  Document 5.3, car_type. Required, so a class that is not known is a small car.
static const pb_word_t car_types[] = {
    {"small",           "1",     false},
    {"large",           "2",     false},
    {"military_police", "65534", false},
    {"medium",          "1",     true },
    {"motorcycle",      "1",     true },
    {NULL,              NULL,    false},
};
static const pb_words_t car_type = {car_types, "1", "1", "other"};

//  Document 5.3, power_type (labelled 车辆类型 there, a misprint). Required.
static const pb_word_t power_types[] = {
    {"ordinary", "1",  false},
    {"hybrid",   "2",  false},
    {"electric", "3",  false},
    {NULL,       NULL, false},
};
static const pb_words_t power_type = {power_types, "1", "1", "other"};

//  Document 5.3, auth_type.
static const pb_word_t auth_types[] = {
    {"temporary", "0",  false},
    {"contract",  "99", false},
    {"plateless", "0",  true },
    {"monthly",   "99", true },
    {"whitelist", "99", true },
    {"guest",     "99", true },
    {"vip",       "99", true },
    {"internal",  "99", true },
    {NULL,        NULL, false},
};
static const pb_words_t auth_type = {auth_types, NULL, NULL, "other"};

//  Document 5.3, model.
static const pb_word_t models[] = {
    {"sedan",        "1",  false},
    {"minivan",      "2",  false},
    {"large_bus",    "3",  false},
    {"medium_bus",   "4",  false},
    {"pickup",       "5",  false},
    {"non_motor",    "6",  false},
    {"suv",          "7",  false},
    {"mpv",          "8",  false},
    {"micro_truck",  "9",  false},
    {"light_truck",  "10", false},
    {"medium_truck", "11", false},
    {"other",        "0",  false},
    {NULL,           NULL, false},
};
static const pb_words_t model = {models, NULL, "0", "other"};

//  Document 5.4, pay_type, as it is read. 25-46, 60 and 68-98 are not defined there.
static const pb_word_t pay_types_in[] = {
    {"free",         "0",  false}, //  短时免费
    {"cash",         "1",  false}, //  现金
    {"deferred",     "2",  false}, //  后支付
    {"card",         "3",  false}, //  POS 机
    {"online",       "4",  false}, //  在线支付
    {"coupon",       "5",  false}, //  纸质小时券
    {"coupon",       "6",  false}, //  电子小时券
    {"free",         "7",  false}, //  授权车免费
    {"free",         "8",  false}, //  手动免费开闸
    {"free",         "9",  false}, //  自动抬杆时间放行
    {"stored_value", "10", false}, //  储值划扣
    {"free",         "11", false}, //  封顶放行
    {"free",         "12", false}, //  提前支付预留时间放行
    {"points",       "13", false}, //  会员积分支付
    {"transit_card", "14", false}, //  公交卡支付
    {"stored_time",  "15", false}, //  储时划扣
    {"coupon",       "16", false}, //  电子优惠券金额券
    {"coupon",       "17", false}, //  电子优惠券免次券
    {"coupon",       "18", false}, //  电子优惠券时段免费券
    {"coupon",       "19", false}, //  纸质优惠券金额券
    {"benefit_card", "20", false}, //  权益卡次数
    {"coupon",       "21", false}, //  电子折扣券
    {"coupon",       "22", false}, //  纸质折扣券
    {"benefit_card", "23", false}, //  权益卡金额
    {"benefit_card", "24", false}, //  权益卡时间
    {"coupon",       "47", false}, //  电子通用金额券
    {"wechat",       "48", false}, //  微信
    {"alipay",       "49", false}, //  支付宝
    {"unionpay",     "50", false}, //  银联
    {"coupon",       "51", false}, //  纸质次数券
    {"free",         "52", false}, //  计费免费
    {"wechat",       "53", false}, //  第三方微信
    {"alipay",       "54", false}, //  第三方支付宝
    {"other",        "55", false}, //  第三方其他支付
    {"points",       "56", false}, //  第三方金额积分支付
    {"coupon",       "57", false}, //  第三方金额优惠券支付
    {"discount",     "58", false}, //  折扣抵扣金额
    {"coupon",       "59", false}, //  线上优惠券金额
    {"etc",          "61", false}, //  ETC 支付
    {"online",       "62", false}, //  翼支付
    {"online",       "63", false}, //  财付通
    {"online",       "64", false}, //  ApplePay
    {"online",       "65", false}, //  快钱
    {"online",       "66", false}, //  易付宝
    {"online",       "67", false}, //  云网支付
    {"cmb",          "99", false}, //  招行支付
    {NULL,           NULL, false},
};
static const pb_words_t pay_type_in = {pay_types_in, NULL, NULL, "other"};

//  Document 5.4, pay_type, as it is sent. WeChat, Alipay and others were taken outside
//  CMB: the third-party codes. "free" carries its reason.
static const pb_word_t pay_types_out[] = {
    {"cash",                "1",  false},
    {"wechat",              "53", false},
    {"alipay",              "54", false},
    {"unionpay",            "50", false},
    {"cmb",                 "99", false},
    {"etc",                 "61", false},
    {"wallet",              "4",  true },
    {"card",                "3",  false},
    {"stored_value",        "10", false},
    {"stored_time",         "15", false},
    {"transit_card",        "14", false},
    {"points",              "13", false},
    {"coupon",              "16", false},
    {"benefit_card",        "23", false},
    {"discount",            "58", false},
    {"contract",            "7",  true },
    {"deferred",            "2",  false},
    {"online",              "4",  false},
    {"other",               "55", false},
    {"free",                "52", false},
    {"free short_stay",     "0",  false},
    {"free authorised",     "7",  false},
    {"free manual",         "8",  false},
    {"free time_window",    "9",  false},
    {"free capped",         "11", false},
    {"free prepaid_window", "12", false},
    {"free tariff",         "52", false},
    {"free other",          "52", false},
    {NULL,                  NULL, false},
};
static const pb_words_t pay_type_out = {pay_types_out, "55", "55", NULL};

//  Document 4.1, unit of a discount. Percent and full have no word.
static const pb_word_t discount_units[] = {
    {"money", "0",  false},
    {"time",  "1",  false},
    {NULL,    NULL, false},
};
static const pb_words_t discount_unit = {discount_units, NULL, NULL, NULL};

//  ---------------------------------------------------------------- converters

#define PLATE_CHARACTERS 30 //  Document 4.5: a virtual plate has 16 to 30

//  What is print, not plate: the bus leaves the same out when it compares plates.
static const char *const separators[] = {" ", "\u3000", ".", "·", "•", "・", "．"};

static size_t
s_separator (const char *at)
{
    for (size_t i = 0; i < PB_COUNT (separators); i++)
        if (!strncmp (at, separators[i], strlen (separators[i])))
            return strlen (separators[i]);
    return 0;
}

//  "京·A 12345" is "京A12345" to CMB.
static pb_done_t
s_plate_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
             pb_wire_t *wire)
{
    pb_buffer_t plate = {.env = codec->env};
    int64_t characters = 0;
    for (const char *p = value->text; *p;) {
        size_t skip = s_separator (p);
        if (!skip) {
            pb_add (&plate, p, 1);
            characters += ((unsigned char) *p & 0xc0) != 0x80;
        }
        p += skip ? skip : 1;
    }
    if (!characters)
        return PB_NOTHING;
    if (characters > self->max) {
        codec->reason = _ ("it has more characters than CMB takes (30)");
        return PB_REFUSED;
    }
    wire->text = pb_done (&plate);
    codec->broken = !wire->text;
    return wire->text ? PB_DONE : PB_REFUSED;
}

//  Bytes that the bus takes for a plate.
static pb_done_t
s_plate_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
            pb_value_t *value)
{
    static const pb_convert_t as_text = PB_TEXT_OF (1, 64);
    (void) self;
    return pb_text_in (codec, &as_text, wire, value);
}

static pb_done_t
s_limit_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
            pb_value_t *value)
{
    pb_done_t done = pb_number_in (codec, self, wire, value);
    return done == PB_DONE && !value->number ? PB_NOTHING : done;
}

const pb_convert_t cmb_plate = {.name = "plate",
                                .kinds = PB_KIND_TEXT,
                                .out = s_plate_out,
                                .in = s_plate_in,
                                .max = PLATE_CHARACTERS};
const pb_convert_t cmb_limit = {.name = "limit",
                                .kinds = PB_KIND_MONEY,
                                .out = pb_number_out,
                                .in = s_limit_in,
                                .max = INT32_MAX,
                                .bare = true};
const pb_convert_t cmb_lane = PB_INT_OF (PB_KIND_TEXT, 0, 255);
const pb_convert_t cmb_any_lane = PB_INT_OF (PB_KIND_TEXT, 0, INT32_MAX);
const pb_convert_t cmb_fen = PB_INT_OF (PB_KIND_MONEY, 0, INT32_MAX);
const pb_convert_t cmb_plate_color = PB_WORD_OF (plate_color, true);
const pb_convert_t cmb_car_type = PB_WORD_OF (car_type, true);
const pb_convert_t cmb_power_type = PB_WORD_OF (power_type, true);
const pb_convert_t cmb_auth_type = PB_WORD_OF (auth_type, true);
const pb_convert_t cmb_model = PB_WORD_OF (model, true);
const pb_convert_t cmb_pay_type = PB_WORD_OF_TWO (pay_type_out, pay_type_in, true);
const pb_convert_t cmb_discount_unit = PB_WORD_OF (discount_unit, true);
const pb_convert_t cmb_discount_value = PB_INT_OF (PB_KIND_INT, 0, INT32_MAX);
