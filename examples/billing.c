//  billing.c - a billing program: answers fee.quote, written against the protocol PB1 alone.
//
//      billing [COMMANDS-ENDPOINT [events]]
//
//  5 yuan for each hour begun, the first 15 minutes free, contract cars free, 15 minutes
//  to leave after paying. It keeps nothing of its own: before each answer it reads the
//  journal up to its head, so it can be started again at any time. With "events" the
//  newest event of a gate, or x.clock, is its clock, for days that are replayed.

#define _GNU_SOURCE
#include <czmq.h>
#include <json-c/json.h>

static zsock_t *bus, *journal;      //  For SERVE; for FETCH
static json_object *visits, *lanes; //  By "lot/visit"; by "lot/lane": what stands there
static int64_t next_seq = 1, newest, fetches;

static json_object *
get (json_object *map, const char *name)
{
    json_object *value = NULL;
    json_object_object_get_ex (map, name, &value);
    return value;
}

static const char *
text (json_object *map, const char *name)
{
    json_object *value = get (map, name);
    return value ? json_object_get_string (value) : "";
}

static int64_t
number (json_object *map, const char *name)
{
    return json_object_get_int64 (get (map, name));
}

static void
set_number (json_object *map, const char *name, int64_t value)
{
    json_object_object_add (map, name, json_object_new_int64 (value));
}

//  "2026-11-21T08:00:00.123+08:00" to Unix seconds.
static int64_t
to_unix (const char *time)
{
    struct tm t = {0};
    int hours = 0, minutes = 0;
    const char *rest = strptime (time, "%Y-%m-%dT%H:%M:%S", &t);
    if (!rest)
        return 0;
    rest += strcspn (rest, "Z+-");
    sscanf (rest, "%3d:%2d", &hours, &minutes);
    int seconds = (abs (hours) * 60 + minutes) * 60;
    return timegm (&t) - (*rest == '-' ? -seconds : seconds);
}

static const char *
key (json_object *event, const char *member)
{
    static char room[128];
    snprintf (room, sizeof room, "%s/%s", text (event, "lot"), text (event, member));
    return room;
}

//  ------------------------------------------------------- what events mean for the bill

static void
car_in (json_object *event, json_object *visit)
{
    visit = json_object_get (get (event, "data")); //  And what we add to it
    json_object_object_add (visit, "entered_at", json_object_get (get (event, "time")));
    json_object_object_add (visit, "visit", json_object_get (get (event, "subject")));
    json_object_object_add (visit, "lot", json_object_get (get (event, "lot")));
    json_object_object_add (visits, key (event, "subject"), visit);
}

static void
car_out (json_object *event, json_object *visit)
{
    if (visit)
        json_object_object_del (visits, key (event, "subject"));
}

static void
corrected (json_object *event, json_object *visit)
{
    const char *what = text (get (event, "data"), "what"); //  plate, entered_at, voided
    json_object *value = get (get (event, "data"), what);
    if (value && visit)
        json_object_object_add (visit, what, json_object_get (value));
    else
        car_out (event, visit);
}

static void
paid (json_object *event, json_object *visit)
{
    json_object *data = get (event, "data");
    bool back = streq (text (event, "type"), "refund.done");
    const char *at = text (data, "paid_at");
    if (!visit)
        return;
    set_number (visit, "paid",
                number (visit, "paid") + (back ? -1 : 1) * number (data, "amount"));
    set_number (visit, "paid_at", to_unix (*at ? at : text (event, "time")));
}

static void
at_lane (json_object *event, json_object *visit)
{
    (void) visit;
    bool waits = streq (text (event, "type"), "lane.waiting");
    json_object_object_add (lanes, key (event, "lane"),
                            waits ? json_object_get (event) : NULL);
}

static void
nothing (json_object *event, json_object *visit)
{
    (void) event, (void) visit;
}

