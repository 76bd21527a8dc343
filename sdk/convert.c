//  convert.c - converters: one canonical kind of value to one wire form, and back.

#include <inttypes.h>
#include <string.h>
#include "sdk/convert.h"
#include "sdk/field.h"
#include "sdk/moment.h"

#define MONEY_MAX INT64_C (9007199254740991) //  2^53 - 1, as the bus's integers
//  What the bus takes for a time: the years 2000 to 2199, in China.
#define UNIX_MIN INT64_C (946656000)
#define UNIX_MAX INT64_C (7258089599)
#define ID_MAX 64
#define ASIDE_MAX 1024 //  Bytes of what is kept under ext

static pb_done_t
s_refuse (pb_codec_t *codec, const char *reason)
{
    codec->reason = reason;
    return PB_REFUSED;
}

static pb_done_t
s_write (pb_codec_t *codec, pb_wire_t *wire, const char *text, bool bare)
{
    wire->text = text;
    wire->bare = bare;
    codec->broken = codec->broken || !text;
    return text ? PB_DONE : s_refuse (codec, _ ("the memory of this call is used up"));
}

static pb_done_t
s_write_number (pb_codec_t *codec, pb_wire_t *wire, int64_t number, bool bare)
{
    return s_write (codec, wire, pb_format (codec->env, "%" PRId64, number), bare);
}

static pb_done_t
s_no_text (pb_codec_t *codec)
{
    return s_refuse (codec, _ ("a text or a number belongs there"));
}

//  ---------------------------------------------------------------- text

static pb_done_t
s_check_text (pb_codec_t *codec, const pb_convert_t *self, const char *text)
{
    size_t size = strlen (text);
    if (!pb_utf8 (text, size))
        return s_refuse (codec, _ ("it is not UTF-8 (a GBK program?)"));
    if (self->max && (size < (size_t) self->min || size > (size_t) self->max))
        return s_refuse (
            codec, pb_format (codec->env,
                              _ ("it has %zu bytes, %" PRId64 " to %" PRId64 " fit"),
                              size, self->min, self->max));
    return PB_DONE;
}

pb_done_t
pb_text_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
             pb_wire_t *wire)
{
    if (!value || !*value->text)
        return self->always ? s_write (codec, wire, "", false) : PB_NOTHING;
    pb_done_t done = s_check_text (codec, self, value->text);
    return done == PB_DONE ? s_write (codec, wire, value->text, false) : done;
}

pb_done_t
pb_text_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
            pb_value_t *value)
{
    if (!wire->text)
        return s_no_text (codec);
    value->text = wire->text;
    return s_check_text (codec, self, wire->text);
}

static pb_done_t
s_id_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
         pb_value_t *value)
{
    static const pb_convert_t as_text = PB_TEXT_OF (0, ASIDE_MAX);
    pb_done_t done = pb_text_in (codec, &as_text, wire, value);
    bool fits = done == PB_DONE && strlen (value->text) <= (size_t) self->max;
    return done == PB_DONE && !fits ? PB_ASIDE : done;
}

static pb_done_t
s_check_digits (pb_codec_t *codec, const char *text)
{
    bool digits = *text && !text[strspn (text, "0123456789")] && strlen (text) <= 64;
    return digits ? PB_DONE : s_refuse (codec, _ ("it is not made of decimal digits"));
}

static pb_done_t
s_digits_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
              pb_wire_t *wire)
{
    (void) self;
    pb_done_t done = s_check_digits (codec, value->text);
    return done == PB_DONE ? s_write (codec, wire, value->text, false) : done;
}

static pb_done_t
s_digits_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
             pb_value_t *value)
{
    (void) self;
    if (!wire->text)
        return s_no_text (codec);
    value->text = wire->text;
    return s_check_digits (codec, wire->text);
}

//  ---------------------------------------------------------------- numbers

static pb_done_t
s_check_range (pb_codec_t *codec, const pb_convert_t *self, int64_t number)
{
    if (number >= self->min && number <= self->max)
        return PB_DONE;
    return s_refuse (codec,
                     pb_format (codec->env,
                                _ ("%" PRId64 " is not within %" PRId64 " to %" PRId64),
                                number, self->min, self->max));
}

pb_done_t
pb_number_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
               pb_wire_t *wire)
{
    int64_t number = value->number;
    if (self->kinds & PB_KIND_TEXT
        && !pb_whole (value->text, INT64_MIN, INT64_MAX, &number))
        return s_refuse (codec, _ ("it is not a whole number"));
    pb_done_t done = s_check_range (codec, self, number);
    return done == PB_DONE ? s_write_number (codec, wire, number, self->bare) : done;
}

