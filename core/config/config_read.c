//  config_read.c - a map of a file into a structure, by the rows of its section.

#include "config/config_read.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SENTENCE_ROOM 400
#define WHERE_ROOM 240 //  A longer path keeps its end

//  ------------------------------------------------------------------ sentences

void
config_mark_text (config_mark_t mark, char *to, size_t room)
{
    assert (room >= 64);
    char position[32] = "";
    if (mark.line)
        snprintf (position, sizeof position, ":%u:%u", mark.line, mark.column);
    const char *file = mark.file ? mark.file : "?";
    size_t space = room - strlen (position) - 1, size = strlen (file);
    const char *cut = "";
    if (size > space) {
        cut = "...";
        file += size - (space - 3);
        while ((*file & 0xc0) == 0x80)
            file++; //  Not into the middle of a character
    }
    snprintf (to, room, "%s%s%s", cut, file, position);
}

bool
config_wrong (pb_error_t *error, config_mark_t mark, const char *field,
              const char *format, ...)
{
    //  Longer than pb_error keeps, so that it is the one that cuts, between characters.
    char message[WHERE_ROOM + 2 * SENTENCE_ROOM];
    config_mark_text (mark, message, WHERE_ROOM);
    strcat (message, ": ");
    size_t size = strlen (message);
    va_list args;
    va_start (args, format);
    vsnprintf (message + size, sizeof message - size, format, args);
    va_end (args);
    return pb_error (error, PB_E_CONFIG, field, "%s", message);
}

const char *
config_quote (const char *text, char to[CONFIG_QUOTE])
{
    static const char more[] = "…";
    size_t limit = CONFIG_QUOTE - sizeof more, size = strlen (text);
    bool cut = size > limit;
    if (cut) {
        size = limit;
        while (size && (text[size] & 0xc0) == 0x80)
            size--;
    }
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char) text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    strcpy (to + size, cut ? more : "");
    return to;
}

const char *
config_nearer (const char *text, const char *word, const char *best)
{
    size_t size = strlen (text);
    if (size > 48)
        return best;
    unsigned allowed = size <= 3 ? 1 : size <= 6 ? 2 : 3;
    unsigned distance = text_distance (text, word);
    if (distance > allowed || (best && distance >= text_distance (text, best)))
        return best;
    return word;
}

void
config_note (config_t *self, config_mark_t mark, const char *format, ...)
{
    char where[WHERE_ROOM], sentence[SENTENCE_ROOM];
    config_mark_text (mark, where, sizeof where);
    va_list args;
    va_start (args, format);
    vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    buffer_t note = {.data = NULL};
    buffer_printf (&note, "%s: %s", where, sentence);
    char **place = config_grow (&self->notes, &self->notes_count, sizeof *place);
    *place = xstrdup (note.data);
    buffer_free (&note);
}

//  ------------------------------------------------------------------ small things

void *
config_grow (void *array_p, size_t *count, size_t size)
{
    void *array;
    memcpy (&array, array_p, sizeof array);
    if ((*count & (*count - 1)) == 0) //  0, 1, 2, 4, 8 …: full
        array = xrealloc (array, (*count ? *count * 2 : 1) * size);
    memcpy (array_p, &array, sizeof array);
    void *element = (char *) array + *count * size;
    memset (element, 0, size);
    (*count)++;
    return element;
}

char *
config_path (const char *dir, const char *path)
{
    if (*path == '/')
        return xstrdup (path);
    if (strncmp (path, "./", 2) == 0 && path[2] && path[2] != '/')
        path += 2;
    buffer_t joined = {.data = NULL};
    buffer_printf (&joined, "%s%s%s", dir, streq (dir, "/") ? "" : "/", path);
    char *result = xstrdup (joined.data);
    buffer_free (&joined);
    return result;
}

