//  journal/topics.h - topic to its newest seq.

#ifndef PARKBUS_JOURNAL_TOPICS_H
#define PARKBUS_JOURNAL_TOPICS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

#define TOPICS_MAX 100000

typedef struct topics topics_t;

topics_t *topics_new (void);
void topics_destroy (topics_t **self_p);
//  0: never seen.
uint64_t topics_seq (const topics_t *self, span_t topic);
//  The place of a topic's seq, made (0) when it is new; NULL: TOPICS_MAX are known.
//  Lives until the next call.
uint64_t *topics_place (topics_t *self, span_t topic);
void topics_visit (const topics_t *self,
                   void (*visit) (void *arg, span_t topic, uint64_t seq), void *arg);

#endif
