//  host/host.h - the plugins of a site: loaded, called, kept apart from each other.
//
//  Each instance has a thread of its own; calls to it never overlap. Between the loop and
//  the instances only messages travel. A push walks: HTTP -> receive -> journal -> reply;
//  an event that is owed: delivery -> encode -> HTTP -> decode -> journal.

#ifndef PARKBUS_HOST_HOST_H
#define PARKBUS_HOST_HOST_H

#include "bus/bus.h"
#include "charge/quote.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "http/client.h"
#include "http/server.h"
#include "ledger/ledger.h"

typedef struct host host_t;

//  What the journal says of plugins: natural keys of pushes and of money, remembered
//  values, last states. Made before the journal is opened, folded while it is.
typedef struct host_memory host_memory_t;
host_memory_t *host_memory_new (const char *data_dir, pb_error_t *error);
void host_memory_destroy (host_memory_t **self_p);
void host_memory_fold (host_memory_t *self, const journal_record_t *record);

typedef struct {
    const config_t *config;
    zloop_t *loop;
    timers_t *timers;
    bus_t *bus;
    journal_t *journal;
    ledger_t *ledger;
    quoting_t *quoting;
    deliveries_t *deliveries;
    host_memory_t *memory;
} host_options_t;

//  Loads every enabled instance; one that cannot be stays off with a sentence while the
//  rest runs. NULL with *error only when http.listen cannot be used.
host_t *host_new (const host_options_t *options, pb_error_t *error);
//  Ends what is under way with platforms, and delivery. The bus may end after it: calls
//  that platforms wait for are then answered. host_destroy comes last.
void host_stop (host_t *self);
void host_destroy (host_t **self_p);

//  New events are durable.
void host_wake (host_t *self);
int host_http_port (const host_t *self);

//  Load and create every enabled instance and let it go again, without a journal or a
//  network: `parkbusd --check`. Says one sentence for each that would stay off; returns how
//  many.
unsigned host_check (const config_t *config,
                     void (*say) (void *arg, const char *sentence), void *arg);

#endif
