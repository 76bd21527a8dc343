//  test_delivery.c - what a platform is owed: order, back-off, breaker, progress.

#include "core/site.h"

#include <stdlib.h>
#include "promise.h"

#define PLENTY 4096

//  An instance, and the platform behind it as the test says.
typedef struct {
    site_t *site;
    delivery_t *delivery;
    unsigned in_flight;
    uint64_t carried[PLENTY], flying[PLENTY]; //  seqs
    size_t carried_count, flying_count, most;
    pb_result_t (*at_once) (uint64_t seq); //  NULL: the test ends each with s_end
    char said[400]; //  States, "down: …" and "up" one after another
} plant_t;

static bool
s_takes (void *arg, const event_t *event)
{
    (void) arg;
    static const char *const types[] = {"in.recorded", "out.recorded", "space.changed",
                                        "in.corrected", "x.note"};
    for (size_t i = 0; i < ARRAY_SIZE (types); i++)
        if (span_is (event->type, types[i]))
            return !span_is (event->source, "cmb");
    return false;
}

static void
s_end (plant_t *self, uint64_t seq, pb_result_t result, uint64_t retry_after_s)
{
    for (size_t i = 0; i < self->flying_count; i++)
        if (self->flying[i] == seq) {
            self->flying[i] = self->flying[--self->flying_count];
            break;
        }
    delivery_done (self->delivery, seq, result, "E7", "the platform says no",
                   retry_after_s);
}

static void
s_carry (void *arg, uint64_t seq)
{
    plant_t *self = arg;
    self->carried[self->carried_count++ % PLENTY] = seq;
    self->flying[self->flying_count++] = seq;
    if (self->flying_count > self->most)
        self->most = self->flying_count;
    if (self->at_once)
        s_end (self, seq, self->at_once (seq), 0);
}

static void
s_state (void *arg, const char *sentence)
{
    plant_t *self = arg;
    size_t size = strlen (self->said);
    snprintf (self->said + size, sizeof self->said - size, "%s",
              sentence ? "down " : "up ");
}

static pb_result_t
s_ok (uint64_t seq)
{
    (void) seq;
    return PB_OK;
}

//  What is due happens; nothing new of the clock.
static void
s_pump (plant_t *self)
{
    site_sync (self->site);
    delivery_wake (self->delivery);
    for (size_t before = PLENTY; before != self->carried_count;) {
        before = self->carried_count;
        for (int i = 0; i < 20; i++)
            site_skip (self->site, 0);
    }
    site_sync (self->site);
}

static void
s_start (plant_t *self, site_t *site)
{
    self->site = site;
    self->delivery = delivery_new (&(delivery_options_t){.instance = "cmb",
                                                         .bus = site->bus,
                                                         .journal = site->journal,
                                                         .timers = site->timers,
                                                         .memory = site->deliveries,
                                                         .in_flight = self->in_flight,
                                                         .takes = s_takes,
                                                         .carry = s_carry,
                                                         .state = s_state,
                                                         .arg = self});
    s_pump (self);
}

static plant_t *
s_open (site_t *site, unsigned in_flight)
{
    plant_t *self = xcalloc (1, sizeof *self);
    self->in_flight = in_flight;
    site_open (site);
    s_start (self, site);
    return self;
}

static void
s_close (plant_t **self_p)
{
    delivery_destroy (&(*self_p)->delivery);
    site_close ((*self_p)->site);
    free (*self_p);
    *self_p = NULL;
}

static uint64_t
s_in (site_t *site, const char *visit)
{
    return site_say (site,
                     "\"type\":\"in.recorded\",\"lot\":\"north\",\"subject\":\"%s\","
                     "\"data\":{\"plate\":\"A\"}",
                     visit);
}

static uint64_t
s_out (site_t *site, const char *visit)
{
    return site_say (site,
                     "\"type\":\"out.recorded\",\"lot\":\"north\",\"subject\":\"%s\","
                     "\"data\":{\"plate\":\"A\",\"total_due\":0}",
                     visit);
}

static uint64_t
s_space (site_t *site, const char *lot, int free_spaces, const char *more)
{
    return site_say (site,
                     "\"type\":\"space.changed\",\"lot\":\"%s\","
                     "\"data\":{\"free\":%d%s}",
                     lot, free_spaces, more);
}

