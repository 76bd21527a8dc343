//  test_cmb_report.c - what CMB receives for each event, and what its answers come to.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "site.h"

#define T8 INT64_C (1795219200000)  //  2026-11-21T08:00:00+08:00
#define T10 INT64_C (1795226400000) //  2026-11-21T10:00:00+08:00

#define NORTH "park_code=5201030001\n"

#define ITEM(should, actual, type)                                                       \
    "{\"should_pay\":" should ",\"actual_pay\":" actual ",\"pay_type\":" type            \
    ",\"toll_collector\":\"\",\"seq_num\":\"\",\"time\":1795226400}"
#define ROUTE                                                                            \
    "in_code=1\nin_time=1795219200\nout_code=2\nout_time=1795226400\n" NORTH              \
    "record_id=V1\nvpl_number=京A12311\n"

//  A row expects the lines that CMB gets, or a result and a part of its sentence.
// clang-format off
static const struct {
    const char *promise;
    const char *type, *lot, *lane, *visit;
    int64_t time_ms;
    const char *data;
    int rc;
    const char *want;
} reports[] = {
    //  Document 5.3, Indata
    {"entry: the document's fields, times in seconds", "in.recorded", "north", "in-1",
     "V1", T8 + 123,
     "{\"plate\":\"京A12311\",\"plate_color\":\"blue\",\"vehicle_class\":\"small\","
     "\"energy\":\"ordinary\",\"user_class\":\"temporary\"}",
     PB_OK,
     "auth_type=0\ncar_type=1\nin_code=1\nin_time=1795219200\n" NORTH
     "plate_color=0\npower_type=1\nrecord_id=V1\nvpl_number=京A12311\n"},
    {"entry: what is not known is left out, the required codes have a default",
     "in.recorded", "north", "in-1", "V1", T8, "{\"plate\":\"京A12311\"}", PB_OK,
     "car_type=1\nin_code=1\nin_time=1795219200\n" NORTH
     "power_type=1\nrecord_id=V1\nvpl_number=京A12311\n"},
    {"entry: all the codes", "in.recorded", "north", "in-1", "V1", T8,
     "{\"plate\":\"粤B12345D\",\"plate_color\":\"green\",\"vehicle_class\":"
     "\"military_police\",\"energy\":\"electric\",\"user_class\":\"monthly\",\"body\":"
     "\"suv\",\"body_color\":\"black\",\"make\":\"大众\",\"owner\":\"李\"}",
     PB_OK,
     "auth_type=99\nbody_color=3\ncar_type=65534\nin_code=1\nin_time=1795219200\n"
     "logo=大众\nmodel=7\nowner=李\n" NORTH
     "plate_color=4\npower_type=3\nrecord_id=V1\nvpl_number=粤B12345D\n"},
    {"entry: a colour CMB has no number for is left out", "in.recorded", "north",
     "in-1", "V1", T8, "{\"plate\":\"京A12311\",\"plate_color\":\"blue_white\"}", PB_OK,
     "car_type=1\nin_code=1\nin_time=1795219200\n" NORTH
     "power_type=1\nrecord_id=V1\nvpl_number=京A12311\n"},
    {"entry: a motorcycle is a small car of model 6", "in.recorded", "north", "in-1",
     "V1", T8, "{\"plate\":\"京A12311\",\"vehicle_class\":\"motorcycle\"}", PB_OK,
     "car_type=1\nin_code=1\nin_time=1795219200\nmodel=6\n" NORTH
     "power_type=1\nrecord_id=V1\nvpl_number=京A12311\n"},
    {"entry: blanks and dots are print, not plate", "in.recorded", "north", "in-1",
     "V1", T8, "{\"plate\":\"京A·1・2　 3.1•1\"}", PB_OK,
     "car_type=1\nin_code=1\nin_time=1795219200\n" NORTH
     "power_type=1\nrecord_id=V1\nvpl_number=京A12311\n"},
    {"entry: a virtual plate of 30 goes through", "in.recorded", "north", "in-1", "V1",
     T8, "{\"plate\":\"无23456789012345678901234567890\"}", PB_OK,
     "car_type=1\nin_code=1\nin_time=1795219200\n" NORTH
     "power_type=1\nrecord_id=V1\nvpl_number=无23456789012345678901234567890\n"},
    {"entry: a plate over CMB's limit is set aside", "in.recorded", "north", "in-1",
     "V1", T8, "{\"plate\":\"无234567890123456789012345678901\"}", PB_REJECT,
     "vpl_number (our plate)"},
    {"entry: a lane that is not in the map is set aside", "in.recorded", "north",
     "in-9", "V1", T8, "{\"plate\":\"京A12311\"}", PB_REJECT, "lane in-9 of lot north"},
    {"entry: without a lane it is set aside", "in.recorded", "north", NULL, "V1", T8,
     "{\"plate\":\"京A12311\"}", PB_REJECT, "publish the event with its lane"},
    {"entry: a lane number beyond 255 is set aside", "in.recorded", "east", "in-big",
     "V1", T8, "{\"plate\":\"京A12311\"}", PB_REJECT, "in_code"},
    {"entry: a lot without park_code is set aside", "in.recorded", "south", "in-1",
     "V1", T8, "{\"plate\":\"京A12311\"}", PB_REJECT,
     "set park_code under lots: south:"},
    {"entry: without a plate it is set aside", "in.recorded", "north", "in-1", "V1", T8,
     "{}", PB_REJECT, "vpl_number (our plate)"},
    {"entry: without a visit it is set aside", "in.recorded", "north", "in-1", NULL, T8,
     "{\"plate\":\"京A12311\"}", PB_REJECT, "record_id (our subject)"},

    //  Document 5.4, Outdata
    {"exit: the payments, once each, in fen", "out.recorded", "north", "out-1", "V1",
     T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":1000,\"settlement\":\"paid\",\"payments\":[{\"tender\":"
     "\"cash\",\"due\":1000,\"paid\":1000,\"ref\":\"c1\",\"paid_at\":"
     "\"2026-11-21T09:59:00+08:00\",\"cashier\":\"0003\"}]}",
     PB_OK,
     "charge_items=[{\"should_pay\":1000,\"actual_pay\":1000,\"pay_type\":1,"
     "\"toll_collector\":\"0003\",\"seq_num\":\"c1\",\"time\":1795226340}]\n"
     "in_code=1\nin_time=1795219200\nout_code=2\nout_time=1795226400\n" NORTH
     "record_id=V1\nvpl_number=京A12311\n"},
    {"exit: nothing due and nothing paid is an empty list", "out.recorded", "north",
     "out-1", "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":0,\"settlement\":\"paid\"}",
     PB_OK,
     "charge_items=[]\nin_code=1\nin_time=1795219200\nout_code=2\nout_time=1795226400\n" NORTH
     "record_id=V1\nvpl_number=京A12311\n"},
    {"exit: payment, discount and what escaped add up to the fee", "out.recorded", "north",
     "out-1", "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":1000,\"discount\":200,\"settlement\":\"escaped\","
     "\"payments\":[{\"tender\":\"cash\",\"due\":300,\"paid\":300},{\"tender\":"
     "\"wechat\",\"paid\":100}]}",
     PB_OK,
     "charge_items=[" ITEM ("300", "300", "1") "," ITEM ("100", "100", "53") ","
     ITEM ("200", "0", "58") "," ITEM ("400", "0", "2") "]\n" ROUTE},
    {"exit: escaped, but all was paid, owes nothing", "out.recorded", "north", "out-1",
     "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":300,\"settlement\":\"escaped\",\"payments\":[{\"tender\":"
     "\"cash\",\"due\":300,\"paid\":300}]}",
     PB_OK, "charge_items=[" ITEM ("300", "300", "1") "]\n" ROUTE},
    {"exit: free after a payment lists the payment only", "out.recorded", "north", "out-1",
     "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":300,\"settlement\":\"free\",\"payments\":[{\"tender\":"
     "\"cash\",\"due\":300,\"paid\":300}]}",
     PB_OK, "charge_items=[" ITEM ("300", "300", "1") "]\n" ROUTE},
    {"exit: an entry lane without number is set aside", "out.recorded", "north",
     "out-1", "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-7\",\"total_due\":0}",
     PB_REJECT, "lane in-7 of lot north"},
    {"exit: without the time of entry it is set aside", "out.recorded", "north",
     "out-1", "V1", T10,
     "{\"plate\":\"京A12311\",\"lane_in\":\"in-1\",\"total_due\":0}", PB_REJECT,
     "in_time (our entered_at)"},
    {"exit: a payment without its amount is set aside", "out.recorded", "north",
     "out-1", "V1", T10,
     "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"lane_in\":"
     "\"in-1\",\"total_due\":0,\"payments\":[{\"tender\":\"cash\"}]}",
     PB_REJECT, "should_pay (our due)"},

    //  Document 5.2, SpaceInfo
    {"spaces: all three numbers", "space.changed", "north", NULL, NULL, T10,
     "{\"free\":120,\"total\":300,\"free_contract\":20,\"free_visitor\":100}", PB_OK,
     NORTH "tmp_empty=100\ntotal_empty=120\nvip_empty=20\n"},
    {"spaces: one pool without contract spaces", "space.changed", "north", NULL, NULL,
     T10, "{\"free\":120}", PB_OK,
     NORTH "tmp_empty=120\ntotal_empty=120\nvip_empty=0\n"},
    {"spaces: the part that is not said is the rest", "space.changed", "north", NULL,
     NULL, T10, "{\"free\":120,\"free_contract\":20}", PB_OK,
     NORTH "tmp_empty=100\ntotal_empty=120\nvip_empty=20\n"},
    {"spaces: a rest is never negative", "space.changed", "north", NULL, NULL, T10,
     "{\"free\":12,\"free_visitor\":20}", PB_OK,
     NORTH "tmp_empty=20\ntotal_empty=12\nvip_empty=0\n"},
    {"spaces: of an area only is not for CMB", "space.changed", "north", NULL, NULL,
     T10, "{\"free\":120,\"area\":\"B1\"}", PB_UNSUPPORTED, NULL},
    {"an event CMB has no interface for", "gate.opened", "north", "in-1", NULL, T10,
     "{}", PB_UNSUPPORTED, "gate.opened"},
};
// clang-format on

