//  host.c - all instances of a site, wired to the loop.

#include "host/inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

#define BURST 256 //  Letters taken in one turn of the loop

//  ---------------------------------------------------------------- letters

static void
s_take_stepped (host_t *self)
{
    exchange_t *exchange;
    for (size_t i = 0; i < BURST && (exchange = mailbox_take (self->stepped)); i++) {
        if (exchange->call.exchange == PB_EXCHANGE_RECEIVE)
            inbound_stepped (exchange);
        else
            outbound_stepped (exchange);
    }
}

static void
s_take_fetched (host_t *self)
{
    http_job_t *job;
    for (size_t i = 0; i < BURST && (job = mailbox_take (self->fetched)); i++)
        outbound_fetched (job);
}

static int
s_stepped (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    s_take_stepped (arg);
    return 0;
}

static int
s_fetched (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    s_take_fetched (arg);
    return 0;
}

static int
s_http (zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void) loop;
    (void) item;
    http_server_run (((host_t *) arg)->server);
    return 0;
}

static void
s_poll (host_t *self, int fd, zloop_fn *fn)
{
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    zloop_poller (self->options.loop, &item, fn, self);
}

static void
s_poll_end (host_t *self, int fd)
{
    zmq_pollitem_t item = {.fd = fd};
    zloop_poller_end (self->options.loop, &item);
}

//  ---------------------------------------------------------------- instances

static bool
s_takes (void *arg, const event_t *event)
{
    return instance_takes (arg, event);
}

//  The platform stopped answering as it should, or does again.
static void
s_state (void *arg, const char *sentence)
{
    instance_t *self = arg;
    char alarm[80], said[600];
    snprintf (alarm, sizeof alarm, "platform.%s", self->config->name);
    snprintf (said, sizeof said,
              sentence
                  ? _ ("%s does not take our reports, they are kept and sent again: %s")
                  : _ ("%s takes our reports again"),
              self->config->name, sentence ? sentence : "");
    bus_alarm (self->host->options.bus, sentence != NULL, NULL, alarm, said);
    state_t state = sentence ? STATE_DEGRADED : STATE_UP;
    if (state != self->state)
        instance_state (self, state, sentence);
}

static void
s_add_routes (instance_t *self)
{
    for (size_t i = 0; i < self->routes_count; i++)
        if (!http_server_add (self->host->server, &self->routes[i]))
            log_error (self->config->name, _ ("%s %s is served by another instance"),
                       self->routes[i].method, self->routes[i].path);
}

static void
s_start (instance_t *self)
{
    host_t *host = self->host;
    instance_start (self);
    if (!self->running)
        return;
    s_add_routes (self);
    if (self->plugin->takes && self->plugin->takes[0]) {
        delivery_options_t options = {
            .instance = self->config->name,
            .bus = host->options.bus,
            .journal = host->options.journal,
            .timers = host->options.timers,
            .memory = host->options.deliveries,
            .in_flight = self->plugin->policy ? self->plugin->policy->in_flight : 0,
            .takes = s_takes,
            .carry = outbound_carry,
            .state = s_state,
            .arg = self,
        };
        self->delivery = delivery_new (&options);
    }
    instance_state (self, STATE_UP, NULL);
}

//  ---------------------------------------------------------------- the service plugin.list

static void
s_list_one (buffer_t *json, instance_t *self)
{
    delivery_counts_t counts = {0};
    if (self->delivery)
        counts = delivery_counts (self->delivery);
    buffer_printf (
        json,
        "{\"name\":\"%s\",\"module\":\"%s\",\"version\":\"%s\",\"state\":\"%s\","
        "\"mount\":\"%s\"",
        self->config->name, self->config->module ? self->config->module : "",
        self->plugin && self->made ? self->plugin->version : "",
        instance_state_word (self->state),
        self->config->mount ? self->config->mount : "");
    if (self->config->url) {
        buffer_text (json, ",\"url\":");
        buffer_json_string (json, self->config->url, strlen (self->config->url));
    }
    if (self->sentence[0]) {
        buffer_text (json, ",\"sentence\":");
        buffer_json_string (json, self->sentence, strlen (self->sentence));
    }
    buffer_printf (json,
                   ",\"owed\":%" PRIu64 ",\"done\":%" PRIu64 ",\"retries\":%" PRIu64
                   ",\"aside\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"pushes\":%" PRIu64
                   ",\"refused\":%" PRIu64 "}",
                   (uint64_t) counts.owed + counts.behind, counts.done, counts.retries,
                   counts.aside, counts.dropped, self->pushes, self->refused);
}

