//  test_cmb_sign.c - the signature vectors, and the bodies printed in the document.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sdk/form.h"
#include "sdk/json.h"
#include "site.h"

static char *
s_read (const char *name)
{
    char path[4096];
    const char *srcdir = getenv ("srcdir");
    snprintf (path, sizeof path, "%s/tests/plugins/cmb/%s", srcdir ? srcdir : ".",
              name);
    FILE *file = fopen (path, "rb");
    char *text = calloc (1, 65536);
    if (!file || !text || !fread (text, 1, 65535, file)) {
        fprintf (stderr, "%s: cannot be read\n", path);
        exit (1);
    }
    fclose (file);
    return text;
}

static const char *
s_text (const pb_json_t *object, const char *name)
{
    const char *text = pb_json_text (pb_json_get (object, name));
    return text ? text : "";
}

//  Is the body's signature accepted by a plugin with this appid and secret?
static bool
s_accepted (const char *body, const char *appid, const char *secret)
{
    pb_harness_t *site = pb_harness_new (&pb_plugin_v1);
    pb_harness_option (site, "appid", appid);
    pb_harness_key (site, "appsecret", secret);
    pb_harness_create (site);
    int rc = pb_harness_receive (site, "cmbParking/autoPayUnbind", body, strlen (body));
    bool accepted =
        rc != PB_AUTH && site->replies == 1 && !strstr (site->reply, "签名错误");
    pb_harness_destroy (&site);
    return accepted;
}

static void
s_check_vector (const pb_env_t *env, const pb_json_t *row)
{
    static const char *const except[] = {"sign", "pic_con", NULL};
    const char *body = s_text (row, "form_body"), *why = NULL;
    const char *appid = s_text (row, "params.appid"), *secret = s_text (row, "secret");
    char promise[256];
    pb_pairs_t form;
    int rc = pb_form_read (env, (pb_bytes_t){body, strlen (body)}, &form, &why);
    const char *text = rc == PB_OK ? pb_form_canonical (env, &form, except) : NULL;
    snprintf (promise, sizeof promise, "%s: the signed text", s_text (row, "id"));
    site_ok (site_is (text, s_text (row, "string_a")), promise, text);
    snprintf (promise, sizeof promise, "%s: accepted (%s)", s_text (row, "id"),
              s_text (row, "why"));
    site_ok (s_accepted (body, appid, secret), promise, body);

    //  Every value changed in turn: each is covered, but for what is not signed.
    for (size_t i = 0; i < form.count; i++) {
        pb_pairs_t spoilt = {NULL, 0, 0};
        pb_buffer_t to = {.env = env};
        const char *name = form.items[i].name;
        for (size_t n = 0; n < form.count; n++) {
            const char *value = form.items[n].value;
            pb_pairs_add (env, &spoilt, form.items[n].name,
                          n == i ? pb_format (env, "%s1", value) : value, false);
        }
        pb_form_write (&to, &spoilt);
        bool covered = strcmp (name, "pic_con") != 0;
        snprintf (promise, sizeof promise, "%s: %s is %scovered", s_text (row, "id"),
                  name, covered ? "" : "not ");
        site_ok (s_accepted (pb_done (&to), appid, secret) == !covered, promise, name);
    }
}

//  The bodies as the document prints them (their secrets are not printed: signed anew).
//  Reading and writing them changes nothing but the signature.
static const struct {
    const char *promise;
    const char *body;
} printed[] = {
    {"AutoPay, document 5.1",
     "park_code=3308020001&appid=jsnncduf&vpl_number=%E8%8B%8FZZ9871&record_id="
     "9abcd6006b6b22d56d8c380f475590b3&amount=500&request_order="
     "a8d74e464958612a4193a8edb9bf1556"                                               },
    {"SpaceInfo, document 5.2",
     "park_code=5201020001&total_empty=700&vip_empty=600&tmp_empty=100&appid=jigb2abc"},
    {"Indata, document 5.3",
     "logo=0&in_time=1537155122&model=0&body_color=0&vpl_number=%E4%BA%ACA12311&"
     "auth_type=0&in_code=1&record_id=20180917113202192&car_type=1&power_type=1&owner=&"
     "park_code=5201020001&plate_color=0&appid=jigb2abc"                              },
    {"Outdata, document 5.4",
     "appid=nwikae&charge_items=%5B%7B%22should_pay%22%3A1%2C%22actual_pay%22%3A1%2C%22"
     "pay_type%22%3A99%2C%22toll_collector%22%3A%22Doraemon%22%2C%22seq_num%22%3A%22"
     "520600NCcLjxR1550560951699014cmb%22%2C%22time%22%3A1550560954%7D%5D&in_code=1&"
     "in_time=1550049030&out_code=1&out_time=1550562547&park_code=4406050001&record_id="
     "2019213091030&vpl_number=%E6%B5%99C99999"                                       },
    {"ConfigUpload, document 5.7",
     "park_code=1101010030&appid=jigb2abc&config_items=%7B%22reserved_out_time%22%3A1800"
     "%7D"                                                                            },
};