static pb_message_t
s_message (const char *type, const char *lot, const char *lane, const char *visit,
           int64_t time_ms, const char *data)
{
    return (pb_message_t){
        .struct_size = sizeof (pb_message_t),
        .kind = PB_MESSAGE_EVENT,
        .seq = 1,
        .id = "e1",
        .type = type,
        .source = "gate/in-1",
        .visit = visit,
        .lot = lot,
        .lane = lane,
        .time_ms = time_ms,
        .data = {data, strlen (data)}
    };
}

static const char *
s_path (const char *type)
{
    static const char *const paths[][2] = {
        {"in.recorded",   "/api/Indata"   },
        {"out.recorded",  "/api/Outdata"  },
        {"space.changed", "/api/SpaceInfo"}
    };
    for (size_t i = 0; i < 3; i++)
        if (site_is (type, paths[i][0]))
            return paths[i][1];
    return NULL;
}

static void
s_check_reports (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        pb_message_t message =
            s_message (reports[i].type, reports[i].lot, reports[i].lane,
                       reports[i].visit, reports[i].time_ms, reports[i].data);
        int rc = pb_harness_encode (site, &message);
        if (reports[i].rc != PB_OK) {
            site_ok (rc == reports[i].rc && site_has (site->sentence, reports[i].want),
                     reports[i].promise, site->sentence);
            continue;
        }
        char *got = rc == PB_OK ? site_lines (site->body) : NULL;
        site_ok (site_is (got, reports[i].want)
                     && site_is (site->request.path, s_path (reports[i].type))
                     && !(site->request.flags & PB_REQUEST_COMMAND),
                 reports[i].promise, got ? got : site->sentence);
        free (got);
    }
}

