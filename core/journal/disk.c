//  disk.c - the real disk behind journal_disk_t, and whole reads and writes on any.

#include "journal/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
s_open (void *arg, const char *path, int flags, int mode)
{
    (void) arg;
    return open (path, flags | O_CLOEXEC, mode);
}

static int
s_close (void *arg, int fd)
{
    (void) arg;
    return close (fd);
}

static long
s_pwrite (void *arg, int fd, const void *bytes, size_t size, uint64_t offset)
{
    (void) arg;
    return pwrite (fd, bytes, size, (off_t) offset);
}

static long
s_pread (void *arg, int fd, void *bytes, size_t size, uint64_t offset)
{
    (void) arg;
    return pread (fd, bytes, size, (off_t) offset);
}

static int
s_fdatasync (void *arg, int fd)
{
    (void) arg;
    return fdatasync (fd);
}

static int
s_sync_dir (void *arg, const char *path)
{
    (void) arg;
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync (fd);
    int saved = errno;
    close (fd);
    errno = saved;
    return result;
}

static int
s_list (void *arg, const char *path, void (*visit) (void *visit_arg, const char *name),
        void *visit_arg)
{
    (void) arg;
    DIR *dir = opendir (path);
    if (!dir)
        return -1;
    errno = 0;
    for (struct dirent *entry; (entry = readdir (dir)); errno = 0)
        visit (visit_arg, entry->d_name);
    int saved = errno;
    closedir (dir);
    errno = saved;
    return saved ? -1 : 0;
}

static int
s_unlink (void *arg, const char *path)
{
    (void) arg;
    return unlink (path);
}

const journal_disk_t disk_real = {
    .open = s_open,
    .close = s_close,
    .pwrite = s_pwrite,
    .pread = s_pread,
    .fdatasync = s_fdatasync,
    .sync_dir = s_sync_dir,
    .list = s_list,
    .unlink = s_unlink,
};

long
disk_read (const journal_disk_t *disk, int fd, void *bytes, size_t size,
           uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        long count = disk->pread (disk->arg, fd, (char *) bytes + done, size - done,
                                  offset + done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t) count;
    }
    return (long) done;
}

bool
disk_write (const journal_disk_t *disk, int fd, const void *bytes, size_t size,
            uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        long count = disk->pwrite (disk->arg, fd, (const char *) bytes + done,
                                   size - done, offset + done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            errno = EIO; //  No progress and no error: never loop on that
        if (count <= 0)
            return false;
        done += (size_t) count;
    }
    return true;
}

bool
disk_write_zeros (const journal_disk_t *disk, int fd, uint64_t size, uint64_t offset)
{
    static const char zeros[256 * 1024];
    for (uint64_t done = 0; done < size;) {
        size_t step =
            size - done < sizeof zeros ? (size_t) (size - done) : sizeof zeros;
        if (!disk_write (disk, fd, zeros, step, offset + done))
            return false;
        done += step;
    }
    return true;
}

void
segment_name (char to[SEGMENT_NAME], uint32_t number, uint64_t first_seq)
{
    snprintf (to, SEGMENT_NAME, "%010" PRIu32 "-%020" PRIu64 ".pbj", number, first_seq);
}

bool
segment_name_get (const char *name, uint32_t *number, uint64_t *first_seq)
{
    if (strlen (name) != 35 || name[10] != '-' || strcmp (name + 31, ".pbj") != 0)
        return false;
    if (strspn (name, "0123456789") != 10 || strspn (name + 11, "0123456789") != 20)
        return false;
    unsigned long long value = strtoull (name, NULL, 10);
    *number = (uint32_t) value;
    errno = 0;
    *first_seq = strtoull (name + 11, NULL, 10);
    return errno == 0 && value > 0 && value <= UINT32_MAX && *first_seq > 0;
}

char *
disk_path (const char *dir, const char *name)
{
    size_t size = strlen (dir) + strlen (name) + 2;
    char *path = xmalloc (size);
    snprintf (path, size, "%s/%s", dir, name);
    return path;
}

char *
segment_path (const char *dir, uint32_t number, uint64_t first_seq)
{
    char name[SEGMENT_NAME];
    segment_name (name, number, first_seq);
    return disk_path (dir, name);
}
