//  The options of an instance: what a file says wrong, in which words, and what the
//  lookups answer when it is right.

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config/config.h"
#include "host/options.h"
#include "promise.h"

#define INSTANCE PB_SCOPE_INSTANCE
#define LOT PB_SCOPE_LOT
#define ROW sizeof (pb_option_t)

// clang-format off
static const pb_option_t rows[] = {
    {ROW, "appsecret", PB_OPTION_KEY, INSTANCE, PB_OPTION_REQUIRED, NULL, NULL, NULL, 4,
     64, "Secret of the contract", "合同密钥"},
    {ROW, "spare", PB_OPTION_KEY, INSTANCE, 0, NULL, NULL, NULL, 0, 0, "Spare", NULL},
    {ROW, "appid", PB_OPTION_TEXT, INSTANCE, PB_OPTION_REQUIRED, NULL, NULL, NULL, 0, 8,
     "Number of the contract", "合同编号"},
    {ROW, "pause", PB_OPTION_INT, INSTANCE, 0, "10", NULL, "s", 1, 60, "Pause", NULL},
    {ROW, "strict", PB_OPTION_BOOL, INSTANCE, 0, "false", NULL, NULL, 0, 0, "Strict",
     NULL},
    {ROW, "unit", PB_OPTION_ENUM, INSTANCE, 0, "fen", "fen|yuan", NULL, 0, 0, "Unit",
     NULL},
    {ROW, "allow", PB_OPTION_LIST, INSTANCE, 0, NULL, NULL, NULL, 0, 0, "Senders",
     NULL},
    {ROW, "park_code", PB_OPTION_DIGITS, LOT, PB_OPTION_REQUIRED, NULL, NULL, NULL, 1,
     10, "Number of the lot", "车场编号"},
    {ROW, "guaranteed", PB_OPTION_BOOL, LOT, 0, "false", NULL, NULL, 0, 0, "Bank",
     NULL},
    {ROW, "lanes", PB_OPTION_LANES, LOT, PB_OPTION_REQUIRED | PB_OPTION_NUMBER, NULL,
     NULL, NULL, 0, 255, "Numbers of the lanes", NULL},
    {ROW, "names", PB_OPTION_LANES, LOT, 0, NULL, NULL, NULL, 0, 0, "Names", NULL},
};
// clang-format on

static const char *const takes[] = {"in.recorded", NULL};

static const pb_plugin_t platform = {.kind = PB_CODEC,
                                     .name = "demo",
                                     .options = rows,
                                     .options_count = ARRAY_SIZE (rows),
                                     .takes = takes};
//  Nothing is required of a lot, nothing is sent.
static const pb_plugin_t modest = {
    .kind = PB_CODEC, .name = "modest", .options = rows + 3, .options_count = 4};

static const char site[] = "data_dir: data\n"
                           "plugins_d: plugins.d\n"
                           "lots:\n"
                           "  north: {lanes: [in-1, in-2, out-1]}\n"
                           "  south: {lanes: [gate]}\n"
                           "  east: {lanes: [gate]}\n";

#define HEAD "module: demo\nurl: https://example.org\n"
#define KEYS "keys: {appsecret: file:../secret}\n"
#define ID "options: {appid: '0012'}\n"
#define NORTH "lots:\n  north: {park_code: 0123, lanes: {in-1: 1, in-2: 7, out-1: 1}}\n"

