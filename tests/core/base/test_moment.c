//  Moments: RFC 3339, Unix seconds, local forms in zones with and without summer time.

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/moment.h"
#include "promise.h"

#define NO INT64_C (-1)
//  2026-11-21T08:00:00+08:00
#define NOON INT64_C (1795219200000)

static const struct {
    const char *promise;
    const char *text;
    int64_t ms;
} rfc3339[] = {
  // clang-format off
    {"an offset counts", "2026-11-21T08:00:00+08:00", NOON},
    {"Z is no offset", "2026-11-21T00:00:00Z", NOON},
    {"nor is -00:00", "2026-11-21T00:00:00-00:00", NOON},
    {"west counts the other way", "2026-11-20T19:30:00-04:30", NOON},
    {"milliseconds", "2026-11-21T08:00:00.123+08:00", NOON + 123},
    {"one digit is tenths", "2026-11-21T08:00:00.5+08:00", NOON + 500},
    {"nine digits are cut", "2026-11-21T08:00:00.123999999+08:00", NOON + 123},
    {"lower case is allowed", "2026-11-21t00:00:00z", NOON},
    {"a leap day", "2028-02-29T00:00:00Z", 1835395200000},
    {"2000 had one", "2000-02-29T00:00:00Z", 951782400000},
    {"the first instant", "2000-01-01T00:00:00Z", 946684800000},
    {"the last second", "2199-12-31T23:59:59Z", 7258118399000},
    {"2100 has no leap day", "2100-02-29T00:00:00Z", NO},
    {"nor has 2026", "2026-02-29T00:00:00Z", NO},
    {"no 31st of April", "2026-04-31T00:00:00Z", NO},
    {"no month 13", "2026-13-01T00:00:00Z", NO},
    {"no month 0", "2026-00-01T00:00:00Z", NO},
    {"no day 0", "2026-01-00T00:00:00Z", NO},
    {"no hour 24", "2026-11-21T24:00:00Z", NO},
    {"no minute 60", "2026-11-21T08:60:00Z", NO},
    {"no leap second", "2026-06-30T23:59:60Z", NO},
    {"an offset is needed", "2026-11-21T08:00:00", NO},
    {"with a colon", "2026-11-21T08:00:00+0800", NO},
    {"and both parts", "2026-11-21T08:00:00+08", NO},
    {"below a day", "2026-11-21T08:00:00+24:00", NO},
    {"with real minutes", "2026-11-21T08:00:00+08:60", NO},
    {"a space is no T", "2026-11-21 08:00:00Z", NO},
    {"a point needs digits", "2026-11-21T08:00:00.Z", NO},
    {"ten digits are too many", "2026-11-21T08:00:00.1234567890Z", NO},
    {"no comma", "2026-11-21T08:00:00,5Z", NO},
    {"seconds are needed", "2026-11-21T08:00Z", NO},
    {"nothing behind", "2026-11-21T00:00:00Z ", NO},
    {"1999 is refused", "1999-12-31T23:59:59Z", NO},
    {"2200 is refused", "2200-01-01T00:00:00Z", NO},
    {"signs are no digits", "2026-+1-21T00:00:00Z", NO},
    {"a date is no instant", "2026-11-21", NO},
    {"nothing is none", "", NO},
  // clang-format on
};

static const struct {
    const char *promise;
    const char *text;
    int64_t ms;
} unix_seconds[] = {
    {"ten digits",             "1795219200",    NOON         },
    {"the last of 2199",       "7258118399",    7258118399000},
    {"2200 is refused",        "7258118400",    NO           },
    {"before 2000 is refused", "0946684799",    NO           },
    {"nine digits are not",    "179521920",     NO           },
    {"nor milliseconds",       "1795219200000", NO           },
    {"nor decimals",           "1795219200.0",  NO           },
    {"nor a minus",            "-179521920",    NO           },
    {"nothing is none",        "",              NO           },
};

