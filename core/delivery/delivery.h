//  delivery/delivery.h - what each instance is owed, in order per visit, until it is done.
//
//  One delivery_t per instance. It reads the journal forward from where its progress says,
//  keeps a window of what is not done yet, and decides when what is carried; how (encode,
//  HTTP, decode) is the business of whoever made it. Progress is a record of the journal,
//  at most 100 ms old, so a kill repeats at most the last few. Architecture, "Delivery".

#ifndef PARKBUS_DELIVERY_DELIVERY_H
#define PARKBUS_DELIVERY_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/timers.h"
#include "bus/bus.h"
#include "journal/journal.h"
#include "parkbus/plugin.h"

//  ------------------------------------------------------------------ what is remembered

//  Progress and set-aside deliveries of all instances, folded from the journal.
typedef struct deliveries deliveries_t;
deliveries_t *deliveries_new (void);
void deliveries_destroy (deliveries_t **self_p);
//  Any record of the journal, found at opening.
void deliveries_fold (deliveries_t *self, const journal_record_t *record);

//  ------------------------------------------------------------------ one instance

typedef struct delivery delivery_t;

typedef struct {
    const char *instance;
    bus_t *bus;
    journal_t *journal;
    timers_t *timers;
    deliveries_t *memory;
    unsigned in_flight; //  At once; 0: 8
    //  Is this event the instance's? (type, lot, source)
    bool (*takes) (void *arg, const event_t *event);
    //  Carry it to the platform; delivery_done follows, perhaps inside the call.
    void (*carry) (void *arg, uint64_t seq);
    //  The platform does not answer as it should (sentence), or does again (NULL; also at
    //  the first success after the start, for what was before).
    void (*state) (void *arg, const char *sentence);
    void *arg;
} delivery_options_t;

//  Starts at once. The first time ever it notes in the journal from which event on the
//  instance is owed something.
delivery_t *delivery_new (const delivery_options_t *options);
void delivery_destroy (delivery_t **self_p);

//  New events are durable.
void delivery_wake (delivery_t *self);

//  What became of one that was carried. `sentence` may be NULL.
void delivery_done (delivery_t *self, uint64_t seq, pb_result_t result,
                    const char *code, const char *sentence, uint64_t retry_after_s);

typedef struct {
    uint64_t done, duplicates, unsupported, dropped, retries, aside;
    size_t owed;     //  In the window, not done
    uint64_t behind; //  Events of the journal not looked at yet
} delivery_counts_t;
delivery_counts_t delivery_counts (const delivery_t *self);

#endif
