//  test_config_site.c - a whole site: directories, secrets, what is shipped.

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "config/config_docs.h"
#include "config/config_read.h"

//  ---------------------------------------------------------------- directories

static char s_dir[] = "/tmp/parkbus-config-XXXXXX";

static const char *
s_path (const char *name)
{
    static char path[256];
    snprintf (path, sizeof path, "%s/%s", s_dir, name);
    return path;
}

static void
s_write (const char *name, const char *text)
{
    FILE *file = fopen (s_path (name), "w");
    assert_non_null (file);
    fputs (text, file);
    fclose (file);
    chmod (s_path (name), 0600);
}

static int
s_set_up (void **state)
{
    (void) state;
    if (!mkdtemp (s_dir))
        return -1;
    return mkdir (s_path ("plugins.d"), 0755) || mkdir (s_path ("lots.d"), 0755);
}

static int
s_tear_down (void **state)
{
    (void) state;
    static const char *const names[] = {
        "plugins.d/b.yaml",   "plugins.d/a.yaml", "plugins.d/.c.yaml",
        "plugins.d/d.yml",    "plugins.d/e.yaml", "lots.d/north.yaml",
        "lots.d/west.yaml",   "m.yaml",           "lots.d",
        "plugins.d/dir.yaml", "plugins.d",        "secret"};
    for (size_t i = 0; i < ARRAY_SIZE (names); i++)
        if (unlink (s_path (names[i])) != 0)
            rmdir (s_path (names[i]));
    return rmdir (s_dir);
}

static void
s_test_load (void **state)
{
    (void) state;
    pb_error_t error = {.code = PB_E_OK};
    s_write ("m.yaml", "lots: {north: {}}\n");
    s_write ("lots.d/west.yaml", "spaces: 12\n");
    s_write ("plugins.d/b.yaml", "module: cmb\nlots: {west: {}}\n");
    s_write ("plugins.d/a.yaml", "module: cmb\nmoduel: x\n");
    s_write ("plugins.d/.c.yaml", "nonsense");
    s_write ("plugins.d/d.yml", "module: cmb\n");
    mkdir (s_path ("plugins.d/dir.yaml"), 0755);
    config_t *self = config_load (s_path ("m.yaml"), &error);
    assert_string_equal (error.message, "");
    assert_int_equal (self->lots_count, 2);
    assert_int_equal (config_lot (self, SPAN ("west"))->spaces, 12);
    assert_int_equal (self->instances_count, 3);
    assert_string_equal (self->instances[0].name, "a");
    assert_non_null (
        strstr (self->instances[0].error.message,
                "/plugins.d/a.yaml:2:1: unknown key 'moduel': did you mean"));
    assert_string_equal (self->instances[1].name, "b");
    assert_string_equal (self->instances[1].error.message, "");
    assert_non_null (strstr (self->instances[2].error.message, "cannot be read"));
    assert_int_equal (self->notes_count, 1);
    assert_non_null (
        strstr (self->notes[0], "/plugins.d/d.yml: this file is not read"));
    config_destroy (&self);

    s_write ("lots.d/north.yaml", "spaces: 12\n");
    assert_null (config_load (s_path ("m.yaml"), &error));
    assert_non_null (
        strstr (error.message, "north.yaml:1:1: the lot 'north' stands in"));
    assert_non_null (strstr (error.message, "m.yaml:1:8 already"));
    s_write ("lots.d/north.yaml", "spces: 12\n");
    s_write ("m.yaml", "node: a\n");
    assert_null (config_load (s_path ("m.yaml"), &error));
    assert_non_null (
        strstr (error.message,
                "north.yaml:1:1: unknown key 'spces' under lots.north: did you mean"));
    s_write ("lots.d/north.yaml", "");
    self = config_load (s_path ("m.yaml"), &error);
    assert_non_null (self);
    assert_int_equal (self->lots_count, 2);
    config_destroy (&self);
}

