//  main.c - parkbus-sim: the platforms, simulated by their documents.

#include "config.h"
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "config/i18n.h"
#include "sim.h"

#define PLATFORMS_MAX 16

typedef struct {
    int64_t seed;
    char *ready_file;
    json_object *platforms;
    sim_platform_t *list[PLATFORMS_MAX];
    size_t count;
} sim_t;

static const sim_module_t *const s_modules[] = {&sim_cmb};

static const setting_t s_settings[] = {
    SETTING ("seed", sim_t, seed, NUMBER, false, 0, INT64_MAX),
    SETTING ("ready_file", sim_t, ready_file, TEXT, false, 0, 0),
    SETTING ("platforms", sim_t, platforms, MAP, true, 0, 0),
    SETTING_END,
};

#define HOUR_MS 3600000
static const setting_t s_common[] = {
    SETTING ("module", sim_platform_t, module_name, TEXT, false, 0, 0),
    SETTING ("listen", sim_platform_t, listen, TEXT, true, 0, 0),
    SETTING ("lot_url", sim_platform_t, lot_url, TEXT, false, 0, 0),
    SETTING ("faults", sim_platform_t, faults_list, LIST, false, 0, 0),
    SETTING ("push_timeout_ms", sim_platform_t, push_timeout_ms, NUMBER, false, 10,
             HOUR_MS),
    SETTING ("push_retry_ms", sim_platform_t, push_retry_ms, NUMBER, false, 10,
             HOUR_MS),
    SETTING ("push_retry_max_ms", sim_platform_t, push_retry_max_ms, NUMBER, false, 10,
             HOUR_MS),
    SETTING ("push_tries", sim_platform_t, push_tries, NUMBER, false, 0, 1000000),
    SETTING_END,
};

uint64_t
sim_random (uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u; //  splitmix64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

int64_t
sim_monotonic_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
sim_wait (sim_platform_t *self, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    return pthread_cond_timedwait (&self->changed, &self->lock, &until) != ETIMEDOUT;
}

static const sim_module_t *
s_find_module (const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE (s_modules); i++) {
        if (streq (s_modules[i]->name, name))
            return s_modules[i];
    }
    return NULL;
}

static void
s_platform_destroy (sim_platform_t *self)
{
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
    push_stop (self);
    listener_stop (self);
    if (self->state)
        self->module->stop (self);
    faults_destroy (&self->faults);
    json_object_put (self->books);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    free (self->state);
    free (self->name);
    free (self->module_name);
    free (self->listen);
    free (self->lot_url);
    free (self->url);
    free (self);
}

//  A lot_url is a folder: what follows is appended.
static void
s_end_with_slash (char **url)
{
    size_t size = *url ? strlen (*url) : 0;
    if (size && (*url)[size - 1] != '/') {
        *url = xrealloc (*url, size + 2);
        strcpy (*url + size, "/");
    }
}

static bool
s_configure (sim_platform_t *self, json_object *node, const char *file,
             pb_error_t *error)
{
    char place[256];
    settings_place (node, file, place, sizeof place);
    const char *name = json_text (node, "module");
    self->module = s_find_module (name ? name : self->name);
    if (!self->module)
        return pb_error (error, PB_E_CONFIG, "module",
                         _ ("%s: this simulator cannot play '%s'"), place,
                         name ? name : self->name);
    self->state = xcalloc (1, self->module->state_size);
    self->push_timeout_ms = 5000;
    self->push_retry_ms = 500;
    self->push_retry_max_ms = 30000;
    setting_table_t tables[] = {
        {s_common,               self       },
        {self->module->settings, self->state}
    };
    if (!settings_read (node, file, tables, 2, error))
        return false;
    s_end_with_slash (&self->lot_url);
    self->books = json_object_new_object ();
    json_set_text (self->books, "platform", self->name);
    json_object_object_add (self->books, "violations", json_object_new_array ());
    json_object_object_add (self->books, "remarks", json_object_new_array ());
    self->faults = faults_new (self->faults_list, file, self->module->endpoints,
                               sim_random (&self->random), error);
    return self->faults && self->module->start (self, file, error);
}

//  "http://127.0.0.1:40123": the address asked for with the port that was chosen.
static char *
s_url (const sim_platform_t *self)
{
    buffer_t url = {0};
    buffer_printf (&url, "http://%.*s:%d",
                   (int) (strrchr (self->listen, ':') - self->listen), self->listen,
                   self->port);
    return url.data;
}

