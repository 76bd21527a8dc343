//  journal.c - everything that happened, on disk, in order: opening, appending, closing.

#include "journal/impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/moment.h"
#include "journal/pages.h"

//  ------------------------------------------------------------------ opening

//  A directory that was just made is in the one above it only when that is synced.
static bool
s_make_one (const char *path)
{
    if (mkdir (path, 0750) != 0)
        return errno == EEXIST;
    const char *slash = strrchr (path, '/');
    char *above = xstrdup (slash ? path : ".");
    if (slash)
        above[slash == path ? 1 : slash - path] = 0;
    bool ok = disk_real.sync_dir (NULL, above) == 0;
    free (above);
    return ok;
}

//  Like mkdir -p.
static bool
s_make_dir (const char *dir)
{
    char *path = xstrdup (dir);
    bool ok = true;
    for (char *at = path + 1; ok && *at; at++)
        if (*at == '/') {
            *at = 0;
            ok = s_make_one (path);
            *at = '/';
        }
    ok = ok && s_make_one (path);
    free (path);
    return ok;
}

//  Who holds the lock wrote its process id there.
static void
s_holder (int fd, char *to, size_t room)
{
    long count = pread (fd, to, room - 1, 0);
    to[count > 0 ? count : 0] = 0;
    to[strcspn (to, "\n")] = 0;
}

static bool
s_lock (journal_t *self, pb_error_t *error)
{
    const char *dir = self->options.dir;
    if (!s_make_dir (dir))
        return pb_error (error, PB_E_STORAGE, "", _ ("cannot make journal %s: %s"), dir,
                         strerror (errno));
    char *path = disk_path (dir, "lock");
    self->lock_fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    int saved = errno;
    free (path);
    if (self->lock_fd < 0)
        return pb_error (error, PB_E_STORAGE, "", _ ("cannot write in journal %s: %s"),
                         dir, strerror (saved));
    char holder[128];
    if (flock (self->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        s_holder (self->lock_fd, holder, sizeof holder);
        return pb_error (
            error, PB_E_STORAGE, "",
            _ ("journal %s is in use by another parkbusd (%s): stop that one "
               "or give this one a data_dir of its own"),
            dir, holder);
    }
    int size = snprintf (holder, sizeof holder, "%ld %.80s\n", (long) getpid (),
                         self->options.node ? self->options.node : "");
    if (ftruncate (self->lock_fd, 0) != 0
        || pwrite (self->lock_fd, holder, (size_t) size, 0) != size)
        log_warning ("journal", _ ("cannot note the holder in %s/lock: %s"), dir,
                     strerror (errno));
    return true;
}

static bool
s_options (journal_t *self, const journal_options_t *options, pb_error_t *error)
{
    self->options = *options;
    self->options.dir = xstrdup (options->dir);
    self->options.node = xstrdup (options->node);
    self->disk = options->disk ? *options->disk : disk_real;
    if (options->segment_bytes < SEGMENT_MIN || options->segment_bytes > SEGMENT_MAX)
        return pb_error (error, PB_E_CONFIG, "segment_mb",
                         _ ("a journal segment has %d to %lld bytes, not %llu"),
                         SEGMENT_MIN, (long long) SEGMENT_MAX,
                         (unsigned long long) options->segment_bytes);
    if (options->dedupe_events >= UINT32_MAX)
        return pb_error (error, PB_E_CONFIG, "dedupe_events",
                         _ ("dedupe_events has to be below %lld"),
                         (long long) UINT32_MAX);
    return true;
}

journal_t *
journal_open (const journal_options_t *options, pb_error_t *error)
{
    journal_t *self = xcalloc (1, sizeof *self);
    self->lock_fd = self->event_fd = -1;
    writer_start_t start = {.fd = -1};
    if (!s_options (self, options, error) || !s_lock (self, error)) {
        journal_close (&self);
        return NULL;
    }
    self->topics = topics_new ();
    self->ids = window_new (options->dedupe_events);
    self->visits = window_new (options->dedupe_events);
    self->recent = pages_new (RECENT * sizeof *self->recent);
    if (!recover (self, &start, error)) {
        if (start.fd >= 0)
            self->disk.close (self->disk.arg, start.fd);
        journal_close (&self);
        return NULL;
    }
    self->durable_seq = self->last_seq;
    self->durable_number = start.number;
    self->durable_end = (uint32_t) start.end;
    self->event_fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert (self->event_fd >= 0);
    //  Room beyond the limit for the largest record and the ends of its group.
    size_t limit = options->gather_bytes ? options->gather_bytes : GATHER_BYTES;
    self->options.gather_bytes = limit;
    size_t largest = PAYLOAD_MAX;
    if (largest > options->segment_bytes)
        largest = (size_t) options->segment_bytes;
    size_t room = limit + largest + SEGMENT_MIN;
    self->gathering = gather_new (room);
    for (self->spares = 0; self->spares < ARRAY_SIZE (self->spare); self->spares++)
        self->spare[self->spares] = gather_new (room);
    self->reader = journal_reader_new (self);
    start.disk = &self->disk;
    start.dir = self->options.dir;
    start.event_fd = self->event_fd;
    self->writer = writer_new (&start);
    return self;
}

void
journal_close (journal_t **self_p)
{
    journal_t *self = *self_p;
    if (!self)
        return;
    if (self->writer)
        journal_wait (self);
    writer_destroy (&self->writer);
    journal_reader_destroy (&self->reader);
    gather_destroy (&self->gathering);
    gather_destroy (&self->in_flight);
    while (self->spares)
        gather_destroy (&self->spare[--self->spares]);
    segments_free (&self->segments);
    topics_destroy (&self->topics);
    window_destroy (&self->ids);
    window_destroy (&self->visits);
    pages_free (self->recent, RECENT * sizeof *self->recent);
    if (self->event_fd >= 0)
        close (self->event_fd);
    if (self->lock_fd >= 0)
        close (self->lock_fd);
    free ((char *) self->options.dir);
    free ((char *) self->options.node);
    free (self);
    *self_p = NULL;
}
