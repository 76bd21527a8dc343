//  Timers: order, cancelling, timers that set timers, the descriptor.

#include <poll.h>
#include <stdlib.h>
#include "base/moment.h"
#include "base/text.h"
#include "base/timers.h"
#include "promise.h"

#define NOTE(letter) ((void *) (letter)) //  Only read

static timers_t *timers;
static char fired[64];

static void
s_note (void *arg)
{
    strncat (fired, arg, sizeof fired - strlen (fired) - 1);
}

static uint64_t other;

static void
s_cancel_other (void *arg)
{
    s_note (arg);
    timers_cancel (timers, other);
}

static int again;

static void
s_again (void *arg)
{
    again++;
    timers_at (timers, 0, s_again, arg);
}

static bool
s_readable (int timeout_ms)
{
    struct pollfd item = {.fd = timers_fd (timers), .events = POLLIN};
    return poll (&item, 1, timeout_ms) == 1;
}

static void
s_order (void)
{
    int64_t now = moment_monotonic_ms ();
    timers_at (timers, now - 10, s_note, NOTE ("c"));
    timers_at (timers, now - 30, s_note, NOTE ("a"));
    uint64_t gone = timers_at (timers, now - 25, s_note, NOTE ("X"));
    timers_at (timers, now - 20, s_note, NOTE ("b"));
    timers_at (timers, now - 10, s_note, NOTE ("d"));
    timers_at (timers, now + 3600000, s_note, NOTE ("Y"));
    timers_cancel (timers, gone);
    timers_cancel (timers, gone);
    timers_cancel (timers, 0);
    timers_cancel (timers, UINT64_MAX);
    promise (s_readable (1000), "due timers make it readable");
    timers_run (timers);
    promise (streq (fired, "abcd"), "in order of time, then of setting: %s", fired);
    promise (!s_readable (0), "nothing more is due");
    timers_cancel (timers, gone);
    timers_run (timers);
    promise (streq (fired, "abcd"), "once");
}

//  Against a sorted list: 2000 timers, a third cancelled.
static int many_last, many_count;
static bool many_ordered = true;

static void
s_many (void *arg)
{
    int at = (int) (intptr_t) arg;
    many_ordered = many_ordered && at >= many_last;
    many_last = at;
    many_count++;
}

static void
s_crowd (void)
{
    static uint64_t ids[2000];
    unsigned seed = 1;
    for (size_t i = 0; i < ARRAY_SIZE (ids); i++) {
        seed = seed * 1103515245 + 12345;
        int at = (int) (seed >> 16 & 1023) + 1;
        ids[i] = timers_at (timers, at, s_many, (void *) (intptr_t) at);
    }
    for (size_t i = 0; i < ARRAY_SIZE (ids); i += 3)
        timers_cancel (timers, ids[i]);
    timers_run (timers);
    promise (many_ordered && many_count == 2000 - 667, "%d of a crowd, in order",
             many_count);
}

int
main (void)
{
    timers = timers_new ();
    promise (timers && !s_readable (0), "none is due");
    timers_run (timers);
    s_order ();

    fired[0] = 0;
    timers_at (timers, 1, s_cancel_other, NOTE ("k"));
    other = timers_at (timers, 2, s_note, NOTE ("Z"));
    timers_run (timers);
    promise (streq (fired, "k"), "a timer cancels another");
    uint64_t reused = timers_at (timers, 3, s_note, NOTE ("r"));
    timers_cancel (timers, other);
    timers_run (timers);
    promise (reused != other && streq (fired, "kr"), "an old id means no new timer");

    int64_t before = moment_monotonic_ms ();
    fired[0] = 0;
    timers_after (timers, 30, s_note, NOTE ("w"));
    timers_run (timers);
    promise (!*fired, "not before its time");
    promise (s_readable (5000) && moment_monotonic_ms () - before >= 30,
             "then it wakes");
    timers_run (timers);
    promise (streq (fired, "w"), "and fires");

    s_crowd ();
    timers_at (timers, 0, s_again, NULL);
    timers_run (timers);
    promise (again >= 1 && again < 3, "one that sets itself does not hold up the loop");
    promise (s_readable (1000), "and comes again");
    timers_destroy (&timers);
    promise (!timers, "destroyed with timers inside");
    timers_destroy (&timers);
    return promises_kept ();
}
