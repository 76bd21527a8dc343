//  parkbus.c - the command line: which command is meant, its help, its exit code.
//
//  Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "config/i18n.h"

static const command_t *const commands[] = {
    &command_pub,          &command_sub,
    &command_fetch,        &command_call,
    &command_serve,        &command_plugin_list,
    &command_plugin_show,  &command_config_check,
    &command_journal_info, &command_journal_verify,
    &command_sign,         &command_verify,
};

//  ---------------------------------------------------------------------- help

static void
s_help_args (const arg_t *table)
{
    for (const arg_t *arg = table; arg && arg->name; arg++) {
        char left[64];
        snprintf (left, sizeof left, "--%s%s%s", arg->name, arg->value ? " " : "",
                  arg->value ? _ (arg->value) : "");
        printf ("  %-*s %s\n", cli_fill (left, 20), left, _ (arg->help));
    }
}

static void
s_usage (const command_t *command)
{
    //  gettext ("") would be the catalogue's own head.
    printf (_ ("usage: parkbus %s [OPTION…] %s\n\n%s.\n"), command->name,
            *command->words ? _ (command->words) : "", _ (command->help));
    if (command->args && command->args->name) {
        putchar ('\n');
        s_help_args (command->args);
    }
}

static void
s_help_globals (void)
{
    printf ("\n%s\n", _ ("Where parkbusd is:"));
    s_help_args (cli_globals);
}

static int
s_help (void)
{
    printf ("%s\n\n", _ ("usage: parkbus [--config FILE | --url ENDPOINT] COMMAND …"));
    for (size_t i = 0; i < ARRAY_SIZE (commands); i++)
        printf ("  %-15s %s\n", commands[i]->name, _ (commands[i]->help));
    printf (
        "\n%s\n",
        _ ("parkbus COMMAND --help says more. Without --config and --url the file that\n"
           "PARKBUS_CONFIG names is read, else /etc/parkbus/parkbus.yaml if there is one;\n"
           "else parkbusd is looked for at tcp://127.0.0.1:5571."));
    return CLI_OK;
}

//  Is `name` a command of the group `word`: "journal verify" of "journal"? What follows.
static const char *
s_of_group (const char *name, const char *word)
{
    size_t size = strlen (word);
    return strncmp (name, word, size) == 0 && name[size] == ' ' ? name + size + 1
                                                                : NULL;
}

//  `parkbus journal --help`: every command of the group. False: it is none.
static bool
s_help_group (const char *word)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE (commands); i++) {
        if (!s_of_group (commands[i]->name, word))
            continue;
        if (any)
            putchar ('\n');
        any = true;
        s_usage (commands[i]);
    }
    if (any)
        s_help_globals ();
    return any;
}

//  ---------------------------------------------------------------------- which command

//  The command whose name these words begin with; *used words of it.
static const command_t *
s_command (int argc, char **argv, int *used)
{
    char two[128] = "";
    if (argc > 1)
        snprintf (two, sizeof two, "%s %s", argv[0], argv[1]);
    for (size_t i = 0; i < ARRAY_SIZE (commands); i++) {
        *used = streq (commands[i]->name, two) ? 2 : 1;
        if (*used == 2 || (argc > 0 && streq (commands[i]->name, argv[0])))
            return commands[i];
    }
    return NULL;
}

static int
s_unknown (int argc, char **argv)
{
    char word[128];
    snprintf (word, sizeof word, "%s%s%s", argv[0], argc > 1 ? " " : "",
              argc > 1 ? argv[1] : "");
    const char *names[ARRAY_SIZE (commands)];
    char group[256] = "";
    for (size_t i = 0; i < ARRAY_SIZE (commands); i++) {
        names[i] = commands[i]->name;
        const char *rest = s_of_group (names[i], argv[0]);
        if (rest)
            snprintf (group + strlen (group), sizeof group - strlen (group), "%s%s",
                      group[0] ? ", " : "", rest);
    }
    const char *near = cli_nearest (word, names, ARRAY_SIZE (names));
    if (!near)
        near = cli_nearest (argv[0], names, ARRAY_SIZE (names));
    if (near)
        return cli_usage (NULL, _ ("unknown command %s; did you mean %s?"), word, near);
    if (group[0])
        return cli_usage (NULL, _ ("%s what? There is: %s"), argv[0], group);
    return cli_usage (NULL, _ ("unknown command %s"), argv[0]);
}

//  Is --help among the words?
static bool
s_wants_help (int argc, char **argv)
{
    for (int i = 1; i < argc && !streq (argv[i], "--"); i++)
        if (streq (argv[i], "--help") || streq (argv[i], "-h"))
            return true;
    return false;
}

//  Options that stand before the command, moved behind its name.
static int
s_leading (int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        bool joined = strchr (argv[at], '=') != NULL, wants = false;
        for (const arg_t *arg = cli_globals; arg->name; arg++)
            wants = wants || (arg->kind != ARG_FLAG && streq (arg->name, argv[at] + 2));
        at += wants && !joined ? 2 : 1;
    }
    return at < argc ? at : argc;
}

static int
s_run (const command_t *command, int argc, char **argv)
{
    cli_t *cli = cli_new (command, argc, argv);
    if (!cli)
        return CLI_USAGE;
    int code = CLI_USAGE;
    size_t count = cli_words_count (cli);
    if (cli_given (cli, "help")) {
        s_usage (command);
        s_help_globals ();
        code = CLI_OK;
    } else if (count > command->most)
        cli_usage (cli, _ ("%s is a word too many"), cli_word (cli, command->most));
    else if (count < command->least)
        cli_usage (cli, _ ("something is missing: %s"), _ (command->words));
    else if (cli_given (cli, "config") && cli_given (cli, "url"))
        cli_usage (cli, _ ("--config and --url exclude each other"));
    else
        code = command->run (cli);
    cli_destroy (&cli);
    return code;
}

//  Only options: --help, --version, or something that is missing or wrong.
static int
s_no_command (int argc, char **argv)
{
    static const command_t none = {"", "", "", NULL, 0, 0, NULL};
    cli_t *cli = cli_new (&none, argc, argv);
    int code = CLI_USAGE;
    if (cli && cli_given (cli, "help"))
        code = s_help ();
    else if (cli && cli_given (cli, "version")) {
        printf ("parkbus %s\n", PACKAGE_VERSION);
        code = CLI_OK;
    } else if (cli)
        cli_usage (NULL, _ ("no command is given"));
    cli_destroy (&cli);
    return code;
}

int
main (int argc, char **argv)
{
    i18n_setup ();
    int at = s_leading (argc, argv), used = 0;
    if (at == argc)
        return s_no_command (argc - 1, argv + 1);
    const command_t *command = s_command (argc - at, argv + at, &used);
    bool alone = at + 1 == argc || argv[at + 1][0] == '-';
    if (!command && alone && s_wants_help (argc, argv) && s_help_group (argv[at]))
        return CLI_OK;
    if (!command)
        return s_unknown (argc - at, argv + at);
    //  One list: what stood before the command, then what follows it.
    int count = 0;
    char **rest = xcalloc ((size_t) argc, sizeof *rest);
    for (int i = 1; i < argc; i++)
        if (i < at || i >= at + used)
            rest[count++] = argv[i];
    int code = s_run (command, count, rest);
    free (rest);
    if (fflush (stdout) != 0 || ferror (stdout)) {
        perror ("parkbus");
        code = CLI_FAILED;
    }
    return code;
}
