//  fuzz_event.c - arbitrary bytes as an event and as a body, held against json-c.
//
//  What event_read () takes, json-c takes too; what it writes has the same content; what
//  it writes it reads again, to the byte; and the hash is that of the content alone.

#undef NDEBUG
#include <assert.h>
#include <json-c/json.h>
#include <stdlib.h>
#include "schema/event.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const event_rules_t client = {true, 1795219200123, "+08:00", NULL, NULL, NULL};
static const event_rules_t broker = {false, 1795219200000, "-04:30", NULL, NULL, NULL};

//  NULL: json-c, as strict as it goes, does not take it.
static json_object *
s_parse (const char *text, size_t size)
{
    struct json_tokener *reader = json_tokener_new ();
    json_tokener_set_flags (reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *parsed = json_tokener_parse_ex (reader, text, (int) size);
    size_t end = json_tokener_get_parse_end (reader);
    while (end < size && strchr (" \t\r\n", text[end]))
        end++;
    if (end != size) {
        json_object_put (parsed);
        parsed = NULL;
    }
    json_tokener_free (reader);
    return parsed;
}

//  The same content with the members of every object in the other order.
static json_object *
s_reversed (json_object *value)
{
    if (json_object_is_type (value, json_type_array)) {
        json_object *list = json_object_new_array ();
        for (size_t i = 0; i < json_object_array_length (value); i++)
            json_object_array_add (list,
                                   s_reversed (json_object_array_get_idx (value, i)));
        return list;
    }
    if (!json_object_is_type (value, json_type_object))
        return json_object_get (value);
    size_t count = (size_t) json_object_object_length (value);
    const char **names = xcalloc (count, sizeof *names);
    json_object **values = xcalloc (count, sizeof *values);
    size_t i = 0;
    json_object_object_foreach (value, name, inner)
    {
        names[i] = name;
        values[i++] = inner;
    }
    json_object *object = json_object_new_object ();
    while (i-- > 0)
        json_object_object_add (object, names[i], s_reversed (values[i]));
    free (names);
    free (values);
    return object;
}

//  Written by json-c in this manner, the content hashes the same.
static void
s_same_hash (json_object *content, int manner, const event_rules_t *rules,
             uint64_t hash)
{
    static char room[EVENT_ROOM];
    size_t size;
    const char *text = json_object_to_json_string_length (
        content, manner | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
    event_t event;
    pb_error_t error = {0};
    if (size > EVENT_MAX)
        return;
    bool good = event_read (&event, text, size, rules, room, &error);
    assert (good && event.content_hash == hash);
}

//  All that was sent is in what was written; only these four may be added.
static unsigned
s_same_content (json_object *sent, json_object *written)
{
    unsigned added = 0;
    json_object_object_foreach (sent, name, value)
    {
        json_object *other = NULL;
        bool there = json_object_object_get_ex (written, name, &other);
        assert (there && json_object_equal (value, other));
    }
    json_object_object_foreach (written, made, unused)
    {
        (void) unused;
        if (json_object_object_get_ex (sent, made, NULL))
            continue;
        assert (streq (made, "specversion") || streq (made, "id")
                || streq (made, "time") || streq (made, "data"));
        added++;
    }
    return added;
}

//  Every member of data is found by its name, as it is.
static void
s_accessors (const event_t *event, json_object *written)
{
    json_object *data = json_object_object_get (written, "data");
    static char text[EVENT_ROOM];
    json_object_object_foreach (data, name, value)
    {
        //  The core looks for names of its own, which are short.
        if (strlen (name) > 64)
            continue;
        span_t raw = event_data_raw (event, name);
        assert (raw.p);
        json_object *found = NULL;
        if (*raw.p == '{' || *raw.p == '[')
            found = s_parse (raw.p, raw.n);
        bool same = !found || json_object_equal (found, value);
        assert (same);
        json_object_put (found);
        int64_t number;
        if (json_object_is_type (value, json_type_int)) {
            bool read = event_data_int (event, name, &number);
            assert (read && number == json_object_get_int64 (value));
        }
        if (json_object_is_type (value, json_type_string)) {
            bool read = event_data_text (event, name, text, sizeof text);
            assert (read && streq (text, json_object_get_string (value)));
        }
    }
}

static void
s_spans (const event_t *event)
{
    const span_t spans[] = {event->id,  event->source, event->type, event->subject,
                            event->lot, event->lane,   event->data};
    for (size_t i = 0; i < ARRAY_SIZE (spans); i++)
        assert (!spans[i].p
                || (spans[i].p > event->json
                    && spans[i].p + spans[i].n < event->json + event->size));
    assert (event->id.n && event->source.n && event->type.n && event->data.n >= 2);
    char topic[EVENT_TOPIC_MAX];
    size_t size = event_topic (event, topic);
    assert (size == strlen (topic) && event_key_hash (event)
            && !event->subject.p == !event_visit_hash (event));
}

static void
s_taken (const char *json, size_t size, const event_rules_t *rules,
         const event_t *event)
{
    json_object *sent = s_parse (json, size);
    json_object *written = s_parse (event->json, event->size);
    assert (sent && written);
    unsigned added = s_same_content (sent, written);
    s_accessors (event, written);
    s_spans (event);

    static char again[EVENT_ROOM];
    event_t second;
    pb_error_t error = {0};
    bool good = event_read (&second, event->json, event->size, &broker, again, &error);
    assert (good && second.size == event->size
            && memcmp (second.json, event->json, event->size) == 0
            && second.time_ms == event->time_ms);
    assert (added || second.content_hash == event->content_hash);

    s_same_hash (sent, JSON_C_TO_STRING_PLAIN, rules, event->content_hash);
    s_same_hash (sent, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_PRETTY, rules,
                 event->content_hash);
    json_object *reversed = s_reversed (sent);
    s_same_hash (reversed, JSON_C_TO_STRING_PLAIN, rules, event->content_hash);
    json_object_put (reversed);
    json_object_put (written);
    json_object_put (sent);
}

static void
s_said_why (const pb_error_t *error)
{
    assert (error->code == PB_E_BAD_EVENT || error->code == PB_E_DENIED
            || error->code == PB_E_BAD_REQUEST);
    assert (*error->message && utf8_valid (error->message, strlen (error->message))
            && utf8_valid (error->field, strlen (error->field)));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static char room[EVENT_ROOM];
    const char *json = (const char *) data;
    const event_rules_t *const both[] = {&client, &broker};
    bool any = false;
    for (size_t i = 0; i < ARRAY_SIZE (both); i++) {
        event_t event;
        pb_error_t error = {0};
        if (event_read (&event, json, size, both[i], room, &error)) {
            s_taken (json, size, both[i], &event);
            any = true;
        } else
            s_said_why (&error);
    }
    pb_error_t error = {0};
    if (json_check (json, size, &error)) {
        json_object *parsed = s_parse (json, size);
        assert (json_object_is_type (parsed, json_type_object));
        json_object_put (parsed);
    } else {
        assert (!any);
        s_said_why (&error);
    }
    return 0;
}