static bool
s_flies (const plant_t *self, uint64_t seq)
{
    for (size_t i = 0; i < self->flying_count; i++)
        if (self->flying[i] == seq)
            return true;
    return false;
}

static size_t
s_times (const plant_t *self, uint64_t seq)
{
    size_t count = 0;
    for (size_t i = 0; i < self->carried_count && i < PLENTY; i++)
        count += self->carried[i] == seq;
    return count;
}

//  ---------------------------------------------------------------- order

static void
s_order (void)
{
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t in1 = s_in (&site, "V1"), in2 = s_in (&site, "V2");
    uint64_t
        out1 = s_out (&site, "V1"),
        own = site_say (
            &site,
            "\"type\":\"in.recorded\",\"source\":\"cmb\",\"lot\":\"north\",\"subject\":\"V3\","
            "\"data\":{\"plate\":\"A\"}");
    uint64_t in1south = site_say (
        &site, "\"type\":\"in.recorded\",\"lot\":\"south\",\"subject\":\"V1\","
               "\"data\":{\"plate\":\"A\"}");
    uint64_t other =
        site_say (&site, "\"type\":\"gate.opened\",\"lot\":\"north\","
                         "\"lane\":\"in-1\",\"data\":{\"reason\":\"entry\"}");
    promise (!plant->carried_count, "nothing goes before it is durable");
    s_pump (plant);
    promise (s_flies (plant, in1) && s_flies (plant, in2) && s_flies (plant, in1south),
             "visits go side by side, each lot has its own");
    promise (!s_flies (plant, out1), "an exit waits for its entry");
    promise (!s_flies (plant, own) && !s_flies (plant, other),
             "what is not the instance's does not go");
    s_end (plant, in2, PB_OK, 0);
    s_pump (plant);
    promise (!s_flies (plant, out1), "not for another's");
    s_end (plant, in1, PB_OK, 0);
    s_pump (plant);
    promise (s_flies (plant, out1), "and goes after it");
    s_end (plant, out1, PB_DUP, 0);
    s_end (plant, in1south, PB_UNSUPPORTED, 0);
    s_pump (plant);
    delivery_counts_t c = delivery_counts (plant->delivery);
    promise (c.done == 3 && c.duplicates == 1 && c.unsupported == 1 && c.owed == 0
                 && c.behind == 0 && c.aside == 0 && plant->carried_count == 4,
             "done, had already, cannot: counted, and never again");
    delivery_done (plant->delivery, in1, PB_OK, NULL, NULL, 0);
    promise (delivery_counts (plant->delivery).done == 3,
             "an end of nothing is nothing");
    s_close (&plant);
}

static void
s_in_flight (void)
{
    static const struct {
        const char *says;
        unsigned in_flight, most;
    } rows[] = {
        {"one",             1, 1},
        {"three",           3, 3},
        {"not said: eight", 0, 8}
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        site_t site;
        char visit[16];
        plant_t *plant = s_open (&site, rows[i].in_flight);
        for (int n = 0; n < 20; n++) {
            snprintf (visit, sizeof visit, "V%d", n);
            s_in (&site, visit);
        }
        s_pump (plant);
        promise (plant->flying_count == rows[i].most, "in flight at once: %s",
                 rows[i].says);
        while (plant->flying_count)
            s_end (plant, plant->flying[0], PB_OK, 0);
        promise (plant->most == rows[i].most && plant->carried_count == 20
                     && delivery_counts (plant->delivery).done == 20,
                 "and the next when one has ended: %s", rows[i].says);
        s_close (&plant);
    }
}

//  ---------------------------------------------------------------- again, later

static void
s_back_off (void)
{
    static const struct {
        const char *says;
        pb_result_t result;
        uint64_t retry_after_s;
        int64_t not_before_ms, by_ms; //  After the end of the try
    } rows[] = {
        {"half a second at first",  PB_RETRY,   0,  240,   510  },
        {"twice that",              PB_UNKNOWN, 0,  490,   1010 },
        {"and twice that",          PB_BADMSG,  0,  990,   2010 },
        {"as long as it was asked", PB_RETRY,   90, 89900, 90100},
    };
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t in = s_in (&site, "V1"), out = s_out (&site, "V1");
    s_pump (plant);
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        s_end (plant, in, rows[i].result, rows[i].retry_after_s);
        site_skip (&site, rows[i].not_before_ms);
        s_pump (plant);
        bool early = s_flies (plant, in);
        uint64_t other = s_in (&site, "V2");
        s_pump (plant);
        bool others = s_flies (plant, other);
        s_end (plant, other, PB_OK, 0);
        site_skip (&site, rows[i].by_ms - rows[i].not_before_ms);
        s_pump (plant);
        promise (!early && s_flies (plant, in), "again after %s", rows[i].says);
        promise (others, "others go meanwhile");
    }
    promise (!s_times (plant, out), "what follows in its visit waits");
    s_end (plant, in, PB_OK, 0);
    s_pump (plant);
    promise (s_flies (plant, out) && delivery_counts (plant->delivery).retries == 4,
             "until it is done");
    promise (streq (plant->said, "up "),
             "the first success is said, for what was before the start; failures between "
             "successes are no state");
    s_close (&plant);
}

