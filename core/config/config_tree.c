//  config_tree.c - libyaml's events into a tree, refusing what makes YAML surprising.

#include "config/config_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "config/config_read.h"

typedef struct {
    const char *file;
    pb_error_t *error;
    config_node_t *root;
    config_node_t *stack[CONFIG_DEPTH_MAX]; //  The open maps and lists, root first
    size_t depth;
    char *key; //  Of the innermost map, read, its value not yet; NULL none
    config_mark_t mark_key;
    bool documents; //  One has begun
} builder_t;

//  ---------------------------------------------------------------- characters

//  What libyaml would refuse without saying where, and what an editor shows as
//  something else: tabs, control characters, line breaks that are not.
static const char *
s_character_wrong (uint32_t c)
{
    if (c == '\t')
        return N_ ("a tab stands here: indent and separate with spaces");
    if (c == 0)
        return N_ ("a NUL byte stands here: save the file as UTF-8 text");
    if ((c < 0x20 && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0) || c == 0xfffe
        || c == 0xffff)
        return N_ ("a control character stands here: remove it");
    if (c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff)
        return N_ ("an invisible character stands here: remove it");
    return NULL;
}

//  Bytes of the character at p and the character itself; 0: not UTF-8.
static size_t
s_character (const char *p, size_t left, uint32_t *c)
{
    unsigned char lead = (unsigned char) *p;
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > left || !utf8_valid (p, size))
        return 0;
    uint32_t value = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        value = value << 6 | ((unsigned char) p[i] & 0x3fu);
    *c = value;
    return size;
}

static bool
s_characters (builder_t *self, const char *text, size_t size)
{
    config_mark_t mark = {self->file, 1, 1};
    for (size_t at = 0; at < size;) {
        uint32_t c;
        size_t step = s_character (text + at, size - at, &c);
        const char *wrong = step
                                ? s_character_wrong (c)
                                : N_ ("this is not UTF-8: save the file as UTF-8 text");
        if (wrong)
            return config_wrong (self->error, mark, "", "%s", gettext (wrong));
        at += step;
        bool ends = c == '\n' || (c == '\r' && (at == size || text[at] != '\n'));
        mark.line += ends;
        mark.column = ends ? 1 : mark.column + 1;
    }
    return true;
}

//  ---------------------------------------------------------------- the tree

static config_mark_t
s_mark (const builder_t *self, const yaml_mark_t *mark)
{
    return (config_mark_t){self->file, (unsigned) mark->line + 1,
                           (unsigned) mark->column + 1};
}

static void
s_node_free (config_node_t *self)
{
    while (self) {
        config_node_t *next = self->next;
        s_node_free (self->first); //  At most CONFIG_DEPTH_MAX deep
        free (self->text);
        free (self->key);
        free (self);
        self = next;
    }
}

void
config_tree_destroy (config_node_t **self_p)
{
    assert (self_p);
    s_node_free (*self_p);
    *self_p = NULL;
}

const config_node_t *
config_tree_member (const config_node_t *self, const char *key)
{
    for (const config_node_t *member = self->first; member; member = member->next)
        if (streq (member->key, key))
            return member;
    return NULL;
}