static bool
s_platform_start (sim_t *sim, const char *name, json_object *node, const char *file,
                  pb_error_t *error)
{
    if (sim->count == PLATFORMS_MAX)
        return pb_error (error, PB_E_CONFIG, "platforms",
                         _ ("%s: more than %d platforms"), file, PLATFORMS_MAX);
    sim_platform_t *self = sim->list[sim->count++] = xcalloc (1, sizeof *self);
    pthread_condattr_t attributes;
    pthread_mutex_init (&self->lock, NULL);
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&self->changed, &attributes);
    pthread_condattr_destroy (&attributes);
    self->name = xstrdup (name);
    self->random = (uint64_t) sim->seed + hash64 (name, strlen (name), 0);
    if (!s_configure (self, node, file, error) || !listener_start (self, error))
        return false;
    if (!push_start (self))
        return pb_error (error, PB_E_BUSY, "", _ ("no thread for platform %s"), name);
    self->url = s_url (self);
    return true;
}

//  {"cmb":"http://127.0.0.1:40123"}, whole or not at all.
static bool
s_write_ready (sim_t *sim, pb_error_t *error)
{
    json_object *urls = json_object_new_object ();
    buffer_t temporary = {0};
    for (size_t i = 0; i < sim->count; i++)
        json_set_text (urls, sim->list[i]->name, sim->list[i]->url);
    buffer_printf (&temporary, "%s.new", sim->ready_file);
    bool done =
        json_object_to_file_ext (temporary.data, urls, JSON_C_TO_STRING_NOSLASHESCAPE)
            == 0
        && rename (temporary.data, sim->ready_file) == 0;
    if (!done)
        pb_error (error, PB_E_STORAGE, "ready_file", _ ("%s cannot be written: %s"),
                  sim->ready_file, strerror (errno));
    buffer_free (&temporary);
    json_object_put (urls);
    return done;
}

//  Paths are relative to the file that they stand in.
static void
s_beside (char **path, const char *file)
{
    const char *slash = strrchr (file, '/');
    if (!*path || **path == '/' || !slash)
        return;
    char *whole = xmalloc ((size_t) (slash - file) + strlen (*path) + 2);
    sprintf (whole, "%.*s/%s", (int) (slash - file), file, *path);
    free (*path);
    *path = whole;
}

static bool
s_start (sim_t *sim, json_object *tree, const char *file, pb_error_t *error)
{
    setting_table_t table = {s_settings, sim};
    if (!settings_read (tree, file, &table, 1, error))
        return false;
    s_beside (&sim->ready_file, file);
    json_object_object_foreach (sim->platforms, name, node)
    {
        if (!s_platform_start (sim, name, node, file, error))
            return false;
    }
    if (sim->ready_file && !s_write_ready (sim, error))
        return false;
    for (size_t i = 0; i < sim->count; i++)
        printf (_ ("%s listens on %s\n"), sim->list[i]->name, sim->list[i]->url);
    fflush (stdout); //  Who reads these lines knows that everything is ready
    return true;
}

static int
s_run (const char *file)
{
    sim_t sim = {.seed = 1};
    pb_error_t error = {0};
    sigset_t ends;
    int signal_number, rc = 0;
    sigemptyset (&ends);
    sigaddset (&ends, SIGINT);
    sigaddset (&ends, SIGTERM);
    pthread_sigmask (SIG_BLOCK, &ends, NULL); //  Threads inherit it; only we wait
    signal (SIGPIPE, SIG_IGN);

    json_object *tree = scenario_load (file, &error);
    if (tree && s_start (&sim, tree, file, &error))
        sigwait (&ends, &signal_number);
    else {
        fprintf (stderr, "parkbus-sim: %s\n", error.message);
        rc = error.code == PB_E_CONFIG ? 2 : 1;
    }
    for (size_t i = 0; i < sim.count; i++)
        s_platform_destroy (sim.list[i]);
    free (sim.ready_file);
    json_object_put (tree);
    return rc;
}

static void
s_help (void)
{
    puts (_ (
        "parkbus-sim --config FILE\n"
        "Plays the platforms that a car park talks to, by their documents, with books\n"
        "and with faults on request.\n"
        "  --config FILE  the scenario (docs/sandbox.md)\n"
        "  --help, --version"));
}

int
main (int argc, char **argv)
{
    static const struct option options[] = {
        {"config",  required_argument, NULL, 'c'},
        {"help",    no_argument,       NULL, 'h'},
        {"version", no_argument,       NULL, 'v'},
        {NULL,      0,                 NULL, 0  },
    };
    const char *file = NULL;
    int option;
    i18n_setup ();
    while ((option = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            file = optarg;
        else if (option == 'h')
            return s_help (), 0;
        else if (option == 'v')
            return puts ("parkbus-sim " PACKAGE_VERSION), 0;
        else
            return 2;
    }
    if (!file || optind < argc) {
        fprintf (stderr, "%s\n", _ ("parkbus-sim: say which scenario: --config FILE"));
        return 2;
    }
    curl_global_init (CURL_GLOBAL_DEFAULT);
    int rc = s_run (file);
    curl_global_cleanup ();
    return rc;
}
