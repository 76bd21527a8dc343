//  events.h - events made without the schema's reader, and a journal in a folder of its own.

#ifndef PARKBUS_TESTS_JOURNAL_EVENTS_H
#define PARKBUS_TESTS_JOURNAL_EVENTS_H

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "journal/journal.h"
#include "promise.h"

typedef struct {
    event_t event;
    char json[1024];
} made_t;

static span_t
s_at (const made_t *made, const char *name, const char *value)
{
    char member[64];
    snprintf (member, sizeof member, "\"%s\":\"", name);
    const char *p = value ? strstr (made->json, member) : NULL;
    return p ? (span_t){p + strlen (member), strlen (value)} : (span_t){NULL, 0};
}

//  NULL leaves a member out. `text` goes into data; its hash is the content's.
__attribute__ ((unused)) static const event_t *
make_event (made_t *made, const char *source, const char *id, const char *type,
            const char *visit, const char *text)
{
    int size =
        snprintf (made->json, sizeof made->json,
                  "{\"id\":\"%s\",\"source\":\"%s\",\"type\":\"%s\"", id, source, type);
    if (visit)
        size += snprintf (made->json + size, sizeof made->json - (size_t) size,
                          ",\"subject\":\"%s\"", visit);
    size += snprintf (made->json + size, sizeof made->json - (size_t) size,
                      ",\"lot\":\"north\",\"data\":");
    int data = size;
    size += snprintf (made->json + size, sizeof made->json - (size_t) size,
                      "{\"text\":\"%s\"}}", text);
    made->event = (event_t){
        .json = made->json,
        .size = (uint32_t) size,
        .id = s_at (made, "id", id),
        .source = s_at (made, "source", source),
        .type = s_at (made, "type", type),
        .subject = s_at (made, "subject", visit),
        .lot = s_at (made, "lot", "north"),
        .data = {made->json + data, (size_t) (size - data - 1)},
        .time_ms = 1795000000000 + size,
        .content_hash = hash64 (text, strlen (text), 0)
    };
    return &made->event;
}

//  Event number `n` of a row: each its own id, every fourth of the same visit.
__attribute__ ((unused)) static const event_t *
make_numbered (made_t *made, uint64_t n)
{
    char id[32], visit[32], text[64];
    snprintf (id, sizeof id, "id-%" PRIu64, n);
    snprintf (visit, sizeof visit, "V%" PRIu64, n / 4);
    snprintf (text, sizeof text, "number %" PRIu64, n);
    return make_event (made, "gate/in-1", id, n % 2 ? "out.recorded" : "in.recorded",
                       visit, text);
}

//  Is this the event that make_numbered made?
__attribute__ ((unused)) static bool
is_numbered (const journal_record_t *record, uint64_t n)
{
    made_t made;
    const event_t *want = make_numbered (&made, n), *got = &record->event;
    return record->kind == JOURNAL_EVENT && got->size == want->size
           && memcmp (got->json, want->json, want->size) == 0
           && span_eq (got->id, want->id) && span_eq (got->source, want->source)
           && span_eq (got->type, want->type) && span_eq (got->subject, want->subject)
           && span_eq (got->lot, want->lot) && !got->lane.p
           && span_eq (got->data, want->data) && got->time_ms == want->time_ms
           && got->content_hash == want->content_hash;
}

//  Append numbered events [from, to), waiting after each `group` of them.
__attribute__ ((unused)) static bool
append_numbered (journal_t *journal, uint64_t from, uint64_t to, uint64_t group)
{
    bool ok = true;
    for (uint64_t n = from; ok && n < to; n++) {
        made_t made;
        journal_place_t place;
        ok = journal_event (journal, make_numbered (&made, n), &place, NULL)
             && !place.duplicate && place.group;
        if (ok && (n + 1 - from) % group == 0)
            ok = journal_wait (journal);
    }
    return ok && journal_wait (journal);
}

__attribute__ ((unused)) static char *
temp_dir (void)
{
    static char path[256];
    const char *base = getenv ("TMPDIR");
    snprintf (path, sizeof path, "%s/parkbus-journal-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp (path)) {
        perror (path);
        exit (99);
    }
    return path;
}

__attribute__ ((unused)) static void
remove_dir (const char *path)
{
    DIR *dir = opendir (path);
    char name[512];
    for (struct dirent *entry; dir && (entry = readdir (dir));) {
        snprintf (name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && unlink (name) != 0)
            perror (name);
    }
    if (dir)
        closedir (dir);
    rmdir (path);
}

#endif
