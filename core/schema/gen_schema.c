//  gen_schema.c - writes etc/schema/*.json and docs/events.md from the types table.
//
//  pb-gen-schema DIR; run it on the source folder after a change of the table. A test
//  compares what lies there with what it writes.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/money.h"
#include "schema/gen_schema.h"

#define TIME_PATTERN                                                                 \
    "^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):" \
    "[0-5][0-9]:[0-5][0-9](\\\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
#define NAME_PATTERN "^[a-z0-9-]{1,32}$"
#define VISIT_PATTERN "^[0-9A-Za-z_-]{1,48}$"
#define LABEL_PATTERN "^[^\\u0000-\\u001f\\u007f\\\"\\\\\\\\]+$"

static void s_object (buffer_t *to, const field_t *fields, const event_type_t *type);

//  ------------------------------------------------------------ JSON Schema

static void
s_enum (buffer_t *to, const field_t *field)
{
    buffer_text (to, "\"enum\":[");
    for (const char *const *word = field->words; *word; word++)
        buffer_printf (to, "%s\"%s\"", word == field->words ? "" : ",", *word);
    buffer_text (to, "]");
}

//  The part of a member's schema that its kind decides.
static const char *const kinds[] = {
    [FIELD_TEXT] = "\"type\":\"string\"",
    [FIELD_PLATE] = "\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
                    "\"$comment\":\"at most 64 bytes of UTF-8\"",
    [FIELD_MONEY] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991,"
                    "\"$comment\":\"fen\"",
    [FIELD_INT] = "\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991",
    [FIELD_DURATION] = "\"type\":\"integer\",\"minimum\":0,"
                       "\"maximum\":9007199254740991,\"$comment\":\"seconds\"",
    [FIELD_TIME] = "\"type\":\"string\",\"format\":\"date-time\",\"pattern\":"
                   "\"" TIME_PATTERN "\"",
    [FIELD_ENUM] = "\"type\":\"string\"",
    [FIELD_BOOL] = "\"type\":\"boolean\"",
    [FIELD_LANE] = "\"type\":\"string\",\"pattern\":\"" NAME_PATTERN "\"",
    [FIELD_VISIT] = "\"type\":\"string\",\"pattern\":\"" VISIT_PATTERN "\"",
    [FIELD_LIST] = "\"type\":\"array\"",
    [FIELD_OBJECT] = "\"type\":\"object\"",
    [FIELD_ID] = "\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
                 "\"$comment\":\"at most 64 bytes of UTF-8\"",
};
_Static_assert(PB_MONEY_MAX == 9007199254740991, "what the patterns above say");

static void
s_field (buffer_t *to, const field_t *field)
{
    buffer_json_string (to, field->name, strlen (field->name));
    buffer_text (to, ":{\"description\":");
    buffer_json_string (to, field->help_en, strlen (field->help_en));
    buffer_printf (to, ",%s", kinds[field->kind]);
    if (field->kind == FIELD_TEXT && field->required)
        buffer_text (to, ",\"minLength\":1");
    if (field->kind == FIELD_ENUM) {
        buffer_text (to, ",");
        s_enum (to, field);
    }
    if (field->kind == FIELD_LIST) {
        buffer_text (to, ",\"items\":");
        if (field->items)
            s_object (to, field->items, NULL);
        else
            buffer_text (to, "{\"$ref\":\"#/$defs/any\"}");
    }
    buffer_text (to, "}");
}

//  "if … then …" for a row of event_needs.
static void
s_need (buffer_t *to, const need_t *need)
{
    buffer_text (to, "{\"if\":{");
    if (need->word)
        buffer_printf (to, "\"properties\":{\"%s\":{\"const\":\"%s\"}},", need->member,
                       need->word);
    buffer_printf (to, "\"required\":[\"%s\"]},\"%s\":{", need->member,
                   need->unless ? "else" : "then");
    //  An empty text is as good as none.
    buffer_printf (to,
                   "\"required\":[\"%s\"],\"properties\":{\"%s\":{\"not\":"
                   "{\"const\":\"\"}}}}}",
                   need->needs, need->needs);
}

static void
s_object (buffer_t *to, const field_t *fields, const event_type_t *type)
{
    unsigned required = 0;
    buffer_text (to, "{\"type\":\"object\"");
    for (const field_t *field = fields; field->name; field++)
        if (field->required)
            buffer_printf (to, "%s\"%s\"", required++ ? "," : ",\"required\":[",
                           field->name);
    buffer_text (to, required ? "],\"properties\":{" : ",\"properties\":{");
    for (const field_t *field = fields; field->name; field++) {
        buffer_text (to, field == fields ? "" : ",");
        s_field (to, field);
    }
    buffer_text (to, "},\"additionalProperties\":{\"$ref\":\"#/$defs/any\"}");
    unsigned needs = 0;
    for (const need_t *need = event_needs; type && need->type; need++) {
        if (!streq (need->type, type->name))
            continue;
        buffer_text (to, needs++ ? "," : ",\"allOf\":[");
        s_need (to, need);
    }
    buffer_text (to, needs ? "]}" : "}");
}

