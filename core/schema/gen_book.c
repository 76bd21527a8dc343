//  gen_book.c - docs/events.md, from the types table and the rules of event.c.

#include "schema/gen_schema.h"

#include <stdio.h>

static const char head[] =
    "# Events\n"
    "\n"
    "<!-- Made by pb-gen-schema from core/schema/types.c: change it there. -->\n"
    "\n"
    "An event is a fact: something that has happened. It is one JSON object with the\n"
    "attribute names of CloudEvents 1.0, in UTF-8, at most 64 KiB. This page and the JSON\n"
    "Schemas in `etc/schema/` are made from the table by which parkbusd itself checks.\n"
    "\n"
    "```json\n"
    "{\"specversion\":\"1.0\",\"id\":\"019aa1b2-3c4d-7e5f-8a9b-0123456789ab\",\n"
    " \"source\":\"gate/in-1\",\"type\":\"in.recorded\",\"subject\":\"V20261121_0001\",\n"
    " \"time\":\"2026-11-21T08:00:00.123+08:00\",\"lot\":\"north\",\"lane\":\"in-1\",\n"
    " \"data\":{\"plate\":\"京A12345\",\"plate_color\":\"blue\"}}\n"
    "```\n"
    "\n"
    "## The envelope\n"
    "\n"
    "| attribute | rule | 说明 |\n"
    "|---|---|---|\n"
    "| `specversion` | `\"1.0\"`; absent is the same | 版本，可缺省 |\n"
    "| `id` | 1 to 64 bytes, made once by the first writer (use UUIDs). Absent on PUBLISH:"
    " the broker makes a UUIDv7. (`source`, `id`) tells a repetition from a new event |"
    " 事件编号；与 source 一起用于去重 |\n"
    "| `source` | required, 1 to 64 bytes: the program that says it, unique in the node |"
    " 来源程序，必填 |\n"
    "| `type` | required: one of those below, or `x.<word>` for your own"
    " (`[a-z0-9_-]{1,32}`), which is kept and passed on, never interpreted |"
    " 事件类型，必填 |\n"
    "| `subject` | the visit, `[0-9A-Za-z_-]{1,48}`: the same from entry to the last"
    " refund | 停车单号（一次停车） |\n"
    "| `time` | when it happened, RFC 3339 with offset. Absent: now | 发生时间 |\n"
    "| `lot` | `[a-z0-9-]{1,32}`, one that is configured | 车场 |\n"
    "| `lane` | `[a-z0-9-]{1,32}` | 车道 |\n"
    "| `data` | an object, by the type | 数据 |\n"
    "\n"
    "Other members are kept as they are. The nine names are written without escapes;\n"
    "escapes in their values are resolved before the event is kept, so these hold no\n"
    "quotes, backslashes or control characters.\n"
    "\n"
    "Everywhere in an event:\n"
    "\n"
    "* Money is a whole number of fen, a duration one of seconds, a time RFC 3339 text.\n"
    "* Numbers are integers within ±(2^53 - 1). There are no fractions and no exponents.\n"
    "* What is not known is left out. `null` is refused.\n"
    "* No object has a member twice, `\\u0000` and halves of surrogate pairs are refused,\n"
    "  objects and lists go 16 levels deep.\n"
    "* White space between tokens is removed; `parkbusd` writes the envelope first, then\n"
    "  the other members in their order, then `data`.\n"
    "* Members of `data` that are not in the tables below are kept.\n"
    "\n"
    "A repetition (same `source` and `id`) is the same event when its JSON is the same as\n"
    "it was sent, whatever the order of members and the white space; otherwise it is\n"
    "refused as `conflict`.\n"
    "\n"
    "A **topic** is `type.lot`, such as `pay.captured.north`; without a lot\n"
    "`alarm.raised._`.\n";

static const char *const kinds[] = {
    [FIELD_TEXT] = "text",
    [FIELD_PLATE] = "plate, 1-64 bytes",
    [FIELD_MONEY] = "fen",
    [FIELD_INT] = "integer ≥ 0",
    [FIELD_DURATION] = "seconds",
    [FIELD_TIME] = "time",
    [FIELD_ENUM] = "",
    [FIELD_BOOL] = "true, false",
    [FIELD_LANE] = "lane",
    [FIELD_VISIT] = "visit",
    [FIELD_LIST] = "list",
    [FIELD_OBJECT] = "object",
    [FIELD_ID] = "text, 1-64 bytes",
};

static const char *
s_speaker (unsigned flags)
{
    if (flags & TYPE_CLIENT)
        return "any program";
    return flags & TYPE_PERSON ? "parkbus; a program for a person" : "parkbus";
}

static void
s_overview (buffer_t *to)
{
    buffer_text (to,
                 "\n## The types\n\n"
                 "| type | says it | needs | what | 说明 |\n|---|---|---|---|---|\n");
    for (const event_type_t *type = event_types; type->name; type++) {
        buffer_printf (to, "| [`%s`](#", type->name);
        for (const char *p = type->name; *p; p++)
            if (*p != '.')
                buffer_add (to, p, 1);
        buffer_printf (to, ") | %s | %s%s%s | %s | %s |\n", s_speaker (type->flags),
                       type->flags & TYPE_SUBJECT ? "subject, " : "",
                       type->flags & TYPE_LOT ? "lot" : "",
                       type->flags & TYPE_LANE ? ", lane" : "", type->help_en,
                       type->help_zh);
    }
    buffer_text (
        to, "| `x.<word>` | any program | | Your own. | 第三方自定义。 |\n\n"
            "\"parkbus\" is the broker and its plugins: PUBLISH answers `denied` to "
            "anybody else. \"A\nprogram for a person\": with `witness` `person` and an "
            "`operator`. The names of plugin\ninstances and `parkbus` are refused as "
            "`source`.\n");
}

static void
s_fields (buffer_t *to, const field_t *fields, const char *inside)
{
    for (const field_t *field = fields; field->name; field++) {
        const char *mark = field->required ? "**" : "";
        buffer_printf (to, "| %s`%s%s`%s | ", mark, inside, field->name, mark);
        for (const char *const *word = field->words; word && *word; word++)
            buffer_printf (to, "%s`%s`", word == field->words ? "" : " ", *word);
        buffer_printf (to, "%s | %s | %s |\n", kinds[field->kind], field->help_en,
                       field->help_zh);
        if (field->items) {
            char name[64];
            snprintf (name, sizeof name, "%s[].", field->name);
            s_fields (to, field->items, name);
        }
    }
}

static void
s_needs (buffer_t *to, const event_type_t *type)
{
    for (const need_t *need = event_needs; need->type; need++) {
        if (!streq (need->type, type->name))
            continue;
        buffer_printf (to, "\n* `%s` is required ", need->needs);
        if (!need->word)
            buffer_printf (to, need->unless ? "where `%s` is absent." : "with `%s`.",
                           need->member);
        else
            buffer_printf (
                to, need->unless ? "unless `%s` is `%s`." : "where `%s` is `%s`.",
                need->member, need->word);
    }
    if (type->flags & TYPE_NEEDS)
        buffer_text (to, "\n");
}

void
gen_book (buffer_t *to)
{
    buffer_text (to, head);
    s_overview (to);
    buffer_text (to, "\n## Their data\n\nBold members are required.\n");
    for (const event_type_t *type = event_types; type->name; type++) {
        buffer_printf (to,
                       "\n### %s\n\n%s %s\n\n| member | kind | meaning | 说明 |\n"
                       "|---|---|---|---|\n",
                       type->name, type->help_en, type->help_zh);
        s_fields (to, type->fields, "");
        s_needs (to, type);
    }
}
