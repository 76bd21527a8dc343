//  reader.c - events by seq, in order or by position, from memory or from the disk.

#include "journal/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (128u << 10)     //  Read at once when going on
#define NEAR (2u * MARK_BYTES) //  Read at once after a jump

struct journal_reader {
    journal_t *journal;
    int fd;
    uint32_t number; //  Of the segment that is open; 0: none
    uint64_t salt;
    uint32_t limit; //  Durable end of that segment, as far as known
    uint8_t *bytes; //  Of the segment, from `from` on
    size_t room, have;
    uint32_t from;
    uint32_t at;       //  Next record
    uint64_t at_seq;   //  Of the next event at or behind `at`; 0: not known
    uint64_t next_seq; //  What journal_next gives
    bool jumped;       //  Since the last read of the disk
};

journal_reader_t *
journal_reader_new (journal_t *journal)
{
    journal_reader_t *self = xcalloc (1, sizeof *self);
    self->journal = journal;
    self->fd = -1;
    self->next_seq = 1;
    return self;
}

static void
s_close (journal_reader_t *self)
{
    const journal_disk_t *disk = &self->journal->disk;
    if (self->fd >= 0)
        disk->close (disk->arg, self->fd);
    self->fd = -1;
    self->number = 0;
    self->have = 0;
    self->at_seq = 0;
}

void
journal_reader_destroy (journal_reader_t **self_p)
{
    journal_reader_t *self = *self_p;
    if (!self)
        return;
    s_close (self);
    free (self->bytes);
    free (self);
    *self_p = NULL;
}

static bool
s_unreadable (journal_reader_t *self, pb_error_t *error)
{
    const segment_t *segment =
        segments_by_number (&self->journal->segments, self->number);
    char *path = segment_path (self->journal->options.dir, self->number,
                               segment ? segment->head.first_seq : 0);
    pb_error (error, PB_E_DAMAGED, "",
              _ ("journal segment %s cannot be read at offset %" PRIu32
                 ": look at it with `parkbus journal verify %s`"),
              path, self->at, self->journal->options.dir);
    free (path);
    s_close (self);
    return false;
}

static bool
s_open (journal_reader_t *self, const segment_t *segment, pb_error_t *error)
{
    journal_t *journal = self->journal;
    //  A segment that is written grows; one before it has its end.
    self->limit = segment->head.number == journal->durable_number ? journal->durable_end
                                                                  : segment->end;
    if (segment->head.number == self->number)
        return true;
    s_close (self);
    char *path = segment_path (journal->options.dir, segment->head.number,
                               segment->head.first_seq);
    self->fd = journal->disk.open (journal->disk.arg, path, O_RDONLY, 0);
    if (self->fd < 0)
        pb_error (error, PB_E_STORAGE, "", _ ("cannot read journal segment %s: %s"),
                  path, strerror (errno));
    free (path);
    if (self->fd < 0)
        return false;
    self->number = segment->head.number;
    self->salt = segment->head.salt;
    return true;
}

//  Bytes [at, at + size) of the open segment, which has as many; NULL: the disk fails.
static const uint8_t *
s_need (journal_reader_t *self, size_t size)
{
    uint64_t end = (uint64_t) self->from + self->have;
    if (self->at >= self->from && self->at + size <= end)
        return self->bytes + (self->at - self->from);
    size_t kept = 0;
    if (self->at >= self->from && self->at < end) {
        kept = (size_t) (end - self->at);
        memmove (self->bytes, self->bytes + (self->at - self->from), kept);
    }
    self->from = self->at;
    self->have = kept;
    size_t want = self->jumped ? NEAR : CHUNK;
    self->jumped = false;
    want = want > size ? want : size;
    want = want < self->limit - self->at ? want : self->limit - self->at;
    //  A large record's memory is given back when a small one follows.
    size_t room = want > CHUNK ? want : CHUNK;
    if (room > self->room || self->room > 8 * CHUNK) {
        self->bytes = xrealloc (self->bytes, room > kept ? room : kept);
        self->room = room > kept ? room : kept;
    }
    const journal_disk_t *disk = &self->journal->disk;
    long count = disk_read (disk, self->fd, self->bytes + kept, want - kept,
                            (uint64_t) self->at + kept);
    if (count < 0)
        return NULL;
    self->have += (size_t) count;
    return self->have >= size ? self->bytes : NULL;
}

//  Head of the record at `at`. False: unreadable.
static bool
s_head (journal_reader_t *self, record_head_t *head)
{
    if (self->limit - self->at < RECORD_HEAD)
        return false;
    const uint8_t *bytes = s_need (self, RECORD_HEAD);
    return bytes && record_head_get (bytes, head)
           && record_span (head->size) <= self->limit - self->at;
}

//  The whole record at `at`, checked; moves on behind it.
static bool
s_take (journal_reader_t *self, const record_head_t *head, journal_record_t *record)
{
    size_t span = (size_t) record_span (head->size);
    const uint8_t *bytes = s_need (self, span);
    if (!bytes || !record_sum_is (bytes, self->salt, self->at)
        || !record_get (bytes, POSITION (self->number, self->at), record))
        return false;
    self->at += (uint32_t) span;
    return true;
}

