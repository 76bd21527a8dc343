//  test_config.c - which text is refused, where and how; what the rest
//  means.

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/log.h"
#include "config/config_read.h"

#define LOTS "lots: {north: {lanes: [in-1, out-1]}, south: {}}\n"

//  ---------------------------------------------------------------- main files refused

typedef struct {
    const char *promise;
    const char *yaml;
    const char *error; //  Begins so
} refused_t;

// clang-format off
static const refused_t s_main_refused[] = {
    //  YAML itself
    {"an empty file has no lots", "", "m.yaml:1:1: no lot is configured"},
    {"a file of comments neither", "# nothing\n", "m.yaml:1:1: no lot is configured"},
    {"a tab is no indentation", "lots:\n\tnorth: {}\n", "m.yaml:2:1: a tab"},
    {"nor space between words", "node: a\t# b\n", "m.yaml:1:8: a tab"},
    {"columns count characters", "node: 停车\t\n", "m.yaml:1:9: a tab"},
    {"an anchor", "node: &a site\n", "m.yaml:1:7: anchors (&)"},
    {"an alias", LOTS "node: *a\n", "m.yaml:2:7: anchors (&)"},
    {"a tag", "node: !!str site\n", "m.yaml:1:7: tags (!)"},
    {"a tag of a map", "lots: !x {}\n", "m.yaml:1:7: tags (!)"},
    {"an anchor of a list", "lots: &a []\n", "m.yaml:1:7: anchors"},
    {"two documents", LOTS "---\nnode: b\n", "m.yaml:2:1: a second document"},
    {"a directive", "%YAML 1.1\n---\n" LOTS, "m.yaml:1:1: lines that begin with %"},
    {"Latin-1", "node: caf\xe9\n", "m.yaml:1:10: this is not UTF-8"},
    {"GBK", "# \xb3\xb5\n", "m.yaml:1:3: this is not UTF-8"},
    {"an overlong form", "node: \xc0\xaf\n", "m.yaml:1:7: this is not UTF-8"},
    {"a control character", "node: a\x01\n", "m.yaml:1:8: a control character"},
    {"an escape for NUL", "node: \"a\\0b\"\n", "m.yaml:1:7: this text holds \\0"},
    {"a zero-width space", "node: a\xe2\x80\x8b\n", "m.yaml:1:8: an invisible"},
    {"a full-width space", "lots:\n\xe3\x80\x80north: {}\n",
     "m.yaml:2:1: a full-width"},
    {"a line separator", "node: a\xe2\x80\xa8\n", "m.yaml:1:8: an invisible"},
    {"brackets that do not close", "lots: {\n", "m.yaml:2:1: this is not YAML"},
    {"two colons", "node: a: b\n", "m.yaml:1:8: this is not YAML"},
    {"a list for keys", "- lots\n", "m.yaml:1:1: keys are wanted here"},
    {"no space after a colon", "lots:north\n", "m.yaml:1:1: keys are wanted here"},
    {"a Chinese colon", "lots：{}\n", "m.yaml:1:1: keys are wanted here"},
    {"a map for a key", "? {a: b}\n: c\n", "m.yaml:1:3: a key must be a word"},
    {"an empty key", "\"\": b\n", "m.yaml:1:1: a key is missing"},
    {"no key", ": b\n", "m.yaml:1:1: this is not YAML"},
    {"nine levels", "lots: [[[[[[[[[[]]]]]]]]]]\n", "m.yaml:1:14: more than 8 maps"},

    //  Keys
    {"an unknown key", "nod: a\n", "m.yaml:1:1: unknown key 'nod': did you mean node?"},
    {"one inside", LOTS "journal:\n  segment_mb: 64\n  segmentmb: 64\n",
     "m.yaml:4:3: unknown key 'segmentmb' under journal: did you mean segment_mb?"},
    {"one of a lot", "lots:\n  north: {zones: UTC}\n",
     "m.yaml:2:11: unknown key 'zones' under lots.north: did you mean zone?"},
    {"one that is far from all", "log: {colour: red}\n",
     "m.yaml:1:7: unknown key 'colour' under log: known are level, format"},
    {"a key is its exact letters", "Node: a\n",
     "m.yaml:1:1: unknown key 'Node': did you"},
    {"a merge key", "<<: {node: a}\n", "m.yaml:1:1: unknown key '<<'"},
    {"a key twice", "node: a\n" LOTS "node: b\n",
     "m.yaml:3:1: the key 'node' stands here a second time; the first is in line 1"},
    {"a key twice inside", "log: {level: info, level: info}\n",
     "m.yaml:1:20: the key 'level' stands"},
    {"a lot twice", "lots:\n  north: {}\n  north: {}\n", "m.yaml:3:3: the key 'north'"},
    {"a key of another section", LOTS "segment_mb: 64\n",
     "m.yaml:2:1: unknown key 'segment_mb': it belongs under journal"},

    //  Types and ranges
    {"a map where text is wanted", "node: {a: b}\n",
     "m.yaml:1:7: node must be a name of 1 to 32 small letters, digits and '-', not a "
     "map of keys"},
    {"a list where text is wanted", "http: {listen: [127.0.0.1]}\n",
     "m.yaml:1:16: http.listen must be ADDRESS:PORT"},
    {"nothing where text is wanted", "node:\n" LOTS, "m.yaml:1:1: node must be a name"},
    {"text where a map is wanted", LOTS "bus: yes\n", "m.yaml:2:6: bus must be a map"},
    {"nothing where a map is wanted", LOTS "bus:\n", "m.yaml:2:1: bus must be a map"},
    {"lots as a list", "lots: [north]\n", "m.yaml:1:7: lots must be a map of lots"},
    {"a lot that is text", "lots: {north: 300}\n",
     "m.yaml:1:15: the lot 'north' must be"},
    {"no lots", "node: a\n", "m.yaml:1:1: no lot is configured"},
    {"lots without a lot", "lots: {}\n", "m.yaml:1:1: no lot is configured"},
    {"a lot's name in capitals", "lots: {North: {}}\n", "m.yaml:1:8: the lot's name"},
    {"a lot's name too long", "lots: {a23456789012345678901234567890123: {}}\n",
     "m.yaml:1:8: the lot's name"},
    {"a number with a unit", "journal: {segment_mb: 64MB}\n",
     "m.yaml:1:23: journal.segment_mb must be a whole number from 1 to 1024 MiB, not "
     "'64MB'"},
    {"too little", "journal: {segment_mb: 0}\n",
     "m.yaml:1:23: journal.segment_mb must"},
    {"too much", "journal: {segment_mb: 1025}\n",
     "m.yaml:1:23: journal.segment_mb must"},
    {"a fraction", "money: {lease_s: 1.5}\n", "m.yaml:1:18: money.lease_s must be"},
    {"hexadecimal", "money: {lease_s: 0x10}\n", "m.yaml:1:18: money.lease_s must be"},
    {"underscores", "journal: {dedupe_events: 2_000}\n",
     "m.yaml:1:26: journal.dedupe_"},
    {"20 digits", "journal: {max_gb: 18446744073709551617}\n",
     "m.yaml:1:19: journal.max"},
    {"a negative number", "lots: {n: {spaces: -1}}\n",
     "m.yaml:1:20: lots.n.spaces must"},
    {"yes is not true", "lots: {n: {auto_refund: yes}}\n",
     "m.yaml:1:25: lots.n.auto_refund must be false/true, not 'yes'"},
    {"a level that is none", "log: {level: verbose}\n",
     "m.yaml:1:14: log.level must be error/warning/info/debug, not 'verbose'"},
    {"part of a word", "log: {format: jso}\n", "m.yaml:1:15: log.format must be text/"},
    {"two words at once", "log: {format: text|json}\n", "m.yaml:1:15: log.format must"},
    {"a zone that is none", "lots: {n: {zone: Asia/Peking}}\n",
     "m.yaml:1:18: lots.n.zone must be a time zone"},
    {"a zone that climbs", "lots: {n: {zone: ../../etc/passwd}}\n",
     "m.yaml:1:18: lots.n.zone must be a time zone"},
    {"a lane twice", "lots: {n: {lanes: [a, b, a]}}\n",
     "m.yaml:1:26: 'a' stands twice in lanes"},
    {"a lane with a space", "lots: {n: {lanes: [in 1]}}\n",
     "m.yaml:1:20: lots.n.lanes"},
    {"lanes as text", "lots: {n: {lanes: in-1}}\n",
     "m.yaml:1:19: lots.n.lanes must be"},
    {"a lane that is a list", "lots: {n: {lanes: [[a]]}}\n",
     "m.yaml:1:20: lots.n.lanes"},
    {"a proxy by name", "http: {proxies: [nginx]}\n",
     "m.yaml:1:18: http.proxies must be"},
    {"a long value is cut",
     "node: 0123456789012345678901234567890123456789012345678901234"
                            "56789012345678901234567890\n",
     "m.yaml:1:7: node must be a name of 1 to 32 small letters, digits and '-', not "
     "'012345678901234567890123456789012345678901234567890123456789…'"},

    //  Addresses
    {"an endpoint without a transport", "bus: {events: 127.0.0.1:5570}\n",
     "m.yaml:1:15: bus.events must be tcp://HOST:PORT or ipc://PATH"},
    {"one without a port", "bus: {events: tcp://127.0.0.1}\n",
     "m.yaml:1:15: bus.events"},
    {"a port too high", "bus: {events: tcp://127.0.0.1:65536}\n", "m.yaml:1:15: bus."},
    {"udp", "bus: {events: udp://127.0.0.1:5570}\n", "m.yaml:1:15: bus.events must"},
    {"ipc without a path", "bus: {commands: ipc://}\n",
     "m.yaml:1:17: bus.commands must"},
    {"an open event socket", LOTS "bus: {events: tcp://0.0.0.0:5570}\n",
     "m.yaml:2:15: bus.events can be reached from other machines"},
    {"an open command socket", LOTS "bus: {commands: 'tcp://*:5571'}\n",
     "m.yaml:2:17: bus.commands can be reached from other machines"},
    {"an interface", LOTS "bus: {events: tcp://eth0:5570}\n",
     "m.yaml:2:15: bus.events can be reached from other machines"},
    {"IPv6 for all", LOTS "bus: {events: 'tcp://[::]:5570'}\n",
     "m.yaml:2:15: bus.events can be reached from other machines"},
    {"curve is not there yet", LOTS "bus: {curve: {secret: file:x, clients: y}}\n",
     "m.yaml:2:7: curve is not available in this version"},
    {"nor half of it", LOTS "bus:\n  curve: {}\n",
     "m.yaml:3:3: curve is not available"},
    {"one socket for two", LOTS "bus: {commands: 'tcp://127.0.0.1:5570'}\n",
     "m.yaml:2:17: bus.events and bus.commands are the same"},
    {"one address for two", LOTS "http: {listen: '127.0.0.1:8090'}\n",
     "m.yaml:2:16: http.listen and admin.listen are the same"},
    {"a listener by name", "http: {listen: gate.local:80}\n",
     "m.yaml:1:16: http.listen"},
    {"a listener without address", "http: {listen: ':8080'}\n",
     "m.yaml:1:16: http.listen"},
    {"a listener without port", "http: {listen: 127.0.0.1}\n",
     "m.yaml:1:16: http.listen"},
    {"IPv6 without quotes", "http:\n  listen: [::1]:8080\n",
     "m.yaml:2:12: this is not"},
    {"an open admin", LOTS "admin: {listen: 0.0.0.0:8090}\n",
     "m.yaml:2:17: admin.listen can be reached from other machines: add admin.token"},
    {"a token that says nothing", LOTS "admin: {token: hunter2}\n",
     "m.yaml:2:16: token must say where the secret lies"},
};
// clang-format on

