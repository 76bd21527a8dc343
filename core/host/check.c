//  check.c - is what a plugin declares sound? The checks that need no file.
//
//  A plugin comes from somebody else's compiler, so nothing is read before the checks
//  above it have said that it is there. What is wrong is the author's to mend, so a
//  sentence names the row and what it must be.

#include "host/check.h"

#include <inttypes.h>
#include <string.h>
#include "base/id.h"
#include "base/text.h"
#include "host/value.h"
#include "schema/types.h"

#define SIZE_MAX_SANE 65536 //  No structure of the ABI will ever be this long
#define COUNT_MAX_SANE 1024 //  Nor a table

#define refuse(error, ...) pb_error (error, PB_E_CONFIG, "module", __VA_ARGS__)

static bool
s_some (const char *const *names)
{
    return names && names[0];
}

//  ------------------------------------------------------------------- who made this?

static bool
s_check_header (const pb_plugin_t *plugin, size_t readable, const char *module,
                pb_error_t *error)
{
    size_t header = offsetof_end (pb_plugin_t, abi_minor);
    if (readable < header)
        return refuse (error,
                       _ ("plugin %s.so: its %s is %zu bytes long, the beginning of a "
                          "pb_plugin_t alone takes %zu: declare it as "
                          "`PB_EXPORT const pb_plugin_t %s`"),
                       module, PB_PLUGIN_SYMBOL, readable, header, PB_PLUGIN_SYMBOL);
    if (plugin->magic != PB_PLUGIN_MAGIC)
        return refuse (error,
                       _ ("plugin %s.so begins with 0x%016" PRIx64 ", a parkbus plugin "
                          "begins with 0x%016" PRIx64 ": set .magic = PB_PLUGIN_MAGIC"),
                       module, plugin->magic, (uint64_t) PB_PLUGIN_MAGIC);
    if (plugin->struct_size < header)
        return refuse (error,
                       _ ("plugin %s.so says its pb_plugin_t is %" PRIu64
                          " bytes long, "
                          "ABI 1.0 has %zu: set .struct_size = sizeof (pb_plugin_t)"),
                       module, plugin->struct_size, PLUGIN_SIZE_1_0);
    if (plugin->abi_major != PB_ABI_MAJOR)
        return refuse (error,
                       _ ("plugin %s.so was built for ABI %u.%u, this parkbusd speaks "
                          "%d.%d: rebuild it or upgrade parkbusd"),
                       module, plugin->abi_major, plugin->abi_minor, PB_ABI_MAJOR,
                       PB_ABI_MINOR);
    if (plugin->struct_size < PLUGIN_SIZE_1_0)
        return refuse (error,
                       _ ("plugin %s.so says its pb_plugin_t is %" PRIu64
                          " bytes long, "
                          "ABI 1.0 has %zu: set .struct_size = sizeof (pb_plugin_t)"),
                       module, plugin->struct_size, PLUGIN_SIZE_1_0);
    if (plugin->struct_size > readable)
        return refuse (
            error,
            _ ("plugin %s.so says its pb_plugin_t is %" PRIu64 " bytes long, "
               "but its file has %zu: set .struct_size = sizeof (pb_plugin_t)"),
            module, plugin->struct_size, readable);
    return true;
}

static bool
s_check_name (const pb_plugin_t *plugin, const char *module, pb_error_t *error)
{
    if (plugin->kind != PB_CODEC && plugin->kind != PB_SINK)
        return refuse (error,
                       _ ("plugin %s.so says it is of kind %" PRIu64
                          ", this parkbusd knows "
                          "%d (codec) and %d (sink): rebuild it or upgrade parkbusd"),
                       module, plugin->kind, PB_CODEC, PB_SINK);
    if (!plugin->name || !id_is_name (SPAN (plugin->name)))
        return refuse (
            error,
            _ ("plugin %s.so calls itself \"%s\": a name is 1 to 32 of a-z, 0-9 "
               "and -"),
            module, plugin->name ? plugin->name : "");
    if (!streq (plugin->name, module))
        return refuse (
            error, _ ("plugin %s.so calls itself \"%s\": its file must be named %s.so"),
            module, plugin->name, plugin->name);
    if (!plugin->version || !*plugin->version)
        return refuse (error, _ ("plugin %s.so does not say its version: set .version"),
                       module);
    return true;
}

