//  delivery.c - the window of what one instance is owed.

#include "delivery/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

#define LOOK_AHEAD 5000 //  Events looked at per turn of the loop
#define PROGRESS_MS 100
#define RETRY_FIRST_MS 500
#define RETRY_MOST_MS 60000
#define SUSPENDED_MS 60000 //  After PB_AUTH or PB_CONFIG: one trial a minute
#define BREAKER_AT 5       //  Failures in a row that make the instance wait as a whole
#define BUGS_MOST 3        //  Then it is set aside: a defect does not heal by waiting

//  One event that is owed.
typedef struct {
    uint64_t seq;
    uint64_t visit;  //  Hash; 0: no visit, no order
    uint64_t newest; //  Hash of the topic where only the newest counts; 0: all do
    int64_t next_ms; //  Not before
    unsigned tries, bugs;
    bool flying;
} owed_t;

struct delivery {
    delivery_options_t options;
    char *instance;
    memory_t *memory;
    journal_reader_t *reader;
    owed_t window[WINDOW]; //  By seq
    size_t count, flying;
    uint64_t from;         //  Next event to look at
    unsigned failures;     //  In a row
    int64_t open_until_ms; //  Breaker: nothing but one trial before
    bool suspended;        //  By PB_AUTH
    bool proven;           //  It took something since the start
    bool dirty;            //  Progress changed since it was noted
    bool pumping, again;
    uint64_t pump_timer, progress_timer;
    delivery_counts_t counts;
};

static void s_pump (delivery_t *self);

//  ---------------------------------------------------------------- progress

static void
s_note_progress (void *arg)
{
    delivery_t *self = arg;
    self->progress_timer = 0;
    if (!self->dirty)
        return;
    uint64_t owed[WINDOW];
    for (size_t i = 0; i < self->count; i++)
        owed[i] = self->window[i].seq;
    buffer_t json = {0};
    delivery_write_progress (&json, self->instance, self->from, owed, self->count);
    if (journal_note (self->options.journal, JOURNAL_PROGRESS, json.data, json.size,
                      NULL))
        self->dirty = false;
    journal_flush (self->options.journal);
    buffer_free (&json);
}

static void
s_changed (delivery_t *self)
{
    self->dirty = true;
    if (!self->progress_timer)
        self->progress_timer =
            timers_after (self->options.timers, PROGRESS_MS, s_note_progress, self);
}

//  ---------------------------------------------------------------- the window

static void
s_remove (delivery_t *self, size_t at)
{
    if (self->window[at].flying)
        self->flying--;
    self->count--;
    memmove (&self->window[at], &self->window[at + 1],
             (self->count - at) * sizeof self->window[0]);
    s_changed (self);
}

static owed_t *
s_find (delivery_t *self, uint64_t seq)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->window[i].seq == seq)
            return &self->window[i];
    return NULL;
}

static const char behind[] = "behind"; //  Code of what waits for one set aside

static void
s_set_aside (delivery_t *self, const event_t *event, uint64_t seq, const char *code,
             const char *sentence)
{
    char key[VISIT_KEY], alarm[80], text[700];
    buffer_t json = {0};
    delivery_visit_key (event, key);
    delivery_write_aside (&json, self->instance, event, seq, code, sentence);
    journal_note (self->options.journal, JOURNAL_ASIDE, json.data, json.size, NULL);
    buffer_free (&json);
    memory_set_aside (self->memory, key, seq);
    self->counts.aside++;
    snprintf (text, sizeof text, _ ("%.*s %s (event %" PRIu64 ") was set aside: %s"),
              SPAN_ARG (event->type), key, seq, sentence ? sentence : "");
    snprintf (alarm, sizeof alarm, "delivery.aside.%s", self->instance);
    //  One alarm a visit: what only waits behind the first is logged.
    if (streq (code, behind))
        log_warning (alarm, "%s", text);
    else
        bus_notice (self->options.bus, NULL, alarm, text);
}

//  Behind one that was set aside, in the same visit?
static bool
s_is_behind (delivery_t *self, const event_t *event, uint64_t seq)
{
    char key[VISIT_KEY], sentence[120];
    delivery_visit_key (event, key);
    uint64_t *first = key[0] ? zhashx_lookup (self->memory->aside, key) : NULL;
    if (!first)
        return false;
    if (*first == seq)
        return true; //  It is the one, and stands in the journal already
    snprintf (sentence, sizeof sentence,
              _ ("waits behind event %" PRIu64 " of its visit"), *first);
    s_set_aside (self, event, seq, behind, sentence);
    return true;
}

