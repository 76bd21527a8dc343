//  What the loader says of each file that could lie in plugin_dir. The plugins are
//  those that plugins/plugin.c makes.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "host/load.h"
#include "promise.h"

#define PLUGINS "tests/core/host/plugins/.libs"

// clang-format off
//  A row expects the plugin, or the words that the sentence must have.
static const struct {
    const char *promise;
    const char *module;
    const char *words[3];
} cases[] = {
    {"a sound plugin is loaded", "good", {NULL}},
    {"one of a later minor version too", "newer", {NULL}},
    {"a path is not a module", "../good", {"\"../good\" cannot be a module"}},
    {"nor is nothing", "", {"\"\" cannot be a module"}},
    {"a missing file: says what there is", "god",
     {"there is no plugin god.so in", "but these are: ", "good"}},
    {"no symbol: says which", "no-symbol", {"no-symbol.so is not", "pb_plugin_v1"}},
    {"an unresolved symbol is found at once", "unresolved",
     {"plugin unresolved cannot be loaded", "parkbus_test_nowhere"}},
    {"a symbol that is too small to read", "only-a-number",
     {"its pb_plugin_v1 is 4 bytes long", "takes 24"}},
    {"wrong magic: both values", "wrong-magic",
     {"0x0000000000000007", "0x3150425055534241"}},
    {"another ABI: both values", "abi-two",
     {
     "plugin abi-two.so was built for ABI 2.0, this parkbusd speaks 1.0: rebuild it or "
     "upgrade parkbusd"}},
    {"another ABI with a shorter structure is said to be another ABI", "abi-two-short",
     {"built for ABI 2.0, this parkbusd speaks 1.0"}},
    {"a short structure: both sizes", "short-struct", {"is 184 bytes long", "has 192"}},
    {"another name: both names", "wrong-name",
     {"wrong-name.so calls itself \"somebody\"", "somebody.so"}},
    {"a missing function: which and why", "no-function",
     {"no function `encode`", "takes events"}},
    {"an unsound option table: which row", "bad-option",
     {"option 1 (site)", ".min is greater than its .max"}},
};
// clang-format on

static bool
s_says (const pb_error_t *error, const char *const words[3])
{
    bool all = error->code == PB_E_CONFIG;
    for (size_t i = 0; i < 3 && words[i]; i++)
        all = all && strstr (error->message, words[i]);
    return all;
}

static void
s_check_cases (const char *dir)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pb_error_t error = {0};
        plugin_file_t *file = plugin_file_open (dir, cases[i].module, &error);
        bool kept = cases[i].words[0]
                        ? !file && s_says (&error, cases[i].words)
                        : file && plugin_file_plugin (file)->magic == PB_PLUGIN_MAGIC;
        if (!promise (kept, "%s", cases[i].promise))
            printf ("# %s\n", error.message);
        plugin_file_close (&file);
    }
}

//  Directories and files that are not what they seem.
static void
s_check_places (void)
{
    char dir[] = "/tmp/test_load-XXXXXX";
    char path[64];
    pb_error_t error = {0};
    if (!mkdtemp (dir))
        exit (99);
    plugin_file_t *file = plugin_file_open (dir, "cmb", &error);
    promise (!file && strstr (error.message, "nor any other: set plugin_dir"),
             "an empty directory: says to set plugin_dir");

    snprintf (path, sizeof path, "%s/text.so", dir);
    FILE *text = fopen (path, "w");
    fputs ("not a shared object\n", text);
    fclose (text);
    file = plugin_file_open (dir, "text", &error);
    promise (!file && strstr (error.message, "plugin text cannot be loaded: "),
             "a file that is no shared object: the linker's own words");
    unlink (path);

    snprintf (path, sizeof path, "%s/folder.so", dir);
    mkdir (path, 0700);
    file = plugin_file_open (dir, "folder", &error);
    promise (!file && strstr (error.message, "folder.so is not a file"),
             "a directory is not a plugin");
    rmdir (path);
    rmdir (dir);

    file = plugin_file_open ("/nonexistent", "cmb", &error);
    promise (!file
                 && strstr (error.message, "there is no plugin cmb.so in /nonexistent"),
             "a directory that is not there");
}

static void
s_check_twice (const char *dir)
{
    plugin_file_t *one = plugin_file_open (dir, "good", NULL);
    plugin_file_t *two = plugin_file_open (dir, "good", NULL);
    plugin_file_close (&one);
    promise (!one && two && !strcmp (plugin_file_plugin (two)->name, "good"),
             "opened twice, closed once: the other still holds");
    const char *path = two ? plugin_file_path (two) : "";
    promise (strstr (path, PLUGINS "/good.so"), "the path is where it was found");
    plugin_file_close (&two);
    plugin_file_close (&two);
}

//  The plugins of this tree, as they are built.
static void
s_check_own (const char *builddir)
{
    static const char *const own[] = {"cmb", "demo"};
    char dir[4096];
    snprintf (dir, sizeof dir, "%s/.libs", builddir);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        pb_error_t error = {0};
        plugin_file_t *file = plugin_file_open (dir, own[i], &error);
        promise (file != NULL, "our own %s is sound%s", own[i], error.message);
        plugin_file_close (&file);
    }
}

int
main (void)
{
    const char *builddir = getenv ("builddir");
    char dir[4096];
    builddir = builddir ? builddir : ".";
    snprintf (dir, sizeof dir, "%s/" PLUGINS, builddir);
    s_check_cases (dir);
    s_check_places ();
    s_check_twice (dir);
    s_check_own (builddir);
    return promises_kept ();
}
