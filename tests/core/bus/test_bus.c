//  test_bus.c - what programs, and the floors above, are promised by the bus.

#include "core/site.h"

#include <stdlib.h>
#include <unistd.h>
#include "bus/inside.h"
#include "promise.h"

#define ENTRY(id, visit, plate)                                        \
    "{\"id\":\"" id "\",\"source\":\"gate\",\"type\":\"in.recorded\"," \
    "\"lot\":\"north\",\"lane\":\"in-1\",\"subject\":\"" visit         \
    "\",\"time\":\"2026-11-21T08:00:00+08:00\",\"data\":{\"plate\":\"" plate "\"}}"

//  ---------------------------------------------------------------- durable before visible

static void
s_durable_first (void)
{
    site_t site;
    site_open (&site);
    client_t *sub = client_listen (&site, "in.");
    client_t *gate = client_new (&site), *again = client_new (&site);
    site_gate (true);
    client_send (gate, "PUBLISH", "r1", ENTRY ("a", "V1", "A1"), NULL);
    promise (client_silent (gate), "no OK while the disk has not answered");
    promise (client_silent (sub), "and nobody sees the event");
    client_send (again, "PUBLISH", "r2", ENTRY ("a", "V1", "A1"), NULL);
    promise (client_silent (again), "a duplicate of it waits as well");
    client_send (again, "PUBLISH", "r3", ENTRY ("a", "V1", "B2"), NULL);
    promise (client_silent (again), "and so does a conflict with it");
    promise (begins (client_ask (gate, "FETCH", "r4", "{\"filter\":[\"in.>\"]}"),
                     "EVENTS|r4|{\"next\":"),
             "a FETCH is answered meanwhile");
    promise (!contains (gate->heard, "\"V1\""), "without the event");
    site_gate (false);
    const char *text = client_hear (gate);
    promise (begins (text, "OK|r1|{\"results\":[{\"id\":\"a\",\"seq\":")
                 && contains (text, "\"duplicate\":false"),
             "OK once it is on disk");
    text = client_hear (again);
    promise (begins (text, "OK|r2|") && contains (text, "\"duplicate\":true"),
             "then the duplicate");
    text = client_hear (again);
    promise (begins (text, "OK|r3|") && contains (text, "\"code\":\"conflict\""),
             "then the conflict, in its result");
    promise (begins (client_hear (sub), "in.recorded.north|"), "and the event is seen");
    promise (client_silent (sub), "once");
    client_destroy (&again);
    client_destroy (&gate);
    client_destroy (&sub);
    site_close (&site);
}

static void
s_storage_fails (void)
{
    site_t site;
    site_open (&site);
    client_t *sub = client_listen (&site, "in.");
    client_t *gate = client_new (&site);
    promise (begins (client_ask (gate, "PUBLISH", "r0", ENTRY ("a", "V1", "A1")), "OK"),
             "before the disk fails all is well");
    promise (begins (client_hear (sub), "in."), "and seen");
    site_fail (true);
    promise (begins (client_ask (gate, "PUBLISH", "r1", ENTRY ("b", "V2", "A2")),
                     "ERROR|r1|{\"code\":\"storage\","),
             "a sync that fails is ERROR storage");
    promise (client_silent (sub), "and nobody sees the event");
    site_fail (false);
    promise (begins (client_ask (gate, "PUBLISH", "r2", ENTRY ("c", "V3", "A3")),
                     "ERROR|r2|{\"code\":\"storage\","),
             "nothing is accepted afterwards, even if the disk mends");
    promise (begins (client_ask (gate, "PUBLISH", "r3", ENTRY ("a", "V1", "A1")),
                     "ERROR|r3|{\"code\":\"storage\","),
             "nor what is on disk already");
    promise (begins (client_ask (gate, "FETCH", "r4", "{\"filter\":[\"in.>\"]}"),
                     "EVENTS|r4|")
                 && contains (gate->heard, "\"V1\"") && !contains (gate->heard, "V2"),
             "what was durable can be read");
    promise (begins (client_ask (gate, "PING", "r5"), "PONG|r5|"), "and PING answered");
    client_destroy (&gate);
    client_destroy (&sub);
    site_close (&site);
}

