//  writer.c - the thread that writes and syncs groups, and nothing else.

#include "journal/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "base/log.h"
#include "journal/disk.h"

//  Blocks that were written before are synced faster than those a file grows by. So zeros
//  are written ahead, a chunk at a time; not while large groups come, for which it does
//  not matter.
#define AHEAD_CHUNK (1u << 20)
#define AHEAD_MIN (512u << 10)
#define LARGE_GROUP (256u << 10)

struct writer {
    writer_start_t at; //  fd, number, first_seq, capacity, end, zeroed move on
    pthread_t thread;
    pthread_mutex_t mutex; //  Over work and stop
    pthread_cond_t wake;
    gather_t *work;
    bool stop;
    bool no_room; //  For zeros ahead
    _Atomic uint64_t durable;
    _Atomic bool failed;
    char sentence[512]; //  Written before `failed` is set, never after
};

static bool
s_fail (writer_t *self, int error)
{
    char name[SEGMENT_NAME];
    segment_name (name, self->at.number, self->at.first_seq);
    snprintf (
        self->sentence, sizeof self->sentence,
        _ ("cannot write journal segment %s/%s: %s; no event is accepted any more: "
           "see to the disk, then start parkbusd again"),
        self->at.dir, name, strerror (error));
    log_error ("journal", "%s", self->sentence);
    atomic_store_explicit (&self->failed, true, memory_order_release);
    return false;
}

int
segment_create (const journal_disk_t *disk, const char *dir, const segment_head_t *head,
                uint64_t *zeroed)
{
    uint8_t bytes[SEGMENT_HEAD];
    char *path = segment_path (dir, head->number, head->first_seq);
    int fd = disk->open (disk->arg, path, O_RDWR | O_CREAT, 0640);
    int saved = errno;
    free (path);
    if (fd < 0) {
        errno = saved;
        return -1;
    }
    segment_head_put (bytes, head);
    *zeroed = head->capacity < AHEAD_CHUNK ? head->capacity : AHEAD_CHUNK;
    if (disk_write (disk, fd, bytes, sizeof bytes, 0)
        && disk_write_zeros (disk, fd, *zeroed - sizeof bytes, sizeof bytes)
        && disk->fdatasync (disk->arg, fd) == 0 && disk->sync_dir (disk->arg, dir) == 0)
        return fd;
    saved = errno;
    disk->close (disk->arg, fd);
    errno = saved;
    return -1;
}

static bool
s_next_segment (writer_t *self, const segment_head_t *head)
{
    self->at.disk->close (self->at.disk->arg, self->at.fd);
    self->at.number = head->number;
    self->at.first_seq = head->first_seq;
    self->at.capacity = head->capacity;
    self->at.end = SEGMENT_HEAD;
    self->no_room = false;
    self->at.fd = segment_create (self->at.disk, self->at.dir, head, &self->at.zeroed);
    return self->at.fd >= 0 ? true : s_fail (self, errno);
}

static void
s_tell (writer_t *self)
{
    uint64_t one = 1;
    //  Can only fail when it is readable already.
    if (write (self->at.event_fd, &one, sizeof one) < 0)
        return;
}

static bool
s_write_group (writer_t *self, gather_t *work, const group_t *group)
{
    if (group->fresh && !s_next_segment (self, &group->segment))
        return false;
    record_head_t head;
    for (size_t at = group->from; at < group->to; at += record_span (head.size)) {
        record_head_get (work->bytes + at, &head);
        record_sum_put (work->bytes + at, group->segment.salt,
                        group->offset + (at - group->from));
    }
    const journal_disk_t *disk = self->at.disk;
    size_t size = group->to - group->from;
    if (!disk_write (disk, self->at.fd, work->bytes + group->from, size, group->offset))
        return s_fail (self, errno);
    //  Never tried again: after an error the kernel may have dropped the pages and a
    //  second call would falsely succeed.
    if (disk->fdatasync (disk->arg, self->at.fd) != 0)
        return s_fail (self, errno);
    self->at.end = group->offset + size;
    return true;
}

