//  replay.c - runs a fuzzer's corpus once, in every `make check`, without libFuzzer.
//
//  Linked with one fuzz_X.c as program replay_X; its corpus is tests/fuzz/corpus/X.

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static int
s_replay (const char *path)
{
    FILE *file = fopen (path, "rb");
    if (!file)
        return 0;
    static uint8_t bytes[1 << 20];
    size_t size = fread (bytes, 1, sizeof bytes, file);
    fclose (file);
    //  An exact copy, so that reading past the end is seen by ASan.
    uint8_t *copy = malloc (size ? size : 1);
    if (!copy)
        return 0;
    memcpy (copy, bytes, size);
    LLVMFuzzerTestOneInput (copy, size);
    free (copy);
    return 1;
}

int
main (int argc, char **argv)
{
    (void) argc;
    const char *srcdir = getenv ("srcdir");
    const char *name = strstr (argv[0], "replay_");
    char dir[2048], path[4096];
    snprintf (dir, sizeof dir, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
              name ? name + strlen ("replay_") : "");
    DIR *corpus = opendir (dir);
    if (!corpus) {
        fprintf (stderr, "%s: no corpus there\n", dir);
        return 1;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir (corpus));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf (path, sizeof path, "%s/%s", dir, entry->d_name);
        count += s_replay (path);
    }
    closedir (corpus);
    printf ("%s: %d inputs replayed\n", dir, count);
    return count ? 0 : 1;
}