static const struct {
    const char *promise;
    const char *zone;
    const char *text;
    int64_t ms;
} locals[] = {
  // clang-format off
    {"Shanghai", "Asia/Shanghai", "2026-11-21 08:00:00", NOON},
    {"Shanghai, compact", "Asia/Shanghai", "20261121080000", NOON},
    {"Shanghai, far away", "Asia/Shanghai", "2150-07-01 08:00:00", 5695920000000},
    {"Urumqi, two hours later", "Asia/Urumqi", "2026-11-21 06:00:00", NOON},
    {"UTC", "UTC", "2026-11-21 00:00:00", NOON},
    {"New York in winter", "America/New_York", "2026-11-20 19:00:00", NOON},
    {"New York in summer", "America/New_York", "2026-07-01 00:00:00", 1782878400000},
    {"summer after the table ends", "America/New_York", "2050-07-01 00:00:00",
     2540260800000},
    {"winter there", "America/New_York", "2050-12-01 00:00:00", 2553483600000},
    {"Sydney's summer is January", "Australia/Sydney", "2050-01-15 11:00:00",
     2525817600000},
    {"skipped by the clock", "America/New_York", "2026-03-08 02:30:00", NO},
    {"just before", "America/New_York", "2026-03-08 01:59:59", 1772953199000},
    {"just after", "America/New_York", "2026-03-08 03:00:00", 1772953200000},
    {"twice: the first", "America/New_York", "2026-11-01 01:30:00", 1793511000000},
    {"half an hour of summer", "Australia/Lord_Howe", "2026-11-21 11:00:00", NOON},
    {"skipped after the table", "America/New_York", "2050-03-13 02:30:00", NO},
    {"twice after the table", "America/New_York", "2050-11-06 01:30:00", 2551325400000},
    {"no T", "Asia/Shanghai", "2026-11-21T08:00:00", NO},
    {"no minutes alone", "Asia/Shanghai", "2026-11-21 08:00", NO},
    {"one form, not both", "Asia/Shanghai", "20261121 080000", NO},
    {"no 30th of February", "Asia/Shanghai", "20260230080000", NO},
    {"no leap second", "Asia/Shanghai", "20261121080060", NO},
    {"nothing is none", "Asia/Shanghai", "", NO},
  // clang-format on
};

static void
s_to_text (void)
{
    const zone_t *shanghai = zone_find ("Asia/Shanghai");
    const zone_t *india = zone_find ("Asia/Kolkata");
    const zone_t *york = zone_find ("America/New_York");
    char text[32], local[20];
    moment_to_rfc3339 ((pb_time_t){NOON + 123}, shanghai, text);
    promise (streq (text, "2026-11-21T08:00:00.123+08:00"), "Shanghai: %s", text);
    moment_to_rfc3339 ((pb_time_t){NOON}, shanghai, text);
    promise (streq (text, "2026-11-21T08:00:00+08:00"), "no fraction of 0: %s", text);
    moment_to_rfc3339 ((pb_time_t){NOON}, india, text);
    promise (streq (text, "2026-11-21T05:30:00+05:30"), "India: %s", text);
    moment_to_rfc3339 ((pb_time_t){NOON}, york, text);
    promise (streq (text, "2026-11-20T19:00:00-05:00"), "New York: %s", text);
    moment_to_rfc3339 ((pb_time_t){NOON}, NULL, text);
    promise (streq (text, "2026-11-21T00:00:00+00:00"), "no zone: %s", text);
    moment_to_rfc3339 ((pb_time_t){-1}, NULL, text);
    promise (streq (text, "1969-12-31T23:59:59.999+00:00"), "before 1970: %s", text);
    moment_to_rfc3339 ((pb_time_t){INT64_MAX}, shanghai, text);
    promise (strlen (text) < 32, "the end of time fits: %s", text);
    moment_to_rfc3339 ((pb_time_t){INT64_MIN}, shanghai, text);
    promise (strlen (text) < 32, "and its beginning: %s", text);
    moment_to_local ((pb_time_t){NOON + 999}, shanghai, false, local);
    promise (streq (local, "2026-11-21 08:00:00"), "local: %s", local);
    moment_to_local ((pb_time_t){NOON + 999}, shanghai, true, local);
    promise (streq (local, "20261121080000"), "compact: %s", local);
}

//  Every day for 200 years, there and back.
static void
s_round_trip (void)
{
    static const char *const names[] = {"Asia/Shanghai", "America/New_York",
                                        "Australia/Sydney", "Europe/Dublin"};
    for (size_t i = 0; i < ARRAY_SIZE (names); i++) {
        const zone_t *zone = zone_find (names[i]);
        bool same = zone != NULL;
        for (int64_t ms = INT64_C (946771200000); same && ms < INT64_C (7258032000000);
             ms += 86400000 + 3600000 * 5) {
            char text[32], local[20];
            pb_time_t back = {0};
            moment_to_rfc3339 ((pb_time_t){ms}, zone, text);
            same = moment_from_rfc3339 (SPAN (text), &back) && back.ms == ms;
            moment_to_local ((pb_time_t){ms}, zone, true, local);
            //  An hour that comes twice is the first one.
            same = same && moment_from_local (SPAN (local), zone, &back)
                   && (back.ms == ms || back.ms == ms - 3600000);
            if (!same)
                printf ("# %s %s\n", names[i], text);
        }
        promise (same, "%s, there and back for 200 years", names[i]);
    }
}

