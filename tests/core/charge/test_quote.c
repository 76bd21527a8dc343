//  test_quote.c - a fee question through parkbus: what billing hears, what the asker gets,
//  what the journal keeps.

#include "charge/quote.h"

#include <stdlib.h>
#include "core/site.h"
#include "promise.h"

static site_t s_site;
static quoting_t *s_quoting;
static client_t *s_asker, *s_billing;

static int64_t
s_leave_within_s (void *arg, const char *lot)
{
    (void) arg;
    return streq (lot, "north") ? 600 : 900;
}

static void
s_open (void)
{
    site_open (&s_site);
    s_quoting = quoting_new (&(quoting_options_t){.bus = s_site.bus,
                                                  .ledger = s_site.ledger,
                                                  .leave_within_s = s_leave_within_s});
    s_asker = client_new (&s_site);
    s_billing = client_new (&s_site);
    client_ask (s_billing, "SERVE", "s", "{\"services\":[\"fee.quote\"]}");
    site_say (&s_site, "\"type\":\"in.recorded\",\"lot\":\"north\",\"subject\":\"V1\","
                       "\"data\":{\"plate\":\"A1\"}");
    site_say (&s_site, "\"type\":\"pay.captured\",\"lot\":\"north\",\"subject\":\"V1\","
                       "\"source\":\"cmb\",\"data\":{\"amount\":300,\"payment\":\"P1\","
                       "\"tender\":\"cmb\",\"witness\":\"push\"}");
    site_say (&s_site, "\"type\":\"refund.done\",\"lot\":\"north\",\"subject\":\"V1\","
                       "\"source\":\"cmb\",\"data\":{\"refund\":\"R1\",\"amount\":100,"
                       "\"payment\":\"P1\"}");
    site_say (&s_site, "\"type\":\"lane.waiting\",\"lot\":\"north\",\"subject\":\"V1\","
                       "\"lane\":\"out-1\",\"data\":{\"direction\":\"out\","
                       "\"plate\":\"A1\"}");
    site_sync (&s_site);
}

static void
s_close (void)
{
    client_destroy (&s_billing);
    client_destroy (&s_asker);
    site_close (&s_site);
    quoting_destroy (&s_quoting);
}

//  Billing's answer to the REQUEST that it heard.
static void
s_answer (const char *verb, const char *head, const char *body)
{
    char xid[32];
    const char *from = strchr (s_billing->heard, '|');
    snprintf (xid, sizeof xid, "%.*s", from ? (int) strcspn (from + 1, "|") : 0,
              from ? from + 1 : "");
    client_send (s_billing, verb, xid, head, body, NULL);
}

//  Data of the newest fee.quoted; "" when there is none.
static const char *
s_quoted (void)
{
    static char data[2000];
    uint64_t seq = journal_topic_seq (s_site.journal, SPAN ("fee.quoted.north"));
    journal_record_t record;
    journal_reader_t *reader = journal_reader_new (s_site.journal);
    data[0] = 0;
    if (seq && journal_read (reader, seq, &record, NULL))
        snprintf (data, sizeof data, "%.*s", SPAN_ARG (record.event.data));
    journal_reader_destroy (&reader);
    return data;
}

//  ---------------------------------------------------------------- the question

