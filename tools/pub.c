//  pub.c - `parkbus pub`: one event from its parts, or many whole ones from a file.

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/id.h"
#include "commands.h"
#include "wire.h"

//  Limits of one PUBLISH; some room is left for the frames' own bytes.
#define BATCH_EVENTS 1000
#define BATCH_BYTES (8 * 1024 * 1024 - 64 * 1024)

static const arg_t args[] = {
    {"lot",    ARG_TEXT, N_ ("LOT"),    0, 0, N_ ("the lot it happened in")           },
    {"visit",  ARG_TEXT, N_ ("VISIT"),  0, 0, N_ ("the visit it belongs to (subject)")},
    {"lane",   ARG_TEXT, N_ ("LANE"),   0, 0, N_ ("the lane it happened at")          },
    {"source", ARG_TEXT, N_ ("SOURCE"), 0, 0,
     N_ ("who says it; cli/<user> unless given")                                      },
    {"id",     ARG_TEXT, N_ ("ID"),     0, 0,
     N_ ("the event's id; the same again is a duplicate")                             },
    {"time",   ARG_TEXT, N_ ("TIME"),   0, 0,
     N_ ("when it happened (RFC 3339); now unless given")                             },
    {"file",   ARG_TEXT, N_ ("FILE"),   0, 0,
     N_ ("whole events, one JSON line each; - is standard input")                     },
    ARGS_END
};

//  ---------------------------------------------------------------------- results

//  The event that a result belongs to: where it stood, for the sentence.
typedef struct {
    const char *file; //  NULL: the command line
    unsigned long line;
} origin_t;

//  One of PUBLISH's results. False: it was refused.
static bool
s_result (json_object *result, origin_t origin)
{
    json_object *error, *duplicate;
    if (!json_object_object_get_ex (result, "error", &error)) {
        bool again = json_object_object_get_ex (result, "duplicate", &duplicate)
                     && json_object_get_boolean (duplicate);
        printf ("%llu%s\n", (unsigned long long) wire_number (result, "seq", 0),
                again ? " duplicate" : "");
        return true;
    }
    const char *field = wire_text (error, "field", "");
    if (origin.file)
        fprintf (stderr, "%s:%lu: ", origin.file, origin.line);
    fprintf (stderr, "%s: %s", wire_text (error, "code", "bad_event"),
             wire_text (error, "message", _ ("parkbusd gives no reason")));
    if (field[0])
        fprintf (stderr, " (%s)", field);
    fputc ('\n', stderr);
    return false;
}

//  Publish and print. False: something was refused, or everything failed (*error).
static bool
s_publish (wire_t *wire, zmsg_t **events_p, const origin_t *origins,
           wire_error_t *error)
{
    size_t count = zmsg_size (*events_p);
    zmsg_t *answer = wire_ask (wire, "PUBLISH", events_p, "OK", WIRE_TIMEOUT_MS, error);
    if (!answer)
        return false;
    zframe_t *frame = zmsg_first (answer);
    json_object *object = frame ? wire_json (frame) : NULL, *results;
    bool well = true;
    if (json_object_object_get_ex (object, "results", &results)
        && json_object_is_type (results, json_type_array)
        && json_object_array_length (results) == count) {
        for (size_t i = 0; i < count; i++)
            well =
                s_result (json_object_array_get_idx (results, i), origins[i]) && well;
    } else {
        snprintf (error->message, sizeof error->message, "%s",
                  _ ("parkbusd's answer has not one result for each event"));
        well = false;
    }
    json_object_put (object);
    zmsg_destroy (&answer);
    return well;
}

//  ---------------------------------------------------------------------- one event

static void
s_member (buffer_t *json, const char *name, const char *text)
{
    if (!text)
        return;
    buffer_printf (json, "%s\"%s\":", json->size > 1 ? "," : "", name);
    buffer_json_string (json, text, strlen (text));
}

static const char *
s_default_source (char *to, size_t room)
{
    const struct passwd *user = getpwuid (getuid ());
    snprintf (to, room, "cli/%s", user ? user->pw_name : "unknown");
    return to;
}

