//  test_cmb_tables.c - what the plugin declares, its tables, and every code in both
//  directions.

#include <stdio.h>
#include <string.h>
#include "host/check.h"
#include "plugins/cmb/cmb.h"
#include "plugins/cmb/cmb_codes.h"
#include "plugins/cmb/cmb_tables.h"
#include "schema/types.h"
#include "site.h"

static void
s_check_declared (void)
{
    pb_error_t error = {.message = ""};
    bool sound = plugin_check (&pb_plugin_v1, sizeof pb_plugin_v1, "cmb", &error);
    site_ok (sound, "the host takes what the plugin declares", error.message);
    site_ok (!cmb_unsound (), "every table is sound", cmb_unsound ());
    for (size_t i = 0; i < CMB_ROUTES; i++)
        site_ok (site_is (pb_plugin_v1.routes[i].path, cmb_endpoints[i].path)
                     && cmb_endpoints[i].way == CMB_DOWN,
                 "a route and its endpoint stand in the same place",
                 pb_plugin_v1.routes[i].path);
    size_t reports = 0, taken = 0;
    for (const cmb_endpoint_t *row = cmb_endpoints; row->name; row++)
        reports += row->way == CMB_UP;
    for (const char *const *type = pb_plugin_v1.takes; *type; type++, taken++) {
        bool found = false;
        for (const cmb_endpoint_t *row = cmb_endpoints; row->name; row++)
            found = found || (row->way == CMB_UP && site_is (row->type, *type));
        site_ok (found, "an event it takes has an endpoint", *type);
    }
    site_ok (reports == taken, "and no endpoint is without its event", NULL);
}

//  Every word of the contract to CMB and back. `back` is what comes back; "" when it does
//  not go out at all.
static const struct {
    const char *list;
    const pb_convert_t *convert;
    const char *word, *wire, *back;
} codes[] = {
    {"plate_color",   &cmb_plate_color, "blue",            "0",     "blue"           },
    {"plate_color",   &cmb_plate_color, "yellow",          "1",     "yellow"         },
    {"plate_color",   &cmb_plate_color, "white",           "2",     "white"          },
    {"plate_color",   &cmb_plate_color, "black",           "3",     "black"          },
    {"plate_color",   &cmb_plate_color, "green",           "4",     "green"          },
    {"plate_color",   &cmb_plate_color, "yellow_green",    "4",     "green"          },
    {"plate_color",   &cmb_plate_color, "blue_white",      "",      ""               },
    {"plate_color",   &cmb_plate_color, "green_full",      "4",     "green"          },
    {"plate_color",   &cmb_plate_color, "red",             "",      ""               },
    {"plate_color",   &cmb_plate_color, "other",           "",      ""               },
    {"vehicle_class", &cmb_car_type,    "small",           "1",     "small"          },
    {"vehicle_class", &cmb_car_type,    "medium",          "1",     "small"          },
    {"vehicle_class", &cmb_car_type,    "large",           "2",     "large"          },
    {"vehicle_class", &cmb_car_type,    "motorcycle",      "1",     "small"          },
    {"vehicle_class", &cmb_car_type,    "military_police", "65534", "military_police"},
    {"energy",        &cmb_power_type,  "ordinary",        "1",     "ordinary"       },
    {"energy",        &cmb_power_type,  "hybrid",          "2",     "hybrid"         },
    {"energy",        &cmb_power_type,  "electric",        "3",     "electric"       },
    {"user_class",    &cmb_auth_type,   "temporary",       "0",     "temporary"      },
    {"user_class",    &cmb_auth_type,   "monthly",         "99",    "contract"       },
    {"user_class",    &cmb_auth_type,   "whitelist",       "99",    "contract"       },
    {"user_class",    &cmb_auth_type,   "plateless",       "0",     "temporary"      },
    {"user_class",    &cmb_auth_type,   "guest",           "99",    "contract"       },
    {"user_class",    &cmb_auth_type,   "vip",             "99",    "contract"       },
    {"user_class",    &cmb_auth_type,   "internal",        "99",    "contract"       },
    {"user_class",    &cmb_auth_type,   "contract",        "99",    "contract"       },
    {"tender",        &cmb_pay_type,    "cash",            "1",     "cash"           },
    {"tender",        &cmb_pay_type,    "wechat",          "53",    "wechat"         },
    {"tender",        &cmb_pay_type,    "alipay",          "54",    "alipay"         },
    {"tender",        &cmb_pay_type,    "unionpay",        "50",    "unionpay"       },
    {"tender",        &cmb_pay_type,    "cmb",             "99",    "cmb"            },
    {"tender",        &cmb_pay_type,    "etc",             "61",    "etc"            },
    {"tender",        &cmb_pay_type,    "wallet",          "4",     "online"         },
    {"tender",        &cmb_pay_type,    "card",            "3",     "card"           },
    {"tender",        &cmb_pay_type,    "stored_value",    "10",    "stored_value"   },
    {"tender",        &cmb_pay_type,    "stored_time",     "15",    "stored_time"    },
    {"tender",        &cmb_pay_type,    "transit_card",    "14",    "transit_card"   },
    {"tender",        &cmb_pay_type,    "points",          "13",    "points"         },
    {"tender",        &cmb_pay_type,    "coupon",          "16",    "coupon"         },
    {"tender",        &cmb_pay_type,    "benefit_card",    "23",    "benefit_card"   },
    {"tender",        &cmb_pay_type,    "discount",        "58",    "discount"       },
    {"tender",        &cmb_pay_type,    "free",            "52",    "free"           },
    {"tender",        &cmb_pay_type,    "contract",        "7",     "free"           },
    {"tender",        &cmb_pay_type,    "deferred",        "2",     "deferred"       },
    {"tender",        &cmb_pay_type,    "online",          "4",     "online"         },
    {"tender",        &cmb_pay_type,    "other",           "55",    "other"          },
};

