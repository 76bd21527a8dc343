//  gate.c - a gate program for one car park, written against the protocol PB1 alone.
//
//      gate [COMMANDS-ENDPOINT [LOT [SPACES]]]
//
//  Its cameras and buttons are lines on standard input:
//      in LANE PLATE [TIME]       a car stands at an entry
//      out LANE PLATE [TIME]      a car stands at an exit: it leaves when nothing is due
//      cash LANE OPERATOR [TIME]  the cashier takes what is due at this exit
//  What it does is a line on standard output: open, due, unknown. What a car owes it asks
//  for (fee.quote); payments it reads in the journal.

#define _GNU_SOURCE
#include <czmq.h>
#include <json-c/json.h>

#define get json_object_object_get
#define number(map, name) json_object_get_int64 (get (map, name))

static zsock_t *bus;
static json_object *exits; //  By lane: plate, quote, because (the event that opens)
static const char *lot = "north";
static int64_t spaces = 300, next_seq = 1;
static char now[40], source[48];

static const char *
text (json_object *map, const char *name)
{
    json_object *value = get (map, name);
    return value ? json_object_get_string (value) : "";
}

static void
set (json_object *map, const char *name, const char *value)
{
    if (*value)
        json_object_object_add (map, name, json_object_new_string (value));
}

//  Ask until there is an answer. An event keeps its id, so nothing doubles. What `ask`
//  returns is the last frame; *more, when wanted, all that follow the first.
static json_object *
ask (const char *verb, const char *first, const char *second, zmsg_t **more)
{
    char rid[24], *pb1, *got, *back, *last;
    json_object *answer = NULL;
    zmsg_t *rest;
    snprintf (rid, sizeof rid, "%" PRId64, zclock_usecs ());
    while (!answer && !zsys_interrupted) {
        zsock_send (bus, second ? "sssss" : "ssss", "PB1", verb, rid, first, second);
        while (!answer && !zsock_recv (bus, "ssssm", &pb1, &got, &back, &last, &rest)) {
            char *body = streq (got, "REPLY") ? zmsg_popstr (rest) : NULL;
            if (streq (back, rid)) //  Else a late answer to an earlier question
                answer = json_tokener_parse (body ? body : last);
            if (answer && more)
                *more = zmsg_dup (rest);
            free (pb1), free (got), free (back), free (last), free (body);
            zmsg_destroy (&rest);
        }
    }
    return answer;
}

//  One event; its id. `data` is JSON in single quotes, which json-c reads, too.
static const char *
publish (const char *type, const char *lane, const char *visit, const char *data, ...)
{
    static char id[37];
    va_list args;
    va_start (args, data);
    char *filled = zsys_vprintf (data, args);
    va_end (args);
    zuuid_t *uuid = zuuid_new ();
    json_object *event = json_object_new_object (), *answer;
    snprintf (id, sizeof id, "%s", zuuid_str_canonical (uuid));
    set (event, "id", id);
    set (event, "source", source);
    set (event, "type", type);
    set (event, "time", now);
    set (event, "lot", lot);
    set (event, "lane", lane);
    set (event, "subject", visit);
    json_object_object_add (event, "data", json_tokener_parse (filled));
    answer = ask ("PUBLISH", json_object_to_json_string (event), NULL, NULL);
    if (strstr (json_object_to_json_string (answer), "\"message\""))
        fprintf (stderr, "gate: %s\n", json_object_to_json_string (answer));
    json_object_put (event), json_object_put (answer);
    zuuid_destroy (&uuid), free (filled);
    return id;
}

//  The barrier opens, and the car is on the other side.
static void
drive_through (const char *lane, const char *visit, const char *plate,
               const char *reason, const char *because)
{
    publish ("gate.opened", lane, visit, "{'reason':'%s','because':'%s','plate':'%s'}",
             reason, because, plate);
    publish ("lane.cleared", lane, visit, "{'direction':'%s'}",
             streq (reason, "entry") ? "in" : "out");
    publish ("space.changed", "", "", "{'free':%" PRId64 "}", spaces);
    printf ("open %s %s\n", lane, plate);
}

static void
car_in (const char *lane, const char *plate)
{
    char visit[40], entry[37];
    snprintf (visit, sizeof visit, "V%" PRId64, zclock_usecs ());
    publish ("lane.waiting", lane, visit, "{'direction':'in','plate':'%s'}", plate);
    strcpy (entry, publish ("in.recorded", lane, visit,
                            "{'plate':'%s','user_class':'temporary','spaces_free':%d}",
                            plate, (int) --spaces));
    drive_through (lane, visit, plate, "entry", entry);
}

