//  daemon.c - configuration, journal, bus, plugins: opened in that order, ended in reverse.

#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bus/bus.h"
#include "base/log.h"
#include "base/moment.h"
#include "charge/quote.h"
#include "config/config.h"
#include "delivery/delivery.h"
#include "host/host.h"
#include "ledger/ledger.h"

typedef struct {
    config_t *config;
    zloop_t *loop;
    timers_t *timers;
    journal_t *journal;
    ledger_t *ledger;
    deliveries_t *deliveries;
    host_memory_t *memory;
    bus_memory_t *bus_memory;
    bus_t *bus;
    quoting_t *quoting;
    host_t *host;
    int signals;
} daemon_t;

//  ---------------------------------------------------------------- what the rooms ask

static bool
s_lot_known (void *arg, span_t lot)
{
    return config_lot (((daemon_t *) arg)->config, lot) != NULL;
}

//  Names of plugin instances, enabled or not, are theirs.
static bool
s_source_reserved (void *arg, span_t source)
{
    const config_t *config = ((daemon_t *) arg)->config;
    for (size_t i = 0; i < config->instances_count; i++)
        if (span_is (source, config->instances[i].name))
            return true;
    return span_is (source, "parkbus");
}

static void
s_appended (void *arg, const event_t *event, uint64_t seq)
{
    ledger_fold (((daemon_t *) arg)->ledger, event, seq);
}

static int64_t
s_leave_within_s (void *arg, const char *lot)
{
    const config_lot_t *found = config_lot (((daemon_t *) arg)->config, SPAN (lot));
    return found ? found->leave_within_s : 900;
}

//  Every record that was found at opening.
static void
s_fold (void *arg, const journal_record_t *record)
{
    daemon_t *self = arg;
    if (record->kind == JOURNAL_EVENT)
        ledger_fold (self->ledger, &record->event, record->seq);
    else
        deliveries_fold (self->deliveries, record);
    host_memory_fold (self->memory, record);
    bus_memory_fold (self->bus_memory, record);
}

static void
s_durable (void *arg, const journal_record_t *record)
{
    daemon_t *self = arg;
    if (self->bus)
        bus_durable (self->bus, record);
}

//  ---------------------------------------------------------------- the loop

static int
s_on_journal (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    daemon_t *self = arg;
    journal_collect (self->journal);
    bus_settle (self->bus);
    host_wake (self->host);
    journal_flush (self->journal);
    return 0;
}

static int
s_on_timers (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    daemon_t *self = arg;
    timers_run (self->timers);
    journal_flush (self->journal);
    return 0;
}

static int
s_on_signal (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    daemon_t *self = arg;
    struct signalfd_siginfo info;
    if (read (item->fd, &info, sizeof info) != (ssize_t) sizeof info)
        return 0;
    if (info.ssi_signo == SIGHUP) {
        log_info ("parkbusd", _ ("SIGHUP: the configuration is read at the start only; "
                                 "restart parkbusd to use a changed one"));
        return 0;
    }
    log_info ("parkbusd", _ ("ending: %s"), strsignal ((int) info.ssi_signo));
    (void) self;
    return -1;
}

static int
s_signals (void)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGHUP);
    //  Before any thread is made, so that all of them inherit it.
    pthread_sigmask (SIG_BLOCK, &set, NULL);
    signal (SIGPIPE, SIG_IGN);
    return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
s_poll (daemon_t *self, int fd, zloop_fn *fn)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    zloop_poller (self->loop, &item, fn, self);
}

//  ---------------------------------------------------------------- opening

//  Every connection is a descriptor.
static void
s_raise_limits (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
}

static bool
s_make_dir (const char *path, pb_error_t *error)
{
    char part[4096];
    snprintf (part, sizeof part, "%s", path);
    for (char *slash = strchr (part + 1, '/'); slash; slash = strchr (slash + 1, '/')) {
        *slash = 0;
        mkdir (part, 0750);
        *slash = '/';
    }
    if (mkdir (part, 0750) == 0 || errno == EEXIST)
        return true;
    return pb_error (
        error, PB_E_STORAGE, "data_dir",
        _ ("data_dir %s cannot be made: %s: create it, or let data_dir name "
           "a directory that parkbusd may write"),
        path, strerror (errno));
}

static bool
s_open_journal (daemon_t *self, pb_error_t *error)
{
    char dir[4096];
    const config_t *config = self->config;
    snprintf (dir, sizeof dir, "%s/journal", config->data_dir);
    if (!s_make_dir (config->data_dir, error)
        || !(self->memory = host_memory_new (config->data_dir, error)))
        return false;
    self->ledger = ledger_new ();
    self->deliveries = deliveries_new ();
    self->bus_memory = bus_memory_new ();
    journal_options_t options = {
        .dir = dir,
        .node = config->node,
        .segment_bytes = (uint64_t) config->segment_mb << 20,
        .dedupe_events = (uint64_t) config->dedupe_events,
        .fold = s_fold,
        .durable = s_durable,
        .arg = self,
    };
    self->journal = journal_open (&options, error);
    if (self->journal)
        ledger_attach (self->ledger, self->journal);
    return self->journal != NULL;
}

