//  charge/quote.h - what a car owes: the service fee.quote and the event fee.quoted.
//
//  The billing program answers; parkbus stands in between. It tells billing what it holds
//  for the visit, checks the answer, names a quote that has no name, lowers `due` where
//  billing has not booked a payment yet, and journals every quote found before anybody
//  sees it. Contract section 6.

#ifndef PARKBUS_CHARGE_QUOTE_H
#define PARKBUS_CHARGE_QUOTE_H

#include "bus/bus.h"
#include "ledger/ledger.h"

typedef struct quoting quoting_t;

typedef struct {
    bus_t *bus;
    ledger_t *ledger;
    //  The lot's leave_within in seconds, for an answer that has none.
    int64_t (*leave_within_s) (void *arg, const char *lot);
    void *arg;
} quoting_options_t;

//  From then on fee.quote goes through here.
quoting_t *quoting_new (const quoting_options_t *options);
void quoting_destroy (quoting_t **self_p);

//  Ask for a quote on behalf of a plugin. As bus_ask.
void quoting_ask (quoting_t *self, const bus_question_t *question,
                  bus_answer_fn *answer, void *arg);

#endif
