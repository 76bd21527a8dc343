//  billing.c - a billing program: answers fee.quote, written against the protocol PB1 alone.
//
//      billing [COMMANDS-ENDPOINT [LOT]]
//
//  5 yuan for each hour begun, 15 minutes free; who has paid all has 15 minutes to leave.
//  The clock stops when a car stands at an exit. Nothing is kept: before each answer the
//  journal is read to its head. (Corrections, monthly and plateless cars are left out to
//  stay short; tools/sandbox/billing.py has them.)

#define _GNU_SOURCE
#include <czmq.h>
#include <json-c/json.h>

#define get json_object_object_get
#define number(map, name) json_object_get_int64 (get (map, name))
#define set(map, name, n) json_object_object_add (map, name, json_object_new_int64 (n))

static zsock_t *bus;
static json_object *visits, *lanes,
    *asked; //  in.recorded, lane.waiting; open questions
static const char *lot = "north";
static int64_t next_seq = 1;

static const struct {
    const char *type, *key;
    json_object **map; //  NULL: money
    int sign;          //  Something begins, or ends
} meanings[] = {
    {"in.recorded",  "subject", &visits, 1 },
    {"out.recorded", "subject", &visits, -1},
    {"lane.waiting", "lane",    &lanes,  1 },
    {"lane.cleared", "lane",    &lanes,  -1},
    {"pay.captured", "subject", NULL,    1 },
    {"refund.done",  "subject", NULL,    -1},
};

static const char *
text (json_object *map, const char *name)
{
    json_object *value = get (map, name);
    return value ? json_object_get_string (value) : "";
}

static void
learn (json_object *event)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        const char *key = text (event, meanings[i].key);
        json_object *visit = get (visits, key), *data = get (event, "data");
        int sign = meanings[i].sign;
        if (!streq (text (event, "type"), meanings[i].type))
            continue;
        if (meanings[i].map && sign > 0)
            json_object_object_add (*meanings[i].map, key, json_object_get (event));
        else if (meanings[i].map)
            json_object_object_del (*meanings[i].map, key);
        else if (visit) {
            set (visit, "paid",
                 number (visit, "paid") + sign * number (data, "amount"));
            json_object_object_add (visit, "paid_at",
                                    json_object_get (get (event, "time")));
        }
    }
}

//  "2026-11-21T08:00:00.123+08:00" in Unix seconds.
static int64_t
seconds (const char *time)
{
    struct tm t = {0};
    const char *rest = strptime (time, "%Y-%m-%dT%H:%M:%S", &t);
    if (rest)
        strptime (rest + strspn (rest, ".0123456789"), "%z", &t);
    int64_t east = t.tm_gmtoff;
    return timegm (&t) - east;
}

static int64_t
fee (json_object *visit, int64_t until)
{
    int64_t stay = until - seconds (text (visit, "time"));
    return stay <= 900 ? 0 : (stay + 3599) / 3600 * 500;
}

static json_object *
find_plate (json_object *map, const char *plate)
{
    json_object_object_foreach (map, key, event)
    {
        if (*key && streq (text (get (event, "data"), "plate"), plate))
            return event;
    }
    return NULL;
}

