//  plugin.c - `parkbus plugin list|show`: which plugins run, and what one of them declares.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "host/load.h"
#include "host/options.h"
#include "host/value.h"
#include "wire.h"

//  ---------------------------------------------------------------------- list

//  One instance, as it is printed.
enum { NAME, MODULE, VERSION, STATE, OWED, ASIDE, MOUNT, SENTENCE, COLUMNS };

typedef struct {
    char text[COLUMNS][512];
} row_t;

typedef struct {
    row_t *rows;
    size_t count;
} rows_t;

static row_t *
s_row (rows_t *self)
{
    self->rows = xrealloc (self->rows, (self->count + 1) * sizeof *self->rows);
    memset (&self->rows[self->count], 0, sizeof *self->rows);
    return &self->rows[self->count++];
}

static void
s_cell (row_t *row, int column, const char *text)
{
    snprintf (row->text[column], sizeof row->text[column], "%s", text ? text : "");
}

//  Columns as wide as their widest cell; the sentence, which may be long, comes last.
static void
s_print (const rows_t *self)
{
    int widths[COLUMNS] = {0};
    for (size_t i = 0; i < self->count; i++)
        for (int c = 0; c < SENTENCE; c++) {
            int columns = cli_columns (self->rows[i].text[c]);
            widths[c] = columns > widths[c] ? columns : widths[c];
        }
    for (size_t i = 0; i < self->count; i++) {
        char line[COLUMNS * 512] = "";
        size_t size = 0;
        for (int c = 0; c < SENTENCE; c++)
            size += (size_t) snprintf (line + size, sizeof line - size, "%-*s  ",
                                       cli_fill (self->rows[i].text[c], widths[c]),
                                       self->rows[i].text[c]);
        printf ("%s%s\n", line, self->rows[i].text[SENTENCE]);
    }
}

static void
s_heading (rows_t *rows)
{
    static const char *const names[COLUMNS] = {
        N_ ("NAME"), N_ ("MODULE"), N_ ("VERSION"), N_ ("STATE"),
        N_ ("OWED"), N_ ("ASIDE"),  N_ ("MOUNT"),   ""};
    row_t *row = s_row (rows);
    for (int c = 0; c < SENTENCE; c++)
        s_cell (row, c, _ (names[c]));
}

//  What parkbusd answers: texts, but `owed` and `aside` are numbers.
static void
s_from_daemon (json_object *items, rows_t *rows)
{
    static const char *const members[COLUMNS] = {
        "name", "module", "version", "state", "owed", "aside", "mount", "sentence"};
    for (size_t i = 0; i < json_object_array_length (items); i++) {
        json_object *item = json_object_array_get_idx (items, i), *member;
        row_t *row = s_row (rows);
        for (int c = 0; c < COLUMNS; c++)
            if (json_object_object_get_ex (item, members[c], &member))
                s_cell (row, c, json_object_get_string (member));
    }
}

//  Without a daemon the configuration says at least what is meant to run.
static void
s_from_config (const config_t *config, rows_t *rows)
{
    for (size_t i = 0; i < config->instances_count; i++) {
        const config_instance_t *instance = &config->instances[i];
        row_t *row = s_row (rows);
        s_cell (row, NAME, instance->name);
        s_cell (row, MODULE, instance->module);
        s_cell (row, VERSION, "-");
        s_cell (row, STATE, instance->enabled ? _ ("enabled") : _ ("disabled"));
        s_cell (row, OWED, "-");
        s_cell (row, ASIDE, "-");
        s_cell (row, MOUNT, instance->mount);
        s_cell (row, SENTENCE, instance->error.message);
    }
}

//  CALL plugin.list. The reply's object; NULL with *error.
static json_object *
s_ask (const char *endpoint, wire_error_t *error)
{
    wire_t *wire = wire_new (endpoint, error);
    if (!wire)
        return NULL;
    zmsg_t *question = zmsg_new ();
    zmsg_addstr (question, "{\"service\":\"plugin.list\"}");
    zmsg_addstr (question, "{}");
    zmsg_t *answer =
        wire_ask (wire, "CALL", &question, "REPLY", WIRE_TIMEOUT_MS, error);
    zframe_t *body = answer && zmsg_first (answer) ? zmsg_next (answer) : NULL;
    json_object *object = body ? wire_json (body) : NULL;
    zmsg_destroy (&answer);
    wire_destroy (&wire);
    return object;
}

static int
s_list (cli_t *cli)
{
    const char *commands, *events;
    if (!cli_endpoints (cli, &commands, &events))
        return CLI_USAGE;
    rows_t rows = {0};
    s_heading (&rows);
    wire_error_t error = {"", ""};
    pb_error_t ignored;
    json_object *reply = s_ask (commands, &error), *items;
    const config_t *config = cli_config (cli, &ignored);
    int code = CLI_OK;
    if (json_object_object_get_ex (reply, "items", &items)
        && json_object_is_type (items, json_type_array))
        s_from_daemon (items, &rows);
    else if (config && !error.code[0]) {
        wire_complain (&error);
        cli_say (_ ("this is what %s and its plugin files say:"), config->file);
        s_from_config (config, &rows);
    } else
        code = wire_complain (&error);
    if (code == CLI_OK)
        s_print (&rows);
    json_object_put (reply);
    free (rows.rows);
    return code;
}

//  ---------------------------------------------------------------------- show

