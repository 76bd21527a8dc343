//  test_ledger.c - what the ledger says of visits, lanes, spaces and bindings, before and
//  after the journal was opened again.

#include "core/site.h"

#include <stdlib.h>
#include "promise.h"

#define NORTH "\"lot\":\"north\""

static site_t s_site;
static const char *s_when; //  "" or ", opened again"

//  `members` with the type and a visit of north.
#define SAY(type, visit, members) \
    site_say (&s_site,            \
              "\"type\":\"" type "\"," NORTH ",\"subject\":\"" visit "\"" members)

static ledger_visit_t
s_visit (const char *visit)
{
    ledger_visit_t facts;
    if (!ledger_visit (s_site.ledger, SPAN ("north"), SPAN (visit), &facts))
        facts.entered_at_ms = -1;
    return facts;
}

static void
s_again (void (*check) (void))
{
    s_when = "";
    check ();
    site_sync (&s_site);
    check ();
    site_end (&s_site);
    site_reopen (&s_site);
    s_when = ", opened again";
    check ();
}

//  ---------------------------------------------------------------- visits

static void
s_say_visits (void)
{
    SAY ("in.recorded", "V1",
         ",\"lane\":\"in-1\",\"time\":\"2026-11-21T08:00:00+08:00\",\"data\":{"
         "\"plate\":\"京A12345\",\"plate_color\":\"blue\",\"picture\":\"in/1.jpg\"}");
    SAY ("in.recorded", "V2",
         ",\"time\":\"2026-11-21T08:01:00.250+08:00\",\"data\":{\"plate\":\"B2\","
         "\"plate_color\":\"green\"}");
    SAY ("in.corrected", "V2", ",\"data\":{\"what\":\"plate\",\"plate\":\"B3\"}");
    SAY (
        "in.corrected", "V2",
        ",\"data\":{\"what\":\"entered_at\",\"entered_at\":\"2026-11-21T07:00:00+08:00\"}");
    SAY ("in.corrected", "V2", ",\"data\":{\"what\":\"plate\",\"plate\":\"B4\"}");
    SAY (
        "in.corrected", "V2",
        ",\"data\":{\"what\":\"entered_at\",\"entered_at\":\"2026-11-21T07:30:00+08:00\"}");
    SAY ("in.recorded", "V3", ",\"data\":{\"plate\":\"C1\",\"plate_color\":\"green\"}");
    SAY ("in.corrected", "V3",
         ",\"data\":{\"what\":\"plate\",\"plate\":\"C2\",\"plate_color\":\"yellow\"}");
    SAY ("picture.captured", "V3",
         ",\"data\":{\"direction\":\"in\",\"path\":\"a.jpg\"}");
    SAY ("picture.captured", "V3",
         ",\"data\":{\"direction\":\"out\",\"url\":\"http://x/o.jpg\"}");
    SAY ("picture.captured", "V3",
         ",\"data\":{\"direction\":\"in\",\"path\":\"b.jpg\"}");
    SAY ("fee.quoted", "V3",
         ",\"data\":{\"quote\":\"Q1\",\"total\":500,\"due\":500,\"paid\":0}");
    SAY ("fee.quoted", "V3",
         ",\"data\":{\"quote\":\"Q2\",\"total\":900,\"due\":400,\"paid\":500}");
    SAY ("out.recorded", "V3",
         ",\"data\":{\"plate\":\"C2\",\"total_due\":900,\"picture\":\"late.jpg\"}");
    SAY ("pay.declined", "V4", ",\"data\":{\"attempt\":\"A1\",\"platform\":\"cmb\"}");
    site_say (&s_site, "\"type\":\"in.recorded\",\"lot\":\"south\",\"subject\":\"V1\","
                       "\"data\":{\"plate\":\"S1\"}");
}

