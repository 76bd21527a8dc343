//  json.c - JSON: a lenient reader that keeps number text, a strict writer.

#include <string.h>
#include "sdk/hex.h"
#include "sdk/json.h"

#define DEPTH 32
#define VALUES 4096

typedef struct {
    const pb_env_t *env;
    const char *at;
    const char *end;
    const char *why;
    size_t values;
    int depth;
} reader_t;

static pb_json_t *s_value (reader_t *self);

static void *
s_refuse (reader_t *self, const char *why)
{
    if (!self->why)
        self->why = why;
    return NULL;
}

static void
s_space (reader_t *self)
{
    while (self->at < self->end && memchr (" \t\r\n", *self->at, 4))
        self->at++;
}

static bool
s_take (reader_t *self, char c)
{
    s_space (self);
    bool there = self->at < self->end && *self->at == c;
    self->at += there;
    return there;
}

static bool
s_word (reader_t *self, const char *word)
{
    size_t size = strlen (word);
    bool there =
        (size_t) (self->end - self->at) >= size && !memcmp (self->at, word, size);
    self->at += there ? size : 0;
    return there;
}

//  Four hexadecimal digits; -1 when they are not there.
static int
s_unit (reader_t *self)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = self->at < self->end ? pb_hex_digit (*self->at) : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
        self->at++;
    }
    return unit;
}

static char *
s_put (char *to, unsigned point)
{
    if (point < 0x80) {
        *to++ = (char) point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char) (0xc0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *to++ = (char) (0xe0 | point >> 12);
        } else {
            *to++ = (char) (0xf0 | point >> 18);
            *to++ = (char) (0x80 | (point >> 12 & 0x3f));
        }
        *to++ = (char) (0x80 | (point >> 6 & 0x3f));
    }
    *to++ = (char) (0x80 | (point & 0x3f));
    return to;
}

//  What follows "\u". Never longer than the escape itself.
static char *
s_unicode (reader_t *self, char *to)
{
    int unit = s_unit (self);
    if (unit <= 0)
        return s_refuse (self,
                         unit ? _ ("a malformed \\u escape") : _ ("a NUL in a text"));
    unsigned point = (unsigned) unit;
    if (point >= 0xd800 && point < 0xe000) {
        int low = point < 0xdc00 && s_word (self, "\\u") ? s_unit (self) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return s_refuse (self, _ ("half a surrogate pair"));
        point = 0x10000 + ((point - 0xd800) << 10) + ((unsigned) low - 0xdc00);
    }
    return s_put (to, point);
}

static char *
s_escape (reader_t *self, char *to)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    char c = self->at < self->end ? *self->at++ : 0;
    if (c == 'u')
        return s_unicode (self, to);
    const char *at = c ? strchr (from, c) : NULL;
    if (!at)
        return s_refuse (self, _ ("an unknown escape in a text"));
    *to++ = into[at - from];
    return to;
}

//  After the opening quote, up to and with the closing one.
static const char *
s_string (reader_t *self)
{
    const char *start = self->at;
    for (; self->at < self->end && *self->at != '"'; self->at++)
        self->at += *self->at == '\\' && self->at + 1 < self->end;
    if (self->at == self->end)
        return s_refuse (self, _ ("a text without its closing quote"));
    const char *close = self->at;
    char *text = pb_alloc (self->env, (size_t) (close - start) + 1);
    if (!text)
        return s_refuse (self, _ ("the memory of this call is used up"));
    char *to = text;
    for (self->at = start; to && self->at < close;) {
        char c = *self->at++;
        if (c == '\\')
            to = s_escape (self, to);
        else if (!c)
            to = s_refuse (self, _ ("a NUL in a text"));
        else
            *to++ = c;
    }
    self->at = close + 1;
    return to ? text : NULL;
}

static bool
s_digits (reader_t *self)
{
    const char *start = self->at;
    while (self->at < self->end && *self->at >= '0' && *self->at <= '9')
        self->at++;
    return self->at > start;
}

//  -?digits(.digits)?([eE][+-]?digits)?, kept as text.
static const char *
s_number (reader_t *self)
{
    const char *start = self->at;
    s_word (self, "-");
    bool sound = s_digits (self);
    if (s_word (self, "."))
        sound = s_digits (self) && sound;
    if (s_word (self, "e") || s_word (self, "E")) {
        if (!s_word (self, "+"))
            s_word (self, "-");
        sound = s_digits (self) && sound;
    }
    if (!sound)
        return s_refuse (self, _ ("something that is no value"));
    return pb_copy (self->env, start, (size_t) (self->at - start));
}

static bool
s_twice (const pb_json_t *object, const char *name)
{
    for (const pb_json_t *member = object->first; member; member = member->next)
        if (!strcmp (member->name, name))
            return true;
    return false;
}

//  `"name":` of a member.
static const char *
s_name (reader_t *self, const pb_json_t *object)
{
    if (!s_take (self, '"'))
        return s_refuse (self, _ ("a member without a name in quotes"));
    const char *name = s_string (self);
    if (!name)
        return NULL;
    if (s_twice (object, name))
        return s_refuse (self, _ ("a member that stands there twice"));
    if (!s_take (self, ':'))
        return s_refuse (self, _ ("a member's name without ':'"));
    return name;
}

//  After the opening bracket, up to and with the closing one.
static bool
s_inside (reader_t *self, pb_json_t *outer, char close)
{
    bool object = outer->kind == PB_JSON_OBJECT;
    pb_json_t **link = &outer->first;
    while (!s_take (self, close)) {
        const char *name = object ? s_name (self, outer) : NULL;
        if (object && !name)
            return false;
        pb_json_t *value = s_value (self);
        if (!value)
            return false;
        value->name = name;
        *link = value;
        link = &value->next;
        if (s_take (self, ','))
            continue;
        s_space (self);
        char next = self->at < self->end ? *self->at : 0;
        if (next != close && !(object && next == '"'))
            return s_refuse (self, _ ("a list or object that does not end"));
    }
    return true;
}