//  ---------------------------------------------------------------- seq and prev

static void
s_positions (void)
{
    site_t site;
    site_open (&site);
    client_t *sub = client_listen (&site, "");
    uint64_t base = journal_head (site.journal);
    static const struct {
        const char *type, *lot, *topic;
        unsigned seq, prev; //  prev: after base too; 0 none
    } rows[] = {
        {"space.changed", "north", "space.changed.north", 1, 0},
        {"space.changed", "south", "space.changed.south", 2, 0},
        {"space.changed", "north", "space.changed.north", 3, 1},
        {"space.changed", "north", "space.changed.north", 4, 3},
        {"space.changed", "south", "space.changed.south", 5, 2},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        char want[120];
        site_say (&site, "\"type\":\"%s\",\"lot\":\"%s\",\"data\":{\"free\":%zu}",
                  rows[i].type, rows[i].lot, i);
        site_sync (&site);
        snprintf (want, sizeof want, "%s|%u|%u|{\"specversion\"", rows[i].topic,
                  (unsigned) base + rows[i].seq,
                  rows[i].prev ? (unsigned) base + rows[i].prev : 0);
        const char *text = client_hear (sub);
        while (begins (text, "bus.head"))
            text = client_hear (sub);
        promise (begins (text, want), "%s: seq and prev: %s", rows[i].topic, want);
    }
    site_skip (&site, 1000);
    const char *text = client_hear (sub);
    char want[80];
    snprintf (want, sizeof want, "bus.head|%u|", (unsigned) base + 5);
    promise (begins (text, want), "bus.head after a second: %s", text);
    promise (contains (text, "\"space.changed.north\":")
                 && contains (text, "\"space.changed.south\":"),
             "with the topics that changed");
    site_skip (&site, 1000);
    snprintf (want, sizeof want, "bus.head|%u|%u|{\"topics\":{}}", (unsigned) base + 5,
              (unsigned) base + 5);
    promise (streq (client_hear (sub), want), "then without any");
    client_destroy (&sub);
    site_close (&site);
}

//  ---------------------------------------------------------------- FETCH

static void
s_fetch (void)
{
    site_t site;
    site_open (&site);
    client_t *client = client_new (&site);
    for (int i = 1; i <= 6; i++)
        site_say (&site, "\"type\":\"%s\",\"lot\":\"north\",\"data\":{\"free\":%d}",
                  i % 2 ? "space.changed" : "x.other", i);
    site_sync (&site);
    static const struct {
        const char *says, *head, *begins, *has, *lacks;
    } rows[] = {
        {"all of it",                  "{}",                                    "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|1|", "|6|",
         NULL                                                                                                                                  },
        {"from a seq",                 "{\"from\":5}",
         "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|5|",                                                                        "|6|", "|4|"},
        {"at most two",                "{\"max\":2}",
         "EVENTS|r|{\"next\":3,\"head\":6,\"first\":1}|1|",                                                                        "|2|", "|3|"},
        {"by a filter",                "{\"filter\":[\"x.>\"]}",
         "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|2|",                                                                        "|4|", "|3|"},
        {"the newest two of a filter", "{\"last\":2,\"filter\":[\"space.>\"]}",
         "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|3|",                                                                        "|5|", "|6|"},
        {"the newest of all topics",   "{\"last\":3}",
         "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|4|",                                                                        "|5|", "|3|"},
        {"more than there are",        "{\"last\":100}",
         "EVENTS|r|{\"next\":7,\"head\":6,\"first\":1}|1|",                                                                        "|6|", NULL },
        {"from behind the head",       "{\"from\":50}",
         "EVENTS|r|{\"next\":50,\"head\":6,\"first\":1}",                                                                          "",    "|1|"},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        const char *text = client_ask (client, "FETCH", "r", rows[i].head);
        promise (begins (text, rows[i].begins) && contains (text, rows[i].has)
                     && (!rows[i].lacks || !contains (text, rows[i].lacks)),
                 "FETCH: %s", rows[i].says);
    }
    client_send (client, "FETCH", "w", "{\"from\":7,\"wait_ms\":30000}", NULL);
    promise (client_silent (client), "FETCH that waits is not answered at once");
    site_say (&site, "\"type\":\"x.new\"");
    site_sync (&site);
    promise (begins (client_hear (client),
                     "EVENTS|w|{\"next\":8,\"head\":7,\"first\":1}|7|"),
             "but when an event comes");
    client_send (client, "FETCH", "w",
                 "{\"from\":8,\"wait_ms\":30000,\"filter\":[\"pay.>\"]}", NULL);
    promise (client_silent (client), "one that waits for a topic");
    site_say (&site, "\"type\":\"x.new\"");
    site_sync (&site);
    promise (client_silent (client), "is not woken by another");
    site_skip (&site, 30001);
    promise (
        streq (client_hear (client), "EVENTS|w|{\"next\":9,\"head\":8,\"first\":1}"),
        "and ends with nothing after its time");
    client_destroy (&client);
    site_close (&site);
}

