//  config_types.c - how each kind of value is read from its text.

#include "config/config_read.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/moment.h"
#include "config/config_address.h"

#define UNDER_ROOM 64

static bool
s_is_text (const config_node_t *node)
{
    return node->shape == OPTION_SCALAR && *node->text;
}

static bool
s_is_name (const config_node_t *node)
{
    return node->shape == OPTION_SCALAR && id_is_name (SPAN (node->text));
}

//  Which of "a|b|c"; -1: none.
static int
s_word (const char *words, const char *text)
{
    size_t size = strlen (text);
    for (int i = 0;; i++) {
        size_t length = strcspn (words, "|");
        if (length == size && memcmp (words, text, size) == 0)
            return i;
        if (!words[length])
            return -1;
        words += length + 1;
    }
}

static bool
s_put (char **to, const char *text)
{
    free (*to);
    *to = xstrdup (text);
    return true;
}

//  ------------------------------------------------------------------ one value

static bool
s_read_name (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    if (!s_is_name (node))
        return config_must (reader, row, node,
                            _ ("a name of 1 to 32 small letters, digits and '-'"));
    return s_put (to, node->text);
}

static bool
s_read_module (config_reader_t *reader, const config_row_t *row,
               const config_node_t *node, void *to)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    if (!s_is_text (node) || strlen (node->text) > 32
        || node->text[strspn (node->text, characters)])
        return config_must (reader, row, node,
                            _ ("a plugin's name as in 'cmb', without path and '.so'"));
    return s_put (to, node->text);
}

static bool
s_choose (config_reader_t *reader, const config_row_t *row, const config_node_t *node,
          const char *words, int *chosen)
{
    *chosen = s_is_text (node) ? s_word (words, node->text) : -1;
    if (*chosen >= 0)
        return true;
    char what[96];
    snprintf (what, sizeof what, "%s", words);
    for (char *bar; (bar = strchr (what, '|'));)
        *bar = '/';
    return config_must (reader, row, node, what);
}

static bool
s_read_flag (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    int chosen;
    if (!s_choose (reader, row, node, row->words ? row->words : "false|true", &chosen))
        return false;
    *(bool *) to = chosen == 1;
    return true;
}

static bool
s_read_choice (config_reader_t *reader, const config_row_t *row,
               const config_node_t *node, void *to)
{
    return s_choose (reader, row, node, row->words, to);
}

static bool
s_read_number (config_reader_t *reader, const config_row_t *row,
               const config_node_t *node, void *to)
{
    if (s_is_text (node) && text_int64 (SPAN (node->text), row->min, row->max, to))
        return true;
    char what[128];
    snprintf (what, sizeof what,
              _ ("a whole number from %" PRId64 " to %" PRId64 "%s%s"), row->min,
              row->max, row->unit ? " " : "", row->unit ? row->unit : "");
    return config_must (reader, row, node, what);
}

static bool
s_read_zone (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    if (!s_is_text (node) || !zone_find (node->text))
        return config_must (reader, row, node,
                            _ ("a time zone of this system as in 'Asia/Shanghai'"));
    return s_put (to, node->text);
}

static bool
s_read_path (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    if (!s_is_text (node))
        return config_must (reader, row, node, _ ("a path"));
    char **path = to;
    free (*path);
    *path = config_path (reader->dir, node->text);
    return true;
}

static bool
s_read_endpoint (config_reader_t *reader, const config_row_t *row,
                 const config_node_t *node, void *to)
{
    static const char ipc[] = "ipc://";
    char *endpoint = s_is_text (node) ? xstrdup (node->text) : NULL;
    //  A socket's path is a path like any other, but for names that have no file ('@').
    if (endpoint && strncmp (endpoint, ipc, strlen (ipc)) == 0
        && !strchr ("/@*", endpoint[strlen (ipc)])) {
        char *path = config_path (reader->dir, endpoint + strlen (ipc));
        buffer_t joined = {.data = NULL};
        buffer_printf (&joined, "%s%s", ipc, path);
        s_put (&endpoint, joined.data);
        buffer_free (&joined);
        free (path);
    }
    if (!endpoint || endpoint_kind (endpoint) == ENDPOINT_WRONG) {
        free (endpoint);
        return config_must (
            reader, row, node,
            _ ("tcp://HOST:PORT or ipc://PATH (the whole path at most 107 "
               "bytes)"));
    }
    char **place = to;
    free (*place);
    *place = endpoint;
    return true;
}