static void
s_most_back_off (void)
{
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t in = s_in (&site, "V1");
    s_pump (plant);
    int64_t longest = 0;
    for (int i = 0; i < 14; i++) {
        int64_t waited = 0;
        s_end (plant, in, PB_RETRY, 0);
        for (; !s_flies (plant, in) && waited < 200000; waited += 500) {
            site_skip (&site, 500);
            s_pump (plant);
        }
        longest = waited > longest ? waited : longest;
    }
    promise (longest >= 30000 && longest <= 61000,
             "however often it failed, it is tried again within a minute");
    s_close (&plant);
}

//  ---------------------------------------------------------------- set aside

static size_t
s_alarms (site_t *site)
{
    size_t count = 0;
    journal_record_t record;
    pb_error_t error;
    site_sync (site);
    journal_reader_t *reader = journal_reader_new (site->journal);
    journal_seek (reader, 1, &error);
    while (journal_next (reader, &record, &error))
        count += span_is (record.event.type, "alarm.raised")
                 && contains (record.event.json, "delivery.aside.cmb");
    journal_reader_destroy (&reader);
    return count;
}

static void
s_rejected (void)
{
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t in1 = s_in (&site, "V1"), out1 = s_out (&site, "V1");
    uint64_t in2 = s_in (&site, "V2"), note = site_say (&site, "\"type\":\"x.note\"");
    s_pump (plant);
    s_end (plant, in1, PB_REJECT, 0);
    s_end (plant, note, PB_REJECT, 0);
    s_pump (plant);
    promise (!s_times (plant, out1) && delivery_counts (plant->delivery).aside == 3,
             "what follows one set aside is set aside behind it");
    s_end (plant, in2, PB_OK, 0);
    uint64_t later = s_out (&site, "V1"), out2 = s_out (&site, "V2");
    uint64_t note2 = site_say (&site, "\"type\":\"x.note\"");
    s_pump (plant);
    promise (!s_times (plant, later), "what comes later in that visit, too");
    promise (s_flies (plant, out2) && s_flies (plant, note2),
             "other visits go on, and what has none");
    promise (s_alarms (&site) == 2, "an alarm for each, none for what is behind");
    promise (delivery_counts (plant->delivery).aside == 4
                 && delivery_counts (plant->delivery).owed == 2,
             "all are counted");
    s_end (plant, out2, PB_OK, 0);
    s_end (plant, note2, PB_OK, 0);
    delivery_destroy (&plant->delivery);
    site_end (&site);
    site_reopen (&site);
    s_start (plant, &site);
    uint64_t last = s_out (&site, "V1"), in3 = s_in (&site, "V3");
    s_pump (plant);
    promise (!s_times (plant, last) && s_flies (plant, in3)
                 && delivery_counts (plant->delivery).aside == 5,
             "after a restart the visit is still set aside");
    promise (s_times (plant, in1) == 1 && s_times (plant, note) == 1,
             "and nothing set aside goes again by itself");
    s_close (&plant);
}

static void
s_bug (void)
{
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t in = s_in (&site, "V1");
    for (int i = 0; i < 5; i++) {
        s_pump (plant);
        if (s_flies (plant, in))
            s_end (plant, in, i % 2 ? PB_BUG : PB_MORE,
                   0); //  MORE does not end a carry
        site_skip (&site, 5000);
    }
    promise (s_times (plant, in) == 3 && delivery_counts (plant->delivery).aside == 1
                 && delivery_counts (plant->delivery).owed == 0,
             "a defect of the plugin is tried three times, then set aside");
    s_close (&plant);
}

//  ---------------------------------------------------------------- only the newest

