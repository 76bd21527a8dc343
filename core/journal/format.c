//  format.c - the bytes on disk: heads of segments, records and events, put and got.

#include "journal/format.h"

#include <endian.h>
#include <string.h>
#include "journal/crc32c.h"

#define MAGIC "PARKBUSJ"
#define RECORD_MAGIC UINT32_C (0x524a4250) //  "PBJR"

static void
s_put16 (uint8_t *to, uint16_t value)
{
    value = htole16 (value);
    memcpy (to, &value, sizeof value);
}

static void
s_put32 (uint8_t *to, uint32_t value)
{
    value = htole32 (value);
    memcpy (to, &value, sizeof value);
}

static void
s_put64 (uint8_t *to, uint64_t value)
{
    value = htole64 (value);
    memcpy (to, &value, sizeof value);
}

static uint16_t
s_get16 (const uint8_t *from)
{
    uint16_t value;
    memcpy (&value, from, sizeof value);
    return le16toh (value);
}

static uint32_t
s_get32 (const uint8_t *from)
{
    uint32_t value;
    memcpy (&value, from, sizeof value);
    return le32toh (value);
}

static uint64_t
s_get64 (const uint8_t *from)
{
    uint64_t value;
    memcpy (&value, from, sizeof value);
    return le64toh (value);
}

//  ------------------------------------------------------------------ segments

void
segment_head_put (uint8_t to[SEGMENT_HEAD], const segment_head_t *head)
{
    memset (to, 0, SEGMENT_HEAD);
    memcpy (to, MAGIC, 8);
    s_put32 (to + 8, FORMAT_VERSION);
    s_put32 (to + 12, SEGMENT_HEAD);
    s_put64 (to + 16, head->number);
    s_put64 (to + 24, head->first_seq);
    s_put64 (to + 32, (uint64_t) head->created_ms);
    s_put64 (to + 40, head->capacity);
    s_put64 (to + 48, head->salt);
    s_put32 (to + 60, crc32c (0, to, 60));
}

head_state_t
segment_head_get (const uint8_t from[SEGMENT_HEAD], segment_head_t *head)
{
    if (memcmp (from, MAGIC, 8) != 0)
        return HEAD_BAD;
    //  Before the checksum: a newer format may keep that elsewhere.
    head->version = s_get32 (from + 8);
    if (head->version > FORMAT_VERSION)
        return HEAD_NEWER;
    uint64_t number = s_get64 (from + 16);
    head->number = (uint32_t) number;
    head->first_seq = s_get64 (from + 24);
    head->created_ms = (int64_t) s_get64 (from + 32);
    head->capacity = s_get64 (from + 40);
    head->salt = s_get64 (from + 48);
    bool sound = s_get32 (from + 60) == crc32c (0, from, 60) && head->version > 0
                 && s_get32 (from + 12) == SEGMENT_HEAD && number > 0
                 && number <= UINT32_MAX && head->first_seq > 0
                 && head->capacity >= SEGMENT_MIN && head->capacity <= SEGMENT_MAX;
    return sound ? HEAD_OK : HEAD_BAD;
}

//  ------------------------------------------------------------------ records

void
record_head_put (uint8_t *to, const record_head_t *head)
{
    s_put32 (to, RECORD_MAGIC);
    s_put32 (to + 4, 0);
    s_put32 (to + 8, head->size);
    to[12] = head->kind;
    to[13] = 0; //  Flags: none yet
    s_put16 (to + 14, head->head);
    s_put64 (to + 16, head->seq);
    s_put64 (to + 24, (uint64_t) head->recorded_ms);
}

bool
record_head_get (const uint8_t *from, record_head_t *head)
{
    if (s_get32 (from) != RECORD_MAGIC)
        return false;
    head->size = s_get32 (from + 8);
    head->kind = from[12];
    head->head = s_get16 (from + 14);
    head->seq = s_get64 (from + 16);
    head->recorded_ms = (int64_t) s_get64 (from + 24);
    return head->size <= PAYLOAD_MAX && head->kind != 0;
}

static uint32_t
s_sum (const uint8_t *record, uint64_t salt, uint64_t offset)
{
    uint8_t place[16];
    s_put64 (place, salt);
    s_put64 (place + 8, offset);
    size_t size = s_get32 (record + 8);
    return crc32c (crc32c (0, place, sizeof place), record + 8, RECORD_HEAD - 8 + size);
}