static void
s_check_printed (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (printed); i++) {
        pb_pairs_t form;
        pb_buffer_t again = {.env = env};
        const char *why = NULL;
        size_t size = strlen (printed[i].body);
        pb_form_read (env, (pb_bytes_t){printed[i].body, size}, &form, &why);
        pb_form_write (&again, &form);
        site_ok (site_is (pb_done (&again), printed[i].body), printed[i].promise,
                 pb_done (&again));
    }
}

//  Indata and Outdata as printed there, made from our own events.
static void
s_check_made (void)
{
    static const char indata[] =
        "auth_type=0\nbody_color=0\ncar_type=1\nin_code=1\nin_time=1537155122\nlogo=0\n"
        "model=0\npark_code=5201030001\nplate_color=0\npower_type=1\nrecord_id="
        "20180917113202192\nvpl_number=京A12311\n";
    static const char outdata[] =
        "charge_items=[{\"should_pay\":1,\"actual_pay\":1,\"pay_type\":99,"
        "\"toll_collector\":\"Doraemon\",\"seq_num\":\"520600NCcLjxR1550560951699014cmb\","
        "\"time\":1550560954}]\nin_code=1\nin_time=1550049030\nout_code=1\nout_time="
        "1550562547\npark_code=5201030001\nrecord_id=2019213091030\nvpl_number="
        "浙C99999\n";
    static const char in_data[] =
        "{\"plate\":\"京A12311\",\"plate_color\":\"blue\",\"body_color\":\"blue\",\"make\":"
        "\"0\",\"body\":\"other\",\"user_class\":\"temporary\",\"vehicle_class\":\"small\","
        "\"energy\":\"ordinary\"}";
    static const char out_data[] =
        "{\"plate\":\"浙C99999\",\"entered_at\":\"2019-02-13T17:10:30+08:00\",\"lane_in\":"
        "\"in-1\",\"total_due\":1,\"settlement\":\"paid\",\"payments\":[{\"tender\":"
        "\"cmb\",\"due\":1,\"paid\":1,\"ref\":\"520600NCcLjxR1550560951699014cmb\","
        "\"paid_at\":\"2019-02-19T15:22:34+08:00\",\"cashier\":\"Doraemon\"}]}";
    pb_harness_t *site = site_new ();
    pb_message_t message = {
        .struct_size = sizeof message,
        .type = "in.recorded",
        .visit = "20180917113202192",
        .lot = "north",
        .lane = "in-1",
        .time_ms = INT64_C (1537155122000),
        .data = {in_data, sizeof in_data - 1}
    };
    int rc = pb_harness_encode (site, &message);
    char *got = rc == PB_OK ? site_lines (site->body) : NULL;
    site_ok (site_is (got, indata), "the document's Indata from our event", got);
    free (got);
    message.type = "out.recorded";
    message.visit = "2019213091030";
    message.lane = "out-2";
    message.time_ms = INT64_C (1550562547000);
    message.data = (pb_bytes_t){out_data, sizeof out_data - 1};
    rc = pb_harness_encode (site, &message);
    got = rc == PB_OK ? site_lines (site->body) : NULL;
    site_ok (site_is (got, outdata), "the document's Outdata from our event", got);
    free (got);
    pb_harness_destroy (&site);
}

int
main (void)
{
    pb_harness_t *memory = site_new ();
    pb_env_t env = {&memory->host, &memory->call};
    char *text = s_read ("sign-vectors.json");
    const char *why = NULL;
    const pb_json_t *rows =
        pb_json_read (&env, (pb_bytes_t){text, strlen (text)}, &why);
    site_ok (rows && rows->first, "the vectors can be read", why);
    for (const pb_json_t *row = rows ? rows->first : NULL; row; row = row->next)
        s_check_vector (&env, row);
    s_check_printed (&env);
    s_check_made ();
    free (text);
    pb_harness_destroy (&memory);
    return site_end ();
}