static config_t *
s_parse (const char *yaml, pb_error_t *error)
{
    //  An exact copy, so that ASan sees reading past the end.
    size_t size = strlen (yaml);
    char *copy = xmalloc (size ? size : 1);
    memcpy (copy, yaml, size);
    config_t *self = config_parse ("m.yaml", copy, size, error);
    free (copy);
    if (self && !config_lots_check (self, error))
        config_destroy (&self);
    return self;
}

//  Both are shown, and the count of failures returned.
static int
s_begins (const char *promise, const char *got, const char *want)
{
    if (*want ? strncmp (got, want, strlen (want)) == 0 : !*got)
        return 0;
    print_error ("%s:\n  want %s\n  got  %s\n", promise, want, got);
    return 1;
}

static void
s_test_main_refused (void **state)
{
    (void) state;
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE (s_main_refused); i++) {
        const refused_t *row = s_main_refused + i;
        pb_error_t error = {.code = PB_E_OK};
        config_t *self = s_parse (row->yaml, &error);
        failed += s_begins (row->promise, error.message, row->error);
        failed += self != NULL || error.code != PB_E_CONFIG;
        config_destroy (&self);
    }
    assert_int_equal (failed, 0);
}

//  ---------------------------------------------------------------- main files taken

// clang-format off
static const struct {
    const char *promise;
    const char *yaml;
} s_main_taken[] = {
    {"the least",                 "lots: {north: {}}"                                },
    {"a document's begin",        "---\n" LOTS "...\n"                               },
    {"a byte order mark",         "\xef\xbb\xbf" LOTS                                },
    {"lines that end in CR LF",   "lots:\r\n  north: {}\r\nnode: a\r\n"              },
    {"Chinese comments",          "# 车场\n" LOTS                                    },
    {"quoted values",             LOTS "node: \"site-1\"\n"                          },
    {"IPv6 loopback",             LOTS "bus: {events: 'tcp://[::1]:5570'}\n"         },
    {"localhost",                 LOTS "bus: {events: 'tcp://localhost:5570'}\n"     },
    {"any 127",                   LOTS "bus: {commands: 'tcp://127.9.9.9:1'}\n"      },
    {"ipc is local", LOTS "bus: {events: ipc:///run/e, commands: ipc://c}\n"},
    {"inproc is local",           LOTS "bus: {events: inproc://e}\n"                 },
    {"an abstract socket",        LOTS "bus: {events: 'ipc://@parkbus'}\n"           },
    {"two free ports",            LOTS "bus: {events: 'tcp://127.0.0.1:*', commands: "
                                       "'tcp://127.0.0.1:*'}\n"                      },
    {"two free listeners",        LOTS "http: {listen: 127.0.0.1:0}\n"
                                       "admin: {listen: 127.0.0.1:0}\n"              },
    {"http for everybody",        LOTS "http: {listen: 0.0.0.0:8080}\n"              },
    {"http on IPv6",              LOTS "http: {listen: '[::]:8080'}\n"               },
    {"an open admin with token",  LOTS "admin: {listen: 0.0.0.0:8090, token: env:T}\n"},
    {"no proxies",                LOTS "http: {proxies: []}\n"                       },
    {"proxies of both kinds", LOTS "http: {proxies: [10.0.0.1, '::1']}\n"        },
    {"leading zeros of a number", LOTS "money: {lease_s: 0012}\n"                    },
};
// clang-format on