static void
s_zeros_ahead (writer_t *self, size_t last_size, bool idle)
{
    const journal_disk_t *disk = self->at.disk;
    uint64_t from = self->at.zeroed > self->at.end ? self->at.zeroed : self->at.end;
    if (self->no_room || from >= self->at.capacity || last_size >= LARGE_GROUP
        || from - self->at.end >= AHEAD_MIN)
        return;
    uint64_t size = self->at.capacity - from;
    size = size < AHEAD_CHUNK ? size : AHEAD_CHUNK;
    if (!disk_write_zeros (disk, self->at.fd, size, from)) {
        //  No promise hangs on zeros; the records' own write will say so when it is meant.
        self->no_room = errno == ENOSPC || errno == EDQUOT;
        if (!self->no_room)
            s_fail (self, errno);
        return;
    }
    self->at.zeroed = from + size;
    if (idle && disk->fdatasync (disk->arg, self->at.fd) != 0)
        s_fail (self, errno);
}

static gather_t *
s_wait (writer_t *self)
{
    pthread_mutex_lock (&self->mutex);
    while (!self->work && !self->stop)
        pthread_cond_wait (&self->wake, &self->mutex);
    gather_t *work = self->work;
    self->work = NULL;
    pthread_mutex_unlock (&self->mutex);
    return work;
}

static bool
s_idle (writer_t *self)
{
    pthread_mutex_lock (&self->mutex);
    bool idle = !self->work && !self->stop;
    pthread_mutex_unlock (&self->mutex);
    return idle;
}

static void *
s_run (void *arg)
{
    writer_t *self = arg;
    prctl (PR_SET_NAME, "journal");
    for (gather_t *work; (work = s_wait (self));) {
        size_t size = 0;
        //  The gather is the other thread's again once its last group is told durable.
        for (size_t index = 0, count = work->groups_count; index < count; index++) {
            const group_t *group = work->groups + index;
            if (!s_write_group (self, work, group))
                break;
            size = group->to - group->from;
            atomic_store_explicit (&self->durable, group->id, memory_order_release);
            s_tell (self);
        }
        if (!writer_failed (self))
            s_zeros_ahead (self, size, s_idle (self));
        if (writer_failed (self)) {
            s_tell (self);
            break;
        }
    }
    return NULL;
}

writer_t *
writer_new (const writer_start_t *start)
{
    writer_t *self = xcalloc (1, sizeof *self);
    self->at = *start;
    pthread_mutex_init (&self->mutex, NULL);
    pthread_cond_init (&self->wake, NULL);
    //  Signals are the main loop's.
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int error = pthread_create (&self->thread, NULL, s_run, self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (error) {
        errno = error;
        perror ("pthread_create");
        abort ();
    }
    return self;
}

void
writer_destroy (writer_t **self_p)
{
    writer_t *self = *self_p;
    if (!self)
        return;
    pthread_mutex_lock (&self->mutex);
    self->stop = true;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->mutex);
    pthread_join (self->thread, NULL);
    if (self->at.fd >= 0)
        self->at.disk->close (self->at.disk->arg, self->at.fd);
    pthread_mutex_destroy (&self->mutex);
    pthread_cond_destroy (&self->wake);
    free (self);
    *self_p = NULL;
}

void
writer_give (writer_t *self, gather_t *work)
{
    pthread_mutex_lock (&self->mutex);
    self->work = work;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->mutex);
}

uint64_t
writer_durable (const writer_t *self)
{
    return atomic_load_explicit (&self->durable, memory_order_acquire);
}

const char *
writer_failed (const writer_t *self)
{
    return atomic_load_explicit (&self->failed, memory_order_acquire) ? self->sentence
                                                                      : NULL;
}
