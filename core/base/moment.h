//  base/moment.h - instants: RFC 3339, Unix seconds, the platforms' local forms.

#ifndef PARKBUS_BASE_MOMENT_H
#define PARKBUS_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

typedef struct {
    int64_t ms; //  Since 1970-01-01 UTC; 0 is not known
} pb_time_t;

//  A zone from the system's zoneinfo, or fixed Asia/Shanghai (+08:00) when absent there.
//  NULL with *error when the name is unknown. Zones are never freed; safe over threads.
typedef struct zone zone_t;
const zone_t *zone_find (const char *name);
int zone_offset_s (const zone_t *self, int64_t ms); //  East of UTC, at that instant

int64_t moment_now_ms (void);       //  Wall clock
int64_t moment_monotonic_ms (void); //  For deadlines

//  RFC 3339 with offset ("Z", "+08:00"), fraction of 1 to 9 digits cut to ms. Years 2000
//  to 2199; no leap seconds (":60" is refused).
bool moment_from_rfc3339 (span_t text, pb_time_t *time);
//  "2026-11-21T08:00:00.123+08:00" into at least 32 bytes; without ".123" when 0 ms.
void moment_to_rfc3339 (pb_time_t time, const zone_t *zone, char to[32]);
//  10 digits.
bool moment_from_unix (span_t text, pb_time_t *time);
//  "yyyy-MM-dd HH:mm:ss" and "yyyyMMddHHmmss" in a zone. A local time that a change of
//  the clock skips is refused; one that comes twice is the first.
bool moment_from_local (span_t text, const zone_t *zone, pb_time_t *time);
void moment_to_local (pb_time_t time, const zone_t *zone, bool compact, char to[20]);

#endif
