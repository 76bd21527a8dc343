//  verify.c - a read-only look over a journal, also while a daemon writes it.

#include "journal/impl.h"

#include <errno.h>
#include <stdlib.h>
#include "journal/chain.h"
#include "journal/verify.h"

static void
s_count (void *arg, const uint8_t *bytes, uint64_t offset, size_t size)
{
    (void) offset;
    journal_summary_t *summary = arg;
    record_head_t head;
    for (size_t at = 0; at < size; at += (size_t) record_span (head.size)) {
        record_head_get (bytes + at, &head);
        summary->records++;
        summary->events += head.kind == JOURNAL_EVENT;
        summary->groups += head.kind == JOURNAL_COMMIT;
        if (!summary->first_ms)
            summary->first_ms = head.recorded_ms;
        summary->last_ms = head.recorded_ms;
    }
}

//  A daemon beside us may have removed the oldest segments since they were listed.
static bool
s_removed (const scan_t *scan, scan_state_t state, const journal_summary_t *summary)
{
    return state == SCAN_ERROR && scan->error == ENOENT && !summary->segments;
}

bool
verify_on (const journal_disk_t *disk, const char *dir, journal_summary_t *summary,
           pb_error_t *error)
{
    *summary = (journal_summary_t){.first = 1};
    segment_list_t names = {0};
    scan_t scan = {.disk = disk, .group = s_count, .arg = summary, .fd = -1};
    bool ok = segment_list (&names, disk, dir, error);
    for (size_t index = 0; ok && index < names.count; index++) {
        const segment_name_t *name = names.list + index;
        if (!summary->segments)
            scan.seq = name->first_seq - 1;
        char *path = segment_path (dir, name->number, name->first_seq);
        scan.path = path;
        scan_state_t state = scan_segment (&scan);
        scan_close (&scan);
        if (!s_removed (&scan, state, summary)) {
            ok =
                scan_verdict (&scan, state, name, index + 1 == names.count, dir, error);
            if (!summary->segments++)
                summary->first = name->first_seq;
            summary->bytes += state == SCAN_HEADLESS ? 0 : scan.end;
            summary->tail_bytes = state == SCAN_TORN ? scan.tail : 0;
            summary->head = scan.seq;
            if (state != SCAN_HEADLESS)
                summary->version = scan.head.version;
        }
        free (path);
    }
    scan_free (&scan);
    segment_list_free (&names);
    return ok;
}

bool
journal_verify (const char *dir, journal_summary_t *summary, pb_error_t *error)
{
    return verify_on (&disk_real, dir, summary, error);
}
