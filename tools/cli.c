//  cli.c - what the commands of `parkbus` share: options, endpoints, sentences, signals.

#include "config.h" //  Extensions, for pipe2
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "schema/event.h"

#define DEFAULT_CONFIG "/etc/parkbus/parkbus.yaml"
#define DEFAULT_EVENTS "tcp://127.0.0.1:5570"
#define DEFAULT_COMMANDS "tcp://127.0.0.1:5571"

//  Longest JSON that is read; the bus takes bodies of 1 MiB.
#define JSON_MAX (1 << 20)

const arg_t cli_globals[] = {
    {"config",  ARG_TEXT, N_ ("FILE"),     0, 0,
     N_ ("configuration that names the daemon's endpoints")                          },
    {"url",     ARG_TEXT, N_ ("ENDPOINT"), 0, 0, N_ ("the daemon's command endpoint")},
    {"events",  ARG_TEXT, N_ ("ENDPOINT"), 0, 0,
     N_ ("the daemon's event endpoint, beside --url")                                },
    {"help",    ARG_FLAG, NULL,            0, 0, N_ ("this help")                    },
    {"version", ARG_FLAG, NULL,            0, 0, N_ ("which version this is")        },
    ARGS_END
};

typedef struct {
    const arg_t *arg;
    const char *text;
    int64_t number;
} value_t;

struct cli {
    const command_t *command;
    value_t *values;
    size_t values_count;
    const char **words;
    size_t words_count;
    config_t *config;
    bool config_tried;
};

__attribute__ ((format (printf, 1, 0))) static void
s_say (const char *format, va_list args)
{
    fflush (stdout); //  What was printed before comes before it
    fputs ("parkbus: ", stderr);
    vfprintf (stderr, format, args);
}

void
cli_say (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_say (format, args);
    va_end (args);
    fputc ('\n', stderr);
}

int
cli_fail (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_say (format, args);
    va_end (args);
    fputc ('\n', stderr);
    return CLI_FAILED;
}

int
cli_usage (const cli_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    s_say (format, args);
    va_end (args);
    const char *name = self && self->command ? self->command->name : NULL;
    fprintf (stderr, _ ("; see parkbus %s%s--help\n"), name ? name : "",
             name ? " " : "");
    return CLI_USAGE;
}

int
cli_columns (const char *text)
{
    int columns = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char) *text;
        if ((byte & 0xc0) != 0x80)           //  A character's first byte
            columns += byte >= 0xe3 ? 2 : 1; //  From U+3000: Chinese, full width
    }
    return columns;
}

int
cli_fill (const char *text, int columns)
{
    return columns + (int) strlen (text) - cli_columns (text);
}

const char *
cli_nearest (const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    //  One mistake in three letters is a typing mistake, more is another word.
    unsigned limit = (unsigned) (strlen (word) / 3 + 1);
    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance (word, names[i]);
        if (distance > limit)
            continue;
        best = names[i];
        limit = distance - (distance > 0);
    }
    return best;
}

//  ---------------------------------------------------------------------- options

static const arg_t *
s_find (const arg_t *table, const char *name, size_t size)
{
    for (const arg_t *arg = table; arg && arg->name; arg++)
        if (strlen (arg->name) == size && memcmp (arg->name, name, size) == 0)
            return arg;
    return NULL;
}

static int
s_unknown (const cli_t *self, const char *word)
{
    const char *names[32];
    size_t count = 0;
    const arg_t *tables[] = {self->command->args, cli_globals};
    for (size_t t = 0; t < ARRAY_SIZE (tables); t++)
        for (const arg_t *arg = tables[t]; arg && arg->name; arg++)
            if (count < ARRAY_SIZE (names))
                names[count++] = arg->name;
    const char *near = cli_nearest (word + 2, names, count);
    if (near)
        return cli_usage (self, _ ("unknown option %s; did you mean --%s?"), word,
                          near);
    return cli_usage (self, _ ("unknown option %s"), word);
}

//  One option at argv[*at]; moves *at over its value. 0, or CLI_USAGE after saying why.
static int
s_option (cli_t *self, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    size_t size = strcspn (word + 2, "=");
    const arg_t *arg = s_find (self->command->args, word + 2, size);
    if (!arg)
        arg = s_find (cli_globals, word + 2, size);
    if (!arg)
        return s_unknown (self, word);
    const char *text = word[2 + size] == '=' ? word + 3 + size : NULL;
    if (arg->kind == ARG_FLAG && text)
        return cli_usage (self, _ ("--%s takes no value"), arg->name);
    if (arg->kind != ARG_FLAG && !text) {
        if (*at + 1 >= argc)
            return cli_usage (self, _ ("--%s wants a value (%s)"), arg->name,
                              _ (arg->value));
        text = argv[++*at];
    }
    value_t value = {arg, text, 0};
    if (arg->kind == ARG_NUMBER
        && !text_int64 (SPAN (text), arg->min, arg->max, &value.number))
        return cli_usage (self,
                          _ ("--%s %s: a whole number from %lld to %lld is wanted"),
                          arg->name, text, (long long) arg->min, (long long) arg->max);
    self->values[self->values_count++] = value;
    return 0;
}

