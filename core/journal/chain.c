//  chain.c - the segments of a directory, and whether they follow one another.

#include "journal/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "journal/disk.h"

static void
s_add (void *arg, const char *name)
{
    segment_list_t *self = arg;
    segment_name_t segment;
    if (!segment_name_get (name, &segment.number, &segment.first_seq))
        return;
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 16;
        self->list = xrealloc (self->list, self->room * sizeof *self->list);
    }
    self->list[self->count++] = segment;
}

static int
s_order (const void *a, const void *b)
{
    const segment_name_t *left = a, *right = b;
    return left->number < right->number ? -1 : left->number > right->number;
}

bool
segment_list (segment_list_t *self, const journal_disk_t *disk, const char *dir,
              pb_error_t *error)
{
    if (disk->list (disk->arg, dir, s_add, self) != 0)
        return pb_error (error, PB_E_STORAGE, "", _ ("cannot read journal %s: %s"), dir,
                         strerror (errno));
    if (self->count)
        qsort (self->list, self->count, sizeof *self->list, s_order);
    for (size_t index = 1; index < self->count; index++) {
        uint32_t number = self->list[index - 1].number;
        if (self->list[index].number == number + 1)
            continue;
        return pb_error (error, PB_E_DAMAGED, "",
                         self->list[index].number == number
                             ? _ ("there is more than one segment %010" PRIu32
                                  " in journal %s: move the strange one away")
                             : _ ("the segment after %010" PRIu32
                                  " is missing in journal "
                                  "%s: restore it from a copy; nothing is skipped"),
                         number, dir);
    }
    return true;
}

void
segment_list_free (segment_list_t *self)
{
    free (self->list);
    *self = (segment_list_t){0};
}

static bool
s_damaged (const scan_t *scan, uint64_t offset, const char *dir, pb_error_t *error)
{
    return pb_error (
        error, PB_E_DAMAGED, "",
        _ ("journal segment %s is damaged at offset %" PRIu64
           ", and what comes after it was promised, so nothing is skipped: "
           "look at it with `parkbus journal verify %s` and restore the "
           "segment from a copy"),
        scan->path, offset, dir);
}

bool
scan_verdict (const scan_t *scan, scan_state_t state, const segment_name_t *name,
              bool last, const char *dir, pb_error_t *error)
{
    switch (state) {
    case SCAN_ERROR:
        return pb_error (error, PB_E_STORAGE, "",
                         _ ("cannot read journal segment %s: %s"), scan->path,
                         strerror (scan->error));
    case SCAN_NEWER:
        return pb_error (error, PB_E_STORAGE, "",
                         _ ("journal segment %s has format %" PRIu32
                            ", this program knows up to %d: upgrade it"),
                         scan->path, scan->version, FORMAT_VERSION);
    case SCAN_DAMAGED:
        return s_damaged (scan, scan->bad, dir, error);
    case SCAN_HEADLESS:
        //  It says nothing, so its name has to fit what lies before it.
        return last && name->first_seq == scan->seq + 1
                   ? true
                   : s_damaged (scan, 0, dir, error);
    default:
        break;
    }
    if (scan->head.number != name->number || scan->head.first_seq != name->first_seq)
        return s_damaged (scan, 0, dir, error);
    //  The next segment is made only when this one's SEAL is on disk.
    if (!last && state != SCAN_SEALED)
        return s_damaged (scan, state == SCAN_TORN ? scan->bad : scan->end, dir, error);
    return true;
}
