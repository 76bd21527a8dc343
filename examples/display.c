//  display.c - a display board: what parkbus publishes, as a line for people.
//
//      display [EVENTS-ENDPOINT]
//
//  A SUB socket gets live events only; who must not miss one uses FETCH or SUBSCRIBE.

#include <czmq.h>
#include <json-c/json.h>

static const struct {
    const char *topic, *words;
} shown[] = {
    {"fee.quoted.",    "to pay"       },
    {"pay.captured.",  "paid"         },
    {"bind.added.",    "pays by phone"},
    {"gate.opened.",   "please drive" },
    {"space.changed.", "free spaces"  },
};

static const char *
text (json_object *map, const char *name)
{
    json_object *value = NULL;
    json_object_object_get_ex (map, name, &value);
    return value ? json_object_get_string (value) : "";
}

static void
show (const char *words, json_object *event)
{
    static const char *const amounts[] = {"due", "amount"};
    json_object *data = NULL, *amount = NULL;
    json_object_object_get_ex (event, "data", &data);
    printf ("[%s%s%s] %s %s %s", text (event, "lot"), *text (event, "lane") ? " " : "",
            text (event, "lane"), text (data, "plate"), words, text (data, "free"));
    for (size_t i = 0; i < 2; i++) {
        if (!json_object_object_get_ex (data, amounts[i], &amount))
            continue;
        int64_t fen = json_object_get_int64 (amount); //  Integers only: 1250 is 12.50
        printf ("%" PRId64 ".%02d yuan", fen / 100, (int) (fen % 100));
    }
    printf ("\n");
}

int
main (int argc, char **argv)
{
    char *topic, *seq, *prev, *json;
    zsock_t *events =
        zsock_new_sub (argc > 1 ? argv[1] : "tcp://127.0.0.1:5570", shown[0].topic);
    for (size_t i = 1; i < sizeof shown / sizeof *shown; i++)
        zsock_set_subscribe (events, shown[i].topic);
    setlinebuf (stdout);
    while (!zsock_recv (events, "ssss", &topic, &seq, &prev, &json)) {
        json_object *event = json_tokener_parse (json);
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
            if (strncmp (topic, shown[i].topic, strlen (shown[i].topic)) == 0)
                show (shown[i].words, event);
        }
        json_object_put (event);
        free (topic), free (seq), free (prev), free (json);
    }
    zsock_destroy (&events);
}
