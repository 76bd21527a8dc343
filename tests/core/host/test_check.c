//  What is refused in a plugin's tables, and that the rest is taken. Each row spoils
//  one thing in a plugin that is sound.

#include <inttypes.h>
#include <string.h>
#include "host/check.h"
#include "promise.h"

typedef struct {
    pb_plugin_t plugin;
    pb_option_t options[4];
    pb_route_t routes[3];
    pb_policy_t policy;
    const char *takes[4];
    const char *serves[4];
    size_t readable;
} fixture_t;

static int
s_create (const pb_host_t *host, pb_call_t *call, void **instance)
{
    (void) host, (void) call, (void) instance;
    return PB_OK;
}

static void
s_destroy (void *instance)
{
    (void) instance;
}

static int
s_encode (void *instance, pb_call_t *call, const pb_message_t *message,
          pb_request_t *request)
{
    (void) instance, (void) call, (void) message, (void) request;
    return PB_OK;
}

static int
s_decode (void *instance, pb_call_t *call, const pb_message_t *message,
          const pb_response_t *response)
{
    (void) instance, (void) call, (void) message, (void) response;
    return PB_OK;
}

static int
s_receive (void *instance, pb_call_t *call, const pb_http_request_t *request)
{
    (void) instance, (void) call, (void) request;
    return PB_OK;
}

static int
s_poll (void *instance, pb_call_t *call, pb_request_t *request)
{
    (void) instance, (void) call, (void) request;
    return PB_OK;
}

static int
s_write (void *instance, pb_call_t *call, const pb_message_t *events, uint64_t count,
         uint64_t *safe_seq)
{
    (void) instance, (void) call, (void) events, (void) count, (void) safe_seq;
    return PB_OK;
}

static int
s_flush (void *instance, pb_call_t *call, uint64_t *safe_seq)
{
    (void) instance, (void) call, (void) safe_seq;
    return PB_OK;
}

// clang-format off
static const fixture_t sound = {
    .plugin = {
        .magic = PB_PLUGIN_MAGIC,
        .struct_size = sizeof (pb_plugin_t),
        .abi_major = PB_ABI_MAJOR,
        .abi_minor = PB_ABI_MINOR,
        .kind = PB_CODEC,
        .name = "demo",
        .version = "1.0",
        .options_count = 4,
        .routes_count = 3,
        .create = s_create,
        .destroy = s_destroy,
        .encode = s_encode,
        .decode = s_decode,
        .receive = s_receive,
    },
    .options = {
        {sizeof (pb_option_t), "secret", PB_OPTION_KEY, PB_SCOPE_INSTANCE,
         PB_OPTION_REQUIRED, NULL, NULL, NULL, 0, 0, "Secret", NULL},
        {sizeof (pb_option_t), "path_token", PB_OPTION_TEXT, PB_SCOPE_INSTANCE, 0,
         NULL, NULL, NULL, 8, 64, "Token", NULL},
        {sizeof (pb_option_t), "unit", PB_OPTION_ENUM, PB_SCOPE_LOT, 0, "fen",
         "fen|yuan", NULL, 0, 0, "Unit", NULL},
        {sizeof (pb_option_t), "lanes", PB_OPTION_LANES, PB_SCOPE_LOT,
         PB_OPTION_NUMBER, NULL, NULL, NULL, 0, 255, "Lanes", NULL},
    },
    .routes = {
        {sizeof (pb_route_t), "POST", "paid", NULL, 0, 0, PB_ROUTE_EFFECT},
        {sizeof (pb_route_t), "POST", "{path_token}/entry", NULL, 8 << 20, 0, 0},
        {sizeof (pb_route_t), "GET", "paid", NULL, 0, 0, 0},
    },
    .policy = {
        .struct_size = sizeof (pb_policy_t),
        .query_schedule = "1,2,4,8",
        .push_schedule = "15,15,60",
    },
    .takes = {"in.recorded", "x.test", NULL},
    .serves = {"qrcode.get", "user.login", NULL},
    .readable = sizeof (pb_plugin_t),
};
// clang-format on

