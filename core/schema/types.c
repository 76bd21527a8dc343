//  types.c - the event types: one row per type and per member of its data.
//
//  event_read () checks by this table; etc/schema/ and docs/events.md are made from it.

#include "schema/types.h"

//  ------------------------------------------------------------ enumerations

#define WORDS(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}

WORDS (plate_color, "blue", "yellow", "white", "black", "green", "yellow_green",
       "blue_white", "green_full", "red", "other");
WORDS (vehicle_class, "small", "medium", "large", "motorcycle", "military_police");
WORDS (energy, "ordinary", "hybrid", "electric");
WORDS (user_class, "temporary", "monthly", "whitelist", "plateless", "guest", "vip",
       "internal", "contract");
WORDS (tender, "cash", "wechat", "alipay", "unionpay", "cmb", "etc", "wallet", "card",
       "stored_value", "stored_time", "transit_card", "points", "coupon",
       "benefit_card", "discount", "free", "contract", "deferred", "online", "other");
WORDS (free_reason, "short_stay", "authorised", "manual", "time_window", "capped",
       "prepaid_window", "tariff", "other");
WORDS (direction, "in", "out");
WORDS (in_what, "plate", "entered_at", "voided");
WORDS (out_what, "plate", "left_at", "total_due", "voided");
WORDS (settlement, "paid", "free", "escaped", "deferred", "contract");
WORDS (method, "autopay", "barcode", "etc");
WORDS (witness, "answer", "query", "push", "bill", "person");
WORDS (purpose, "visit", "monthly_card", "arrears", "other");
WORDS (scope, "plate", "visit", "person");
WORDS (unit, "money", "time", "percent", "full");
WORDS (gate_reason, "entry", "paid", "free", "contract", "credit", "manual", "remote",
       "emergency", "fault");
WORDS (case_reason, "surplus", "contradiction", "unmatched", "uncertain", "unproven",
       "refund");
WORDS (plugin_state, "up", "degraded", "down", "off");

static const struct {
    const char *name;
    const char *const *words;
} enums[] = {
    {"plate_color",   plate_color  },
    {"vehicle_class", vehicle_class},
    {"energy",        energy       },
    {"user_class",    user_class   },
    {"tender",        tender       },
    {"free_reason",   free_reason  },
    {"direction",     direction    },
    {"settlement",    settlement   },
    {"method",        method       },
    {"witness",       witness      },
    {"purpose",       purpose      },
    {"scope",         scope        },
    {"unit",          unit         },
};

const char *const *
enum_words (const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE (enums); i++)
        if (streq (enums[i].name, name))
            return enums[i].words;
    return NULL;
}

//  ------------------------------------------------------------ members

// clang-format off
#define REQUIRED true
#define OPTIONAL false
#define ROW(name, kind, need, words, items, en, zh) \
    {name, FIELD_##kind, need, words, items, en, zh}
#define TEXT(name, need, en, zh)     ROW (name, TEXT, need, NULL, NULL, en, zh)
#define ID(name, need, en, zh)       ROW (name, ID, need, NULL, NULL, en, zh)
#define MONEY(name, need, en, zh)    ROW (name, MONEY, need, NULL, NULL, en, zh)
#define INT(name, need, en, zh)      ROW (name, INT, need, NULL, NULL, en, zh)
#define SECONDS(name, need, en, zh)  ROW (name, DURATION, need, NULL, NULL, en, zh)
#define TIME(name, need, en, zh)     ROW (name, TIME, need, NULL, NULL, en, zh)
#define BOOL(name, need, en, zh)     ROW (name, BOOL, need, NULL, NULL, en, zh)
#define LANE(name, need, en, zh)     ROW (name, LANE, need, NULL, NULL, en, zh)
#define LIST(name, of, en, zh)       ROW (name, LIST, OPTIONAL, NULL, of, en, zh)
#define ENUM(name, need, of, en, zh) ROW (name, ENUM, need, of, NULL, en, zh)
#define END                          ROW (NULL, TEXT, OPTIONAL, NULL, NULL, NULL, NULL)

//  Members that mean the same wherever they stand.
#define PLATE(need) ROW ("plate", PLATE, need, NULL, NULL, \
    N_("the plate as received"), "车牌，按收到的原文")
#define PLATE_COLOR ENUM ("plate_color", OPTIONAL, plate_color, \
    N_("colour of the plate"), "车牌颜色")
