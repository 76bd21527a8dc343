//  i18n.c - which language people are spoken to in.

#include "config/i18n.h"

#include <libintl.h>
#include <locale.h>
#include <stdlib.h>

void
i18n_setup (void)
{
    static const char domain[] = "parkbus";
    //  LC_NUMERIC stays "C": numbers are also written for programs.
    setlocale (LC_ALL, "");
    setlocale (LC_NUMERIC, "C");
    const char *dir = getenv ("PARKBUS_LOCALEDIR");
    bindtextdomain (domain, dir && *dir ? dir : LOCALEDIR);
    bind_textdomain_codeset (domain, "UTF-8");
    textdomain (domain);
}
