//  config_docs.c - docs/configuration.md's tables, written from the table of keys.

#include "config/config_docs.h"

#include <inttypes.h>
#include <string.h>
#include "config/config_read.h"

static const char s_begin[] = "<!-- keys: ", s_close[] = " -->\n",
                  s_end[] = "<!-- end -->";

//  "1 to 1024 MiB", "error, warning, info, debug" or the type's own words.
static void
s_value (const config_row_t *row, const char *type, buffer_t *to)
{
    const char *words = row->words ? row->words : "false|true";
    buffer_text (to, " | ");
    if (row->type == &type_number)
        buffer_printf (to, "%" PRId64 "–%" PRId64 "%s%s", row->min, row->max,
                       row->unit ? " " : "", row->unit ? row->unit : "");
    else if (row->type == &type_choice || row->type == &type_flag)
        for (const char *p = words; *p; p++)
            *p == '|' ? buffer_text (to, ", ") : buffer_add (to, p, 1);
    else
        buffer_text (to, type);
}

static void
s_preset (const config_row_t *row, buffer_t *to)
{
    buffer_text (to, " | ");
    if (row->required)
        buffer_text (to, "**required**");
    else if (row->preset_words)
        buffer_text (to, row->preset_words);
    else if (row->preset)
        buffer_printf (to, "`%s`", row->preset);
    else
        buffer_text (to, "–");
}

static void
s_row (const config_row_t *row, buffer_t *to)
{
    buffer_printf (to, "| `%s`", row->name);
    s_value (row, row->type->en, to);
    s_preset (row, to);
    buffer_printf (to, " | %s<br>%s", row->en, row->zh);
    if (row->later && !row->later_if)
        buffer_text (to, "<br>*Checked, not used yet. 已检查，尚未使用。*");
    buffer_text (to, " |\n");
}

static const config_section_t *
s_section (const char *name, size_t size)
{
    for (size_t i = 0; config_sections[i]; i++)
        if (span_is ((span_t){name, size}, config_sections[i]->name))
            return config_sections[i];
    return NULL;
}

bool
config_docs_write (const char *document, buffer_t *to)
{
    const char *begin;
    while ((begin = strstr (document, s_begin))) {
        const char *name = begin + strlen (s_begin);
        const char *close = strstr (name, s_close);
        const char *end = close ? strstr (close, s_end) : NULL;
        const config_section_t *section =
            end ? s_section (name, (size_t) (close - name)) : NULL;
        if (!section)
            return false;
        close += strlen (s_close);
        buffer_add (to, document, (size_t) (close - document));
        buffer_text (to, "| key 键 | value 取值 | default 默认 | meaning 含义 |\n"
                         "|---|---|---|---|\n");
        for (size_t i = 0; i < section->count; i++)
            s_row (section->rows + i, to);
        document = end;
        buffer_add (to, document, strlen (s_end));
        document += strlen (s_end);
    }
    buffer_text (to, document);
    return true;
}