static const struct {
    const char *says, *head, *body;
    const char *blames; //  NULL: billing hears it
    const char *hears[3], *lacks[2];
} questions[] = {
    {"without a lot",
     "{\"service\":\"fee.quote\"}",                                      "{\"mode\":\"plate\",\"plate\":\"A1\"}",
     "lot",     {0},
     {0}                  },
    {"without a mode",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{}",
     "'mode'",  {0},
     {0}                  },
    {"in an unknown mode",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"colour\"}",
     "'mode'",  {0},
     {0}                  },
    {"by plate without one",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"plate\"}",
     "'plate'", {0},
     {0}                  },
    {"by lane without one",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"lane\"}",
     "'lane'",  {0},
     {0}                  },
    {"plateless without a lane",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"plateless\"}",
     "'lane'",  {0},
     {0}                  },
    {"by visit without one",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"visit\"}",
     "'visit'", {0},
     {0}                  },
    {"with a number for a plate",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"plate\",\"plate\":1}",
     "'plate'", {0},
     {0}                  },
    {"by plate",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"plate\",\"plate\":\"A1\",\"captured\":5,\"mine\":1}",
     NULL,      {"\"plate\":\"A1\"", "\"mine\":1"},
     {"captured"}         },
    {"by visit",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"visit\",\"visit\":\"V1\",\"captured\":5}",
     NULL,      {"\"captured\":200"},
     {"\"captured\":5"}   },
    {"by an unknown visit",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"visit\",\"visit\":\"V9\"}",
     NULL,      {"\"visit\":\"V9\""},
     {"captured"}         },
    {"by a visit of another lot",
     "{\"service\":\"fee.quote\",\"lot\":\"south\"}",                    "{\"mode\":\"visit\",\"visit\":\"V1\"}",
     NULL,      {"\"lot\":\"south\""},
     {"captured"}         },
    {"by lane",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"lane\",\"lane\":\"out-1\"}",
     NULL,      {"\"visit\":\"V1\"", "\"plate\":\"A1\"", "\"captured\":200"},
     {0}                  },
    {"by the lane of the call",
     "{\"service\":\"fee.quote\",\"lot\":\"north\",\"lane\":\"out-1\"}", "{\"mode\":\"lane\"}",
     NULL,      {"\"visit\":\"V1\"", "|{\"mode\":\"lane\",\"lane\":\"out-1\"", "\"captured\":200"},
     {0}                  },
    {"by a lane where nobody waits",
     "{\"service\":\"fee.quote\",\"lot\":\"north\"}",                    "{\"mode\":\"lane\",\"lane\":\"out-2\"}",
     NULL,      {"\"lane\":\"out-2\""},
     {"visit", "captured"}},
};

static void
s_questions (void)
{
    s_open ();
    for (size_t i = 0; i < ARRAY_SIZE (questions); i++) {
        client_send (s_asker, "CALL", "c", questions[i].head, questions[i].body, NULL);
        if (questions[i].blames) {
            const char *text = client_hear (s_asker);
            promise (begins (text, "ERROR|c|{\"code\":\"bad_request\"")
                         && contains (text, questions[i].blames),
                     "a question %s is refused", questions[i].says);
            continue;
        }
        const char *text = client_hear (s_billing);
        bool kept = begins (text, "REQUEST|");
        for (size_t n = 0; n < 3 && questions[i].hears[n]; n++)
            kept = kept && contains (text, questions[i].hears[n]);
        for (size_t n = 0; n < 2 && questions[i].lacks[n]; n++)
            kept = kept && !contains (text, questions[i].lacks[n]);
        promise (kept, "a question %s is put to billing with what parkbus knows",
                 questions[i].says);
        if (!kept)
            printf ("# %s\n", text);
        s_answer ("REPLY", "{}", "{\"outcome\":\"no_session\"}");
        promise (
            streq (client_hear (s_asker), "REPLY|c|{}|{\"outcome\":\"no_session\"}"),
            "and the answer comes back");
    }
    promise (!s_quoted ()[0], "what was not found is not journaled");
    s_close ();
}

//  ---------------------------------------------------------------- the answer

#define FOUND(members) "{\"outcome\":\"found\"" members "}"
#define CAR ",\"visit\":\"V2\",\"plate\":\"B2\""
#define SINCE ",\"entered_at\":\"2026-11-21T08:00:00+08:00\""
#define FEE ",\"total\":900,\"due\":400,\"paid\":500"

