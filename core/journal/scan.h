//  journal/scan.h - walk one segment file record by record and judge what is found.

#ifndef PARKBUS_JOURNAL_SCAN_H
#define PARKBUS_JOURNAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/format.h"

typedef enum {
    SCAN_CLEAN,    //  Ends with a group, zeros follow
    SCAN_SEALED,   //  Ends with a SEAL
    SCAN_TORN,     //  After the last group comes something that was never promised
    SCAN_HEADLESS, //  No head and nothing else: it was just being made
    SCAN_DAMAGED,  //  Promised records are not what was written
    SCAN_NEWER,    //  A later format
    SCAN_ERROR     //  The disk said errno `error`
} scan_state_t;

typedef struct {
    //  Set by the caller.
    const journal_disk_t *disk;
    const char *path;
    uint64_t seq; //  Newest event before this segment
    //  Called for each whole group, its COMMIT included, and for a SEAL.
    void (*group) (void *arg, const uint8_t *bytes, uint64_t offset, size_t size);
    void *arg;
    //  Found.
    segment_head_t head;
    uint64_t last;       //  Where the last group begins; 0: there is none
    uint64_t end;        //  Behind the last group or SEAL
    uint64_t bad;        //  SCAN_DAMAGED: where; SCAN_TORN: first that is not sound
    uint64_t tail;       //  SCAN_TORN: bytes from `end` to the last that is not zero
    uint64_t sealed_seq; //  SCAN_SEALED: first of the next segment
    uint32_t version;    //  SCAN_NEWER
    int error;
    //  Its own.
    int fd;
    uint8_t *bytes; //  Of the file, from `from` on
    size_t room, have;
    uint64_t from;
    uint64_t group_count;
} scan_t;

//  Reads all of it. `seq` is moved on to the newest event found. The descriptor is open
//  until scan_close.
scan_state_t scan_segment (scan_t *self);
//  Keeps memory for the next segment: scan_close, then set path, then scan_segment.
void scan_close (scan_t *self);
void scan_free (scan_t *self);

#endif
