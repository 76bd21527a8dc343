//  recover.c - read what is on disk, refuse damage, cut a torn tail, go on behind it.

#include "journal/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/log.h"
#include "base/moment.h"
#include "journal/chain.h"

typedef struct {
    journal_t *journal;
    scan_t scan;
    segment_list_t names;
} recovery_t;

static void
s_record (journal_t *self, const uint8_t *bytes, uint64_t position)
{
    journal_record_t record;
    record_get (bytes, position, &record); //  scan_segment has seen that it can
    if (record.kind == JOURNAL_COMMIT || record.kind == JOURNAL_SEAL)
        return;
    segments_last (&self->segments)->newest_ms = record.recorded_ms;
    if (record.kind == JOURNAL_EVENT) {
        event_keys_t keys;
        event_keys (&keys, &record.event);
        self->last_seq = record.seq;
        index_event (self, &keys, &record);
    }
    if (self->options.fold)
        self->options.fold (self->options.arg, &record);
}

static void
s_group (void *arg, const uint8_t *bytes, uint64_t offset, size_t size)
{
    recovery_t *self = arg;
    journal_t *journal = self->journal;
    //  The first group is also the first that knows its segment's head to be sound.
    segment_t *last = segments_last (&journal->segments);
    if (!last || last->head.number != self->scan.head.number)
        segments_add (&journal->segments, &self->scan.head);
    record_head_t head;
    for (size_t at = 0; at < size; at += (size_t) record_span (head.size)) {
        record_head_get (bytes + at, &head);
        s_record (journal, bytes + at, POSITION (self->scan.head.number, offset + at));
    }
}

static bool
s_cut (recovery_t *self, pb_error_t *error)
{
    journal_t *journal = self->journal;
    scan_t *scan = &self->scan;
    int fd = journal->disk.open (journal->disk.arg, scan->path, O_RDWR, 0);
    //  Synced with what s_harden or segment_create writes to the same file.
    bool ok = fd >= 0 && disk_write_zeros (&journal->disk, fd, scan->tail, scan->end);
    int saved = errno;
    if (fd >= 0)
        journal->disk.close (journal->disk.arg, fd);
    if (!ok)
        return pb_error (error, PB_E_STORAGE, "",
                         _ ("cannot cut the torn tail of journal segment %s: %s"),
                         scan->path, strerror (saved));
    journal->tail_cut = scan->tail;
    snprintf (journal->tail_sentence, sizeof journal->tail_sentence,
              _ ("%" PRIu64 " bytes at the end of journal segment %s, from offset "
                 "%" PRIu64
                 ", were never wholly written and have been cut; nothing that "
                 "was answered OK is among them"),
              scan->tail, scan->path, scan->end);
    log_warning ("journal", "%s", journal->tail_sentence);
    return true;
}

static uint64_t
s_salt (void)
{
    uint64_t salt;
    if (getrandom (&salt, sizeof salt, 0) != sizeof salt)
        salt = (uint64_t) moment_now_ms () * UINT64_C (0x9e3779b97f4a7c15);
    return salt;
}

void
segment_head_new (journal_t *self, segment_head_t *head, uint32_t number)
{
    *head = (segment_head_t){.version = FORMAT_VERSION,
                             .number = number,
                             .first_seq = self->last_seq + 1,
                             .created_ms = moment_now_ms (),
                             .capacity = self->options.segment_bytes,
                             .salt = s_salt ()};
}

//  The process before us may have died between write and sync, or because its sync failed:
//  then the last group is seen and yet not on disk, even after another sync. So it is
//  written once more before anybody is told that it is durable. All before it was synced.
static bool
s_harden (recovery_t *self, int fd)
{
    const journal_disk_t *disk = &self->journal->disk;
    const scan_t *scan = &self->scan;
    size_t size = (size_t) (scan->end - scan->last);
    uint8_t *bytes = xmalloc (size);
    long count = disk_read (disk, fd, bytes, size, scan->last);
    if (count >= 0 && count != (long) size)
        errno = EIO;
    bool ok = count == (long) size && disk_write (disk, fd, bytes, size, scan->last)
              && disk->fdatasync (disk->arg, fd) == 0;
    int saved = errno;
    free (bytes);
    errno = saved;
    return ok;
}

