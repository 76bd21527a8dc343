//  journal/pages.h - memory that costs nothing until it is touched.

#ifndef PARKBUS_JOURNAL_PAGES_H
#define PARKBUS_JOURNAL_PAGES_H

#include <stddef.h>

//  Zeroed. Memory running out ends the process with a sentence (xmalloc's rule).
void *pages_new (size_t size);
void pages_free (void *pages, size_t size);
//  Zero bytes [from, to), giving whole pages back to the system.
void pages_empty (void *pages, size_t from, size_t to);

#endif