static void
s_test_main_taken (void **state)
{
    (void) state;
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE (s_main_taken); i++) {
        pb_error_t error = {.code = PB_E_OK};
        config_t *self = s_parse (s_main_taken[i].yaml, &error);
        failed += s_begins (s_main_taken[i].promise, error.message, "");
        config_destroy (&self);
    }
    assert_int_equal (failed, 0);
}

//  What a row of text cannot hold.
static void
s_test_large (void **state)
{
    (void) state;
    pb_error_t error;
    static const char nul[] = "node: a\0b\n";
    assert_null (config_parse ("m.yaml", nul, sizeof nul - 1, &error));
    assert_int_equal (s_begins ("a NUL", error.message, "m.yaml:1:8: a NUL byte"), 0);

    buffer_t many = {.data = NULL};
    buffer_text (&many, "lots:\n");
    for (unsigned i = 0; i < CONFIG_MEMBERS_MAX; i++)
        buffer_printf (&many, "  lot-%u: {}\n", i);
    config_t *self = config_parse ("m.yaml", many.data, many.size, &error);
    assert_non_null (self);
    assert_int_equal (self->lots_count, CONFIG_MEMBERS_MAX);
    assert_non_null (config_lot (self, SPAN ("lot-999")));
    config_destroy (&self);
    buffer_text (&many, "  more: {}\n");
    assert_null (config_parse ("m.yaml", many.data, many.size, &error));
    assert_int_equal (
        s_begins ("one more", error.message, "m.yaml:1002:9: more than 1000 entries"),
        0);

    //  Cut between characters: what is said goes out as JSON too.
    buffer_reset (&many);
    buffer_text (&many, "a");
    for (unsigned i = 0; i < 200; i++)
        buffer_text (&many, "停");
    buffer_text (&many, ": x\n");
    assert_null (config_parse (many.data, many.data, many.size, &error));
    assert_true (utf8_valid (error.message, strlen (error.message)));
    assert_true (utf8_valid (error.field, strlen (error.field)));
    buffer_free (&many);
}

