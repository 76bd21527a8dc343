//  ledger.c - the small folds that live in memory: bindings, lanes, spaces.

#include "ledger/inside.h"

#include <stdlib.h>
#include <string.h>

#define UNBOUND_MOST 100000 //  Bindings that were removed and are still remembered

//  What a bind.added said. Without a binding id any other one counts as the same. One
//  that was removed is kept a while, for the seq that says how new that is.
typedef struct {
    bool bound;
    uint64_t seq;      //  Of its newest event
    int64_t limit_fen; //  0: not known
    char binding[65];
} binding_t;

static void
s_free (void **item_p)
{
    free (*item_p);
    *item_p = NULL;
}

ledger_t *
ledger_new (void)
{
    ledger_t *self = xcalloc (1, sizeof *self);
    zhashx_t **tables[] = {&self->bindings, &self->lanes, &self->spaces};
    for (size_t i = 0; i < ARRAY_SIZE (tables); i++) {
        *tables[i] = zhashx_new ();
        zhashx_set_destructor (*tables[i], s_free);
    }
    return self;
}

void
ledger_destroy (ledger_t **self_p)
{
    if (!*self_p)
        return;
    zhashx_destroy (&(*self_p)->bindings);
    zhashx_destroy (&(*self_p)->lanes);
    zhashx_destroy (&(*self_p)->spaces);
    journal_reader_destroy (&(*self_p)->reader);
    free (*self_p);
    *self_p = NULL;
}

void
ledger_attach (ledger_t *self, journal_t *journal)
{
    self->journal = journal;
    self->reader = journal_reader_new (journal);
}

//  ---------------------------------------------------------------- bindings

//  One binding a plate in a lot, a visit, or a person; of each instance.
static void
s_binding_key (const event_t *event, char *key, size_t room)
{
    char scope[16], who[160] = "", canon[PB_PLATE_MAX + 1];
    if (!event_data_text (event, "scope", scope, sizeof scope))
        snprintf (scope, sizeof scope, "plate");
    if (streq (scope, "person"))
        event_data_text (event, "person", who, sizeof who);
    else if (streq (scope, "visit"))
        span_copy (event->subject, who, sizeof who);
    else if (event_data_text (event, "plate", who, sizeof who)
             && plate_canonical (SPAN (who), canon))
        snprintf (who, sizeof who, "%s", canon);
    snprintf (key, room, "%.*s|%.*s|%s|%s", SPAN_ARG (event->source),
              SPAN_ARG (event->lot), scope, who);
}

static binding_t
s_binding (const event_t *event)
{
    binding_t binding = {0};
    event_data_int (event, "limit", &binding.limit_fen);
    event_data_text (event, "binding", binding.binding, sizeof binding.binding);
    return binding;
}

bool
ledger_binding_changes (ledger_t *self, const event_t *event)
{
    char key[320];
    s_binding_key (event, key, sizeof key);
    binding_t *known = zhashx_lookup (self->bindings, key);
    bool bound = known && known->bound;
    if (span_is (event->type, "bind.removed"))
        return bound;
    if (!bound)
        return true;
    binding_t said = s_binding (event);
    bool same_id =
        !known->binding[0] || !said.binding[0] || streq (known->binding, said.binding);
    return known->limit_fen != said.limit_fen || !same_id;
}

uint64_t
ledger_binding_seq (ledger_t *self, const event_t *event)
{
    char key[320];
    s_binding_key (event, key, sizeof key);
    binding_t *known = zhashx_lookup (self->bindings, key);
    return known ? known->seq : 0;
}

static void
s_keep (ledger_t *self, const event_t *event, uint64_t seq, bool bound)
{
    char key[320];
    s_binding_key (event, key, sizeof key);
    binding_t *binding = xmalloc (sizeof *binding);
    *binding = s_binding (event);
    binding->seq = seq;
    binding->bound = bound;
    zhashx_update (self->bindings, key, binding);
}

static void
s_bind (ledger_t *self, const event_t *event, uint64_t seq)
{
    s_keep (self, event, seq, true);
}

//  The removed ones only guard against answers that are minutes old.
static void
s_forget_unbound (ledger_t *self)
{
    zlistx_t *keys = zhashx_keys (self->bindings);
    for (char *key = zlistx_first (keys); key; key = zlistx_next (keys)) {
        binding_t *binding = zhashx_lookup (self->bindings, key);
        if (binding && !binding->bound)
            zhashx_delete (self->bindings, key);
    }
    zlistx_destroy (&keys);
    self->unbound = 0;
}

static void
s_unbind (ledger_t *self, const event_t *event, uint64_t seq)
{
    s_keep (self, event, seq, false);
    if (++self->unbound > UNBOUND_MOST)
        s_forget_unbound (self);
}

//  ---------------------------------------------------------------- lanes, spaces

static void
s_lane_key (span_t lot, span_t lane, char key[80])
{
    snprintf (key, 80, "%.*s/%.*s", SPAN_ARG (lot), SPAN_ARG (lane));
}

static void
s_lane_waiting (ledger_t *self, const event_t *event, uint64_t seq)
{
    char key[80];
    s_lane_key (event->lot, event->lane, key);
    uint64_t *at = xmalloc (sizeof *at);
    *at = seq;
    zhashx_update (self->lanes, key, at);
}

static void
s_lane_cleared (ledger_t *self, const event_t *event, uint64_t seq)
{
    (void) seq;
    char key[80];
    s_lane_key (event->lot, event->lane, key);
    zhashx_delete (self->lanes, key);
}

bool
ledger_at_lane (ledger_t *self, span_t lot, span_t lane, char visit[49],
                char plate[PB_PLATE_MAX + 1])
{
    char key[80];
    journal_record_t record;
    visit[0] = plate[0] = 0;
    s_lane_key (lot, lane, key);
    uint64_t *seq = zhashx_lookup (self->lanes, key);
    if (!seq || !journal_read (self->reader, *seq, &record, NULL))
        return false;
    span_copy (record.event.subject, visit, 49);
    event_data_text (&record.event, "plate", plate, PB_PLATE_MAX + 1);
    return true;
}

static void
s_spaces (ledger_t *self, const event_t *event, uint64_t seq)
{
    (void) seq;
    int64_t free_spaces;
    char lot[33];
    //  An area's figure is not the lot's.
    if (event_data_raw (event, "area").p || !span_copy (event->lot, lot, sizeof lot)
        || !event_data_int (event, "free", &free_spaces))
        return;
    int64_t *kept = xmalloc (sizeof *kept);
    *kept = free_spaces;
    zhashx_update (self->spaces, lot, kept);
}

int64_t
ledger_spaces_free (ledger_t *self, span_t lot)
{
    char name[33];
    int64_t *kept =
        span_copy (lot, name, sizeof name) ? zhashx_lookup (self->spaces, name) : NULL;
    return kept ? *kept : -1;
}

//  ---------------------------------------------------------------- the fold

static const struct {
    const char *type;
    void (*fold) (ledger_t *self, const event_t *event, uint64_t seq);
} folds[] = {
    {"bind.added",    s_bind        },
    {"bind.removed",  s_unbind      },
    {"lane.waiting",  s_lane_waiting},
    {"lane.cleared",  s_lane_cleared},
    {"space.changed", s_spaces      },
};

void
ledger_fold (ledger_t *self, const event_t *event, uint64_t seq)
{
    for (size_t i = 0; i < ARRAY_SIZE (folds); i++)
        if (span_is (event->type, folds[i].type)) {
            folds[i].fold (self, event, seq);
            return;
        }
}