//  Stop at the next durable event; *found is false at the head.
static bool
s_next_event (journal_reader_t *self, record_head_t *head, bool *found,
              pb_error_t *error)
{
    const journal_t *journal = self->journal;
    *found = false;
    for (;;) {
        if (!s_open (self, segments_by_number (&journal->segments, self->number),
                     error))
            return false;
        while (self->at < self->limit) {
            if (!s_head (self, head))
                return s_unreadable (self, error);
            *found = head->kind == JOURNAL_EVENT;
            if (*found)
                return true;
            self->at += (uint32_t) record_span (head->size);
        }
        if (self->number == journal->durable_number)
            return true;
        uint64_t at_seq = self->at_seq;
        if (!s_open (self, segments_by_number (&journal->segments, self->number + 1),
                     error))
            return false;
        self->at_seq = at_seq;
        self->at = SEGMENT_HEAD;
    }
}

static bool
s_gone (const journal_t *journal, uint64_t seq, pb_error_t *error)
{
    return pb_error (error, PB_E_BAD_REQUEST, "",
                     _ ("event %" PRIu64 " is not in the journal, which holds %" PRIu64
                        " to %" PRIu64),
                     seq, journal_first (journal), journal_head (journal));
}

//  Stand at the durable event `seq`.
static bool
s_stand (journal_reader_t *self, uint64_t seq, record_head_t *head, pb_error_t *error)
{
    journal_t *journal = self->journal;
    const segment_t *segment = segments_by_seq (&journal->segments, seq);
    if (!segment)
        return s_gone (journal, seq, error);
    uint32_t near = segment_near (segment, seq);
    //  Going on from where it is may be shorter, and is in memory most likely.
    bool here = self->number == segment->head.number && self->at_seq
                && self->at_seq <= seq && self->at >= near;
    if (!s_open (self, segment, error))
        return false;
    if (!here) {
        self->at = near;
        self->jumped = true;
    }
    for (;;) {
        bool found;
        if (!s_next_event (self, head, &found, error))
            return false;
        if (!found || head->seq > seq)
            return s_unreadable (self, error);
        self->at_seq = head->seq;
        if (head->seq == seq)
            return true;
        self->at += (uint32_t) record_span (head->size);
        self->at_seq++;
    }
}

static bool
s_from_memory (const journal_t *journal, uint64_t seq, journal_record_t *record)
{
    const gather_t *gathers[] = {journal->gathering, journal->in_flight};
    for (size_t index = 0; index < ARRAY_SIZE (gathers); index++) {
        uint64_t position;
        const uint8_t *bytes =
            gathers[index] ? gather_event (gathers[index], seq, &position) : NULL;
        if (bytes)
            return record_get (bytes, position, record);
    }
    return false;
}

bool
journal_read (journal_reader_t *self, uint64_t seq, journal_record_t *record,
              pb_error_t *error)
{
    journal_t *journal = self->journal;
    if (seq > journal->durable_seq && s_from_memory (journal, seq, record))
        return true;
    if (seq > journal->durable_seq || seq < journal_first (journal))
        return s_gone (journal, seq, error);
    record_head_t head;
    if (!s_stand (self, seq, &head, error))
        return false;
    if (!s_take (self, &head, record))
        return s_unreadable (self, error);
    self->at_seq = seq + 1;
    return true;
}

bool
journal_seek (journal_reader_t *self, uint64_t seq, pb_error_t *error)
{
    (void) error; //  journal_next goes there
    self->next_seq = seq ? seq : 1;
    return true;
}

bool
journal_next (journal_reader_t *self, journal_record_t *record, pb_error_t *error)
{
    journal_t *journal = self->journal;
    uint64_t first = journal_first (journal);
    if (error)
        *error = (pb_error_t){0};
    if (self->next_seq < first)
        self->next_seq = first;
    if (self->next_seq > journal->durable_seq
        || !journal_read (self, self->next_seq, record, error))
        return false;
    self->next_seq++;
    return true;
}

bool
journal_read_at (journal_reader_t *self, uint64_t position, journal_record_t *record,
                 pb_error_t *error)
{
    journal_t *journal = self->journal;
    const gather_t *gathers[] = {journal->gathering, journal->in_flight};
    const segment_t *segment =
        segments_by_number (&journal->segments, POSITION_NUMBER (position));
    if (!segment)
        return pb_error (error, PB_E_BAD_REQUEST, "",
                         _ ("journal segment %010" PRIu32 " is not kept any more"),
                         POSITION_NUMBER (position));
    for (size_t index = 0; index < ARRAY_SIZE (gathers); index++) {
        const uint8_t *bytes =
            gathers[index] ? gather_at (gathers[index], position) : NULL;
        if (bytes)
            return record_get (bytes, position, record);
    }
    record_head_t head;
    if (!s_open (self, segment, error))
        return false;
    self->at = POSITION_OFFSET (position);
    self->jumped = true;
    self->at_seq = 0;
    if (self->at >= self->limit || self->at % 8 || !s_head (self, &head)
        || !s_take (self, &head, record))
        return s_unreadable (self, error);
    return true;
}
