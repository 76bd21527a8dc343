//  moment.c - instants to and from text. Days are counted by arithmetic, so neither TZ
//  nor the C library's zone state takes part.

#include "base/moment.h"

#include <stdio.h>
#include <time.h>

#define YEAR_MIN 2000
#define YEAR_MAX 2199
#define DAY_S 86400

typedef struct {
    int year, month, day, hour, minute, second;
} civil_t;

static int64_t
s_clock_ms (clockid_t id)
{
    struct timespec now;
    clock_gettime (id, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
moment_now_ms (void)
{
    return s_clock_ms (CLOCK_REALTIME);
}

int64_t
moment_monotonic_ms (void)
{
    return s_clock_ms (CLOCK_MONOTONIC);
}

//  Days since 1970-01-01. The year is taken to begin in March, so that the leap day is
//  its last; 146,097 days make the calendar's 400 years.
static int64_t
s_days (int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t
s_seconds (const civil_t *civil)
{
    return s_days (civil->year, civil->month, civil->day) * DAY_S + civil->hour * 3600
           + civil->minute * 60 + civil->second;
}

//  The inverse, for instants from the year 0 to 9999; beyond them the nearest of these.
static civil_t
s_civil (int64_t seconds)
{
    const int64_t least = -62135596800, most = 253402300799;
    seconds = seconds < least ? least : seconds > most ? most : seconds;
    int64_t days = (seconds - least) / DAY_S - 719162;
    int64_t rest = seconds - days * DAY_S;
    int64_t since = days + 719468; //  From 0000-03-01
    int64_t era = since / 146097, in_era = since % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    civil_t civil = {
        .day = (int) (in_year - (153 * month + 2) / 5 + 1),
        .month = (int) (month < 10 ? month + 3 : month - 9),
        .hour = (int) (rest / 3600),
        .minute = (int) (rest / 60 % 60),
        .second = (int) (rest % 60),
    };
    civil.year = (int) (era * 400 + year + (civil.month <= 2));
    return civil;
}

//  Does the civil time exist, in the years that parkbus knows?
static bool
s_exists (const civil_t *civil)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (civil->year < YEAR_MIN || civil->year > YEAR_MAX || civil->month < 1
        || civil->month > 12)
        return false;
    bool leap =
        civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
    int length = lengths[civil->month - 1] + (civil->month == 2 && leap);
    return civil->day >= 1 && civil->day <= length && civil->hour <= 23
           && civil->minute <= 59 && civil->second <= 59;
}

//  Read year, month, day, hour, minute, second with these marks between them ("" is
//  none; 'T' also stands for 't'). The caller knows that the text is long enough.
static bool
s_read (const char *p, const char *marks, civil_t *civil)
{
    static const unsigned char digits[] = {4, 2, 2, 2, 2, 2};
    int *const parts[] = {&civil->year, &civil->month,  &civil->day,
                          &civil->hour, &civil->minute, &civil->second};
    for (size_t i = 0; i < ARRAY_SIZE (parts); i++) {
        int sum = 0;
        for (unsigned left = digits[i]; left; left--, p++) {
            if (*p < '0' || *p > '9')
                return false;
            sum = sum * 10 + (*p - '0');
        }
        *parts[i] = sum;
        if (!*marks)
            continue;
        if (*p != *marks && !(*marks == 'T' && *p == 't'))
            return false;
        p++;
        marks++;
    }
    return s_exists (civil);
}

//  "Z" or "+08:00" up to the end; seconds east of UTC.
static bool
s_offset (const char *p, const char *end, int64_t *offset_s)
{
    *offset_s = 0;
    if (end - p == 1)
        return *p == 'Z' || *p == 'z';
    if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':')
        return false;
    for (int i = 1; i < 6; i++)
        if (i != 3 && (p[i] < '0' || p[i] > '9'))
            return false;
    int hours = (p[1] - '0') * 10 + p[2] - '0',
        minutes = (p[4] - '0') * 10 + p[5] - '0';
    if (hours > 23 || minutes > 59)
        return false;
    *offset_s = (hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
    return true;
}

bool
moment_from_rfc3339 (span_t text, pb_time_t *time)
{
    const size_t whole = strlen ("yyyy-mm-ddThh:mm:ss");
    civil_t civil;
    if (text.n < whole + 1 || !s_read (text.p, "--T::", &civil))
        return false;
    const char *p = text.p + whole, *end = text.p + text.n;
    int64_t ms = 0, offset_s;
    if (*p == '.') {
        int digits = 0;
        for (p++; p < end && *p >= '0' && *p <= '9'; p++)
            if (digits++ < 3)
                ms = ms * 10 + (*p - '0');
        if (digits < 1 || digits > 9)
            return false;
        for (; digits < 3; digits++)
            ms *= 10;
    }
    if (!s_offset (p, end, &offset_s))
        return false;
    time->ms = (s_seconds (&civil) - offset_s) * 1000 + ms;
    return true;
}

static int64_t
s_floor_s (int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

void
moment_to_rfc3339 (pb_time_t time, const zone_t *zone, char to[32])
{
    int offset_s = zone ? zone_offset_s (zone, time.ms) : 0;
    int64_t seconds = s_floor_s (time.ms);
    unsigned ms = (unsigned) (time.ms - seconds * 1000) % 1000;
    unsigned minutes = (unsigned) (offset_s < 0 ? -offset_s : offset_s) / 60;
    char date[20], fraction[8] = "";
    moment_to_local (time, zone, false, date);
    date[10] = 'T';
    if (ms)
        snprintf (fraction, sizeof fraction, ".%03u", ms);
    snprintf (to, 32, "%s%s%c%02u:%02u", date, fraction, offset_s < 0 ? '-' : '+',
              minutes / 60 % 24, minutes % 60);
}

bool
moment_from_unix (span_t text, pb_time_t *time)
{
    const civil_t first = {YEAR_MIN, 1, 1, 0, 0, 0},
                  last = {YEAR_MAX + 1, 1, 1, 0, 0, 0};
    int64_t seconds;
    if (text.n != 10 || *text.p == '-'
        || !text_int64 (text, s_seconds (&first), s_seconds (&last) - 1, &seconds))
        return false;
    time->ms = seconds * 1000;
    return true;
}

bool
moment_from_local (span_t text, const zone_t *zone, pb_time_t *time)
{
    civil_t civil;
    bool compact = text.n == strlen ("yyyyMMddHHmmss");
    if ((!compact && text.n != strlen ("yyyy-MM-dd HH:mm:ss"))
        || !s_read (text.p, compact ? "" : "-- ::", &civil))
        return false;
    //  The offsets a day before and after are all that can hold now. An instant is right
    //  when its own offset leads back to the civil time.
    int64_t local_s = s_seconds (&civil), found = 0;
    for (int side = -1; side <= 1; side += 2) {
        int64_t offset_s =
            zone ? zone_offset_s (zone, (local_s + side * DAY_S) * 1000) : 0;
        int64_t at = local_s - offset_s;
        if (zone && zone_offset_s (zone, at * 1000) != offset_s)
            continue;
        if (!found || at < found)
            found = at;
    }
    if (!found)
        return false; //  A change of the clock skipped it
    time->ms = found * 1000;
    return true;
}

void
moment_to_local (pb_time_t time, const zone_t *zone, bool compact, char to[20])
{
    int offset_s = zone ? zone_offset_s (zone, time.ms) : 0;
    civil_t c = s_civil (s_floor_s (time.ms) + offset_s);
    const char *format =
        compact ? "%04u%02u%02u%02u%02u%02u" : "%04u-%02u-%02u %02u:%02u:%02u";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf (to, 20, format, (unsigned) c.year % 10000, (unsigned) c.month % 100,
              (unsigned) c.day % 100, (unsigned) c.hour % 100,
              (unsigned) c.minute % 100, (unsigned) c.second % 100);
#pragma GCC diagnostic pop
}
