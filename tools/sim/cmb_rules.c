//  cmb_rules.c - the CMB document's tables (chapters 4 and 5), and its signature (3.2).

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmb.h"

#define TEXT(name, required)                          \
    {                                                 \
        name, RULE_TEXT, required, 0, 128, NULL, NULL \
    }
#define NUMBER(name, required, min, max)                  \
    {                                                     \
        name, RULE_NUMBER, required, min, max, NULL, NULL \
    }
#define CODE(name, required, codes)                  \
    {                                                \
        name, RULE_CODE, required, 0, 0, codes, NULL \
    }
#define PARK                                           \
    {                                                  \
        "park_code", RULE_PARK, true, 0, 0, NULL, NULL \
    }
#define PLATE                                             \
    {                                                     \
        "vpl_number", RULE_PLATE, true, 2, 30, NULL, NULL \
    }
#define UNIX(name)                              \
    {                                           \
        name, RULE_UNIX, true, 0, 0, NULL, NULL \
    }
#define LIST(name, required, items)                  \
    {                                                \
        name, RULE_LIST, required, 0, 0, NULL, items \
    }
#define MAP(name, required, items)                  \
    {                                               \
        name, RULE_MAP, required, 0, 0, NULL, items \
    }
#define END                                      \
    {                                            \
        NULL, RULE_TEXT, false, 0, 0, NULL, NULL \
    }

#define FEN_MAX 100000000 //  A million yuan: more is a mistake

//  5.3: 1 small, 2 large, 65534 military and police; 1 fuel, 2 hybrid, 3 electric;
//  0 blue 1 yellow 2 white 3 black 4 green; 0 temporary 99 vip.
static const int64_t s_car_types[] = {1, 2, 65534, -1};
static const int64_t s_power_types[] = {1, 2, 3, -1};
static const int64_t s_colors[] = {0, 1, 2, 3, 4, -1};
static const int64_t s_auth_types[] = {0, 99, -1};
//  5.4: the list skips 25-46, 60 and 68-98.
static const int64_t s_pay_types[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                      12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                      24, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57,
                                      58, 59, 61, 62, 63, 64, 65, 66, 67, 99, -1};

//  5.2
const rule_t cmb_space_info[] = {
    PARK,
    NUMBER ("total_empty", true, 0, 1000000),
    NUMBER ("vip_empty", true, 0, 1000000),
    NUMBER ("tmp_empty", true, 0, 1000000),
    END,
};

//  5.3
const rule_t cmb_indata[] = {
    PARK,
    NUMBER ("in_code", true, 0, 255),
    PLATE,
    TEXT ("record_id", true),
    UNIX ("in_time"),
    CODE ("car_type", true, s_car_types),
    CODE ("power_type", true, s_power_types),
    CODE ("body_color", false, s_colors),
    CODE ("plate_color", false, s_colors),
    TEXT ("logo", false),
    CODE ("auth_type", false, s_auth_types),
    NUMBER ("model", false, 0, 11),
    TEXT ("owner", false),
    END,
};

//  5.4
static const rule_t s_charge_item[] = {
    NUMBER ("should_pay", true, 0, FEN_MAX),
    NUMBER ("actual_pay", true, 0, FEN_MAX),
    CODE ("pay_type", true, s_pay_types),
    TEXT ("toll_collector", true),
    TEXT ("seq_num", true),
    UNIX ("time"),
    END,
};

const rule_t cmb_outdata[] = {
    PARK,
    NUMBER ("in_code", true, 0, 255),
    NUMBER ("out_code", true, 0, 255),
    PLATE,
    TEXT ("record_id", true),
    UNIX ("in_time"),
    UNIX ("out_time"),
    LIST ("charge_items", true, s_charge_item),
    END,
};

//  3.4, what the lot answers.
const rule_t cmb_answer[] = {
    NUMBER ("status", true, INT32_MIN, INT32_MAX),
    TEXT ("message", true),
    END,
};

//  4.1: with an order…
static const rule_t s_charge[] = {
    NUMBER ("total_price", true, 0, FEN_MAX),
    NUMBER ("should_pay", true, 0, FEN_MAX),
    NUMBER ("paid", true, 0, FEN_MAX),
    END,
};