static void
s_test_load_refused (void **state)
{
    (void) state;
    pb_error_t error;
    assert_null (config_load (s_path ("absent.yaml"), &error));
    assert_int_equal (error.code, PB_E_CONFIG);
    assert_non_null (
        strstr (error.message, "absent.yaml: the file cannot be read: No"));
    assert_null (config_load (s_dir, &error));
    assert_non_null (strstr (error.message, "cannot be read: Is a directory"));
    char *large = xmalloc (CONFIG_FILE_MAX + 2);
    memset (large, '#', CONFIG_FILE_MAX + 1);
    large[CONFIG_FILE_MAX + 1] = '\0';
    s_write ("m.yaml", large);
    assert_null (config_load (s_path ("m.yaml"), &error));
    assert_non_null (strstr (error.message, "m.yaml: the file is too large"));
    free (large);
    //  Neither directory has to be there.
    s_write ("m.yaml", "lots: {n: {}}\nplugins_d: none\nlots_d: none\n");
    config_t *self = config_load (s_path ("m.yaml"), &error);
    assert_non_null (self);
    config_destroy (&self);
    s_write ("m.yaml", "lots: {n: {}}\nplugins_d: m.yaml\n");
    assert_null (config_load (s_path ("m.yaml"), &error));
    assert_non_null (strstr (error.message, "the directory cannot be read"));
}

//  ---------------------------------------------------------------- secrets

static void
s_test_secrets (void **state)
{
    (void) state;
    setenv ("PARKBUS_TEST_SECRET", "from env", 1);
    unsetenv ("PARKBUS_TEST_NONE");
    setenv ("CREDENTIALS_DIRECTORY", s_dir, 1);
    // clang-format off
    static const struct {
        const char *promise;
        secret_kind_t kind;
        const char *where, *file, *secret, *error;
    } rows[] = {
        {"a line",           SECRET_FILE,  "secret", "s3\n",     "s3",       NULL},
        {"no line's end",    SECRET_FILE,  "secret", "s3",       "s3",       NULL},
        {"CR LF",            SECRET_FILE,  "secret", "s3\r\n",   "s3",       NULL},
        {"one line's end",   SECRET_FILE,  "secret", "s3 \n\n",  "s3 \n",    NULL},
        {"nothing", SECRET_FILE, "secret", "\n", NULL, "is empty"},
        {"not there", SECRET_FILE, "none", "", NULL, "none cannot"},
        {"a directory", SECRET_FILE, "lots.d", "", NULL, "a directory"},
        {"a variable",       SECRET_ENV,   "PARKBUS_TEST_SECRET", "", "from env", NULL},
        {"no variable",      SECRET_ENV,   "PARKBUS_TEST_NONE",   "", NULL,
         "variable PARKBUS_TEST_NONE that"},
        {"a credential",     SECRET_CRED,  "secret", "s4\n",     "s4",       NULL},
        {"no credential", SECRET_CRED, "none", "", NULL, "none cannot"},
        {"plain text",       SECRET_PLAIN, "s5",     "",         "s5",       NULL},
    };
    // clang-format on
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        pb_error_t error = {.code = PB_E_OK};
        s_write ("secret", rows[i].file);
        config_secret_t secret = {
            rows[i].kind, NULL, {"cmb.yaml", 5, 3}
        };
        secret.where = xstrdup (rows[i].kind == SECRET_FILE ? s_path (rows[i].where)
                                                            : rows[i].where);
        char *text = config_secret_read (&secret, &error);
        if (!streq (text, rows[i].secret)
            || (rows[i].error && !strstr (error.message, rows[i].error))
            || (rows[i].error && strncmp (error.message, "cmb.yaml:5:3: ", 14) != 0)) {
            print_error ("%s: '%s', %s\n", rows[i].promise, text ? text : "-",
                         error.message);
            failed++;
        }
        free (text);
        free (secret.where);
    }
    assert_int_equal (failed, 0);
}