static bool
s_read_listen (config_reader_t *reader, const config_row_t *row,
               const config_node_t *node, void *to)
{
    address_t address;
    if (!s_is_text (node) || !address_parse (node->text, &address)
        || (!address.numeric && !address.loopback))
        return config_must (reader, row, node,
                            _ ("ADDRESS:PORT as in 127.0.0.1:8080 or \"[::1]:8080\""));
    return s_put (to, node->text);
}

static bool
s_read_mount (config_reader_t *reader, const config_row_t *row,
              const config_node_t *node, void *to)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    const char *text = s_is_text (node) ? node->text : "";
    size_t size = strlen (text);
    if (size < 3 || text[0] != '/' || text[size - 1] != '/' || strstr (text, "//")
        || strstr (text, "/./") || strstr (text, "/../")
        || text[strspn (text, characters)])
        return config_must (reader, row, node,
                            _ ("a path below '/' that begins and ends with '/', as in "
                               "/cmb/"));
    return s_put (to, text);
}

static bool
s_read_url (config_reader_t *reader, const config_row_t *row, const config_node_t *node,
            void *to)
{
    size_t size = 0;
    if (!s_is_text (node) || url_kind (node->text, &size) == URL_WRONG)
        return config_must (reader, row, node,
                            _ ("https://HOST or https://HOST:PORT/PATH, without user, "
                               "'?' and '#'"));
    s_put (to, node->text);
    (*(char **) to)[size] = '\0';
    return true;
}

static bool
s_read_secret (config_reader_t *reader, const config_row_t *row,
               const config_node_t *node, void *to)
{
    config_secret_t **secret = to;
    *secret = xcalloc (1, sizeof **secret);
    return config_secret_parse (reader, row->name, node, *secret);
}

//  ------------------------------------------------------------------ lists of words

static bool
s_list (config_reader_t *reader, const config_row_t *row, const config_node_t *node,
        const char *what, bool (*fits) (const config_node_t *item), void *to)
{
    char ***texts = to;
    if (node->shape != OPTION_LIST)
        return config_must (reader, row, node, what);
    size_t items = 0, *count = &items;
    //  The rows' places are relative to the structure, `to` is row->at into it.
    if (row->count_at)
        count = (size_t *) (void *) ((char *) to - row->at + row->count_at);
    *texts = xcalloc (node->count + 1, sizeof **texts); //  NULL at the end
    for (const config_node_t *item = node->first; item; item = item->next) {
        char quoted[CONFIG_QUOTE];
        if (!fits (item))
            return config_must (reader, row, item, what);
        for (size_t i = 0; i < *count; i++)
            if (streq ((*texts)[i], item->text))
                return config_wrong (reader->error, item->mark, row->name,
                                     _ ("'%s' stands twice in %s: remove one"),
                                     config_quote (item->text, quoted), row->name);
        (*texts)[(*count)++] = xstrdup (item->text);
    }
    return true;
}

static bool
s_read_names (config_reader_t *reader, const config_row_t *row,
              const config_node_t *node, void *to)
{
    return s_list (reader, row, node,
                   _ ("a list of names, [in-1, out-1], each of 1 to 32 small letters, "
                      "digits and '-'"),
                   s_is_name, to);
}

static bool
s_is_address (const config_node_t *item)
{
    unsigned char bytes[sizeof (struct in6_addr)];
    return s_is_text (item)
           && (inet_pton (AF_INET, item->text, bytes) == 1
               || inet_pton (AF_INET6, item->text, bytes) == 1);
}

