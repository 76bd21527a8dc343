//  site.h - journal, bus and ledger of one site in a folder of its own, driven step by step.
//
//  The clock for deadlines is the test's (site_skip): link with
//  -Wl,--wrap=moment_monotonic_ms. The disk is too: nothing is really synced, and a sync
//  can be held up or made to fail.

#ifndef PARKBUS_TESTS_SITE_H
#define PARKBUS_TESTS_SITE_H

#include "bus/bus.h"
#include "delivery/delivery.h"
#include "ledger/ledger.h"

typedef struct {
    char dir[256];
    zloop_t *loop;
    timers_t *timers;
    journal_t *journal;
    ledger_t *ledger;
    deliveries_t *deliveries;
    bus_t *bus;
    uint64_t durable; //  Events told as durable
} site_t;

//  A new folder, an empty journal. Lots are north and south; "cmb" and "parkbus" are
//  reserved sources. Ends the program when it cannot.
void site_open (site_t *self);
void site_end (site_t *self);    //  Closed; the folder stays
void site_reopen (site_t *self); //  After site_end
void site_close (site_t *self);  //  Closed, the folder removed
//  What a power cut now would leave: `copy` is another site, not open, with the same files.
void site_copy (const site_t *self, site_t *copy);

//  A sync waits while the gate is closed. Failing: each sync says EIO.
void site_gate (bool closed);
void site_fail (bool failing);

void site_turn (site_t *self); //  The loop runs for a millisecond
void site_sync (site_t *self); //  All that was appended is durable, told and settled
void site_skip (site_t *self, int64_t ms); //  The clock goes on; what is due is called

//  Parkbus says an event: the members between the braces. Its seq; 0: refused.
uint64_t site_say (site_t *self, const char *members, ...)
    __attribute__ ((format (printf, 2, 3)));

//  ------------------------------------------------------------------ programs

typedef struct {
    site_t *site;
    zsock_t *socket;
    char *heard;
} client_t;

client_t *client_new (site_t *site);                     //  DEALER at the commands
client_t *client_listen (site_t *site, const char *sub); //  SUB at the events
void client_destroy (client_t **self_p);
//  PB1 and these texts, up to a NULL.
void client_send (client_t *self, ...) __attribute__ ((sentinel));
//  The next message, PB1 left out, its frames joined by '|'. "" when none comes.
const char *client_hear (client_t *self);
//  Send and hear the answer.
#define client_ask(self, ...) \
    (client_send (self, __VA_ARGS__, NULL), client_hear (self))
//  Nothing comes in twenty turns of the loop.
bool client_silent (client_t *self);

//  Does `text` begin with, or contain, this?
bool begins (const char *text, const char *with);
bool contains (const char *text, const char *part);

#endif