static const rule_t s_discount[] = {
    NUMBER ("unit", true, 0, 1),
    TEXT ("name", true),
    NUMBER ("value", true, 0, FEN_MAX),
    END,
};

const rule_t cmb_calc_data[] = {
    TEXT ("vpl_number", true),
    TEXT ("record_id", true),
    TEXT ("bill_id", false),
    UNIX ("in_time"),
    UNIX ("out_time"),
    NUMBER ("duration", true, 0, INT32_MAX),
    MAP ("charge", true, s_charge),
    LIST ("discount", false, s_discount),
    END,
};

//  …and without: the plate is told all the same.
const rule_t cmb_calc_no_order[] = {
    TEXT ("vpl_number", true),
    END,
};

void
cmb_wrong (cmb_case_t *self, const char *field, const char *format, ...)
{
    char sentence[SIM_SENTENCE];
    va_list args;
    va_start (args, format);
    vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    books_violation (self->platform, self->endpoint, self->record ? self->record : "",
                     field, self->violations ? NULL : self->said, "%s", sentence);
    self->violations++;
}

//  Digits as a number is written: no sign, no leading zero, nothing around it.
static bool
s_is_decimal (const char *text, int64_t *value)
{
    bool minus = *text == '-';
    if ((text[minus] == '0' && text[minus + 1]) || streq (text, "-0"))
        return false;
    return text_int64 (SPAN (text), INT64_MIN, INT64_MAX, value);
}

static bool
s_is_plate (const rule_t *rule, const char *text)
{
    size_t characters = utf8_length (text, strlen (text));
    for (const char *p = text; *p; p++) {
        if ((unsigned char) *p <= ' ' || *p == 0x7f)
            return false;
    }
    //  U+3000, the Chinese space
    return !strstr (text, "\xe3\x80\x80") && characters >= (size_t) rule->min
           && characters <= (size_t) rule->max;
}

static bool
s_is_code (const int64_t *codes, int64_t value)
{
    while (*codes >= 0 && *codes != value)
        codes++;
    return *codes >= 0;
}

static bool
s_is_lot (cmb_case_t *self, const char *text)
{
    return json_member (((cmb_t *) self->platform->state)->lots, text) != NULL;
}

static void
s_check_number (cmb_case_t *self, const rule_t *rule, int64_t value)
{
    if (rule->kind == RULE_UNIX && (value < 1000000000 || value > 9999999999))
        cmb_wrong (self, rule->name, _ ("%s is %lld, not 10 digits of Unix time"),
                   rule->name, (long long) value);
    if (rule->kind == RULE_CODE && !s_is_code (rule->codes, value))
        cmb_wrong (self, rule->name, _ ("%s is %lld, which the document does not list"),
                   rule->name, (long long) value);
    if (rule->kind == RULE_NUMBER && (value < rule->min || value > rule->max))
        cmb_wrong (self, rule->name, _ ("%s is %lld, not %lld to %lld"), rule->name,
                   (long long) value, (long long) rule->min, (long long) rule->max);
}

static void
s_check_list (cmb_case_t *self, const rule_t *rule, json_object *list)
{
    if (!json_object_is_type (list, json_type_array)) {
        cmb_wrong (self, rule->name, _ ("%s is no JSON array"), rule->name);
        return;
    }
    for (size_t i = 0; i < json_object_array_length (list); i++)
        cmb_check_json (self, rule->items, json_object_array_get_idx (list, i));
}

static void
s_check_text (cmb_case_t *self, const rule_t *rule, const char *text)
{
    if (rule->kind == RULE_PLATE && !s_is_plate (rule, text))
        cmb_wrong (self, rule->name, _ ("%s '%s' is no plate"), rule->name, text);
    else if (rule->kind == RULE_PARK && !s_is_lot (self, text))
        cmb_wrong (self, rule->name, _ ("%s %s is no car park of this platform"),
                   rule->name, text);
    else if (rule->kind == RULE_TEXT
             && utf8_length (text, strlen (text)) > (size_t) rule->max)
        cmb_wrong (self, rule->name, _ ("%s has more than %lld characters"), rule->name,
                   (long long) rule->max);
}