static void
s_check_visits (void)
{
    ledger_visit_t v = s_visit ("V1");
    promise (v.entered && !v.left && streq (v.plate, "京A12345")
                 && streq (v.plate_color, "blue") && streq (v.lane_in, "in-1")
                 && streq (v.picture_in, "in/1.jpg") && !v.picture_out[0]
                 && v.entered_at_ms == 1795219200000 && !v.quote[0] && !v.payments_count
                 && streq (v.entered_at, "2026-11-21T08:00:00+08:00"),
             "an entry, of its own lot only%s", s_when);
    ledger_visit_clear (&v);
    v = s_visit ("V2");
    promise (v.entered && streq (v.plate, "B4"), "the newest corrected plate%s",
             s_when);
    promise (streq (v.plate_color, "green"), "its colour, which was not corrected%s",
             s_when);
    promise (v.entered_at_ms == 1795217400000
                 && streq (v.entered_at, "2026-11-21T07:30:00+08:00"),
             "the newest corrected time of entry%s", s_when);
    ledger_visit_clear (&v);
    v = s_visit ("V3");
    promise (streq (v.plate_color, "yellow"), "a colour corrected with its plate%s",
             s_when);
    promise (v.left && streq (v.quote, "Q2") && v.quote_total_fen == 900
                 && v.quote_due_fen == 400,
             "the newest quote%s", s_when);
    promise (streq (v.picture_in, "b.jpg"), "the newest picture of the entry%s",
             s_when);
    promise (streq (v.picture_out, "late.jpg"), "and of the exit%s", s_when);
    ledger_visit_clear (&v);
    v = s_visit ("V4");
    promise (!v.entered && !v.left && v.entered_at_ms == 0, "a visit without entry%s",
             s_when);
    ledger_visit_clear (&v);
    v = s_visit ("V9");
    promise (v.entered_at_ms == -1, "an unknown visit is none%s", s_when);
    ledger_visit_t none;
    promise (!ledger_visit (s_site.ledger, SPAN ("north"), (span_t){NULL, 0}, &none)
                 && !ledger_visit (s_site.ledger, SPAN ("north"), SPAN (""), &none),
             "and so is no visit%s", s_when);
}

//  ---------------------------------------------------------------- money of a visit

#define CAPTURED(source, visit, amount, payment, more)             \
    SAY ("pay.captured", visit,                                    \
         ",\"source\":\"" source "\",\"data\":{\"amount\":" amount \
         ",\"payment\":\"" payment                                 \
         "\",\"tender\":\"wechat\",\"witness\":\"push\"" more "}")
#define REFUNDED(source, visit, amount, payment, refund)             \
    SAY ("refund.done", visit,                                       \
         ",\"source\":\"" source "\",\"data\":{\"refund\":\"" refund \
         "\",\"payment\":\"" payment "\",\"amount\":" amount "}")

static void
s_say_money (void)
{
    SAY ("in.recorded", "M1",
         ",\"lane\":\"in-1\",\"time\":\"2026-11-21T08:00:00+08:00\",\"data\":{"
         "\"plate\":\"M1\"}");
    CAPTURED ("cmb", "M1", "300", "P1", ",\"paid_at\":\"2026-11-21T09:00:00+08:00\"");
    CAPTURED ("cmb", "M1", "300", "P1", ",\"paid_at\":\"2026-11-21T09:00:00+08:00\"");
    CAPTURED ("bolink", "M1", "70", "P1", "");
    CAPTURED ("cmb", "M1", "40", "P2", "");
    CAPTURED ("cmb", "M1", "5000", "P3", ",\"purpose\":\"monthly_card\"");
    CAPTURED ("cmb", "M1", "11", "P4", ",\"purpose\":\"visit\"");
    REFUNDED ("cmb", "M1", "10", "P2", "R1");
    REFUNDED ("cmb", "M1", "30", "P2", "R2");
    REFUNDED ("cmb", "M1", "100", "P1", "R3");
    SAY ("pay.captured", "M1",
         ",\"source\":\"cashier\",\"data\":{\"amount\":9,\"payment\":\"C1\","
         "\"tender\":\"cash\",\"witness\":\"person\",\"operator\":\"7\"}");
    SAY ("pay.captured", "M1",
         ",\"source\":\"cashier\",\"data\":{\"amount\":20,\"payment\":\"C2\","
         "\"tender\":\"cash\",\"witness\":\"person\",\"operator\":\"7\"}");
    SAY ("refund.done", "M1",
         ",\"source\":\"office\",\"data\":{\"refund\":\"R4\",\"payment\":\"C2\","
         "\"amount\":5,\"witness\":\"person\",\"operator\":\"8\"}");
    SAY ("refund.done", "M1",
         ",\"source\":\"office\",\"data\":{\"refund\":\"R5\",\"payment\":\"P4\","
         "\"amount\":1,\"witness\":\"person\",\"operator\":\"8\"}");
    SAY ("pay.confirmed", "M1",
         ",\"source\":\"cmb\",\"data\":{\"payment\":\"P1\",\"witness\":\"bill\","
         "\"amount\":300}");
}

