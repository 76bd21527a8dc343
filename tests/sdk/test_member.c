//  test_member.c - the sdk's list of canonical members against the table that the daemon
//  validates by: a plugin must not be able to name what the bus does not have.

#include "promise.h"
#include "schema/types.h"
#include "sdk/convert.h"
#include "sdk/field.h"

static const unsigned kinds[] = {
    [FIELD_TEXT] = PB_KIND_TEXT | PB_KIND_WORD,
    [FIELD_ID] = PB_KIND_TEXT,
    [FIELD_PLATE] = PB_KIND_TEXT,
    [FIELD_MONEY] = PB_KIND_MONEY,
    [FIELD_INT] = PB_KIND_INT,
    [FIELD_DURATION] = PB_KIND_SECONDS,
    [FIELD_TIME] = PB_KIND_TIME,
    [FIELD_ENUM] = PB_KIND_WORD,
    [FIELD_BOOL] = PB_KIND_BOOL,
    [FIELD_LANE] = PB_KIND_TEXT,
    [FIELD_VISIT] = PB_KIND_TEXT,
    [FIELD_LIST] = PB_KIND_LIST,
    [FIELD_OBJECT] = PB_KIND_OBJECT,
};

static void
s_check (const char *type, const field_t *fields)
{
    for (const field_t *field = fields; field && field->name; field++) {
        unsigned ours = pb_member_kinds (field->name);
        promise (ours & kinds[field->kind], "%s: %s is known, and of a fitting kind",
                 type, field->name);
        s_check (type, field->items);
    }
}

int
main (void)
{
    for (const event_type_t *type = event_types; type->name; type++)
        s_check (type->name, type->fields);
    promise (!pb_member_kinds ("colour") && !pb_member_kinds (NULL),
             "what the bus does not have is not known");
    return promises_kept ();
}