// clang-format off
//  What is said of one file: `refused` (the sentence) or `warned` (the log), by its
//  words.
static const struct {
    const char *promise;
    const char *yaml;
    const char *refused;
    const char *warned;
} cases[] = {
    {"a right file is taken, without a word", HEAD KEYS ID NORTH, NULL, NULL},
    {"no url", "module: demo\n" KEYS ID NORTH, "module demo needs `url`", NULL},
    {"an unknown option: the near one, and where",
     HEAD KEYS "options: {apid: '12'}\n" NORTH,
     "demo.yaml:4:17: module demo knows no `apid` here; did you mean `appid`?", NULL},
    {"an unknown option that is near nothing: all",
     HEAD KEYS "options: {banana: 1}\n" NORTH,
     "knows no `banana` here, only appid, pause, strict, unit, allow", NULL},
    {"a lot's option among the instance's",
     HEAD KEYS "options: {appid: a, park_code: 1}\n" NORTH,
     "`park_code` of module demo does not belong here: write it under each lot", NULL},
    {"a key among the options", HEAD "options: {appid: a, appsecret: x}\n" NORTH,
     "write it under keys:", NULL},
    {"an option among the lot's",
     HEAD KEYS ID "lots: {north: {park_code: 1, appid: a, lanes: {in-1: 1}}}\n",
     "write it under options:", NULL},
    {"an unknown key", HEAD "keys: {appsecrt: file:../secret}\n" ID NORTH,
     "did you mean `appsecret`?", NULL},
    {"a missing required option: which, and what it means", HEAD KEYS NORTH,
     "needs `appid` (Number of the contract): write it under options:", NULL},
    {"a missing required key", HEAD ID NORTH,
     "needs `appsecret` (Secret of the contract): write it under keys:", NULL},
    {"a required option that is empty", HEAD KEYS "options: {appid: ''}\n" NORTH,
     "`appid` is \"\"", NULL},
    {"a text that is too long", HEAD KEYS "options: {appid: '123456789'}\n" NORTH,
     "demo.yaml:4:18: `appid` is \"123456789\"; it must be a text of 0 to 8 bytes",
     NULL},
    {"a number out of range", HEAD KEYS "options: {appid: a, pause: 61}\n" NORTH,
     "`pause` is \"61\"; it must be a whole number from 1 to 60 (Pause)", NULL},
    {"a number that is none", HEAD KEYS "options: {appid: a, pause: 1.5}\n" NORTH,
     "`pause` is \"1.5\"", NULL},
    {"yes is not true", HEAD KEYS "options: {appid: a, strict: yes}\n" NORTH,
     "it must be true or false", NULL},
    {"a word that is none of them", HEAD KEYS "options: {appid: a, unit: jiao}\n" NORTH,
     "one of fen|yuan", NULL},
    {"a list where a text belongs", HEAD KEYS "options: {appid: [a]}\n" NORTH,
     "`appid` must be a text", NULL},
    {"a text where a list belongs",
     HEAD KEYS "options: {appid: a, allow: 1.2.3.4}\n" NORTH, "like [a, b]", NULL},
    {"a list with an empty element",
     HEAD KEYS "options: {appid: a, allow: [b, '']}\n" NORTH, "`allow` is \"\"", NULL},
    {"a key that is not there", HEAD "keys: {appsecret: file:../gone}\n" ID NORTH,
     "demo.yaml:3:19: ", NULL},
    {"a key that is empty", HEAD "keys: {appsecret: file:../empty}\n" ID NORTH,
     "is empty", NULL},
    {"a key that is too short: its length, not itself",
     HEAD "keys: {appsecret: file:../short}\n" ID NORTH,
     "key `appsecret` is 2 bytes long; it must be a text of 4 to 64 bytes", NULL},
    {"lots that need an option are not listed", HEAD KEYS ID,
     "needs `park_code` (Number of the lot): write it under each lot", NULL},
    {"an unknown option of a lot",
     HEAD KEYS ID "lots: {north: {park_cod: 1, lanes: {in-1: 1}}}\n",
     "did you mean `park_code`?", NULL},
    {"a lot's option of the wrong type",
     HEAD KEYS ID "lots: {north: {park_code: 12a, lanes: {in-1: 1}}}\n",
     "`park_code` is \"12a\"; it must be 1 to 10 decimal digits", NULL},
    {"a required option of a lot that is empty",
     HEAD KEYS ID "lots: {north: {park_code: '', lanes: {in-1: 1}}}\n",
     "`park_code` is \"\"; it must be 1 to 10 decimal digits", NULL},
    {"a lane with an empty word",
     HEAD KEYS ID "lots: {north: {park_code: 1, lanes: {}, names: {in-1: ''}}}\n",
     "`names` is \"\"; it must be a text for each lane", NULL},
    {"a lane's number out of range: at the lane",
     HEAD KEYS ID "lots:\n  north:\n    park_code: 1\n    lanes:\n      in-1: 256\n",
     "demo.yaml:9:13: `lanes` is \"256\"; it must be a whole number from 0 to 255 for",
     NULL},
    {"a lane that is no name",
     HEAD KEYS ID "lots: {north: {park_code: 1, lanes: {In 1: 1}}}\n",
     "\"In 1\" cannot be a lane", NULL},
    {"lanes that are no map",
     HEAD KEYS ID "lots: {north: {park_code: 1, lanes: [in-1]}}\n", "like {in-1: 1}",
     NULL},
    {"a lot without a required option is a warning",
     HEAD KEYS ID "lots:\n  north: {lanes: {in-1: 1, in-2: 2, out-1: 3}}\n", NULL,
     "demo.yaml:6:3: lot north has no `park_code` (Number of the lot): what"},
    {"a lane that the lot does not have is a warning",
     HEAD KEYS ID "lots: {south: {park_code: 1, lanes: {gate: 1, in-9: 2}}}\n", NULL,
     "lot south has no lane in-9"},
    {"a lane without a number is a warning",
     HEAD KEYS ID "lots: {north: {park_code: 1, lanes: {in-1: 1, out-1: 1}}}\n", NULL,
     "lane in-2 of lot north is not in `lanes`"},
    {"two entries with one number are a warning",
     HEAD KEYS ID
     "lots: {north: {park_code: 1, lanes: {in-1: 1, in-2: 1, out-1: 2}}}\n", NULL,
     "lanes in-1 and in-2 of lot north are both \"1\""},
};
// clang-format on