static const struct {
    const char *type;
    bool clock;
    void (*learn) (json_object *event, json_object *visit);
} meanings[] = {
    {"in.recorded",  true,  car_in   },
    {"in.corrected", false, corrected},
    {"lane.waiting", true,  at_lane  },
    {"lane.cleared", true,  at_lane  },
    {"pay.captured", false, paid     },
    {"refund.done",  false, paid     },
    {"out.recorded", true,  car_out  },
    {"x.clock",      true,  nothing  },
};

static void
learn (json_object *event)
{
    int64_t time = to_unix (text (event, "time"));
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (!streq (text (event, "type"), meanings[i].type))
            continue;
        meanings[i].learn (event, get (visits, key (event, "subject")));
        if (meanings[i].clock && time > newest)
            newest = time;
    }
}

//  One FETCH. False: parkbusd does not answer.
static bool
read_page (int64_t *head_seq)
{
    char rid[24], question[256], *pb1, *verb, *back, *head_text, *frame;
    zmsg_t *events;
    bool ours = false;
    snprintf (rid, sizeof rid, "f%" PRId64, ++fetches);
    snprintf (question, sizeof question,
              "{\"from\":%" PRId64 ",\"max\":1000,\"filter\":[\"in.>\",\"lane.>\","
              "\"pay.captured.*\",\"refund.done.*\",\"out.recorded.*\",\"x.clock.*\"]}",
              next_seq);
    zsock_send (journal, "ssss", "PB1", "FETCH", rid, question);
    while (!ours) { //  A late answer to an earlier question is passed over
        if (zsock_recv (journal, "ssssm", &pb1, &verb, &back, &head_text, &events))
            return false;
        ours = streq (verb, "EVENTS") && streq (back, rid);
        json_object *head = ours ? json_tokener_parse (head_text) : NULL;
        while (ours && zmsg_size (events)) { //  seq, event, seq, event…
            free (zmsg_popstr (events));
            frame = zmsg_popstr (events);
            json_object *event = json_tokener_parse (frame);
            learn (event);
            json_object_put (event);
            free (frame);
        }
        next_seq = ours ? number (head, "next") : next_seq;
        *head_seq = number (head, "head");
        json_object_put (head);
        free (pb1), free (verb), free (back), free (head_text);
        zmsg_destroy (&events);
    }
    return true;
}

//  ---------------------------------------------------------------------- the question

static int64_t
fee (json_object *visit, int64_t until)
{
    int64_t stay = until - to_unix (text (visit, "entered_at"));
    const char *class = text (visit, "user_class");
    bool visitor = !*class || streq (class, "temporary") || streq (class, "plateless");
    return stay > 900 && visitor ? (stay + 3599) / 3600 * 500 : 0;
}

//  `found`: what this visit costs now.
static void
price (json_object *visit, json_object *body, int64_t now, json_object *reply)
{
    static const char *const same[] = {"visit", "plate", "entered_at"};
    char as_of[40];
    time_t local = now + 8 * 3600;
    int64_t paid = number (visit, "paid"), paid_at = number (visit, "paid_at"), total;
    if (paid < number (body, "captured"))
        paid = number (body, "captured");
    //  Who has paid all has 15 minutes to leave.
    bool leaving = paid && now - paid_at <= 900 && paid >= fee (visit, paid_at);
    total = fee (visit, leaving ? paid_at : now);
    strftime (as_of, sizeof as_of, "%Y-%m-%dT%H:%M:%S+08:00", gmtime (&local));
    for (size_t i = 0; i < 3; i++)
        json_object_object_add (reply, same[i], json_object_get (get (visit, same[i])));
    json_object_object_add (reply, "as_of", json_object_new_string (as_of));
    set_number (reply, "stay", now - to_unix (text (visit, "entered_at")));
    set_number (reply, "total", total);
    set_number (reply, "due", total > paid ? total - paid : 0);
    set_number (reply, "paid", paid);
    set_number (reply, "leave_within", 900);
}

static json_object *
find_plate (const char *lot, const char *plate)
{
    json_object_object_foreach (visits, name, visit)
    {
        (void) name;
        if (*plate && streq (text (visit, "plate"), plate)
            && streq (text (visit, "lot"), lot))
            return visit;
    }
    return NULL;
}