//  fee.quote: which visit is meant, and what does it owe?
static char *
quote (json_object *body)
{
    char as_of[32];
    json_object *at = get (lanes, text (body, "lane")); //  Who stands there is meant
    const char *plate = text (at ? get (at, "data") : body, "plate");
    const char *outcome = *plate ? "no_session" : at ? "no_plate" : "no_car";
    json_object *visit = get (visits, text (body, "visit"));
    visit = visit ? visit : find_plate (visits, plate);
    if (!visit)
        return zsys_sprintf ("{\"outcome\":\"%s\"}", outcome);
    at = at ? at : find_plate (lanes, text (get (visit, "data"), "plate"));
    bool leaves = streq (text (get (at, "data"), "direction"), "out");
    time_t now = leaves ? seconds (text (at, "time")) : time (NULL);
    int64_t paid = MAX (number (visit, "paid"), number (body, "captured"));
    int64_t paid_at = MIN (seconds (text (visit, "paid_at")), now);
    bool settled = now - paid_at <= 900 && paid >= fee (visit, paid_at);
    int64_t total = fee (visit, settled ? paid_at : now);
    strftime (as_of, sizeof as_of, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
    return zsys_sprintf (
        "{\"outcome\":\"found\",\"visit\":\"%s\",\"plate\":%s,\"entered_at\":\"%s\","
        "\"as_of\":\"%s\",\"total\":%" PRId64 ",\"paid\":%" PRId64 ",\"due\":%" PRId64
        ",\"leave_within\":900}",
        text (visit, "subject"),
        json_object_to_json_string (get (get (visit, "data"), "plate")),
        text (visit, "time"), as_of, total, paid, MAX (total - paid, 0));
}

//  A question waits under its id until the journal is read to its head.
static void
read_on (const char *xid)
{
    char fetch[100];
    snprintf (fetch, sizeof fetch, "{\"from\":%" PRId64 ",\"filter\":[\"*.*.%s\"]}",
              next_seq, lot);
    zsock_send (bus, "ssss", "PB1", "FETCH", xid, fetch);
}

static void
events (const char *xid, json_object *head, zmsg_t *more)
{
    for (char *seq; (seq = zmsg_popstr (more)); free (seq)) {
        char *event = zmsg_popstr (more);
        json_object *parsed = json_tokener_parse (event);
        if (atoll (seq) >= next_seq) //  Two questions may have read the same
            learn (parsed);
        next_seq = MAX (next_seq, atoll (seq) + 1);
        json_object_put (parsed);
        free (event);
    }
    next_seq = MAX (next_seq, number (head, "next"));
    if (next_seq <= number (head, "head")) {
        read_on (xid);
        return;
    }
    char *reply = quote (get (asked, xid));
    zsock_send (bus, "sssss", "PB1", "REPLY", xid, "{}", reply);
    json_object_object_del (asked, xid);
    free (reply);
}

int
main (int argc, char **argv)
{
    char *pb1, *verb, *id, *head, serve[100], boot[80] = "";
    zmsg_t *more;
    bus = zsock_new_dealer (argc > 1 ? argv[1] : "tcp://127.0.0.1:5571");
    lot = argc > 2 ? argv[2] : lot;
    snprintf (serve, sizeof serve, "{\"services\":[\"fee.quote\"],\"lots\":[\"%s\"]}",
              lot);
    visits = json_object_new_object ();
    lanes = json_object_new_object ();
    asked = json_object_new_object ();
    zsock_set_rcvtimeo (bus, 500);
    for (int64_t ping_at = 0; !zsys_interrupted;) {
        if (zclock_mono () >= ping_at) { //  Who is silent for 30 s is dropped
            zsock_send (bus, "sss", "PB1", "PING", "p");
            ping_at = zclock_mono () + 10000;
        }
        if (zsock_recv (bus, "ssssm", &pb1, &verb, &id, &head, &more))
            continue;
        json_object *parsed = json_tokener_parse (head);
        if (streq (verb, "PONG") //  It began again, or dropped us?
            && (!streq (text (parsed, "boot"), boot)
                || !json_object_array_length (get (parsed, "services")))) {
            zsock_send (bus, "ssss", "PB1", "SERVE", "s", serve);
            snprintf (boot, sizeof boot, "%s", text (parsed, "boot"));
        }
        if (streq (verb, "REQUEST")) {
            char *body = zmsg_popstr (more);
            json_object_object_add (asked, id, json_tokener_parse (body));
            free (body);
            read_on (id);
        }
        if (streq (verb, "EVENTS"))
            events (id, parsed, more);
        json_object_put (parsed);
        free (pb1), free (verb), free (id), free (head);
        zmsg_destroy (&more);
    }
    zsock_destroy (&bus);
}