static char dir[] = "/tmp/test_options-XXXXXX";

static void
s_write (const char *name, const char *text)
{
    char path[128];
    snprintf (path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen (path, "w");
    if (!file || fputs (text, file) < 0 || fclose (file) != 0)
        exit (99);
    chmod (path, 0600);
}

static void
s_make_site (void)
{
    char path[128];
    if (!mkdtemp (dir))
        exit (99);
    snprintf (path, sizeof path, "%s/plugins.d", dir);
    mkdir (path, 0700);
    s_write ("parkbus.yaml", site);
    s_write ("secret", "first-secret\n");
    s_write ("second", "second-secret");
    s_write ("empty", "\n");
    s_write ("short", "ab");
}

static void
s_remove_site (void)
{
    static const char *const names[] = {"plugins.d/demo.yaml",
                                        "plugins.d",
                                        "parkbus.yaml",
                                        "secret",
                                        "second",
                                        "empty",
                                        "short",
                                        ""};
    for (size_t i = 0; i < ARRAY_SIZE (names); i++) {
        char path[128];
        snprintf (path, sizeof path, "%s/%s", dir, names[i]);
        remove (path);
    }
}

static config_t *
s_load (const char *yaml)
{
    char path[128];
    pb_error_t error = {0};
    s_write ("plugins.d/demo.yaml", yaml);
    snprintf (path, sizeof path, "%s/parkbus.yaml", dir);
    config_t *config = config_load (path, &error);
    if (!config || config->instances_count != 1
        || *config->instances[0].error.message) {
        printf ("# %s %s\n", error.message,
                config ? config->instances[0].error.message : "");
        exit (99);
    }
    return config;
}

//  options_new with what it writes to stderr in `log`.
static options_t *
s_listen (const config_t *config, char *log, size_t room, pb_error_t *error)
{
    FILE *file = tmpfile ();
    int saved = dup (STDERR_FILENO);
    dup2 (fileno (file), STDERR_FILENO);
    options_t *options = options_new (&platform, &config->instances[0], config, error);
    dup2 (saved, STDERR_FILENO);
    close (saved);
    rewind (file);
    log[fread (log, 1, room - 1, file)] = 0;
    fclose (file);
    return options;
}

static void
s_check_cases (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (cases); i++) {
        char log[4096];
        pb_error_t error = {0};
        config_t *config = s_load (cases[i].yaml);
        options_t *options = s_listen (config, log, sizeof log, &error);
        bool kept =
            cases[i].refused
                ? !options && error.code == PB_E_CONFIG
                      && strstr (error.message, cases[i].refused)
                : options
                      && (cases[i].warned ? strstr (log, cases[i].warned) != NULL
                                          : !*log);
        if (!promise (kept, "%s", cases[i].promise))
            printf ("# refused: %s\n# warned: %s\n", error.message, log);
        options_destroy (&options);
        config_destroy (&config);
    }
}

