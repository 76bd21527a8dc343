//  scan.c - walk one segment file record by record and judge what is found.

#include "journal/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "journal/disk.h"

#define CHUNK (1u << 20) //  Read at once

//  Bytes [at, at + size) of the file; NULL: it ends before, or self->error. What lies
//  before `keep` is forgotten.
static const uint8_t *
s_need (scan_t *self, uint64_t keep, uint64_t at, size_t size)
{
    uint64_t want = at + size;
    if (want <= self->from + self->have)
        return self->bytes + (at - self->from);
    //  Only now: moving what is kept costs, so it is done once a chunk.
    if (keep > self->from) {
        size_t gone = (size_t) (keep - self->from);
        gone = gone < self->have ? gone : self->have;
        memmove (self->bytes, self->bytes + gone, self->have - gone);
        self->have -= gone;
        self->from += gone;
    }
    while (want > self->from + self->have) {
        if (self->room - self->have < CHUNK) {
            self->room = self->have + CHUNK + self->have / 2;
            self->bytes = xrealloc (self->bytes, self->room);
        }
        long count = disk_read (self->disk, self->fd, self->bytes + self->have, CHUNK,
                                self->from + self->have);
        if (count < 0)
            self->error = errno;
        if (count <= 0)
            return NULL;
        self->have += (size_t) count;
    }
    return self->bytes + (at - self->from);
}

//  Is there a COMMIT of a group that began after `after`? A group is written only when the
//  one before it is synced, so all before such a group was promised.
static bool
s_later_commit (scan_t *self, uint64_t after)
{
    for (uint64_t at = after & ~UINT64_C (7); at + COMMIT_SIZE <= self->head.capacity;
         at += 8) {
        const uint8_t *bytes = s_need (self, at, at, COMMIT_SIZE);
        if (!bytes)
            return false;
        record_head_t head;
        uint64_t start, count;
        if (!record_head_get (bytes, &head) || head.kind != JOURNAL_COMMIT
            || head.size != COMMIT_SIZE - RECORD_HEAD
            || !record_sum_is (bytes, self->head.salt, at))
            continue;
        pair_get (bytes + RECORD_HEAD, &start, &count);
        if (start > after)
            return true;
    }
    return false;
}

//  Bytes from `at` to the last that is not zero.
static uint64_t
s_rest (scan_t *self, uint64_t at)
{
    uint64_t last = at;
    for (uint64_t next = at; s_need (self, next, next, 1);) {
        uint64_t end = self->from + self->have;
        const uint8_t *bytes = self->bytes + (next - self->from);
        for (uint64_t index = end - next; index; index--)
            if (bytes[index - 1]) {
                last = next + index;
                break;
            }
        next = end;
    }
    return last - at;
}

//  The record at an offset, sound in itself and where it stands; NULL: it is not.
static const uint8_t *
s_record (scan_t *self, uint64_t at, record_head_t *head)
{
    if (at + RECORD_HEAD > self->head.capacity)
        return NULL;
    const uint8_t *bytes = s_need (self, self->end, at, RECORD_HEAD);
    if (!bytes || !record_head_get (bytes, head)
        || at + record_span (head->size) > self->head.capacity)
        return NULL;
    bytes = s_need (self, self->end, at, (size_t) record_span (head->size));
    if (!bytes || !record_sum_is (bytes, self->head.salt, at))
        return NULL;
    for (uint64_t pad = RECORD_HEAD + head->size; pad < record_span (head->size); pad++)
        if (bytes[pad])
            return NULL;
    bool event = head->kind == JOURNAL_EVENT;
    if (head->seq != self->seq + event)
        return NULL;
    journal_record_t record;
    return !event || record_get (bytes, 0, &record) ? bytes : NULL;
}

static bool
s_commit (scan_t *self, const uint8_t *bytes, const record_head_t *head, uint64_t at)
{
    uint64_t start, count;
    if (head->size != COMMIT_SIZE - RECORD_HEAD)
        return false;
    pair_get (bytes + RECORD_HEAD, &start, &count);
    if (start != self->end || count != self->group_count)
        return false;
    uint64_t next = at + COMMIT_SIZE;
    if (self->group)
        self->group (self->arg, self->bytes + (start - self->from), start,
                     (size_t) (next - start));
    self->last = start;
    self->end = next;
    self->group_count = 0;
    return true;
}