//  Of some types only the newest counts: an older one that is not on its way is dropped.
static void
s_drop_older (delivery_t *self, uint64_t newest)
{
    for (size_t i = self->count; newest && i-- > 0;)
        if (self->window[i].newest == newest && !self->window[i].flying) {
            s_remove (self, i);
            self->counts.dropped++;
        }
}

static void
s_take (delivery_t *self, const event_t *event, uint64_t seq)
{
    char topic[EVENT_TOPIC_MAX];
    if (s_is_behind (self, event, seq))
        return;
    owed_t owed = {.seq = seq, .visit = event_visit_hash (event)};
    if (span_is (event->type, "space.changed") && !event_data_raw (event, "area").p) {
        size_t size = event_topic (event, topic);
        owed.newest = hash64 (topic, size, 0) | 1;
        s_drop_older (self, owed.newest);
    }
    self->window[self->count++] = owed;
}

//  Look at the events that came since.
static void
s_fill (delivery_t *self)
{
    uint64_t head = journal_head (self->options.journal);
    pb_error_t error = {0};
    if (self->from > head || self->count == WINDOW)
        return;
    if (!journal_seek (self->reader, self->from, &error)) {
        log_error (self->instance, "%s", error.message);
        return;
    }
    uint64_t start = self->from;
    journal_record_t record;
    for (size_t n = 0; n < LOOK_AHEAD && self->count < WINDOW; n++) {
        if (!journal_next (self->reader, &record, &error))
            break;
        if (self->options.takes (self->options.arg, &record.event))
            s_take (self, &record.event, record.seq);
        self->from = record.seq + 1;
    }
    if (self->from != start)
        s_changed (self);
    self->again = self->from <= head && self->count < WINDOW;
}

//  ---------------------------------------------------------------- carrying

static void
s_timer (void *arg)
{
    delivery_t *self = arg;
    self->pump_timer = 0;
    s_pump (self);
}

static void
s_wake_at (delivery_t *self, int64_t at_ms)
{
    timers_cancel (self->options.timers, self->pump_timer);
    self->pump_timer = timers_at (self->options.timers, at_ms, s_timer, self);
}

//  What must not overtake each other: events of a visit, and those of which only the
//  newest counts. 0: nothing.
static uint64_t
s_order (const owed_t *owed)
{
    return owed->visit ? owed->visit : owed->newest;
}

//  A small set of the orders met in one pass: the first of each may go.
typedef struct {
    uint64_t slots[WINDOW * 2];
} met_t;

static bool
s_meet (met_t *self, uint64_t order)
{
    size_t at = (size_t) (order % ARRAY_SIZE (self->slots));
    while (self->slots[at] && self->slots[at] != order)
        at = (at + 1) % ARRAY_SIZE (self->slots);
    bool first = !self->slots[at];
    self->slots[at] = order;
    return first;
}

static unsigned
s_limit (const delivery_t *self)
{
    unsigned most = self->options.in_flight ? self->options.in_flight : 8;
    return self->failures >= BREAKER_AT || self->suspended ? 1 : most;
}

//  What may go now: choose first, carry after, for carrying may end inside the call.
static size_t
s_choose (delivery_t *self, uint64_t chosen[64], int64_t *soonest)
{
    met_t met = {{0}};
    size_t n = 0;
    int64_t now = moment_monotonic_ms ();
    if (now < self->open_until_ms) {
        *soonest = self->open_until_ms;
        return 0;
    }
    for (size_t i = 0; i < self->count; i++) {
        owed_t *owed = &self->window[i];
        uint64_t order = s_order (owed);
        if (order && !s_meet (&met, order))
            continue; //  An earlier one is owed
        if (owed->flying)
            continue;
        if (owed->next_ms > now) {
            if (owed->next_ms < *soonest)
                *soonest = owed->next_ms;
            continue;
        }
        if (n == 64 || self->flying + n >= s_limit (self))
            break;
        chosen[n++] = owed->seq;
    }
    return n;
}