//  ------------------------------------------------------------------- functions

static bool
s_always (const pb_plugin_t *plugin)
{
    (void) plugin;
    return true;
}

static bool
s_sends (const pb_plugin_t *plugin)
{
    return plugin->kind == PB_CODEC
           && (s_some (plugin->takes) || s_some (plugin->serves));
}

static bool
s_hears (const pb_plugin_t *plugin)
{
    return s_sends (plugin) || plugin->query || plugin->poll;
}

static bool
s_pushed (const pb_plugin_t *plugin)
{
    return plugin->routes_count > 0;
}

static bool
s_is_sink (const pb_plugin_t *plugin)
{
    return plugin->kind == PB_SINK;
}

#define FUNCTION(name) #name, offsetof(pb_plugin_t, name)

//  Which function is needed when. `answer` is asked for when a question is (PB_MORE).
static const struct {
    const char *name;
    size_t offset;
    bool (*needed) (const pb_plugin_t *plugin);
    const char *because;
} functions[] = {
    {FUNCTION (create),  s_always,  N_ ("every plugin has it")     },
    {FUNCTION (destroy), s_always,  N_ ("every plugin has it")     },
    {FUNCTION (encode),  s_sends,   N_ ("it takes events or calls")},
    {FUNCTION (decode),  s_hears,   N_ ("it sends requests")       },
    {FUNCTION (receive), s_pushed,  N_ ("it has routes")           },
    {FUNCTION (write),   s_is_sink, N_ ("it is a sink")            },
    {FUNCTION (flush),   s_is_sink, N_ ("it is a sink")            },
};

static bool
s_check_functions (const pb_plugin_t *plugin, pb_error_t *error)
{
    for (size_t i = 0; i < ARRAY_SIZE (functions); i++) {
        void (*function) (void);
        memcpy (&function, (const char *) plugin + functions[i].offset,
                sizeof function);
        if (!function && functions[i].needed (plugin))
            return refuse (error,
                           _ ("plugin %s.so has no function `%s`, but %s: add it"),
                           plugin->name, functions[i].name, _ (functions[i].because));
    }
    return true;
}

//  ------------------------------------------------------------------- tables

//  A table's elements all have the size of the first, at least that of ABI 1.0, and are
//  aligned; otherwise walking them reads nonsense.
static bool
s_check_table (const pb_plugin_t *plugin, const char *table, const void *first,
               uint64_t count, size_t least, pb_error_t *error)
{
    if (count > 0 && !first)
        return refuse (
            error,
            _ ("plugin %s.so: %s is NULL, but its count is %" PRIu64 ": set both"),
            plugin->name, table, count);
    if (count > COUNT_MAX_SANE)
        return refuse (error,
                       _ ("plugin %s.so: %s has %" PRIu64
                          " rows, at most %d are sensible: "
                          "set the count to the number of rows"),
                       plugin->name, table, count, COUNT_MAX_SANE);
    uint64_t size = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t own;
        memcpy (&own, (const char *) first + i * size, sizeof own);
        if (own < least || own > SIZE_MAX_SANE || own % sizeof (uint64_t) != 0)
            return refuse (error,
                           _ ("plugin %s.so: row %" PRIu64 " of %s says it is %" PRIu64
                              " bytes long, ABI 1.0 has %zu: set .struct_size to its "
                              "sizeof"),
                           plugin->name, i + 1, table, own, least);
        if (i > 0 && own != size)
            return refuse (error,
                           _ ("plugin %s.so: row %" PRIu64 " of %s says it is %" PRIu64
                              " bytes long, the first one %" PRIu64
                              ": all rows have one "
                              "size"),
                           plugin->name, i + 1, table, own, size);
        size = own;
    }
    return true;
}