//  fee.quote: which visit is meant, and what does it owe?
static json_object *
quote (json_object *head, json_object *body, int64_t now)
{
    json_object *reply = json_object_new_object (), *visit = NULL;
    char lane[128], name[128];
    snprintf (lane, sizeof lane, "%s/%s", text (head, "lot"), text (body, "lane"));
    json_object *at = get (lanes, lane);
    const char *seen = text (get (at, "data"), "plate"), *outcome = "found";
    const char *car = !at ? "none" : *seen ? "plated" : "plateless";
    bool by_lane = streq (text (body, "mode"), "lane");
    //  In the lane modes who stands there is who is meant; else the plate asked for.
    const char *plate = *text (body, "lane") && *seen ? seen : text (body, "plate");
    const char *id = text (body, "visit");
    if (by_lane && !*id)
        id = text (at, "subject");
    snprintf (name, sizeof name, "%s/%s", text (head, "lot"), id);
    if (*id)
        visit = get (visits, name);
    if (!visit)
        visit = find_plate (text (head, "lot"), plate);
    if (visit)
        price (visit, body, now, reply);
    else {
        outcome = *plate ? "no_session" : !at ? "no_car" : "no_plate";
        json_object_object_add (reply, "plate", json_object_new_string (plate));
    }
    json_object_object_add (reply, "outcome", json_object_new_string (outcome));
    if (*text (body, "lane"))
        json_object_object_add (reply, "car", json_object_new_string (car));
    return reply;
}

static void
answer (const char *xid, const char *head_text, const char *body_text, bool virtual_day)
{
    int64_t head_seq = 0;
    json_object *head = json_tokener_parse (head_text);
    json_object *body = json_tokener_parse (body_text);
    do {
        if (!read_page (&head_seq))
            head_seq = INT64_MAX;
    } while (next_seq <= head_seq && head_seq < INT64_MAX);
    if (head_seq < INT64_MAX) { //  Silence lets the deadline answer
        json_object *reply = quote (head, body, virtual_day ? newest : time (NULL));
        zsock_send (bus, "sssss", "PB1", "REPLY", xid, "{}",
                    json_object_to_json_string_ext (reply, JSON_C_TO_STRING_PLAIN));
        json_object_put (reply);
    }
    json_object_put (head);
    json_object_put (body);
}

int
main (int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5571";
    char *pb1, *verb, *rid, *first, *second, boot[80] = "";
    int64_t ping_at = 0;
    bus = zsock_new_dealer (endpoint);
    journal = zsock_new_dealer (endpoint);
    visits = json_object_new_object ();
    lanes = json_object_new_object ();
    zsock_set_rcvtimeo (bus, 500);
    zsock_set_rcvtimeo (journal, 2000);
    while (!zsys_interrupted) {
        if (zclock_mono () >= ping_at) { //  Who is silent for 30 s is dropped
            zsock_send (bus, "sss", "PB1", "PING", "p");
            ping_at = zclock_mono () + 10000;
        }
        if (zsock_recv (bus, "sssss", &pb1, &verb, &rid, &first, &second))
            continue;
        if (streq (verb, "REQUEST") && second)
            answer (rid, first, second, argc > 2 && streq (argv[2], "events"));
        else if (streq (verb, "PONG") && first) {
            json_object *pong = json_tokener_parse (first);
            //  Another boot, or not registered: (again).
            if (!streq (boot, text (pong, "boot"))
                || !json_object_array_length (get (pong, "services")))
                zsock_send (
                    bus, "ssss", "PB1", "SERVE", "s",
                    "{\"services\":[\"fee.quote\"],\"lots\":[\"*\"],\"lanes\":[\"*\"]}");
            snprintf (boot, sizeof boot, "%s", text (pong, "boot"));
            json_object_put (pong);
        }
        free (pb1), free (verb), free (rid), free (first), free (second);
    }
    zsock_destroy (&bus);
    zsock_destroy (&journal);
    json_object_put (visits);
    json_object_put (lanes);
}