#define PICTURE TEXT ("picture", OPTIONAL, \
    N_("path below the lot's `pictures`, or URL"), "图片路径（在车场 pictures 目录下）或网址")
#define OPERATOR TEXT ("operator", OPTIONAL, N_("the person who did it"), "操作员")
#define REMARK TEXT ("remark", OPTIONAL, N_("free text"), "备注")
#define SPACES_FREE INT ("spaces_free", OPTIONAL, \
    N_("free spaces of the lot after this"), "此后车场空余车位数")
#define ENTERED_AT(need) TIME ("entered_at", need, N_("when the car came in"), "入场时间")
#define QUOTE(need) ID ("quote", need, N_("id of the quote"), "报价编号")
#define ATTEMPT(need) ID ("attempt", need, N_("id of the attempt to charge"), "扣费尝试编号")
#define PLATFORM(need) ID ("platform", need, \
    N_("plugin instance; absent = not through a platform"), \
    "平台插件实例；缺省表示不经平台")
#define PAYMENT(need) ID ("payment", need, \
    N_("the platform's payment id, or our own for cash"), \
    "平台支付流水号；现金为本系统编号")
#define REFUND ID ("refund", REQUIRED, N_("id of the refund"), "退款编号")
#define AMOUNT(need) MONEY ("amount", need, N_("amount"), "金额")
#define TENDER(need) ENUM ("tender", need, tender, N_("means of payment"), "支付方式")
#define WITNESS(need) ENUM ("witness", need, witness, \
    N_("who says so: the platform's answer, a query, its push, its bill, or a person"), \
    "依据：平台应答、查询、推送、账单或人工")
#define CODE TEXT ("code", OPTIONAL, N_("the platform's code"), "平台返回码")
#define MESSAGE TEXT ("message", OPTIONAL, N_("the platform's words"), "平台返回信息")
#define DIRECTION ENUM ("direction", REQUIRED, direction, \
    N_("into the lot or out of it"), "方向：入场或出场")
// clang-format on

static const field_t lane_fields[] = {DIRECTION, PLATE (OPTIONAL), PLATE_COLOR, PICTURE,
                                      END};

static const field_t in_recorded[] = {
    PLATE (REQUIRED),
    PLATE_COLOR,
    ENUM ("vehicle_class", OPTIONAL, vehicle_class, N_ ("class of the car"), "车型"),
    ENUM ("energy", OPTIONAL, energy, N_ ("what drives it"), "能源类型"),
    ENUM ("user_class", OPTIONAL, user_class, N_ ("class of the user"), "用户类型"),
    TEXT ("body", OPTIONAL, N_ ("form of the car's body"), "车身类型"),
    SPACES_FREE,
    PICTURE,
    OPERATOR,
    REMARK,
    END};

static const field_t in_corrected[] = {
    ENUM ("what", REQUIRED, in_what, N_ ("what is corrected"), "更正内容"),
    PLATE (OPTIONAL),
    PLATE_COLOR,
    ENTERED_AT (OPTIONAL),
    OPERATOR,
    TEXT ("reason", OPTIONAL, N_ ("why"), "原因"),
    END};

static const field_t payments[] = {
    TENDER (OPTIONAL),
    MONEY ("due", OPTIONAL, N_ ("what was due in this payment"), "该笔应付"),
    MONEY ("paid", OPTIONAL, N_ ("what was paid"), "该笔实付"),
    ID ("ref", OPTIONAL, N_ ("`payment` of its pay.captured"),
        "对应 pay.captured 的 payment"),
    TIME ("paid_at", OPTIONAL, N_ ("when"), "支付时间"),
    TEXT ("cashier", OPTIONAL, N_ ("who took it"), "收费员"),
    END};

static const field_t out_recorded[] = {
    PLATE (REQUIRED),
    ENTERED_AT (OPTIONAL),
    LANE ("lane_in", OPTIONAL, N_ ("lane by which it came in"), "入场车道"),
    MONEY ("total_due", REQUIRED,
           N_ ("fee of the whole visit, before discounts and payments"),
           "整次停车应收总额（优惠与支付之前）"),
    MONEY ("discount", OPTIONAL, N_ ("reductions that are not in `payments`"),
           "优惠金额（不在 payments 中的）"),
    LIST ("payments", payments, N_ ("every payment of the visit, once"),
          "本次停车的每一笔支付，各列一次"),
    ENUM ("settlement", OPTIONAL, settlement, N_ ("how the visit was settled"),
          "结算方式"),
    ENUM ("free_reason", OPTIONAL, free_reason, N_ ("why it was free"), "免费原因"),
    SPACES_FREE,
    PICTURE,
    END};

