//  call.c - `parkbus call`: ask a service once.

#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "wire.h"

//  What the answer may take beyond the time-out that parkbusd itself keeps.
#define GRACE_MS 2000
#define TIMEOUT_MS 5000

static const arg_t args[] = {
    {"lot",     ARG_TEXT,   N_ ("LOT"),      0,   0,     N_ ("the lot it concerns") },
    {"lane",    ARG_TEXT,   N_ ("LANE"),     0,   0,     N_ ("the lane it concerns")},
    {"via",     ARG_TEXT,   N_ ("INSTANCE"), 0,   0,
     N_ ("the plugin instance that is to answer")                                   },
    {"timeout", ARG_NUMBER, N_ ("MS"),       100, 60000,
     N_ ("milliseconds to wait; 5000 unless given")                                 },
    ARGS_END
};

static void
s_member (buffer_t *json, const char *name, const char *text)
{
    if (!text)
        return;
    buffer_printf (json, "\"%s\":", name);
    buffer_json_string (json, text, strlen (text));
    buffer_text (json, ",");
}

static zmsg_t *
s_question (const cli_t *cli, int64_t timeout_ms, const buffer_t *body)
{
    buffer_t head = {0};
    buffer_text (&head, "{");
    s_member (&head, "service", cli_word (cli, 0));
    s_member (&head, "lot", cli_text (cli, "lot"));
    s_member (&head, "lane", cli_text (cli, "lane"));
    s_member (&head, "via", cli_text (cli, "via"));
    buffer_printf (&head, "\"timeout_ms\":%lld}", (long long) timeout_ms);
    zmsg_t *question = zmsg_new ();
    zmsg_addmem (question, head.data, head.size);
    if (body->size)
        zmsg_addmem (question, body->data, body->size);
    else
        zmsg_addstr (question, "{}");
    buffer_free (&head);
    return question;
}

static int
s_ask (cli_t *cli, const char *commands, const buffer_t *body)
{
    int64_t timeout_ms = cli_number (cli, "timeout", TIMEOUT_MS);
    wire_error_t error;
    wire_t *wire = wire_new (commands, &error);
    if (!wire) {
        wire_complain (&error);
        return CLI_USAGE;
    }
    zmsg_t *question = s_question (cli, timeout_ms, body);
    zmsg_t *answer =
        wire_ask (wire, "CALL", &question, "REPLY", timeout_ms + GRACE_MS, &error);
    zframe_t *reply = answer && zmsg_first (answer) ? zmsg_next (answer) : NULL;
    if (reply) {
        fwrite (zframe_data (reply), 1, zframe_size (reply), stdout);
        putchar ('\n');
    } else if (answer)
        cli_fail (_ ("parkbusd's REPLY has no body"));
    else
        wire_complain (&error);
    int code = reply ? CLI_OK : CLI_FAILED;
    zmsg_destroy (&answer);
    wire_destroy (&wire);
    return code;
}

static int
s_run (cli_t *cli)
{
    const char *commands, *events, *word = cli_word (cli, 1);
    buffer_t body = {0};
    int code = CLI_USAGE;
    if (cli_endpoints (cli, &commands, &events)
        && (!word || cli_json (cli, word, &body)))
        code = s_ask (cli, commands, &body);
    buffer_free (&body);
    return code;
}

const command_t command_call = {
    "call",
    N_ ("SERVICE [JSON|-]"),
    N_ ("ask a service and print its answer"),
    args,
    1,
    2,
    s_run,
};