//  ---------------------------------------------------------------- saying, alarms, after

static size_t
s_count_type (site_t *site, const char *type)
{
    size_t count = 0;
    journal_record_t record;
    pb_error_t error;
    site_sync (site);
    journal_reader_t *reader = journal_reader_new (site->journal);
    journal_seek (reader, 1, &error);
    while (journal_next (reader, &record, &error))
        count += span_is (record.event.type, type);
    journal_reader_destroy (&reader);
    return count;
}

static void
s_alarms (void)
{
    static const struct {
        const char *says;
        bool raised;
        const char *lot, *name;
        size_t ups, downs; //  In the journal afterwards
    } rows[] = {
        {"clearing what is not up says nothing", false, NULL,    "disk",  0, 0},
        {"raising says it",                      true,  NULL,    "disk",  1, 0},
        {"raising again says nothing",           true,  NULL,    "disk",  1, 0},
        {"of a lot it is another alarm",         true,  "north", "disk",  2, 0},
        {"and so is another name",               true,  NULL,    "clock", 3, 0},
        {"clearing says it",                     false, NULL,    "disk",  3, 1},
        {"clearing again says nothing",          false, NULL,    "disk",  3, 1},
        {"the lot's is still up",                true,  "north", "disk",  3, 1},
        {"raising after clearing says it",       true,  NULL,    "disk",  4, 1},
    };
    site_t site;
    site_open (&site);
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        bus_alarm (site.bus, rows[i].raised, rows[i].lot, rows[i].name,
                   "It \"is\" so.");
        promise (s_count_type (&site, "alarm.raised") == rows[i].ups
                     && s_count_type (&site, "alarm.cleared") == rows[i].downs,
                 "alarm: %s", rows[i].says);
    }
    bus_notice (site.bus, NULL, "cut", "It happened.");
    bus_notice (site.bus, NULL, "cut", "It happened again.");
    promise (s_count_type (&site, "alarm.raised") == 6, "a notice is said each time");
    site_close (&site);
}

static void
s_saying (void)
{
    site_t site;
    site_open (&site);
    journal_place_t place;
    pb_error_t error = {0};
    journal_record_t record;
    journal_reader_t *reader = journal_reader_new (site.journal);
    bus_event_t event = {.type = "pay.captured",
                         .id = "p-1",
                         .source = "cmb",
                         .subject = "V1",
                         .lot = "north",
                         .lane = "out-1",
                         .time_ms = 1795000000123,
                         .data =
                             "{\"amount\":100,\"payment\":\"P1\",\"tender\":\"cmb\","
                             "\"witness\":\"push\"}"};
    promise (bus_say (site.bus, &event, &place, &error) && place.seq == 1
                 && !place.duplicate,
             "an event said by its parts is appended");
    promise (journal_read (reader, 1, &record, &error)
                 && span_is (record.event.id, "p-1")
                 && span_is (record.event.source, "cmb")
                 && span_is (record.event.subject, "V1")
                 && span_is (record.event.lot, "north")
                 && span_is (record.event.lane, "out-1")
                 && record.event.time_ms == 1795000000123
                 && span_is (record.event.data, event.data),
             "with all of them");
    promise (bus_say (site.bus, &event, &place, &error) && place.duplicate
                 && place.seq == 1,
             "said again it is a duplicate");
    event = (bus_event_t){.type = "plugin.changed",
                          .data = "{\"name\":\"cmb\",\"state\":\"up\"}"};
    promise (bus_say (site.bus, &event, NULL, NULL)
                 && journal_read (reader, 2, &record, &error)
                 && span_is (record.event.source, "parkbus") && record.event.id.n == 36
                 && record.event.time_ms > 1500000000000,
             "what is left out is made: source, id, time");
    event.data = "{\"name\":\"cmb\"}";
    promise (!bus_say (site.bus, &event, &place, &error) && error.code == PB_E_BAD_EVENT
                 && journal_last_appended (site.journal) == 2,
             "what is no event is refused and not appended");
    journal_reader_destroy (&reader);
    site_close (&site);
}

