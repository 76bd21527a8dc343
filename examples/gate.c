//  gate.c - a gate program for one car park, written against the protocol PB1 alone.
//
//      gate [COMMANDS-ENDPOINT [LOT [SPACES]]]
//
//  Its cameras and buttons are lines on standard input:
//      in LANE PLATE [TIME]     a car stands at an entry
//      out LANE PLATE [TIME]    a car stands at an exit: it leaves when nothing is due
//      cash LANE OPERATOR [TIME]  the cashier takes what is due at this exit
//  What it does is a line on standard output: open, due, unknown. Nothing is kept here: who
//  is inside and what he owes is asked for (fee.quote), payments are read from the journal.

#define _GNU_SOURCE
#include <czmq.h>
#include <json-c/json.h>

#define LANES 16

typedef struct {
    char lane[33], plate[65], visit[49], waiting[37],
        paid[65];       //  paid: the last capture
    json_object *quote; //  What it owes
} exit_t;

static zsock_t *bus;
static const char *lot = "north";
static int64_t spaces = 300, next_seq = 1, requests;
static exit_t exits[LANES];
static char now[40]; //  The time of what is done: the line's, or the clock's

static const char *
text (json_object *map, const char *name)
{
    json_object *value = NULL;
    json_object_object_get_ex (map, name, &value);
    return value ? json_object_get_string (value) : "";
}

static int64_t
number (json_object *map, const char *name)
{
    json_object *value = NULL;
    json_object_object_get_ex (map, name, &value);
    return json_object_get_int64 (value);
}

//  Ask and wait. Sent again until it is answered: the same event ids, so nothing doubles.
//  `extra` is CALL's body, or NULL. *more, when asked for, gets the frames that follow.
static json_object *
ask (const char *verb, const char *frame, const char *extra, zmsg_t **more)
{
    char rid[24], *pb1, *got, *back, *first;
    zmsg_t *rest = NULL;
    json_object *answer = NULL;
    snprintf (rid, sizeof rid, "g%" PRId64, ++requests);
    while (!answer && !zsys_interrupted) {
        if (extra)
            zsock_send (bus, "sssss", "PB1", verb, rid, frame, extra);
        else
            zsock_send (bus, "ssss", "PB1", verb, rid, frame);
        while (!answer
               && !zsock_recv (bus, "ssssm", &pb1, &got, &back, &first, &rest)) {
            bool ours = back && streq (back, rid);
            char *body = ours && streq (got, "REPLY") ? zmsg_popstr (rest) : NULL;
            if (ours)
                answer = json_tokener_parse (body ? body : first);
            if (ours && streq (got, "ERROR"))
                fprintf (stderr, "gate: %s: %s\n", verb, text (answer, "message"));
            free (pb1), free (got), free (back), free (first), free (body);
            if (answer && more)
                *more = rest;
            else
                zmsg_destroy (&rest);
        }
    }
    return answer;
}

//  Publish one event; `data` is a JSON object. The id that it got goes to `id`.
static void
publish (const char *type, const char *visit, const char *lane, char id[37],
         const char *data, ...)
{
    va_list args;
    va_start (args, data);
    char *filled = zsys_vprintf (data, args), place[64] = "", event[2048];
    va_end (args);
    zuuid_t *uuid = zuuid_new ();
    snprintf (id, 37, "%s", zuuid_str_canonical (uuid));
    if (lane)
        snprintf (place, sizeof place, ",\"lane\":\"%s\"", lane);
    snprintf (event, sizeof event,
              "{\"id\":\"%s\",\"source\":\"gate\",\"type\":\"%s\",\"time\":\"%s\","
              "\"lot\":\"%s\"%s%s%s%s,\"data\":%s}",
              id, type, now, lot, place, *visit ? ",\"subject\":\"" : "", visit,
              *visit ? "\"" : "", filled);
    json_object *answer = ask ("PUBLISH", event, NULL, NULL), *results;
    if (json_object_object_get_ex (answer, "results", &results)
        && strstr (json_object_to_json_string (results), "\"error\""))
        fprintf (stderr, "gate: %s: %s\n", type, json_object_to_json_string (results));
    json_object_put (answer);
    zuuid_destroy (&uuid);
    zstr_free (&filled);
}

static json_object *
quote (const char *mode, const char *member, const char *value)
{
    char head[64], body[256];
    snprintf (head, sizeof head, "{\"service\":\"fee.quote\",\"lot\":\"%s\"}", lot);
    snprintf (body, sizeof body, "{\"mode\":\"%s\",\"%s\":\"%s\"}", mode, member,
              value);
    return ask ("CALL", head, body, NULL);
}

static void
car_in (const char *lane, const char *plate)
{
    char id[37], visit[33];
    zuuid_t *uuid = zuuid_new ();
    snprintf (visit, sizeof visit, "V%.20s", zuuid_str (uuid));
    publish ("lane.waiting", visit, lane, id, "{\"direction\":\"in\",\"plate\":\"%s\"}",
             plate);
    publish (
        "in.recorded", visit, lane, id,
        "{\"plate\":\"%s\",\"vehicle_class\":\"small\",\"user_class\":\"temporary\","
        "\"spaces_free\":%" PRId64 "}",
        plate, --spaces);
    publish ("gate.opened", visit, lane, id,
             "{\"reason\":\"entry\",\"because\":\"%s\"}", id);
    publish ("lane.cleared", visit, lane, id, "{\"direction\":\"in\"}");
    publish ("space.changed", "", NULL, id, "{\"free\":%" PRId64 "}", spaces);
    printf ("open %s %s\n", lane, plate);
    zuuid_destroy (&uuid);
}

