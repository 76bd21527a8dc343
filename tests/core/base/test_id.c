//  Ids: UUIDv7 that ascend, names and visits by their letters.

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/id.h"
#include "base/moment.h"
#include "promise.h"

static const struct {
    const char *text;
    bool name, visit;
} texts[] = {
    {"north",                                             true,  true },
    {"in-1",                                              true,  true },
    {"-",                                                 true,  true },
    {"North",                                             false, true },
    {"a_b",                                               false, true },
    {"V20261121_0001",                                    false, true },
    {"a.b",                                               false, false},
    {"a b",                                               false, false},
    {"a/b",                                               false, false},
    {"停",                                               false, false},
    {"",                                                  false, false},
    {"12345678901234567890123456789012",                  true,  true },
    {"123456789012345678901234567890123",                 false, true },
    {"123456789012345678901234567890123456789012345678",  false, true },
    {"1234567890123456789012345678901234567890123456789", false, false},
};

static bool
s_form (const char *id)
{
    if (strlen (id) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id[i] != '-' : !strchr ("0123456789abcdef", id[i]))
            return false;
    }
    return id[14] == '7' && strchr ("89ab", id[19]);
}

#define PER_THREAD 20000

static void *
s_make (void *arg)
{
    char (*ids)[37] = arg;
    for (size_t i = 0; i < PER_THREAD; i++)
        id_uuid7 (ids[i]);
    return NULL;
}

static int
s_compare (const void *a, const void *b)
{
    return strcmp (a, b);
}

static void
s_threads (void)
{
    char (*ids)[37] = xmalloc (4 * PER_THREAD * sizeof *ids);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        pthread_create (&threads[i], NULL, s_make, ids + i * PER_THREAD);
    for (size_t i = 0; i < 4; i++)
        pthread_join (threads[i], NULL);
    bool formed = true, ascending = true, unique = true;
    for (size_t i = 0; i < 4 * PER_THREAD; i++) {
        formed = formed && s_form (ids[i]);
        if (i % PER_THREAD)
            ascending = ascending && strcmp (ids[i - 1], ids[i]) < 0;
    }
    qsort (ids, 4 * PER_THREAD, sizeof *ids, s_compare);
    for (size_t i = 1; i < 4 * PER_THREAD; i++)
        unique = unique && strcmp (ids[i - 1], ids[i]) != 0;
    promise (formed, "every id has the form of version 7");
    promise (ascending, "they ascend in each thread");
    promise (unique, "no two of four threads are the same");
    free (ids);
}

static void
s_fork (void)
{
    char mine[37], theirs[37] = "";
    id_uuid7 (mine); //  The pool of random bytes is filled now
    int pipe_fd[2];
    if (!promise (pipe (pipe_fd) == 0, "a pipe"))
        return;
    pid_t child = fork ();
    id_uuid7 (mine);
    if (child == 0) {
        ssize_t size = write (pipe_fd[1], mine, sizeof mine);
        _exit (size == sizeof mine ? 0 : 1);
    }
    ssize_t size = read (pipe_fd[0], theirs, sizeof theirs);
    waitpid (child, NULL, 0);
    close (pipe_fd[0]);
    close (pipe_fd[1]);
    promise (size == sizeof theirs && s_form (theirs)
                 && strcmp (mine + 24, theirs + 24),
             "a forked child makes other ids: %s %s", mine, theirs);
}

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (texts); i++)
        promise (id_is_name (SPAN (texts[i].text)) == texts[i].name
                     && id_is_visit (SPAN (texts[i].text)) == texts[i].visit,
                 "'%s' %s a name, %s a visit", texts[i].text,
                 texts[i].name ? "is" : "is not", texts[i].visit ? "is" : "is not");
    promise (!id_is_name ((span_t){NULL, 0}), "absent is no name");
    char id[37];
    int64_t before = moment_now_ms ();
    id_uuid7 (id);
    int64_t after = moment_now_ms ();
    char hex[13];
    memcpy (hex, id, 8);
    memcpy (hex + 8, id + 9, 4);
    hex[12] = 0;
    int64_t ms = strtoll (hex, NULL, 16);
    promise (ms >= before && ms <= after, "an id begins with its time: %s", id);
    s_threads ();
    s_fork ();
    return promises_kept ();
}
