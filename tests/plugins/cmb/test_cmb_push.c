//  test_cmb_push.c - what becomes of what CMB tells and asks: one row per promise.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "site.h"

#define NORTH "park_code=5201030001\n"
#define OK_REPLY "{\"status\":0,\"message\":\"success\"}"

//  What a push comes to. `lines` are raw; appid and sign are added.
// clang-format off
static const struct {
    const char *promise;
    const char *name;
    const char *lines;
    int rc;
    const char *reply;  //  Whole when rc is PB_OK, else a part
    const char *events; //  "type visit lot data", one a line
} pushes[] = {
    //  Document 4.2, pay
    {"pay: an order as number, kept as text", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\nbill_id=\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1000,\"order\":12343535}]\n"
           "zz_new=x y+&=\nAa=1",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":1000,\"payment\":\"12343535\","
     "\"tender\":\"cmb\"}\n"},
    {"pay: an order as text, with the quote", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\nbill_id=Q-82\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"o/2\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"quote\":\"Q-82\",\"paid_at\":\"2026-11-21T09:53:20+08:00\","
     "\"witness\":\"push\",\"plate\":\"陕A12345\",\"amount\":1,\"payment\":\"o/2\","
     "\"tender\":\"cmb\"}\n"},
    {"pay: every payment of the list, each under its own key", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"a3\"},"
           "{\"pay_type\":48,\"amount\":\"6\",\"order\":"
           "123456789012345678901234567890},{\"pay_type\":99,\"amount\":5,\"order\":"
           "\"a3\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":5,\"payment\":\"a3\",\"tender\":\"cmb\"}\n"
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":6,\"payment\":"
     "\"123456789012345678901234567890\",\"tender\":\"wechat\"}\n"},
    {"pay: a pay_type that is none of the document's is kept", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":70,\"amount\":5,\"order\":\"a4\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":5,\"payment\":\"a4\",\"tender\":"
     "\"other\",\"ext\":{\"pay_type\":\"70\"}}\n"},
    {"pay: a record_id that is no visit of ours counts all the same", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=记录 1\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":0,\"order\":\"a5\"}]",
     PB_OK, OK_REPLY,
     "pay.captured - north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":0,\"payment\":\"a5\",\"tender\":\"cmb\","
     "\"ext\":{\"record_id\":\"记录 1\"}}\n"},
    {"pay: a lot whose risk CMB carries", "pay",
     "park_code=5201030002\nvpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
     "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"a6\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 east {\"guaranteed\":true,\"paid_at\":\"2026-11-21T09:53:20+08:00\","
     "\"witness\":\"push\",\"plate\":\"陕A12345\",\"amount\":5,\"payment\":\"a6\","
     "\"tender\":\"cmb\"}\n"},
    {"pay: a time in milliseconds is understood", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"a7\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":5,\"payment\":\"a7\",\"tender\":"
     "\"cmb\"}\n"},
    {"pay: a bill_id that no quote of ours can be is kept aside", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\nbill_id="
           "0123456789012345678901234567890123456789012345678901234567890123456789\n"
           "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"a8\"}]",
     PB_OK, OK_REPLY,
     "pay.captured V9 north {\"paid_at\":\"2026-11-21T09:53:20+08:00\",\"witness\":"
     "\"push\",\"plate\":\"陕A12345\",\"amount\":5,\"payment\":\"a8\",\"tender\":"
     "\"cmb\",\"ext\":{\"bill_id\":\"0123456789012345678901234567890123456789"
     "012345678901234567890123456789\"}}\n"},
    {"pay: half a pay_list", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\npay_list=[{",
     PB_BADMSG, "pay_list", ""},
    {"pay: an empty pay_list", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\npay_list=[]",
     PB_BADMSG, "holds no payment", ""},
    {"pay: a pay_list that is an object", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\npay_list={}",
     PB_BADMSG, "JSON array", ""},
    {"pay: a list of numbers", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\npay_list=[1]",
     PB_BADMSG, "not a JSON object", ""},
    {"pay: an amount with decimals is refused, not rounded", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":10.5,\"order\":\"b1\"}]",
     PB_BADMSG, "amount", ""},
    {"pay: an amount in powers of ten", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1e3,\"order\":\"b1\"}]",
     PB_BADMSG, "amount", ""},
    {"pay: a negative amount", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":-1,\"order\":\"b1\"}]",
     PB_BADMSG, "amount", ""},
    {"pay: an amount beyond 64 bits", "pay",
     NORTH
     "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
     "pay_list=[{\"pay_type\":99,\"amount\":99999999999999999999,\"order\":\"b1\"}]",
     PB_BADMSG, "amount", ""},
    {"pay: without order", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1}]",
     PB_BADMSG, "order", ""},
    {"pay: without amount", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"order\":\"b1\"}]",
     PB_BADMSG, "amount", ""},
    {"pay: a good payment beside a bad one is not half recorded", "pay",
     NORTH
     "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
     "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b2\"},{\"pay_type\":99}]",
     PB_BADMSG, "amount", ""},
    {"pay: one order with two amounts", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b3\"},{\"pay_type\":99,"
           "\"amount\":2,\"order\":\"b3\"}]",
     PB_BADMSG, "two amounts", ""},
    {"pay: without a plate", "pay",
     NORTH "record_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "vpl_number", ""},
    {"pay: without record_id", "pay",
     NORTH "vpl_number=陕A12345\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "record_id", ""},
    {"pay: a time before there were such systems", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=5\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "pay_time", ""},
    {"pay: without pay_time", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "pay_time", ""},
    {"pay: without pay_list", "pay",
     NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000", PB_BADMSG,
     "pay_list", ""},
    {"pay: for a lot that is not ours", "pay",
     "park_code=9999999999\nvpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
     "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_REJECT, "park_code=9999999999", ""},
    {"pay: without a lot", "pay",
     "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
     "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "park_code", ""},
    {"pay: a GBK plate, rightly signed, is refused with the reason", "pay",
     NORTH "vpl_number=\xc9\xc2"
           "A12345\nrecord_id=V9\npay_time=1795226000\n"
           "pay_list=[{\"pay_type\":99,\"amount\":1,\"order\":\"b4\"}]",
     PB_BADMSG, "UTF-8", ""},

    //  Document 4.3 and 4.4
    {"bind: plate, limit and id", "autoPayBind",
     NORTH "vpl_number=粤B12345D\nauto_pay_type=0\nlimiter=20000\nserial_no=S1\n"
           "post_url=https://openmain.park.cmbchina.biz/api/AutoPay",
     PB_OK, OK_REPLY,
     "bind.added - north {\"plate\":\"粤B12345D\",\"limit\":20000,\"binding\":\"S1\","
     "\"scope\":\"plate\",\"ext\":{\"auto_pay_type\":\"0\"}}\n"},
    {"bind: limit 0 is not known, an empty id is none", "autoPayBind",
     NORTH "vpl_number=粤B12345D\nauto_pay_type=1\nlimiter=0\nserial_no=", PB_OK,
     OK_REPLY,
     "bind.added - north {\"plate\":\"粤B12345D\",\"scope\":\"plate\",\"ext\":"
     "{\"auto_pay_type\":\"1\"}}\n"},
    {"bind: without limiter", "autoPayBind",
     NORTH "vpl_number=粤B12345D\nauto_pay_type=0", PB_BADMSG, "limiter", ""},
    {"bind: without a plate", "autoPayBind", NORTH "auto_pay_type=0\nlimiter=1",
     PB_BADMSG, "vpl_number", ""},
    {"bind: for a lot that is not ours", "autoPayBind",
     "park_code=1\nvpl_number=粤B12345D\nauto_pay_type=0\nlimiter=1", PB_REJECT,
     "park_code", ""},
    {"unbind", "autoPayUnbind", NORTH "vpl_number=粤B12345D", PB_OK, OK_REPLY,
     "bind.removed - north {\"plate\":\"粤B12345D\",\"scope\":\"plate\"}\n"},
    {"unbind: without a plate", "autoPayUnbind", NORTH, PB_BADMSG, "vpl_number", ""},

    //  Document 4.1: what cannot become a question
    {"calc: neither lane nor plate", "calc", NORTH, PB_BADMSG, "vpl_number", ""},
    {"calc: an exit that is not ours", "calc", NORTH "out_code=77", PB_REJECT,
     "out_code=77", ""},
    {"calc: an exit that is no number", "calc", NORTH "out_code=two", PB_BADMSG,
     "out_code=two", ""},
    {"calc: a lot that is not ours", "calc", "park_code=9\nvpl_number=川X00000",
     PB_REJECT, "park_code=9", ""},
};
// clang-format on

static char *
s_events (const pb_harness_t *site)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    for (size_t i = 0; i < site->events_count; i++) {
        const pb_harness_event_t *event = &site->events[i];
        fprintf (out, "%s %s %s %s\n", event->type, event->visit ? event->visit : "-",
                 event->lot, event->data);
    }
    fclose (out);
    return text;
}

static void
s_check_pushes (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++) {
        int rc = site_push (site, pushes[i].name, pushes[i].lines);
        char *events = s_events (site);
        bool ok = rc == pushes[i].rc && site_is (events, pushes[i].events)
                  && site->replies == 1 && site->reply_status == 200;
        if (rc == PB_OK)
            ok = ok && site_is (site->reply, pushes[i].reply);
        else
            ok = ok && site_has (site->reply, "\"status\":1")
                 && site_has (site->reply, pushes[i].reply)
                 && site_has (site->sentence, pushes[i].reply);
        const char *refused = NULL;
        for (size_t n = 0; n < site->events_count && !refused; n++)
            refused = site_refused (&site->events[n]);
        site_ok (ok && !refused, pushes[i].promise,
                 refused ? refused : site->events_count ? events : site->reply);
        free (events);
    }
}

//  Bodies as bytes: what never reaches the tables.
// clang-format off
static const struct {
    const char *promise;
    const char *body;
    int rc;
    unsigned status;
} forms[] = {
    {"a form without sign", "appid=ik45nfuz&park_code=5201030001", PB_AUTH, 200},
    {"a sign that is no digest", "park_code=5201030001&sign=xyz", PB_AUTH, 200},
    {"a wrong sign", "park_code=5201030001&sign=00000000000000000000000000000000",
     PB_AUTH, 200},
    {"an empty body", "", PB_AUTH, 200},
    {"a name twice", "park_code=1&park_code=1&sign=00", PB_BADMSG, 400},
    {"a name twice, once escaped", "park_code=1&par%6b_code=2&sign=00", PB_BADMSG, 400},
    {"half an escape", "park_code=%5", PB_BADMSG, 400},
    {"an escape that is none", "park_code=%zz", PB_BADMSG, 400},
    {"an escaped NUL", "park_code=1%00", PB_BADMSG, 400},
    {"a value without a name", "=1", PB_BADMSG, 400},
};
// clang-format on

static void
s_check_forms (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char *body = strdup (forms[i].body);
        int rc = pb_harness_receive (site, "cmbParking/pay", body, strlen (body));
        site_ok (rc == forms[i].rc && site->reply_status == forms[i].status
                     && site_has (site->reply, "{\"status\":1,\"message\":\"")
                     && !site->events_count && site->sentence,
                 forms[i].promise, site->reply);
        free (body);
    }
    char many[1024] = "", nul[] = "a=1\0b";
    for (int i = 0; i < 65; i++)
        snprintf (many + strlen (many), sizeof many - strlen (many), "f%d=1&", i);
    int rc = pb_harness_receive (site, "cmbParking/pay", many, strlen (many));
    site_ok (rc == PB_BADMSG && site->reply_status == 400, "more than 64 fields",
             site->reply);
    rc = pb_harness_receive (site, "cmbParking/pay", nul, sizeof nul - 1);
    site_ok (rc == PB_BADMSG && site->reply_status == 400, "a NUL as it is",
             site->reply);
}

//  The signature, for what is signed and by whom.
// clang-format off
static const struct {
    const char *promise;
    const char *secret;
    const char *lines; //  With appid
    bool upper;        //  The digest in upper case
    int rc;
} signs[] = {
    {"our secret", SECRET, "appid=" APPID "\n" NORTH "vpl_number=粤B12345D", false,
     PB_OK},
    {"the digest in upper case", SECRET,
     "appid=" APPID "\n" NORTH "vpl_number=粤B12345D", true, PB_OK},
    {"the older secret during a rotation", "older-secret",
     "appid=" APPID "\n" NORTH "vpl_number=粤B12345D", false, PB_OK},
    {"another secret", "wrong", "appid=" APPID "\n" NORTH "vpl_number=粤B12345D", false,
     PB_AUTH},
    {"another appid under our secret", SECRET,
     "appid=somebody\n" NORTH "vpl_number=粤B12345D", false, PB_AUTH},
    {"no appid", SECRET, NORTH "vpl_number=粤B12345D", false, PB_BADMSG},
};
// clang-format on

static void
s_check_signs (pb_harness_t *site)
{
    pb_harness_key (site, "appsecret", "older-secret");
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        char *body = site_form (signs[i].lines, signs[i].secret);
        for (char *p = strstr (body, "sign=") + 5; signs[i].upper && *p; p++)
            *p = *p >= 'a' && *p <= 'f' ? (char) (*p - 'a' + 'A') : *p;
        int rc =
            pb_harness_receive (site, "cmbParking/autoPayUnbind", body, strlen (body));
        site_ok (
            rc == signs[i].rc
                && site_has (site->reply, rc == PB_OK ? "\"status\":0" : "\"status\":1")
                && site->events_count == (rc == PB_OK),
            signs[i].promise, site->reply);
        free (body);
    }
}

//  ---------------------------------------------------------------- repeats

static const char once_lines[] =
    NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
          "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"r1\"}]";
static const char once_more[] =
    NORTH "vpl_number=陕A12345\nrecord_id=V9\npay_time=1795226000\n"
          "pay_list=[{\"pay_type\":99,\"amount\":5,\"order\":\"r1\"},"
          "{\"pay_type\":99,\"amount\":6,\"order\":\"r2\"}]";

static void
s_check_repeats (bool late)
{
    pb_harness_t *site = site_new ();
    site->late_duplicates = late;
    int rc = site_push (site, "pay", once_lines);
    site_ok (
        rc == PB_OK && site->events_count == 1 && site_is (site->onces[0].key, "pay:r1")
            && site_is (site->onces[0].content, "5|V9|north"),
        "pay names its natural key and what must be equal", site->onces[0].content);
    rc = site_push (site, "pay", once_lines);
    site_ok (rc == (late ? PB_OK : PB_DUP) && !site->events_count
                 && site_is (site->reply, OK_REPLY),
             "pay again: the same answer, no second event", site->reply);
    rc = site_push (site, "pay", once_more);
    site_ok (rc == PB_OK && site->events_count == 1
                 && site_is (site->events[0].key, "pay:r2"),
             "a repeated payment beside a new one: only the new one counts",
             site->reply);
    pb_harness_destroy (&site);
}

//  ---------------------------------------------------------------- calc

// clang-format off
static const struct {
    const char *promise;
    const char *lines;
    const char *question; //  Body of fee.quote
    const char *lane;
} modes[] = {
    {"exit scan", NORTH "out_code=2", "{\"mode\":\"lane\",\"lane\":\"out-1\"}",
     "out-1"},
    {"exit scan where an entry lane shares the number", NORTH "out_code=1",
     "{\"mode\":\"lane\",\"lane\":\"out-2\"}", "out-2"},
    {"by plate", NORTH "vpl_number=陕A12345",
     "{\"mode\":\"plate\",\"plate\":\"陕A12345\"}", NULL},
    {"by plate, the exit there but empty", NORTH "vpl_number=陕A12345\nout_code=",
     "{\"mode\":\"plate\",\"plate\":\"陕A12345\"}", NULL},
    {"plateless", NORTH "out_code=2\nvpl_number=无123456789012345",
     "{\"mode\":\"plateless\",\"plate\":\"无123456789012345\",\"lane\":\"out-1\"}",
     "out-1"},
};
// clang-format on

static void
s_check_modes (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        int rc = site_push (site, "calc", modes[i].lines);
        site_ok (rc == PB_MORE && site_is (site->service, "fee.quote")
                     && site_is (site->question, modes[i].question)
                     && site_is (site->question_lot, "north")
                     && site_is (site->question_lane, modes[i].lane) && !site->replies,
                 modes[i].promise, site->question ? site->question : site->reply);
    }
}

