//  config.c - the site's files: found, read, checked against each other.

#include "config/config_read.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/id.h"
#include "config/config_address.h"

#define FILES_MAX 1000 //  Of one directory

//  ------------------------------------------------------------------ ending

static void
s_texts_free (char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free (texts[i]);
    free (texts);
}

void
config_lot_free (config_lot_t *self)
{
    s_texts_free (self->lanes, self->lanes_count);
    s_texts_free (self->charge_order, self->charge_order_count);
    free (self->name);
    free (self->zone);
    free (self->pictures);
}

static void
s_options_free (config_option_t *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < options[i].count; j++) {
            free (options[i].items[j].name);
            free (options[i].items[j].value);
        }
        free (options[i].items);
        free (options[i].name);
        free (options[i].value);
    }
    free (options);
}

void
config_instance_free (config_instance_t *self)
{
    for (size_t i = 0; i < self->keys_count; i++) {
        for (size_t j = 0; j < self->keys[i].count; j++)
            config_secret_free (&self->keys[i].secrets[j]);
        free (self->keys[i].name);
    }
    for (size_t i = 0; i < self->lots_count; i++) {
        s_options_free (self->lots[i].options, self->lots[i].count);
        free (self->lots[i].lot);
    }
    s_options_free (self->options, self->options_count);
    free (self->keys);
    free (self->lots);
    free (self->name);
    free (self->file);
    free (self->module);
    free (self->mount);
    free (self->url);
}

static void
s_secret_destroy (config_secret_t *self)
{
    if (self)
        config_secret_free (self);
    free (self);
}

void
config_destroy (config_t **self_p)
{
    assert (self_p);
    config_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->lots_count; i++)
        config_lot_free (self->lots + i);
    for (size_t i = 0; i < self->instances_count; i++)
        config_instance_free (self->instances + i);
    for (char **proxy = self->proxies; proxy && *proxy; proxy++)
        free (*proxy);
    s_secret_destroy (self->curve_secret);
    s_secret_destroy (self->admin_token);
    s_texts_free (self->notes, self->notes_count);
    s_texts_free (self->files, self->files_count);
    free (self->lots);
    free (self->instances);
    free (self->proxies);
    char *texts[] = {self->file,        self->node,        self->data_dir,
                     self->plugin_dir,  self->plugins_d,   self->lots_d,
                     self->events,      self->commands,    self->curve_clients,
                     self->http_listen, self->admin_listen};
    for (size_t i = 0; i < ARRAY_SIZE (texts); i++)
        free (texts[i]);
    free (self);
    *self_p = NULL;
}

//  ------------------------------------------------------------------ questions

const config_lot_t *
config_lot (const config_t *self, span_t name)
{
    for (size_t i = 0; i < self->lots_count; i++)
        if (span_is (name, self->lots[i].name))
            return self->lots + i;
    return NULL;
}

void
config_unused (const config_t *self, void (*say) (void *arg, const char *sentence),
               void *arg)
{
    for (size_t i = 0; i < self->notes_count; i++)
        say (arg, self->notes[i]);
}

//  ------------------------------------------------------------------ the main file

//  "Gate-1.example.com" into "gate-1".
static char *
s_host_name (void)
{
    char host[256] = "", name[33];
    if (gethostname (host, sizeof host - 1) != 0)
        host[0] = '\0';
    size_t size = 0;
    for (const char *p = host; *p && *p != '.' && size < sizeof name - 1; p++) {
        bool upper = *p >= 'A' && *p <= 'Z';
        name[size] = upper ? (char) (*p - 'A' + 'a') : *p;
        if (!id_is_name ((span_t){name + size, 1}))
            name[size] = '-';
        size++;
    }
    name[size] = '\0';
    return xstrdup (size ? name : "parkbus");
}

//  Absolute directory in which a file stands.
static char *
s_dir_of (const char *file)
{
    char *cwd = *file == '/' ? NULL : getcwd (NULL, 0);
    char *path = config_path (cwd ? cwd : "/", file);
    char *slash = strrchr (path, '/');
    slash[slash == path] = '\0';
    free (cwd);
    return path;
}

//  What other machines could reach has to be guarded.
static bool
s_guarded (const config_t *self, pb_error_t *error)
{
    const struct {
        const char *name, *endpoint;
        config_mark_t mark;
    } sockets[] = {
        {"events",   self->events,   self->mark_events  },
        {"commands", self->commands, self->mark_commands},
    };
    for (size_t i = 0; i < ARRAY_SIZE (sockets); i++)
        if (endpoint_kind (sockets[i].endpoint) == ENDPOINT_OPEN)
            return config_wrong (error, sockets[i].mark, sockets[i].name,
                                 _ ("bus.%s can be reached from other machines, which "
                                    "needs curve, and this version has none: use "
                                    "tcp://127.0.0.1:PORT or ipc://PATH"),
                                 sockets[i].name);
    address_t admin;
    if (address_parse (self->admin_listen, &admin) && !admin.loopback
        && !self->admin_token)
        return config_wrong (error, self->mark_admin, "listen",
                             _ ("admin.listen can be reached from other machines: add "
                                "admin.token, or listen on 127.0.0.1"));
    return true;
}