//  Make a node and hang it into the innermost map or list, or make it the root.
static config_node_t *
s_add (builder_t *self, config_shape_t shape, config_mark_t mark)
{
    config_node_t *parent = self->depth ? self->stack[self->depth - 1] : NULL;
    if (parent && parent->count == CONFIG_MEMBERS_MAX) {
        config_wrong (self->error, mark, "",
                      _ ("more than %d entries in one place: split them"),
                      CONFIG_MEMBERS_MAX);
        return NULL;
    }
    config_node_t *node = xcalloc (1, sizeof *node);
    node->shape = shape;
    node->mark = mark;
    node->mark_key = mark;
    if (!parent) {
        self->root = node;
        return node;
    }
    if (parent->shape == OPTION_MAP) {
        node->key = self->key;
        node->mark_key = self->mark_key;
        self->key = NULL;
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return node;
}

//  ---------------------------------------------------------------- events

static bool
s_wants_key (const builder_t *self)
{
    return self->depth && self->stack[self->depth - 1]->shape == OPTION_MAP
           && !self->key;
}

static bool
s_key (builder_t *self, const char *text, config_mark_t mark)
{
    char quoted[CONFIG_QUOTE];
    if (!*text)
        return config_wrong (self->error, mark, "", _ ("a key is missing here"));
    if (strncmp (text, "\u3000", 3) == 0 || strncmp (text, "\u00a0", 2) == 0)
        return config_wrong (self->error, mark, "",
                             _ ("a full-width or no-break space stands before this "
                                "key: indent with ordinary spaces"));
    const config_node_t *twin = config_tree_member (self->stack[self->depth - 1], text);
    if (twin)
        return config_wrong (
            self->error, mark, text,
            _ ("the key '%s' stands here a second time; the first is in "
               "line %u: keep one of them"),
            config_quote (text, quoted), twin->mark_key.line);
    self->key = xstrdup (text);
    self->mark_key = mark;
    return true;
}

static bool
s_scalar (builder_t *self, const yaml_event_t *event)
{
    config_mark_t mark = s_mark (self, &event->start_mark);
    const char *text = (const char *) event->data.scalar.value;
    if (strlen (text) != event->data.scalar.length)
        return config_wrong (
            self->error, mark, "",
            _ ("this text holds \\0: no text of the configuration may"));
    if (s_wants_key (self))
        return s_key (self, text, mark);
    //  libyaml puts a value that is not there behind the colon; people look at the key.
    bool absent = !*text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    config_node_t *node = s_add (self, OPTION_SCALAR, absent ? self->mark_key : mark);
    if (!node)
        return false;
    node->text = xstrdup (text);
    return true;
}

static bool
s_open (builder_t *self, config_shape_t shape, const yaml_event_t *event)
{
    config_mark_t mark = s_mark (self, &event->start_mark);
    if (s_wants_key (self))
        return config_wrong (self->error, mark, "",
                             _ ("a key must be a word, not a map or a list (put \"…\" "
                                "around text that begins with [ or {)"));
    if (self->depth == CONFIG_DEPTH_MAX)
        return config_wrong (self->error, mark, "",
                             _ ("more than %d maps and lists inside each other"),
                             CONFIG_DEPTH_MAX);
    config_node_t *node = s_add (self, shape, mark);
    if (!node)
        return false;
    self->stack[self->depth++] = node;
    return true;
}

static bool
s_document (builder_t *self, const yaml_event_t *event)
{
    config_mark_t mark = s_mark (self, &event->start_mark);
    if (event->data.document_start.version_directive
        || event->data.document_start.tag_directives.start
               != event->data.document_start.tag_directives.end)
        return config_wrong (self->error, mark, "",
                             _ ("lines that begin with %% are not read: remove them"));
    if (self->documents)
        return config_wrong (self->error, mark, "",
                             _ ("a second document begins here: one file is one "
                                "document, remove the '---'"));
    self->documents = true;
    return true;
}

//  Anchors, aliases and tags make a text mean something else than it says.
static bool
s_plain (builder_t *self, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        anchor = event->data.alias.anchor;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    }
    if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    config_mark_t mark = s_mark (self, &event->start_mark);
    if (anchor)
        return config_wrong (self->error, mark, "",
                             _ ("anchors (&) and aliases (*) are not read: write the "
                                "value itself, in \"…\" if it begins with & or *"));
    if (tag)
        return config_wrong (
            self->error, mark, "",
            _ ("tags (!) are not read: write the value itself, in \"…\" "
               "if it begins with !"));
    return true;
}

static bool
s_event (builder_t *self, const yaml_event_t *event)
{
    if (!s_plain (self, event))
        return false;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return s_document (self, event);
    case YAML_SCALAR_EVENT:
        return s_scalar (self, event);
    case YAML_SEQUENCE_START_EVENT:
        return s_open (self, OPTION_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return s_open (self, OPTION_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        self->depth--;
        return true;
    default:
        return true; //  Stream start and end, document end
    }
}

static bool
s_problem (builder_t *self, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "?";
    config_mark_t mark = s_mark (self, &parser->problem_mark);
    if (parser->context && strstr (parser->context, "flow"))
        return config_wrong (
            self->error, mark, "",
            _ ("this is not YAML: %s %s (a list is [a, b], a map {a: b}; "
               "put \"…\" around text that begins with [ or {)"),
            problem, parser->context);
    if (parser->context)
        return config_wrong (self->error, mark, "", _ ("this is not YAML: %s %s"),
                             problem, parser->context);
    return config_wrong (self->error, mark, "", _ ("this is not YAML: %s"), problem);
}

static bool
s_build (builder_t *self, const char *text, size_t size)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize (&parser))
        return config_wrong (self->error, (config_mark_t){self->file, 1, 1}, "",
                             _ ("out of memory"));
    yaml_parser_set_encoding (&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string (&parser, (const unsigned char *) (size ? text : ""),
                                  size);
    bool ok = true, end = false;
    while (ok && !end) {
        yaml_event_t event;
        if (!yaml_parser_parse (&parser, &event)) {
            ok = s_problem (self, &parser);
            break;
        }
        ok = s_event (self, &event);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete (&event);
    }
    yaml_parser_delete (&parser);
    return ok;
}

static bool
s_root (builder_t *self)
{
    config_mark_t top = {self->file, 1, 1};
    if (!self->root || (self->root->shape == OPTION_SCALAR && !*self->root->text)) {
        s_node_free (self->root);
        self->root = NULL;
        s_add (self, OPTION_MAP, top);
    }
    if (self->root->shape == OPTION_MAP)
        return true;
    return config_wrong (self->error, self->root->mark, "",
                         _ ("keys are wanted here, as in 'lots:' or 'module: cmb' (a "
                            "half-width ':' and a space after it)"));
}

config_node_t *
config_tree_parse (const char *file, const char *text, size_t size, pb_error_t *error)
{
    builder_t builder = {.file = file, .error = error};
    static const char bom[] = {'\xef', '\xbb', '\xbf'};
    if (size >= sizeof bom && memcmp (text, bom, sizeof bom) == 0) {
        text += sizeof bom;
        size -= sizeof bom;
    }
    if (size > CONFIG_FILE_MAX) {
        config_wrong (error, (config_mark_t){file, 1, 1}, "",
                      _ ("the file is larger than %u bytes"), CONFIG_FILE_MAX);
        return NULL;
    }
    bool ok = s_characters (&builder, text, size) && s_build (&builder, text, size)
              && s_root (&builder);
    free (builder.key);
    if (!ok)
        config_tree_destroy (&builder.root);
    return builder.root;
}
