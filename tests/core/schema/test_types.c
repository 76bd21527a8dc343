//  The types table: rows that contradict each other are found here, not on the bus.

#include "promise.h"
#include "schema/types.h"

static const field_t *
s_field (const event_type_t *type, const char *name)
{
    for (const field_t *field = type->fields; field->name; field++)
        if (streq (field->name, name))
            return field;
    return NULL;
}

static bool
s_has_word (const field_t *field, const char *word)
{
    for (const char *const *one = field->words; one && *one; one++)
        if (streq (*one, word))
            return true;
    return false;
}

static bool
s_fields_good (const field_t *fields)
{
    size_t count = 0;
    for (const field_t *field = fields; field->name; field++, count++) {
        bool words = (field->kind == FIELD_ENUM) == (field->words != NULL);
        bool items = !field->items
                     || (field->kind == FIELD_LIST && s_fields_good (field->items));
        if (!words || !items || !field->help_en || !*field->help_en || !field->help_zh
            || !utf8_valid (field->help_zh, strlen (field->help_zh)))
            return false;
        for (const field_t *other = fields; other < field; other++)
            if (streq (other->name, field->name))
                return false;
    }
    return count <= 32; //  The bits of what event_read () has seen
}

static bool
s_starts (const char *text, const char *start)
{
    return strncmp (text, start, strlen (start)) == 0;
}

//  The contract's words: what PUBLISH accepts, and what needs a subject, a lot, a lane.
static unsigned
s_flags_by_contract (const char *name)
{
    static const char *const clients[] = {"lane.", "in.",      "out.",      "space.",
                                          "lot.",  "picture.", "discount.", "gate."};
    unsigned flags = 0;
    for (size_t i = 0; i < ARRAY_SIZE (clients); i++)
        if (s_starts (name, clients[i]))
            flags |= TYPE_CLIENT;
    if (streq (name, "pay.captured") || streq (name, "refund.done"))
        flags |= TYPE_PERSON;
    if (s_starts (name, "in.") || s_starts (name, "out."))
        flags |= TYPE_SUBJECT;
    if (!s_starts (name, "alarm.") && !s_starts (name, "plugin."))
        flags |= TYPE_LOT;
    if (s_starts (name, "lane.") || s_starts (name, "gate."))
        flags |= TYPE_LANE;
    if (s_starts (name, "pay.") || s_starts (name, "refund."))
        flags |= TYPE_MONEY;
    if (s_starts (name, "bind."))
        flags |= TYPE_ONE_OF;
    for (const need_t *need = event_needs; need->type; need++)
        if (streq (need->type, name))
            flags |= TYPE_NEEDS;
    return flags;
}

int
main (void)
{
    size_t count = 0;
    for (const event_type_t *type = event_types; type->name; type++, count++) {
        promise (s_fields_good (type->fields), "%s: its members are sound", type->name);
        promise (type->flags == s_flags_by_contract (type->name), "%s: who and where",
                 type->name);
        promise (event_type_find (SPAN (type->name)) == type, "%s: is found",
                 type->name);
        promise (type->help_en && *type->help_en && type->help_zh && *type->help_zh,
                 "%s: has help in both languages", type->name);
    }
    promise (count == 36, "the contract names 36 types, the table %zu", count);
    for (const need_t *need = event_needs; need->type; need++) {
        const event_type_t *type = event_type_find (SPAN (need->type));
        const field_t *member = type ? s_field (type, need->member) : NULL;
        promise (member && s_field (type, need->needs)
                     && (!need->word || s_has_word (member, need->word)),
                 "%s: %s %s needs %s", need->type, need->member,
                 need->word ? need->word : "", need->needs);
    }
    promise (!event_type_find (SPAN ("in.recorde")), "a beginning is no type");
    promise (!event_type_find (SPAN ("")), "nothing is none");
    promise (!event_type_find ((span_t){NULL, 0}), "absent is none");
    promise (enum_words ("tender") && streq (enum_words ("tender")[0], "cash"),
             "tender");
    promise (!enum_words ("nonsense"), "no enumeration of that name");
    return promises_kept ();
}