static const field_t out_corrected[] = {
    ENUM ("what", REQUIRED, out_what, N_ ("what is corrected"), "更正内容"),
    PLATE (OPTIONAL),
    PLATE_COLOR,
    TIME ("left_at", OPTIONAL, N_ ("when the car left"), "出场时间"),
    MONEY ("total_due", OPTIONAL, N_ ("the new fee of the whole visit"),
           "更正后的应收总额"),
    OPERATOR,
    TEXT ("reason", OPTIONAL, N_ ("why"), "原因"),
    END};

static const field_t discounts[] = {
    ENUM ("unit", OPTIONAL, unit, N_ ("what is taken off"), "优惠单位"),
    TEXT ("name", OPTIONAL, N_ ("name of the discount"), "优惠名称"),
    INT ("value", OPTIONAL, N_ ("fen, seconds or percent taken off, by `unit`"),
         "按单位：分、秒或百分比"),
    END};

static const field_t fee_quoted[] = {
    QUOTE (REQUIRED),
    MONEY ("total", REQUIRED, N_ ("fee of the whole visit"), "应收总额"),
    MONEY ("due", REQUIRED, N_ ("what is still to be paid"), "待付金额"),
    MONEY ("paid", REQUIRED, N_ ("what was paid before"), "已付金额"),
    LIST ("discounts", discounts, N_ ("discounts in the quote"), "报价中的优惠"),
    PLATE (OPTIONAL),
    ENTERED_AT (OPTIONAL),
    TIME ("as_of", OPTIONAL, N_ ("the moment that the fee was counted up to"),
          "计费截止时间"),
    SECONDS ("leave_within", OPTIONAL, N_ ("time to leave once paid"),
             "付清后限时离场"),
    TEXT ("asked_by", OPTIONAL, N_ ("who asked"), "询价方"),
    END};

static const field_t visit_settled[] = {
    QUOTE (REQUIRED),
    MONEY ("due", REQUIRED, N_ ("what the quote asked for"), "报价待付金额"),
    MONEY ("captured", REQUIRED, N_ ("what was captured since"), "此后实收金额"),
    TIME ("leave_by", OPTIONAL, N_ ("the car has to be out by then"), "最迟离场时间"),
    END};

static const field_t pay_requested[] = {
    ATTEMPT (REQUIRED),
    PLATFORM (REQUIRED),
    AMOUNT (REQUIRED),
    ENUM ("method", OPTIONAL, method, N_ ("how it is charged"), "扣费方式"),
    QUOTE (OPTIONAL),
    PLATE (OPTIONAL),
    END};

static const field_t pay_captured[] = {
    AMOUNT (REQUIRED),
    PAYMENT (REQUIRED),
    TENDER (REQUIRED),
    WITNESS (REQUIRED),
    PLATFORM (OPTIONAL),
    ATTEMPT (OPTIONAL),
    QUOTE (OPTIONAL),
    PLATE (OPTIONAL),
    TIME ("paid_at", OPTIONAL, N_ ("when it was paid"), "支付时间"),
    MONEY ("settled", OPTIONAL,
           N_ ("what the platform settles with the lot, cut to fen"),
           "平台结算金额（舍去分以下）"),
    INT ("settled_micro", OPTIONAL, N_ ("the same in 1e-6 yuan"),
         "平台结算金额，单位百万分之一元"),
    MONEY ("fee", OPTIONAL, N_ ("the platform's fee, cut to fen"),
           "平台手续费（舍去分以下）"),
    INT ("fee_micro", OPTIONAL, N_ ("the same in 1e-6 yuan"),
         "平台手续费，单位百万分之一元"),
    BOOL ("guaranteed", OPTIONAL, N_ ("the platform carries the risk, money follows"),
          "平台垫付保证"),
    OPERATOR,
    ENUM ("purpose", OPTIONAL, purpose, N_ ("what it pays for; absent = visit"),
          "用途；缺省为本次停车"),
    END};

static const field_t pay_confirmed[] = {
    PAYMENT (REQUIRED),
    WITNESS (REQUIRED),
    AMOUNT (REQUIRED),
    ID ("ref", OPTIONAL, N_ ("the platform's other id of it"), "平台的另一流水号"),
    BOOL ("proven", OPTIONAL, N_ ("false: paired by visit and amount only"),
          "false 表示仅按停车与金额配对"),
    END};

