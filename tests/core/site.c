//  site.c - a site for tests: see site.h.

#include "core/site.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/moment.h"
#include "journal/disk.h"

#define PATIENCE_MS 10000 //  Until a message that does not come is a broken promise

//  ---------------------------------------------------------------- the clock, the disk

int64_t __real_moment_monotonic_ms (void);
int64_t __wrap_moment_monotonic_ms (void);

static int64_t s_skipped;

int64_t
__wrap_moment_monotonic_ms (void)
{
    return __real_moment_monotonic_ms () + s_skipped;
}

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_changed = PTHREAD_COND_INITIALIZER;
static bool s_closed, s_failing;

static void
s_set (bool *what, bool to)
{
    pthread_mutex_lock (&s_lock);
    *what = to;
    pthread_cond_broadcast (&s_changed);
    pthread_mutex_unlock (&s_lock);
}

void
site_gate (bool closed)
{
    s_set (&s_closed, closed);
}

void
site_fail (bool failing)
{
    s_set (&s_failing, failing);
}

static int
s_fdatasync (void *arg, int fd)
{
    (void) arg;
    (void) fd;
    pthread_mutex_lock (&s_lock);
    while (s_closed)
        pthread_cond_wait (&s_changed, &s_lock);
    int result = s_failing ? -1 : 0;
    pthread_mutex_unlock (&s_lock);
    errno = EIO;
    return result;
}

static int
s_sync_dir (void *arg, const char *path)
{
    (void) arg;
    (void) path;
    return 0;
}

//  ---------------------------------------------------------------- opening and ending

static bool
s_lot_known (void *arg, span_t lot)
{
    (void) arg;
    return span_is (lot, "north") || span_is (lot, "south");
}

static bool
s_source_reserved (void *arg, span_t source)
{
    (void) arg;
    return span_is (source, "cmb") || span_is (source, "parkbus");
}

static void
s_appended (void *arg, const event_t *event, uint64_t seq)
{
    ledger_fold (((site_t *) arg)->ledger, event, seq);
}

static void
s_fold (void *arg, const journal_record_t *record)
{
    site_t *self = arg;
    if (record->kind == JOURNAL_EVENT)
        ledger_fold (self->ledger, &record->event, record->seq);
    else
        deliveries_fold (self->deliveries, record);
}

static void
s_durable (void *arg, const journal_record_t *record)
{
    site_t *self = arg;
    self->durable++;
    if (self->bus)
        bus_durable (self->bus, record);
}

static int
s_on_journal (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    site_t *self = arg;
    journal_collect (self->journal);
    bus_settle (self->bus);
    journal_flush (self->journal);
    return 0;
}

static int
s_on_timers (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    site_t *self = arg;
    timers_run (self->timers);
    journal_flush (self->journal);
    return 0;
}

static void
s_poll (site_t *self, int fd, zloop_fn *fn)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    zloop_poller (self->loop, &item, fn, self);
}

static void
s_give_up (const char *what)
{
    printf ("Bail out! %s\n", what);
    exit (99);
}

void
site_reopen (site_t *self)
{
    static journal_disk_t disk;
    pb_error_t error = {0};
    disk = disk_real;
    disk.fdatasync = s_fdatasync;
    disk.sync_dir = s_sync_dir;
    self->durable = 0;
    self->timers = timers_new ();
    self->loop = zloop_new ();
    self->ledger = ledger_new ();
    self->deliveries = deliveries_new ();
    self->journal = journal_open (&(journal_options_t){.dir = self->dir,
                                                       .node = "test",
                                                       .segment_bytes = 4 << 20,
                                                       .dedupe_events = 100000,
                                                       .disk = &disk,
                                                       .fold = s_fold,
                                                       .durable = s_durable,
                                                       .arg = self},
                                  &error);
    if (!self->journal)
        s_give_up (error.message);
    ledger_attach (self->ledger, self->journal);
    self->bus = bus_new (&(bus_options_t){.node = "test",
                                          .version = "0",
                                          .events = "tcp://127.0.0.1:*",
                                          .commands = "tcp://127.0.0.1:*",
                                          .offset = "+08:00",
                                          .loop = self->loop,
                                          .timers = self->timers,
                                          .journal = self->journal,
                                          .lot_known = s_lot_known,
                                          .source_reserved = s_source_reserved,
                                          .appended = s_appended,
                                          .arg = self},
                         &error);
    if (!self->bus)
        s_give_up (error.message);
    s_poll (self, journal_fd (self->journal), s_on_journal);
    s_poll (self, timers_fd (self->timers), s_on_timers);
}

static void
s_new_dir (site_t *self)
{
    const char *base = getenv ("TMPDIR");
    snprintf (self->dir, sizeof self->dir, "%s/parkbus-site-XXXXXX",
              base ? base : "/tmp");
    if (!mkdtemp (self->dir))
        s_give_up (self->dir);
}

void
site_open (site_t *self)
{
    *self = (site_t){0};
    s_new_dir (self);
    site_reopen (self);
}

void
site_end (site_t *self)
{
    if (journal_wait (self->journal) || journal_failed (self->journal))
        bus_settle (self->bus);
    bus_destroy (&self->bus);
    ledger_destroy (&self->ledger);
    journal_close (&self->journal);
    deliveries_destroy (&self->deliveries);
    timers_destroy (&self->timers);
    zloop_destroy (&self->loop);
}

typedef void (file_fn) (const char *path, const char *to);

