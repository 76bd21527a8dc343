//  The samples that the JSON Schemas are tried on, tried on event_read ().
//
//  With --judge: one event per line on stdin, one + or - per line on stdout.

#include <stdlib.h>
#include "promise.h"
#include "schema/event.h"

static bool
s_read (const char *line, ssize_t size, pb_error_t *error)
{
    static char room[EVENT_ROOM];
    static const event_rules_t rules = {.client = false};
    event_t event;
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    return event_read (&event, line, (size_t) size, &rules, room, error);
}

int
main (int argc, char **argv)
{
    bool judge = argc > 1 && streq (argv[1], "--judge");
    char path[4096];
    const char *srcdir = getenv ("srcdir");
    snprintf (path, sizeof path, "%s/tests/core/schema/samples.jsonl",
              srcdir ? srcdir : ".");
    FILE *file = judge ? stdin : fopen (path, "r");
    if (!file) {
        perror (path);
        return 1;
    }
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline (&line, &room, file)) >= 0;) {
        pb_error_t error = {0};
        if (judge)
            puts (s_read (line, size, &error) ? "+" : "-");
        else if (*line != '#') {
            bool good = s_read (line + 2, size - 2, &error);
            promise (good == (*line == '+'), "%.60s… %s", line, error.message);
        }
    }
    free (line);
    if (judge)
        return 0;
    fclose (file);
    return promises_kept ();
}