static void
s_pump (delivery_t *self)
{
    if (self->pumping) {
        self->again = true;
        return;
    }
    self->pumping = true;
    uint64_t chosen[64];
    int64_t soonest = INT64_MAX;
    self->again = false;
    s_fill (self);
    size_t n = s_choose (self, chosen, &soonest);
    for (size_t i = 0; i < n; i++) {
        owed_t *owed = s_find (self, chosen[i]);
        if (!owed)
            continue;
        owed->flying = true;
        self->flying++;
        self->options.carry (self->options.arg, chosen[i]);
    }
    self->pumping = false;
    if (self->again)
        s_wake_at (self, moment_monotonic_ms ());
    else if (soonest != INT64_MAX)
        s_wake_at (self, soonest);
}

void
delivery_wake (delivery_t *self)
{
    s_pump (self);
}

//  ---------------------------------------------------------------- what became of it

static int64_t
s_backoff_ms (unsigned tries, uint64_t retry_after_s)
{
    int64_t wait = RETRY_MOST_MS;
    if (tries < 8)
        wait = (int64_t) RETRY_FIRST_MS << (tries ? tries - 1 : 0);
    if (wait > RETRY_MOST_MS)
        wait = RETRY_MOST_MS;
    wait = wait / 2 + (int64_t) ((uint64_t) rand () % (uint64_t) (wait / 2 + 1));
    int64_t asked = retry_after_s < 86400 ? (int64_t) retry_after_s * 1000 : 86400000;
    return wait > asked ? wait : asked;
}

static void
s_healthy (delivery_t *self)
{
    //  The first success after a start counts too: the trouble may be older than we are.
    bool was = self->failures >= BREAKER_AT || self->suspended || !self->proven;
    self->proven = true;
    self->failures = 0;
    self->open_until_ms = 0;
    self->suspended = false;
    if (was)
        self->options.state (self->options.arg, NULL);
}

typedef struct {
    const char *code, *sentence;
    uint64_t retry_after_s;
} why_t;

static void
s_on_done (delivery_t *self, owed_t *owed, const why_t *why)
{
    (void) why;
    self->counts.done++;
    s_remove (self, (size_t) (owed - self->window));
    s_healthy (self);
}

static void
s_on_dup (delivery_t *self, owed_t *owed, const why_t *why)
{
    self->counts.duplicates++;
    s_on_done (self, owed, why);
}

static void
s_on_unsupported (delivery_t *self, owed_t *owed, const why_t *why)
{
    (void) why;
    self->counts.unsupported++;
    s_remove (self, (size_t) (owed - self->window));
}

//  A newer one came while this one was under way: this one need not go again.
static bool
s_is_outdated (const delivery_t *self, const owed_t *owed)
{
    for (const owed_t *next = owed + 1; next < self->window + self->count; next++)
        if (owed->newest && next->newest == owed->newest)
            return true;
    return false;
}

static void
s_on_retry (delivery_t *self, owed_t *owed, const why_t *why)
{
    self->counts.retries++;
    self->failures++;
    owed->tries++;
    owed->next_ms =
        moment_monotonic_ms () + s_backoff_ms (owed->tries, why->retry_after_s);
    if (s_is_outdated (self, owed)) {
        s_remove (self, (size_t) (owed - self->window));
        self->counts.dropped++;
    }
    if (self->suspended) { //  Only a success resumes
        self->open_until_ms = moment_monotonic_ms () + SUSPENDED_MS;
        return;
    }
    if (self->failures < BREAKER_AT)
        return;
    self->open_until_ms =
        moment_monotonic_ms ()
        + s_backoff_ms (self->failures - BREAKER_AT + 1, why->retry_after_s);
    if (self->failures == BREAKER_AT)
        self->options.state (self->options.arg, why->sentence);
}

//  Set aside, with everything of the visit that is owed after it.
static void
s_on_reject (delivery_t *self, owed_t *owed, const why_t *why)
{
    uint64_t seq = owed->seq, visit = owed->visit;
    journal_record_t record;
    s_remove (self, (size_t) (owed - self->window));
    if (journal_read (self->reader, seq, &record, NULL))
        s_set_aside (self, &record.event, seq, why->code, why->sentence);
    for (size_t i = 0; visit && i < self->count;) {
        owed_t *next = &self->window[i];
        if (next->visit == visit && !next->flying
            && journal_read (self->reader, next->seq, &record, NULL)
            && s_is_behind (self, &record.event, next->seq))
            s_remove (self, i);
        else
            i++;
    }
}