static bool
s_read_addresses (config_reader_t *reader, const config_row_t *row,
                  const config_node_t *node, void *to)
{
    return s_list (reader, row, node, _ ("a list of IP addresses, [127.0.0.1]"),
                   s_is_address, to);
}

//  ------------------------------------------------------------------ maps

static bool
s_read_section (config_reader_t *reader, const config_row_t *row,
                const config_node_t *node, void *to)
{
    if (node && node->shape != OPTION_MAP)
        return config_must (reader, row, node,
                            _ ("a map of keys (a space after each ':')"));
    char under[UNDER_ROOM];
    snprintf (under, sizeof under, "%s%s%s", reader->under, *reader->under ? "." : "",
              row->name);
    //  Keys inside go into the same structure.
    return config_section_read (reader, row->section, under, node,
                                (char *) to - row->at);
}

static bool
s_read_lots (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    (void) to;
    if (node->shape != OPTION_MAP)
        return config_must (reader, row, node,
                            _ ("a map of lots, north: {spaces: 300}"));
    for (const config_node_t *member = node->first; member; member = member->next) {
        config_t *config = reader->config;
        char under[UNDER_ROOM], quoted[CONFIG_QUOTE];
        if (!id_is_name (SPAN (member->key)))
            return config_wrong (
                reader->error, member->mark_key, row->name,
                _ ("the lot's name '%s' must be 1 to 32 small letters, "
                   "digits and '-'"),
                config_quote (member->key, quoted));
        if (member->shape != OPTION_MAP)
            return config_wrong (
                reader->error, member->mark, row->name,
                _ ("the lot '%s' must be a map of keys; {} takes every "
                   "default"),
                member->key);
        config_lot_t *lot =
            config_grow (&config->lots, &config->lots_count, sizeof *lot);
        lot->name = xstrdup (member->key);
        lot->mark = member->mark_key;
        snprintf (under, sizeof under, "lots.%s", member->key);
        if (!config_section_read (reader, row->section, under, member, lot))
            return false;
    }
    return true;
}

static bool
s_read_keys (config_reader_t *reader, const config_row_t *row,
             const config_node_t *node, void *to)
{
    (void) to;
    config_instance_t *instance = reader->instance;
    if (node->shape != OPTION_MAP)
        return config_must (reader, row, node,
                            _ ("a map of secrets, appsecret: file:secrets/cmb"));
    for (const config_node_t *member = node->first; member; member = member->next) {
        config_key_t *key =
            config_grow (&instance->keys, &instance->keys_count, sizeof *key);
        key->name = xstrdup (member->key);
        key->mark = member->mark_key;
        if (member->shape == OPTION_LIST && (member->count < 1 || member->count > 2))
            return config_wrong (reader->error, member->mark, member->key,
                                 _ ("the key '%s' takes one secret or two: the first "
                                    "signs, both verify"),
                                 member->key);
        bool list = member->shape == OPTION_LIST;
        const config_node_t *item = list ? member->first : member;
        for (; item; item = list ? item->next : NULL)
            if (!config_secret_parse (reader, member->key, item,
                                      &key->secrets[key->count++]))
                return false;
    }
    return true;
}

//  One option as written. Its type is the plugin's business.
static bool
s_option (config_reader_t *reader, const config_node_t *node, config_option_t *to)
{
    to->name = xstrdup (node->key);
    to->shape = node->shape;
    to->mark = node->mark;
    if (node->shape == OPTION_SCALAR) {
        to->value = xstrdup (node->text);
        return true;
    }
    for (const config_node_t *item = node->first; item; item = item->next) {
        char quoted[CONFIG_QUOTE];
        if (item->shape != OPTION_SCALAR)
            return config_wrong (reader->error, item->mark, node->key,
                                 _ ("the option '%s' holds a map or a list inside "
                                    "another; single values are wanted here"),
                                 config_quote (node->key, quoted));
        config_pair_t *pair = config_grow (&to->items, &to->count, sizeof *pair);
        pair->name = xstrdup (item->key);
        pair->value = xstrdup (item->text);
        pair->mark = item->mark;
    }
    return true;
}

