//  delivery/inside.h - what the files of the delivery share.

#ifndef PARKBUS_DELIVERY_INSIDE_H
#define PARKBUS_DELIVERY_INSIDE_H

#include "delivery/delivery.h"

#define WINDOW 1000 //  Deliveries of an instance that are looked at together

//  What the journal says of one instance.
typedef struct memory memory_t;
struct memory {
    memory_t *next;
    char *instance;
    bool known;    //  Was enabled before
    uint64_t from; //  Everything before it is done but for `owed`
    uint64_t *owed;
    size_t owed_count;
    zhashx_t *aside; //  "lot/visit" -> seq of the first that was set aside
    uint64_t aside_count;
};

memory_t *deliveries_of (deliveries_t *self, const char *instance);

//  "north/V1" of an event; "" when it has no visit.
#define VISIT_KEY 96
void delivery_visit_key (const event_t *event, char key[VISIT_KEY]);

//  Records for the journal. Owned by the caller: buffer_free.
void delivery_write_progress (buffer_t *json, const char *instance, uint64_t from,
                              const uint64_t *owed, size_t count);
void delivery_write_aside (buffer_t *json, const char *instance, const event_t *event,
                           uint64_t seq, const char *code, const char *sentence);

//  Note in memory that the visit of this event has one set aside.
void memory_set_aside (memory_t *self, const char *visit_key, uint64_t seq);

#endif