static void
s_check_money (void)
{
    static const struct {
        const char *says, *source, *payment;
        int64_t amount, refunded;
        bool person;
    } rows[] = {
        {"captured twice, counted once",  "cmb",     "P1", 300, 100, false},
        {"the same id at another",        "bolink",  "P1", 70,  0,   false},
        {"refunded in two parts",         "cmb",     "P2", 40,  40,  false},
        {"for the visit, said so",        "cmb",     "P4", 11,  1,   false},
        {"cash, taken by a person",       "cashier", "C1", 9,   0,   true },
        {"cash, given back in an office", "cashier", "C2", 20,  5,   true },
    };
    ledger_visit_t v = s_visit ("M1");
    promise (v.payments_count == ARRAY_SIZE (rows), "%zu payments%s", v.payments_count,
             s_when);
    for (size_t i = 0; i < ARRAY_SIZE (rows) && i < v.payments_count; i++) {
        const ledger_payment_t *p = v.payments + i;
        promise (
            streq (p->source, rows[i].source) && streq (p->payment, rows[i].payment)
                && p->amount_fen == rows[i].amount
                && p->refunded_fen == rows[i].refunded && p->person == rows[i].person,
            "payment %zu: %s%s", i + 1, rows[i].says, s_when);
    }
    promise (v.payments_count
                 && streq (v.payments->paid_at, "2026-11-21T09:00:00+08:00")
                 && v.payments->paid_at_ms == 1795222800000
                 && streq (v.payments->tender, "wechat"),
             "with its time and tender%s", s_when);
    promise (ledger_held_fen (&v) == 300 - 100 + 70 + 10 + 9 + 15,
             "held is captured less refunded%s", s_when);
    ledger_visit_clear (&v);
}

//  ---------------------------------------------------------------- exits

static const struct {
    const char *says, *visit, *data;
    const char *has[4], *lacks[3];
} exits[] = {
    {"adds the entry and every payment that is held",
     "M1", "{\"plate\":\"M1\",\"total_due\":390}",
     {"\"entered_at\":\"2026-11-21T08:00:00+08:00\"", "\"lane_in\":\"in-1\"",
      "{\"tender\":\"wechat\",\"due\":200,\"paid\":200,\"ref\":\"P1\","
      "\"paid_at\":\"2026-11-21T09:00:00+08:00\"}",
      "\"ref\":\"C1\""},
     {"\"ref\":\"P2\"", "\"ref\":\"P3\"", NULL}            },
    {"keeps what the site says",
     "M1", "{\"plate\":\"M1\",\"total_due\":390,\"entered_at\":\"2026-11-21T07:59:00+08:00\","
     "\"lane_in\":\"in-9\",\"unknown\":{\"kept\":\"京/1\"}}", {"\"entered_at\":\"2026-11-21T07:59:00+08:00\"", "\"lane_in\":\"in-9\"",
      "\"unknown\":{\"kept\":\"京/1\"}", "\"total_due\":390"},
     {"08:00:00", "in-1", NULL}                            },
    {"never doubles a payment that is listed",
     "M1", "{\"plate\":\"M1\",\"total_due\":390,\"payments\":[{\"tender\":\"cash\",\"paid\":9,"
     "\"ref\":\"C1\"},{\"tender\":\"cash\",\"paid\":1}]}",     {"[{\"tender\":\"cash\",\"paid\":9,\"ref\":\"C1\"},{\"tender\":\"cash\",\"paid\":1},",
      "\"ref\":\"P4\"", NULL, NULL},
     {"\"paid\":9,\"ref\":\"C1\",", "\"ref\":\"P2\"", NULL}},
    {"of an unknown visit stays as it is",
     "M9", "{\"plate\":\"M9\",\"total_due\":0}",
     {"{\"plate\":\"M9\",\"total_due\":0}", NULL, NULL, NULL},
     {"payments", "entered_at", NULL}                      },
    {"without an entry has none",
     "V4", "{\"plate\":\"V4\",\"total_due\":0}",
     {"\"payments\":[]", NULL, NULL, NULL},
     {"entered_at", "lane_in", NULL}                       },
};

static size_t
s_times (const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr (text, part)); text += strlen (part))
        count++;
    return count;
}

static void
s_check_exits (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (exits); i++) {
        event_t event = {.lot = SPAN ("north"),
                         .subject = SPAN (exits[i].visit),
                         .data = SPAN (exits[i].data)};
        char *json = ledger_complete_exit (s_site.ledger, &event);
        bool kept = json_check (json, strlen (json), NULL);
        for (size_t n = 0; n < ARRAY_SIZE (exits[i].has) && exits[i].has[n]; n++)
            kept = kept && s_times (json, exits[i].has[n]) == 1;
        for (size_t n = 0; n < ARRAY_SIZE (exits[i].lacks) && exits[i].lacks[n]; n++)
            kept = kept && !s_times (json, exits[i].lacks[n]);
        promise (kept, "an exit %s%s", exits[i].says, s_when);
        if (!kept)
            printf ("# %s\n", json);
        free (json);
    }
}

