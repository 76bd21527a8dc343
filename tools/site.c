//  site.c - `parkbus config check` and `parkbus journal info|verify`: a site without its
//  daemon.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/moment.h"
#include "commands.h"
#include "host/load.h"
#include "host/options.h"
#include "journal/journal.h"

//  ---------------------------------------------------------------------- config check

//  Load the plugin and type the options of one instance. False after saying what is wrong.
static bool
s_check_instance (const config_t *config, const config_instance_t *instance)
{
    pb_error_t error = instance->error;
    char where[512];
    config_mark_text (instance->mark_module, where, sizeof where);
    if (error.message[0]) {
        printf ("%s\n", error.message);
        return false;
    }
    if (!instance->enabled)
        return true;
    plugin_file_t *file =
        plugin_file_open (config->plugin_dir, instance->module, &error);
    if (!file) {
        printf ("%s: %s\n", where, error.message);
        return false;
    }
    options_t *options =
        options_new (plugin_file_plugin (file), instance, config, &error);
    bool well = options != NULL;
    if (!well)
        printf ("%s\n", error.message);
    options_destroy (&options);
    plugin_file_close (&file);
    return well;
}

static void
s_note (void *arg, const char *sentence)
{
    (void) arg;
    printf (_ ("note: %s\n"), sentence);
}

static int
s_config_check (cli_t *cli)
{
    const config_t *config = cli_config_needed (cli);
    if (!config)
        return CLI_USAGE;
    size_t wrong = 0, enabled = 0;
    for (size_t i = 0; i < config->instances_count; i++) {
        wrong += !s_check_instance (config, &config->instances[i]);
        enabled += config->instances[i].enabled;
    }
    config_unused (config, s_note, NULL);
    if (wrong) {
        cli_fail (
            _ ("%s: %zu of %zu plugin files are wrong; such an instance stays off, "
               "the rest runs"),
            config->file, wrong, config->instances_count);
        return CLI_USAGE;
    }
    printf (_ ("OK: %s: %zu lots, %zu plugin instances, %zu of them enabled\n"),
            config->file, config->lots_count, config->instances_count, enabled);
    return CLI_OK;
}

const command_t command_config_check = {
    "config check", "", N_ ("check the configuration and the plugins' options"),
    NULL,           0,  0,
    s_config_check,
};

//  ---------------------------------------------------------------------- journal

//  The directory that is named, or the configuration's.
static bool
s_journal_dir (cli_t *cli, char *to, size_t room)
{
    if (cli_word (cli, 0)) {
        snprintf (to, room, "%s", cli_word (cli, 0));
        return true;
    }
    const config_t *config = cli_config_needed (cli);
    if (config)
        snprintf (to, room, "%s/journal", config->data_dir);
    return config != NULL;
}

static void
s_print_label (const char *label)
{
    printf ("%-*s ", cli_fill (label, 13), label);
}

static void
s_print_time (cli_t *cli, const char *label, int64_t ms)
{
    pb_error_t error;
    const config_t *config = cli_config (cli, &error);
    const zone_t *zone = zone_find (config && config->lots_count ? config->lots[0].zone
                                                                 : "Asia/Shanghai");
    char text[32];
    if (!ms)
        return;
    moment_to_rfc3339 ((pb_time_t){ms}, zone, text);
    s_print_label (label);
    printf ("%s\n", text);
}

static void
s_print_tail (const journal_summary_t *summary)
{
    if (summary->tail_bytes)
        printf (_ ("The last %" PRIu64
                   " bytes are a group that was never finished; parkbusd "
                   "cuts it when it starts.\n"),
                summary->tail_bytes);
}

static int
s_look (cli_t *cli, journal_summary_t *summary, char *dir, size_t room)
{
    pb_error_t error;
    if (!s_journal_dir (cli, dir, room))
        return CLI_USAGE;
    if (!journal_verify (dir, summary, &error))
        return cli_fail ("%s", error.message);
    if (summary->segments == 0)
        return cli_fail (
            _ ("there is no journal in %s: it is the folder journal in the "
               "data_dir of the configuration"),
            dir);
    return CLI_OK;
}

static void
s_print_events (const journal_summary_t *summary)
{
    s_print_label (_ ("events"));
    printf ("%" PRIu64, summary->events);
    if (summary->events)
        printf (_ (", %" PRIu64 " to %" PRIu64), summary->first, summary->head);
    putchar ('\n');
}

static int
s_journal_info (cli_t *cli)
{
    journal_summary_t summary = {0};
    char dir[4096];
    int code = s_look (cli, &summary, dir, sizeof dir);
    if (code != CLI_OK)
        return code;
    s_print_label (_ ("directory"));
    printf ("%s\n", dir);
    s_print_label (_ ("format"));
    printf ("%" PRIu32 "\n", summary.version);
    s_print_label (_ ("segments"));
    printf (_ ("%" PRIu64 ", %.1f MiB\n"), summary.segments,
            (double) summary.bytes / (1024 * 1024));
    s_print_events (&summary);
    s_print_label (_ ("records"));
    printf ("%" PRIu64 "\n", summary.records);
    s_print_label (_ ("groups"));
    printf ("%" PRIu64 "\n", summary.groups);
    s_print_time (cli, _ ("oldest"), summary.first_ms);
    s_print_time (cli, _ ("newest"), summary.last_ms);
    s_print_tail (&summary);
    return CLI_OK;
}

static int
s_journal_verify (cli_t *cli)
{
    journal_summary_t summary = {0};
    char dir[4096];
    int code = s_look (cli, &summary, dir, sizeof dir);
    if (code != CLI_OK)
        return code;
    printf (_ ("OK: %s: every record is as it was written\n"), dir);
    s_print_label (_ ("segments"));
    printf ("%" PRIu64 "\n", summary.segments);
    s_print_events (&summary);
    s_print_tail (&summary);
    return CLI_OK;
}

const command_t command_journal_info = {
    "journal info", N_ ("[DIR]"), N_ ("say what the journal holds"), NULL, 0, 1,
    s_journal_info,
};
const command_t command_journal_verify = {
    "journal verify",
    N_ ("[DIR]"),
    N_ ("read the whole journal and check every record"),
    NULL,
    0,
    1,
    s_journal_verify,
};
