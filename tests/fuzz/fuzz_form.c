//  fuzz_form.c - arbitrary bytes as CMB: forms, rightly and wrongly signed, the billing
//  program's answers, CMB's answers, and the data of our own events.
//
//  The first byte chooses what the rest is. Whatever comes in, there is one reply, events
//  only with a good signature, and every event is one that the journal takes.

#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/cmb/site.h"
#include "sdk/form.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const routes[] = {"cmbParking/calc", "cmbParking/pay",
                                     "cmbParking/autoPayBind",
                                     "cmbParking/autoPayUnbind"};
static const char *const types[] = {"in.recorded", "out.recorded", "space.changed"};

static pb_harness_t *
s_site (void)
{
    static pb_harness_t *site;
    if (site && site->onces_count > PB_HARNESS_EVENTS / 2)
        pb_harness_destroy (&site);
    if (!site)
        site = site_new ();
    return site;
}

static void
s_check_push (const pb_harness_t *site, int rc)
{
    assert (rc == PB_MORE || site->replies == 1 || rc == PB_NOMEM);
    assert (rc == PB_OK || rc == PB_DUP || !site->events_count);
    bool done = site->reply && strstr (site->reply, "{\"status\":0,");
    assert (rc == PB_OK || rc == PB_DUP || rc == PB_MORE || !done);
    assert (!site->events_count || done);
    for (size_t i = 0; i < site->events_count; i++)
        assert (!site_refused (&site->events[i]));
}

static int
s_push (pb_harness_t *site, const char *route, const char *body, size_t size)
{
    int rc = pb_harness_receive (site, route, body, size);
    s_check_push (site, rc);
    return rc;
}

//  A form that is signed rightly, then what the billing program says to it.
static void
s_signed_push (pb_harness_t *site, const char *route, const char *body, size_t size)
{
    static const char *const except[] = {"sign", "pic_con", NULL};
    const char *answer = memchr (body, '\n', size);
    size_t form_size = answer ? (size_t) (answer - body) : size;
    pb_harness_t *memory = pb_harness_new (&pb_plugin_v1);
    memory->call.host = memory;
    pb_env_t env = {&memory->host, &memory->call};
    pb_pairs_t form;
    const char *why = NULL;
    char sign[33];
    if (pb_form_read (&env, (pb_bytes_t){body, form_size}, &form, &why) == PB_OK
        && !pb_pairs_get (&form, "sign")) {
        pb_buffer_t again = {.env = &env};
        pb_harness_md5 (pb_form_canonical (&env, &form, except), SECRET, sign);
        pb_pairs_add (&env, &form, "sign", sign, false);
        pb_form_write (&again, &form);
        int rc = s_push (site, route, pb_done (&again), again.size);
        assert (!site_is (site->reply, "{\"status\":1,\"message\":\"签名错误\"}"));
        if (rc == PB_MORE) {
            char *json = answer ? strndup (answer + 1, size - form_size - 1) : NULL;
            rc = pb_harness_answer (site, json ? NULL : "timeout", json);
            s_check_push (site, rc);
            free (json);
        }
    }
    pb_harness_destroy (&memory);
}

static void
s_report (pb_harness_t *site, const char *type, const char *text, bool answer)
{
    static const char sound[] = "{\"plate\":\"京A12311\"}";
    const char *data = answer ? sound : text;
    pb_message_t message = {
        .struct_size = sizeof message,
        .type = type,
        .visit = "V1",
        .lot = "north",
        .lane = "in-1",
        .time_ms = INT64_C (1795219200000),
        .data = {data, strlen (data)}
    };
    if (answer) {
        int rc = pb_harness_decode (site, &message, 200, text);
        assert (rc == PB_OK || site->sentence);
    } else if (pb_harness_encode (site, &message) == PB_OK) {
        assert (strlen (site->body) > 40 && strstr (site->body, "&sign="));
    }
    for (size_t i = 0; i < site->events_count; i++)
        assert (!site_refused (&site->events[i]));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    pb_harness_t *site = s_site ();
    unsigned which = data[0] % 16;
    char *text = strndup ((const char *) data + 1, size - 1);
    if (which < 4)
        s_push (site, routes[which], (const char *) data + 1, size - 1);
    else if (which < 8)
        s_signed_push (site, routes[which - 4], (const char *) data + 1, size - 1);
    else
        s_report (site, types[which % 3], text, which & 4);
    free (text);
    return 0;
}