static void
s_make (fixture_t *f)
{
    *f = sound;
    f->plugin.options = f->options;
    f->plugin.routes = f->routes;
    f->plugin.policy = &f->policy;
    f->plugin.takes = f->takes;
    f->plugin.serves = f->serves;
}

static void
s_nothing (fixture_t *f)
{
    (void) f;
}

//  A plugin that only listens needs neither encode nor decode.
static void
s_listener (fixture_t *f)
{
    f->plugin.encode = NULL;
    f->plugin.decode = NULL;
    f->plugin.takes = NULL;
    f->plugin.serves = NULL;
}

static void
s_poller (fixture_t *f)
{
    s_listener (f);
    f->plugin.poll = s_poll;
}

static void
s_sink (fixture_t *f)
{
    s_listener (f);
    f->plugin.kind = PB_SINK;
    f->plugin.routes_count = 0;
    f->plugin.receive = NULL;
    f->plugin.takes = f->takes;
    f->plugin.write = s_write;
    f->plugin.flush = s_flush;
}

static void
s_half_sink (fixture_t *f)
{
    s_sink (f);
    f->plugin.flush = NULL;
}

static void
s_bare (fixture_t *f)
{
    s_listener (f);
    f->plugin.options = NULL;
    f->plugin.options_count = 0;
    f->plugin.routes = NULL;
    f->plugin.routes_count = 0;
    f->plugin.policy = NULL;
    f->plugin.receive = NULL;
}

#define SPOIL(name, statement)      \
    static void name (fixture_t *f) \
    {                               \
        statement;                  \
    }

SPOIL (s_unreadable, f->readable = 16)
SPOIL (s_overlong, f->plugin.struct_size += 8)
SPOIL (s_sizeless, f->plugin.struct_size = 0)
SPOIL (s_kindless, f->plugin.kind = 3)
SPOIL (s_nameless, f->plugin.name = NULL)
SPOIL (s_misnamed, f->plugin.name = "Demo")
SPOIL (s_versionless, f->plugin.version = NULL)
SPOIL (s_uncreatable, f->plugin.create = NULL)
SPOIL (s_indestructible, f->plugin.destroy = NULL)
SPOIL (s_mute, f->plugin.encode = NULL)
SPOIL (s_deaf, f->plugin.receive = NULL)
SPOIL (s_no_table, f->plugin.options = NULL)
SPOIL (s_many_rows, f->plugin.options_count = UINT64_MAX)
SPOIL (s_short_row, f->options[0].struct_size = 8)
SPOIL (s_long_row, f->options[1].struct_size += 8)
SPOIL (s_odd_row, f->options[0].struct_size += 1)
SPOIL (s_unnamed_option, f->options[1].name = NULL)
SPOIL (s_capital_option, f->options[1].name = "Token")
SPOIL (s_same_option, f->options[2].name = "path_token")
SPOIL (s_untyped, f->options[1].type = 99)
SPOIL (s_unscoped, f->options[1].scope = 2)
SPOIL (s_lot_key, f->options[0].scope = PB_SCOPE_LOT)
SPOIL (s_site_lanes, f->options[3].scope = PB_SCOPE_INSTANCE)
SPOIL (s_wordless, f->options[2].values = NULL)
SPOIL (s_empty_word, f->options[2].values = "fen||yuan")
SPOIL (s_reversed, f->options[1].min = 65)
SPOIL (s_bad_preset, f->options[2].preset = "jiao")
SPOIL (s_preset_key, (f->options[0].preset = "x", f->options[0].flags = 0))
SPOIL (s_preset_required, f->options[2].flags = PB_OPTION_REQUIRED)
SPOIL (s_helpless, f->options[1].help_en = "")
SPOIL (s_no_method, f->routes[0].method = NULL)
SPOIL (s_low_method, f->routes[0].method = "post")
SPOIL (s_no_path, f->routes[0].path = NULL)
SPOIL (s_rooted, f->routes[0].path = "/paid")
SPOIL (s_upward, f->routes[0].path = "a/../paid")
SPOIL (s_queried, f->routes[0].path = "paid?x=1")
SPOIL (s_mount, f->routes[0].path = "")
SPOIL (s_open_hole, f->routes[0].path = "{path_token/entry")
SPOIL (s_close_hole, f->routes[0].path = "path_token}")
SPOIL (s_secret_hole, f->routes[0].path = "{secret}/x")
SPOIL (s_strange_hole, f->routes[0].path = "{token}/x")
SPOIL (s_lot_hole, f->routes[0].path = "{unit}/x")
SPOIL (s_list_hole,
       (f->options[1].type = PB_OPTION_LIST, f->routes[0].path = "{path_token}"))
