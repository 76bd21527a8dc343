//  test_i18n.c - sentences come in the environment's language; numbers stay the same.

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/text.h"
#include "config/config.h"
#include "config/i18n.h"

//  C.UTF-8 is always there, and LANGUAGE chooses the catalogue under it.
static void
s_speak (const char *language)
{
    const char *builddir = getenv ("builddir");
    char locales[2048];
    snprintf (locales, sizeof locales, "%s/locale", builddir ? builddir : ".");
    setenv ("PARKBUS_LOCALEDIR", locales, 1);
    setenv ("LC_ALL", "C.UTF-8", 1);
    setenv ("LANGUAGE", language, 1);
    i18n_setup ();
}

static void
s_test_sentence (void **state)
{
    (void) state;
    static const struct {
        const char *language, *error;
    } rows[] = {
        {"zh_CN",    "/none/x.yaml: 无法读取文件："    },
        {"zh_CN:en", "/none/x.yaml: 无法读取文件："    },
        {"en",       "/none/x.yaml: the file cannot be read: "},
        {"xx",       "/none/x.yaml: the file cannot be read: "},
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        pb_error_t error;
        s_speak (rows[i].language);
        assert_null (config_load ("/none/x.yaml", &error));
        if (strncmp (error.message, rows[i].error, strlen (rows[i].error)) != 0)
            fail_msg ("%s: %s", rows[i].language, error.message);
    }
}

static void
s_test_numbers (void **state)
{
    (void) state;
    char text[16];
    s_speak ("zh_CN");
    snprintf (text, sizeof text, "%.1f", 1.5);
    assert_string_equal (text, "1.5");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (s_test_sentence),
        cmocka_unit_test (s_test_numbers),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