//  One payment, or one settlement: what stands in charge_items.
// clang-format off
static const struct {
    const char *promise;
    const char *members; //  Of out.recorded's data, after total_due
    const char *pay_type;
    const char *amounts; //  should_pay and actual_pay
} items[] = {
    {"cash is 1", "1000,\"payments\":[{\"tender\":\"cash\",\"paid\":7}]", "1", "7,7"},
    {"wechat outside CMB is 53", "9,\"payments\":[{\"tender\":\"wechat\",\"paid\":9}]",
     "53", "9,9"},
    {"alipay outside CMB is 54", "9,\"payments\":[{\"tender\":\"alipay\",\"paid\":9}]",
     "54", "9,9"},
    {"unionpay is 50", "9,\"payments\":[{\"tender\":\"unionpay\",\"paid\":9}]", "50",
     "9,9"},
    {"cmb with its order is 99",
     "9,\"payments\":[{\"tender\":\"cmb\",\"paid\":9,\"ref\":\"o1\"}]", "99", "9,9"},
    {"cmb without an order is only online",
     "9,\"payments\":[{\"tender\":\"cmb\",\"paid\":9}]", "4", "9,9"},
    {"etc is 61", "9,\"payments\":[{\"tender\":\"etc\",\"paid\":9}]", "61", "9,9"},
    {"wallet is online, 4", "9,\"payments\":[{\"tender\":\"wallet\",\"paid\":9}]", "4",
     "9,9"},
    {"card is the POS, 3", "9,\"payments\":[{\"tender\":\"card\",\"paid\":9}]", "3",
     "9,9"},
    {"stored value is 10", "9,\"payments\":[{\"tender\":\"stored_value\",\"paid\":9}]",
     "10", "9,9"},
    {"stored time is 15", "9,\"payments\":[{\"tender\":\"stored_time\",\"paid\":9}]",
     "15", "9,9"},
    {"transit card is 14", "9,\"payments\":[{\"tender\":\"transit_card\",\"paid\":9}]",
     "14", "9,9"},
    {"points is 13", "9,\"payments\":[{\"tender\":\"points\",\"paid\":9}]", "13",
     "9,9"},
    {"coupon is 16", "9,\"payments\":[{\"tender\":\"coupon\",\"paid\":9}]", "16",
     "9,9"},
    {"benefit card is 23", "9,\"payments\":[{\"tender\":\"benefit_card\",\"paid\":9}]",
     "23", "9,9"},
    {"a discount among the payments is 58",
     "9,\"payments\":[{\"tender\":\"discount\",\"paid\":9}]", "58", "9,9"},
    {"contract is 7", "9,\"payments\":[{\"tender\":\"contract\",\"paid\":0}]", "7",
     "0,0"},
    {"deferred is 2", "9,\"payments\":[{\"tender\":\"deferred\",\"due\":9,\"paid\":0}]",
     "2", "9,0"},
    {"online is 4", "9,\"payments\":[{\"tender\":\"online\",\"paid\":9}]", "4", "9,9"},
    {"other is 55", "9,\"payments\":[{\"tender\":\"other\",\"paid\":9}]", "55", "9,9"},
    {"free without a reason is 52", "0,\"settlement\":\"free\"", "52", "0,0"},
    {"free: short stay is 0",
     "0,\"settlement\":\"free\",\"free_reason\":\"short_stay\"", "0", "0,0"},
    {"free: authorised is 7",
     "0,\"settlement\":\"free\",\"free_reason\":\"authorised\"", "7", "0,0"},
    {"free: by hand is 8", "0,\"settlement\":\"free\",\"free_reason\":\"manual\"", "8",
     "0,0"},
    {"free: time window is 9",
     "0,\"settlement\":\"free\",\"free_reason\":\"time_window\"", "9", "0,0"},
    {"free: capped is 11", "0,\"settlement\":\"free\",\"free_reason\":\"capped\"", "11",
     "0,0"},
    {"free: prepaid window is 12",
     "0,\"settlement\":\"free\",\"free_reason\":\"prepaid_window\"", "12", "0,0"},
    {"free: tariff is 52", "0,\"settlement\":\"free\",\"free_reason\":\"tariff\"", "52",
     "0,0"},
    {"free among the payments carries the reason too",
     "0,\"free_reason\":\"capped\",\"payments\":[{\"tender\":\"free\",\"paid\":0}]",
     "11", "0,0"},
    {"a payment that says only what was due was paid",
     "9,\"payments\":[{\"tender\":\"cash\",\"due\":9}]", "1", "9,9"},
    {"a deferred one was not", "9,\"payments\":[{\"tender\":\"deferred\",\"due\":9}]",
     "2", "9,0"},
    {"a payment that does not say how is other, 55", "9,\"payments\":[{\"paid\":9}]",
     "55", "9,9"},
    {"a contract exit is 7 with nothing to pay", "0,\"settlement\":\"contract\"", "7",
     "0,0"},
    {"an escaped exit owes all of it, 2", "800,\"settlement\":\"escaped\"", "2",
     "800,0"},
    {"a deferred exit owes what is left",
     "800,\"discount\":800,\"settlement\":\"paid\"", "58", "800,0"},
};
// clang-format on

