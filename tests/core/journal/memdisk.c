//  memdisk.c - a disk in memory that forgets what was not synced, and fails when told.

#include "memdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { FILES = 512, SECTOR = 512 };

typedef struct {
    uint64_t offset;
    size_t size;
    uint8_t *bytes;
} change_t;

typedef struct {
    memfile_t live; //  As the running system sees it
    uint8_t *synced;
    size_t synced_size;
    change_t *changes; //  Not synced, oldest first
    size_t changes_count;
    bool in_dir; //  Its name is synced
    bool used;
} file_t;

struct memdisk {
    file_t files[FILES]; //  A descriptor is an index + 1000
    journal_disk_t calls;
    pthread_mutex_t mutex;
    uint64_t changes;
    fault_t fault;
    uint64_t fault_at;
    bool dead;
};

//  ------------------------------------------------------------------ faults

//  Count a change. 0, or the errno it fails with.
static int
s_change (memdisk_t *self, bool sync)
{
    uint64_t number = ++self->changes;
    if (self->dead)
        return EIO;
    if (self->fault == FAULT_NONE || number < self->fault_at)
        return 0;
    switch (self->fault) {
    case FAULT_DEATH:
        self->dead = true;
        return EIO;
    case FAULT_ENOSPC:
        return sync ? 0 : ENOSPC;
    case FAULT_EIO:
        self->fault = FAULT_NONE;
        return EIO;
    case FAULT_SYNC:
        if (!sync)
            return 0;
        self->fault = FAULT_NONE;
        return EIO;
    default:
        return 0;
    }
}

static long
s_result (memdisk_t *self, long result, int error)
{
    pthread_mutex_unlock (&self->mutex);
    if (!error)
        return result;
    errno = error;
    return -1;
}

//  ------------------------------------------------------------------ files

static const char *
s_base (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}

static file_t *
s_find (memdisk_t *self, const char *name)
{
    for (size_t index = 0; index < FILES; index++)
        if (self->files[index].used && strcmp (self->files[index].live.name, name) == 0)
            return self->files + index;
    return NULL;
}

static file_t *
s_make (memdisk_t *self, const char *name)
{
    for (size_t index = 0; index < FILES; index++)
        if (!self->files[index].used) {
            file_t *file = self->files + index;
            *file = (file_t){.used = true};
            strncpy (file->live.name, name, sizeof file->live.name - 1);
            return file;
        }
    return NULL;
}

static void
s_forget_changes (file_t *file)
{
    for (size_t index = 0; index < file->changes_count; index++)
        free (file->changes[index].bytes);
    free (file->changes);
    file->changes = NULL;
    file->changes_count = 0;
}

static void
s_drop (file_t *file)
{
    s_forget_changes (file);
    free (file->live.bytes);
    free (file->synced);
    *file = (file_t){0};
}

//  Memory for so many bytes; growing seldom changes it.
static size_t
s_room (size_t size)
{
    size_t room = size ? 4096 : 0;
    while (room < size)
        room *= 2;
    return room;
}

static void
s_apply (uint8_t **bytes, size_t *size, const void *from, size_t count, uint64_t offset)
{
    if (offset + count > *size) {
        if (s_room (offset + count) != s_room (*size))
            *bytes = xrealloc (*bytes, s_room (offset + count));
        memset (*bytes + *size, 0, offset + count - *size);
        *size = offset + count;
    }
    if (count)
        memcpy (*bytes + offset, from, count);
}

static void
s_sync (file_t *file)
{
    for (size_t index = 0; index < file->changes_count; index++) {
        const change_t *change = file->changes + index;
        s_apply (&file->synced, &file->synced_size, change->bytes, change->size,
                 change->offset);
    }
    s_forget_changes (file);
}

//  What is seen is what is on the disk.
static void
s_settle (file_t *file)
{
    s_forget_changes (file);
    free (file->synced);
    file->synced = NULL;
    file->synced_size = 0;
    s_apply (&file->synced, &file->synced_size, file->live.bytes, file->live.size, 0);
}