void
record_sum_put (uint8_t *record, uint64_t salt, uint64_t offset)
{
    s_put32 (record + 4, s_sum (record, salt, offset));
}

bool
record_sum_is (const uint8_t *record, uint64_t salt, uint64_t offset)
{
    return s_get32 (record + 4) == s_sum (record, salt, offset);
}

void
pair_put (uint8_t *payload, uint64_t first, uint64_t second)
{
    s_put64 (payload, first);
    s_put64 (payload + 8, second);
}

void
pair_get (const uint8_t *payload, uint64_t *first, uint64_t *second)
{
    *first = s_get64 (payload);
    *second = s_get64 (payload + 8);
}

//  ------------------------------------------------------------------ events

enum { SPANS = 6 };

//  In the order of their fields in the head.
static void
s_spans (event_t *event, span_t *spans[SPANS])
{
    spans[0] = &event->id;
    spans[1] = &event->source;
    spans[2] = &event->type;
    spans[3] = &event->subject;
    spans[4] = &event->lot;
    spans[5] = &event->lane;
}

bool
event_head_put (uint8_t *payload, const event_t *event, uint64_t prev,
                uint64_t visit_prev)
{
    s_put64 (payload, prev);
    s_put64 (payload + 8, visit_prev);
    s_put64 (payload + 16, event->content_hash);
    s_put64 (payload + 24, (uint64_t) event->time_ms);
    event_t copy = *event;
    span_t *spans[SPANS];
    s_spans (&copy, spans);
    for (int index = 0; index < SPANS; index++) {
        //  No value begins at the opening brace: offset 0 is "absent".
        uint64_t offset =
            spans[index]->p ? (uint64_t) (spans[index]->p - event->json) : 0;
        uint64_t size = spans[index]->p ? spans[index]->n : 0;
        if (offset + size > event->size || offset > UINT16_MAX || size > UINT16_MAX)
            return false;
        s_put16 (payload + 32 + 4 * index, (uint16_t) offset);
        s_put16 (payload + 34 + 4 * index, (uint16_t) size);
    }
    s_put32 (payload + 56,
             event->data.p ? (uint32_t) (event->data.p - event->json) : 0);
    s_put32 (payload + 60, event->data.p ? (uint32_t) event->data.n : 0);
    return true;
}

static bool
s_event_get (const uint8_t *payload, uint32_t size, uint16_t head,
             journal_record_t *record)
{
    if (head < EVENT_HEAD || head > size)
        return false;
    event_t *event = &record->event;
    event->json = (const char *) payload + head;
    event->size = size - head;
    event->content_hash = s_get64 (payload + 16);
    event->time_ms = (int64_t) s_get64 (payload + 24);
    record->prev = s_get64 (payload);
    record->visit_prev = s_get64 (payload + 8);
    span_t *spans[SPANS];
    s_spans (event, spans);
    for (int index = 0; index < SPANS; index++) {
        uint32_t offset = s_get16 (payload + 32 + 4 * index);
        uint32_t length = s_get16 (payload + 34 + 4 * index);
        if (offset + length > event->size)
            return false;
        if (offset)
            *spans[index] = (span_t){event->json + offset, length};
    }
    uint64_t offset = s_get32 (payload + 56), length = s_get32 (payload + 60);
    if (offset + length > event->size)
        return false;
    if (offset)
        event->data = (span_t){event->json + offset, length};
    //  What every event has, and a topic that fits its buffer.
    if (!event->id.p || !event->source.p || !event->type.p
        || event->type.n + event->lot.n + 2 > EVENT_TOPIC_MAX)
        return false;
    event->is = event_type_find (event->type);
    return true;
}

bool
record_get (const uint8_t *bytes, uint64_t position, journal_record_t *record)
{
    record_head_t head;
    *record = (journal_record_t){.position = position};
    if (!record_head_get (bytes, &head))
        return false;
    record->kind = (journal_kind_t) head.kind;
    record->seq = head.seq;
    record->recorded_ms = head.recorded_ms;
    if (head.kind == JOURNAL_EVENT)
        return s_event_get (bytes + RECORD_HEAD, head.size, head.head, record);
    record->body = (const char *) bytes + RECORD_HEAD;
    record->size = head.size;
    return true;
}
