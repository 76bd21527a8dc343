//  append.c - records into the gathering group, groups to the writer, and back as durable.

#include "journal/impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "base/moment.h"

//  ------------------------------------------------------------------ groups

static void
s_pair (journal_t *self, journal_kind_t kind, uint64_t first, uint64_t second)
{
    record_head_t head = {.size = COMMIT_SIZE - RECORD_HEAD,
                          .kind = (uint8_t) kind,
                          .seq = self->last_seq,
                          .recorded_ms = moment_now_ms ()};
    pair_put (gather_record (self->gathering, &head), first, second);
    segments_last (&self->segments)->end += COMMIT_SIZE;
}

static void
s_group_open (journal_t *self)
{
    const segment_t *segment = segments_last (&self->segments);
    group_t group = {.id = ++self->last_group,
                     .offset = segment->end,
                     .fresh = self->fresh,
                     .last_seq = self->last_seq,
                     .segment = segment->head};
    gather_group (self->gathering, &group);
    self->fresh = false;
    self->group_open = true;
}

static void
s_group_close (journal_t *self)
{
    if (!self->group_open)
        return;
    group_t *group = gather_last (self->gathering);
    s_pair (self, JOURNAL_COMMIT, group->offset, group->records);
    self->group_open = false;
}

static void
s_rotate (journal_t *self)
{
    uint32_t number = segments_last (&self->segments)->head.number;
    s_group_close (self);
    //  The SEAL goes with the last group, when that is not with the writer yet.
    const group_t *group = gather_last (self->gathering);
    if (!group || group->segment.number != number) {
        s_group_open (self);
        self->group_open = false;
    }
    s_pair (self, JOURNAL_SEAL, self->last_seq + 1, (uint64_t) number + 1);
    segment_head_t head;
    segment_head_new (self, &head, number + 1);
    segments_add (&self->segments, &head);
    self->fresh = true;
}

//  Make sure that a group is open into whose segment `span` bytes fit.
static void
s_make_room (journal_t *self, uint64_t span)
{
    const segment_t *segment = segments_last (&self->segments);
    if (segment->end + span + SEGMENT_TAIL > segment->head.capacity)
        s_rotate (self);
    const group_t *group = gather_last (self->gathering);
    if (self->group_open && group->to - group->from + span > GROUP_MAX)
        s_group_close (self);
    if (!self->group_open)
        s_group_open (self);
}

//  May `records` with `span` bytes in all be appended?
static bool
s_may (const journal_t *self, unsigned records, uint64_t span, pb_error_t *error)
{
    const char *failed = journal_failed (self);
    if (failed)
        return pb_error (error, PB_E_STORAGE, "", "%s", failed);
    if (SEGMENT_HEAD + span + SEGMENT_TAIL > self->options.segment_bytes)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("%" PRIu64 " bytes do not fit a journal segment of %" PRIu64
                            " (journal.segment_mb)"),
                         span, self->options.segment_bytes);
    const gather_t *gathering = self->gathering;
    if (gathering->used
        && (gathering->used + span > self->options.gather_bytes
            || gathering->records + records > GATHER_RECORDS))
        return pb_error (error, PB_E_BUSY, "",
                         _ ("%zu bytes already wait for the disk: try again later"),
                         gathering->used);
    return true;
}

//  Puts the head and gives the place of the payload; the caller has asked s_may.
static uint8_t *
s_append (journal_t *self, const record_head_t *head)
{
    uint64_t span = record_span (head->size);
    s_make_room (self, span);
    segment_t *segment = segments_last (&self->segments);
    self->last_position = POSITION (segment->head.number, segment->end);
    segment->end += (uint32_t) span;
    segment->newest_ms = head->recorded_ms;
    group_t *group = gather_last (self->gathering);
    group->records++;
    group->last_seq = head->seq;
    self->gathering->records++;
    return gather_record (self->gathering, head);
}

//  ------------------------------------------------------------------ events

//  The group in which an event still waits; 0: it is durable.
static uint64_t
s_group_of (const journal_t *self, uint64_t seq)
{
    if (seq <= self->durable_seq)
        return 0;
    const group_t *group = gather_group_of (self->gathering, seq);
    if (!group && self->in_flight)
        group = gather_group_of (self->in_flight, seq);
    return group ? group->id : 0;
}

