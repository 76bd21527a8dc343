//  sdk/convert.h - converters: one canonical kind of value to one wire form, and back.
//
//  A converter is data: what kinds of member it fits, a function for each direction,
//  and the range or word table it works by. New ones are declared with the macros
//  below.

#ifndef PARKBUS_SDK_CONVERT_H
#define PARKBUS_SDK_CONVERT_H

#include "sdk/json.h"
#include "sdk/text.h"

//  Kinds of canonical members (docs/events.md), as bits.
enum {
    PB_KIND_TEXT = 1, //  Also lanes, visits, plates
    PB_KIND_WORD = 2, //  One of an enumeration
    PB_KIND_INT = 4,
    PB_KIND_MONEY = 8, //  Fen
    PB_KIND_SECONDS = 16,
    PB_KIND_TIME = 32, //  RFC 3339 in data, milliseconds here
    PB_KIND_BOOL = 64,
    PB_KIND_LIST = 128,
    PB_KIND_OBJECT = 256,
    PB_KIND_NUMBER = PB_KIND_INT | PB_KIND_MONEY | PB_KIND_SECONDS
};

//  A canonical value in hand.
typedef struct {
    const char *text;      //  TEXT, WORD
    int64_t number;        //  Numbers; TIME: ms; BOOL: 0 or 1
    const pb_json_t *node; //  LIST, OBJECT
} pb_value_t;

//  A wire value in hand: text, or the tree it was parsed to.
typedef struct {
    const char *text;
    bool bare;             //  In JSON: written without quotes
    const pb_json_t *node; //  Inwards, from JSON
} pb_wire_t;

typedef enum {
    PB_DONE,
    PB_FOREIGN, //  Read, but a word we have none for: kept under ext too, as it was
    PB_ASIDE,   //  Read, but no member of ours can hold it: kept under ext only
    PB_NOTHING, //  Has no word on the other side: left out
    PB_REFUSED  //  Does not fit: `reason` of the codec says why
} pb_done_t;

//  One row of a word table: ours, theirs. The first row that matches counts, so several
//  of ours may become one of theirs (and the first of them is what comes back).
typedef struct {
    const char *word;
    const char *wire; //  NULL: they have none, the field is left out
    bool lossy;       //  Comes back as another word
} pb_word_t;

typedef struct {
    const pb_word_t *rows; //  Ends with word NULL
    const char *preset;    //  Theirs when ours is not known; NULL: left out
    const char *rest;      //  Theirs for a word without a row; NULL: left out
    const char *unknown;   //  Ours for a word of theirs without a row; NULL: refused
} pb_words_t;

typedef struct pb_codec pb_codec_t; //  sdk/field.h
typedef struct pb_field pb_field_t; //  sdk/field.h
typedef struct pb_convert pb_convert_t;

struct pb_convert {
    const char *name;
    unsigned kinds; //  That it fits
    //  `value` NULL: the member is not known (only converters that are `always` asked).
    pb_done_t (*out) (pb_codec_t *codec, const pb_convert_t *self,
                      const pb_value_t *value, pb_wire_t *wire);
    pb_done_t (*in) (pb_codec_t *codec, const pb_convert_t *self, const pb_wire_t *wire,
                     pb_value_t *value);
    int64_t min, max; //  Numbers: range; texts: bytes, 0 and 0 is no limit
    bool bare;        //  Outwards, in JSON: without quotes
    bool always;      //  Outwards: asked for unknown members too
    const pb_words_t *words;
    const pb_words_t *back;  //  For reading, when it is another table; NULL: `words`
    const pb_field_t *items; //  Of each element of a list
};

extern const pb_convert_t pb_text;         //  "S1"
extern const pb_convert_t pb_text_always;  //  The same, "" when not known
extern const pb_convert_t pb_id;           //  1 to 64 bytes; read: longer ones go aside
extern const pb_convert_t pb_digits;       //  "5201020001": decimal digits, zeros kept
extern const pb_convert_t pb_count;        //  0 to 2^31 - 1
extern const pb_convert_t pb_seconds;      //  Duration in whole seconds
extern const pb_convert_t pb_fen;          //  1250
extern const pb_convert_t pb_yuan;         //  "12.50"
extern const pb_convert_t pb_unix_seconds; //  1490875218; read back: 13 digits are ms
extern const pb_convert_t pb_flag;         //  0 or 1
extern const pb_convert_t pb_anything; //  A value without a canonical member: read only

pb_done_t pb_text_out (pb_codec_t *codec, const pb_convert_t *self,
                       const pb_value_t *value, pb_wire_t *wire);
pb_done_t pb_text_in (pb_codec_t *codec, const pb_convert_t *self,
                      const pb_wire_t *wire, pb_value_t *value);
pb_done_t pb_number_out (pb_codec_t *codec, const pb_convert_t *self,
                         const pb_value_t *value, pb_wire_t *wire);
pb_done_t pb_number_in (pb_codec_t *codec, const pb_convert_t *self,
                        const pb_wire_t *wire, pb_value_t *value);
pb_done_t pb_word_out (pb_codec_t *codec, const pb_convert_t *self,
                       const pb_value_t *value, pb_wire_t *wire);
pb_done_t pb_word_in (pb_codec_t *codec, const pb_convert_t *self,
                      const pb_wire_t *wire, pb_value_t *value);
pb_done_t pb_items_out (pb_codec_t *codec, const pb_convert_t *self,
                        const pb_value_t *value, pb_wire_t *wire);
pb_done_t pb_items_in (pb_codec_t *codec, const pb_convert_t *self,
                       const pb_wire_t *wire, pb_value_t *value);

// clang-format off
//  Text of so many bytes.
#define PB_TEXT_OF(low, high) \
    {.name = "text", .kinds = PB_KIND_TEXT, .out = pb_text_out, .in = pb_text_in, \
     .min = (low), .max = (high)}
//  An integer within a range. Kinds: PB_KIND_INT, or PB_KIND_TEXT for a number that is
//  a word of a map (lanes).
#define PB_INT_OF(kind, low, high) \
    {.name = "integer", .kinds = (kind), .out = pb_number_out, .in = pb_number_in, \
     .min = (low), .max = (high), .bare = true}
//  A word table. `number`: in JSON without quotes.
#define PB_WORD_OF(table, number) \
    {.name = "word", .kinds = PB_KIND_WORD, .out = pb_word_out, .in = pb_word_in, \
     .bare = (number), .always = true, .words = &(table)}
//  Written by one table, read back by another.
#define PB_WORD_OF_TWO(out_table, in_table, number) \
    {.name = "word", .kinds = PB_KIND_WORD, .out = pb_word_out, .in = pb_word_in, \
     .bare = (number), .always = true, .words = &(out_table), .back = &(in_table)}
//  A list of objects, each by a table of its own: an array in JSON, its text in a form.
#define PB_ITEMS_OF(table) \
    {.name = "list", .kinds = PB_KIND_LIST, .out = pb_items_out, .in = pb_items_in, \
     .bare = true, .items = (table)}
// clang-format on

#endif