static void
s_test_defaults (void **state)
{
    (void) state;
    pb_error_t error;
    config_t *self = s_parse ("lots: {north: {}}", &error);
    assert_non_null (self);
    assert_string_equal (self->data_dir, STATE_DIR);
    assert_string_equal (self->plugin_dir, PLUGIN_DIR);
    assert_string_equal (self->events, "tcp://127.0.0.1:5570");
    assert_string_equal (self->commands, "tcp://127.0.0.1:5571");
    assert_string_equal (self->http_listen, "127.0.0.1:8080");
    assert_string_equal (self->admin_listen, "127.0.0.1:8090");
    assert_null (self->curve_secret);
    assert_null (self->admin_token);
    assert_null (self->proxies);
    const int64_t numbers[][2] = {
        {self->live_mb,       128      },
        {self->segment_mb,    64       },
        {self->retain_days,   30       },
        {self->max_gb,        20       },
        {self->dedupe_events, 2000000  },
        {self->lease_s,       120      },
        {self->log_level,     LOG_INFO_},
        {self->log_format,    LOG_TEXT },
    };
    for (size_t i = 0; i < ARRAY_SIZE (numbers); i++)
        assert_int_equal (numbers[i][0], numbers[i][1]);
    const config_lot_t *lot = config_lot (self, SPAN ("north"));
    assert_non_null (lot);
    assert_string_equal (lot->zone, "Asia/Shanghai");
    assert_int_equal (lot->spaces, 0);
    assert_int_equal (lot->lanes_count, 0);
    assert_int_equal (lot->leave_within_s, 900);
    assert_int_equal (lot->lane_deadline_s, 8);
    assert_false (lot->auto_refund);
    assert_null (lot->pictures);
    assert_int_equal (self->notes_count, 0);
    assert_true (*self->node && strlen (self->node) <= 32);
    char cwd[2048], want[2064];
    assert_non_null (getcwd (cwd, sizeof cwd));
    snprintf (want, sizeof want, "%s/plugins.d", cwd);
    assert_string_equal (self->plugins_d, want);
    config_destroy (&self);
}

