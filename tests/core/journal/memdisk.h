//  memdisk.h - a disk in memory that forgets what was not synced, and fails when told.

#ifndef PARKBUS_TESTS_MEMDISK_H
#define PARKBUS_TESTS_MEMDISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/journal.h"

typedef struct memdisk memdisk_t;

memdisk_t *memdisk_new (void);
void memdisk_destroy (memdisk_t **self_p);
//  For journal_options_t; lives as long as the disk. Directories are one level: only the
//  last part of a path counts.
const journal_disk_t *memdisk_calls (memdisk_t *self);

//  Calls that change something are counted from 1: pwrite, fdatasync, sync_dir, and an
//  open that makes a file.
uint64_t memdisk_changes (memdisk_t *self);

typedef enum {
    FAULT_NONE,
    FAULT_DEATH,  //  Change `at` and all later calls fail: power cut, or kill -9
    FAULT_ENOSPC, //  Change `at` and all later writes
    FAULT_EIO,    //  Change `at`, once
    FAULT_SYNC, //  The first sync at or after `at` fails, once, and what it should have
                //  written never will be, though it is still read
    FAULT_SHORT //  From `at` on every write does a little less than asked
} fault_t;
//  FAULT_NONE makes it work again, with all that was written in sight.
void memdisk_fault (memdisk_t *self, fault_t fault, uint64_t at);

typedef enum {
    POWER_FORGET, //  Nothing unsynced survives
    POWER_PREFIX, //  All of it but the last write, which is torn in the middle of a byte run
    POWER_SECTORS, //  Each 512 bytes of it as `seed` says
    POWER_MODES
} power_t;
//  Leave only what a power cut leaves, and work again.
void memdisk_power_on (memdisk_t *self, power_t mode, uint64_t seed);

//  Files, to look at and to spoil: what is read is what is changed. NULL: no such number.
//  Ordered by name.
typedef struct {
    char name[64];
    uint8_t *bytes;
    size_t size;
} memfile_t;
memfile_t *memdisk_file (memdisk_t *self, size_t index);
void memdisk_set (memdisk_t *self, const char *name, const void *bytes, size_t size);
void memdisk_remove (memdisk_t *self, const char *name);
//  A disk with the same files, all synced.
memdisk_t *memdisk_copy (memdisk_t *self);

#endif