//  ---------------------------------------------------------------- lanes and spaces

static void
s_say_lanes (void)
{
    site_say (&s_site,
              "\"type\":\"lane.waiting\"," NORTH ",\"lane\":\"out-1\","
              "\"subject\":\"V1\",\"data\":{\"direction\":\"out\",\"plate\":\"A1\"}");
    site_say (&s_site, "\"type\":\"lane.waiting\"," NORTH ",\"lane\":\"out-2\","
                       "\"data\":{\"direction\":\"out\"}");
    site_say (&s_site, "\"type\":\"lane.waiting\"," NORTH ",\"lane\":\"out-3\","
                       "\"data\":{\"direction\":\"out\",\"plate\":\"A3\"}");
    site_say (&s_site, "\"type\":\"lane.cleared\"," NORTH ",\"lane\":\"out-3\","
                       "\"data\":{\"direction\":\"out\"}");
    site_say (&s_site, "\"type\":\"lane.waiting\",\"lot\":\"south\",\"lane\":\"out-1\","
                       "\"data\":{\"direction\":\"out\",\"plate\":\"S1\"}");
    site_say (&s_site, "\"type\":\"lane.waiting\"," NORTH ",\"lane\":\"out-4\","
                       "\"data\":{\"direction\":\"out\",\"plate\":\"A4\"}");
    site_say (&s_site,
              "\"type\":\"lane.waiting\"," NORTH ",\"lane\":\"out-4\","
              "\"subject\":\"V5\",\"data\":{\"direction\":\"out\",\"plate\":\"A5\"}");
    site_say (&s_site, "\"type\":\"space.changed\"," NORTH ",\"data\":{\"free\":12}");
    site_say (&s_site, "\"type\":\"space.changed\"," NORTH ",\"data\":{\"free\":11}");
    site_say (&s_site, "\"type\":\"space.changed\"," NORTH
                       ",\"data\":{\"free\":3,\"area\":\"B2\"}");
}

static void
s_check_lanes (void)
{
    static const struct {
        const char *says, *lot, *lane;
        bool waits;
        const char *visit, *plate;
    } rows[] = {
        {"a car of a known visit",    "north", "out-1", true,  "V1", "A1"},
        {"a car nothing is known of", "north", "out-2", true,  "",   ""  },
        {"nobody after it left",      "north", "out-3", false, "",   ""  },
        {"the newest of two",         "north", "out-4", true,  "V5", "A5"},
        {"the lane of another lot",   "south", "out-1", true,  "",   "S1"},
        {"a lane where none came",    "south", "out-2", false, "",   ""  },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        char visit[49], plate[PB_PLATE_MAX + 1];
        promise (ledger_at_lane (s_site.ledger, SPAN (rows[i].lot), SPAN (rows[i].lane),
                                 visit, plate)
                         == rows[i].waits
                     && streq (visit, rows[i].visit) && streq (plate, rows[i].plate),
                 "at a lane waits %s%s", rows[i].says, s_when);
    }
    promise (ledger_spaces_free (s_site.ledger, SPAN ("north")) == 11,
             "the newest free spaces, an area's left out%s", s_when);
    promise (ledger_spaces_free (s_site.ledger, SPAN ("south")) == -1,
             "not known where nobody said%s", s_when);
}

//  ---------------------------------------------------------------- bindings