//  Everything that the contract's sample sets, but for curve.
static const char s_full[] =
    "node: site-1\n"
    "data_dir: data\n"
    "plugin_dir: ./plugins\n"
    "plugins_d: /etc/parkbus/plugins.d\n"
    "lots_d: lots.d\n"
    "lots:\n"
    "  north: {zone: UTC, spaces: 300, lanes: [in-1, out-1], leave_within: 600, "
    "lane_deadline: 9,\n"
    "          charge_order: [cmb, bolink], auto_refund: true, pictures: "
    "pictures/north}\n"
    "bus:\n"
    "  events: ipc://run/events\n"
    "  commands: tcp://127.0.0.1:6571\n"
    "  live_mb: 64\n"
    "http:\n"
    "  listen: 127.0.0.1:9080\n"
    "  proxies: [10.0.0.1]                   # believed\n"
    "admin:\n"
    "  listen: 127.0.0.1:9090\n"
    "  token: file:secrets/admin\n"
    "journal: {segment_mb: 8, retain_days: 3, max_gb: 2, dedupe_events: 1000}\n"
    "money: {lease_s: 60}\n"
    "log: {level: debug, format: journald}\n";

static void
s_test_full (void **state)
{
    (void) state;
    pb_error_t error = {.code = PB_E_OK};
    config_t *self =
        config_parse ("/srv/site/parkbus.yaml", s_full, strlen (s_full), &error);
    assert_string_equal (error.message, "");
    assert_string_equal (self->node, "site-1");
    assert_string_equal (self->data_dir, "/srv/site/data");
    assert_string_equal (self->plugin_dir, "/srv/site/plugins");
    assert_string_equal (self->plugins_d, "/etc/parkbus/plugins.d");
    assert_string_equal (self->events, "ipc:///srv/site/run/events");
    assert_string_equal (self->proxies[0], "10.0.0.1");
    assert_null (self->proxies[1]);
    assert_int_equal (self->admin_token->kind, SECRET_FILE);
    assert_string_equal (self->admin_token->where, "/srv/site/secrets/admin");
    assert_int_equal (self->log_level, LOG_DEBUG_);
    assert_int_equal (self->log_format, LOG_JOURNALD);
    const config_lot_t *lot = config_lot (self, SPAN ("north"));
    assert_int_equal (lot->lanes_count, 2);
    assert_string_equal (lot->lanes[1], "out-1");
    assert_int_equal (lot->charge_order_count, 2);
    assert_true (lot->auto_refund);
    assert_string_equal (lot->pictures, "/srv/site/pictures/north");
    assert_int_equal (lot->mark.line, 7);
    assert_int_equal (lot->mark.column, 3);
    assert_null (config_lot (self, SPAN ("nort")));
    config_destroy (&self);
}