static bool
s_append_event (journal_t *self, const event_t *event, const event_keys_t *keys,
                journal_place_t *place, pb_error_t *error)
{
    uint64_t size = (uint64_t) EVENT_HEAD + event->size;
    uint64_t visit_prev = 0;
    uint8_t envelope[EVENT_HEAD];
    if (size > PAYLOAD_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("an event of %" PRIu32 " bytes"), event->size);
    if (!s_may (self, 1, record_span (size), error))
        return false;
    const uint64_t *newest = topics_place (self->topics, keys->topic_span);
    if (!newest)
        return pb_error (
            error, PB_E_BUSY, "type",
            _ ("there are %d topics already, which is all the journal keeps"),
            TOPICS_MAX);
    if (event->subject.p
        && !index_visit (self, keys->visit, event->lot, event->subject, &visit_prev,
                         error))
        return false;
    if (!event_head_put (envelope, event, *newest, visit_prev))
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("the envelope of event %.*s does not come before its data"),
                         SPAN_ARG (event->id));
    record_head_t head = {.size = (uint32_t) size,
                          .kind = JOURNAL_EVENT,
                          .head = EVENT_HEAD,
                          .seq = self->last_seq + 1,
                          .recorded_ms = moment_now_ms ()};
    uint8_t *payload = s_append (self, &head);
    memcpy (payload, envelope, EVENT_HEAD);
    memcpy (payload + EVENT_HEAD, event->json, event->size);
    self->last_seq = head.seq;
    journal_record_t record = {.seq = head.seq,
                               .position = self->last_position,
                               .event = *event,
                               .visit_prev = visit_prev};
    index_event (self, keys, &record);
    place->seq = head.seq;
    place->group = self->last_group;
    return true;
}

bool
journal_event (journal_t *self, const event_t *event, journal_place_t *place,
               pb_error_t *error)
{
    *place = (journal_place_t){0};
    const char *failed = journal_failed (self);
    if (failed)
        return pb_error (error, PB_E_STORAGE, "", "%s", failed);
    event_keys_t keys;
    event_keys (&keys, event);
    window_expect (self->ids, keys.key);
    if (event->subject.p)
        window_expect (self->visits, keys.visit);
    bool equal;
    if (!index_same (self, &keys, event, &place->seq, &equal, error))
        return false;
    if (!place->seq)
        return s_append_event (self, event, &keys, place, error);
    place->duplicate = equal;
    place->group = s_group_of (self, place->seq);
    if (equal)
        return true;
    return pb_error (error, PB_E_CONFLICT, "id",
                     _ ("event %.*s of %.*s is in the journal with another content, at "
                        "seq %" PRIu64 ": use a new id for a new event"),
                     SPAN_ARG (event->id), SPAN_ARG (event->source), place->seq);
}

uint64_t
journal_note (journal_t *self, journal_kind_t kind, const void *body, size_t size,
              pb_error_t *error)
{
    assert (kind > JOURNAL_SEAL && kind <= UINT8_MAX);
    if (size > PAYLOAD_MAX) {
        pb_error (error, PB_E_BAD_REQUEST, "",
                  _ ("a journal record of %zu bytes; at most %u are possible"), size,
                  PAYLOAD_MAX);
        return 0;
    }
    if (!s_may (self, 1, record_span (size), error))
        return 0;
    record_head_t head = {.size = (uint32_t) size,
                          .kind = (uint8_t) kind,
                          .seq = self->last_seq,
                          .recorded_ms = moment_now_ms ()};
    uint8_t *payload = s_append (self, &head);
    if (size)
        memcpy (payload, body, size);
    return self->last_group;
}

bool
journal_together (journal_t *self, unsigned records, size_t bytes, pb_error_t *error)
{
    uint64_t span = bytes + (uint64_t) records * (RECORD_HEAD + EVENT_HEAD + 8);
    if (span > GROUP_MAX)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("%" PRIu64 " bytes do not fit one group of %u"), span,
                         GROUP_MAX);
    if (!s_may (self, records, span, error))
        return false;
    s_make_room (self, span);
    return true;
}

