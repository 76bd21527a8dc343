//  load.c - a plugin's file: found, opened, and checked before anything is called.

#define _GNU_SOURCE //  dladdr1
#include "host/load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/id.h"
#include "base/text.h"
#include "host/check.h"

#define SUFFIX ".so"
#define NAMES_MAX 200 //  Bytes of a listing that still leave room for the sentence

struct plugin_file {
    char *path;
    void *handle;
    const pb_plugin_t *plugin;
};

static int
s_is_plugin (const struct dirent *entry)
{
    size_t size = strlen (entry->d_name);
    size_t suffix = strlen (SUFFIX);
    return size > suffix && streq (entry->d_name + size - suffix, SUFFIX);
}

//  "cmb, demo": the modules that lie in a directory, for the one who mistyped.
static void
s_list (const char *dir, buffer_t *names)
{
    struct dirent **entries = NULL;
    int count = scandir (dir, &entries, s_is_plugin, alphasort);
    for (int i = 0; i < count; i++) {
        int size = (int) (strlen (entries[i]->d_name) - strlen (SUFFIX));
        if (names->size < NAMES_MAX)
            buffer_printf (names, "%s%.*s", names->size ? ", " : "", size,
                           entries[i]->d_name);
        free (entries[i]);
    }
    free (entries);
    buffer_add (names, "", 1);
}

static bool
s_find (const char *dir, const char *module, const char *path, pb_error_t *error)
{
    struct stat status;
    if (stat (path, &status) == 0)
        return S_ISREG (status.st_mode)
               || pb_error (error, PB_E_CONFIG, "module",
                            _ ("%s is not a file: a plugin is a shared object"), path);
    if (errno != ENOENT && errno != ENOTDIR)
        return pb_error (error, PB_E_CONFIG, "module",
                         _ ("%s: %s: parkbusd must be able to read it"), path,
                         strerror (errno));
    buffer_t names = {0};
    s_list (dir, &names);
    if (names.size > 1)
        pb_error (error, PB_E_CONFIG, "module",
                  _ ("there is no plugin %s%s in %s, but these are: %s"), module,
                  SUFFIX, dir, names.data);
    else
        pb_error (error, PB_E_CONFIG, "module",
                  _ ("there is no plugin %s%s in %s, nor any other: set plugin_dir to "
                     "where the plugins are installed"),
                  module, SUFFIX, dir);
    buffer_free (&names);
    return false;
}

//  Bytes of the object that the symbol names, from the file's symbol table.
static size_t
s_symbol_size (const void *symbol)
{
    Dl_info info;
    const ElfW (Sym) *entry = NULL;
    if (!dladdr1 (symbol, &info, (void **) &entry, RTLD_DL_SYMENT) || !entry)
        return 0;
    return (size_t) entry->st_size;
}

static bool
s_open (plugin_file_t *self, const char *module, pb_error_t *error)
{
    //  RTLD_NOW: a symbol that is missing shows here, not in the middle of a payment.
    self->handle = dlopen (self->path, RTLD_NOW | RTLD_LOCAL);
    if (!self->handle)
        return pb_error (error, PB_E_CONFIG, "module",
                         _ ("plugin %s cannot be loaded: %s"), module, dlerror ());
    self->plugin = dlsym (self->handle, PB_PLUGIN_SYMBOL);
    if (!self->plugin)
        return pb_error (error, PB_E_CONFIG, "module",
                         _ ("%s is not a parkbus plugin: it does not export %s"),
                         self->path, PB_PLUGIN_SYMBOL);
    return plugin_check (self->plugin, s_symbol_size (self->plugin), module, error);
}

plugin_file_t *
plugin_file_open (const char *dir, const char *module, pb_error_t *error)
{
    if (!id_is_name (SPAN (module))) {
        pb_error (
            error, PB_E_CONFIG, "module",
            _ ("\"%s\" cannot be a module: its name is 1 to 32 of a-z, 0-9 and -"),
            module);
        return NULL;
    }
    plugin_file_t *self = xcalloc (1, sizeof *self);
    size_t size = strlen (dir) + strlen (module) + sizeof "/" SUFFIX;
    self->path = xmalloc (size);
    snprintf (self->path, size, "%s/%s" SUFFIX, dir, module);
    if (!s_find (dir, module, self->path, error) || !s_open (self, module, error))
        plugin_file_close (&self);
    return self;
}

void
plugin_file_close (plugin_file_t **self_p)
{
    plugin_file_t *self = *self_p;
    if (!self)
        return;
    if (self->handle)
        dlclose (self->handle);
    free (self->path);
    free (self);
    *self_p = NULL;
}

const pb_plugin_t *
plugin_file_plugin (const plugin_file_t *self)
{
    return self->plugin;
}

const char *
plugin_file_path (const plugin_file_t *self)
{
    return self->path;
}
