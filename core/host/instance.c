//  instance.c - one plugin with one configuration: made, run in its thread, ended.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"

static const char *const state_words[] = {
    [STATE_OFF] = "off", [STATE_UP] = "up", [STATE_DEGRADED] = "degraded"};

const char *
instance_state_word (state_t state)
{
    return state_words[state];
}

void
instance_state (instance_t *self, state_t state, const char *sentence)
{
    const char *name = self->config->name, *word = state_words[state];
    self->state = state;
    snprintf (self->sentence, sizeof self->sentence, "%s", sentence ? sentence : "");
    host_t *host = self->host;
    if (!host->options.bus)
        return; //  Only a check
    if (state == STATE_UP)
        log_info (name, _ ("up: pushes arrive at http.listen under %s"),
                  self->config->mount);
    else
        log_warning (name, "%s: %s", word, self->sentence);
    const char *said = zhashx_lookup (host->options.memory->states, name);
    if (streq (said, word))
        return;
    zhashx_update (host->options.memory->states, name, xstrdup (word));
    buffer_t data = {0};
    buffer_printf (&data, "{\"name\":\"%s\",\"state\":\"%s\"", name, word);
    if (self->sentence[0]) {
        buffer_text (&data, ",\"sentence\":");
        buffer_json_string (&data, self->sentence, strlen (self->sentence));
    }
    buffer_text (&data, "}");
    bus_say (host->options.bus,
             &(bus_event_t){.type = "plugin.changed", .data = data.data}, NULL, NULL);
    buffer_free (&data);
}

//  ---------------------------------------------------------------- opening

static bool
s_off (instance_t *self, const char *sentence)
{
    instance_state (self, STATE_OFF, sentence);
    return false;
}

//  "{path_token}/entry" with the option's value in its place.
static char *
s_path (const instance_t *self, const pb_route_t *route)
{
    buffer_t path = {0};
    buffer_text (&path, self->config->mount);
    for (const char *c = route->path; *c;) {
        const char *end = *c == '{' ? strchr (c, '}') : NULL;
        if (!end) {
            buffer_add (&path, c++, 1);
            continue;
        }
        char name[64] = "";
        span_copy ((span_t){c + 1, (size_t) (end - c - 1)}, name, sizeof name);
        const char *value = options_get (self->options, name);
        buffer_text (&path, value ? value : "");
        c = end + 1;
    }
    return path.data;
}

static void
s_make_routes (instance_t *self)
{
    size_t count = (size_t) self->plugin->routes_count;
    self->routes = xcalloc (count + 1, sizeof *self->routes);
    self->paths = xcalloc (count + 1, sizeof *self->paths);
    const pb_route_t *route = self->plugin->routes;
    for (size_t i = 0; i < count; i++, route = PB_NEXT (route)) {
        self->paths[i] = s_path (self, route);
        self->routes[i] = (http_route_t){route->method, self->paths[i], route->media,
                                         (size_t) route->body_limit, self};
        self->routes_count++;
    }
}

static bool
s_create (instance_t *self)
{
    exchange_t *exchange = exchange_new (self, PB_EXCHANGE_SETUP);
    int result = self->plugin->create (&host_functions, &exchange->call, &self->made);
    char sentence[500];
    snprintf (sentence, sizeof sentence, _ ("%s: the plugin cannot start: %s"),
              self->config->file,
              exchange->sentence[0] ? exchange->sentence
                                    : _ ("it gave no reason; look at its options"));
    exchange_free (&exchange);
    if (result == PB_OK)
        return true;
    self->made = NULL;
    return s_off (self, sentence);
}

bool
instance_open (instance_t *self, host_t *host, const config_instance_t *config)
{
    pb_error_t error = {0};
    self->host = host;
    self->config = config;
    if (config->error.code)
        return s_off (self, config->error.message);
    self->file =
        plugin_file_open (host->options.config->plugin_dir, config->module, &error);
    if (!self->file)
        return s_off (self, error.message);
    self->plugin = plugin_file_plugin (self->file);
    if (self->plugin->kind != PB_CODEC)
        return s_off (self, _ ("sinks are not run by this version of parkbusd"));
    self->options = options_new (self->plugin, config, host->options.config, &error);
    if (!self->options)
        return s_off (self, error.message);
    if (host->options.memory)
        host_memory_take (host->options.memory, config->name, &self->remembered,
                          &self->remembered_count);
    if (!s_create (self))
        return false;
    s_make_routes (self);
    return true;
}

static void *
s_thread (void *arg)
{
    instance_t *self = arg;
    exchange_t *exchange;
    //  The instance itself as a letter: the end.
    while ((exchange = mailbox_wait (self->inbox, -1)) != (void *) self)
        if (exchange) {
            exchange_run (exchange);
            mailbox_send (self->host->stepped, exchange);
        }
    return NULL;
}

void
instance_start (instance_t *self)
{
    self->inbox = mailbox_new ();
    self->running = pthread_create (&self->thread, NULL, s_thread, self) == 0;
    if (!self->running)
        s_off (
            self,
            _ ("no thread could be made for it: the machine is out of memory or of threads"));
}

void
instance_close (instance_t *self)
{
    if (self->running) {
        mailbox_send (self->inbox, self);
        pthread_join (self->thread, NULL);
        self->running = false;
    }
    delivery_destroy (&self->delivery);
    mailbox_destroy (&self->inbox);
    if (self->made)
        self->plugin->destroy (self->made);
    self->made = NULL;
    for (size_t i = 0; i < self->routes_count; i++)
        free (self->paths[i]);
    free (self->paths);
    free (self->routes);
    for (size_t i = 0; i < self->remembered_count; i++) {
        free (self->remembered[i].name);
        free (self->remembered[i].value);
    }
    free (self->remembered);
    options_destroy (&self->options);
    plugin_file_close (&self->file);
}

bool
instance_takes (const instance_t *self, const event_t *event)
{
    if (!event->lot.p || span_is (event->source, self->config->name)
        || !options_lists_lot (self->options, event->lot))
        return false;
    for (const char *const *type = self->plugin->takes; type && *type; type++)
        if (span_is (event->type, *type))
            return true;
    return false;
}