static void
s_each_file (const char *path, const char *to, file_fn *fn)
{
    char from[600], name[600];
    DIR *dir = opendir (path);
    for (struct dirent *entry; dir && (entry = readdir (dir));) {
        snprintf (from, sizeof from, "%s/%s", path, entry->d_name);
        snprintf (name, sizeof name, "%s/%s", to, entry->d_name);
        if (entry->d_name[0] != '.')
            fn (from, name);
    }
    if (dir)
        closedir (dir);
}

static void
s_remove_file (const char *path, const char *to)
{
    (void) to;
    unlink (path);
}

static void
s_copy_file (const char *path, const char *to)
{
    char bytes[65536];
    FILE *in = fopen (path, "rb"), *out = fopen (to, "wb");
    if (!in || !out)
        s_give_up (to);
    for (size_t size; (size = fread (bytes, 1, sizeof bytes, in));)
        if (fwrite (bytes, 1, size, out) != size)
            s_give_up (to);
    fclose (in);
    fclose (out);
}

void
site_close (site_t *self)
{
    site_end (self);
    s_each_file (self->dir, "", s_remove_file);
    if (rmdir (self->dir) != 0)
        s_give_up (self->dir);
}

void
site_copy (const site_t *self, site_t *copy)
{
    *copy = (site_t){0};
    s_new_dir (copy);
    s_each_file (self->dir, copy->dir, s_copy_file);
}

//  ---------------------------------------------------------------- going on

static int
s_stop (zloop_t *loop, int id, void *arg)
{
    (void) loop;
    (void) id;
    (void) arg;
    return -1;
}

void
site_turn (site_t *self)
{
    int id = zloop_timer (self->loop, 1, 1, s_stop, NULL);
    zloop_start (self->loop);
    zloop_timer_end (self->loop, id);
}

void
site_sync (site_t *self)
{
    journal_wait (self->journal);
    bus_settle (self->bus);
}

void
site_skip (site_t *self, int64_t ms)
{
    s_skipped += ms;
    timers_run (self->timers);
    journal_flush (self->journal);
}

uint64_t
site_say (site_t *self, const char *members, ...)
{
    static unsigned number;
    char text[4096], json[4400];
    journal_place_t place;
    pb_error_t error = {0};
    va_list args;
    va_start (args, members);
    vsnprintf (text, sizeof text, members, args);
    va_end (args);
    bool named = strstr (text, "\"source\"") != NULL;
    int size = snprintf (json, sizeof json, "{\"id\":\"e%u\"%s,%s}", ++number,
                         named ? "" : ",\"source\":\"gate\"", text);
    if (bus_emit (self->bus, json, (size_t) size, &place, &error))
        return place.seq;
    printf ("# %s: %s\n", error.message, json);
    return 0;
}

//  ---------------------------------------------------------------- programs

static client_t *
s_client (site_t *site, zsock_t *socket, const char *endpoint)
{
    client_t *self = xcalloc (1, sizeof *self);
    self->site = site;
    self->socket = socket;
    zsock_set_linger (socket, 0);
    if (zsock_connect (socket, "%s", endpoint) != 0)
        s_give_up (endpoint);
    return self;
}

client_t *
client_new (site_t *site)
{
    return s_client (site, zsock_new (ZMQ_DEALER), bus_commands_endpoint (site->bus));
}

//  Subscribed once a marker of its own comes through.
client_t *
client_listen (site_t *site, const char *sub)
{
    client_t *self =
        s_client (site, zsock_new (ZMQ_SUB), bus_events_endpoint (site->bus));
    zsock_set_subscribe (self->socket, sub);
    zsock_set_subscribe (self->socket, "x.mark");
    for (int i = 0; i < 500; i++) {
        site_say (site, "\"type\":\"x.mark\"");
        site_sync (site);
        site_turn (site);
        if (zsock_events (self->socket) & ZMQ_POLLIN)
            break;
    }
    zsock_set_unsubscribe (self->socket, "x.mark");
    while (!client_silent (self))
        client_hear (self);
    return self;
}

void
client_destroy (client_t **self_p)
{
    client_t *self = *self_p;
    if (!self)
        return;
    zsock_destroy (&self->socket);
    free (self->heard);
    free (self);
    *self_p = NULL;
}

void
client_send (client_t *self, ...)
{
    zmsg_t *message = zmsg_new ();
    zmsg_addstr (message, "PB1");
    va_list args;
    va_start (args, self);
    for (const char *text; (text = va_arg (args, const char *));)
        zmsg_addstr (message, text);
    va_end (args);
    zmsg_send (&message, self->socket);
}

const char *
client_hear (client_t *self)
{
    buffer_t text = {0};
    int64_t until = zclock_mono () + PATIENCE_MS;
    while (!(zsock_events (self->socket) & ZMQ_POLLIN) && zclock_mono () < until)
        site_turn (self->site);
    zmsg_t *message =
        zsock_events (self->socket) & ZMQ_POLLIN ? zmsg_recv (self->socket) : NULL;
    for (zframe_t *frame = message ? zmsg_first (message) : NULL; frame;
         frame = zmsg_next (message)) {
        if (text.size == 0 && zframe_streq (frame, "PB1"))
            continue;
        if (text.size)
            buffer_text (&text, "|");
        buffer_add (&text, zframe_data (frame), zframe_size (frame));
    }
    zmsg_destroy (&message);
    buffer_add (&text, "", 1);
    free (self->heard);
    self->heard = text.data;
    return self->heard;
}

bool
client_silent (client_t *self)
{
    for (int i = 0; i < 20; i++) {
        site_turn (self->site);
        if (zsock_events (self->socket) & ZMQ_POLLIN)
            return false;
    }
    return true;
}

bool
begins (const char *text, const char *with)
{
    return strncmp (text, with, strlen (with)) == 0;
}

bool
contains (const char *text, const char *part)
{
    return strstr (text, part) != NULL;
}