static void
s_check_items (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        char data[1024], want[256];
        snprintf (
            data, sizeof data,
            "{\"plate\":\"京A12311\",\"entered_at\":\"2026-11-21T08:00:00+08:00\","
            "\"lane_in\":\"in-1\",\"total_due\":%s}",
            items[i].members);
        int should = 0, actual = 0;
        sscanf (items[i].amounts, "%d,%d", &should, &actual);
        snprintf (want, sizeof want,
                  "charge_items=[{\"should_pay\":%d,\"actual_pay\":%d,\"pay_type\":%s,"
                  "\"toll_collector\":\"\",\"seq_num\":\"%s\",\"time\":1795226400}]\n",
                  should, actual, items[i].pay_type,
                  site_is (items[i].pay_type, "99") ? "o1" : "");
        pb_message_t message =
            s_message ("out.recorded", "north", "out-1", "V1", T10, data);
        int rc = pb_harness_encode (site, &message);
        char *got = rc == PB_OK ? site_lines (site->body) : NULL;
        site_ok (site_has (got, want), items[i].promise, got ? got : site->sentence);
        free (got);
    }
}

//  What CMB's answer comes to.
// clang-format off
static const struct {
    const char *promise;
    unsigned http;
    const char *body;
    int rc;
    const char *says; //  Part of the sentence, or the event that follows
} answers[] = {
    {"status 0 is done", 200, "{\"status\":0,\"message\":\"success\"}", PB_OK, NULL},
    {"the document's comma too few and too many are forgiven", 200,
     "{\"status\":0,\"message\":\"success\" \"data\":{},}", PB_OK, NULL},
    {"a status in quotes counts", 200, "{\"status\":\"0\"}", PB_OK, NULL},
    {"bound at once", 200,
     "{\"status\":0,\"message\":\"\",\"data\":{\"uid\":1,\"limit\":20000}}", PB_OK,
     "bind.added {\"plate\":\"京A12311\",\"scope\":\"plate\",\"limit\":20000}"},
    {"bound, in text", 200, "{\"status\":0,\"data\":{\"uid\":\"1\",\"limit\":\"500\"}}",
     PB_OK, "bind.added {\"plate\":\"京A12311\",\"scope\":\"plate\",\"limit\":500}"},
    {"bound, the limit not known", 200,
     "{\"status\":0,\"data\":{\"uid\":1,\"limit\":0}}", PB_OK,
     "bind.added {\"plate\":\"京A12311\",\"scope\":\"plate\"}"},
    {"not bound", 200, "{\"status\":0,\"data\":{\"uid\":0,\"limit\":0}}", PB_OK,
     "bind.removed {\"plate\":\"京A12311\",\"scope\":\"plate\"}"},
    {"a null beside status 0 says nothing", 200, "{\"status\":0,\"data\":null}", PB_OK,
     NULL},
    {"an autopay state that is nonsense leaves the report done", 200,
     "{\"status\":0,\"data\":{\"uid\":7}}", PB_OK, NULL},
    {"another status is CMB's no, in its words", 200,
     "{\"status\":1,\"message\":\"车场不存在\"}", PB_REJECT, "车场不存在"},
    {"a wrong signature is about credentials", 200,
     "{\"status\":1,\"message\":\"签名错误\"}", PB_AUTH, "签名错误"},
    {"what CMB has already is done", 200,
     "{\"status\":1,\"message\":\"停车记录已存在\"}", PB_DUP, "已存在"},
    {"appid missing is about credentials", 200,
     "{\"status\":1,\"message\":\"appid不能为空\"}", PB_AUTH, "appid"},
    {"no answer: again", 0, NULL, PB_RETRY, "no answer"},
    {"503: again", 503, "busy", PB_RETRY, "503"},
    {"500 with JSON is still no answer", 500, "{\"status\":0}", PB_RETRY, "500"},
    {"429: again", 429, "", PB_RETRY, "429"},
    {"404 with JSON is no answer either", 404, "{\"status\":0}", PB_RETRY, "404"},
    {"404: again, and said", 404, "", PB_RETRY, "404"},
    {"403 is about credentials", 403, "", PB_AUTH, "403"},
    {"HTML is no answer", 200, "<html>", PB_RETRY, "<html>"},
    {"half an answer is none", 200, "{\"status\":", PB_RETRY, NULL},
    {"an empty answer is none", 200, "", PB_RETRY, NULL},
    {"an answer without status is none", 200, "{\"message\":\"ok\"}", PB_RETRY, NULL},
    {"a status that is no integer is none", 200, "{\"status\":0.0}", PB_RETRY, NULL},
    {"a list is no answer", 200, "[0]", PB_RETRY, NULL},
};
// clang-format on