//  ------------------------------------------------------------------ to the disk and back

void
journal_flush (journal_t *self)
{
    //  An open group without records is one that journal_together made room for.
    if (self->in_flight || !self->spares || !self->gathering->groups_count
        || journal_failed (self))
        return;
    s_group_close (self);
    self->in_flight = self->gathering;
    self->gathering = self->spare[--self->spares];
    writer_give (self->writer, self->in_flight);
}

//  Take over what the writer has done; true: it has done all of its gather.
static bool
s_take_over (journal_t *self, const gather_t *gather)
{
    uint64_t durable = writer_durable (self->writer);
    for (size_t index = 0; index < gather->groups_count; index++) {
        const group_t *group = gather->groups + index;
        if (group->id <= self->durable_group || group->id > durable)
            continue;
        self->durable_group = group->id;
        self->durable_seq = group->last_seq;
        self->durable_number = group->segment.number;
        self->durable_end = group->offset + (uint32_t) (group->to - group->from);
    }
    return gather_last (gather)->id <= durable;
}

static void
s_tell (journal_t *self, gather_t *gather)
{
    while (gather->delivered < gather->events_count) {
        uint64_t seq = gather->first_seq + gather->delivered, position;
        if (seq > self->durable_seq)
            return;
        gather->delivered++;
        journal_record_t record;
        const uint8_t *bytes = gather_event (gather, seq, &position);
        if (self->options.durable && record_get (bytes, position, &record))
            self->options.durable (self->options.arg, &record);
    }
}

void
journal_collect (journal_t *self)
{
    uint64_t count;
    gather_t *gather = self->in_flight;
    if (self->telling)
        return;
    if (read (self->event_fd, &count, sizeof count) < 0 && !gather)
        return;
    if (!gather)
        return;
    self->telling = true;
    bool finished = s_take_over (self, gather);
    if (finished) {
        //  The next group goes out before this one's events are told, so that the disk
        //  does not wait for them.
        self->in_flight = NULL;
        journal_flush (self);
    }
    s_tell (self, gather);
    if (finished) {
        gather_reset (gather);
        self->spare[self->spares++] = gather;
    }
    self->telling = false;
}

bool
journal_wait (journal_t *self)
{
    for (;;) {
        journal_flush (self);
        if (!self->in_flight && !self->gathering->groups_count)
            return true;
        bool failed = journal_failed (self) != NULL;
        struct pollfd wait = {.fd = self->event_fd, .events = POLLIN};
        if (!failed && poll (&wait, 1, -1) < 0 && errno != EINTR)
            return false;
        journal_collect (self);
        if (failed)
            return false;
    }
}

//  ------------------------------------------------------------------ asking

uint64_t
journal_barrier (const journal_t *self)
{
    return self->last_group > self->durable_group ? self->last_group : 0;
}

int
journal_fd (const journal_t *self)
{
    return self->event_fd;
}

uint64_t
journal_durable_group (const journal_t *self)
{
    return self->durable_group;
}

const char *
journal_failed (const journal_t *self)
{
    return writer_failed (self->writer);
}

uint64_t
journal_last_position (const journal_t *self)
{
    return self->last_position;
}

uint64_t
journal_last_appended (const journal_t *self)
{
    return self->last_seq;
}

uint64_t
journal_head (const journal_t *self)
{
    return self->durable_seq;
}

uint64_t
journal_first (const journal_t *self)
{
    return self->segments.count ? self->segments.list[0].head.first_seq : 1;
}

uint64_t
journal_tail_cut (const journal_t *self, const char **sentence)
{
    if (sentence)
        *sentence = self->tail_cut ? self->tail_sentence : NULL;
    return self->tail_cut;
}

uint64_t
journal_topic_seq (const journal_t *self, span_t topic)
{
    return topics_seq (self->topics, topic);
}

void
journal_topics (const journal_t *self,
                void (*visit) (void *arg, span_t topic, uint64_t seq), void *arg)
{
    topics_visit (self->topics, visit, arg);
}