#define PLATE NORTH "vpl_number=陕A12345"
#define LANE NORTH "out_code=2"
#define BOTH NORTH "out_code=2\nvpl_number=无123456789012345"
#define FOUND(plate, car)                                                               \
    "{\"outcome\":\"found\",\"visit\":\"V10\",\"plate\":\"" plate "\"," car             \
    "\"quote\":\"Q1\",\"entered_at\":\"2026-11-21T08:00:00+08:00\",\"as_of\":"          \
    "\"2026-11-21T10:00:00+08:00\",\"stay\":7200,\"total\":1500,\"due\":1000,\"paid\":" \
    "300,\"discounts\":[{\"unit\":\"money\",\"name\":\"券\",\"value\":200},{\"unit\":" \
    "\"percent\",\"name\":\"折\",\"value\":10},{\"unit\":\"time\",\"value\":3600}],"   \
    "\"leave_within\":900}"
#define ORDER(plate)                                                                     \
    "{\"status\":0,\"message\":\"success\",\"data\":{\"vpl_number\":\"" plate            \
    "\",\"record_id\":\"V10\",\"bill_id\":\"Q1\",\"in_time\":1795219200,\"out_time\":"   \
    "1795226400,\"duration\":7200,\"charge\":{\"total_price\":1500,\"should_pay\":1000," \
    "\"paid\":300},\"discount\":[{\"unit\":0,\"name\":\"券\",\"value\":200},{\"unit\":" \
    "1,\"name\":\"\",\"value\":3600}]}}"