//  Port 0 and '*' choose a free one: two of those are not the same.
static bool
s_same_address (const char *a, const char *b)
{
    const char *port = strrchr (a, ':');
    return streq (a, b) && !(port && (streq (port, ":0") || streq (port, ":*")));
}

static bool
s_distinct (const config_t *self, pb_error_t *error)
{
    config_mark_t mark = self->mark_commands;
    if (s_same_address (self->events, self->commands))
        return config_wrong (
            error, mark.line ? mark : self->mark_events, "commands",
            _ ("bus.events and bus.commands are the same: give each an "
               "endpoint of its own"));
    mark = self->mark_admin;
    if (s_same_address (self->http_listen, self->admin_listen))
        return config_wrong (
            error, mark.line ? mark : self->mark_http, "listen",
            _ ("http.listen and admin.listen are the same: give each a "
               "port of its own"));
    return true;
}

config_t *
config_parse (const char *file, const char *text, size_t size, pb_error_t *error)
{
    config_t *self = xcalloc (1, sizeof *self);
    self->file = xstrdup (file);
    char *dir = s_dir_of (file);
    config_reader_t reader = {self, NULL, dir, "", error};
    config_node_t *root = config_tree_parse (self->file, text, size, error);
    bool ok = root && config_section_read (&reader, &config_main, "", root, self)
              && s_guarded (self, error) && s_distinct (self, error);
    if (ok && !self->node)
        self->node = s_host_name ();
    config_tree_destroy (&root);
    free (dir);
    if (!ok)
        config_destroy (&self);
    return self;
}

//  ------------------------------------------------------------------ lots

bool
config_parse_lot (config_t *self, const char *file, const char *name, const char *text,
                  size_t size, pb_error_t *error)
{
    char **place = config_grow (&self->files, &self->files_count, sizeof *place);
    *place = xstrdup (file);
    config_mark_t top = {*place, 1, 1};
    if (!id_is_name (SPAN (name)))
        return config_wrong (
            error, top, "lots_d",
            _ ("the lot is named by its file, and that name must be 1 to "
               "32 small letters, digits and '-'"));
    const config_lot_t *twin = config_lot (self, SPAN (name));
    if (twin) {
        char where[256];
        config_mark_text (twin->mark, where, sizeof where);
        return config_wrong (error, top, "lots_d",
                             _ ("the lot '%s' stands in %s already: keep one of them"),
                             name, where);
    }
    char *dir = s_dir_of (file), under[64] = "lots.";
    strncat (under, name, sizeof under - strlen (under) - 1);
    config_reader_t reader = {self, NULL, dir, "", error};
    config_node_t *root = config_tree_parse (*place, text, size, error);
    config_lot_t *lot = config_grow (&self->lots, &self->lots_count, sizeof *lot);
    lot->name = xstrdup (name);
    lot->mark = top;
    bool ok = root && config_section_read (&reader, &config_lot_keys, under, root, lot);
    config_tree_destroy (&root);
    free (dir);
    return ok;
}

bool
config_lots_check (config_t *self, pb_error_t *error)
{
    if (self->lots_count)
        return true;
    return config_wrong (
        error, (config_mark_t){self->file, 1, 1}, "lots",
        _ ("no lot is configured: add lots with at least one name, as in "
           "'lots: {north: {}}'"));
}

//  ------------------------------------------------------------------ plugins

static bool
s_url_check (const config_instance_t *self, pb_error_t *error)
{
    size_t size;
    if (!self->url || self->insecure || url_kind (self->url, &size) != URL_HTTP)
        return true;
    return config_wrong (
        error, self->mark_url, "url",
        _ ("url is http:// to another machine, which anyone between can "
           "read and change: use https://, or say 'insecure: true'"));
}

void
config_parse_instance (config_t *self, const char *file, const char *name,
                       const char *text, size_t size)
{
    config_instance_t *instance =
        config_grow (&self->instances, &self->instances_count, sizeof *instance);
    instance->name = xstrdup (name);
    instance->file = xstrdup (file);
    instance->mark = (config_mark_t){instance->file, 1, 1};
    instance->enabled = true;
    pb_error_t *error = &instance->error;
    if (!id_is_name (SPAN (name))) {
        config_wrong (
            error, instance->mark, "plugins_d",
            _ ("the instance is named by its file, and that name must be 1 to 32 "
               "small letters, digits and '-'"));
        return;
    }
    if (streq (name, "parkbus")) {
        config_wrong (error, instance->mark, "plugins_d",
                      _ ("no instance may be named parkbus: that is the daemon's own "
                         "name as a source of events"));
        return;
    }
    char *dir = s_dir_of (file);
    config_reader_t reader = {self, instance, dir, "", error};
    config_node_t *root = config_tree_parse (instance->file, text, size, error);
    if (root && config_section_read (&reader, &config_instance, "", root, instance))
        s_url_check (instance, error);
    config_tree_destroy (&root);
    free (dir);
    if (!instance->mount) {
        buffer_t mount = {.data = NULL};
        buffer_printf (&mount, "/%s/", name);
        instance->mount = xstrdup (mount.data);
        buffer_free (&mount);
    }
    if (!instance->mark_mount.file)
        instance->mark_mount = instance->mark;
}

