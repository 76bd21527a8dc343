//  promise.h - what a test of tables says: one line per promise, TAP.

#ifndef PARKBUS_TESTS_PROMISE_H
#define PARKBUS_TESTS_PROMISE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int promises_made, promises_broken;

__attribute__ ((format (printf, 2, 3), unused)) static bool
promise (bool kept, const char *format, ...)
{
    printf ("%s %d - ", kept ? "ok" : "not ok", ++promises_made);
    va_list args;
    va_start (args, format);
    vprintf (format, args);
    va_end (args);
    printf ("\n");
    promises_broken += !kept;
    return kept;
}

//  The program's exit code. A test without a promise has failed.
__attribute__ ((unused)) static int
promises_kept (void)
{
    printf ("1..%d\n", promises_made);
    return promises_broken || !promises_made ? 1 : 0;
}

#endif