//  Said one after the other; what changes nothing is not said. `source`, lot, subject.
static const struct {
    const char *says, *type, *envelope, *data;
    bool changes;
} bindings[] = {
    {"removing what is not bound",         "bind.removed", "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              false},
    {"a first binding",                    "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              true },
    {"the same again",                     "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              false},
    {"the same plate written otherwise",   "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京·a1\",\"scope\":\"plate\"}",                                                                                                                        false},
    {"another plate",                      "bind.added",   "\"cmb\",\"lot\":\"north\"",                    "{\"plate\":\"京A2\"}",
     true                                                                                                                                                                       },
    {"another platform",                   "bind.added",   "\"bolink\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              true },
    {"another lot",                        "bind.added",   "\"cmb\",\"lot\":\"south\"",                    "{\"plate\":\"京A1\"}",
     true                                                                                                                                                                       },
    {"a limit",                            "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\",\"limit\":5000}",                                                                                                                               true },
    {"the same limit",                     "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\",\"limit\":5000}",                                                                                                                               false},
    {"another limit",                      "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\",\"limit\":6000}",                                                                                                                               true },
    {"a binding id where none was said",   "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\",\"limit\":6000,\"binding\":\"b1\"}",                                                                                                            false},
    {"a binding of its visit",             "bind.added",
     "\"cmb\",\"lot\":\"north\",\"subject\":\"V1\"",                                                       "{\"plate\":\"京A1\",\"scope\":\"visit\",\"binding\":\"b2\"}", true },
    {"the same binding",                   "bind.added",   "\"cmb\",\"lot\":\"north\",\"subject\":\"V1\"",
     "{\"plate\":\"京A1\",\"scope\":\"visit\",\"binding\":\"b2\"}",                                                                                                       false},
    {"another binding",                    "bind.added",   "\"cmb\",\"lot\":\"north\",\"subject\":\"V1\"",
     "{\"plate\":\"京A1\",\"scope\":\"visit\",\"binding\":\"b3\"}",                                                                                                       true },
    {"the same of another visit",          "bind.added",
     "\"cmb\",\"lot\":\"north\",\"subject\":\"V2\"",                                                       "{\"plate\":\"京A1\",\"scope\":\"visit\",\"binding\":\"b3\"}", true },
    {"a person",                           "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"person\":\"u1\",\"scope\":\"person\"}",                                                                                                                           true },
    {"the same person",                    "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"person\":\"u1\",\"scope\":\"person\"}",                                                                                                                           false},
    {"removing the plate",                 "bind.removed", "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京 A1\"}",                                                                                                                                             true },
    {"removing it again",                  "bind.removed", "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              false},
    {"removing its visit's, which stands", "bind.removed",
     "\"cmb\",\"lot\":\"north\",\"subject\":\"V1\"",                                                       "{\"plate\":\"京A1\",\"scope\":\"visit\"}",                    true },
    {"binding it anew",                    "bind.added",   "\"cmb\",\"lot\":\"north\"",
     "{\"plate\":\"京A1\"}",                                                                                                                                              true },
};

//  Would it change anything?
static bool
s_changes (const char *type, const char *envelope, const char *data)
{
    static char room[EVENT_ROOM];
    char json[600];
    event_t event;
    pb_error_t error = {0};
    event_rules_t rules = {.now_ms = 1, .offset = "+08:00"};
    int size = snprintf (json, sizeof json,
                         "{\"id\":\"1\",\"type\":\"%s\",\"source\":%s,\"data\":%s}",
                         type, envelope, data);
    if (!event_read (&event, json, (size_t) size, &rules, room, &error)) {
        printf ("# %s\n", error.message);
        exit (99);
    }
    return ledger_binding_changes (s_site.ledger, &event);
}

static void
s_check_bindings (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (bindings); i++) {
        bool changes =
            s_changes (bindings[i].type, bindings[i].envelope, bindings[i].data);
        promise (changes == bindings[i].changes, "binding: %s %s", bindings[i].says,
                 bindings[i].changes ? "changes something" : "changes nothing");
        if (changes)
            site_say (&s_site, "\"type\":\"%s\",\"source\":%s,\"data\":%s",
                      bindings[i].type, bindings[i].envelope, bindings[i].data);
    }
    site_end (&s_site);
    site_reopen (&s_site);
    static const struct {
        const char *says, *envelope, *data;
        bool changes;
    } rows[] = {
        {"a plate",                           "\"cmb\",\"lot\":\"north\"", "{\"plate\":\"京A2\"}",                     false},
        {"one that was bound anew",           "\"cmb\",\"lot\":\"north\"", "{\"plate\":\"京A1\"}",
         false                                                                                                               },
        {"one with another limit",            "\"cmb\",\"lot\":\"north\"",
         "{\"plate\":\"京A1\",\"limit\":1}",                                                                           true },
        {"a person",                          "\"cmb\",\"lot\":\"north\"",
         "{\"person\":\"u1\",\"scope\":\"person\"}",                                                                    false},
        {"a visit whose binding was removed",
         "\"cmb\",\"lot\":\"north\",\"subject\":\"V1\"",                   "{\"plate\":\"京A1\",\"scope\":\"visit\"}", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++)
        promise (s_changes ("bind.added", rows[i].envelope, rows[i].data)
                     == rows[i].changes,
                 "binding, opened again: %s is %s", rows[i].says,
                 rows[i].changes ? "news" : "known");
}

int
main (void)
{
    setvbuf (stdout, NULL, _IOLBF, 0);
    site_open (&s_site);
    s_say_visits ();
    s_say_money ();
    s_say_lanes ();
    s_again (s_check_visits);
    s_again (s_check_money);
    s_again (s_check_exits);
    s_again (s_check_lanes);
    s_check_bindings ();
    site_close (&s_site);
    return promises_kept ();
}