static void
s_check_answers (pb_harness_t *site)
{
    pb_message_t message = s_message ("in.recorded", "north", "in-1", "V1", T8,
                                      "{\"plate\":\"京A12311\"}");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        int rc = pb_harness_decode (site, &message, answers[i].http, answers[i].body);
        bool ok = rc == answers[i].rc;
        char said[512] = "";
        if (site->events_count)
            snprintf (said, sizeof said, "%s %s", site->events[0].type,
                      site->events[0].data);
        else if (site->sentence)
            snprintf (said, sizeof said, "%s", site->sentence);
        if (rc == PB_OK)
            ok = ok && site_is (said, answers[i].says ? answers[i].says : "");
        else
            ok = ok && site_has (said, answers[i].says) && *said;
        for (size_t n = 0; n < site->events_count; n++)
            ok = ok && !site_refused (&site->events[n])
                 && site_is (site->events[n].visit, "V1")
                 && site_is (site->events[n].lot, "north");
        site_ok (ok, answers[i].promise, said);
    }
    pb_message_t spaces =
        s_message ("space.changed", "north", NULL, NULL, T8, "{\"free\":1}");
    int rc =
        pb_harness_decode (site, &spaces, 200, "{\"status\":0,\"data\":{\"uid\":1}}");
    site_ok (rc == PB_OK && !site->events_count,
             "only Indata's answer speaks of autopay", site->sentence);
}

//  Memory that runs out at any point ends the call, and nothing else.
static void
s_check_memory (pb_harness_t *site)
{
    pb_message_t message =
        s_message (reports[14].type, reports[14].lot, reports[14].lane,
                   reports[14].visit, reports[14].time_ms, reports[14].data);
    int rc = PB_NOMEM;
    long given = 0;
    for (; given < 2000 && rc != PB_OK; given++) {
        site->allocations = given;
        rc = pb_harness_encode (site, &message);
    }
    site->allocations = -1;
    char *got = rc == PB_OK ? site_lines (site->body) : NULL;
    site_ok (site_is (got, reports[14].want) && given > 10, "memory may run out anywhere", site->sentence);
    free (got);
}

int
main (void)
{
    pb_harness_t *site = site_new ();
    s_check_reports (site);
    s_check_items (site);
    s_check_answers (site);
    s_check_memory (site);
    pb_harness_destroy (&site);
    return site_end ();
}