SPOIL (s_huge_body, f->routes[0].body_limit = (8 << 20) + 1)
SPOIL (s_same_route, f->routes[2].method = "POST")
SPOIL (s_pattern, f->takes[0] = "in.*")
SPOIL (s_unknown_type, f->takes[0] = "in.record")
SPOIL (s_same_type, f->takes[1] = "in.recorded")
SPOIL (s_bad_service, f->serves[0] = ".get")
SPOIL (s_same_service, f->serves[1] = "qrcode.get")
SPOIL (s_role, f->policy.role = 2)
SPOIL (s_perhaps, f->policy.refunds = 2)
SPOIL (s_short_policy, f->policy.struct_size = 16)
SPOIL (s_falling, f->policy.query_schedule = "1,4,2")
SPOIL (s_empty_schedule, f->policy.query_schedule = "")
SPOIL (s_words, f->policy.push_schedule = "15 s")

// clang-format off
//  `words` NULL: taken. Otherwise what the sentence must have.
static const struct {
    const char *promise;
    void (*change) (fixture_t *f);
    const char *words;
} cases[] = {
    {"a sound plugin is taken", s_nothing, NULL},
    {"one that only listens is taken", s_listener, NULL},
    {"one that only asks needs decode", s_poller, "no function `decode`"},
    {"a sink is taken", s_sink, NULL},
    {"one with nothing at all is taken", s_bare, NULL},
    {"a route may be the mount itself", s_mount, NULL},
    {"a symbol too short to read", s_unreadable, "is 16 bytes long"},
    {"a size beyond the symbol", s_overlong, "but its file has"},
    {"no size", s_sizeless, "is 0 bytes long"},
    {"an unknown kind", s_kindless,
     "kind 3, this parkbusd knows 1 (codec) and 2 (sink)"},
    {"no name", s_nameless, "calls itself \"\""},
    {"a name in capitals", s_misnamed, "calls itself \"Demo\""},
    {"no version", s_versionless, "does not say its version"},
    {"no create", s_uncreatable, "no function `create`"},
    {"no destroy", s_indestructible, "no function `destroy`"},
    {"takes events, no encode", s_mute, "no function `encode`"},
    {"routes, no receive", s_deaf, "no function `receive`, but it has routes"},
    {"a sink without flush", s_half_sink, "no function `flush`, but it is a sink"},
    {"a count without a table", s_no_table, "options is NULL, but its count is 4"},
    {"a count that cannot be", s_many_rows, "18446744073709551615 rows"},
    {"a row that is too short", s_short_row, "row 1 of options says it is 8 bytes"},
    {"rows of two sizes", s_long_row, "row 2 of options"},
    {"a row that ends askew", s_odd_row, "row 1 of options"},
    {"an option without a name", s_unnamed_option, "option 2 ()"},
    {"an option in capitals", s_capital_option, "option 2 (Token): its name"},
    {"an option twice", s_same_option, "option 3 (path_token): another row"},
    {"an unknown type", s_untyped,
     "option 2 (path_token): this parkbusd does not know"},
    {"an unknown scope", s_unscoped,
     "option 2 (path_token): this parkbusd does not know"},
    {"a key of a lot", s_lot_key, "option 1 (secret): a key belongs to the instance"},
    {"lanes of the instance", s_site_lanes, "option 4 (lanes): a key belongs to"},
    {"an enumeration without words", s_wordless, "option 3 (unit): an enumeration"},
    {"an enumeration with an empty word", s_empty_word, "option 3 (unit): an enumera"},
    {"min above max", s_reversed, "option 2 (path_token): its .min"},
    {"a preset that is no word of it", s_bad_preset, "option 3 (unit): its .preset"},
    {"a secret in the source", s_preset_key, "option 1 (secret): its .preset"},
    {"a preset of what is required", s_preset_required, "option 3 (unit): its .preset"},
    {"an option that nobody explains", s_helpless,
     "option 2 (path_token): it must say"},
    {"a route without method", s_no_method, "route 1 needs a method"},
    {"a method in small letters", s_low_method, "route 1 needs a method"},
    {"a route without path", s_no_path,
     "route 1 needs a method in capitals and a path"},
    {"a path with a leading slash", s_rooted, "the path \"/paid\" of route 1"},
    {"a path that climbs", s_upward, "the path \"a/../paid\" of route 1"},
    {"a path with a query", s_queried, "the path \"paid?x=1\" of route 1"},
    {"a hole left open", s_open_hole, "plain option of the instance"},
    {"a hole only closed", s_close_hole, "plain option of the instance"},
    {"a hole for a secret", s_secret_hole, "plain option of the instance"},
    {"a hole for a list", s_list_hole, "plain option of the instance"},
    {"a hole for an unknown option", s_strange_hole, "plain option of the instance"},
    {"a hole for an option of a lot", s_lot_hole, "plain option of the instance"},
    {"more body than allowed", s_huge_body, "8388609 bytes, parkbusd takes at most"},
    {"a route twice", s_same_route, "routes 1 and 3 are both POST paid"},
    {"a pattern of event types", s_pattern, "takes \"in.*\""},
    {"an unknown event type", s_unknown_type,
     "takes \"in.record\", which this parkbusd"},
    {"an event type twice", s_same_type, "takes \"in.recorded\" twice"},
    {"a service that is no name", s_bad_service, "serves \".get\""},
    {"a service twice", s_same_service, "serves \"qrcode.get\" twice"},
    {"an unknown role", s_role, "role 2, this parkbusd knows 0 (operator)"},
    {"neither yes nor no", s_perhaps, "are 0 or 1"},
    {"a short policy", s_short_policy, "row 1 of policy says it is 16 bytes"},
    {"questions that go back in time", s_falling, "query_schedule \"1,4,2\""},
    {"a schedule without seconds", s_empty_schedule, "query_schedule \"\""},
    {"a schedule with words", s_words, "push_schedule \"15 s\""},
};
// clang-format on

