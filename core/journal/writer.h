//  journal/writer.h - the thread that writes and syncs groups, and nothing else.

#ifndef PARKBUS_JOURNAL_WRITER_H
#define PARKBUS_JOURNAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include "journal/gather.h"

typedef struct writer writer_t;

//  Goes on in an open segment at `end`; fd becomes the writer's. Event_fd is written when
//  a group has ended, well or not. All else is borrowed and outlives it.
typedef struct {
    const journal_disk_t *disk;
    const char *dir;
    int fd;
    uint32_t number;
    uint64_t first_seq;
    uint64_t capacity, end, zeroed;
    int event_fd;
} writer_start_t;

writer_t *writer_new (const writer_start_t *start);
//  Ends after what it has been given.
void writer_destroy (writer_t **self_p);

//  Only when all that it was given before is durable. The gather must stay as it is until
//  its last group is durable or the writer has failed.
void writer_give (writer_t *self, gather_t *work);
//  All groups up to this one are on disk. Any thread.
uint64_t writer_durable (const writer_t *self);
//  The sentence of the error that ended writing; NULL is well. Any thread.
const char *writer_failed (const writer_t *self);

//  Make a segment file, with its head on disk and in the directory; the descriptor, or -1
//  with errno. *zeroed: bytes written.
int segment_create (const journal_disk_t *disk, const char *dir,
                    const segment_head_t *head, uint64_t *zeroed);

#endif