#define NONE(plate) "\"data\":{\"vpl_number\":\"" plate "\"}}"

//  The billing program's answer, and what CMB reads of it. Document 4.1 and its table.
// clang-format off
static const struct {
    const char *promise;
    const char *lines;
    const char *code; //  Of the bus, when there is no answer
    const char *answer;
    const char *reply; //  Whole, or its begin and end around '…'
} answers[] = {
    {"found by plate", PLATE, NULL, FOUND ("陕A12345", ""), ORDER ("陕A12345")},
    {"found at the exit", LANE, NULL, FOUND ("陕A12345", ""), ORDER ("陕A12345")},
    {"plateless: a plated car stands there, with order", BOTH, NULL,
     FOUND ("陕A12345", "\"car\":\"plated\","), ORDER ("陕A12345")},
    {"plateless: the plateless car stands there, with order", BOTH, NULL,
     FOUND ("无123456789012345", "\"car\":\"plateless\","),
     ORDER ("无123456789012345")},
    {"plateless: no car stands there, with order", BOTH, NULL,
     FOUND ("无123456789012345", "\"car\":\"none\","), ORDER ("")},
    {"exit scan: the plate of the order, whatever stands there", LANE, NULL,
     FOUND ("陕A12345", "\"car\":\"none\","), ORDER ("陕A12345")},
    {"plateless: a plated car stands there, without order", BOTH, NULL,
     "{\"outcome\":\"no_session\",\"plate\":\"陕A12345\",\"car\":\"plated\"}",
     "{\"status\":2,…" NONE ("陕A12345")},
    {"plateless: the plateless car stands there, without order", BOTH, NULL,
     "{\"outcome\":\"no_session\",\"car\":\"plateless\"}",
     "{\"status\":2,…" NONE ("无123456789012345")},
    {"plateless: no car stands there, without order", BOTH, NULL,
     "{\"outcome\":\"no_session\",\"plate\":\"无123456789012345\",\"car\":\"none\"}",
     "{\"status\":2,…" NONE ("")},
    {"plateless: no car, said as such", BOTH, NULL, "{\"outcome\":\"no_car\"}",
     "{\"status\":2,…" NONE ("")},
    {"no order of that plate", PLATE, NULL,
     "{\"outcome\":\"no_session\",\"plate\":\"陕A12345\"}",
     "{\"status\":2,…" NONE ("陕A12345")},
    {"no order, the billing program does not repeat the plate", PLATE, NULL,
     "{\"outcome\":\"no_session\"}", "{\"status\":2,…" NONE ("陕A12345")},
    {"exit scan: no order of the car that stands there", LANE, NULL,
     "{\"outcome\":\"no_session\",\"plate\":\"川X00000\"}",
     "{\"status\":2,…" NONE ("川X00000")},
    {"a plate is said as CMB writes it", LANE, NULL,
     "{\"outcome\":\"no_session\",\"plate\":\"川X·00 000\"}",
     "{\"status\":2,…" NONE ("川X00000")},
    {"exit scan: no car", LANE, NULL, "{\"outcome\":\"no_car\"}",
     "{\"status\":2,…" NONE ("")},
    {"exit scan: nothing recognised", LANE, NULL, "{\"outcome\":\"no_plate\"}",
     "{\"status\":3,…}"},
    {"a vehicle the tariff does not know", LANE, NULL,
     "{\"outcome\":\"unknown_vehicle\"}", "{\"status\":4,…}"},
    {"no tariff", PLATE, NULL, "{\"outcome\":\"no_tariff\"}", "{\"status\":5,…}"},
    {"a charge is running", PLATE, NULL, "{\"outcome\":\"busy\"}", "{\"status\":1,…}"},
    {"too slow", PLATE, "timeout", NULL, "{\"status\":1,…超时\"}"},
    {"nobody serves it", PLATE, "no_provider", NULL, "{\"status\":1,…}"},
    {"the billing program says no", PLATE, "rejected", NULL, "{\"status\":1,…}"},
    {"an outcome that is none", PLATE, NULL, "{\"outcome\":\"maybe\"}",
     "{\"status\":1,…}"},
    {"an answer that is no JSON", PLATE, NULL, "maybe", "{\"status\":1,…}"},
    {"an order without its amount", PLATE, NULL,
     "{\"outcome\":\"found\",\"visit\":\"V1\",\"plate\":\"陕A12345\",\"entered_at\":"
     "\"2026-11-21T08:00:00+08:00\",\"total\":1,\"paid\":0}",
     "{\"status\":1,…}"},
    {"nothing to pay is an order; stay and time are worked out", PLATE, NULL,
     "{\"outcome\":\"found\",\"visit\":\"V1\",\"plate\":\"陕A12345\",\"entered_at\":"
     "\"2026-11-21T09:59:50+08:00\",\"total\":0,\"due\":0,\"paid\":0}",
     "{\"status\":0,\"message\":\"success\",\"data\":{\"vpl_number\":\"陕A12345\","
     "\"record_id\":\"V1\",\"bill_id\":\"\",\"in_time\":1795226390,\"out_time\":"
     "1795226400,\"duration\":10,\"charge\":{\"total_price\":0,\"should_pay\":0,"
     "\"paid\":0},\"discount\":[]}}"},
};
// clang-format on