cli_t *
cli_new (const command_t *command, int argc, char **argv)
{
    cli_t *self = xcalloc (1, sizeof *self);
    self->command = command;
    self->values = xcalloc ((size_t) argc + 1, sizeof *self->values);
    self->words = xcalloc ((size_t) argc + 1, sizeof *self->words);
    bool words_only = false;
    for (int i = 0; i < argc; i++) {
        if (words_only || argv[i][0] != '-' || streq (argv[i], "-"))
            self->words[self->words_count++] = argv[i];
        else if (streq (argv[i], "--"))
            words_only = true;
        else if (streq (argv[i], "-h"))
            self->values[self->values_count++] =
                (value_t){s_find (cli_globals, "help", 4), NULL, 0};
        else if (argv[i][1] != '-') {
            cli_usage (self, _ ("%s is no option: they begin with two dashes"),
                       argv[i]);
            cli_destroy (&self);
            return NULL;
        } else if (s_option (self, argc, argv, &i) != 0) {
            cli_destroy (&self);
            return NULL;
        }
    }
    return self;
}

void
cli_destroy (cli_t **self_p)
{
    cli_t *self = *self_p;
    if (!self)
        return;
    config_destroy (&self->config);
    free (self->values);
    free (self->words);
    free (self);
    *self_p = NULL;
}

static const value_t *
s_value (const cli_t *self, const char *name)
{
    for (size_t i = self->values_count; i > 0; i--)
        if (streq (self->values[i - 1].arg->name, name))
            return &self->values[i - 1];
    return NULL;
}

const char *
cli_text (const cli_t *self, const char *name)
{
    const value_t *value = s_value (self, name);
    return value ? value->text : NULL;
}

size_t
cli_texts (const cli_t *self, const char *name, const char **to, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < self->values_count && count < room; i++)
        if (streq (self->values[i].arg->name, name))
            to[count++] = self->values[i].text;
    return count;
}

int64_t
cli_number (const cli_t *self, const char *name, int64_t preset)
{
    const value_t *value = s_value (self, name);
    return value ? value->number : preset;
}

bool
cli_given (const cli_t *self, const char *name)
{
    return s_value (self, name) != NULL;
}

size_t
cli_words_count (const cli_t *self)
{
    return self->words_count;
}

const char *
cli_word (const cli_t *self, size_t index)
{
    return index < self->words_count ? self->words[index] : NULL;
}

//  ---------------------------------------------------------------------- endpoints

const config_t *
cli_config (cli_t *self, pb_error_t *error)
{
    *error = (pb_error_t){.code = PB_E_OK};
    if (self->config_tried)
        return self->config;
    self->config_tried = true;
    const char *file = cli_text (self, "config");
    if (!file && !cli_given (self, "url"))
        file = getenv ("PARKBUS_CONFIG");
    if (!file && !cli_given (self, "url") && access (DEFAULT_CONFIG, R_OK) == 0)
        file = DEFAULT_CONFIG;
    if (file)
        self->config = config_load (file, error);
    return self->config;
}

const config_t *
cli_config_needed (cli_t *self)
{
    pb_error_t error;
    const config_t *config = cli_config (self, &error);
    if (!config && error.message[0])
        cli_fail ("%s", error.message);
    else if (!config)
        cli_fail (_ ("there is no configuration: name its file with --config FILE"));
    return config;
}

bool
cli_endpoints (cli_t *self, const char **commands, const char **events)
{
    *commands = cli_text (self, "url");
    *events = cli_text (self, "events");
    if (*commands)
        return true;
    pb_error_t error;
    const config_t *config = cli_config (self, &error);
    if (!config && error.message[0]) {
        cli_fail ("%s", error.message);
        return false;
    }
    *commands = config ? config->commands : DEFAULT_COMMANDS;
    if (!*events)
        *events = config ? config->events : DEFAULT_EVENTS;
    return true;
}

//  ---------------------------------------------------------------------- input

static bool
s_read_all (int fd, buffer_t *to, size_t most)
{
    char bytes[65536];
    for (;;) {
        ssize_t size = read (fd, bytes, sizeof bytes);
        if (size == 0)
            return true;
        if (size < 0 && errno == EINTR && !cli_interrupted ())
            continue;
        if (size < 0 || to->size + (size_t) size > most)
            return false;
        buffer_add (to, bytes, (size_t) size);
    }
}

bool
cli_json (const cli_t *self, const char *word, buffer_t *json)
{
    buffer_reset (json);
    if (!streq (word, "-"))
        buffer_text (json, word);
    else if (!s_read_all (STDIN_FILENO, json, JSON_MAX)) {
        cli_fail (
            _ ("cannot read JSON from standard input: it ends too early or is longer "
               "than 1 MiB"));
        return false;
    }
    pb_error_t error;
    if (json_check (json->data ? json->data : "", json->size, &error))
        return true;
    cli_usage (self, _ ("the JSON is no good: %s"), error.message);
    return false;
}

//  ---------------------------------------------------------------------- signals

static int s_wakeup[2] = {-1, -1};
static volatile sig_atomic_t s_asked;

static void
s_handler (int number)
{
    int saved = errno;
    if (number != SIGCHLD)
        s_asked++;
    //  A full pipe wakes just as well.
    ssize_t written = write (s_wakeup[1], "", 1);
    (void) written;
    errno = saved;
}

int
cli_signals (void)
{
    if (s_wakeup[0] >= 0)
        return s_wakeup[0];
    if (pipe2 (s_wakeup, O_CLOEXEC | O_NONBLOCK) != 0) {
        perror ("pipe2");
        exit (CLI_FAILED);
    }
    struct sigaction action = {.sa_handler = s_handler};
    sigemptyset (&action.sa_mask);
    sigaction (SIGINT, &action, NULL);
    sigaction (SIGTERM, &action, NULL);
    sigaction (SIGCHLD, &action, NULL);
    return s_wakeup[0];
}

void
cli_signals_drain (void)
{
    char bytes[64];
    while (read (s_wakeup[0], bytes, sizeof bytes) > 0)
        ;
}

unsigned
cli_interrupted (void)
{
    return (unsigned) s_asked;
}