//  ------------------------------------------------------------------ the calls

static int
s_open (void *arg, const char *path, int flags, int mode)
{
    (void) mode;
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    file_t *file = s_find (self, s_base (path));
    if (file && !self->dead)
        return (int) s_result (self, 1000 + (file - self->files), 0);
    if (!(flags & O_CREAT) || self->dead)
        return (int) s_result (self, -1, self->dead ? EIO : ENOENT);
    int error = s_change (self, false);
    if (error)
        return (int) s_result (self, -1, error);
    file = s_make (self, s_base (path));
    return (int) s_result (self, file ? 1000 + (file - self->files) : -1,
                           file ? 0 : EMFILE);
}

static int
s_close (void *arg, int fd)
{
    (void) arg;
    (void) fd;
    return 0;
}

static long
s_pwrite (void *arg, int fd, const void *bytes, size_t size, uint64_t offset)
{
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    file_t *file = self->files + (fd - 1000);
    bool was_dead = self->dead;
    int error = s_change (self, false);
    if (self->fault == FAULT_SHORT && self->changes >= self->fault_at && size > 1)
        size = size > 100 ? size - size / 3 : size - 1;
    //  The write during which the power went may have come part of the way; one during
    //  which the process was killed is done.
    if (error && (was_dead || self->fault != FAULT_DEATH))
        return s_result (self, -1, error);
    change_t change = {offset, size, xmalloc (size)};
    memcpy (change.bytes, bytes, size);
    file->changes =
        xrealloc (file->changes, (file->changes_count + 1) * sizeof *file->changes);
    file->changes[file->changes_count++] = change;
    s_apply (&file->live.bytes, &file->live.size, bytes, size, offset);
    return s_result (self, (long) size, error);
}

static long
s_pread (void *arg, int fd, void *bytes, size_t size, uint64_t offset)
{
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    const file_t *file = self->files + (fd - 1000);
    size_t there = offset < file->live.size ? file->live.size - (size_t) offset : 0;
    size_t count = size < there ? size : there;
    if (count && !self->dead)
        memcpy (bytes, file->live.bytes + offset, count);
    return s_result (self, (long) count, self->dead ? EIO : 0);
}

static int
s_fdatasync (void *arg, int fd)
{
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    int error = s_change (self, true);
    if (!error)
        s_sync (self->files + (fd - 1000));
    else if (!self->dead) //  As Linux does: the pages count as written and are not
        s_forget_changes (self->files + (fd - 1000));
    return (int) s_result (self, 0, error);
}

static int
s_sync_dir (void *arg, const char *path)
{
    (void) path;
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    int error = s_change (self, true);
    for (size_t index = 0; !error && index < FILES; index++)
        self->files[index].in_dir = self->files[index].used;
    return (int) s_result (self, 0, error);
}

static int
s_list (void *arg, const char *path, void (*visit) (void *visit_arg, const char *name),
        void *visit_arg)
{
    (void) path;
    memdisk_t *self = arg;
    for (size_t index = 0; index < FILES; index++)
        if (self->files[index].used)
            visit (visit_arg, self->files[index].live.name);
    return 0;
}

static int
s_unlink (void *arg, const char *path)
{
    memdisk_t *self = arg;
    pthread_mutex_lock (&self->mutex);
    int error = s_change (self, false);
    file_t *file = s_find (self, s_base (path));
    if (!error && file)
        s_drop (file);
    return (int) s_result (self, 0, error ? error : file ? 0 : ENOENT);
}

//  ------------------------------------------------------------------ for the test

memdisk_t *
memdisk_new (void)
{
    memdisk_t *self = xcalloc (1, sizeof *self);
    self->calls = (journal_disk_t){.open = s_open,
                                   .close = s_close,
                                   .pwrite = s_pwrite,
                                   .pread = s_pread,
                                   .fdatasync = s_fdatasync,
                                   .sync_dir = s_sync_dir,
                                   .list = s_list,
                                   .unlink = s_unlink,
                                   .arg = self};
    pthread_mutex_init (&self->mutex, NULL);
    return self;
}

