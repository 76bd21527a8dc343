//  filter.c - topic patterns.

#include "bus/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct filter {
    size_t count;
    span_t patterns[FILTER_PATTERNS_MAX];
    json_object *owner; //  Keeps the patterns' bytes
};

//  Cut the first token off; false when nothing is left.
static bool
s_token (span_t *rest, span_t *token)
{
    if (!rest->p)
        return false;
    const char *dot = memchr (rest->p, '.', rest->n);
    token->p = rest->p;
    token->n = dot ? (size_t) (dot - rest->p) : rest->n;
    if (dot) {
        rest->n -= token->n + 1;
        rest->p = dot + 1;
    } else
        *rest = (span_t){NULL, 0};
    return true;
}

bool
filter_match (span_t pattern, span_t topic)
{
    span_t want, have;
    while (s_token (&pattern, &want)) {
        if (!s_token (&topic, &have))
            return false;
        if (span_is (want, ">") && !pattern.p)
            return true;
        if (!span_is (want, "*") && !span_eq (want, have))
            return false;
    }
    return !topic.p;
}

static bool
s_word (span_t token)
{
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return token.n > 0;
}

bool
filter_valid (span_t pattern)
{
    span_t token;
    if (!pattern.p || !pattern.n || pattern.n > 128)
        return false;
    while (s_token (&pattern, &token)) {
        bool last = !pattern.p;
        if (!s_word (token) && !span_is (token, "*") && !(last && span_is (token, ">")))
            return false;
    }
    return true;
}

filter_t *
filter_new (json_object *patterns, pb_error_t *error)
{
    filter_t *self = xcalloc (1, sizeof *self);
    if (!patterns) {
        self->patterns[self->count++] = (span_t){">", 1};
        return self;
    }
    size_t count = json_object_is_type (patterns, json_type_array)
                       ? json_object_array_length (patterns)
                       : 0;
    if (count < 1 || count > FILTER_PATTERNS_MAX) {
        pb_error (error, PB_E_BAD_REQUEST, "filter",
                  _ ("filter is an array of 1 to %d patterns such as \"pay.>\""),
                  FILTER_PATTERNS_MAX);
        goto refuse;
    }
    for (size_t i = 0; i < count; i++) {
        json_object *item = json_object_array_get_idx (patterns, i);
        span_t text = {NULL, 0};
        if (json_object_is_type (item, json_type_string))
            text = (span_t){json_object_get_string (item),
                            (size_t) json_object_get_string_len (item)};
        if (!filter_valid (text)) {
            pb_error (error, PB_E_BAD_REQUEST, "filter",
                      _ ("filter pattern %zu is not one: tokens of a-z 0-9 - _ between "
                         "dots, * for one token, > at the end for the rest"),
                      i + 1);
            goto refuse;
        }
        self->patterns[self->count++] = text;
    }
    self->owner = json_object_get (patterns);
    return self;

refuse:
    filter_destroy (&self);
    return NULL;
}

void
filter_destroy (filter_t **self_p)
{
    assert (self_p);
    if (!*self_p)
        return;
    json_object_put ((*self_p)->owner);
    free (*self_p);
    *self_p = NULL;
}

bool
filter_takes (const filter_t *self, span_t topic)
{
    for (size_t i = 0; i < self->count; i++)
        if (filter_match (self->patterns[i], topic))
            return true;
    return false;
}
