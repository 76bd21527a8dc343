//  pages.h - the journal read through FETCH, page by page.

#ifndef PARKBUS_TOOLS_PAGES_H
#define PARKBUS_TOOLS_PAGES_H

#include "cli.h"
#include "wire.h"

//  What to ask FETCH for, and what its answer said of the journal.
typedef struct {
    uint64_t from;      //  In: 0 when `last` is given. Out: the next to ask for
    uint64_t last;      //  In: the newest n that match; 0: not asked for
    uint64_t max;       //  In: events of this page at most
    uint64_t wait_ms;   //  In: how long an empty page may wait for the first event
    const char *filter; //  In: JSON array
    uint64_t head, first;
} page_t;

#define PAGE_EVENTS 1000

//  Takes one event; false: enough.
typedef bool (page_each_t) (void *arg, uint64_t seq, zframe_t *event);

//  One page. False with *error.
bool page_fetch (wire_t *wire, page_t *page, page_each_t *each, void *arg,
                 wire_error_t *error);

//  The filters of a command's words as JSON; [">"] when there are none. False after
//  saying which is wrong.
bool page_filters (const cli_t *cli, size_t first_word, buffer_t *json);

#endif