//  Each says so when it is set; nothing else does.
static void
s_collect (void *arg, const char *sentence)
{
    buffer_t *said = arg;
    buffer_text (said, sentence);
    buffer_text (said, "\n");
}

static void
s_test_unused (void **state)
{
    (void) state;
    static const char *const wanted[] = {
        "/srv/site/parkbus.yaml:7:76: lots.north.lane_deadline is set, but this",
        "lots.north.charge_order",
        "lots.north.auto_refund",
        "lots.north.pictures",
        "bus.live_mb",
        "admin.listen",
        "admin.token",
        "journal.retain_days",
        "journal.max_gb",
        "money.lease_s",
    };
    pb_error_t error;
    config_t *self =
        config_parse ("/srv/site/parkbus.yaml", s_full, strlen (s_full), &error);
    assert_non_null (self);
    buffer_t said = {.data = NULL};
    config_unused (self, s_collect, &said);
    for (size_t i = 0; i < ARRAY_SIZE (wanted); i++)
        if (!strstr (said.data, wanted[i]))
            fail_msg ("%s\nis not in\n%s", wanted[i], said.data);
    assert_int_equal (self->notes_count, ARRAY_SIZE (wanted));
    buffer_free (&said);
    config_destroy (&self);
}

//  ---------------------------------------------------------------- plugins' files