static void
s_show_options (const pb_plugin_t *plugin, const char *title, bool keys, uint32_t scope)
{
    const pb_option_t *row = plugin->options;
    bool titled = false;
    for (uint64_t i = 0; i < plugin->options_count; i++, row = PB_NEXT (row)) {
        char wanted[256];
        if ((row->type == PB_OPTION_KEY) != keys || (!keys && row->scope != scope))
            continue;
        if (!titled)
            printf ("\n%s\n", title);
        titled = true;
        value_wanted (row, wanted, sizeof wanted);
        //  In Chinese some begin with a blank, to part them from the word before.
        printf ("  %-16s %s%s%s", row->name,
                keys ? _ ("a secret") : wanted + strspn (wanted, " "),
                row->unit ? ", " : "", row->unit ? row->unit : "");
        if (row->flags & PB_OPTION_REQUIRED)
            printf ("%s", _ ("; required"));
        if (row->preset)
            printf (_ ("; %s unless given"), row->preset);
        const char *help = value_help (row);
        if (help)
            printf ("\n  %-16s %s", "", help);
        putchar ('\n');
    }
}

static void
s_show_routes (const pb_plugin_t *plugin)
{
    const pb_route_t *route = plugin->routes;
    if (plugin->routes_count)
        printf ("\n%s\n", _ ("Pushes arrive at its mount +"));
    for (uint64_t i = 0; i < plugin->routes_count; i++, route = PB_NEXT (route))
        printf ("  %-4s %-28s %s\n", route->method, route->path,
                route->media ? route->media : "");
}

static void
s_show_names (const char *title, const char *const *names)
{
    if (!names || !*names)
        return;
    printf ("\n%s\n ", title);
    for (; *names; names++)
        printf (" %s", *names);
    putchar ('\n');
}

static void
s_show_policy (const pb_policy_t *policy)
{
    if (!policy)
        return;
    printf ("\n%s\n", _ ("How the platform behaves:"));
    printf ("  %s\n", policy->role == PB_ROLE_DRIVER
                          ? _ ("stands on the driver's side")
                          : _ ("stands on the operator's side"));
    printf ("  %s\n", policy->charge_idempotent
                          ? _ ("a repeated charge with the same id is one charge")
                          : _ ("a repeated charge is a second charge"));
    printf ("  %s\n", policy->absent_proves ? _ ("its \"no such order\" is proof")
                                            : _ ("its \"no such order\" is no proof"));
    printf ("  %s\n", policy->refunds ? _ ("it can refund") : _ ("it cannot refund"));
    if (policy->rate_per_s)
        printf (_ ("  it takes %" PRIu32 " requests a second\n"), policy->rate_per_s);
    if (policy->answer_ms)
        printf (_ ("  it waits %" PRIu32 " ms for an answer\n"), policy->answer_ms);
    if (policy->query_schedule)
        printf (_ ("  asked what became of a charge after %s s\n"),
                policy->query_schedule);
    if (policy->push_schedule)
        printf (_ ("  it repeats a push after %s s\n"), policy->push_schedule);
}

static void
s_show_plugin (const plugin_file_t *file)
{
    const pb_plugin_t *plugin = plugin_file_plugin (file);
    printf (_ ("%s %s, a %s for ABI %u.%u\n"), plugin->name, plugin->version,
            plugin->kind == PB_SINK ? _ ("sink") : _ ("codec"), plugin->abi_major,
            plugin->abi_minor);
    if (plugin->source)
        printf (_ ("follows %s\n"), plugin->source);
    printf ("%s\n", plugin_file_path (file));
    s_show_options (plugin, _ ("Keys (keys:)"), true, 0);
    s_show_options (plugin, _ ("Options (options:)"), false, PB_SCOPE_INSTANCE);
    s_show_options (plugin, _ ("Options of each lot (lots:)"), false, PB_SCOPE_LOT);
    s_show_routes (plugin);
    s_show_names (_ ("Takes the events"), plugin->takes);
    s_show_names (_ ("Serves"), plugin->serves);
    s_show_policy (plugin->policy);
}

//  Is the configured instance well? Says so. False: it is not.
static bool
s_show_instance (const config_t *config, const config_instance_t *instance,
                 const plugin_file_t *file)
{
    pb_error_t error = instance->error;
    printf (_ ("\nInstance %s (%s), mounted at %s\n"), instance->name, instance->file,
            instance->mount ? instance->mount : "-");
    options_t *options = error.message[0] ? NULL
                                          : options_new (plugin_file_plugin (file),
                                                         instance, config, &error);
    bool well = options != NULL;
    if (!well)
        cli_fail ("%s", error.message);
    else
        printf ("  %s\n", instance->enabled ? _ ("configured well, enabled")
                                            : _ ("configured well, disabled"));
    options_destroy (&options);
    return well;
}

static int
s_show (cli_t *cli)
{
    pb_error_t error;
    const config_t *config = cli_config (cli, &error);
    if (!config && error.message[0]) {
        cli_fail ("%s", error.message);
        return CLI_USAGE;
    }
    const char *name = cli_word (cli, 0);
    const config_instance_t *instance = NULL;
    for (size_t i = 0; config && i < config->instances_count; i++)
        if (streq (config->instances[i].name, name))
            instance = &config->instances[i];
    const char *module = instance && instance->module ? instance->module : name;
    plugin_file_t *file =
        plugin_file_open (config ? config->plugin_dir : PLUGIN_DIR, module, &error);
    if (!file)
        return cli_fail ("%s", error.message);
    s_show_plugin (file);
    bool well = !instance || s_show_instance (config, instance, file);
    plugin_file_close (&file);
    return well ? CLI_OK : CLI_USAGE;
}

const command_t command_plugin_list = {
    "plugin list", "", N_ ("list the plugin instances and how they are"), NULL, 0, 0,
    s_list,
};
const command_t command_plugin_show = {
    "plugin show",
    N_ ("NAME"),
    N_ ("say what a plugin, or an instance's plugin, declares"),
    NULL,
    1,
    1,
    s_show,
};