static void
s_newest (void)
{
    site_t site;
    plant_t *plant = s_open (&site, 0);
    uint64_t seqs[4], area[2];
    for (int i = 0; i < 4; i++)
        seqs[i] = s_space (&site, "north", i, "");
    uint64_t south = s_space (&site, "south", 9, "");
    for (int i = 0; i < 2; i++)
        area[i] = s_space (&site, "north", i, ",\"area\":\"B2\"");
    s_pump (plant);
    promise (s_flies (plant, seqs[3]) && !s_times (plant, seqs[0])
                 && !s_times (plant, seqs[1]) && !s_times (plant, seqs[2]),
             "of free spaces only the newest goes");
    promise (s_flies (plant, south), "of each lot");
    promise (s_flies (plant, area[0]) && s_flies (plant, area[1]),
             "an area's figures are no such thing");
    promise (delivery_counts (plant->delivery).dropped == 3,
             "the older ones are counted");
    uint64_t newer = s_space (&site, "north", 5, "");
    s_pump (plant);
    promise (!s_flies (plant, newer), "one that is under way is not overtaken");
    uint64_t newest = s_space (&site, "north", 6, "");
    s_pump (plant);
    s_end (plant, seqs[3], PB_RETRY, 0);
    s_pump (plant);
    promise (s_flies (plant, newest) && !s_times (plant, newer),
             "and when it fails the newest goes in its stead");
    s_end (plant, newest, PB_OK, 0);
    site_skip (&site, 5000);
    s_pump (plant);
    promise (s_times (plant, seqs[3]) == 1, "never the old one after it");
    promise (delivery_counts (plant->delivery).dropped == 5, "it is counted, too");
    uint64_t alone = s_space (&site, "north", 7, "");
    s_pump (plant);
    s_end (plant, alone, PB_RETRY, 0);
    site_skip (&site, 1000);
    s_pump (plant);
    promise (s_times (plant, alone) == 2,
             "one that fails and is still the newest goes again");
    s_close (&plant);
}

//  ---------------------------------------------------------------- platforms that fail

static void
s_three_visits (site_t *site, uint64_t seqs[3])
{
    static int number;
    char visit[16];
    for (int i = 0; i < 3; i++) {
        snprintf (visit, sizeof visit, "W%d", number++);
        seqs[i] = s_in (site, visit);
    }
}

static void
s_auth (void)
{
    site_t site;
    uint64_t seqs[3];
    plant_t *plant = s_open (&site, 0);
    s_three_visits (&site, seqs);
    s_pump (plant);
    s_end (plant, seqs[0], PB_AUTH, 0);
    s_end (plant, seqs[1], PB_AUTH, 0);
    s_end (plant, seqs[2], PB_CONFIG, 0);
    promise (streq (plant->said, "down "), "refused credentials are said, once");
    s_pump (plant);
    site_skip (&site, 59000);
    s_pump (plant);
    promise (!plant->flying_count && plant->carried_count == 3,
             "and nothing is sent for a minute");
    site_skip (&site, 1100);
    s_pump (plant);
    promise (plant->flying_count == 1, "then one");
    s_end (plant, plant->flying[0], PB_AUTH, 0);
    s_pump (plant);
    site_skip (&site, 59000);
    s_pump (plant);
    promise (!plant->flying_count && streq (plant->said, "down "),
             "which fails: another minute, not said again");
    site_skip (&site, 1100);
    s_pump (plant);
    promise (plant->flying_count == 1, "one again");
    s_end (plant, plant->flying[0], PB_RETRY, 0);
    s_pump (plant);
    site_skip (&site, 59000);
    s_pump (plant);
    promise (!plant->flying_count, "no answer is no success: another minute");
    site_skip (&site, 1100);
    s_pump (plant);
    promise (plant->flying_count == 1, "one again");
    s_end (plant, plant->flying[0], PB_OK, 0);
    s_pump (plant);
    promise (plant->flying_count == 2 && streq (plant->said, "down up "),
             "one that succeeds is said, and all go");
    promise (delivery_counts (plant->delivery).owed == 2, "nothing was lost");
    s_close (&plant);
}