static void
s_list (void *arg, const bus_question_t *question, bus_answer_fn *answer,
        void *answer_arg)
{
    (void) question;
    host_t *self = arg;
    buffer_t json = {0};
    buffer_text (&json, "{\"items\":[");
    for (size_t i = 0; i < self->count; i++) {
        if (i)
            buffer_text (&json, ",");
        s_list_one (&json, &self->instances[i]);
    }
    buffer_text (&json, "]}");
    answer (answer_arg, &(bus_answer_t){.body = json.data, .body_size = json.size});
    buffer_free (&json);
}

//  ---------------------------------------------------------------- making

static bool
s_listen (host_t *self, pb_error_t *error)
{
    const config_t *config = self->options.config;
    http_server_options_t options = {
        .address = config->http_listen,
        .timers = self->options.timers,
        .request = inbound_request,
        .arg = self,
        .proxies = (const char *const *) config->proxies,
    };
    self->server = http_server_new (&options, error);
    return self->server != NULL;
}

host_t *
host_new (const host_options_t *options, pb_error_t *error)
{
    host_t *self = xcalloc (1, sizeof *self);
    self->options = *options;
    self->stepped = mailbox_new ();
    self->fetched = mailbox_new ();
    self->reader = journal_reader_new (options->journal);
    self->client = http_client_new (&(http_client_options_t){
        .done = self->fetched, .user_agent = "parkbus/" PARKBUS_VERSION});
    if (!s_listen (self, error)) {
        host_stop (self);
        host_destroy (&self);
        return NULL;
    }
    bus_provide (options->bus, "plugin.list", false, s_list, self);
    s_poll (self, mailbox_fd (self->stepped), s_stepped);
    s_poll (self, mailbox_fd (self->fetched), s_fetched);
    s_poll (self, http_server_fd (self->server), s_http);
    const config_t *config = options->config;
    self->instances = xcalloc (config->instances_count + 1, sizeof *self->instances);
    for (size_t i = 0; i < config->instances_count; i++) {
        if (!config->instances[i].enabled)
            continue;
        instance_t *instance = &self->instances[self->count++];
        if (instance_open (instance, self, &config->instances[i]))
            s_start (instance);
    }
    return self;
}

void
host_wake (host_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->instances[i].delivery)
            delivery_wake (self->instances[i].delivery);
}

int
host_http_port (const host_t *self)
{
    return http_server_port (self->server);
}

//  ---------------------------------------------------------------- ending

//  What is under way is let come back, for a short while: nobody is left waiting. Pushes
//  that wait for a local program end with the bus.
static void
s_drain (host_t *self)
{
    int64_t until = moment_monotonic_ms () + 2000;
    while (self->busy > self->asking && moment_monotonic_ms () < until) {
        zmq_pollitem_t items[] = {
            {.fd = mailbox_fd (self->stepped),         .events = ZMQ_POLLIN},
            {.fd = mailbox_fd (self->fetched),         .events = ZMQ_POLLIN},
            {.fd = journal_fd (self->options.journal), .events = ZMQ_POLLIN},
        };
        zmq_poll (items, 3, 100);
        s_take_fetched (self);
        s_take_stepped (self);
        journal_flush (self->options.journal);
        journal_collect (self->options.journal);
        bus_settle (self->options.bus);
    }
}

void
host_stop (host_t *self)
{
    self->ending = true;
    http_client_destroy (&self->client);
    if (self->server)
        s_drain (self);
    for (size_t i = 0; i < self->count; i++)
        delivery_destroy (&self->instances[i].delivery);
}

void
host_destroy (host_t **self_p)
{
    host_t *self = *self_p;
    if (!self)
        return;
    if (self->server) {
        s_poll_end (self, http_server_fd (self->server));
        s_poll_end (self, mailbox_fd (self->stepped));
        s_poll_end (self, mailbox_fd (self->fetched));
    }
    inbound_destroy (self);
    for (size_t i = 0; i < self->count; i++)
        instance_close (&self->instances[i]);
    //  Steps that ended while the threads did.
    exchange_t *exchange;
    while ((exchange = mailbox_take (self->stepped)))
        exchange_free (&exchange);
    for (http_job_t *job; (job = mailbox_take (self->fetched));) {
        exchange = job->arg;
        exchange_free (&exchange);
    }
    http_server_destroy (&self->server);
    mailbox_destroy (&self->stepped);
    mailbox_destroy (&self->fetched);
    journal_reader_destroy (&self->reader);
    free (self->instances);
    free (self);
    *self_p = NULL;
}

unsigned
host_check (const config_t *config, void (*say) (void *arg, const char *sentence),
            void *arg)
{
    unsigned off = 0;
    host_t host = {.options = {.config = config}};
    for (size_t i = 0; i < config->instances_count; i++) {
        instance_t instance = {0};
        if (!config->instances[i].enabled)
            continue;
        if (!instance_open (&instance, &host, &config->instances[i])) {
            say (arg, instance.sentence);
            off++;
        }
        instance_close (&instance);
    }
    return off;
}
