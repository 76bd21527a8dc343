//  The scaffold does what its README says, in a host in memory.
//
//  The digests were made with Python's hmac over "demo-secret".

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include "parkbus/plugin.h"
#include "promise.h"
#include "sdk/harness.h"

#define COUNT(a) (sizeof (a) / sizeof (a)[0])
#define SECRET "demo-secret"

extern const pb_plugin_t pb_plugin_v1;

#define NOON INT64_C (1795226400000) //  2026-11-21T10:00:00+08:00

//  What the host's functions do for this platform: HMAC by the key's name.
static int
s_sign (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size)
{
    unsigned length = 0;
    (void) call;
    if (seal->algorithm != PB_HMAC_SHA256 || strcmp (seal->key, "secret") || *size < 32)
        return PB_CONFIG;
    HMAC (EVP_sha256 (), SECRET, sizeof SECRET - 1,
          (const unsigned char *) seal->before.data, seal->before.size, out, &length);
    *size = length;
    return PB_OK;
}

static int
s_verify (pb_call_t *call, const pb_seal_t *seal, const void *signature, size_t size)
{
    unsigned char digest[32];
    size_t length = sizeof digest;
    int result = s_sign (call, seal, digest, &length);
    if (result != PB_OK)
        return result;
    return length == size && !CRYPTO_memcmp (digest, signature, size) ? PB_OK : PB_AUTH;
}

static pb_harness_t *
s_new (void)
{
    pb_harness_t *host = pb_harness_new (&pb_plugin_v1);
    host->host.sign = s_sign;
    host->host.verify = s_verify;
    pb_harness_option (host, "partner", "P-77");
    pb_harness_lot (host, "north", "site", "S1");
    pb_harness_lane (host, "north", "lanes", "in-1", "East");
    promise (pb_harness_create (host) == PB_OK, "an instance is made");
    return host;
}

//  ---------------------------------------------------------------- reports

#define PLATE "{\"plate\":\"京A12345\"}"
#define V "V20261121_0001"
#define ENTER \
    "{\"partner\":\"P-77\",\"site\":\"S1\",\"visit\":\"" V "\",\"plate\":\"京A12345\","

// clang-format off
//  `body` NULL: not sent; then `words` stand in the sentence.
static const struct {
    const char *promise;
    const char *lot, *lane, *data;
    int result;
    const char *body, *words;
} reports[] = {
    {"an entry is sent as the document says, signed", "north", "in-1", PLATE, PB_OK,
     ENTER "\"lane\":\"East\",\"entered\":1795226400,\"sign\":"
     "\"0914a902e6169ea20f8d16ca3861bf71764614016fcdcc69351da93fd75f924a\"}", NULL},
    {"a lane without a name is left out", "north", "in-2", PLATE, PB_OK,
     ENTER "\"entered\":1795226400,\"sign\":"
     "\"149d629abf0246e05a8a29adbcea9e61401acc33b9dc01049ad63b81c2bc982d\"}", NULL},
    {"an entry without a plate is set aside", "north", "in-1", "{}", PB_REJECT, NULL,
     "plate"},
    {"a lot without a site is set aside", "south", "in-1", PLATE, PB_REJECT, NULL,
     "site"},
};
// clang-format on

static pb_message_t
s_entry (const char *lot, const char *lane, const char *data)
{
    return (pb_message_t){
        .struct_size = sizeof (pb_message_t),
        .kind = PB_MESSAGE_EVENT,
        .id = "e-1",
        .type = "in.recorded",
        .source = "gate",
        .visit = V,
        .lot = lot,
        .lane = lane,
        .time_ms = NOON,
        .data = {data, strlen (data)},
    };
}

static void
s_check_reports (pb_harness_t *host)
{
    for (size_t i = 0; i < COUNT (reports); i++) {
        pb_message_t message =
            s_entry (reports[i].lot, reports[i].lane, reports[i].data);
        int result = pb_harness_encode (host, &message);
        bool kept = result == reports[i].result;
        if (reports[i].body)
            kept = kept && host->body && !strcmp (host->body, reports[i].body)
                   && !strcmp (host->request.path, "/enter");
        else
            kept = kept && host->sentence && strstr (host->sentence, reports[i].words);
        if (!promise (kept, "%s", reports[i].promise))
            printf ("# %d %s %s\n", result, host->body ? host->body : "",
                    host->sentence ? host->sentence : "");
    }
}