static exit_t *
at_exit (const char *lane)
{
    for (exit_t *at = exits; at < exits + LANES; at++) {
        if (streq (at->lane, lane))
            return at;
    }
    return NULL;
}

//  Nothing is due: let the car go. `because` is what justifies it.
static void
open_exit (exit_t *at)
{
    char id[37];
    int64_t total = number (at->quote, "total");
    publish ("gate.opened", at->visit, at->lane, id,
             "{\"reason\":\"%s\",\"because\":\"%s\",\"plate\":\"%s\"}",
             total ? "paid" : "free", *at->paid ? at->paid : at->waiting, at->plate);
    publish ("out.recorded", at->visit, at->lane, id,
             "{\"plate\":\"%s\",\"entered_at\":\"%s\",\"total_due\":%" PRId64
             ",\"settlement\":\"%s\",\"spaces_free\":%" PRId64 "}",
             at->plate, text (at->quote, "entered_at"), total, total ? "paid" : "free",
             ++spaces);
    publish ("lane.cleared", at->visit, at->lane, id, "{\"direction\":\"out\"}");
    publish ("space.changed", "", NULL, id, "{\"free\":%" PRId64 "}", spaces);
    printf ("open %s %s\n", at->lane, at->plate);
    json_object_put (at->quote);
    *at = (exit_t){0};
}

//  What does the car at this exit owe now?
static void
look (exit_t *at)
{
    json_object_put (at->quote);
    at->quote = *at->visit ? quote ("visit", "visit", at->visit)
                           : quote ("plate", "plate", at->plate);
    snprintf (at->visit, sizeof at->visit, "%s", text (at->quote, "visit"));
    if (!streq (text (at->quote, "outcome"), "found"))
        printf ("unknown %s %s\n", at->lane, at->plate);
    else if (number (at->quote, "due") == 0)
        open_exit (at);
    else
        printf ("due %s %s %" PRId64 "\n", at->lane, at->plate,
                number (at->quote, "due"));
}

static void
car_out (const char *lane, const char *plate)
{
    exit_t *at = at_exit (lane) ? at_exit (lane) : at_exit ("");
    if (!at)
        return;
    json_object_put (at->quote);
    *at = (exit_t){0};
    snprintf (at->lane, sizeof at->lane, "%s", lane);
    snprintf (at->plate, sizeof at->plate, "%s", plate);
    json_object *found = quote ("plate", "plate", plate);
    publish ("lane.waiting", text (found, "visit"), lane, at->waiting,
             "{\"direction\":\"out\",\"plate\":\"%s\"}", plate);
    json_object_put (found);
    look (at);
}

static void
cash (const char *lane, const char *operator)
{
    exit_t *at = at_exit (lane);
    char id[37];
    zuuid_t *uuid = zuuid_new ();
    if (at && number (at->quote, "due") > 0)
        publish ("pay.captured", at->visit, lane, id,
                 "{\"amount\":%" PRId64 ",\"payment\":\"%s\",\"tender\":\"cash\","
                 "\"witness\":\"person\",\"operator\":\"%s\",\"paid_at\":\"%s\"}",
                 number (at->quote, "due"), zuuid_str (uuid), operator, now);
    zuuid_destroy (&uuid); //  The journal brings it back, as every payment
}

static const struct {
    const char *word;
    void (*deed) (const char *lane, const char *argument);
} words[] = {
    {"in",   car_in },
    {"out",  car_out},
    {"cash", cash   }
};

static void
obey (const char *line)
{
    char word[16], lane[33], argument[65];
    time_t local = time (NULL) + 8 * 3600;
    strftime (now, sizeof now, "%Y-%m-%dT%H:%M:%S+08:00", gmtime (&local));
    if (sscanf (line, "%15s %32s %64s %39s", word, lane, argument, now) < 3)
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (streq (words[i].word, word))
            words[i].deed (lane, argument);
    }
}

//  New payments: does one concern a car that stands here now?
static void
watch (void)
{
    char question[160], *frame;
    zmsg_t *events = NULL;
    snprintf (question, sizeof question,
              "{\"from\":%" PRId64 ",\"filter\":[\"pay.captured.%s\"]}", next_seq, lot);
    json_object *head = ask ("FETCH", question, NULL, &events);
    while (events && zmsg_size (events)) {
        free (zmsg_popstr (events)); //  seq
        frame = zmsg_popstr (events);
        json_object *event = json_tokener_parse (frame);
        for (exit_t *at = exits; at < exits + LANES; at++) {
            if (!*at->visit || !streq (at->visit, text (event, "subject")))
                continue;
            snprintf (at->paid, sizeof at->paid, "%s", text (event, "id"));
            look (at);
        }
        json_object_put (event);
        free (frame);
    }
    next_seq = head ? number (head, "next") : next_seq;
    json_object_put (head);
    zmsg_destroy (&events);
}

int
main (int argc, char **argv)
{
    char line[256];
    zmq_pollitem_t input = {.fd = STDIN_FILENO, .events = ZMQ_POLLIN};
    bus = zsock_new_dealer (argc > 1 ? argv[1] : "tcp://127.0.0.1:5571");
    lot = argc > 2 ? argv[2] : lot;
    spaces = argc > 3 ? atoll (argv[3]) : spaces;
    zsock_set_rcvtimeo (bus, 3000);
    setlinebuf (stdout);
    setvbuf (stdin, NULL, _IONBF, 0); //  So that poll sees what is there
    watch ();
    while (!zsys_interrupted) {
        int ready = zmq_poll (&input, 1, 100);
        if (ready > 0 && !fgets (line, sizeof line, stdin))
            break;
        if (ready > 0)
            obey (line);
        watch ();
    }
    zsock_destroy (&bus);
}
