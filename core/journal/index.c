//  index.c - what is known of events by id, visit and topic; candidates are looked at.

#include "journal/impl.h"

#include <string.h>

void
event_keys (event_keys_t *keys, const event_t *event)
{
    keys->key = event_key_hash (event);
    keys->visit = event_visit_hash (event);
    keys->topic_span = (span_t){keys->topic, event_topic (event, keys->topic)};
}

//  ------------------------------------------------------------------ recent visits

static recent_t *
s_recent (const journal_t *self, uint64_t hash)
{
    return self->recent + (hash ^ hash >> 32) % RECENT;
}

static bool
s_recent_is (const recent_t *recent, span_t lot, span_t visit)
{
    return recent->seq && recent->lot_size == lot.n && recent->visit_size == visit.n
           && (!lot.n || memcmp (recent->text, lot.p, lot.n) == 0)
           && memcmp (recent->text + lot.n, visit.p, visit.n) == 0;
}

static void
s_recent_put (recent_t *recent, uint64_t seq, span_t lot, span_t visit)
{
    if (lot.n + visit.n > sizeof recent->text)
        return;
    recent->seq = seq;
    recent->lot_size = (uint8_t) lot.n;
    recent->visit_size = (uint8_t) visit.n;
    if (lot.n)
        memcpy (recent->text, lot.p, lot.n);
    memcpy (recent->text + lot.n, visit.p, visit.n);
}

//  ------------------------------------------------------------------ noting

void
index_event (journal_t *self, const event_keys_t *keys, const journal_record_t *record)
{
    segment_mark (segments_last (&self->segments), record->seq,
                  POSITION_OFFSET (record->position));
    window_add (self->ids, keys->key, record->seq);
    const event_t *event = &record->event;
    if (event->subject.p)
        window_renew (self->visits, keys->visit, record->visit_prev, record->seq);
    if (event->subject.p && self->writer)
        s_recent_put (s_recent (self, keys->visit), record->seq, event->lot,
                      event->subject);
    uint64_t *place = topics_place (self->topics, keys->topic_span);
    if (place)
        *place = record->seq;
}

//  ------------------------------------------------------------------ looking

typedef struct {
    journal_t *journal;
    span_t first, second; //  source and id, or lot and visit
    span_t (*first_of) (const event_t *event);
    span_t (*second_of) (const event_t *event);
    uint64_t content_hash; //  Of the one that was found
    pb_error_t *error;
    bool unreadable;
} candidate_t;

static span_t
s_source (const event_t *event)
{
    return event->source;
}

static span_t
s_id (const event_t *event)
{
    return event->id;
}

static span_t
s_lot (const event_t *event)
{
    return event->lot;
}

static span_t
s_visit (const event_t *event)
{
    return event->subject;
}

static bool
s_same (span_t a, span_t b)
{
    return a.n == b.n && (!a.n || memcmp (a.p, b.p, a.n) == 0);
}

static bool
s_is (void *arg, uint64_t seq)
{
    candidate_t *self = arg;
    if (self->unreadable || seq < journal_first (self->journal))
        return false;
    journal_record_t record;
    if (!journal_read (self->journal->reader, seq, &record, self->error)) {
        self->unreadable = true;
        return false;
    }
    if (!s_same (self->first_of (&record.event), self->first)
        || !s_same (self->second_of (&record.event), self->second))
        return false;
    self->content_hash = record.event.content_hash;
    return true;
}

bool
index_same (journal_t *self, const event_keys_t *keys, const event_t *event,
            uint64_t *seq, bool *equal, pb_error_t *error)
{
    candidate_t candidate = {.journal = self,
                             .first = event->source,
                             .second = event->id,
                             .first_of = s_source,
                             .second_of = s_id,
                             .error = error};
    *seq = window_find (self->ids, keys->key, s_is, &candidate);
    *equal = *seq && candidate.content_hash == event->content_hash;
    return !candidate.unreadable;
}

bool
index_visit (journal_t *self, uint64_t hash, span_t lot, span_t visit, uint64_t *seq,
             pb_error_t *error)
{
    const recent_t *recent = s_recent (self, hash);
    if (s_recent_is (recent, lot, visit)) {
        *seq = recent->seq;
        return true;
    }
    candidate_t candidate = {.journal = self,
                             .first = lot,
                             .second = visit,
                             .first_of = s_lot,
                             .second_of = s_visit,
                             .error = error};
    *seq = window_find (self->visits, hash, s_is, &candidate);
    return !candidate.unreadable;
}

uint64_t
journal_visit_seq (const journal_t *self, span_t lot, span_t visit)
{
    uint64_t seq = 0;
    event_t key = {.lot = lot, .subject = visit};
    //  Looking at candidates moves the room's own reader and nothing else.
    index_visit ((journal_t *) self, event_visit_hash (&key), lot, visit, &seq, NULL);
    return seq;
}