bool
config_file_read (const char *path, size_t limit, buffer_t *to, bool *others)
{
    //  O_NONBLOCK: a named pipe must not hold up the start.
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    struct stat st;
    int failed = fstat (fd, &st) != 0 ? errno : 0;
    if (!failed && !S_ISREG (st.st_mode))
        failed = S_ISDIR (st.st_mode) ? EISDIR : EINVAL;
    if (!failed && others)
        *others = (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
    char block[8192];
    while (!failed) {
        ssize_t got = read (fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            failed = got < 0 ? errno : 0;
            break;
        }
        buffer_add (to, block, (size_t) got);
        if (to->size > limit)
            failed = EFBIG;
    }
    explicit_bzero (block, sizeof block); //  It may have been a secret
    close (fd);
    errno = failed;
    return !failed;
}

//  ------------------------------------------------------------------ sections

//  "journal.segment_mb", "lots.north.zone", "node".
static void
s_full_name (const config_reader_t *reader, const char *name, char *to, size_t room)
{
    snprintf (to, room, "%s%s%s", reader->under, *reader->under ? "." : "", name);
}

bool
config_must (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, const char *what)
{
    char quoted[CONFIG_QUOTE], name[CONFIG_QUOTE * 2];
    s_full_name (reader, row->name, name, sizeof name);
    if (node->shape == OPTION_LIST)
        return config_wrong (reader->error, node->mark, row->name,
                             _ ("%s must be %s, not a list (put \"…\" around text that "
                                "begins with '[')"),
                             name, what);
    if (node->shape == OPTION_MAP)
        return config_wrong (reader->error, node->mark, row->name,
                             _ ("%s must be %s, not a map of keys"), name, what);
    if (!*node->text)
        return config_wrong (
            reader->error, node->mark, row->name,
            _ ("%s must be %s, and nothing is written: give it a value "
               "or remove the line"),
            name, what);
    return config_wrong (reader->error, node->mark, row->name,
                         _ ("%s must be %s, not '%s'"), name, what,
                         config_quote (node->text, quoted));
}

//  A section of the main file that knows the key; NULL: none does.
static const char *
s_belongs (const char *key)
{
    for (size_t i = 0; i < config_main.count; i++) {
        const config_section_t *section = config_main.rows[i].section;
        for (size_t j = 0; section && j < section->count; j++)
            if (streq (section->rows[j].name, key))
                return config_main.rows[i].name;
    }
    return NULL;
}

static bool
s_unknown (config_reader_t *reader, const config_section_t *section,
           const config_node_t *node)
{
    const char *near = NULL;
    buffer_t known = {.data = NULL};
    for (size_t i = 0; i < section->count; i++) {
        near = config_nearer (node->key, section->rows[i].name, near);
        buffer_printf (&known, "%s%s", i ? ", " : "", section->rows[i].name);
    }
    char quoted[CONFIG_QUOTE], under[SENTENCE_ROOM / 4] = "";
    if (*reader->under)
        snprintf (under, sizeof under, _ (" under %s"), reader->under);
    config_quote (node->key, quoted);
    const char *belongs = section == &config_main ? s_belongs (node->key) : NULL;
    if (belongs)
        config_wrong (reader->error, node->mark_key, node->key,
                      _ ("unknown key '%s'%s: it belongs under %s"), quoted, under,
                      belongs);
    else if (near)
        config_wrong (reader->error, node->mark_key, node->key,
                      _ ("unknown key '%s'%s: did you mean %s?"), quoted, under, near);
    else
        config_wrong (reader->error, node->mark_key, node->key,
                      _ ("unknown key '%s'%s: known are %s"), quoted, under,
                      known.data);
    buffer_free (&known);
    return false;
}

static bool
s_set (config_reader_t *reader, const config_row_t *row, const config_node_t *node,
       void *base)
{
    if (row->refused)
        return config_wrong (reader->error, node->mark_key, row->name, "%s",
                             gettext (row->refused));
    if (row->mark_at)
        memcpy ((char *) base + row->mark_at, &node->mark, sizeof node->mark);
    if (!row->type->read (reader, row, node, (char *) base + row->at))
        return false;
    if (row->later && (!row->later_if || streq (node->text, row->later_if))) {
        char name[CONFIG_QUOTE * 2];
        s_full_name (reader, row->name, name, sizeof name);
        config_note (reader->config, node->mark_key, "%s %s", name,
                     gettext (row->later));
    }
    return true;
}

static bool
s_absent (config_reader_t *reader, const config_row_t *row, const config_node_t *parent,
          void *base)
{
    if (row->section && row->type == &type_section)
        return row->type->read (reader, row, NULL, (char *) base + row->at);
    if (row->required)
        return config_wrong (reader->error, parent->mark, row->name,
                             _ ("the key '%s' is missing"), row->name);
    if (!row->preset)
        return true;
    char *text = xstrdup (row->preset);
    config_node_t preset = {.shape = OPTION_SCALAR, .text = text};
    preset.mark.file = preset.mark_key.file = reader->config->file;
    bool ok = row->type->read (reader, row, &preset, (char *) base + row->at);
    free (text);
    return ok;
}

bool
config_section_read (config_reader_t *reader, const config_section_t *section,
                     const char *under, const config_node_t *node, void *base)
{
    const char *above = reader->under;
    reader->under = under;
    bool ok = true;
    for (const config_node_t *member = node ? node->first : NULL; ok && member;
         member = member->next) {
        const config_row_t *row = NULL;
        for (size_t i = 0; !row && i < section->count; i++)
            if (streq (section->rows[i].name, member->key))
                row = section->rows + i;
        ok = row ? s_set (reader, row, member, base)
                 : s_unknown (reader, section, member);
    }
    for (size_t i = 0; ok && i < section->count; i++)
        if (!node || !config_tree_member (node, section->rows[i].name))
            ok = s_absent (reader, section->rows + i, node, base);
    reader->under = above;
    return ok;
}
