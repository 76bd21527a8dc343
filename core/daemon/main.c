//  main.c - parkbusd: reads the words of the command line and runs the daemon.

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "config/i18n.h"
#include "daemon/daemon.h"

static const struct option words[] = {
    {"config",  required_argument, NULL, 'c'},
    {"check",   no_argument,       NULL, 'k'},
    {"help",    no_argument,       NULL, 'h'},
    {"version", no_argument,       NULL, 'V'},
    {NULL,      0,                 NULL, 0  },
};

static int
s_help (void)
{
    printf (
        "%s",
        _ ("parkbusd - the parkbus daemon: one bus between a car park's programs and "
           "the payment platforms\n"
           "\n"
           "usage: parkbusd --config FILE [--check]\n"
           "\n"
           "  --config FILE  the site's configuration (docs/configuration.md)\n"
           "  --check        look at the configuration and at every plugin's options, "
           "say what is wrong, and exit\n"
           "  --help         this text\n"
           "  --version      the version\n"
           "\n"
           "exit: 0 ok, 1 failed, 2 wrong usage or configuration\n"));
    return 0;
}

int
main (int argc, char **argv)
{
    const char *file = NULL;
    bool check = false;
    int word;
    i18n_setup ();
    opterr = 0;
    while ((word = getopt_long (argc, argv, "", words, NULL)) != -1) {
        switch (word) {
        case 'c':
            file = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'h':
            return s_help ();
        case 'V':
            printf ("parkbusd %s\n", PARKBUS_VERSION);
            return 0;
        default:
            fprintf (
                stderr,
                _ ("parkbusd: '%s' is not understood: parkbusd --help lists what is\n"),
                argv[optind - 1]);
            return 2;
        }
    }
    if (optind < argc || !file) {
        fprintf (
            stderr, "%s",
            _ ("parkbusd: say which configuration to use: parkbusd --config FILE\n"));
        return 2;
    }
    return check ? daemon_check (file) : daemon_run (file);
}