static bool
s_options (config_reader_t *reader, const config_node_t *node,
           config_option_t **options, size_t *count)
{
    for (const config_node_t *member = node->first; member; member = member->next)
        if (!s_option (reader, member, config_grow (options, count, sizeof **options)))
            return false;
    return true;
}

static bool
s_read_options (config_reader_t *reader, const config_row_t *row,
                const config_node_t *node, void *to)
{
    (void) to;
    if (node->shape != OPTION_MAP)
        return config_must (reader, row, node, _ ("a map of the plugin's options"));
    return s_options (reader, node, &reader->instance->options,
                      &reader->instance->options_count);
}

static bool
s_unknown_lot (config_reader_t *reader, const config_node_t *node)
{
    const char *near = NULL;
    char quoted[CONFIG_QUOTE];
    for (size_t i = 0; i < reader->config->lots_count; i++)
        near = config_nearer (node->key, reader->config->lots[i].name, near);
    config_quote (node->key, quoted);
    if (near)
        return config_wrong (reader->error, node->mark_key, "lots",
                             _ ("no lot is named '%s': did you mean %s?"), quoted,
                             near);
    return config_wrong (reader->error, node->mark_key, "lots",
                         _ ("no lot is named '%s': add it under lots in %s"), quoted,
                         reader->config->file);
}

static bool
s_read_instance_lots (config_reader_t *reader, const config_row_t *row,
                      const config_node_t *node, void *to)
{
    (void) to;
    config_instance_t *instance = reader->instance;
    if (node->shape != OPTION_MAP)
        return config_must (reader, row, node, _ ("a map of lots, north: {…}"));
    for (const config_node_t *member = node->first; member; member = member->next) {
        if (!config_lot (reader->config, SPAN (member->key)))
            return s_unknown_lot (reader, member);
        if (member->shape != OPTION_MAP)
            return config_wrong (
                reader->error, member->mark, "lots",
                _ ("the lot '%s' must be a map of the plugin's options; "
                   "{} when it has none"),
                member->key);
        config_instance_lot_t *lot =
            config_grow (&instance->lots, &instance->lots_count, sizeof *lot);
        lot->lot = xstrdup (member->key);
        lot->mark = member->mark_key;
        if (!s_options (reader, member, &lot->options, &lot->count))
            return false;
    }
    return true;
}

//  ------------------------------------------------------------------ the types

const config_type_t type_section = {"map", "键值表", s_read_section};
const config_type_t type_lots = {"map: lot → its keys", "车场 → 其键值", s_read_lots};
const config_type_t type_name = {"name", "名称", s_read_name};
const config_type_t type_module = {"plugin", "插件名", s_read_module};
const config_type_t type_names = {"list of names", "名称列表", s_read_names};
const config_type_t type_flag = {"choice", "选项", s_read_flag};
const config_type_t type_choice = {"choice", "选项", s_read_choice};
const config_type_t type_number = {"whole number", "整数", s_read_number};
const config_type_t type_zone = {"time zone", "时区", s_read_zone};
const config_type_t type_path = {"path", "路径", s_read_path};
const config_type_t type_endpoint = {"endpoint", "端点", s_read_endpoint};
const config_type_t type_listen = {"address:port", "地址:端口", s_read_listen};
const config_type_t type_addresses = {"list of IP addresses", "IP 地址列表",
                                      s_read_addresses};
const config_type_t type_mount = {"path of a URL", "URL 路径", s_read_mount};
const config_type_t type_url = {"URL", "URL", s_read_url};
const config_type_t type_secret = {"secret", "密钥引用", s_read_secret};
const config_type_t type_keys = {"map: key → secret or two",
                                 "密钥名 → 密钥引用（至多两个）", s_read_keys};
const config_type_t type_options = {"map", "键值表", s_read_options};
const config_type_t type_instance_lots = {"map: lot → options", "车场 → 选项",
                                          s_read_instance_lots};