static int
s_one (cli_t *cli, wire_t *wire)
{
    char source[128], id[37];
    buffer_t data = {0}, json = {0};
    const char *word = cli_word (cli, 1);
    if (word && !cli_json (cli, word, &data)) {
        buffer_free (&data);
        return CLI_USAGE;
    }
    //  Made here, so that the first writer knows it whatever becomes of the answer.
    id_uuid7 (id);
    buffer_text (&json, "{");
    s_member (&json, "id", cli_given (cli, "id") ? cli_text (cli, "id") : id);
    s_member (&json, "source",
              cli_given (cli, "source") ? cli_text (cli, "source")
                                        : s_default_source (source, sizeof source));
    s_member (&json, "type", cli_word (cli, 0));
    s_member (&json, "subject", cli_text (cli, "visit"));
    s_member (&json, "time", cli_text (cli, "time"));
    s_member (&json, "lot", cli_text (cli, "lot"));
    s_member (&json, "lane", cli_text (cli, "lane"));
    buffer_text (&json, ",\"data\":");
    buffer_add (&json, word ? data.data : "{}", word ? data.size : 2);
    buffer_text (&json, "}");

    zmsg_t *events = zmsg_new ();
    zmsg_addmem (events, json.data, json.size);
    wire_error_t error = {"", ""};
    origin_t origin = {NULL, 0};
    bool well = s_publish (wire, &events, &origin, &error);
    buffer_free (&data);
    buffer_free (&json);
    return well ? CLI_OK : wire_complain (&error);
}

//  ---------------------------------------------------------------------- many

typedef struct {
    const char *name;
    FILE *file;
    char *line;
    size_t room;
    unsigned long number;
    origin_t origins[BATCH_EVENTS];
    ssize_t size; //  Of a line that is read but not in a batch yet; 0: none
} lines_t;

//  Lines that hold anything, without their end. False at the end of the file.
static bool
s_next_line (lines_t *self)
{
    while (self->size == 0) {
        self->size = getline (&self->line, &self->room, self->file);
        if (self->size < 0)
            return false;
        self->number++;
        while (self->size > 0 && strchr (" \t\r\n", self->line[self->size - 1]))
            self->size--;
    }
    return self->size > 0;
}

//  The next batch; NULL at the end.
static zmsg_t *
s_batch (lines_t *self)
{
    zmsg_t *events = zmsg_new ();
    while (zmsg_size (events) < BATCH_EVENTS && s_next_line (self)) {
        size_t size = (size_t) self->size;
        if (zmsg_size (events) > 0 && zmsg_content_size (events) + size > BATCH_BYTES)
            break;
        self->origins[zmsg_size (events)] = (origin_t){self->name, self->number};
        zmsg_addmem (events, self->line, size);
        self->size = 0;
    }
    if (zmsg_size (events) == 0)
        zmsg_destroy (&events);
    return events;
}

static int
s_many (wire_t *wire, const char *name)
{
    bool stdin_ = streq (name, "-");
    lines_t *lines = xcalloc (1, sizeof *lines);
    lines->name = stdin_ ? _ ("standard input") : name;
    lines->file = stdin_ ? stdin : fopen (name, "r");
    int code = CLI_OK;
    if (!lines->file) {
        free (lines);
        cli_fail (_ ("%s: cannot be read: %s"), name, strerror (errno));
        return CLI_USAGE;
    }
    for (zmsg_t *events; (events = s_batch (lines));) {
        size_t count = zmsg_size (events);
        wire_error_t error = {"", ""};
        if (s_publish (wire, &events, lines->origins, &error))
            continue;
        code = CLI_FAILED;
        if (!error.message[0] && !cli_interrupted ())
            continue; //  Single events were refused, and that is said already
        fprintf (stderr, _ ("%s: lines %lu to %lu have no result:\n"), lines->name,
                 lines->origins[0].line, lines->origins[count - 1].line);
        wire_complain (&error);
        break;
    }
    if (!stdin_)
        fclose (lines->file);
    free (lines->line);
    free (lines);
    return code;
}

static int
s_run (cli_t *cli)
{
    const char *file = cli_text (cli, "file"), *commands, *events;
    if (file && cli_words_count (cli) > 0)
        return cli_usage (cli,
                          _ ("--file takes whole events: leave TYPE and JSON out"));
    if (!file && cli_words_count (cli) == 0)
        return cli_usage (cli, _ ("the event's type is missing"));
    if (!cli_endpoints (cli, &commands, &events))
        return CLI_USAGE;
    wire_error_t error;
    wire_t *wire = wire_new (commands, &error);
    if (!wire) {
        wire_complain (&error);
        return CLI_USAGE;
    }
    int code = file ? s_many (wire, file) : s_one (cli, wire);
    wire_destroy (&wire);
    return code;
}

const command_t command_pub = {
    "pub", N_ ("TYPE [JSON|-]"), N_ ("publish an event; its data is JSON"), args, 0, 2,
    s_run,
};