static bool
s_fits (const char *got, const char *want)
{
    const char *gap = strstr (want, "…");
    if (!gap || !got)
        return site_is (got, want);
    size_t begin = (size_t) (gap - want), size = strlen (got);
    const char *end = gap + strlen ("…");
    return size >= begin + strlen (end) && !strncmp (got, want, begin)
           && !strcmp (got + size - strlen (end), end);
}

static void
s_check_answers (pb_harness_t *site)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        int rc = site_push (site, "calc", answers[i].lines);
        if (rc == PB_MORE)
            rc = pb_harness_answer (site, answers[i].code, answers[i].answer);
        bool ok = rc == PB_OK && site->replies == 1 && site->reply_status == 200
                  && s_fits (site->reply, answers[i].reply);
        site_ok (ok, answers[i].promise, site->reply);
    }
}

//  Memory that runs out at any point ends the call with no event.
static void
s_check_memory (void)
{
    pb_harness_t *site = site_new ();
    int rc = PB_NOMEM;
    bool clean = true;
    long given = 0;
    for (; given < 2000 && rc != PB_OK; given++) {
        site->allocations = given;
        rc = site_push (site, "pay", once_more);
        clean = clean && (rc == PB_OK || (rc != PB_REJECT && !site->events_count));
    }
    site_ok (rc == PB_OK && clean && site->events_count == 2 && given > 10,
             "memory may run out anywhere", site->reply);
    pb_harness_destroy (&site);
}

int
main (void)
{
    pb_harness_t *site = site_new ();
    s_check_pushes (site);
    s_check_forms (site);
    s_check_signs (site);
    s_check_repeats (false);
    s_check_repeats (true);
    s_check_modes (site);
    s_check_answers (site);
    s_check_memory ();
    pb_harness_destroy (&site);
    return site_end ();
}