static void
s_check_codes (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (codes); i++) {
        pb_codec_t codec = {.env = env};
        pb_value_t ours = {codes[i].word, 0, NULL}, back = {"", 0, NULL};
        pb_wire_t wire = {"", false, NULL};
        const pb_convert_t *convert = codes[i].convert;
        char promise[128];
        pb_done_t out = convert->out (&codec, convert, &ours, &wire);
        if (out == PB_DONE)
            convert->in (&codec, convert, &wire, &back);
        snprintf (promise, sizeof promise, "%s %s goes as '%s' and comes back as '%s'",
                  codes[i].list, codes[i].word, codes[i].wire, codes[i].back);
        site_ok (site_is (wire.text, codes[i].wire)
                     && site_is (back.text, codes[i].back),
                 promise, wire.text);
    }
    //  No word of the contract is forgotten, and none stands here that is not in it.
    static const char *const lists[] = {"plate_color", "vehicle_class", "energy",
                                        "user_class", "tender"};
    for (size_t i = 0; i < PB_COUNT (lists); i++)
        for (const char *const *word = enum_words (lists[i]); *word; word++) {
            bool found = false;
            for (size_t n = 0; n < PB_COUNT (codes); n++)
                found = found || (site_is (codes[n].list, lists[i])
                                  && site_is (codes[n].word, *word));
            site_ok (found, "a word of the contract has its row", *word);
        }
}

//  Document 5.4: every pay_type there is, and those that are not defined.
static void
s_check_pay_types (const pb_env_t *env)
{
    static const char *const tenders[100] = {
        [0] = "free",          [1] = "cash",          [2] = "deferred",
        [3] = "card",          [4] = "online",        [5 ... 6] = "coupon",
        [7 ... 9] = "free",    [10] = "stored_value", [11 ... 12] = "free",
        [13] = "points",       [14] = "transit_card", [15] = "stored_time",
        [16 ... 19] = "coupon", [20] = "benefit_card", [21 ... 22] = "coupon",
        [23 ... 24] = "benefit_card", [47] = "coupon", [48] = "wechat",
        [49] = "alipay",       [50] = "unionpay",     [51] = "coupon",
        [52] = "free",         [53] = "wechat",       [54] = "alipay",
        [55] = "other",        [56] = "points",       [57] = "coupon",
        [58] = "discount",     [59] = "coupon",       [61] = "etc",
        [62 ... 67] = "online", [99] = "cmb",
    };
    for (int i = 0; i < 100; i++) {
        char text[4], promise[64];
        snprintf (text, sizeof text, "%d", i);
        pb_codec_t codec = {.env = env};
        pb_value_t value = {NULL, 0, NULL};
        pb_wire_t wire = {text, false, NULL};
        pb_done_t done = cmb_pay_type.in (&codec, &cmb_pay_type, &wire, &value);
        const char *want = tenders[i] ? tenders[i] : "other";
        snprintf (promise, sizeof promise, "pay_type %d is %s", i, want);
        site_ok (site_is (value.text, want)
                     && done == (tenders[i] ? PB_DONE : PB_FOREIGN),
                 promise, value.text);
    }
}

int
main (void)
{
    pb_harness_t *memory = site_new ();
    pb_env_t env = {&memory->host, &memory->call};
    s_check_declared ();
    s_check_codes (&env);
    s_check_pay_types (&env);
    pb_harness_destroy (&memory);
    return site_end ();
}
