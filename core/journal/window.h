//  journal/window.h - hash to seq over the last so many events, in memory of fixed size.
//
//  The seqs are cut into generations of equal length; each has a table of its own, and the
//  oldest table is emptied for the newest generation. Nothing grows, nothing is moved. A
//  hit is a candidate only: the caller looks at the record.

#ifndef PARKBUS_JOURNAL_WINDOW_H
#define PARKBUS_JOURNAL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct window window_t;

//  Holds at least the last `events` seqs. Takes 8 / 0.75 * 1.25 bytes for each, as they
//  are first touched.
window_t *window_new (uint64_t events);
void window_destroy (window_t **self_p);

//  Seqs come in ascending order.
void window_add (window_t *self, uint64_t hash, uint64_t seq);
//  The newest seq for something whose newest one so far was `old` (0: none): takes the
//  place of `old` where that is of the same generation, so that what comes often does not
//  fill the table.
void window_renew (window_t *self, uint64_t hash, uint64_t old, uint64_t seq);
//  The newest seq under `hash` that `is` confirms; 0: none.
uint64_t window_find (const window_t *self, uint64_t hash,
                      bool (*is) (void *arg, uint64_t seq), void *arg);
//  Tell the processor that `hash` will be looked for.
void window_expect (const window_t *self, uint64_t hash);

#endif