static void
s_breaker (void)
{
    site_t site;
    char visit[16];
    plant_t *plant = s_open (&site, 0);
    for (int i = 0; i < 12; i++) {
        snprintf (visit, sizeof visit, "V%d", i);
        s_in (&site, visit);
    }
    s_pump (plant);
    for (int i = 0; i < 4; i++)
        s_end (plant, plant->flying[0], PB_RETRY, 0);
    promise (!plant->said[0], "four failures in a row are not said");
    s_end (plant, plant->flying[0], PB_RETRY, 0);
    promise (streq (plant->said, "down "), "the fifth is");
    while (plant->flying_count)
        s_end (plant, plant->flying[0], PB_RETRY, 0);
    size_t carried = plant->carried_count;
    s_pump (plant);
    promise (plant->carried_count == carried, "nothing is sent at once");
    plant->most = 0;
    for (int64_t waited = 0; !plant->flying_count && waited < 70000; waited += 500) {
        site_skip (&site, 500);
        s_pump (plant);
    }
    promise (plant->flying_count == 1, "then one is tried");
    site_skip (&site, 120000);
    s_pump (plant);
    promise (plant->flying_count == 1, "and no other while it is under way");
    for (int i = 0; i < 3; i++) {
        s_end (plant, plant->flying[0], PB_RETRY, 0);
        for (int64_t waited = 0; !plant->flying_count && waited < 70000;
             waited += 500) {
            site_skip (&site, 500);
            s_pump (plant);
        }
    }
    promise (plant->most == 1 && streq (plant->said, "down "),
             "as long as it fails: one at a time, nothing said again");
    s_end (plant, plant->flying[0], PB_OK, 0);
    s_pump (plant);
    promise (streq (plant->said, "down up "), "the first success is said");
    site_skip (&site, 61000);
    s_pump (plant);
    promise (plant->flying_count == 8, "and many go at once again");
    while (plant->flying_count)
        s_end (plant, plant->flying[0], PB_OK, 0);
    s_pump (plant);
    while (plant->flying_count)
        s_end (plant, plant->flying[0], PB_OK, 0);
    promise (delivery_counts (plant->delivery).done == 12
                 && delivery_counts (plant->delivery).owed == 0,
             "nothing was lost");
    s_close (&plant);
}

//  What was on its way when the platform failed may succeed.
static void
s_breaker_early (void)
{
    site_t site;
    char visit[16];
    plant_t *plant = s_open (&site, 0);
    for (int i = 0; i < 12; i++) {
        snprintf (visit, sizeof visit, "V%d", i);
        s_in (&site, visit);
    }
    s_pump (plant);
    while (plant->flying_count > 1)
        s_end (plant, plant->flying[0], PB_RETRY, 0);
    s_end (plant, plant->flying[0], PB_OK, 0);
    site_skip (&site, 510);
    s_pump (plant);
    promise (streq (plant->said, "down up ") && plant->flying_count == 8,
             "a success from before the failures were said ends the waiting at once");
    s_close (&plant);
}

//  ---------------------------------------------------------------- over a restart

//  Every fourth fails for now.
static pb_result_t
s_mostly (uint64_t seq)
{
    return seq % 4 ? PB_OK : PB_RETRY;
}

static void
s_restart (bool killed)
{
    site_t site, copy;
    char visit[16];
    uint64_t first = 0, last = 0;
    const char *how = killed ? "after a power cut" : "after an orderly end";
    plant_t *plant = s_open (&site, 0);
    plant->at_once = s_mostly;
    for (int i = 0; i < 20; i++) {
        snprintf (visit, sizeof visit, "V%d", i);
        last = s_in (&site, visit);
        first = first ? first : last;
        s_pump (plant);
    }
    size_t failed = 0;
    for (uint64_t seq = first; seq <= last; seq++)
        failed += seq % 4 == 0;
    site_skip (&site, 120);
    site_sync (&site);
    uint64_t few[3];
    plant->at_once = s_ok;
    s_three_visits (&site, few);
    s_pump (plant); //  Done; that it is has no time to reach the disk
    bool all =
        s_times (plant, few[0]) && s_times (plant, few[1]) && s_times (plant, few[2]);
    if (killed) {
        site_copy (&site, &copy);
        s_close (&plant);
        plant = xcalloc (1, sizeof *plant);
    } else {
        delivery_destroy (&plant->delivery);
        site_end (&site);
        copy = site;
        plant->carried_count = 0;
    }
    site_reopen (&copy);
    plant->at_once = NULL;
    plant->in_flight = 64;
    s_start (plant, &copy);
    site_skip (&copy, 61000);
    s_pump (plant);
    size_t lost = 0, again = 0, few_again = 0;
    for (uint64_t seq = first; seq <= last; seq++) {
        lost += seq % 4 == 0 && !s_times (plant, seq);
        again += seq % 4 != 0 && s_times (plant, seq);
    }
    for (size_t i = 0; i < 3; i++)
        few_again += s_times (plant, few[i]);
    promise (all && failed == 5 && lost == 0, "%s nothing that is owed is lost", how);
    promise (again == 0, "%s nothing that was done goes again", how);
    promise (killed ? few_again <= 3 : few_again == 0,
             "%s at most the last few do: %zu", how, few_again);
    promise (plant->flying_count == failed + few_again, "%s all go that are owed", how);
    s_close (&plant);
}

