//  journal/disk.h - the real disk behind journal_disk_t, and whole reads and writes on any.

#ifndef PARKBUS_JOURNAL_DISK_H
#define PARKBUS_JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/journal.h"

extern const journal_disk_t disk_real;

//  Bytes read: less than `size` only at the file's end; -1 with errno.
long disk_read (const journal_disk_t *disk, int fd, void *bytes, size_t size,
                uint64_t offset);
//  All of it, over short writes and interruptions. False with errno.
bool disk_write (const journal_disk_t *disk, int fd, const void *bytes, size_t size,
                 uint64_t offset);
bool disk_write_zeros (const journal_disk_t *disk, int fd, uint64_t size,
                       uint64_t offset);

//  "0000000007-00000000000000001234.pbj": the segment's number and the first seq it can
//  hold. Several segments without events begin at the same seq.
#define SEGMENT_NAME 40
void segment_name (char to[SEGMENT_NAME], uint32_t number, uint64_t first_seq);
bool segment_name_get (const char *name, uint32_t *number, uint64_t *first_seq);
//  DIR/NAME; the caller frees.
char *disk_path (const char *dir, const char *name);
char *segment_path (const char *dir, uint32_t number, uint64_t first_seq);

#endif
