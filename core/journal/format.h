//  journal/format.h - the bytes on disk, as docs/journal.md tells them. All little-endian.

#ifndef PARKBUS_JOURNAL_FORMAT_H
#define PARKBUS_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/journal.h"

#define FORMAT_VERSION 1
#define SEGMENT_HEAD 64 //  Bytes before the first record
#define RECORD_HEAD 32
#define EVENT_HEAD 64                  //  Of an EVENT's payload, before its JSON
#define COMMIT_SIZE (RECORD_HEAD + 16) //  A whole COMMIT record
#define SEAL_SIZE (RECORD_HEAD + 16)
#define SEGMENT_TAIL (COMMIT_SIZE + SEAL_SIZE) //  Kept free at a segment's end
#define SEGMENT_MIN 4096
#define SEGMENT_MAX (UINT64_C (1) << 31)
//  A group longer than this is split, so that recovery needs no more memory than that.
#define GROUP_MAX (4u << 20)
#define PAYLOAD_MAX (16u << 20)

#define POSITION(number, offset) ((uint64_t) (number) << 32 | (offset))
#define POSITION_NUMBER(position) ((uint32_t) ((position) >> 32))
#define POSITION_OFFSET(position) ((uint32_t) (position))

typedef struct {
    uint32_t version;
    uint32_t number;
    uint64_t first_seq; //  Of the first event it can hold
    int64_t created_ms;
    uint64_t capacity; //  No byte is written beyond
    uint64_t salt;     //  Random; goes into every checksum of the segment
} segment_head_t;

typedef enum { HEAD_OK, HEAD_BAD, HEAD_NEWER } head_state_t;

void segment_head_put (uint8_t to[SEGMENT_HEAD], const segment_head_t *head);
head_state_t segment_head_get (const uint8_t from[SEGMENT_HEAD], segment_head_t *head);

typedef struct {
    uint32_t size; //  Of the payload
    uint8_t kind;
    uint16_t head; //  Of an EVENT's payload: bytes before the JSON
    uint64_t seq;
    int64_t recorded_ms;
} record_head_t;

//  Bytes that a record with this payload takes.
static inline uint64_t
record_span (uint64_t payload)
{
    return (RECORD_HEAD + payload + 7) & ~UINT64_C (7);
}

//  The checksum stays open until record_sum_put.
void record_head_put (uint8_t *to, const record_head_t *head);
//  False: this is no record's beginning. Does not read the checksum.
bool record_head_get (const uint8_t *from, record_head_t *head);
//  A record's checksum covers its place too, so that bytes moved or quoted are no record.
void record_sum_put (uint8_t *record, uint64_t salt, uint64_t offset);
bool record_sum_is (const uint8_t *record, uint64_t salt, uint64_t offset);

//  COMMIT and SEAL carry two numbers.
//  COMMIT: offset where its group starts, records in it. SEAL: first seq of the next
//  segment, number of the next segment.
void pair_put (uint8_t *payload, uint64_t first, uint64_t second);
void pair_get (const uint8_t *payload, uint64_t *first, uint64_t *second);

//  False when its envelope does not fit the head's fields.
bool event_head_put (uint8_t *payload, const event_t *event, uint64_t prev,
                     uint64_t visit_prev);
//  Fill *record from the bytes of a record, which must live as long. False: the payload of
//  an EVENT points outside itself.
bool record_get (const uint8_t *bytes, uint64_t position, journal_record_t *record);

#endif