static const struct {
    const char *says, *body;
    const char *blames; //  NULL: the asker gets it
    const char *gets[4];
} answers[] = {
    {"nothing",                             "{}",                                      "outcome",      {0}                                                                      },
    {"an unknown outcome",                  "{\"outcome\":\"perhaps\"}",               "outcome",      {0}                                                                      },
    {"found, and no visit",                 FOUND (",\"plate\":\"B2\"" SINCE FEE),     "'visit'",      {0}                                                                      },
    {"found, with a visit that is none",
     FOUND (",\"visit\":\"V 2\",\"plate\":\"B2\"" SINCE FEE),
     "'visit'",                                                                                        {0}                                                                      },
    {"found, and no plate",                 FOUND (",\"visit\":\"V2\"" SINCE FEE),     "'plate'",      {0}                                                                      },
    {"found, and no time of entry",         FOUND (CAR FEE),                           "'entered_at'", {0}                                                                      },
    {"found, with a time that is none",
     FOUND (CAR ",\"entered_at\":\"08:00\"" FEE),
     "'entered_at'",                                                                                   {0}                                                                      },
    {"found, and no total",                 FOUND (CAR SINCE ",\"due\":1,\"paid\":0"), "'total'",      {0}                                                                      },
    {"found, with a sum below zero",
     FOUND (CAR SINCE ",\"total\":1,\"due\":-1,\"paid\":0"),
     "'due'",                                                                                          {0}                                                                      },
    {"found, with a text for a sum",
     FOUND (CAR SINCE ",\"total\":1,\"due\":1,\"paid\":\"0\""),
     "'paid'",                                                                                         {0}                                                                      },
    {"found, with a discount that is none",
     FOUND (CAR SINCE FEE ",\"discounts\":[{\"unit\":\"luck\"}]"),
     "discounts",                                                                                      {0}                                                                      },
    {"all there is",
     FOUND (CAR SINCE FEE ",\"quote\":\"Q1\",\"as_of\":\"2026-11-21T09:00:00+08:00\","
                          "\"stay\":3600,\"leave_within\":120,\"extra\":\"京/1\""),
     NULL,                                                                                             {"\"quote\":\"Q1\"", "\"leave_within\":120", "\"extra\":\"京/1\"",
      "\"stay\":3600"}                                                                                                                                                },
    {"what it must, and no more",
     FOUND (CAR SINCE FEE ",\"as_of\":\"2026-11-21T09:30:00+08:00\""),
     NULL,                                                                                             {"\"quote\":\"Q", "\"leave_within\":600", "\"stay\":5400", "\"due\":400"}},
    {"no as_of",
     FOUND (CAR SINCE FEE),
     NULL,                                                                                             {"\"as_of\":\"20", "\"stay\":", NULL, NULL}                              },
};

static const char s_question[] = "{\"mode\":\"plate\",\"plate\":\"B2\"}";

static void
s_ask (const char *body)
{
    client_send (s_asker, "CALL", "c",
                 "{\"service\":\"fee.quote\",\"lot\":\"north\",\"lane\":\"out-2\"}",
                 body, NULL);
    client_hear (s_billing);
}

static void
s_answers (void)
{
    s_open ();
    for (size_t i = 0; i < ARRAY_SIZE (answers); i++) {
        s_ask (s_question);
        s_answer ("REPLY", "{}", answers[i].body);
        const char *text = client_hear (s_asker);
        if (answers[i].blames) {
            promise (begins (text, "ERROR|c|{\"code\":\"rejected\"")
                         && contains (text, answers[i].blames) && !s_quoted ()[0],
                     "billing answers %s: refused, not journaled", answers[i].says);
            continue;
        }
        bool kept = begins (text, "REPLY|c|{}|{\"outcome\":\"found\"");
        for (size_t n = 0; n < 4 && answers[i].gets[n]; n++)
            kept = kept && contains (text, answers[i].gets[n]);
        promise (kept, "billing answers %s: the asker gets all of it", answers[i].says);
        if (!kept)
            printf ("# %s\n", text);
        const char *data = s_quoted ();
        promise (contains (data, "\"total\":900,\"due\":400,\"paid\":500")
                     && contains (data, "\"quote\":\"Q")
                     && contains (data, "\"plate\":\"B2\"")
                     && contains (data, "\"asked_by\":\"client-")
                     && !contains (data, "extra"),
                 "and the journal has the quote");
    }
    s_ask (s_question);
    s_answer ("ERROR", "{\"code\":\"busy\",\"message\":\"later\"}", NULL);
    promise (streq (client_hear (s_asker),
                    "ERROR|c|{\"code\":\"busy\",\"message\":\"later\"}"),
             "billing's own error comes through");
    s_close ();
}