// clang-format off
static const refused_t s_instance_rows[] = {
    {"the least", "module: cmb\n", ""},
    {"no module", "enabled: false\n", "p/cmb.yaml:1:1: the key 'module' is missing"},
    {"an empty file", "", "p/cmb.yaml:1:1: the key 'module' is missing"},
    {"a module with a path", "module: ../cmb\n",
     "p/cmb.yaml:1:9: module must be a plugin"},
    {"a module with .so", "module: cmb.so\n",
     "p/cmb.yaml:1:9: module must be a plugin"},
    {"an unknown key", "modul: cmb\n",
     "p/cmb.yaml:1:1: unknown key 'modul': did you mean module?"},
    {"a third host", "module: cmb\nhost: thread\n",
     "p/cmb.yaml:2:7: host must be inline/process, not 'thread'"},
    {"a mount without begin", "module: cmb\nmount: cmb/\n",
     "p/cmb.yaml:2:8: mount must"},
    {"a mount without end", "module: cmb\nmount: /cmb\n",
     "p/cmb.yaml:2:8: mount must be"},
    {"everything as mount", "module: cmb\nmount: /\n", "p/cmb.yaml:2:8: mount must be"},
    {"a mount that climbs", "module: cmb\nmount: /a/../\n",
     "p/cmb.yaml:2:8: mount must"},
    {"a mount with a query", "module: cmb\nmount: /a?b/\n",
     "p/cmb.yaml:2:8: mount must"},
    {"two levels of mount", "module: cmb\nmount: /v1/cmb/\n", ""},
    {"http over the net", "module: cmb\nurl: http://park.example\n",
     "p/cmb.yaml:2:6: url is http:// to another machine"},
    {"http said to be insecure",
     "module: cmb\nurl: http://p.example\ninsecure: true\n", ""},
    {"insecure is no default", "module: cmb\nurl: http://p.example\ninsecure: false\n",
     "p/cmb.yaml:2:6: url is http://"},
    {"http to this machine", "module: cmb\nurl: http://127.0.0.1:9000/x\n", ""},
    {"http to this machine, IPv6", "module: cmb\nurl: http://[::1]:9000\n", ""},
    {"http to localhost", "module: cmb\nurl: http://localhost\n", ""},
    {"http to what looks local", "module: cmb\nurl: http://localhost.example\n",
     "p/cmb.yaml:2:6: url is http://"},
    {"http to what looks like 127", "module: cmb\nurl: http://127.0.0.1.example\n",
     "p/cmb.yaml:2:6: url is http://"},
    {"http in capitals", "module: cmb\nurl: HTTP://park.example\n",
     "p/cmb.yaml:2:6: url is http://"},
    {"a user before the host", "module: cmb\nurl: http://127.0.0.1@park.example\n",
     "p/cmb.yaml:2:6: url must be https://HOST"},
    {"a backslash before the host", "module: cmb\nurl: 'http://localhost\\@evil'\n",
     "p/cmb.yaml:2:6: url must be https://HOST"},
    {"another scheme", "module: cmb\nurl: ftp://park.example\n",
     "p/cmb.yaml:2:6: url must"},
    {"no scheme", "module: cmb\nurl: park.example\n", "p/cmb.yaml:2:6: url must be"},
    {"a query", "module: cmb\nurl: https://park.example/?a=b\n",
     "p/cmb.yaml:2:6: url must"},
    {"no host", "module: cmb\nurl: https:///x\n", "p/cmb.yaml:2:6: url must be"},
    {"a secret by file", "module: cmb\nkeys: {appsecret: file:../secrets/cmb}\n", ""},
    {"two secrets", "module: cmb\nkeys: {appsecret: [file:new, file:old]}\n", ""},
    {"three secrets", "module: cmb\nkeys: {a: [env:A, env:B, env:C]}\n",
     "p/cmb.yaml:2:11: the key 'a' takes one secret or two"},
    {"no secret", "module: cmb\nkeys: {a: []}\n", "p/cmb.yaml:2:11: the key 'a' takes"},
    {"a bare secret is not repeated", "module: cmb\nkeys: {a: hunter2}\n",
     "p/cmb.yaml:2:11: a must say where the secret lies: file:PATH, env:VARIABLE, "
     "cred:NAME (systemd) or plain:TEXT"},
    {"a secret that is a map", "module: cmb\nkeys: {a: {file: x}}\n",
     "p/cmb.yaml:2:11: a"},
    {"no file", "module: cmb\nkeys: {a: 'file:'}\n", "p/cmb.yaml:2:11: a must say"},
    {"no variable", "module: cmb\nkeys: {a: env:1A}\n", "p/cmb.yaml:2:11: a must say"},
    {"a way out of the credentials", "module: cmb\nkeys: {a: cred:../x}\n",
     "p/cmb.yaml:2:11: a must say"},
    {"keys as text", "module: cmb\nkeys: file:x\n",
     "p/cmb.yaml:2:7: keys must be a map"},
    {"an option inside an option", "module: cmb\noptions: {a: {b: {c: d}}}\n",
     "p/cmb.yaml:2:18: the option 'a' holds a map or a list inside another"},
    {"options as a list", "module: cmb\noptions: [a]\n",
     "p/cmb.yaml:2:10: options must"},
    {"a lot that is not configured", "module: cmb\nlots: {nort: {}}\n",
     "p/cmb.yaml:2:8: no lot is named 'nort': did you mean north?"},
    {"a lot far from all", "module: cmb\nlots: {airport: {}}\n",
     "p/cmb.yaml:2:8: no lot is named 'airport': add it under lots in m.yaml"},
    {"a lot that is text", "module: cmb\nlots: {north: x}\n",
     "p/cmb.yaml:2:15: the lot"},
    {"a tab here too", "module: cmb\n\tx: y\n", "p/cmb.yaml:2:1: a tab"},
};
// clang-format on

static void
s_test_instances (void **state)
{
    (void) state;
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE (s_instance_rows); i++) {
        const refused_t *row = s_instance_rows + i;
        pb_error_t error;
        config_t *self = s_parse (LOTS, &error);
        config_parse_instance (self, "p/cmb.yaml", "cmb", row->yaml,
                               strlen (row->yaml));
        failed += s_begins (row->promise, self->instances[0].error.message, row->error);
        failed += strstr (self->instances[0].error.message, "hunter2") != NULL;
        config_destroy (&self);
    }
    assert_int_equal (failed, 0);
}

static const char s_cmb[] =
    "module: cmb\n"
    "host: process\n"
    "url: https://openmain-uat.park.cmbchina.biz//\n"
    "keys:\n"
    "  appsecret: [file:../secrets/cmb, plain:old]\n"
    "options:\n"
    "  appid: 0012\n"
    "  allow: [10.0.0.1, '']\n"
    "lots:\n"
    "  north: {park_code: 0052, guaranteed: false, lanes: {in-1: 1, out-1: 02}}\n";