static void
s_check_lots (void)
{
    config_t *config =
        s_load (HEAD KEYS ID "lots:\n  north: {park_code: 0123, lanes: {in-1: 1, in-2: "
                             "07, out-1: 1, gate: 9}, names: {in-1: East}}\n"
                             "  south: {lanes: {gate: 1}}\n");
    char log[4096];
    options_t *options = s_listen (config, log, sizeof log, NULL);

    // clang-format off
    const struct {
        const char *promise;
        const char *got, *wanted;
    } lookups[] = {
        {"zeros are kept", options_get (options, "appid"), "0012"},
        {"a preset where nothing is given", options_get (options, "pause"), "10"},
        {"nothing where nothing is preset", options_get (options, "allow"), NULL},
        {"an unknown option", options_get (options, "banana"), NULL},
        {"a key is no option", options_get (options, "appsecret"), NULL},
        {"a lot's option is none of the instance", options_get (options, "park_code"),
         NULL},
        {"an option of a lot", options_lot (options, "north", "park_code"), "0123"},
        {"its preset", options_lot (options, "north", "guaranteed"), "false"},
        {"what this lot lacks", options_lot (options, "south", "park_code"), NULL},
        {"a lot that is not listed", options_lot (options, "east", "guaranteed"), NULL},
        {"no lot", options_lot (options, NULL, "guaranteed"), NULL},
        {"lot by its word", options_lot_in (options, "park_code", "0123"), "north"},
        {"not without its zeros", options_lot_in (options, "park_code", "123"), NULL},
        {"lane to word", options_lane_out (options, "north", "lanes", "out-1"), "1"},
        {"a number loses its zeros",
         options_lane_out (options, "north", "lanes", "in-2"), "7"},
        {"a lane without a word", options_lane_out (options, "north", "names", "out-1"),
         NULL},
        {"no lane", options_lane_out (options, "north", "lanes", NULL), NULL},
        {"a map that is none", options_lane_out (options, "north", "park_code", "in-1"),
         NULL},
        {"word to entry", options_lane_in (options, "north", "lanes", "1", "in"),
         "in-1"},
        {"word to exit", options_lane_in (options, "north", "lanes", "1", "out"),
         "out-1"},
        {"shared word without direction",
         options_lane_in (options, "north", "lanes", "1", NULL), "in-1"},
        {"a lane of no direction serves both",
         options_lane_in (options, "north", "lanes", "9", "out"), "gate"},
        {"an entry alone serves both",
         options_lane_in (options, "north", "lanes", "7", "out"), "in-2"},
        {"the platform may write zeros",
         options_lane_in (options, "north", "lanes", "001", "in"), "in-1"},
        {"an unknown word", options_lane_in (options, "north", "lanes", "8", "in"),
         NULL},
        {"a word in another map",
         options_lane_in (options, "north", "names", "East", "in"), "in-1"},
        {"what a lot lacks", options_lot_lacks (options, SPAN ("south")), "park_code"},
        {"what a whole lot lacks", options_lot_lacks (options, SPAN ("north")), NULL},
    };
    // clang-format on
    for (size_t i = 0; i < ARRAY_SIZE (lookups); i++)
        if (!promise (streq (lookups[i].got, lookups[i].wanted), "%s",
                      lookups[i].promise))
            printf ("# got %s\n", lookups[i].got ? lookups[i].got : "(none)");
    promise (options_lists_lot (options, SPAN ("south"))
                 && !options_lists_lot (options, SPAN ("east")),
             "it serves the lots that it lists");
    options_destroy (&options);
    config_destroy (&config);
}

static void
s_check_list (void)
{
    config_t *config =
        s_load (HEAD KEYS "options: {appid: a, allow: [10.0.0.1, 10.0.0.2]}\n" NORTH);
    options_t *options = options_new (&platform, &config->instances[0], config, NULL);
    promise (streq (options_get (options, "allow"), "10.0.0.1\n10.0.0.2"),
             "a list is handed out line by line");
    options_destroy (&options);
    config_destroy (&config);
}

static void
s_check_keys (void)
{
    config_t *config =
        s_load (HEAD "keys: {appsecret: [file:../second, file:../secret]}\n" ID NORTH);
    options_t *options = options_new (&platform, &config->instances[0], config, NULL);
    const options_key_t *key = options_key (options, "appsecret");
    promise (key && key->count == 2 && streq (key->secrets[0], "second-secret")
                 && key->sizes[0] == 13 && streq (key->secrets[1], "first-secret"),
             "two secrets during a rotation, in their order");
    promise (!options_key (options, "spare"), "a key that was not given");
    promise (!options_key (options, "appid"), "an option is no key");
    promise (!options_key (options, NULL), "no key");
    options_destroy (&options);
    options_destroy (&options);
    config_destroy (&config);
}

static void
s_check_modest (void)
{
    config_t *config = s_load ("module: modest\noptions: {pause: 007}\n");
    options_t *options = options_new (&modest, &config->instances[0], config, NULL);
    promise (options && streq (options_get (options, "pause"), "7"),
             "without url, keys and lots, if the plugin needs none");
    promise (options_lists_lot (options, SPAN ("south"))
                 && !options_lists_lot (options, SPAN ("west")),
             "who lists no lots serves all of them");
    options_destroy (&options);
    config_destroy (&config);

    config = s_load ("module: modest\nlots: {south: {}}\n");
    options = options_new (&modest, &config->instances[0], config, NULL);
    promise (options && options_lists_lot (options, SPAN ("south"))
                 && !options_lists_lot (options, SPAN ("north")),
             "who lists one serves that one");
    options_destroy (&options);
    config_destroy (&config);
}

int
main (void)
{
    s_make_site ();
    s_check_cases ();
    s_check_lots ();
    s_check_list ();
    s_check_keys ();
    s_check_modest ();
    s_remove_site ();
    return promises_kept ();
}
