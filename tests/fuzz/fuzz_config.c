//  fuzz_config.c - arbitrary bytes as the main file, as a lot's and as a plugin's.

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "config/config_read.h"

static const char s_lots[] = "lots: {north: {lanes: [in-1, out-1]}, south: {}}\n";

static void
s_say (void *arg, const char *sentence)
{
    *(size_t *) arg += strlen (sentence);
}

//  What is refused says where; what is taken is whole.
static void
s_main_file (const char *text, size_t size)
{
    pb_error_t error = {.code = PB_E_OK};
    config_t *self = config_parse ("/etc/parkbus.yaml", text, size, &error);
    assert (self || strncmp (error.message, "/etc/parkbus.yaml:", 18) == 0);
    if (!self)
        return;
    assert (self->node && self->data_dir && self->plugin_dir && self->events
            && self->commands && self->http_listen && self->admin_listen
            && !self->curve_secret);
    size_t said = 0;
    config_unused (self, s_say, &said);
    for (size_t i = 0; i < self->lots_count; i++)
        assert (self->lots[i].zone
                && config_lot (self, SPAN (self->lots[i].name)) == self->lots + i);
    config_destroy (&self);
    assert (!self);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    const char *text = (const char *) data;
    s_main_file (text, size);

    pb_error_t error = {.code = PB_E_OK};
    config_t *self = config_parse ("m.yaml", s_lots, strlen (s_lots), &error);
    assert (self);
    bool ok = config_parse_lot (self, "lots.d/west.yaml", "west", text, size, &error);
    assert (ok || strncmp (error.message, "lots.d/west.yaml:", 17) == 0);
    config_parse_instance (self, "plugins.d/cmb.yaml", "cmb", text, size);
    config_parse_instance (self, "plugins.d/two.yaml", "two", text, size);
    config_mounts_check (self);
    const config_instance_t *first = self->instances;
    assert (*first->error.message
                ? strncmp (first->error.message, "plugins.d/cmb.yaml:", 19) == 0
                : first->module && first->mount);
    config_destroy (&self);
    return 0;
}