//  Go on in the segment that was looked at last.
static bool
s_reopen (recovery_t *self, writer_start_t *start)
{
    const scan_t *scan = &self->scan;
    const journal_disk_t *disk = &self->journal->disk;
    start->fd = disk->open (disk->arg, scan->path, O_RDWR, 0);
    start->number = scan->head.number;
    start->first_seq = scan->head.first_seq;
    start->capacity = scan->head.capacity;
    start->end = start->zeroed = scan->end;
    return start->fd >= 0 && s_harden (self, start->fd);
}

//  Begin a segment; one without a group is begun again, as its head may not be on disk.
static bool
s_begin (recovery_t *self, uint32_t number, writer_start_t *start)
{
    journal_t *journal = self->journal;
    segment_head_t head;
    segment_head_new (journal, &head, number);
    segments_add (&journal->segments, &head);
    start->fd =
        segment_create (&journal->disk, journal->options.dir, &head, &start->zeroed);
    start->number = head.number;
    start->first_seq = head.first_seq;
    start->capacity = head.capacity;
    start->end = SEGMENT_HEAD;
    return start->fd >= 0;
}

static bool
s_go_on (recovery_t *self, scan_state_t state, writer_start_t *start, pb_error_t *error)
{
    journal_t *journal = self->journal;
    const segment_list_t *names = &self->names;
    uint32_t last = names->count ? names->list[names->count - 1].number : 0;
    bool ok = true;
    if (last && self->scan.last)
        ok = s_reopen (self, start);
    if (ok && last && state == SCAN_SEALED) {
        segments_last (&journal->segments)->end = (uint32_t) start->end;
        journal->disk.close (journal->disk.arg, start->fd);
        start->fd = -1;
        ok = s_begin (self, last + 1, start);
    } else if (ok && (!last || !self->scan.last))
        ok = s_begin (self, last ? last : 1, start);
    segments_last (&journal->segments)->end = (uint32_t) start->end;
    if (ok)
        return true;
    return pb_error (error, PB_E_STORAGE, "", _ ("cannot write in journal %s: %s"),
                     journal->options.dir, strerror (errno));
}

bool
recover (journal_t *journal, writer_start_t *start, pb_error_t *error)
{
    recovery_t self = {.journal = journal};
    self.scan =
        (scan_t){.disk = &journal->disk, .group = s_group, .arg = &self, .fd = -1};
    bool ok = segment_list (&self.names, &journal->disk, journal->options.dir, error);
    scan_state_t state = SCAN_SEALED;
    if (ok && self.names.count)
        journal->last_seq = self.scan.seq = self.names.list[0].first_seq - 1;
    for (size_t index = 0; ok && index < self.names.count; index++) {
        const segment_name_t *name = self.names.list + index;
        bool last = index + 1 == self.names.count;
        char *path = segment_path (journal->options.dir, name->number, name->first_seq);
        self.scan.path = path;
        state = scan_segment (&self.scan);
        scan_close (&self.scan);
        ok = scan_verdict (&self.scan, state, name, last, journal->options.dir, error);
        if (ok && state == SCAN_TORN)
            ok = s_cut (&self, error);
        journal->last_seq = self.scan.seq;
        if (ok && last)
            ok = s_go_on (&self, state, start, error);
        if (ok && !last)
            segments_last (&journal->segments)->end = (uint32_t) self.scan.end;
        free (path);
    }
    if (ok && !self.names.count)
        ok = s_go_on (&self, state, start, error);
    scan_free (&self.scan);
    segment_list_free (&self.names);
    return ok;
}