static bool
s_option_named (const char *name)
{
    size_t size = name ? strlen (name) : 0;
    return size >= 1 && size <= 32
           && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

static const pb_option_t *
s_option (const pb_plugin_t *plugin, span_t name, const pb_option_t *before)
{
    const pb_option_t *row = plugin->options;
    for (uint64_t i = 0; i < plugin->options_count && row != before; i++) {
        if (span_is (name, row->name))
            return row;
        row = PB_NEXT (row);
    }
    return NULL;
}

static bool
s_empty_word (const pb_option_t *row)
{
    const char *at = row->values;
    if (!at || !*at)
        return true;
    for (span_t word = value_next_word (&at); word.p; word = value_next_word (&at))
        if (word.n == 0)
            return true;
    return false;
}

//  What an option row may not be, in the order of asking.
static bool
s_unnamed (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return !s_option_named (row->name);
}

static bool
s_twice (const pb_plugin_t *plugin, const pb_option_t *row)
{
    return s_option (plugin, SPAN (row->name), row) != NULL;
}

static bool
s_untyped (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return !value_type_known (row) || !value_scope_known (row);
}

static bool
s_misplaced (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return (row->type == PB_OPTION_KEY && row->scope != PB_SCOPE_INSTANCE)
           || (row->type == PB_OPTION_LANES && row->scope != PB_SCOPE_LOT);
}

static bool
s_wordless (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return row->type == PB_OPTION_ENUM && s_empty_word (row);
}

static bool
s_reversed (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return row->min > row->max;
}

static bool
s_bad_preset (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    if (!row->preset)
        return false;
    if (row->flags & PB_OPTION_REQUIRED || row->type == PB_OPTION_KEY
        || row->type == PB_OPTION_LANES)
        return true;
    return row->type != PB_OPTION_LIST && !value_fits (row, SPAN (row->preset));
}

static bool
s_helpless (const pb_plugin_t *plugin, const pb_option_t *row)
{
    (void) plugin;
    return !row->help_en || !*row->help_en;
}

static const struct {
    bool (*is) (const pb_plugin_t *plugin, const pb_option_t *row);
    const char *sentence;
} option_faults[] = {
    {s_unnamed,    N_ ("its name must be 1 to 32 of a-z, 0-9, _ and -")            },
    {s_twice,      N_ ("another row has the same name")                            },
    {s_untyped,    N_ ("this parkbusd does not know its type or scope: upgrade it")},
    {s_misplaced,  N_ ("a key belongs to the instance, a lane map to the lot")     },
    {s_wordless,   N_ ("an enumeration needs its words in .values, \"a|b\"")       },
    {s_reversed,   N_ ("its .min is greater than its .max")                        },
    {s_bad_preset, N_ ("its .preset does not fit, or nothing may be preset here")  },
    {s_helpless,   N_ ("it must say what it means in .help_en")                    },
};

static bool
s_check_options (const pb_plugin_t *plugin, pb_error_t *error)
{
    if (!s_check_table (plugin, "options", plugin->options, plugin->options_count,
                        OPTION_SIZE_1_0, error))
        return false;
    const pb_option_t *row = plugin->options;
    for (uint64_t i = 0; i < plugin->options_count; i++) {
        for (size_t fault = 0; fault < ARRAY_SIZE (option_faults); fault++)
            if (option_faults[fault].is (plugin, row))
                return refuse (error, _ ("plugin %s.so: option %" PRIu64 " (%s): %s"),
                               plugin->name, i + 1, row->name ? row->name : "",
                               _ (option_faults[fault].sentence));
        row = PB_NEXT (row);
    }
    return true;
}

static bool
s_method_named (const char *method)
{
    size_t size = method ? strlen (method) : 0;
    return size >= 1 && size <= 16
           && strspn (method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == size;
}

//  Each {option} of the path names a plain option of the instance, never a secret.
static bool
s_holes_known (const pb_plugin_t *plugin, const char *path)
{
    for (const char *at = path; (at = strpbrk (at, "{}")) != NULL; at++) {
        const char *end = *at == '{' ? strchr (at, '}') : NULL;
        if (!end)
            return false;
        span_t name = {at + 1, (size_t) (end - at - 1)};
        const pb_option_t *row = s_option (plugin, name, NULL);
        if (!row || row->scope != PB_SCOPE_INSTANCE || row->type == PB_OPTION_KEY
            || row->type == PB_OPTION_LIST)
            return false;
        at = end;
    }
    return true;
}

static bool
s_path_fits (const char *path)
{
    for (const char *at = path; *at; at++)
        if (*at <= ' ' || *at == 0x7f || strchr ("?#%\\", *at))
            return false;
    return path[0] != '/' && !strstr (path, "//") && !strstr (path, "..");
}

static bool
s_check_route (const pb_plugin_t *plugin, const pb_route_t *route, uint64_t number,
               pb_error_t *error)
{
    if (!s_method_named (route->method) || !route->path)
        return refuse (error,
                       _ ("plugin %s.so: route %" PRIu64
                          " needs a method in capitals and a "
                          "path"),
                       plugin->name, number);
    if (!s_path_fits (route->path))
        return refuse (
            error,
            _ ("plugin %s.so: the path \"%s\" of route %" PRIu64 " must not "
               "begin with /, nor hold //, .., ?, #, %%, \\ or a space: it is "
               "what follows the mount"),
            plugin->name, route->path, number);
    if (!s_holes_known (plugin, route->path))
        return refuse (error,
                       _ ("plugin %s.so: the path \"%s\" of route %" PRIu64
                          " must name a "
                          "plain option of the instance in each {}"),
                       plugin->name, route->path, number);
    if (route->body_limit > PLUGIN_BODY_MAX)
        return refuse (
            error,
            _ ("plugin %s.so: route %" PRIu64 " (%s) wants bodies of %" PRIu64
               " bytes, parkbusd takes at most %u"),
            plugin->name, number, route->path, route->body_limit, PLUGIN_BODY_MAX);
    return true;
}

static bool
s_check_routes (const pb_plugin_t *plugin, pb_error_t *error)
{
    if (!s_check_table (plugin, "routes", plugin->routes, plugin->routes_count,
                        ROUTE_SIZE_1_0, error))
        return false;
    const pb_route_t *route = plugin->routes;
    for (uint64_t i = 0; i < plugin->routes_count; i++) {
        if (!s_check_route (plugin, route, i + 1, error))
            return false;
        const pb_route_t *other = plugin->routes;
        for (uint64_t j = 0; j < i; j++) {
            if (streq (other->method, route->method)
                && streq (other->path, route->path))
                return refuse (error,
                               _ ("plugin %s.so: routes %" PRIu64 " and %" PRIu64
                                  " are both %s %s: one must go"),
                               plugin->name, j + 1, i + 1, route->method, route->path);
            other = PB_NEXT (other);
        }
        route = PB_NEXT (route);
    }
    return true;
}

//  ------------------------------------------------------------------- takes, serves

//  Is there the same name before this one?
static bool
s_repeated (const char *const *names, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (streq (names[i], names[at]))
            return true;
    return false;
}

static bool
s_dotted (const char *name)
{
    size_t size = strlen (name);
    return size >= 1 && size <= 64
           && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == size
           && name[0] != '.' && name[size - 1] != '.' && !strstr (name, "..");
}

static bool
s_check_takes (const pb_plugin_t *plugin, pb_error_t *error)
{
    for (size_t i = 0; s_some (plugin->takes) && plugin->takes[i]; i++) {
        const char *type = plugin->takes[i];
        if (strpbrk (type, "*>"))
            return refuse (error,
                           _ ("plugin %s.so takes \"%s\": write out the event types, "
                              "patterns are for subscribers"),
                           plugin->name, type);
        bool own = strncmp (type, "x.", 2) == 0 && s_dotted (type);
        if (!own && !event_type_find (SPAN (type)))
            return refuse (error,
                           _ ("plugin %s.so takes \"%s\", which this parkbusd does not "
                              "know as an event type: correct it or upgrade parkbusd"),
                           plugin->name, type);
        if (s_repeated (plugin->takes, i))
            return refuse (error, _ ("plugin %s.so takes \"%s\" twice"), plugin->name,
                           type);
    }
    return true;
}

static bool
s_check_serves (const pb_plugin_t *plugin, pb_error_t *error)
{
    for (size_t i = 0; s_some (plugin->serves) && plugin->serves[i]; i++) {
        const char *service = plugin->serves[i];
        if (!s_dotted (service))
            return refuse (
                error,
                _ ("plugin %s.so serves \"%s\": a service is 1 to 64 of a-z, "
                   "0-9, _, - and dots between words"),
                plugin->name, service);
        if (s_repeated (plugin->serves, i))
            return refuse (error, _ ("plugin %s.so serves \"%s\" twice"), plugin->name,
                           service);
    }
    return true;
}

//  ------------------------------------------------------------------- policy

//  "1,2,4,8": whole seconds; ascending: each greater than the one before.
static bool
s_seconds_fit (const char *schedule, bool ascending)
{
    int64_t least = 1;
    while (schedule) {
        size_t size = strcspn (schedule, ",");
        int64_t seconds;
        if (!text_int64 ((span_t){schedule, size}, least, INT32_MAX, &seconds))
            return false;
        least = ascending ? seconds + 1 : 1;
        schedule = schedule[size] ? schedule + size + 1 : NULL;
    }
    return true;
}

static bool
s_check_policy (const pb_plugin_t *plugin, pb_error_t *error)
{
    const pb_policy_t *policy = plugin->policy;
    if (!policy)
        return true;
    if (!s_check_table (plugin, "policy", policy, 1, POLICY_SIZE_1_0, error))
        return false;
    if (policy->role != PB_ROLE_OPERATOR && policy->role != PB_ROLE_DRIVER)
        return refuse (
            error,
            _ ("plugin %s.so: its policy has role %u, this parkbusd knows %d "
               "(operator) and %d (driver)"),
            plugin->name, policy->role, PB_ROLE_OPERATOR, PB_ROLE_DRIVER);
    if (policy->charge_idempotent > 1 || policy->absent_proves > 1
        || policy->refunds > 1)
        return refuse (
            error,
            _ ("plugin %s.so: charge_idempotent, absent_proves and refunds of "
               "its policy are 0 or 1"),
            plugin->name);
    if (!s_seconds_fit (policy->query_schedule, true))
        return refuse (
            error,
            _ ("plugin %s.so: the query_schedule \"%s\" of its policy must be "
               "ascending seconds, like \"1,2,4,8\""),
            plugin->name, policy->query_schedule);
    if (!s_seconds_fit (policy->push_schedule, false))
        return refuse (
            error,
            _ ("plugin %s.so: the push_schedule \"%s\" of its policy must be "
               "seconds, like \"15,15,60\""),
            plugin->name, policy->push_schedule);
    return true;
}

bool
plugin_check (const pb_plugin_t *plugin, size_t readable, const char *module,
              pb_error_t *error)
{
    return s_check_header (plugin, readable, module, error)
           && s_check_name (plugin, module, error) && s_check_functions (plugin, error)
           && s_check_options (plugin, error) && s_check_routes (plugin, error)
           && s_check_takes (plugin, error) && s_check_serves (plugin, error)
           && s_check_policy (plugin, error);
}