static bool
s_fill (reader_t *self, pb_json_t *value)
{
    static const struct {
        const char *word;
        pb_json_kind_t kind;
    } words[] = {
        {"true",  PB_JSON_BOOL},
        {"false", PB_JSON_BOOL},
        {"null",  PB_JSON_NULL}
    };
    for (size_t i = 0; i < PB_COUNT (words); i++)
        if (s_word (self, words[i].word)) {
            value->kind = words[i].kind;
            value->text = words[i].word;
            return true;
        }
    if (s_word (self, "{")) {
        value->kind = PB_JSON_OBJECT;
        return s_inside (self, value, '}');
    }
    if (s_word (self, "[")) {
        value->kind = PB_JSON_LIST;
        return s_inside (self, value, ']');
    }
    value->kind = s_word (self, "\"") ? PB_JSON_STRING : PB_JSON_NUMBER;
    value->text = value->kind == PB_JSON_STRING ? s_string (self) : s_number (self);
    return value->text;
}

static pb_json_t *
s_value (reader_t *self)
{
    s_space (self);
    if (++self->values > VALUES || ++self->depth > DEPTH)
        return s_refuse (self, _ ("more values or levels than anybody needs"));
    pb_json_t *value = pb_alloc (self->env, sizeof *value);
    if (!value)
        return s_refuse (self, _ ("the memory of this call is used up"));
    const char *start = self->at;
    if (!s_fill (self, value))
        return s_refuse (self, _ ("the memory of this call is used up"));
    value->raw = (pb_bytes_t){start, (uint64_t) (self->at - start)};
    self->depth--;
    return value;
}

const pb_json_t *
pb_json_read (const pb_env_t *env, pb_bytes_t bytes, const char **why)
{
    reader_t self = {.env = env, .at = bytes.data, .end = bytes.data + bytes.size};
    *why = NULL;
    if (!bytes.size)
        return s_refuse (&self, *why = _ ("nothing at all"));
    if (bytes.size >= 3 && !memcmp (bytes.data, "\xef\xbb\xbf", 3))
        self.at += 3;
    pb_json_t *value = s_value (&self);
    s_space (&self);
    if (value && self.at != self.end)
        value = s_refuse (&self, _ ("something after the end"));
    *why = self.why;
    return value;
}

const pb_json_t *
pb_json_get (const pb_json_t *object, const char *path)
{
    while (object && object->kind == PB_JSON_OBJECT) {
        size_t size = strcspn (path, ".");
        const pb_json_t *member = object->first;
        while (member
               && (strncmp (member->name, path, size) || member->name[size] != '\0'))
            member = member->next;
        if (!member || member->kind == PB_JSON_NULL)
            return NULL;
        if (!path[size])
            return member;
        object = member;
        path += size + 1;
    }
    return NULL;
}

const char *
pb_json_text (const pb_json_t *value)
{
    bool has =
        value && (value->kind == PB_JSON_STRING || value->kind == PB_JSON_NUMBER);
    return has ? value->text : NULL;
}

bool
pb_json_int (const pb_json_t *value, int64_t min, int64_t max, int64_t *number)
{
    return pb_whole (pb_json_text (value), min, max, number);
}

static void
s_json_char (pb_buffer_t *to, unsigned char c)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char into[] = "\"\\bfnrt";
    const char *at = strchr (from, c);
    if (at) {
        char escape[3] = {'\\', into[at - from], 0};
        pb_add (to, escape, 2);
    } else {
        pb_add_format (to, "\\u%04x", c);
    }
}

void
pb_json_string (pb_buffer_t *to, const char *text)
{
    size_t left = text ? strlen (text) : 0;
    to->broken = to->broken || !text;
    if (to->broken)
        return;
    pb_add (to, "\"", 1);
    bool sound = pb_utf8 (text, left);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char) *p;
        if (c < 0x20 || c == '"' || c == '\\')
            s_json_char (to, c);
        else if (c >= 0x80 && !sound)
            pb_add_text (to, "\xef\xbf\xbd");
        else
            pb_add (to, p, 1);
    }
    pb_add (to, "\"", 1);
}

//  How many characters, up to and with a '.', two names have in common.
static size_t
s_common (const char *a, const char *b)
{
    size_t common = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '.')
            common = i + 1;
    return common;
}

static void
s_close (pb_buffer_t *to, const char *name)
{
    for (; (name = strchr (name, '.')); name++)
        pb_add (to, "}", 1);
}

void
pb_json_write (pb_buffer_t *to, const pb_pairs_t *members)
{
    const char *before = "";
    pb_add (to, "{", 1);
    for (size_t i = 0; i < members->count; i++) {
        const pb_pair_t *pair = &members->items[i];
        const char *name = pair->name + s_common (before, pair->name);
        s_close (to, before + (name - pair->name));
        pb_add_text (to, i ? "," : "");
        for (const char *dot; (dot = strchr (name, '.')); name = dot + 1) {
            pb_json_string (to, pb_copy (to->env, name, (size_t) (dot - name)));
            pb_add_text (to, ":{");
        }
        pb_json_string (to, name);
        pb_add (to, ":", 1);
        if (pair->bare)
            pb_add_text (to, pair->value);
        else
            pb_json_string (to, pair->value);
        before = pair->name;
    }
    s_close (to, before);
    pb_add (to, "}", 1);
}
