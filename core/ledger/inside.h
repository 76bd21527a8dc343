//  ledger/inside.h - what the files of the ledger share.

#ifndef PARKBUS_LEDGER_INSIDE_H
#define PARKBUS_LEDGER_INSIDE_H

#include "ledger/ledger.h"
#include <czmq.h>
#undef streq //  czmq's macro hides ours, which may be given NULL

struct ledger {
    zhashx_t *bindings; //  "instance|lot|scope|who" -> binding
    size_t unbound;     //  Removed ones among them, at most
    zhashx_t *lanes;    //  "lot/lane" -> seq of its newest lane.waiting
    zhashx_t *spaces;   //  "lot" -> free spaces
    journal_t *journal;
    journal_reader_t *reader;
};

#endif
