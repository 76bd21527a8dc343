//  value.c - one value of a plugin's option, against its row of the table.

#include "host/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
s_limited (const pb_option_t *row)
{
    return row->min != 0 || row->max != 0;
}

static bool
s_length_fits (const pb_option_t *row, span_t text)
{
    if (!s_limited (row))
        return true;
    return (int64_t) text.n >= row->min && (int64_t) text.n <= row->max;
}

static bool
s_text_fits (const pb_option_t *row, span_t text)
{
    return utf8_valid (text.p, text.n) && !memchr (text.p, 0, text.n)
           && s_length_fits (row, text);
}

static bool
s_digits_fit (const pb_option_t *row, span_t text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0 && s_length_fits (row, text);
}

static bool
s_int_fits (const pb_option_t *row, span_t text)
{
    int64_t value;
    int64_t min = s_limited (row) ? row->min : INT64_MIN;
    int64_t max = s_limited (row) ? row->max : INT64_MAX;
    return text_int64 (text, min, max, &value);
}

static bool
s_bool_fits (const pb_option_t *row, span_t text)
{
    (void) row;
    return span_is (text, "true") || span_is (text, "false");
}

static bool
s_enum_fits (const pb_option_t *row, span_t text)
{
    const char *at = row->values;
    for (span_t word = value_next_word (&at); word.p; word = value_next_word (&at))
        if (span_eq (word, text))
            return true;
    return false;
}

//  Elements are handed out joined by '\n', so none may hold one.
static bool
s_item_fits (const pb_option_t *row, span_t text)
{
    return text.n > 0 && !memchr (text.p, '\n', text.n) && s_text_fits (row, text);
}

static bool
s_word_fits (const pb_option_t *row, span_t text)
{
    if (row->flags & PB_OPTION_NUMBER)
        return s_int_fits (row, text);
    return text.n > 0 && s_text_fits (row, text);
}

static void
s_text_wanted (const pb_option_t *row, char *to, size_t room)
{
    if (s_limited (row))
        snprintf (to, room, _ ("a text of %" PRId64 " to %" PRId64 " bytes"), row->min,
                  row->max);
    else
        snprintf (to, room, "%s", _ ("a text"));
}

static void
s_digits_wanted (const pb_option_t *row, char *to, size_t room)
{
    if (s_limited (row))
        snprintf (to, room, _ ("%" PRId64 " to %" PRId64 " decimal digits"), row->min,
                  row->max);
    else
        snprintf (to, room, "%s", _ ("decimal digits"));
}

static void
s_int_wanted (const pb_option_t *row, char *to, size_t room)
{
    if (s_limited (row))
        snprintf (to, room, _ ("a whole number from %" PRId64 " to %" PRId64), row->min,
                  row->max);
    else
        snprintf (to, room, "%s", _ ("a whole number"));
}

static void
s_bool_wanted (const pb_option_t *row, char *to, size_t room)
{
    (void) row;
    snprintf (to, room, "%s", _ ("true or false"));
}

static void
s_enum_wanted (const pb_option_t *row, char *to, size_t room)
{
    snprintf (to, room, _ ("one of %s"), row->values);
}

static void
s_list_wanted (const pb_option_t *row, char *to, size_t room)
{
    (void) row;
    snprintf (to, room, "%s", _ ("a list of texts, like [a, b]"));
}

static void
s_lanes_wanted (const pb_option_t *row, char *to, size_t room)
{
    if (!(row->flags & PB_OPTION_NUMBER))
        snprintf (to, room, "%s", _ ("a text for each lane, like {in-1: East}"));
    else if (s_limited (row))
        snprintf (to, room,
                  _ ("a whole number from %" PRId64 " to %" PRId64
                     " for each lane, like {in-1: 1}"),
                  row->min, row->max);
    else
        snprintf (to, room, "%s", _ ("a whole number for each lane, like {in-1: 1}"));
}

//  One row per pb_option_type_t, in its order.
static const struct {
    config_shape_t shape;
    bool (*fits) (const pb_option_t *row, span_t text);
    void (*wanted) (const pb_option_t *row, char *to, size_t room);
} types[] = {
    [PB_OPTION_TEXT] = {OPTION_SCALAR, s_text_fits,  s_text_wanted  },
    [PB_OPTION_DIGITS] = {OPTION_SCALAR, s_digits_fit, s_digits_wanted},
    [PB_OPTION_INT] = {OPTION_SCALAR, s_int_fits,   s_int_wanted   },
    [PB_OPTION_BOOL] = {OPTION_SCALAR, s_bool_fits,  s_bool_wanted  },
    [PB_OPTION_ENUM] = {OPTION_SCALAR, s_enum_fits,  s_enum_wanted  },
    [PB_OPTION_KEY] = {OPTION_SCALAR, s_text_fits,  s_text_wanted  },
    [PB_OPTION_LIST] = {OPTION_LIST,   s_item_fits,  s_list_wanted  },
    [PB_OPTION_LANES] = {OPTION_MAP,    s_word_fits,  s_lanes_wanted },
};

bool
value_type_known (const pb_option_t *row)
{
    return row->type < ARRAY_SIZE (types);
}

bool
value_scope_known (const pb_option_t *row)
{
    return row->scope == PB_SCOPE_INSTANCE || row->scope == PB_SCOPE_LOT;
}

config_shape_t
value_shape (const pb_option_t *row)
{
    return types[row->type].shape;
}

bool
value_fits (const pb_option_t *row, span_t text)
{
    return text.p && types[row->type].fits (row, text);
}

char *
value_canonical (const pb_option_t *row, span_t text)
{
    bool number = row->type == PB_OPTION_INT
                  || (row->type == PB_OPTION_LANES && row->flags & PB_OPTION_NUMBER);
    int64_t value;
    char digits[24];
    if (number && text_int64 (text, INT64_MIN, INT64_MAX, &value)) {
        snprintf (digits, sizeof digits, "%" PRId64, value);
        return xstrdup (digits);
    }
    char *copy = xmalloc (text.n + 1);
    if (text.n > 0)
        memcpy (copy, text.p, text.n);
    copy[text.n] = 0;
    return copy;
}

void
value_wanted (const pb_option_t *row, char *to, size_t room)
{
    types[row->type].wanted (row, to, room);
}

const char *
value_help (const pb_option_t *row)
{
    //  Translated to the catalogue's own head: LANGUAGE may have chosen another one than
    //  the locale's.
    static const char nothing[] = "";
    bool chinese = strstr (gettext (nothing), "\nLanguage: zh");
    return chinese && row->help_zh ? row->help_zh : row->help_en;
}

span_t
value_next_word (const char **at)
{
    if (!*at)
        return (span_t){NULL, 0};
    const char *end = *at + strcspn (*at, "|");
    span_t word = {*at, (size_t) (end - *at)};
    *at = *end ? end + 1 : NULL;
    return word;
}