static void
s_on_bug (delivery_t *self, owed_t *owed, const why_t *why)
{
    if (++owed->bugs >= BUGS_MOST)
        s_on_reject (self, owed, why);
    else
        s_on_retry (self, owed, why);
}

static void
s_on_auth (delivery_t *self, owed_t *owed, const why_t *why)
{
    bool first = !self->suspended;
    self->suspended = true;
    self->open_until_ms = moment_monotonic_ms () + SUSPENDED_MS;
    owed->tries++;
    if (first)
        self->options.state (self->options.arg, why->sentence);
}

//  By result. What is not named here is a defect of the plugin.
static void (*const ends[PB_RESULTS]) (delivery_t *, owed_t *, const why_t *) = {
    [PB_OK] = s_on_done,
    [PB_DUP] = s_on_dup,
    [PB_RETRY] = s_on_retry,
    [PB_UNKNOWN] = s_on_retry,
    [PB_REJECT] = s_on_reject,
    [PB_AUTH] = s_on_auth,
    [PB_CONFIG] = s_on_auth,
    [PB_BADMSG] = s_on_retry,
    [PB_UNSUPPORTED] = s_on_unsupported,
    [PB_NOMEM] = s_on_retry,
    [PB_BUG] = s_on_bug,
};

void
delivery_done (delivery_t *self, uint64_t seq, pb_result_t result, const char *code,
               const char *sentence, uint64_t retry_after_s)
{
    owed_t *owed = s_find (self, seq);
    if (!owed)
        return;
    owed->flying = false;
    self->flying--;
    why_t why = {code, sentence, retry_after_s};
    if ((unsigned) result < PB_RESULTS && ends[result])
        ends[result](self, owed, &why);
    else
        s_on_bug (self, owed, &why);
    s_pump (self);
}

//  ---------------------------------------------------------------- making and ending

static void
s_first_time (delivery_t *self)
{
    buffer_t json = {0};
    self->from = journal_last_appended (self->options.journal) + 1;
    buffer_printf (&json, "{\"instance\":\"%s\",\"from\":%" PRIu64 "}", self->instance,
                   self->from);
    journal_note (self->options.journal, JOURNAL_INSTANCE, json.data, json.size, NULL);
    journal_flush (self->options.journal);
    buffer_free (&json);
}

//  What the last progress left open, by seq; each is looked at again, for the
//  configuration may have changed.
static void
s_restore (delivery_t *self)
{
    journal_record_t record;
    self->from = self->memory->from;
    self->counts.aside = self->memory->aside_count;
    for (size_t i = 0; i < self->memory->owed_count && self->count < WINDOW; i++)
        if (journal_read (self->reader, self->memory->owed[i], &record, NULL)
            && self->options.takes (self->options.arg, &record.event))
            s_take (self, &record.event, record.seq);
}

//  For the next time the instance is enabled; the journal says the same.
static void
s_keep (delivery_t *self)
{
    memory_t *memory = self->memory;
    free (memory->owed);
    memory->owed = xcalloc (self->count + 1, sizeof *memory->owed);
    memory->owed_count = self->count;
    for (size_t i = 0; i < self->count; i++)
        memory->owed[i] = self->window[i].seq;
    memory->from = self->from;
    memory->known = true;
}

delivery_t *
delivery_new (const delivery_options_t *options)
{
    delivery_t *self = xcalloc (1, sizeof *self);
    self->options = *options;
    self->instance = xstrdup (options->instance);
    self->memory = deliveries_of (options->memory, options->instance);
    self->reader = journal_reader_new (options->journal);
    if (self->memory->known)
        s_restore (self);
    else
        s_first_time (self);
    self->pump_timer = timers_after (options->timers, 0, s_timer, self);
    return self;
}

void
delivery_destroy (delivery_t **self_p)
{
    delivery_t *self = *self_p;
    if (!self)
        return;
    s_note_progress (self);
    s_keep (self);
    timers_cancel (self->options.timers, self->pump_timer);
    timers_cancel (self->options.timers, self->progress_timer);
    journal_reader_destroy (&self->reader);
    free (self->instance);
    free (self);
    *self_p = NULL;
}

delivery_counts_t
delivery_counts (const delivery_t *self)
{
    delivery_counts_t counts = self->counts;
    uint64_t head = journal_head (self->options.journal);
    counts.owed = self->count;
    counts.behind = head >= self->from ? head + 1 - self->from : 0;
    return counts;
}