//  What a plugin of a later minor version hands over: longer rows, walked by their
//  size.
static void
s_check_longer_rows (void)
{
    struct {
        pb_option_t known;
        uint64_t later;
    } rows[] = {
        {{sizeof rows[0], "one", PB_OPTION_INT, PB_SCOPE_INSTANCE, 0, "5", NULL, NULL,
          1, 9, "One", NULL},
         UINT64_MAX},
        {{sizeof rows[0], "two", PB_OPTION_INT, PB_SCOPE_INSTANCE, 0, "50", NULL, NULL,
          1, 9, "Two", NULL},
         UINT64_MAX},
    };
    fixture_t f;
    pb_error_t error = {0};
    s_make (&f);
    s_listener (&f);
    f.plugin.routes_count = 0;
    f.plugin.options = &rows[0].known;
    f.plugin.options_count = 1;
    promise (plugin_check (&f.plugin, f.readable, "demo", &error),
             "longer rows are taken: %s", error.message);
    f.plugin.options_count = 2;
    promise (!plugin_check (&f.plugin, f.readable, "demo", &error)
                 && strstr (error.message, "option 2 (two)"),
             "and walked by their own size");
}

int
main (void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_t f;
        pb_error_t error = {0};
        s_make (&f);
        cases[i].change (&f);
        bool taken = plugin_check (&f.plugin, f.readable, "demo", &error);
        bool kept =
            cases[i].words ? !taken && strstr (error.message, cases[i].words) : taken;
        if (!promise (kept, "%s", cases[i].promise))
            printf ("# %s\n", error.message);
    }
    s_check_longer_rows ();
    return promises_kept ();
}