//  What does the car at this exit owe now?
static void
look (const char *lane, json_object *car)
{
    char head[80], body[80];
    const char *plate = text (car, "plate");
    snprintf (head, sizeof head, "{\"service\":\"fee.quote\",\"lot\":\"%s\"}", lot);
    snprintf (body, sizeof body, "{\"mode\":\"lane\",\"lane\":\"%s\"}", lane);
    json_object *quote = ask ("CALL", head, body, NULL);
    json_object_object_add (car, "quote", quote);
    int total = (int) number (quote, "total"), due = (int) number (quote, "due");
    if (!streq (text (quote, "outcome"), "found"))
        printf ("unknown %s %s\n", lane, plate);
    else if (due)
        printf ("due %s %s %d\n", lane, plate, due);
    else {
        const char *visit = text (quote, "visit"), *how = total ? "paid" : "free";
        publish ("out.recorded", lane, visit,
                 "{'plate':'%s','entered_at':'%s','total_due':%d,'settlement':'%s',"
                 "'spaces_free':%d}",
                 plate, text (quote, "entered_at"), total, how, (int) ++spaces);
        drive_through (lane, visit, plate, how, text (car, "because"));
        json_object_object_del (exits, lane);
    }
}

static void
car_out (const char *lane, const char *plate)
{
    json_object *car = json_object_new_object ();
    set (car, "plate", plate);
    set (car, "because",
         publish ("lane.waiting", lane, "", "{'direction':'out','plate':'%s'}", plate));
    json_object_object_add (exits, lane, car);
    look (lane, car);
}

static void
cash (const char *lane, const char *operator)
{
    json_object *quote = get (get (exits, lane), "quote");
    int due = (int) number (quote, "due");
    if (due) {
        json_object_object_del (quote, "due"); //  Once: watch() finds the payment
        publish ("pay.captured", lane, text (quote, "visit"),
                 "{'amount':%d,'payment':'R%" PRId64 "','tender':'cash',"
                 "'witness':'person','operator':'%s','paid_at':'%s'}",
                 due, zclock_usecs (), operator, now);
    }
}

//  New payments: does one concern a car that stands here now?
static void
watch (void)
{
    char question[100], *seq;
    zmsg_t *events = NULL;
    snprintf (question, sizeof question,
              "{\"from\":%" PRId64 ",\"filter\":[\"pay.captured.%s\"]}", next_seq, lot);
    json_object *head = ask ("FETCH", question, NULL, &events);
    for (; events && (seq = zmsg_popstr (events)); free (seq)) {
        char *json = zmsg_popstr (events);
        json_object *event = json_tokener_parse (json);
        struct lh_entry *entry, *after;
        lh_foreach_safe (json_object_get_object (exits), entry, after)
        {
            json_object *car = (json_object *) lh_entry_v (entry);
            const char *visit = text (get (car, "quote"), "visit");
            if (*visit && streq (visit, text (event, "subject"))) {
                set (car, "because", text (event, "id"));
                look (lh_entry_k (entry), car);
            }
        }
        json_object_put (event);
        free (json);
    }
    next_seq = get (head, "next") ? number (head, "next") : next_seq;
    json_object_put (head);
    zmsg_destroy (&events);
}

static const struct {
    const char *word;
    void (*deed) (const char *lane, const char *argument);
} words[] = {
    {"in",   car_in },
    {"out",  car_out},
    {"cash", cash   }
};

int
main (int argc, char **argv)
{
    char line[256], word[16], lane[33], argument[65];
    zmq_pollitem_t input = {.fd = STDIN_FILENO, .events = ZMQ_POLLIN};
    bus = zsock_new_dealer (argc > 1 ? argv[1] : "tcp://127.0.0.1:5571");
    lot = argc > 2 ? argv[2] : lot;
    spaces = argc > 3 ? atoll (argv[3]) : spaces;
    snprintf (source, sizeof source, "%s/gate", lot);
    exits = json_object_new_object ();
    zsock_set_rcvtimeo (bus, 3000);
    setlinebuf (stdout);
    setvbuf (stdin, NULL, _IONBF, 0); //  So that poll sees what is there
    for (; !zsys_interrupted; watch ()) {
        if (zmq_poll (&input, 1, 100) < 1)
            continue;
        if (!fgets (line, sizeof line, stdin))
            break;
        time_t clock = time (NULL);
        strftime (now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime (&clock));
        if (strpbrk (line, "'\"\\")
            || sscanf (line, "%15s %32s %64s %39s", word, lane, argument, now) < 3)
            continue;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (streq (words[i].word, word))
                words[i].deed (lane, argument);
        }
    }
    zsock_destroy (&bus);
}
