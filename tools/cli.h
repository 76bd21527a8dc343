//  cli.h - what the commands of `parkbus` share: options, endpoints, sentences, signals.

#ifndef PARKBUS_TOOLS_CLI_H
#define PARKBUS_TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"

//  What every program of parkbus exits with.
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef enum { ARG_TEXT, ARG_NUMBER, ARG_FLAG } arg_kind_t;

//  One option of a command: --name VALUE, --name=VALUE, or --name alone.
typedef struct {
    const char *name; //  NULL ends a table
    arg_kind_t kind;
    const char *value; //  How the help calls it: "LOT"
    int64_t min, max;  //  ARG_NUMBER
    const char *help;
} arg_t;

#define ARGS_END                         \
    {                                    \
        NULL, ARG_FLAG, NULL, 0, 0, NULL \
    }

typedef struct cli cli_t;

typedef struct {
    const char *name;  //  "journal verify"
    const char *words; //  What follows the options, for the help: "TYPE [JSON|-]"
    const char *help;
    const arg_t *args;
    size_t least, most; //  How many words
    int (*run) (cli_t *cli);
} command_t;

extern const arg_t cli_globals[];

//  Read options and words of a command; `known` may hold options that came before its
//  name. NULL after saying what is wrong. Texts are borrowed from argv.
cli_t *cli_new (const command_t *command, int argc, char **argv);
void cli_destroy (cli_t **self_p);

const char *cli_text (const cli_t *self,
                      const char *name); //  The last one; NULL: not given
size_t cli_texts (const cli_t *self, const char *name, const char **to, size_t room);
int64_t cli_number (const cli_t *self, const char *name, int64_t preset);
bool cli_given (const cli_t *self, const char *name);
size_t cli_words_count (const cli_t *self);
const char *cli_word (const cli_t *self, size_t index); //  NULL beyond the last

//  Say one sentence on stderr, after "parkbus: ".
void cli_say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
//  The same as the reason to end. Returns CLI_FAILED.
int cli_fail (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
//  The same for wrong usage, with the command's own --help as the hint.
int cli_usage (const cli_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

//  The configuration that --config, PARKBUS_CONFIG or /etc names; loaded once. NULL without
//  *error->message: there is none. NULL with it: it is wrong.
const config_t *cli_config (cli_t *self, pb_error_t *error);

//  The same where there has to be one: NULL after saying that there is none, or what is
//  wrong with it.
const config_t *cli_config_needed (cli_t *self);

//  Where the daemon listens. `events` may be NULL: only --url was given. False after
//  saying what is wrong.
bool cli_endpoints (cli_t *self, const char **commands, const char **events);

//  A JSON object from a word, or from stdin for "-". False after saying what is wrong.
bool cli_json (const cli_t *self, const char *word, buffer_t *json);

//  Nearest of `count` names that a typing mistake explains; NULL: none.
const char *cli_nearest (const char *word, const char *const *names, size_t count);

//  Columns of a terminal that a text takes, and what "%-*s" has to be told (it counts
//  bytes) for the text to fill that many.
int cli_columns (const char *text);
int cli_fill (const char *text, int columns);

//  Take SIGINT and SIGTERM; SIGCHLD too wakes. The descriptor becomes readable with each.
int cli_signals (void);
void cli_signals_drain (void);
//  How many times the user asked us to end.
unsigned cli_interrupted (void);

#endif
