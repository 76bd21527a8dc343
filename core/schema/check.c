//  check.c - data against its type's row of the table: kinds, words, what is required.

#include "schema/check.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/id.h"
#include "base/moment.h"
#include "base/money.h"
#include "base/plate.h"
#include "schema/scan.h"

static bool s_check_object (const field_t *fields, span_t object, const char *path,
                            pb_error_t *error);

static bool
s_bad (pb_error_t *error, const char *path, const char *name, const char *sentence)
{
    char field[128];
    snprintf (field, sizeof field, "%s.%s", path, name);
    return pb_error (error, PB_E_BAD_EVENT, field, _ ("%s: %s"), field, sentence);
}

span_t
check_excerpt (span_t text)
{
    if (text.n > 48) {
        text.n = 48;
        while (text.n && ((unsigned char) text.p[text.n] & 0xc0) == 0x80)
            text.n--;
    }
    return text;
}

//  ------------------------------------------------------------ one value per kind

static bool
s_is_id (span_t text)
{
    return text.p && text.n >= 1 && text.n <= 64;
}

static bool
s_is_time (span_t text)
{
    pb_time_t time;
    return text.p && moment_from_rfc3339 (text, &time);
}

static bool
s_is_amount (span_t value)
{
    int64_t number;
    return *value.p >= '0' && *value.p <= '9' && scan_integer (value, &number);
}

static bool
s_is_bool (span_t value)
{
    return *value.p == 't' || *value.p == 'f';
}

static bool
s_is_text (span_t value)
{
    return *value.p == '"';
}

static bool
s_is_object (span_t value)
{
    return *value.p == '{';
}

static bool
s_is_list (span_t value)
{
    return *value.p == '[';
}

//  What a value of the kind has to be: by its JSON text, or by the text inside the
//  quotes; and the sentence when it is not.
static const struct {
    bool (*raw) (span_t value);
    bool (*text) (span_t text);
    const char *wanted;
} kinds[] = {
  // clang-format off
    [FIELD_TEXT] = {s_is_text, NULL, N_("must be a text")},
    [FIELD_PLATE] = {NULL, s_is_id, N_("must be a plate: a text of 1 to 64 bytes")},
    [FIELD_MONEY] = {s_is_amount, NULL,
                     N_("must be money: a whole number of fen, not below 0")},
    [FIELD_INT] = {s_is_amount, NULL, N_("must be a whole number, not below 0")},
    [FIELD_DURATION] = {s_is_amount, NULL,
                        N_("must be a whole number of seconds, not below 0")},
    [FIELD_TIME] = {NULL, s_is_time,
                    N_("must be a time with its offset, such as "
                       "\"2026-11-21T08:00:00+08:00\"")},
    [FIELD_ENUM] = {s_is_text, NULL, N_("must be one of the words")},
    [FIELD_BOOL] = {s_is_bool, NULL, N_("must be true or false")},
    [FIELD_LANE] = {NULL, id_is_name,
                    N_("must be a lane: 1 to 32 of a-z, 0-9 and '-'")},
    [FIELD_VISIT] = {NULL, id_is_visit,
                     N_("must be a visit: 1 to 48 of letters, digits, '_' and '-'")},
    [FIELD_LIST] = {s_is_list, NULL, N_("must be a list")},
    [FIELD_OBJECT] = {s_is_object, NULL, N_("must be an object")},
    [FIELD_ID] = {NULL, s_is_id, N_("must be a text of 1 to 64 bytes")},
  // clang-format on
};
_Static_assert(PB_PLATE_MAX == 64, "the sentence above says 64");

static bool
s_check_word (const field_t *field, span_t value, const char *path, pb_error_t *error)
{
    char room[64];
    span_t text = scan_string_text (value, room, sizeof room);
    for (const char *const *word = field->words; text.p && *word; word++)
        if (text.n && text.p[0] == (*word)[0] && span_is (text, *word))
            return true;
    buffer_t words = {0};
    for (const char *const *word = field->words; *word; word++)
        buffer_printf (&words, "%s%s", word == field->words ? "" : ", ", *word);
    char name[128];
    span_t shown = check_excerpt (value);
    snprintf (name, sizeof name, "%s.%s", path, field->name);
    pb_error (error, PB_E_BAD_EVENT, name, _ ("%s: %.*s is none of its words: %s"),
              name, SPAN_ARG (shown), words.data);
    buffer_free (&words);
    return false;
}