//  What an event is, of one type or (NULL) of any.
static void
s_schema (buffer_t *to, const event_type_t *type)
{
    const char *name = type ? type->name : "envelope";
    bool data = false;
    for (const field_t *field = type ? type->fields : NULL; field && field->name;
         field++)
        data = data || field->required;
    data = data || (type && type->flags & TYPE_NEEDS);
    unsigned flags = type ? type->flags : 0;
    buffer_printf (to,
                   "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                   "\"$id\":\"urn:parkbus:event:%s\",\"title\":\"%s\",\"description\":",
                   name, name);
    const char *help = type
                           ? type->help_en
                           : "What every event of parkbus is; its data is described by "
                             "the schema named after its type.";
    buffer_json_string (to, help, strlen (help));
    buffer_printf (
        to, ",\"type\":\"object\",\"required\":[\"source\",\"type\"%s%s%s%s],",
        flags & TYPE_SUBJECT ? ",\"subject\"" : "", flags & TYPE_LOT ? ",\"lot\"" : "",
        flags & TYPE_LANE ? ",\"lane\"" : "", data ? ",\"data\"" : "");
    buffer_text (to, "\"properties\":{"
                     "\"specversion\":{\"const\":\"1.0\"},"
                     "\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
                     "\"pattern\":\"" LABEL_PATTERN "\"},"
                     "\"source\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,"
                     "\"pattern\":\"" LABEL_PATTERN "\"},");
    if (type)
        buffer_printf (to, "\"type\":{\"const\":\"%s\"},", type->name);
    else
        buffer_text (to, "\"type\":{\"type\":\"string\",\"pattern\":"
                         "\"^([a-z]+\\\\.[a-z]+|x\\\\.[a-z0-9_-]{1,32})$\"},");
    buffer_text (to,
                 "\"subject\":{\"type\":\"string\",\"pattern\":\"" VISIT_PATTERN "\"},"
                 "\"time\":{\"type\":\"string\",\"format\":\"date-time\","
                 "\"pattern\":\"" TIME_PATTERN "\"},"
                 "\"lot\":{\"type\":\"string\",\"pattern\":\"" NAME_PATTERN "\"},"
                 "\"lane\":{\"type\":\"string\",\"pattern\":\"" NAME_PATTERN "\"},"
                 "\"data\":");
    if (type)
        s_object (to, type->fields, type);
    else
        buffer_text (to, "{\"type\":\"object\",\"additionalProperties\":"
                         "{\"$ref\":\"#/$defs/any\"}}");
    buffer_text (to, "},\"additionalProperties\":{\"$ref\":\"#/$defs/any\"},"
                     "\"$defs\":{\"any\":{\"$comment\":\"no null, no fractions\","
                     "\"type\":[\"string\",\"integer\",\"boolean\",\"array\","
                     "\"object\"],\"minimum\":-9007199254740991,"
                     "\"maximum\":9007199254740991,"
                     "\"items\":{\"$ref\":\"#/$defs/any\"},"
                     "\"additionalProperties\":{\"$ref\":\"#/$defs/any\"}}}}");
}

//  ------------------------------------------------------------ files

//  JSON with two spaces per level. Lists of words stay on their line.
static void
s_pretty (buffer_t *to, const buffer_t *json)
{
    int depth = 0;
    bool text = false, words = false;
    for (size_t i = 0; i < json->size; i++) {
        char c = json->data[i], next = i + 1 < json->size ? json->data[i + 1] : 0;
        if (text) {
            buffer_add (to, &c, 1);
            if (c == '\\')
                buffer_add (to, &json->data[++i], 1);
            text = c != '"';
            continue;
        }
        text = c == '"';
        bool open = c == '{' || (c == '[' && next == '{');
        bool close = c == '}' || (c == ']' && json->data[i - 1] == '}');
        words = c == '[' ? !open : words && c != ']';
        depth += open - close;
        if (close && !(c == '}' && json->data[i - 1] == '{'))
            buffer_printf (to, "\n%*s", 2 * depth, "");
        buffer_add (to, &c, 1);
        if ((open && next != '}') || (c == ',' && !words))
            buffer_printf (to, "\n%*s", 2 * depth, "");
        else if (c == ':' || c == ',')
            buffer_text (to, " ");
    }
    buffer_text (to, "\n");
}

static bool
s_save (const char *dir, const char *name, const char *end, const buffer_t *bytes)
{
    char path[4096];
    snprintf (path, sizeof path, "%s/%s%s", dir, name, end);
    FILE *file = fopen (path, "w");
    bool good = file && fwrite (bytes->data, 1, bytes->size, file) == bytes->size;
    good = (!file || fclose (file) == 0) && good;
    if (!good)
        fprintf (stderr, "pb-gen-schema: %s: %s\n", path, strerror (errno));
    return good;
}

static bool
s_save_schema (const char *dir, const event_type_t *type)
{
    buffer_t compact = {0}, pretty = {0};
    s_schema (&compact, type);
    s_pretty (&pretty, &compact);
    bool good = s_save (dir, type ? type->name : "envelope", ".json", &pretty);
    buffer_free (&compact);
    buffer_free (&pretty);
    return good;
}

int
main (int argc, char **argv)
{
    if (argc != 2) {
        fprintf (stderr, "usage: pb-gen-schema DIR\n"
                         "writes DIR/etc/schema/*.json and DIR/docs/events.md\n");
        return 2;
    }
    static const char *const folders[] = {"", "/etc", "/etc/schema", "/docs"};
    char dir[2048];
    for (size_t i = 0; i < ARRAY_SIZE (folders); i++) {
        snprintf (dir, sizeof dir, "%s%s", argv[1], folders[i]);
        mkdir (dir, 0755); //  Where it fails, saving says so
    }
    snprintf (dir, sizeof dir, "%s/etc/schema", argv[1]);
    bool good = s_save_schema (dir, NULL);
    for (const event_type_t *type = event_types; good && type->name; type++)
        good = s_save_schema (dir, type);
    buffer_t book = {0};
    gen_book (&book);
    snprintf (dir, sizeof dir, "%s/docs", argv[1]);
    good = good && s_save (dir, "events", ".md", &book);
    buffer_free (&book);
    return good ? 0 : 1;
}
