//  journal/verify.h - journal_verify on any disk, for tests.

#ifndef PARKBUS_JOURNAL_VERIFY_H
#define PARKBUS_JOURNAL_VERIFY_H

#include "journal/journal.h"

bool verify_on (const journal_disk_t *disk, const char *dir, journal_summary_t *summary,
                pb_error_t *error);

#endif