static bool
s_check_list (const field_t *field, span_t list, const char *path, pb_error_t *error)
{
    walk_t walk;
    span_t one;
    walk_start (&walk, list);
    for (size_t i = 0; walk_element (&walk, &one); i++) {
        char name[128];
        snprintf (name, sizeof name, "%s.%s[%zu]", path, field->name, i);
        if (*one.p != '{')
            return pb_error (error, PB_E_BAD_EVENT, name, _ ("%s: must be an object"),
                             name);
        if (!s_check_object (field->items, one, name, error))
            return false;
    }
    return true;
}

static bool
s_check_value (const field_t *field, span_t value, const char *path, pb_error_t *error)
{
    if (kinds[field->kind].raw) {
        if (!kinds[field->kind].raw (value))
            return s_bad (error, path, field->name, _ (kinds[field->kind].wanted));
    } else {
        char room[64];
        span_t text = scan_string_text (value, room, sizeof room);
        if (!text.p || !kinds[field->kind].text (text))
            return s_bad (error, path, field->name, _ (kinds[field->kind].wanted));
    }
    //  A required text that says nothing is not there.
    if (field->kind == FIELD_TEXT && field->required && value.n == 2)
        return s_bad (error, path, field->name, _ ("must not be empty"));
    if (field->kind == FIELD_ENUM)
        return s_check_word (field, value, path, error);
    if (field->kind == FIELD_LIST && field->items)
        return s_check_list (field, value, path, error);
    return true;
}

//  ------------------------------------------------------------ one object

//  The row of a member, looked for from `from` on: most programs write members in the
//  order of the table. NULL: unknown.
static const field_t *
s_row (const field_t *fields, const field_t *from, span_t name)
{
    if (name.n == 0)
        return NULL;
    for (const field_t *field = from; field->name; field++)
        if (*field->name == *name.p && span_is (name, field->name))
            return field;
    for (const field_t *field = fields; field < from; field++)
        if (*field->name == *name.p && span_is (name, field->name))
            return field;
    return NULL;
}

static bool
s_check_object (const field_t *fields, span_t object, const char *path,
                pb_error_t *error)
{
    walk_t walk;
    span_t name, value;
    uint32_t seen = 0; //  A bit per row; no type has more than 32
    const field_t *next = fields;
    walk_start (&walk, object);
    while (walk_member (&walk, &name, &value)) {
        const field_t *field = s_row (fields, next, name);
        if (!field)
            continue; //  Unknown members are kept, whatever they are
        next = field + 1;
        seen |= UINT32_C (1) << (field - fields);
        if (!s_check_value (field, value, path, error))
            return false;
    }
    for (unsigned i = 0; fields[i].name; i++)
        if (fields[i].required && !(seen >> i & 1))
            return s_bad (error, path, fields[i].name, _ ("is required"));
    return true;
}

span_t
check_member (span_t data, const char *name)
{
    walk_t walk;
    span_t at, value;
    walk_start (&walk, data);
    while (walk_member (&walk, &at, &value))
        if (span_is (at, name))
            return value;
    return (span_t){NULL, 0};
}

//  Does the condition of the row hold for this data?
static bool
s_holds (const need_t *need, span_t data)
{
    char room[64];
    span_t value = check_member (data, need->member);
    bool is = value.p != NULL;
    if (is && need->word)
        is = span_is (scan_string_text (value, room, sizeof room), need->word);
    return is != need->unless;
}

static bool
s_check_needs (const event_type_t *type, span_t data, pb_error_t *error)
{
    for (const need_t *need = event_needs; need->type; need++) {
        if (!streq (need->type, type->name) || !s_holds (need, data))
            continue;
        span_t value = check_member (data, need->needs);
        if (value.p && !(value.n == 2 && *value.p == '"'))
            continue;
        char sentence[160];
        if (need->unless && !need->word)
            snprintf (sentence, sizeof sentence, _ ("is required where %s is absent"),
                      need->member);
        else if (need->unless)
            snprintf (sentence, sizeof sentence, _ ("is required unless %s is \"%s\""),
                      need->member, need->word);
        else
            snprintf (sentence, sizeof sentence, _ ("is required where %s is \"%s\""),
                      need->member, need->word);
        return s_bad (error, "data", need->needs, sentence);
    }
    return true;
}

bool
check_data (const event_type_t *type, span_t data, pb_error_t *error)
{
    return s_check_object (type->fields, data, "data", error)
           && (!(type->flags & TYPE_NEEDS) || s_check_needs (type, data, error));
}