pb_done_t
pb_number_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
              pb_value_t *value)
{
    if (!wire->text)
        return s_no_text (codec);
    if (!pb_whole (wire->text, INT64_MIN, INT64_MAX, &value->number))
        return s_refuse (codec, _ ("it is not a whole number"));
    if (self->kinds & PB_KIND_TEXT)
        value->text = pb_format (codec->env, "%" PRId64, value->number);
    return s_check_range (codec, self, value->number);
}

static pb_done_t
s_yuan_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
            pb_wire_t *wire)
{
    pb_done_t done = s_check_range (codec, self, value->number);
    if (done != PB_DONE)
        return done;
    const char *text = pb_format (codec->env, "%" PRId64 ".%02" PRId64,
                                  value->number / 100, value->number % 100);
    return s_write (codec, wire, text, self->bare);
}

//  "19.99", "8", "0.1", "8.000": exact or refused.
static pb_done_t
s_yuan_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
           pb_value_t *value)
{
    const char *text = wire->text;
    if (!text)
        return s_no_text (codec);
    size_t whole = strspn (text, "0123456789");
    const char *cents = text[whole] == '.' ? text + whole + 1 : "";
    size_t decimals = strspn (cents, "0123456789");
    if (!whole || text[whole + (text[whole] == '.') + decimals]
        || (text[whole] == '.' && !decimals))
        return s_refuse (codec, _ ("it is not a decimal amount in yuan"));
    if (decimals > 2 && strspn (cents + 2, "0") != decimals - 2)
        return s_refuse (codec, _ ("it has more than two decimals"));
    char digits[3] = {cents[0] && decimals > 0 ? cents[0] : '0',
                      decimals > 1 ? cents[1] : '0', 0};
    const char *fen = pb_format (codec->env, "%.*s%s", (int) whole, text, digits);
    if (!pb_whole (fen, 0, MONEY_MAX, &value->number))
        return s_refuse (codec, _ ("the amount is beyond reason"));
    return s_check_range (codec, self, value->number);
}

//  ---------------------------------------------------------------- instants

static pb_done_t
s_unix_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
            pb_wire_t *wire)
{
    int64_t seconds = value->number / 1000;
    pb_done_t done = s_check_range (codec, self, seconds);
    return done == PB_DONE ? s_write_number (codec, wire, seconds, true) : done;
}

static pb_done_t
s_unix_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
           pb_value_t *value)
{
    if (!wire->text)
        return s_no_text (codec);
    int64_t number = 0;
    if (!pb_whole (wire->text, 0, INT64_MAX, &number))
        return s_refuse (codec, _ ("it is not a number of seconds since 1970"));
    bool milliseconds = number / 1000 > self->min && number > self->max;
    value->number = milliseconds ? number : 0;
    int64_t seconds = milliseconds ? number / 1000 : number;
    pb_done_t done = s_check_range (codec, self, seconds);
    if (done == PB_DONE && !milliseconds)
        value->number = seconds * 1000;
    return done;
}

//  ---------------------------------------------------------------- words and lists

pb_done_t
pb_word_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
             pb_wire_t *wire)
{
    const char *text = value ? self->words->rest : self->words->preset;
    for (const pb_word_t *row = self->words->rows; value && row->word; row++)
        if (!strcmp (row->word, value->text)) {
            text = row->wire;
            break;
        }
    return text ? s_write (codec, wire, text, self->bare) : PB_NOTHING;
}

pb_done_t
pb_word_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
            pb_value_t *value)
{
    if (!wire->text)
        return s_no_text (codec);
    const pb_words_t *words = self->back ? self->back : self->words;
    for (const pb_word_t *row = words->rows; row->word; row++)
        if (row->wire && !strcmp (row->wire, wire->text)) {
            value->text = row->word;
            return PB_DONE;
        }
    value->text = words->unknown;
    if (!value->text)
        return s_refuse (codec, _ ("it is none of the codes of the document"));
    return PB_FOREIGN;
}

//  One element: a codec of its own, whose `outer` is the object around the list.
static int
s_write_item (pb_codec_t *codec, const pb_convert_t *self, const pb_json_t *item,
              pb_buffer_t *to)
{
    pb_codec_t inner = *codec;
    inner.data = item;
    inner.outer = codec->data;
    pb_pairs_t pairs = {NULL, 0, 0};
    int rc = pb_fields_write (&inner, self->items, &pairs);
    codec->broken = codec->broken || rc == PB_NOMEM;
    if (rc != PB_OK)
        codec->reason = inner.sentence;
    else
        pb_json_write (to, &pairs);
    return rc;
}

