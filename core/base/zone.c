//  zone.c - time zones from the system's zoneinfo (RFC 8536), read once, never changed.
//
//  The C library knows one zone per process, TZ; a hub has one per lot.

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/moment.h"

#define FILE_MAX (256 * 1024)
#define DAY_S 86400

//  When summer time begins or ends each year, as the footer of the file has it.
typedef struct {
    char form; //  'M' month.week.day, 'J' day without leap day, 'N' day from 0
    int month, week, day; //  Of 'M'; the others use day
    int64_t time_s;       //  Local time of that day
} change_t;

struct zone {
    zone_t *next;
    char name[64];
    size_t count; //  Transitions: from at_s[i] on, offset_s[i] holds
    int64_t *at_s;
    int32_t *offset_s;
    int32_t first_s; //  Before them all
    //  After the last: standard, and summer time between `begin` and `end`.
    bool ruled, summer;
    int32_t standard_s, summer_s;
    change_t begin, end;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static zone_t *zones;

static int64_t
s_big_endian (const unsigned char *p, int bytes)
{
    uint64_t sum = p[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < bytes; i++)
        sum = sum << 8 | p[i];
    return (int64_t) sum;
}

//  ------------------------------------------------------------ the footer

static bool
s_number (const char **p, int max, int *value)
{
    *value = 0;
    const char *first = *p;
    for (; **p >= '0' && **p <= '9' && *p - first < 4; (*p)++)
        *value = *value * 10 + (**p - '0');
    return *p > first && *value <= max;
}

//  [+-]hh[:mm[:ss]] in seconds.
static bool
s_clock (const char **p, int64_t *seconds)
{
    int parts[3] = {0}, sign = **p == '-' ? -1 : 1;
    if (**p == '-' || **p == '+')
        (*p)++;
    if (!s_number (p, 167, &parts[0]))
        return false;
    for (int i = 1; i < 3 && **p == ':'; i++) {
        (*p)++;
        if (!s_number (p, 59, &parts[i]))
            return false;
    }
    *seconds = sign * (parts[0] * INT64_C (3600) + parts[1] * 60 + parts[2]);
    return true;
}

static bool
s_abbreviation (const char **p)
{
    const char *first = *p;
    if (**p == '<') {
        while (**p && **p != '>')
            (*p)++;
        return *(*p)++ == '>';
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        (*p)++;
    return *p - first >= 3;
}

//  ",M3.2.0/2", ",J60", ",59"
static bool
s_change (const char **p, change_t *change)
{
    *change = (change_t){.time_s = 7200};
    if (*(*p)++ != ',')
        return false;
    change->form = **p == 'M' || **p == 'J' ? *(*p)++ : 'N';
    if (change->form == 'M') {
        if (!s_number (p, 12, &change->month) || *(*p)++ != '.'
            || !s_number (p, 5, &change->week) || *(*p)++ != '.'
            || !s_number (p, 6, &change->day) || !change->month || !change->week)
            return false;
    } else if (!s_number (p, 365, &change->day))
        return false;
    if (**p != '/')
        return true;
    (*p)++;
    return s_clock (p, &change->time_s);
}

//  "CST-8", "EST5EDT,M3.2.0,M11.1.0": POSIX counts west of Greenwich.
static bool
s_footer (zone_t *self, const char *p)
{
    int64_t west_s;
    if (!s_abbreviation (&p) || !s_clock (&p, &west_s))
        return false;
    self->standard_s = (int32_t) -west_s;
    self->ruled = true;
    if (!*p)
        return true;
    west_s -= 3600;
    if (!s_abbreviation (&p) || (*p != ',' && !s_clock (&p, &west_s)))
        return false;
    self->summer_s = (int32_t) -west_s;
    self->summer = true;
    return s_change (&p, &self->begin) && s_change (&p, &self->end) && !*p;
}

//  Days since 1970 of January 1st.
static int64_t
s_new_year (int64_t year)
{
    int64_t before = year - 1;
    return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

//  Local seconds since 1970 at which the change happens in that year.
static int64_t
s_change_s (const change_t *self, int64_t year)
{
    static const int starts[] = {0,   31,  59,  90,  120, 151, 181,
                                 212, 243, 273, 304, 334, 365};
    bool leap = s_new_year (year + 1) - s_new_year (year) == 366;
    int64_t day = s_new_year (year);
    if (self->form == 'N')
        day += self->day;
    else if (self->form == 'J')
        day += self->day - 1 + (leap && self->day >= 60);
    else {
        int64_t first = day + starts[self->month - 1] + (leap && self->month > 2);
        int64_t next = day + starts[self->month] + (leap && self->month > 1);
        //  1970-01-01 was a Thursday.
        day = first + (self->day - (first + 4) % 7 + 7) % 7 + (self->week - 1) * 7;
        if (day >= next)
            day -= 7;
    }
    return day * DAY_S + self->time_s;
}

static int32_t
s_ruled_offset (const zone_t *self, int64_t at_s)
{
    if (!self->summer)
        return self->standard_s;
    int64_t year = 1970 + (at_s + self->standard_s) / 31556952;
    while (s_new_year (year + 1) * DAY_S <= at_s + self->standard_s)
        year++;
    while (s_new_year (year) * DAY_S > at_s + self->standard_s)
        year--;
    int64_t begin = s_change_s (&self->begin, year) - self->standard_s;
    int64_t end = s_change_s (&self->end, year) - self->summer_s;
    bool summer = begin < end ? at_s >= begin && at_s < end //  North
                              : at_s >= begin || at_s < end;
    return summer ? self->summer_s : self->standard_s;
}

//  ------------------------------------------------------------ the file

typedef struct {
    size_t isutc, isstd, leap, times, types, chars;
} header_t;

static bool
s_header (const unsigned char *p, size_t size, header_t *header)
{
    if (size < 44 || memcmp (p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    size_t *counts[] = {&header->isutc, &header->isstd, &header->leap,
                        &header->times, &header->types, &header->chars};
    for (size_t i = 0; i < ARRAY_SIZE (counts); i++) {
        int64_t count = s_big_endian (p + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_MAX)
            return false;
        *counts[i] = (size_t) count;
    }
    return header->types > 0;
}

static size_t
s_body (const header_t *h, size_t word)
{
    return h->times * (word + 1) + h->types * 6 + h->chars + h->leap * (word + 4)
           + h->isstd + h->isutc;
}

//  Version 2 and above: the first block, in 32 bits, is skipped.
static bool
s_parse (zone_t *self, const unsigned char *p, size_t size)
{
    header_t h;
    if (!s_header (p, size, &h) || size - 44 < s_body (&h, 4))
        return false;
    size_t skip = 44 + s_body (&h, 4);
    p += skip;
    size -= skip;
    if (!s_header (p, size, &h) || size - 44 < s_body (&h, 8))
        return false;
    const unsigned char *times = p + 44, *which = times + 8 * h.times,
                        *types = which + h.times;
    self->count = h.times;
    self->at_s = xcalloc (h.times, sizeof *self->at_s);
    self->offset_s = xcalloc (h.times, sizeof *self->offset_s);
    self->first_s = (int32_t) s_big_endian (types, 4);
    for (size_t i = 0; i < h.times; i++) {
        if (which[i] >= h.types)
            return false;
        self->at_s[i] = s_big_endian (times + 8 * i, 8);
        self->offset_s[i] = (int32_t) s_big_endian (types + 6 * which[i], 4);
    }
    //  Between two line ends, the rule for what comes after.
    size_t at = 44 + s_body (&h, 8);
    char footer[128];
    if (at >= size || p[at] != '\n')
        return false;
    const unsigned char *end = memchr (p + at + 1, '\n', size - at - 1);
    if (!end
        || !span_copy ((span_t){(const char *) p + at + 1, (size_t) (end - p) - at - 1},
                       footer, sizeof footer))
        return false;
    return !*footer || s_footer (self, footer);
}

static bool
s_load (zone_t *self)
{
    const char *dir = getenv ("TZDIR"); //  As the C library has it
    char path[1024];
    snprintf (path, sizeof path, "%s/%s", dir && *dir ? dir : "/usr/share/zoneinfo",
              self->name);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    unsigned char *bytes = xmalloc (FILE_MAX);
    size_t size = 0;
    ssize_t got;
    while (size < FILE_MAX && (got = read (fd, bytes + size, FILE_MAX - size)) > 0)
        size += (size_t) got;
    close (fd);
    bool good = s_parse (self, bytes, size);
    free (bytes);
    return good;
}

//  What can be had without tzdata.
static bool
s_fixed (zone_t *self)
{
    static const struct {
        const char *name;
        int32_t offset_s;
    } fixed[] = {
        {"Asia/Shanghai", 8 * 3600},
        {"UTC",           0       },
    };
    for (size_t i = 0; i < ARRAY_SIZE (fixed); i++) {
        if (!streq (self->name, fixed[i].name))
            continue;
        self->count = 0;
        self->first_s = fixed[i].offset_s;
        self->ruled = self->summer = false;
        return true;
    }
    return false;
}

//  "Asia/Shanghai"; never a path out of the folder.
static bool
s_named (const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_+-/";
    return *name && *name != '/' && strlen (name) < sizeof ((zone_t *) 0)->name
           && name[strspn (name, letters)] == 0;
}

const zone_t *
zone_find (const char *name)
{
    if (!name || !s_named (name))
        return NULL;
    pthread_mutex_lock (&lock);
    zone_t *self = zones;
    while (self && !streq (self->name, name))
        self = self->next;
    if (!self) {
        self = xcalloc (1, sizeof *self);
        span_copy (SPAN (name), self->name, sizeof self->name);
        if (s_load (self) || s_fixed (self)) {
            self->next = zones;
            zones = self;
        } else {
            free (self->at_s);
            free (self->offset_s);
            free (self);
            self = NULL;
        }
    }
    pthread_mutex_unlock (&lock);
    return self;
}

int
zone_offset_s (const zone_t *self, int64_t ms)
{
    int64_t at_s = ms / 1000 - (ms % 1000 < 0);
    if (self->count == 0 || at_s >= self->at_s[self->count - 1]) {
        if (self->ruled)
            return s_ruled_offset (self, at_s);
        return self->count ? self->offset_s[self->count - 1] : self->first_s;
    }
    //  The last transition at or before the instant.
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? self->offset_s[low - 1] : self->first_s;
}