//  What is warned about, seen on stderr.
static void
s_test_secret_warnings (void **state)
{
    (void) state;
    static const struct {
        mode_t mode;
        bool warned;
    } rows[] = {
        {0600, false},
        {0640, false},
        {0644, true },
        {0602, true },
    };
    for (size_t i = 0; i < ARRAY_SIZE (rows); i++) {
        pb_error_t error;
        s_write ("secret", "s3");
        chmod (s_path ("secret"), rows[i].mode);
        config_secret_t secret = {
            SECRET_FILE, xstrdup (s_path ("secret")), {"c.yaml", 1, 1}
        };
        FILE *heard = tmpfile ();
        int stderr_fd = dup (STDERR_FILENO);
        fflush (stderr);
        dup2 (fileno (heard), STDERR_FILENO);
        char *text = config_secret_read (&secret, &error);
        fflush (stderr);
        dup2 (stderr_fd, STDERR_FILENO);
        close (stderr_fd);
        char said[1024] = "";
        rewind (heard);
        said[fread (said, 1, sizeof said - 1, heard)] = '\0';
        fclose (heard);
        assert_int_equal (strstr (said, "every user of this machine") != NULL,
                          rows[i].warned);
        assert_null (strstr (said, "s3"));
        free (text);
        free (secret.where);
    }
}

//  ---------------------------------------------------------------- what is shipped

static void
s_shipped (const char *name, char *to, size_t room)
{
    const char *srcdir = getenv ("srcdir");
    snprintf (to, room, "%s/%s", srcdir ? srcdir : ".", name);
}

//  The samples load as they are: what is in them is what an integrator begins with.
static void
s_test_samples (void **state)
{
    (void) state;
    char path[2048];
    pb_error_t error = {.code = PB_E_OK};
    s_shipped ("etc/parkbus.yaml", path, sizeof path);
    config_t *self = config_load (path, &error);
    assert_string_equal (error.message, "");
    assert_int_equal (self->instances_count, 1);
    assert_string_equal (self->instances[0].name, "cmb");
    assert_string_equal (self->instances[0].error.message, "");
    assert_string_equal (self->instances[0].module, "cmb");
    assert_int_equal (self->instances[0].keys[0].secrets[0].kind, SECRET_FILE);
    assert_int_equal (self->notes_count, 0);
    config_destroy (&self);
}

static void
s_test_docs (void **state)
{
    (void) state;
    char path[2048];
    buffer_t text = {.data = NULL}, again = {.data = NULL};
    s_shipped ("docs/configuration.md", path, sizeof path);
    assert_true (config_file_read (path, 1 << 20, &text, NULL));
    assert_true (config_docs_write (text.data, &again));
    if (!streq (text.data, again.data))
        fail_msg ("docs/configuration.md does not follow config_keys.c: run "
                  "pb-gen-config docs/configuration.md");
    buffer_free (&text);
    buffer_free (&again);
    assert_false (
        config_docs_write ("<!-- keys: nonsense -->\n<!-- end -->\n", &again));
    assert_false (config_docs_write ("<!-- keys: bus -->\n", &again));
    buffer_free (&again);
}

static void
s_test_mark_text (void **state)
{
    (void) state;
    char text[64];
    config_mark_text ((config_mark_t){"p/cmb.yaml", 9, 3}, text, sizeof text);
    assert_string_equal (text, "p/cmb.yaml:9:3");
    config_mark_text ((config_mark_t){"/0123456789/0123456789/0123456789/0123456789/"
                                      "0123456789/plugins.d/cmb.yaml",
                                      9, 3},
                      text, sizeof text);
    assert_string_equal (text, "...6789/0123456789/0123456789/0123456789/plugins.d/"
                               "cmb.yaml:9:3");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (s_test_load),      cmocka_unit_test (s_test_load_refused),
        cmocka_unit_test (s_test_secrets),   cmocka_unit_test (s_test_secret_warnings),
        cmocka_unit_test (s_test_samples),   cmocka_unit_test (s_test_docs),
        cmocka_unit_test (s_test_mark_text),
    };
    return cmocka_run_group_tests (tests, s_set_up, s_tear_down);
}