void
config_mounts_check (config_t *self)
{
    for (size_t i = 0; i < self->instances_count; i++) {
        config_instance_t *second = self->instances + i;
        for (size_t j = 0; j < i && !*second->error.message; j++) {
            const config_instance_t *first = self->instances + j;
            if (first->enabled && second->enabled
                && streq (first->mount, second->mount))
                config_wrong (&second->error, second->mark_mount, "mount",
                              _ ("the mount %s is that of %s: give each its own"),
                              second->mount, first->file);
        }
    }
}

//  ------------------------------------------------------------------ directories

//  One file NAME.yaml. False: stop, *error is set.
typedef bool (file_fn) (config_t *self, const char *path, const char *name,
                        pb_error_t *error);

static int
s_by_name (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

//  How long the name is without ".yaml"; 0: it is another file.
static size_t
s_stem (const char *entry)
{
    static const char ending[] = ".yaml";
    size_t size = strlen (entry), tail = strlen (ending);
    return size > tail && streq (entry + size - tail, ending) ? size - tail : 0;
}

//  A file that was surely meant and is not read.
static void
s_passed_over (config_t *self, const char *dir, const char *entry)
{
    size_t size = strlen (entry);
    if (size < 5 || !streq (entry + size - 4, ".yml"))
        return;
    char *path = config_path (dir, entry);
    config_note (self, (config_mark_t){path, 0, 0},
                 _ ("this file is not read: only names that end in .yaml are"));
    free (path);
}

static bool
s_list_dir (config_t *self, const char *dir, char ***names, size_t *count,
            pb_error_t *error)
{
    DIR *entries = opendir (dir);
    if (!entries)
        return errno == ENOENT
               || config_wrong (error, (config_mark_t){dir, 0, 0}, "",
                                _ ("the directory cannot be read: %s"),
                                strerror (errno));
    for (struct dirent *entry; (entry = readdir (entries));) {
        if (entry->d_name[0] == '.')
            continue;
        if (!s_stem (entry->d_name)) {
            s_passed_over (self, dir, entry->d_name);
            continue;
        }
        char **place = config_grow (names, count, sizeof *place);
        *place = xstrdup (entry->d_name);
    }
    closedir (entries);
    if (*count > FILES_MAX)
        return config_wrong (error, (config_mark_t){dir, 0, 0}, "",
                             _ ("more than %d files in one directory"), FILES_MAX);
    if (*count)
        qsort (*names, *count, sizeof **names, s_by_name);
    return true;
}

static bool
s_each_file (config_t *self, const char *dir, file_fn *fn, pb_error_t *error)
{
    char **names = NULL;
    size_t count = 0;
    bool ok = s_list_dir (self, dir, &names, &count, error);
    for (size_t i = 0; ok && i < count; i++) {
        char *path = config_path (dir, names[i]);
        names[i][s_stem (names[i])] = '\0';
        ok = fn (self, path, names[i], error);
        free (path);
    }
    s_texts_free (names, count);
    return ok;
}

static bool
s_read (const char *file, buffer_t *text, pb_error_t *error)
{
    if (config_file_read (file, CONFIG_FILE_MAX, text, NULL))
        return true;
    return config_wrong (error, (config_mark_t){file, 0, 0}, "",
                         errno == EFBIG ? _ ("the file is too large (%s)")
                                        : _ ("the file cannot be read: %s"),
                         strerror (errno));
}

static bool
s_lot_file (config_t *self, const char *path, const char *name, pb_error_t *error)
{
    buffer_t text = {.data = NULL};
    bool ok = s_read (path, &text, error)
              && config_parse_lot (self, path, name, text.data, text.size, error);
    buffer_free (&text);
    return ok;
}

//  What is wrong with it stays with the instance.
static bool
s_instance_file (config_t *self, const char *path, const char *name, pb_error_t *error)
{
    (void) error;
    buffer_t text = {.data = NULL};
    pb_error_t unread = {.code = PB_E_OK};
    bool ok = s_read (path, &text, &unread);
    config_parse_instance (self, path, name, ok ? text.data : "", ok ? text.size : 0);
    if (!ok)
        self->instances[self->instances_count - 1].error = unread;
    buffer_free (&text);
    return true;
}

config_t *
config_load (const char *file, pb_error_t *error)
{
    buffer_t text = {.data = NULL};
    config_t *self = NULL;
    if (s_read (file, &text, error))
        self = config_parse (file, text.data, text.size, error);
    buffer_free (&text);
    if (!self)
        return NULL;
    bool ok = s_each_file (self, self->lots_d, s_lot_file, error)
              && config_lots_check (self, error)
              && s_each_file (self, self->plugins_d, s_instance_file, error);
    if (ok)
        config_mounts_check (self);
    else
        config_destroy (&self);
    return self;
}