void
memdisk_destroy (memdisk_t **self_p)
{
    memdisk_t *self = *self_p;
    for (size_t index = 0; index < FILES; index++)
        s_drop (self->files + index);
    pthread_mutex_destroy (&self->mutex);
    free (self);
    *self_p = NULL;
}

const journal_disk_t *
memdisk_calls (memdisk_t *self)
{
    return &self->calls;
}

uint64_t
memdisk_changes (memdisk_t *self)
{
    pthread_mutex_lock (&self->mutex);
    uint64_t changes = self->changes;
    pthread_mutex_unlock (&self->mutex);
    return changes;
}

void
memdisk_fault (memdisk_t *self, fault_t fault, uint64_t at)
{
    pthread_mutex_lock (&self->mutex);
    self->fault = fault;
    self->fault_at = at;
    self->changes = 0;
    self->dead = false;
    pthread_mutex_unlock (&self->mutex);
}

static uint64_t
s_random (uint64_t *seed)
{
    *seed = *seed * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
    return *seed >> 33;
}

static void
s_survive (file_t *file, power_t mode, uint64_t *seed)
{
    free (file->live.bytes);
    file->live.bytes = NULL;
    file->live.size = 0;
    s_apply (&file->live.bytes, &file->live.size, file->synced, file->synced_size, 0);
    for (size_t index = 0; mode != POWER_FORGET && index < file->changes_count;
         index++) {
        const change_t *change = file->changes + index;
        size_t keep = change->size;
        if (mode == POWER_PREFIX && index + 1 == file->changes_count)
            keep = s_random (seed) % (change->size + 1);
        for (size_t at = 0; at < keep;) {
            size_t step = SECTOR - (size_t) ((change->offset + at) % SECTOR);
            step = step < keep - at ? step : keep - at;
            if (mode == POWER_PREFIX || s_random (seed) % 2)
                s_apply (&file->live.bytes, &file->live.size, change->bytes + at, step,
                         change->offset + at);
            at += step;
        }
    }
    s_settle (file);
}

void
memdisk_power_on (memdisk_t *self, power_t mode, uint64_t seed)
{
    for (size_t index = 0; index < FILES; index++) {
        file_t *file = self->files + index;
        if (!file->used)
            continue;
        if (!file->in_dir && (mode == POWER_FORGET || s_random (&seed) % 2))
            s_drop (file);
        else {
            s_survive (file, mode, &seed);
            file->in_dir = true;
        }
    }
    self->dead = false;
    self->fault = FAULT_NONE;
    self->changes = 0;
}

static int
s_order (const void *a, const void *b)
{
    return strcmp ((*(memfile_t *const *) a)->name, (*(memfile_t *const *) b)->name);
}

memfile_t *
memdisk_file (memdisk_t *self, size_t index)
{
    memfile_t *list[FILES];
    size_t count = 0;
    for (size_t at = 0; at < FILES; at++)
        if (self->files[at].used)
            list[count++] = &self->files[at].live;
    qsort (list, count, sizeof *list, s_order);
    return index < count ? list[index] : NULL;
}

void
memdisk_set (memdisk_t *self, const char *name, const void *bytes, size_t size)
{
    memdisk_remove (self, name);
    file_t *file = s_make (self, name);
    s_apply (&file->live.bytes, &file->live.size, bytes, size, 0);
    s_settle (file);
    file->in_dir = true;
}

void
memdisk_remove (memdisk_t *self, const char *name)
{
    file_t *file = s_find (self, name);
    if (file)
        s_drop (file);
}

memdisk_t *
memdisk_copy (memdisk_t *self)
{
    memdisk_t *copy = memdisk_new ();
    for (size_t index = 0; index < FILES; index++)
        if (self->files[index].used)
            memdisk_set (copy, self->files[index].live.name,
                         self->files[index].live.bytes, self->files[index].live.size);
    return copy;
}