//  Against the C library, in a process of its own zone: the one reference at hand.
static void
s_like_libc (void)
{
    static const char *const names[] = {"Asia/Shanghai",       "America/New_York",
                                        "Australia/Lord_Howe", "America/Sao_Paulo",
                                        "Africa/Casablanca",   "Europe/London"};
    for (size_t i = 0; i < ARRAY_SIZE (names); i++) {
        const zone_t *zone = zone_find (names[i]);
        setenv ("TZ", names[i], 1);
        tzset ();
        bool same = zone != NULL;
        for (time_t at = 946684800; same && at < 4102444800; at += 7 * 3600 + 59) {
            struct tm tm;
            localtime_r (&at, &tm);
            same = zone_offset_s (zone, (int64_t) at * 1000) == (int) tm.tm_gmtoff;
            if (!same)
                printf ("# %s at %lld: libc %ld\n", names[i], (long long) at,
                        tm.tm_gmtoff);
        }
        promise (same, "%s has the C library's offsets to 2100", names[i]);
        unsetenv ("TZ");
        tzset ();
    }
}

static int differs; //  Anything that is not NULL

static void *
s_ask_zones (void *arg)
{
    (void) arg;
    const zone_t *first = zone_find ("Europe/Paris");
    for (int i = 0; i < 1000; i++)
        if (zone_find ("Europe/Paris") != first || zone_offset_s (first, NOON) != 3600)
            return &differs;
    return NULL;
}

static void
s_zones (void)
{
    promise (!zone_find ("Asia/Atlantis"), "no zone of that name");
    promise (!zone_find ("../../etc/passwd"), "no path");
    promise (!zone_find ("/etc/localtime"), "no absolute path");
    promise (!zone_find ("Asia"), "a folder is no zone");
    promise (!zone_find (""), "nothing is no zone");
    promise (!zone_find ("tzdata.zi"), "another file is no zone");
    pthread_t threads[4];
    bool same = true;
    for (int i = 0; i < 4; i++)
        pthread_create (&threads[i], NULL, s_ask_zones, NULL);
    for (int i = 0; i < 4; i++) {
        void *said;
        pthread_join (threads[i], &said);
        same = same && !said;
    }
    promise (same, "threads share a zone");
}

//  Before any zone is read: without tzdata there are still two.
static int
s_without_tzdata (void)
{
    setenv ("TZDIR", "/nonexistent", 1);
    const zone_t *shanghai = zone_find ("Asia/Shanghai");
    bool good = shanghai && zone_offset_s (shanghai, NOON) == 8 * 3600
                && zone_find ("UTC") && !zone_find ("Europe/Paris");
    return good ? 0 : 1;
}

int
main (int argc, char **argv)
{
    if (argc > 1)
        return s_without_tzdata ();
    char command[4096];
    snprintf (command, sizeof command, "'%s' without", argv[0]);
    promise (system (command) == 0, "Shanghai is there without tzdata");

    for (size_t i = 0; i < ARRAY_SIZE (rfc3339); i++) {
        pb_time_t time = {NO};
        bool good = moment_from_rfc3339 (SPAN (rfc3339[i].text), &time);
        promise (good == (rfc3339[i].ms != NO) && time.ms == rfc3339[i].ms, "'%s': %s",
                 rfc3339[i].text, rfc3339[i].promise);
    }
    for (size_t i = 0; i < ARRAY_SIZE (unix_seconds); i++) {
        pb_time_t time = {NO};
        bool good = moment_from_unix (SPAN (unix_seconds[i].text), &time);
        promise (good == (unix_seconds[i].ms != NO) && time.ms == unix_seconds[i].ms,
                 "'%s': %s", unix_seconds[i].text, unix_seconds[i].promise);
    }
    if (access ("/usr/share/zoneinfo/America/New_York", R_OK) != 0) {
        printf ("# no tzdata: zones are not tried\n");
        return promises_kept ();
    }
    for (size_t i = 0; i < ARRAY_SIZE (locals); i++) {
        pb_time_t time = {NO};
        bool good = moment_from_local (SPAN (locals[i].text),
                                       zone_find (locals[i].zone), &time);
        promise (good == (locals[i].ms != NO) && time.ms == locals[i].ms,
                 "%s '%s': %s (%" PRId64 ")", locals[i].zone, locals[i].text,
                 locals[i].promise, time.ms);
    }
    s_to_text ();
    s_zones ();
    s_round_trip ();
    s_like_libc ();
    int64_t before = moment_now_ms (), monotonic = moment_monotonic_ms ();
    promise (before > NOON - INT64_C (86400000) * 3650, "it is later than 2016");
    promise (moment_monotonic_ms () >= monotonic,
             "the monotonic clock does not go back");
    return promises_kept ();
}