static const field_t pay_outcome[] = {
    ATTEMPT (REQUIRED), PLATFORM (REQUIRED), WITNESS (OPTIONAL), CODE, MESSAGE, END};

static const field_t pay_surplus[] = {
    AMOUNT (REQUIRED),
    LIST ("payments", NULL, N_ ("the payments that are too many"), "多收的支付"), END};

static const field_t bind_fields[] = {
    PLATE (OPTIONAL),
    ID ("person", OPTIONAL, N_ ("the platform's name of the person"), "平台用户标识"),
    ENUM ("scope", OPTIONAL, scope, N_ ("what is bound; absent = plate"),
          "绑定范围；缺省为车牌"),
    MONEY ("limit", OPTIONAL, N_ ("most per charge; 0 or absent = unknown"),
           "单笔限额；0 或缺省表示未知"),
    ID ("binding", OPTIONAL, N_ ("the platform's id of the binding"), "绑定编号"),
    TIME ("valid_from", OPTIONAL, N_ ("from when"), "生效时间"),
    TIME ("valid_to", OPTIONAL, N_ ("until when"), "失效时间"),
    TEXT ("agreement", OPTIONAL, N_ ("number of the agreement"), "协议号"),
    END};

static const field_t refund_requested[] = {
    REFUND,
    PAYMENT (REQUIRED),
    AMOUNT (REQUIRED),
    PLATFORM (OPTIONAL),
    TEXT ("reason", OPTIONAL, N_ ("why"), "退款原因"),
    OPERATOR,
    END};

static const field_t refund_outcome[] = {
    REFUND,
    PAYMENT (OPTIONAL),
    AMOUNT (OPTIONAL),
    PLATFORM (OPTIONAL),
    TENDER (OPTIONAL),
    WITNESS (OPTIONAL),
    OPERATOR,
    CODE,
    MESSAGE,
    TIME ("refunded_at", OPTIONAL, N_ ("when it was given back"), "退款时间"),
    END};

static const field_t space_changed[] = {
    INT ("free", REQUIRED, N_ ("free spaces"), "空余车位数"),
    INT ("total", OPTIONAL, N_ ("all spaces"), "总车位数"),
    INT ("free_contract", OPTIONAL, N_ ("free for contract users"), "月租空余车位数"),
    INT ("free_visitor", OPTIONAL, N_ ("free for visitors"), "临停空余车位数"),
    TEXT ("area", OPTIONAL, N_ ("part of the lot; absent = the whole lot"),
          "区域；缺省为整个车场"),
    END};

static const field_t lot_changed[] = {
    SECONDS ("leave_within", OPTIONAL, N_ ("time to leave once paid"),
             "付清后限时离场"),
    INT ("spaces", OPTIONAL, N_ ("all spaces"), "总车位数"), END};

static const field_t picture_captured[] = {
    DIRECTION,
    TEXT ("path", OPTIONAL, N_ ("path below the lot's `pictures`"),
          "图片路径（在车场 pictures 目录下）"),
    TEXT ("url", OPTIONAL, N_ ("where it can be had"), "图片网址"),
    TEXT ("media", OPTIONAL, N_ ("media type"), "媒体类型"),
    TEXT ("sha256", OPTIONAL, N_ ("digest of the bytes, in hex"), "内容的 SHA-256"),
    END};

static const field_t discount_fields[] = {
    ENUM ("unit", REQUIRED, unit, N_ ("what is taken off"), "优惠单位"),
    INT ("value", REQUIRED, N_ ("fen, seconds or percent taken off, by `unit`"),
         "按单位：分、秒或百分比"),
    TEXT ("name", OPTIONAL, N_ ("name of the discount"), "优惠名称"),
    TEXT ("issuer", OPTIONAL, N_ ("who granted it"), "发放方"),
    ID ("ref", OPTIONAL, N_ ("the issuer's id of it"), "发放方编号"),
    END};

static const field_t arrears_found[] = {
    PLATE (REQUIRED), AMOUNT (REQUIRED),
    LIST ("items", NULL, N_ ("what it is made of"), "欠费明细"), END};