pb_done_t
pb_items_out (pb_codec_t *codec, const pb_convert_t *self, const pb_value_t *value,
              pb_wire_t *wire)
{
    pb_buffer_t text = {.env = codec->env};
    pb_add (&text, "[", 1);
    const pb_json_t *item = value->node->first;
    for (; item; item = item->next) {
        if (s_write_item (codec, self, item, &text) != PB_OK)
            return PB_REFUSED;
        if (item->next)
            pb_add (&text, ",", 1);
    }
    pb_add (&text, "]", 1);
    return s_write (codec, wire, pb_done (&text), true);
}

static bool
s_read_item (pb_codec_t *codec, const pb_convert_t *self, const pb_json_t *item,
             pb_buffer_t *to)
{
    pb_codec_t inner = *codec;
    pb_taken_t taken;
    inner.form = NULL;
    inner.json = item;
    int rc = pb_fields_read (&inner, self->items, &taken);
    if (rc != PB_OK) {
        codec->broken = codec->broken || rc == PB_NOMEM;
        codec->reason = inner.sentence;
        return false;
    }
    const char *json = pb_taken_json (codec->env, &taken);
    codec->broken = codec->broken || !json;
    pb_add_text (to, json ? json : "");
    return json;
}

//  The value becomes a list of canonical objects.
pb_done_t
pb_items_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
             pb_value_t *value)
{
    const pb_json_t *list = wire->node;
    const char *why = NULL;
    if (wire->text && (!list || list->kind == PB_JSON_STRING))
        list = pb_json_read (codec->env, (pb_bytes_t){wire->text, strlen (wire->text)},
                             &why);
    if (!list || list->kind != PB_JSON_LIST)
        return s_refuse (codec,
                         why ? pb_format (codec->env, _ ("it is not JSON: %s"), why)
                             : _ ("a JSON array belongs there"));
    pb_buffer_t text = {.env = codec->env};
    pb_add (&text, "[", 1);
    for (const pb_json_t *item = list->first; item; item = item->next) {
        if (item->kind != PB_JSON_OBJECT)
            return s_refuse (codec, _ ("an element is not a JSON object"));
        if (!s_read_item (codec, self, item, &text))
            return PB_REFUSED;
        if (item->next)
            pb_add (&text, ",", 1);
    }
    pb_add (&text, "]", 1);
    const char *json = pb_done (&text);
    value->node =
        json ? pb_json_read (codec->env, (pb_bytes_t){json, text.size}, &why) : NULL;
    return value->node ? PB_DONE : s_refuse (codec, why);
}

//  ---------------------------------------------------------------- the common ones

static pb_done_t
s_anything_in (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
               pb_value_t *value)
{
    (void) codec;
    (void) self;
    value->text = wire->text;
    return PB_DONE;
}

const pb_convert_t pb_text = PB_TEXT_OF (0, 0);
const pb_convert_t pb_text_always = {.name = "text",
                                     .kinds = PB_KIND_TEXT,
                                     .out = pb_text_out,
                                     .in = pb_text_in,
                                     .always = true};
const pb_convert_t pb_id = {.name = "id",
                            .kinds = PB_KIND_TEXT,
                            .out = pb_text_out,
                            .in = s_id_in,
                            .min = 1,
                            .max = ID_MAX};
const pb_convert_t pb_digits = {
    .name = "digits", .kinds = PB_KIND_TEXT, .out = s_digits_out, .in = s_digits_in};
const pb_convert_t pb_count = PB_INT_OF (PB_KIND_INT, 0, INT32_MAX);
const pb_convert_t pb_seconds = PB_INT_OF (PB_KIND_SECONDS, 0, INT32_MAX);
const pb_convert_t pb_fen = PB_INT_OF (PB_KIND_MONEY, 0, MONEY_MAX);
const pb_convert_t pb_flag = PB_INT_OF (PB_KIND_BOOL, 0, 1);
const pb_convert_t pb_yuan = {.name = "yuan",
                              .kinds = PB_KIND_MONEY,
                              .out = s_yuan_out,
                              .in = s_yuan_in,
                              .max = MONEY_MAX};
const pb_convert_t pb_unix_seconds = {.name = "unix seconds",
                                      .kinds = PB_KIND_TIME,
                                      .out = s_unix_out,
                                      .in = s_unix_in,
                                      .min = UNIX_MIN,
                                      .max = UNIX_MAX};
const pb_convert_t pb_anything = {.name = "anything", .in = s_anything_in};