static bool
s_seal (scan_t *self, const uint8_t *bytes, const record_head_t *head, uint64_t at)
{
    uint64_t first, number;
    if (head->size != SEAL_SIZE - RECORD_HEAD || at != self->end)
        return false;
    pair_get (bytes + RECORD_HEAD, &first, &number);
    if (first != self->seq + 1 || number != (uint64_t) self->head.number + 1)
        return false;
    if (self->group)
        self->group (self->arg, bytes, at, SEAL_SIZE);
    self->last = self->last ? self->last : at;
    self->end = at + SEAL_SIZE;
    self->sealed_seq = first;
    return true;
}

//  Walk to the first record that is not sound, or over the SEAL.
static bool
s_walk (scan_t *self, uint64_t *at)
{
    uint64_t promised = self->seq;
    for (;;) {
        record_head_t head;
        const uint8_t *bytes = s_record (self, *at, &head);
        bool sound = bytes != NULL;
        if (sound && head.kind == JOURNAL_COMMIT)
            sound = s_commit (self, bytes, &head, *at);
        else if (sound && head.kind == JOURNAL_SEAL) {
            if (s_seal (self, bytes, &head, *at))
                return true;
            sound = false;
        } else if (sound)
            self->group_count++;
        if (!sound) {
            self->seq = promised;
            return false;
        }
        self->seq = head.seq;
        if (head.kind == JOURNAL_COMMIT)
            promised = head.seq;
        *at += record_span (head.size);
    }
}

static scan_state_t
s_head (scan_t *self)
{
    const uint8_t *bytes = s_need (self, 0, 0, SEGMENT_HEAD);
    if (self->error)
        return SCAN_ERROR;
    head_state_t state = bytes ? segment_head_get (bytes, &self->head) : HEAD_BAD;
    if (state == HEAD_OK)
        return SCAN_CLEAN;
    if (state == HEAD_NEWER) {
        self->version = self->head.version;
        return SCAN_NEWER;
    }
    //  The head is synced before anything is written behind it.
    self->bad = 0;
    return bytes && s_rest (self, SEGMENT_HEAD) ? SCAN_DAMAGED : SCAN_HEADLESS;
}

static scan_state_t
s_tail (scan_t *self, uint64_t at)
{
    uint64_t end = self->end;
    self->tail = s_rest (self, end);
    self->bad = at;
    if (self->error)
        return SCAN_ERROR;
    if (!self->tail)
        return SCAN_CLEAN;
    //  A segment being written by a daemon moves on while it is read: look anew, and what
    //  was half there before is whole now.
    self->have = 0;
    self->from = at;
    if (!s_later_commit (self, at))
        return self->error ? SCAN_ERROR : SCAN_TORN;
    return SCAN_DAMAGED;
}

scan_state_t
scan_segment (scan_t *self)
{
    self->have = 0;
    self->from = 0;
    self->group_count = 0;
    self->error = 0;
    self->tail = 0;
    self->last = 0;
    self->fd = self->disk->open (self->disk->arg, self->path, O_RDONLY, 0);
    if (self->fd < 0) {
        self->error = errno;
        return SCAN_ERROR;
    }
    scan_state_t state = s_head (self);
    if (state != SCAN_CLEAN)
        return state;
    if (self->head.first_seq != self->seq + 1) {
        self->bad = 0;
        return SCAN_DAMAGED;
    }
    self->end = SEGMENT_HEAD;
    for (uint64_t at = SEGMENT_HEAD, last_bad = 0;; last_bad = at, at = self->end) {
        if (s_walk (self, &at))
            return SCAN_SEALED;
        state = self->error ? SCAN_ERROR : s_tail (self, at);
        if (state != SCAN_DAMAGED || at == last_bad)
            return state;
        //  Once more from the last whole group on: damage is what stays where it was.
        self->have = 0;
        self->from = self->end;
        self->group_count = 0;
    }
}

void
scan_close (scan_t *self)
{
    if (self->fd >= 0 && self->disk)
        self->disk->close (self->disk->arg, self->fd);
    self->fd = -1;
}

void
scan_free (scan_t *self)
{
    free (self->bytes);
    self->bytes = NULL;
    self->room = self->have = 0;
}