static const field_t gate_fields[] = {
    ENUM ("reason", REQUIRED, gate_reason, N_ ("why the barrier moved"), "抬落杆原因"),
    ID ("because", OPTIONAL, N_ ("id of the event that justified it"),
        "依据的事件编号"),
    OPERATOR,
    REMARK,
    PLATE (OPTIONAL),
    PICTURE,
    BOOL ("hold", OPTIONAL, N_ ("stays as it is until told otherwise"),
          "保持常开或常闭"),
    END};

static const field_t case_fields[] = {
    ID ("case", REQUIRED, N_ ("id of the case"), "工单编号"),
    ENUM ("reason", REQUIRED, case_reason, N_ ("why a person is needed"), "原因"),
    AMOUNT (OPTIONAL),
    PAYMENT (OPTIONAL),
    PLATFORM (OPTIONAL),
    OPERATOR,
    TEXT ("decision", OPTIONAL, N_ ("what the person decided"), "处理决定"),
    END};

static const field_t alarm_fields[] = {
    TEXT ("name", REQUIRED, N_ ("the same for raised and cleared"), "告警名称"),
    TEXT ("sentence", REQUIRED, N_ ("what is wrong, where, what to do"), "告警说明"),
    END};

static const field_t plugin_changed[] = {
    TEXT ("name", REQUIRED, N_ ("plugin instance"), "插件实例"),
    ENUM ("state", REQUIRED, plugin_state, N_ ("its state now"), "当前状态"),
    TEXT ("sentence", OPTIONAL, N_ ("why"), "说明"), END};

//  ------------------------------------------------------------ types

#define OF_LANE (TYPE_LOT | TYPE_LANE | TYPE_CLIENT)
#define OF_VISIT (TYPE_SUBJECT | TYPE_LOT | TYPE_CLIENT)
#define OF_LOT (TYPE_LOT | TYPE_CLIENT)
#define OF_BROKER TYPE_LOT
#define OF_MONEY (TYPE_LOT | TYPE_MONEY)
#define OF_CASHIER (TYPE_LOT | TYPE_MONEY | TYPE_PERSON)
#define OF_BINDING (TYPE_LOT | TYPE_ONE_OF | TYPE_NEEDS)