static char s_order[64];

static void
s_note (void *arg, bool ok)
{
    const char *name = arg;
    size_t size = strlen (s_order);
    snprintf (s_order + size, sizeof s_order - size, "%s%c ", name, ok ? '+' : '-');
}

static void
s_wait (site_t *site, uint64_t group, const char *name)
{
    bus_after (site->bus, group, s_note, (void *) (uintptr_t) name);
}

static uint64_t
s_group (site_t *site)
{
    journal_place_t place = {0};
    bus_event_t event = {.type = "x.test"};
    bus_say (site->bus, &event, &place, NULL);
    return place.group;
}

static void
s_after (void)
{
    site_t site;
    site_open (&site);
    for (int failing = 0; failing <= 1; failing++) {
        s_order[0] = 0;
        site_gate (true);
        site_fail (failing);
        uint64_t one = s_group (&site);
        journal_flush (site.journal);
        uint64_t two = s_group (&site);
        s_wait (&site, two, "a");
        s_wait (&site, one, "b");
        s_wait (&site, two, "c");
        s_wait (&site, one, "d");
        promise (one && two > one && !s_order[0], "two groups wait for the disk");
        s_wait (&site, 0, "z");
        promise (streq (s_order, "z+ "), "what waits for nothing is called at once");
        site_gate (false);
        for (int i = 0; i < 500 && strlen (s_order) < 15; i++)
            site_turn (&site);
        promise (streq (s_order, failing ? "z+ b- d- a- c- " : "z+ b+ d+ a+ c+ "),
                 "in order of group, then of asking%s: %s",
                 failing ? ", with the bad news" : "", s_order);
    }
    s_wait (&site, 1000000, "y");
    promise (contains (s_order, "y-"),
             "after the journal ended the answer is at once no");
    site_fail (false);
    site_close (&site);
}

static void
s_ending_with_waiters (void)
{
    site_t site;
    site_open (&site);
    client_t *gate = client_new (&site);
    site_gate (true);
    client_send (gate, "PUBLISH", "r1", ENTRY ("a", "V1", "A1"), NULL);
    client_send (gate, "FETCH", "r2", "{\"from\":9,\"wait_ms\":30000}", NULL);
    promise (client_silent (gate), "a PUBLISH and a FETCH wait");
    s_order[0] = 0;
    s_wait (&site, journal_barrier (site.journal), "w");
    bus_destroy (&site.bus);
    promise (streq (s_order, "w- "),
             "a bus that ends tells who waits that it is not known");
    //  The site ends as one whose bus is gone.
    site_gate (false);
    journal_close (&site.journal);
    client_destroy (&gate);
    ledger_destroy (&site.ledger);
    deliveries_destroy (&site.deliveries);
    timers_destroy (&site.timers);
    zloop_destroy (&site.loop);
    site_reopen (&site);
    site_close (&site);
}

//  ---------------------------------------------------------------- services

typedef struct {
    bus_answer_fn *answer;
    void *arg;
    char question[400];
} asked_t;

//  Keeps the question; it is answered later.
static void
s_later (void *arg, const bus_question_t *q, bus_answer_fn *answer, void *answer_arg)
{
    asked_t *self = arg;
    self->answer = answer;
    self->arg = answer_arg;
    snprintf (self->question, sizeof self->question, "%s|%s|%s|%s|%.*s", q->service,
              q->lot ? q->lot : "-", q->lane ? q->lane : "-", q->via ? q->via : "-",
              (int) q->body_size, q->body);
}