static void
s_first_time (void)
{
    site_t site;
    site_open (&site);
    uint64_t before = s_in (&site, "V1");
    plant_t *plant = xcalloc (1, sizeof *plant);
    plant->at_once = s_ok;
    s_start (plant, &site);
    uint64_t after = s_in (&site, "V2");
    s_pump (plant);
    promise (!s_times (plant, before) && s_times (plant, after),
             "an instance is owed what comes after it was first enabled");
    delivery_destroy (&plant->delivery);
    uint64_t away = s_in (&site, "V3");
    site_end (&site);
    site_reopen (&site);
    s_start (plant, &site);
    promise (s_times (plant, away) == 1, "and what came while it was off");
    promise (!s_times (plant, before) && s_times (plant, after) == 1, "and no more");
    delivery_destroy (&plant->delivery);
    uint64_t off = s_in (&site, "V4");
    site_sync (&site);
    s_start (plant, &site);
    promise (s_times (plant, off) == 1 && s_times (plant, away) == 1,
             "also when it is disabled and enabled without a restart");
    s_close (&plant);
}

//  Enabled, and a power cut before anything of it was done.
static void
s_first_cut (void)
{
    site_t site, copy;
    plant_t *plant = s_open (&site, 0);
    uint64_t in = s_in (&site, "V1");
    site_sync (&site);
    site_copy (&site, &copy);
    s_close (&plant);
    plant = xcalloc (1, sizeof *plant);
    site_reopen (&copy);
    s_start (plant, &copy);
    promise (s_times (plant, in) == 1,
             "the first enabling itself outlives a power cut");
    s_close (&plant);
}

//  ---------------------------------------------------------------- many

static void
s_many (void)
{
    site_t site;
    char visit[16];
    uint64_t first = 0, last = 0;
    plant_t *plant = s_open (&site, 0);
    plant->at_once = s_ok;
    for (int i = 0; i < 2500; i++) {
        snprintf (visit, sizeof visit, "V%d", i % 900);
        last = i < 900 ? s_in (&site, visit) : s_out (&site, visit);
        first = first ? first : last;
    }
    s_pump (plant);
    bool sorted = plant->carried_count == 2500;
    for (size_t i = 1; i < plant->carried_count; i++)
        sorted = sorted && plant->carried[i] > plant->carried[i - 1];
    promise (sorted && plant->carried[0] == first && plant->carried[2499] == last,
             "2500 go, each once, in order");
    promise (plant->most == 1, "one that ends at once does not fly");
    plant->at_once = NULL;
    plant->carried_count = 0;
    for (int i = 0; i < 1500; i++) {
        snprintf (visit, sizeof visit, "U%d", i);
        s_in (&site, visit);
    }
    s_pump (plant);
    delivery_counts_t c = delivery_counts (plant->delivery);
    promise (c.owed == 1000 && c.behind >= 500, "a thousand are looked at together");
    while (plant->flying_count) {
        s_end (plant, plant->flying[0], PB_OK, 0);
        if (plant->flying_count == 0)
            s_pump (plant);
    }
    c = delivery_counts (plant->delivery);
    promise (plant->carried_count == 1500 && c.owed == 0 && c.behind == 0,
             "and the rest after them");
    s_close (&plant);
}

int
main (void)
{
    setvbuf (stdout, NULL, _IOLBF, 0);
    s_order ();
    s_in_flight ();
    s_back_off ();
    s_most_back_off ();
    s_rejected ();
    s_bug ();
    s_newest ();
    s_auth ();
    s_breaker ();
    s_breaker_early ();
    s_restart (false);
    s_restart (true);
    s_first_time ();
    s_first_cut ();
    s_many ();
    return promises_kept ();
}