// clang-format off
const event_type_t event_types[] = {
    {"lane.waiting", OF_LANE, lane_fields,
     N_("A car stands before the barrier."),
     "车辆停在道闸前。"},
    {"lane.cleared", OF_LANE, lane_fields,
     N_("The car has left the barrier."),
     "车辆离开道闸。"},
    {"in.recorded", OF_VISIT, in_recorded,
     N_("A car has come in."),
     "车辆入场。"},
    {"in.corrected", OF_VISIT | TYPE_NEEDS, in_corrected,
     N_("An entry was wrong."),
     "更正入场记录。"},
    {"out.recorded", OF_VISIT, out_recorded,
     N_("A car has left; its money."),
     "车辆出场及其费用。"},
    {"out.corrected", OF_VISIT | TYPE_NEEDS, out_corrected,
     N_("An exit was wrong."),
     "更正出场记录。"},
    {"fee.quoted", OF_BROKER, fee_quoted,
     N_("What a visit costs at a moment."),
     "某一时刻的停车报价。"},
    {"visit.settled", OF_BROKER, visit_settled,
     N_("The captures since the newest quote reach its due."),
     "最新报价之后的实收已达待付金额。"},
    {"pay.requested", OF_MONEY, pay_requested,
     N_("A platform is being asked for money."),
     "已向平台请求扣费。"},
    {"pay.captured", OF_CASHIER, pay_captured,
     N_("Money was taken. Only this counts as money taken."),
     "已收款。只有本事件计为收入。"},
    {"pay.confirmed", OF_MONEY, pay_confirmed,
     N_("A further witness of money already captured. Never added."),
     "已收款项的又一依据，不重复计入。"},
    {"pay.declined", OF_MONEY, pay_outcome,
     N_("The platform refused."),
     "平台拒绝扣费。"},
    {"pay.pending", OF_MONEY, pay_outcome,
     N_("The platform is still at it."),
     "平台处理中。"},
    {"pay.uncertain", OF_MONEY, pay_outcome,
     N_("Nobody knows yet whether money was taken."),
     "扣费结果未知。"},
    {"pay.absent", OF_MONEY, pay_outcome,
     N_("The platform has no such payment, proven."),
     "已证实平台没有该笔支付。"},
    {"pay.surplus", OF_MONEY, pay_surplus,
     N_("More was taken than was due."),
     "多收款。"},
    {"bind.added", OF_BINDING, bind_fields,
     N_("A platform may charge this car without asking."),
     "车辆已开通无感支付。"},
    {"bind.removed", OF_BINDING, bind_fields,
     N_("It may no longer."),
     "车辆已解除无感支付。"},
    {"refund.requested", OF_MONEY, refund_requested,
     N_("A refund is being asked for."),
     "已请求退款。"},
    {"refund.done", OF_CASHIER, refund_outcome,
     N_("Money was given back. Only this counts as money given back."),
     "已退款。只有本事件计为退款。"},
    {"refund.failed", OF_MONEY, refund_outcome,
     N_("The refund was refused."),
     "退款失败。"},
    {"refund.pending", OF_MONEY, refund_outcome,
     N_("The refund is under way."),
     "退款处理中。"},
    {"refund.uncertain", OF_MONEY, refund_outcome,
     N_("Nobody knows yet whether money was given back."),
     "退款结果未知。"},
    {"space.changed", OF_LOT, space_changed,
     N_("The number of free spaces."),
     "空余车位变化。"},
    {"lot.changed", OF_LOT, lot_changed,
     N_("The lot's own figures."),
     "车场参数变化。"},
    {"picture.captured", OF_LOT | TYPE_NEEDS, picture_captured,
     N_("A picture was taken."),
     "已抓拍图片。"},
    {"discount.granted", OF_LOT, discount_fields,
     N_("A discount for a visit."),
     "发放优惠。"},
    {"discount.revoked", OF_LOT, discount_fields,
     N_("It was taken back."),
     "撤销优惠。"},
    {"arrears.found", OF_BROKER, arrears_found,
     N_("A car owes money from earlier visits."),
     "车辆有历史欠费。"},
    {"gate.opened", OF_LANE | TYPE_NEEDS, gate_fields,
     N_("A barrier was opened, and why."),
     "道闸抬起及其原因。"},
    {"gate.closed", OF_LANE | TYPE_NEEDS, gate_fields,
     N_("A barrier was closed, and why."),
     "道闸落下及其原因。"},
    {"case.opened", OF_BROKER, case_fields,
     N_("Money that needs a person."),
     "需人工处理的款项。"},
    {"case.closed", OF_BROKER, case_fields,
     N_("A person has decided."),
     "人工处理完毕。"},
    {"alarm.raised", 0, alarm_fields,
     N_("Something is wrong."),
     "告警。"},
    {"alarm.cleared", 0, alarm_fields,
     N_("It is right again."),
     "告警解除。"},
    {"plugin.changed", 0, plugin_changed,
     N_("A plugin instance changed its state."),
     "插件实例状态变化。"},
    {NULL, 0, NULL, NULL, NULL},
};
// clang-format on

//  `needs` is required when `member` is `word` (NULL: whatever it is); `unless` turns
//  the condition round.
const need_t event_needs[] = {
    {"in.corrected",     "what",   "plate",      false, "plate"     },
    {"in.corrected",     "what",   "entered_at", false, "entered_at"},
    {"out.corrected",    "what",   "plate",      false, "plate"     },
    {"out.corrected",    "what",   "left_at",    false, "left_at"   },
    {"out.corrected",    "what",   "total_due",  false, "total_due" },
    {"bind.added",       "scope",  "person",     false, "person"    },
    {"bind.added",       "scope",  "person",     true,  "plate"     },
    {"bind.removed",     "scope",  "person",     false, "person"    },
    {"bind.removed",     "scope",  "person",     true,  "plate"     },
    {"picture.captured", "path",   NULL,         true,  "url"       },
    {"gate.opened",      "reason", "paid",       false, "because"   },
    {"gate.opened",      "reason", "manual",     false, "operator"  },
    {"gate.opened",      "reason", "manual",     false, "remark"    },
    {"gate.closed",      "reason", "paid",       false, "because"   },
    {"gate.closed",      "reason", "manual",     false, "operator"  },
    {"gate.closed",      "reason", "manual",     false, "remark"    },
    {NULL,               NULL,     NULL,         false, NULL        },
};
const event_type_t *
event_type_find (span_t name)
{
    if (!name.p)
        return NULL;
    for (const event_type_t *type = event_types; type->name; type++)
        if (type->name[0] == name.p[0] && span_is (name, type->name))
            return type;
    return NULL;
}
