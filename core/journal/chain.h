//  journal/chain.h - the segments of a directory, and whether they follow one another.

#ifndef PARKBUS_JOURNAL_CHAIN_H
#define PARKBUS_JOURNAL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "journal/scan.h"

typedef struct {
    uint32_t number;
    uint64_t first_seq;
} segment_name_t;

typedef struct {
    segment_name_t *list; //  By number, without gaps
    size_t count, room;
} segment_list_t;

//  False: PB_E_STORAGE when the directory cannot be read, PB_E_DAMAGED when a segment is
//  missing.
bool segment_list (segment_list_t *self, const journal_disk_t *disk, const char *dir,
                   pb_error_t *error);
void segment_list_free (segment_list_t *self);

//  May what was found in a segment stand? False: *error names the file and the offset.
//  `last`: there is no segment after it.
bool scan_verdict (const scan_t *scan, scan_state_t state, const segment_name_t *name,
                   bool last, const char *dir, pb_error_t *error);

#endif