static void
s_durable (void)
{
    s_open ();
    s_ask (s_question);
    site_gate (true);
    s_answer ("REPLY", "{}", FOUND (CAR SINCE FEE));
    promise (client_silent (s_asker), "a quote is not given before it is on disk");
    site_gate (false);
    promise (begins (client_hear (s_asker), "REPLY|c|{}|"), "but then");
    s_ask (s_question);
    site_fail (true);
    s_answer ("REPLY", "{}", FOUND (CAR SINCE FEE));
    promise (begins (client_hear (s_asker), "ERROR|c|{\"code\":\"storage\""),
             "and not at all when it cannot be");
    s_ask (s_question);
    s_answer ("REPLY", "{}", FOUND (CAR SINCE FEE));
    promise (begins (client_hear (s_asker), "ERROR|c|{\"code\":\"storage\""),
             "nor later");
    site_fail (false);
    s_close ();
}

//  ---------------------------------------------------------------- what is not booked

static size_t
s_alarms (const char *type)
{
    size_t count = 0;
    journal_record_t record;
    pb_error_t error;
    site_sync (&s_site);
    journal_reader_t *reader = journal_reader_new (s_site.journal);
    journal_seek (reader, 1, &error);
    while (journal_next (reader, &record, &error))
        count += span_is (record.event.type, type)
                 && contains (record.event.json, "quote.unbooked");
    journal_reader_destroy (&reader);
    return count;
}

//  parkbus holds 200 of V1.
static const struct {
    const char *says, *fee, *gets;
    size_t raised, cleared; //  Alarms afterwards
} gaps[] = {
    {"all is booked",    ",\"total\":900,\"due\":700,\"paid\":200",
     "\"due\":700,\"paid\":200",                                                                0, 0},
    {"more is booked",   ",\"total\":900,\"due\":600,\"paid\":300",
     "\"due\":600,\"paid\":300",                                                                0, 0},
    {"some is not",      ",\"total\":900,\"due\":850,\"paid\":50",
     "\"due\":700,\"paid\":200",                                                                1, 0},
    {"still not",        ",\"total\":900,\"due\":900,\"paid\":0",   "\"due\":700,\"paid\":200",
     1,                                                                                            0},
    {"more than is due", ",\"total\":100,\"due\":100,\"paid\":0",
     "\"due\":0,\"paid\":200",                                                                  1, 0},
    {"now it is",        ",\"total\":900,\"due\":700,\"paid\":200", "\"due\":700,\"paid\":200",
     1,                                                                                            1},
};

static void
s_gaps (void)
{
    s_open ();
    for (size_t i = 0; i < ARRAY_SIZE (gaps); i++) {
        char body[400];
        s_ask ("{\"mode\":\"visit\",\"visit\":\"V1\"}");
        snprintf (body, sizeof body,
                  "{\"outcome\":\"found\",\"visit\":\"V1\",\"plate\":\"A1\"" SINCE
                  "%s}",
                  gaps[i].fee);
        s_answer ("REPLY", "{}", body);
        promise (contains (client_hear (s_asker), gaps[i].gets)
                     && contains (s_quoted (), gaps[i].gets),
                 "booked: %s: %s", gaps[i].says, gaps[i].gets);
        promise (s_alarms ("alarm.raised") == gaps[i].raised
                     && s_alarms ("alarm.cleared") == gaps[i].cleared,
                 "and the alarm says so");
    }
    s_close ();
}

int
main (void)
{
    setvbuf (stdout, NULL, _IOLBF, 0);
    s_questions ();
    s_answers ();
    s_durable ();
    s_gaps ();
    return promises_kept ();
}
