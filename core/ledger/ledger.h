//  ledger/ledger.h - what the journal says of visits, bindings and lanes.
//
//  A fold of the journal: it is given every event once, when it is appended or found at
//  opening, and can be thrown away and made again. Visits are not kept in memory at all:
//  each event names the one before it in its visit, so a visit is read from the journal
//  when it is asked for.

#ifndef PARKBUS_LEDGER_LEDGER_H
#define PARKBUS_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/plate.h"
#include "journal/journal.h"
#include "schema/event.h"

typedef struct ledger ledger_t;

ledger_t *ledger_new (void);
void ledger_destroy (ledger_t **self_p);

//  One event, in order of seq.
void ledger_fold (ledger_t *self, const event_t *event, uint64_t seq);
//  Questions about visits and lanes read the journal, so they come after this.
void ledger_attach (ledger_t *self, journal_t *journal);

//  ------------------------------------------------------------------ visits

typedef struct {
    char source[65]; //  Instance or program that said it
    char payment[65];
    char tender[24];
    char paid_at[40]; //  RFC 3339; "" not known
    int64_t amount_fen, refunded_fen, paid_at_ms;
    bool person; //  Taken by a person: cash
} ledger_payment_t;

typedef struct {
    bool entered, left;
    char plate[PB_PLATE_MAX + 1];
    char plate_color[24];
    char lane_in[33];
    char entered_at[40]; //  RFC 3339 as recorded; "" not known
    int64_t entered_at_ms;
    char quote[65]; //  Newest; "" none
    int64_t quote_total_fen, quote_due_fen;
    char picture_in[256], picture_out[256];
    ledger_payment_t *payments; //  Oldest first
    size_t payments_count;
} ledger_visit_t;

//  Everything known of a visit. False: no event of it is known.
bool ledger_visit (ledger_t *self, span_t lot, span_t visit, ledger_visit_t *facts);
void ledger_visit_clear (ledger_visit_t *facts);
//  Captured less refunded.
int64_t ledger_held_fen (const ledger_visit_t *facts);

//  The data of an out.recorded with what the site's program left out and parkbus knows:
//  entered_at, lane_in, payments. malloc'd JSON.
char *ledger_complete_exit (ledger_t *self, const event_t *event);

//  ------------------------------------------------------------------ lanes, spaces

//  The car that waits at a lane. False: none does. Either text may come out "".
bool ledger_at_lane (ledger_t *self, span_t lot, span_t lane, char visit[49],
                     char plate[PB_PLATE_MAX + 1]);
//  Free spaces of a whole lot, newest; -1 not known.
int64_t ledger_spaces_free (ledger_t *self, span_t lot);

//  ------------------------------------------------------------------ bindings

//  Would this bind.added or bind.removed change anything? (They are said on change only.)
bool ledger_binding_changes (ledger_t *self, const event_t *event);
//  Seq of the newest event about the binding that this one speaks of; 0: none known.
uint64_t ledger_binding_seq (ledger_t *self, const event_t *event);

#endif