static void
s_test_instance (void **state)
{
    (void) state;
    pb_error_t error;
    config_t *self = s_parse (LOTS, &error);
    config_parse_instance (self, "/etc/p/cmb.yaml", "cmb", s_cmb, strlen (s_cmb));
    const config_instance_t *cmb = self->instances;
    assert_string_equal (cmb->error.message, "");
    assert_true (cmb->enabled && cmb->process && !cmb->insecure);
    assert_string_equal (cmb->mount, "/cmb/");
    assert_string_equal (cmb->url, "https://openmain-uat.park.cmbchina.biz");
    assert_int_equal (cmb->mark_url.line, 3);
    assert_int_equal (cmb->keys[0].count, 2);
    assert_string_equal (cmb->keys[0].secrets[0].where, "/etc/p/../secrets/cmb");
    assert_int_equal (cmb->keys[0].secrets[1].kind, SECRET_PLAIN);
    assert_string_equal (cmb->keys[0].secrets[1].where, "old");
    assert_string_equal (cmb->options[0].value, "0012");
    assert_int_equal (cmb->options[1].shape, OPTION_LIST);
    assert_int_equal (cmb->options[1].count, 2);
    assert_string_equal (cmb->options[1].items[1].value, "");
    const config_option_t *lanes = cmb->lots[0].options + 2;
    assert_string_equal (cmb->lots[0].lot, "north");
    assert_string_equal (cmb->lots[0].options[0].value, "0052");
    assert_int_equal (lanes->shape, OPTION_MAP);
    assert_string_equal (lanes->items[1].name, "out-1");
    assert_string_equal (lanes->items[1].value, "02");
    assert_int_equal (lanes->items[1].mark.column, 71);
    assert_non_null (
        strstr (self->notes[0], "/etc/p/cmb.yaml:2:1: host is process, but"));
    config_destroy (&self);
}

static void
s_test_mounts (void **state)
{
    (void) state;
    // clang-format off
    static const char *const files[][3] = {
        {"a", "module: cmb\nmount: /c/\n", ""},
        {"b", "module: cmb\nmount: /d/\nenabled: false\n", ""},
        {"c", "module: cmb\n", "c.yaml:1:1: the mount /c/ is"},
        {"d", "module: cmb\n", ""},
        {"parkbus", "module: cmb\n",
         "parkbus.yaml:1:1: no instance may be named parkbus"},
        {"E", "module: cmb\n", "E.yaml:1:1: the instance is"},
    };
    // clang-format on
    pb_error_t error;
    config_t *self = s_parse (LOTS, &error);
    for (size_t i = 0; i < ARRAY_SIZE (files); i++) {
        char file[16];
        snprintf (file, sizeof file, "%s.yaml", files[i][0]);
        config_parse_instance (self, file, files[i][0], files[i][1],
                               strlen (files[i][1]));
    }
    config_mounts_check (self);
    int failed = 0;
    for (size_t i = 0; i < ARRAY_SIZE (files); i++)
        failed += s_begins (files[i][0], self->instances[i].error.message, files[i][2]);
    assert_int_equal (failed, 0);
    config_destroy (&self);
}

//  ---------------------------------------------------------------- the table

//  Every row says both languages, and its default can be read.
static void
s_test_table (void **state)
{
    (void) state;
    for (size_t i = 0; config_sections[i]; i++)
        for (size_t j = 0; j < config_sections[i]->count; j++) {
            const config_row_t *row = config_sections[i]->rows + j;
            assert_true (row->name && row->type && row->en && row->zh);
            assert_true (row->type->en && row->type->zh && row->type->read);
            assert_true (row->type != &type_number || row->max > row->min);
            assert_true (row->type != &type_choice || row->words);
        }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (s_test_main_refused), cmocka_unit_test (s_test_main_taken),
        cmocka_unit_test (s_test_large),        cmocka_unit_test (s_test_defaults),
        cmocka_unit_test (s_test_full),         cmocka_unit_test (s_test_unused),
        cmocka_unit_test (s_test_instances),    cmocka_unit_test (s_test_instance),
        cmocka_unit_test (s_test_mounts),       cmocka_unit_test (s_test_table),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
