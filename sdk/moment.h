//  sdk/moment.h - instants as the bus and the platforms write them.
//
//  The platforms live in China time, which has no summer time: +08:00 throughout.

#ifndef PARKBUS_SDK_MOMENT_H
#define PARKBUS_SDK_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define PB_CHINA_S (8 * 3600) //  East of UTC, seconds
#define PB_MOMENT_SIZE 64

//  RFC 3339 with offset, fraction cut to ms; years 2000 to 2199.
bool pb_moment_read (const char *text, int64_t *ms);
//  "2026-11-21T08:00:00+08:00", with ".123" when there are milliseconds.
void pb_moment_write (int64_t ms, int offset_s, char to[PB_MOMENT_SIZE]);

#endif