// clang-format off
static const struct {
    const char *promise;
    unsigned status;
    const char *body;
    int result;
} answers[] = {
    {"ok is done", 200, "{\"ok\":true}", PB_OK},
    {"known already is done", 200, "{\"ok\":false,\"code\":\"known\"}", PB_DUP},
    {"busy is asked again", 200, "{\"ok\":false,\"code\":\"busy\"}", PB_RETRY},
    {"our signature is wrong", 200, "{\"ok\":false,\"code\":\"bad_sign\"}", PB_AUTH},
    {"our number is wrong", 200, "{\"ok\":false,\"code\":\"partner\"}", PB_CONFIG},
    {"any other no is a no", 200, "{\"ok\":false,\"code\":\"plate\"}", PB_REJECT},
    {"a no without a code is a no", 200, "{\"ok\":false}", PB_REJECT},
    {"ok in quotes is not their ok", 200, "{\"ok\":\"true\"}", PB_RETRY},
    {"nonsense is not done", 200, "<html>", PB_RETRY},
    {"a list is not done", 200, "[true]", PB_RETRY},
    {"an empty answer is not done", 200, "", PB_RETRY},
    {"a broken platform is asked again", 503, "{\"ok\":true}", PB_RETRY},
    {"silence is not an answer", 0, NULL, PB_RETRY},
};
// clang-format on

static void
s_check_answers (pb_harness_t *host)
{
    pb_message_t message = s_entry ("north", "in-1", PLATE);
    for (size_t i = 0; i < COUNT (answers); i++) {
        pb_harness_encode (host, &message);
        int result =
            pb_harness_decode (host, &message, answers[i].status, answers[i].body);
        promise (result == answers[i].result, "%s", answers[i].promise);
    }
}

//  ---------------------------------------------------------------- pushes

#define PUSH(order, amount, sign)                                                  \
    "{\"partner\":\"P-77\",\"site\":\"S1\",\"visit\":\"" V "\",\"order\":\"" order \
    "\",\"amount\":" amount ",\"paid\":1795226400,\"sign\":\"" sign "\"}"
#define SIGN "0cc7d0e7645e982cfc9b6f4308fc11e4b422284cf0dc672d276612017408e782"
#define GOOD PUSH ("E-1", "1250", SIGN)

// clang-format off
static const struct {
    const char *promise;
    const char *body;
    int result;
    unsigned status;
    const char *reply;
} refusals[] = {
    {"another amount under the same signature", PUSH ("E-1", "1", SIGN), PB_AUTH, 401,
     "bad_sign"},
    {"no signature", "{\"partner\":\"P-77\"}", PB_AUTH, 401, "bad_sign"},
    {"half a signature", PUSH ("E-1", "1250", "0cc7"), PB_AUTH, 401, "bad_sign"},
    {"a signature that is no hex", PUSH ("E-1", "1250", "zz"), PB_AUTH, 401,
     "bad_sign"},
    {"a field of theirs that was added",
     "{\"gift\":1,\"partner\":\"P-77\",\"site\":\"S1\",\"visit\":\"" V "\",\"order\":"
     "\"E-1\",\"amount\":1250,\"paid\":1795226400,\"sign\":\"" SIGN "\"}", PB_AUTH, 401,
     "bad_sign"},
    {"a field that is an object",
     "{\"gift\":{},\"partner\":\"P-77\",\"site\":\"S1\",\"visit\":\"" V "\",\"order\":"
     "\"E-1\",\"amount\":1250,\"paid\":1795226400,\"sign\":\"" SIGN "\"}", PB_AUTH, 401,
     "bad_sign"},
    {"no JSON", "order=E-1", PB_BADMSG, 400, "json"},
    {"a list", "[1]", PB_BADMSG, 400, "json"},
    {"nothing at all", "", PB_BADMSG, 400, "json"},
};
// clang-format on

static void
s_check_refusals (pb_harness_t *host)
{
    for (size_t i = 0; i < COUNT (refusals); i++) {
        int result = pb_harness_receive (host, "paid", refusals[i].body,
                                         strlen (refusals[i].body));
        bool kept = result == refusals[i].result && host->events_count == 0
                    && host->reply_status == refusals[i].status && host->replies == 1
                    && strstr (host->reply, refusals[i].reply) && host->sentence;
        if (!promise (kept, "refused, in their own form: %s", refusals[i].promise))
            printf ("# %d %d %s\n", result, (int) host->reply_status,
                    host->reply ? host->reply : "");
    }
}

