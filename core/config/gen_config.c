//  gen_config.c - pb-gen-config: rewrites docs/configuration.md's tables, on stdout.

#include <stdio.h>
#include "config/config_docs.h"
#include "config/config_read.h"

int
main (int argc, char **argv)
{
    buffer_t document = {.data = NULL}, written = {.data = NULL};
    if (argc != 2) {
        fprintf (stderr, "usage: pb-gen-config docs/configuration.md > NEW\n");
        return 2;
    }
    if (!config_file_read (argv[1], CONFIG_FILE_MAX, &document, NULL)
        || !document.size) {
        fprintf (stderr, "pb-gen-config: %s cannot be read\n", argv[1]);
        return 1;
    }
    bool ok = config_docs_write (document.data, &written);
    if (ok)
        fwrite (written.data, 1, written.size, stdout);
    else
        fprintf (stderr,
                 "pb-gen-config: %s names a section that is not there, or does "
                 "not end one\n",
                 argv[1]);
    buffer_free (&document);
    buffer_free (&written);
    return ok && fflush (stdout) == 0 ? 0 : 1;
}
