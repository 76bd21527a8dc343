//  moment.c - instants as the bus and the platforms write them.

#include <stdio.h>
#include <string.h>
#include "sdk/moment.h"

//  Days since 1970-01-01 of a date of the Gregorian calendar, and back. Years begin in
//  March, so that the leap day comes last.
static int64_t
s_days (int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static void
s_date (int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097, of_era = z % 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int) (of_year - (153 * m + 2) / 5 + 1);
    *month = (int) (m < 10 ? m + 3 : m - 9);
    *year = (int) (era * 400 + y + (*month <= 2));
}

static int
s_month_days (int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

//  Exactly `count` digits; -1 when they are not there.
static int
s_number (const char **at, int count)
{
    int number = 0;
    for (; count; count--, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        number = number * 10 + (**at - '0');
    }
    return number;
}

static bool
s_take (const char **at, const char *any)
{
    bool there = **at && strchr (any, **at);
    *at += there;
    return there;
}

//  ".123456" cut to milliseconds.
static bool
s_fraction (const char **at, int *ms)
{
    *ms = 0;
    if (!s_take (at, "."))
        return true;
    int digits = 0;
    for (int scale = 100; **at >= '0' && **at <= '9'; (*at)++, digits++, scale /= 10)
        *ms += (**at - '0') * scale;
    return digits >= 1 && digits <= 9;
}

static bool
s_offset (const char **at, int *offset_s)
{
    *offset_s = 0;
    if (s_take (at, "Zz"))
        return true;
    bool west = **at == '-';
    if (!s_take (at, "+-"))
        return false;
    int hours = s_number (at, 2);
    bool colon = hours >= 0 && s_take (at, ":");
    int minutes = colon ? s_number (at, 2) : -1;
    *offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

//  "-MM-dd" style parts: a separator, then two digits.
static int
s_part (const char **at, const char *separator)
{
    return s_take (at, separator) ? s_number (at, 2) : -1;
}

bool
pb_moment_read (const char *text, int64_t *ms)
{
    const char *at = text ? text : "";
    int year = s_number (&at, 4);
    int month = year < 0 ? -1 : s_part (&at, "-");
    int day = month < 0 ? -1 : s_part (&at, "-");
    int hour = day < 0 ? -1 : s_part (&at, "Tt ");
    int minute = hour < 0 ? -1 : s_part (&at, ":");
    int second = minute < 0 ? -1 : s_part (&at, ":");
    int fraction = 0, offset_s = 0;
    if (second < 0 || !s_fraction (&at, &fraction) || !s_offset (&at, &offset_s) || *at)
        return false;
    if (year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1
        || day > s_month_days (year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t seconds = s_days (year, month, day) * 86400 + hour * 3600 + minute * 60
                      + second - offset_s;
    *ms = seconds * 1000 + fraction;
    return true;
}

void
pb_moment_write (int64_t ms, int offset_s, char to[PB_MOMENT_SIZE])
{
    int64_t local = ms + (int64_t) offset_s * 1000;
    int64_t days = local / 86400000, rest = local % 86400000;
    if (rest < 0) {
        days--;
        rest += 86400000;
    }
    int year, month, day;
    s_date (days, &year, &month, &day);
    char fraction[8] = "";
    if (rest % 1000)
        snprintf (fraction, sizeof fraction, ".%03d", (int) (rest % 1000));
    int second = (int) (rest / 1000);
    int east = offset_s < 0 ? -offset_s : offset_s;
    snprintf (to, PB_MOMENT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%s%c%02d:%02d",
              year % 10000, month, day, second / 3600, second / 60 % 60, second % 60,
              fraction, offset_s < 0 ? '-' : '+', east / 3600 % 24, east / 60 % 60);
}