//  Sign fields that are right but for one, as the platform could.
static int
s_push_signed (pb_harness_t *host, const char *partner, const char *site,
               const char *amount)
{
    char text[256], body[512], hex[65];
    unsigned char digest[32];
    size_t size = sizeof digest;
    snprintf (text, sizeof text,
              "amount=%s&order=E-2&paid=1795226400&partner=%s&site=%s&visit=" V, amount,
              partner, site);
    pb_seal_t seal = {
        .algorithm = PB_HMAC_SHA256, .key = "secret", .before = {text, strlen (text)}
    };
    s_sign (NULL, &seal, digest, &size);
    for (size_t i = 0; i < size; i++)
        snprintf (hex + 2 * i, 3, "%02x", digest[i]);
    snprintf (body, sizeof body,
              "{\"amount\":%s,\"order\":\"E-2\",\"paid\":1795226400,\"partner\":\"%s\","
              "\"site\":\"%s\",\"visit\":\"" V "\",\"sign\":\"%s\"}",
              amount, partner, site, hex);
    return pb_harness_receive (host, "paid", body, strlen (body));
}

static void
s_check_capture (pb_harness_t *host)
{
    int result = pb_harness_receive (host, "paid", GOOD, strlen (GOOD));
    bool kept = result == PB_OK && host->events_count == 1 && host->replies == 1
                && host->reply_status == 200 && !strcmp (host->reply, "{\"ok\":true}");
    promise (kept, "a payment becomes one event and is acknowledged");
    const pb_harness_event_t *event = &host->events[0];
    kept = kept && !strcmp (event->type, "pay.captured") && !strcmp (event->visit, V)
           && !strcmp (event->lot, "north") && !strcmp (event->key, "paid:E-1")
           && strstr (event->data, "\"amount\":1250")
           && strstr (event->data, "\"payment\":\"E-1\"")
           && strstr (event->data, "\"witness\":\"push\"")
           && strstr (event->data, "\"paid_at\":\"2026-11-21T10:00:00+08:00\"");
    if (!promise (kept, "it says amount, order, visit and lot, under its natural key"))
        printf ("# %s\n", host->events_count ? event->data : "no event");

    result = pb_harness_receive (host, "paid", GOOD, strlen (GOOD));
    promise (result == PB_DUP && host->events_count == 0,
             "the same push again: no event");
    host->late_duplicates = true;
    result = pb_harness_receive (host, "paid", GOOD, strlen (GOOD));
    promise (result == PB_OK && host->events_count == 0 && host->replies == 1,
             "nor when the host says so only later");
    host->late_duplicates = false;

    promise (s_push_signed (host, "P-77", "S1", "5") == PB_OK,
             "another order is another");
    promise (s_push_signed (host, "P-78", "S1", "5") == PB_AUTH
                 && host->events_count == 0,
             "another partner's push is refused");
    promise (s_push_signed (host, "P-77", "S9", "5") == PB_REJECT && host->replies == 1
                 && host->events_count == 0,
             "a site that no lot has is refused");
    promise (s_push_signed (host, "P-77", "S1", "-5") == PB_BADMSG
                 && host->events_count == 0,
             "money less than nothing is refused");
}

//  Memory may run out at any piece: the call fails, and nothing is told.
static void
s_check_memory (pb_harness_t *host)
{
    bool honest = true;
    int result = PB_NOMEM;
    for (long room = 0; room < 400 && result != PB_DUP; room++) {
        host->allocations = room;
        result = pb_harness_receive (host, "paid", GOOD, strlen (GOOD));
        honest = honest && (result == PB_DUP || host->events_count == 0);
    }
    host->allocations = -1;
    promise (honest && result == PB_DUP, "without memory nothing is said to be done");
}

int
main (void)
{
    pb_harness_t *host = s_new ();
    s_check_reports (host);
    s_check_answers (host);
    s_check_refusals (host);
    s_check_capture (host);
    s_check_memory (host);
    pb_harness_destroy (&host);
    return promises_kept ();
}