static const rule_t *
s_find_rule (const rule_t *rules, const char *name)
{
    while (rules->name && !streq (rules->name, name))
        rules++;
    return rules->name ? rules : NULL;
}

static void
s_check_field (cmb_case_t *self, const rule_t *rule, const char *text)
{
    int64_t value = 0;
    json_object *list = NULL;
    switch (rule->kind) {
    case RULE_TEXT:
    case RULE_PLATE:
    case RULE_PARK:
        s_check_text (self, rule, text);
        break;
    case RULE_NUMBER:
    case RULE_UNIX:
    case RULE_CODE:
        if (s_is_decimal (text, &value))
            s_check_number (self, rule, value);
        else
            cmb_wrong (self, rule->name, _ ("%s '%s' is no decimal number"), rule->name,
                       text);
        break;
    default:
        list = json_read (text, strlen (text));
        s_check_list (self, rule, list);
        json_object_put (list);
    }
}

void
cmb_check_form (cmb_case_t *self, const rule_t *rules, const form_t *form)
{
    for (const rule_t *rule = rules; rule->name; rule++) {
        const char *text = form_get (form, rule->name);
        if (text && *text)
            s_check_field (self, rule, text);
        else if (rule->required)
            cmb_wrong (self, rule->name, _ ("the required field %s is %s"), rule->name,
                       text ? _ ("empty") : _ ("missing"));
    }
    for (size_t i = 0; i < form->count; i++) {
        const char *name = form->fields[i].name;
        if (!streq (name, "appid") && !streq (name, "sign")
            && !s_find_rule (rules, name))
            cmb_wrong (self, name, _ ("the document has no field %s here"), name);
    }
}

static void
s_check_member (cmb_case_t *self, const rule_t *rule, json_object *value)
{
    bool number =
        rule->kind == RULE_NUMBER || rule->kind == RULE_UNIX || rule->kind == RULE_CODE;
    if (number && json_object_is_type (value, json_type_int))
        s_check_number (self, rule, json_object_get_int64 (value));
    else if (number)
        cmb_wrong (self, rule->name, _ ("%s is %.60s, no JSON integer"), rule->name,
                   json_object_to_json_string (value));
    else if (rule->kind == RULE_LIST)
        s_check_list (self, rule, value);
    else if (rule->kind == RULE_MAP)
        cmb_check_json (self, rule->items, value);
    else if (json_object_is_type (value, json_type_string))
        s_check_text (self, rule, json_object_get_string (value));
    else
        cmb_wrong (self, rule->name, _ ("%s is %.60s, no JSON string"), rule->name,
                   json_object_to_json_string (value));
}

void
cmb_check_json (cmb_case_t *self, const rule_t *rules, json_object *map)
{
    if (!json_object_is_type (map, json_type_object)) {
        cmb_wrong (self, "", _ ("%.60s is no JSON object"),
                   json_object_to_json_string (map));
        return;
    }
    for (const rule_t *rule = rules; rule->name; rule++) {
        json_object *value = json_member (map, rule->name);
        if (value)
            s_check_member (self, rule, value);
        else if (rule->required)
            cmb_wrong (self, rule->name, _ ("the required member %s is missing"),
                       rule->name);
    }
}

void
cmb_string_a (const form_t *form, buffer_t *to)
{
    bool first = true;
    for (size_t i = 0; i < form->count; i++) {
        const form_field_t *field = &form->fields[i];
        if (streq (field->name, "sign") || streq (field->name, "pic_con")
            || !field->value_size)
            continue;
        buffer_printf (to, "%s%s=", first ? "" : "&", field->name);
        buffer_add (to, field->value, field->value_size);
        first = false;
    }
}

void
cmb_sign (const form_t *form, const char *secret, char to[33])
{
    buffer_t text = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    cmb_string_a (form, &text);
    buffer_text (&text, secret);
    EVP_Digest (text.data, text.size, digest, &size, EVP_md5 (), NULL);
    hex_encode (digest, 16, to);
    buffer_free (&text);
}