//  "+08:00" of the site's first lot.
static void
s_offset (const daemon_t *self, char to[8])
{
    const zone_t *zone = zone_find (self->config->lots[0].zone);
    int east = zone ? zone_offset_s (zone, moment_now_ms ()) / 60 : 480;
    int size = abs (east);
    snprintf (to, 8, "%c%02d:%02d", east < 0 ? '-' : '+', size / 60 % 24, size % 60);
}

static bool
s_open_bus (daemon_t *self, pb_error_t *error)
{
    static char offset[8];
    const config_t *config = self->config;
    s_offset (self, offset);
    bus_options_t options = {
        .node = config->node,
        .version = PARKBUS_VERSION,
        .events = config->events,
        .commands = config->commands,
        .offset = offset,
        .only_lot = config->lots_count == 1 ? config->lots[0].name : NULL,
        .loop = self->loop,
        .timers = self->timers,
        .journal = self->journal,
        .memory = self->bus_memory,
        .lot_known = s_lot_known,
        .source_reserved = s_source_reserved,
        .appended = s_appended,
        .arg = self,
    };
    self->bus = bus_new (&options, error);
    if (!self->bus)
        return false;
    self->quoting =
        quoting_new (&(quoting_options_t){.bus = self->bus,
                                          .ledger = self->ledger,
                                          .leave_within_s = s_leave_within_s,
                                          .arg = self});
    return true;
}

static bool
s_open_host (daemon_t *self, pb_error_t *error)
{
    host_options_t options = {
        .config = self->config,
        .loop = self->loop,
        .timers = self->timers,
        .bus = self->bus,
        .journal = self->journal,
        .ledger = self->ledger,
        .quoting = self->quoting,
        .deliveries = self->deliveries,
        .memory = self->memory,
    };
    self->host = host_new (&options, error);
    return self->host != NULL;
}

static void
s_close (daemon_t *self)
{
    if (self->host)
        host_stop (self->host);
    if (self->journal)
        journal_wait (self->journal);
    if (self->bus)
        bus_settle (self->bus);
    if (self->bus)
        bus_destroy (&self->bus);
    host_destroy (&self->host);
    if (self->quoting)
        quoting_destroy (&self->quoting);
    ledger_destroy (&self->ledger);
    journal_close (&self->journal);
    deliveries_destroy (&self->deliveries);
    host_memory_destroy (&self->memory);
    bus_memory_destroy (&self->bus_memory);
    timers_destroy (&self->timers);
    zloop_destroy (&self->loop);
    config_destroy (&self->config);
    if (self->signals >= 0)
        close (self->signals);
}

//  ---------------------------------------------------------------- the programs

static int
s_refuse (daemon_t *self, const pb_error_t *error)
{
    fprintf (stderr, "parkbusd: %s\n", error->message);
    s_close (self);
    return error->code == PB_E_CONFIG ? 2 : 1;
}

static void
s_say_unused (void *arg, const char *sentence)
{
    (void) arg;
    log_warning ("config", "%s", sentence);
}

static void
s_say_cut (daemon_t *self)
{
    const char *sentence = NULL;
    if (journal_tail_cut (self->journal, &sentence))
        bus_notice (self->bus, NULL, "journal.tail_cut", sentence);
}

int
daemon_run (const char *config_file)
{
    daemon_t self = {.signals = -1};
    pb_error_t error = {0};
    zsys_handler_set (NULL); //  Signals are ours
    self.signals = s_signals ();
    s_raise_limits ();
    self.config = config_load (config_file, &error);
    if (!self.config)
        return s_refuse (&self, &error);
    log_setup ((log_level_t) self.config->log_level,
               (log_format_t) self.config->log_format);
    config_unused (self.config, s_say_unused, NULL);
    self.timers = timers_new ();
    self.loop = zloop_new ();
    zloop_set_nonstop (self.loop, true);
    if (!s_open_journal (&self, &error) || !s_open_bus (&self, &error)
        || !s_open_host (&self, &error))
        return s_refuse (&self, &error);
    s_poll (&self, self.signals, s_on_signal);
    s_poll (&self, journal_fd (self.journal), s_on_journal);
    s_poll (&self, timers_fd (self.timers), s_on_timers);
    s_say_cut (&self);
    log_info ("parkbusd",
              _ ("%s is ready: commands at %s, events at %s, platforms at port %d, "
                 "%" PRIu64 " events in the journal"),
              self.config->node, bus_commands_endpoint (self.bus),
              bus_events_endpoint (self.bus), host_http_port (self.host),
              journal_head (self.journal));
    journal_flush (self.journal);
    zloop_start (self.loop);
    s_close (&self);
    return 0;
}

static void
s_say_off (void *arg, const char *sentence)
{
    (void) arg;
    fprintf (stderr, "parkbusd: %s\n", sentence);
}

int
daemon_check (const char *config_file)
{
    pb_error_t error = {0};
    config_t *config = config_load (config_file, &error);
    if (!config) {
        fprintf (stderr, "parkbusd: %s\n", error.message);
        return 2;
    }
    config_unused (config, s_say_off, NULL);
    unsigned off = host_check (config, s_say_off, NULL);
    if (!off)
        printf (_ ("%s: ok, %zu lots, %zu plugin instances\n"), config_file,
                config->lots_count, config->instances_count);
    config_destroy (&config);
    return off ? 2 : 0;
}