static void
s_at_once (void *arg, const bus_question_t *q, bus_answer_fn *answer, void *answer_arg)
{
    (void) arg;
    (void) q;
    answer (answer_arg, &(bus_answer_t){.body = "{\"now\":1}", .body_size = 9});
}

//  Asks the programs that serve it.
static void
s_through (void *arg, const bus_question_t *q, bus_answer_fn *answer, void *answer_arg)
{
    bus_ask (arg, q, answer, answer_arg);
}

static void
s_provided (void)
{
    site_t site;
    asked_t asked = {0};
    site_open (&site);
    bus_provide (site.bus, "pay.charge", false, s_later, &asked);
    bus_provide (site.bus, "visit.get", false, s_at_once, NULL);
    bus_provide (site.bus, "fee.quote", true, s_through, site.bus);
    client_t *caller = client_new (&site), *program = client_new (&site);
    static const struct {
        const char *says, *head, *answer;
    } serves[] = {
        {"what parkbus answers itself", "{\"services\":[\"pay.charge\"]}",
         "ERROR|s|{\"code\":\"denied\""                                                    },
        {"the same among others",       "{\"services\":[\"a.b\",\"visit.get\"]}",
         "ERROR|s|{\"code\":\"denied\""                                                    },
        {"the counters",                "{\"services\":[\"bus.stats\"]}",
         "ERROR|s|{\"code\":\"denied\""                                                    },
        {"what parkbus wraps",          "{\"services\":[\"fee.quote\"]}",         "OK|s|{}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE (serves); i++)
        promise (begins (client_ask (program, "SERVE", "s", serves[i].head),
                         serves[i].answer),
                 "SERVE of %s", serves[i].says);
    promise (
        streq (client_ask (caller, "CALL", "c0", "{\"service\":\"visit.get\"}", "{}"),
               "REPLY|c0|{}|{\"now\":1}"),
        "the core answers at once");
    client_send (caller, "CALL", "c1",
                 "{\"service\":\"pay.charge\",\"lot\":\"north\",\"lane\":\"out-1\","
                 "\"via\":\"cmb\"}",
                 "{\"a\":1}", NULL);
    promise (client_silent (caller)
                 && streq (asked.question, "pay.charge|north|out-1|cmb|{\"a\":1}"),
             "or later, with the whole question: %s", asked.question);
    asked.answer (asked.arg,
                  &(bus_answer_t){.code = "rejected", .message = "no \"card\""});
    promise (streq (client_hear (caller),
                    "ERROR|c1|{\"code\":\"rejected\",\"message\":\"no \\\"card\\\"\"}"),
             "also with an error");
    client_send (caller, "CALL", "c2", "{\"service\":\"fee.quote\",\"lot\":\"north\"}",
                 "{\"q\":1}", NULL);
    const char *text = client_hear (program);
    promise (begins (text, "REQUEST|x") && contains (text, "\"service\":\"fee.quote\"")
                 && contains (text, "|{\"q\":1}"),
             "what is wrapped reaches the program");
    promise (
        begins (client_ask (caller, "CALL", "c3", "{\"service\":\"bus.stats\"}", "{}"),
                "REPLY|c3|{}|{\"published\":0,")
            && contains (caller->heard, "\"calls_open\":1"),
        "bus.stats tells the counters");
    client_destroy (&program);
    promise (begins (client_hear (caller), "ERROR|c2|{\"code\":\"no_provider\""),
             "a question whose only provider is lost has no provider");
    client_destroy (&caller);
    site_close (&site);
}

//  "x17" of a REQUEST; the caller's buffer.
static const char *
s_xid (const char *request, char xid[32])
{
    const char *from = strchr (request, '|'),
               *to = from ? strchr (from + 1, '|') : NULL;
    snprintf (xid, 32, "%.*s", to ? (int) (to - from - 1) : 0, to ? from + 1 : "");
    return xid;
}

static client_t *
s_provider (site_t *site, const char *head)
{
    client_t *self = client_new (site);
    if (!streq (client_ask (self, "SERVE", "s", head), "OK|s|{}"))
        promise (false, "SERVE %s", head);
    return self;
}

//  How a provider may end a call, and what the caller hears.
static const struct {
    const char *says, *verb, *head, *body, *hears;
} ends[] = {
    {"a reply",                          "REPLY", "{}",                                         "{\"due\":1}",   "REPLY|c|{}|{\"due\":1}"        },
    {"a reply that is no JSON",          "REPLY", "{}",                                         "due",           "ERROR|c|{\"code\":\"rejected\""},
    {"a reply with a float",             "REPLY", "{}",                                         "{\"due\":1.5}",
     "ERROR|c|{\"code\":\"rejected\""                                                                                                            },
    {"a reply without a body",           "REPLY", "{}",                                         NULL,            "ERROR|c|{\"code\":\"rejected\""},
    {"its no",                           "ERROR", "{\"code\":\"rejected\",\"message\":\"no\"}", NULL,
     "ERROR|c|{\"code\":\"rejected\",\"message\":\"no\"}"                                                                                        },
    {"busy",                             "ERROR", "{\"code\":\"busy\",\"message\":\"later\"}",  NULL,
     "ERROR|c|{\"code\":\"busy\",\"message\":\"later\"}"                                                                                         },
    {"a word that is not for it to say", "ERROR",
     "{\"code\":\"storage\",\"message\":\"m\"}",                                                NULL,
     "ERROR|c|{\"code\":\"rejected\",\"message\":\"m\"}"                                                                                         },
    {"an error that is no JSON",         "ERROR", "oops",                                       NULL,
     "ERROR|c|{\"code\":\"rejected\""                                                                                                            },
    {"an error without a head",          "ERROR", NULL,                                         NULL,            "ERROR|c|{\"code\":\"rejected\""},
};

static void
s_ends (void)
{
    site_t site;
    char xid[32];
    site_open (&site);
    client_t *caller = client_new (&site);
    client_t *program = s_provider (&site, "{\"services\":[\"a.b\"]}");
    client_t *stranger = client_new (&site);
    for (size_t i = 0; i < ARRAY_SIZE (ends); i++) {
        client_send (caller, "CALL", "c", "{\"service\":\"a.b\"}", "{}", NULL);
        s_xid (client_hear (program), xid);
        client_send (stranger, "REPLY", xid, "{}", "{\"stolen\":1}", NULL);
        client_ask (stranger, "PING", "p");
        client_send (program, ends[i].verb, xid, ends[i].head,
                     ends[i].head ? ends[i].body : NULL, NULL);
        const char *text = client_hear (caller);
        promise (begins (text, ends[i].hears), "the provider gives %s: %s",
                 ends[i].says, text);
    }
    uint64_t late = bus_counts (site.bus).late_replies;
    promise (late == ARRAY_SIZE (ends),
             "replies of strangers are counted, and nothing else");
    client_send (program, "REPLY", xid, "{}", "{}", NULL);
    client_ask (program, "PING", "p");
    promise (bus_counts (site.bus).late_replies == late + 1,
             "and so is a second reply");
    promise (bus_counts (site.bus).calls_open == 0, "no call is left open");
    client_destroy (&stranger);
    client_destroy (&program);
    client_destroy (&caller);
    site_close (&site);
}

static void
s_deadlines (void)
{
    site_t site;
    site_open (&site);
    client_t *caller = client_new (&site);
    client_t *program =
        s_provider (&site, "{\"services\":[\"fee.quote\",\"gate.operate\"]}");
    client_send (caller, "CALL", "c", "{\"service\":\"fee.quote\",\"timeout_ms\":9000}",
                 "{}", NULL);
    promise (contains (client_hear (program), "\"deadline_ms\":"),
             "a request says how much time is left");
    site_skip (&site, 8000);
    promise (client_silent (caller), "before its time a call goes on");
    site_skip (&site, 1100);
    promise (begins (client_hear (caller), "ERROR|c|{\"code\":\"timeout\""),
             "a question that is not answered in time is timeout");
    client_send (caller, "CALL", "c", "{\"service\":\"gate.operate\"}", "{}", NULL);
    client_hear (program);
    site_skip (&site, 5100);
    promise (begins (client_hear (caller), "ERROR|c|{\"code\":\"unknown_outcome\""),
             "a command is unknown_outcome");
    client_send (caller, "CALL", "c",
                 "{\"service\":\"gate.operate\",\"timeout_ms\":60000}", "{}", NULL);
    client_hear (program);
    client_ask (program, "PING", "p");
    site_skip (&site, 25000);
    client_ask (program, "PING", "p");
    site_skip (&site, 25000);
    promise (client_silent (caller), "a provider that PINGs is not dropped");
    promise (bus_counts (site.bus).providers == 1, "and stays");
    site_skip (&site, 6000);
    promise (begins (client_hear (caller), "ERROR|c|{\"code\":\"unknown_outcome\""),
             "one that is silent for 30 s is, and its command's end is not known");
    promise (bus_counts (site.bus).providers == 0, "it is gone");
    promise (begins (client_ask (caller, "CALL", "c", "{\"service\":\"gate.operate\"}",
                                 "{}"),
                     "ERROR|c|{\"code\":\"no_provider\""),
             "and nobody serves");
    promise (contains (client_ask (program, "PING", "p"), "\"services\":[]"),
             "its PING tells it so");
    client_destroy (&program);
    client_destroy (&caller);
    site_close (&site);
}

static void
s_choosing (void)
{
    site_t site;
    char xid[32];
    site_open (&site);
    client_t *caller = client_new (&site);
    client_t *lane =
        s_provider (&site, "{\"services\":[\"fee.quote\",\"gate.operate\"],"
                           "\"lots\":[\"north\"],\"lanes\":[\"out-1\"]}");
    client_t *any =
        s_provider (&site, "{\"services\":[\"fee.quote\",\"gate.operate\"]}");
    client_t *lot = s_provider (
        &site, "{\"services\":[\"fee.quote\",\"gate.operate\"],\"lots\":[\"north\"]}");
    const struct {
        const char *says, *head;
        client_t *who;
    } rows[] = {
        {"its lane is named",
         "{\"service\":\"fee.quote\",\"lot\":\"north\",\"lane\":\"out-1\"}", lane},
        {"its lot is named",
         "{\"service\":\"fee.quote\",\"lot\":\"north\",\"lane\":\"out-2\"}", lot },
        {"it takes any",
         "{\"service\":\"fee.quote\",\"lot\":\"south\",\"lane\":\"out-1\"}", any },
        {"it takes any, where none is named", "{\"service\":\"fee.quote\"}", any },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        client_send (caller, "CALL", "c", rows[i].head, "{}", NULL);
        s_xid (client_hear (rows[i].who), xid);
        client_send (rows[i].who, "REPLY", xid, "{}", "{}", NULL);
        promise (begins (client_hear (caller), "REPLY|c|"), "a provider is chosen: %s",
                 rows[i].says);
    }
    client_t *second = s_provider (&site, "{\"services\":[\"fee.quote\"]}");
    client_send (caller, "CALL", "c1", "{\"service\":\"fee.quote\"}", "{}", NULL);
    client_send (caller, "CALL", "c2", "{\"service\":\"fee.quote\"}", "{}", NULL);
    promise (begins (client_hear (any), "REQUEST|")
                 && begins (client_hear (second), "REQUEST|"),
             "two questions go to two providers");
    client_destroy (&second);
    promise (begins (client_hear (any), "REQUEST|"),
             "the question of one that is lost passes to the other");
    client_send (any, "REPLY", s_xid (any->heard, xid), "{}", "{\"n\":2}", NULL);
    promise (contains (client_hear (caller), "|{}|{\"n\":2}"), "which answers it");
    client_send (caller, "CALL", "c3",
                 "{\"service\":\"gate.operate\",\"lot\":\"north\",\"lane\":\"out-1\"}",
                 "{}", NULL);
    promise (contains (client_hear (lane), "\"service\":\"gate.operate\""),
             "a command was handed over");
    client_destroy (&lane);
    promise (begins (client_hear (caller), "ERROR|c3|{\"code\":\"unknown_outcome\""),
             "and is not passed on when its provider is lost");
    promise (client_silent (lot) && client_silent (any), "to anybody");
    promise (streq (client_ask (lot, "SERVE", "s", "{\"services\":[]}"), "OK|s|{}"),
             "an empty SERVE ends it");
    client_send (caller, "CALL", "c4", "{\"service\":\"fee.quote\",\"lot\":\"north\"}",
                 "{}", NULL);
    promise (begins (client_hear (any), "REQUEST|"), "what it served goes elsewhere");
    client_destroy (&lot);
    client_destroy (&any);
    client_destroy (&caller);
    site_close (&site);
}

//  Another place to connect to, where little is kept for who does not read.
static void
s_narrow (bus_t *bus, char endpoint[64])
{
    size_t size = 64;
    int few = 8, small = 4096;
    zmq_setsockopt (bus->commands, ZMQ_SNDHWM, &few, sizeof few);
    zmq_setsockopt (bus->commands, ZMQ_SNDBUF, &small, sizeof small);
    zmq_bind (bus->commands, "tcp://127.0.0.1:*");
    zmq_getsockopt (bus->commands, ZMQ_LAST_ENDPOINT, endpoint, &size);
}

//  A program that asks and never reads.
static void
s_slow (void)
{
    site_t site;
    char endpoint[64];
    site_open (&site);
    s_narrow (site.bus, endpoint);
    client_t *quick = client_new (&site);
    zsock_t *slow = zsock_new (ZMQ_DEALER);
    zsock_set_linger (slow, 0);
    zsock_set_rcvhwm (slow, 2);
    zsock_set_rcvbuf (slow, 4096);
    zsock_connect (slow, "%s", endpoint);
    for (int i = 0; i < 50; i++)
        site_say (&site, "\"type\":\"x.big\",\"data\":{\"text\":\"%03000d\"}", i);
    site_sync (&site);
    for (int i = 0; i < 200; i++)
        zsock_send (slow, "ssss", "PB1", "FETCH", "f", "{}");
    int64_t start = zclock_mono ();
    promise (begins (client_ask (quick, "PING", "p"), "PONG|p|"),
             "another one is answered");
    while (!bus_counts (site.bus).unsent && zclock_mono () - start < 5000)
        site_turn (&site);
    promise (bus_counts (site.bus).unsent > 0,
             "what the slow one does not read is counted");
    promise (
        begins (client_ask (quick, "PUBLISH", "r", ENTRY ("a", "V1", "A1")), "OK|r|"),
        "and nobody waits for it");
    zsock_destroy (&slow);
    client_destroy (&quick);
    site_close (&site);
}

static void
s_endpoints (void)
{
    site_t site;
    site_open (&site);
    static const struct {
        const char *says, *in;
    } rows[] = {
        {"in use",       "is in use"    },
        {"that is none", "cannot listen"}
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++)
        for (int events = 0; events <= 1; events++) {
            pb_error_t error = {0};
            const char *bad = i ? "tcp://nowhere:x" : bus_events_endpoint (site.bus);
            bus_options_t options = site.bus->options;
            options.events = events ? bad : "tcp://127.0.0.1:*";
            options.commands = events ? "tcp://127.0.0.1:*" : bad;
            bus_t *other = bus_new (&options, &error);
            promise (
                !other && contains (error.message, rows[i].in)
                    && contains (error.message, events ? "bus.events" : "bus.commands")
                    && contains (error.message, bad),
                "an endpoint %s is said: %s", rows[i].says, error.message);
        }
    site_close (&site);
}

int
main (void)
{
    setvbuf (stdout, NULL, _IOLBF, 0);
    alarm (120); //  A bus that blocks never comes back
    s_durable_first ();
    s_storage_fails ();
    s_positions ();
    s_fetch ();
    s_alarms ();
    s_saying ();
    s_after ();
    s_ending_with_waiters ();
    s_provided ();
    s_ends ();
    s_deadlines ();
    s_choosing ();
    s_slow ();
    s_endpoints ();
    return promises_kept ();
}
