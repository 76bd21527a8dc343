//  event.c - an event as it came, checked, completed, written as one line in fixed order.

#include "schema/event.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/id.h"
#include "base/moment.h"
#include "schema/check.h"
#include "schema/scan.h"

//  The envelope, in the order in which it is written. `data` comes last, behind the
//  members that are not ours.
enum { SPECVERSION, ID, SOURCE, TYPE, SUBJECT, TIME, LOT, LANE, DATA, KNOWN };

#define NAME(text)            \
    {                         \
        text, sizeof text - 1 \
    }
static const span_t names[KNOWN] = {
    [SPECVERSION] = NAME ("specversion"),
    [ID] = NAME ("id"),
    [SOURCE] = NAME ("source"),
    [TYPE] = NAME ("type"),
    [SUBJECT] = NAME ("subject"),
    [TIME] = NAME ("time"),
    [LOT] = NAME ("lot"),
    [LANE] = NAME ("lane"),
    [DATA] = NAME ("data"),
};

//  What completing adds at most: specversion, a UUID, a time, empty data.
#define ADDED_MAX 128
_Static_assert(EVENT_MAX + ADDED_MAX <= EVENT_ROOM, "a completed event fits");

typedef struct {
    span_t value[KNOWN]; //  As sent; strings without their quotes
    member_t data;
    span_t whole; //  The object, for the members that are not ours
    unsigned others;
    int next; //  The envelope's name that is likely to follow
    const event_type_t *is;
    int64_t time_ms;
    char made_id[37], made_time[32];
    char decoded[DATA][72]; //  Values that came with escapes; none may be longer
    pb_error_t *error;
} reading_t;

static bool
s_bad (reading_t *self, int which, const char *sentence)
{
    return pb_error (self->error, PB_E_BAD_EVENT, names[which].p, _ ("%s: %s"),
                     names[which].p, sentence);
}

//  ------------------------------------------------------------ members as they come

static bool
s_is (span_t name, int which)
{
    return name.n == names[which].n && memcmp (name.p, names[which].p, name.n) == 0;
}

//  Which of ours it is, tried from `from` on: most programs keep to our order.
static int
s_known (span_t name, int from)
{
    for (int i = from; i < KNOWN; i++)
        if (s_is (name, i))
            return i;
    for (int i = 0; i < from; i++)
        if (s_is (name, i))
            return i;
    return KNOWN;
}

//  Some programs write '/' and '+' with escapes. They are resolved here, once, so that
//  nobody after this has to; what would need them again is refused.
static bool
s_decode (reading_t *self, int which, span_t quoted, span_t *text)
{
    char *room = self->decoded[which];
    *text = scan_string_text (quoted, room, sizeof self->decoded[which]);
    if (!text->p)
        return s_bad (self, which, _ ("is too long"));
    for (size_t i = 0; i < text->n; i++)
        if ((unsigned char) room[i] < 0x20 || room[i] == '"' || room[i] == '\\')
            return s_bad (
                self, which,
                _ ("must not hold quotes, backslashes or control characters"));
    return true;
}

static bool
s_take (void *arg, const member_t *member)
{
    reading_t *self = arg;
    span_t name = member->name;
    char room[16];
    if (member->escaped)
        name = scan_string_text ((span_t){name.p - 1, name.n + 2}, room, sizeof room);
    int which = name.p ? s_known (name, self->next) : KNOWN;
    if (which == KNOWN) {
        self->others++;
        return true;
    }
    if (member->escaped)
        return s_bad (self, which, _ ("its name must be written without escapes"));
    span_t value = member->value;
    if (which == DATA) {
        if (*value.p != '{')
            return s_bad (self, DATA, _ ("must be an object"));
        self->data = *member;
    } else {
        if (*value.p != '"')
            return s_bad (self, which, _ ("must be a text"));
        value.p++;
        value.n -= 2;
        if (member->value_escaped && !s_decode (self, which, member->value, &value))
            return false;
    }
    self->value[which] = value;
    self->next = which + 1;
    return true;
}

//  ------------------------------------------------------------ the envelope's rules

//  1 to 64 bytes without control characters (JSON itself refuses those below 0x20).
static bool
s_is_label (span_t text)
{
    return text.n >= 1 && text.n <= 64 && !memchr (text.p, 0x7f, text.n);
}

static bool
s_check_names (reading_t *self, const event_rules_t *rules)
{
    span_t version = self->value[SPECVERSION], id = self->value[ID];
    if (version.p && !span_is (version, "1.0"))
        return s_bad (self, SPECVERSION, _ ("must be \"1.0\" or absent"));
    if (id.p && !s_is_label (id))
        return s_bad (self, ID, _ ("must be 1 to 64 bytes without control characters"));
    if (!id.p && !rules->client)
        return s_bad (self, ID, _ ("is required"));
    span_t source = self->value[SOURCE];
    if (!source.p)
        return s_bad (self, SOURCE,
                      _ ("is required: the name of the program that "
                         "says this"));
    if (!s_is_label (source))
        return s_bad (self, SOURCE,
                      _ ("must be 1 to 64 bytes without control characters"));
    return true;
}

//  "x." and one word: third parties' own.
static bool
s_is_third (span_t type)
{
    if (type.n < 3 || type.n > 2 + 32 || memcmp (type.p, "x.", 2) != 0)
        return false;
    for (size_t i = 2; i < type.n; i++) {
        char c = type.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool
s_unknown_type (reading_t *self, span_t type)
{
    char text[64];
    const event_type_t *nearest = NULL;
    unsigned least = 4; //  Further away is no slip of the pen
    for (const event_type_t *row = event_types;
         span_copy (type, text, sizeof text) && row->name; row++) {
        unsigned distance = text_distance (text, row->name);
        if (distance < least) {
            least = distance;
            nearest = row;
        }
    }
    span_t shown = check_excerpt (type);
    if (nearest)
        return pb_error (self->error, PB_E_BAD_EVENT, "type",
                         _ ("type: there is no '%.*s': did you mean '%s'?"),
                         SPAN_ARG (shown), nearest->name);
    return pb_error (self->error, PB_E_BAD_EVENT, "type",
                     _ ("type: there is no '%.*s': take one of docs/events.md, or "
                        "x.<word> for your own ([a-z0-9_-], at most 32)"),
                     SPAN_ARG (shown));
}

static bool
s_check_type (reading_t *self)
{
    span_t type = self->value[TYPE];
    if (!type.p)
        return s_bad (self, TYPE, _ ("is required"));
    self->is = event_type_find (type);
    return self->is || s_is_third (type) || s_unknown_type (self, type);
}

//  "Who may say what": contract of PUBLISH.
static bool
s_check_speaker (reading_t *self, const event_rules_t *rules)
{
    span_t source = self->value[SOURCE];
    if (rules->source_reserved && rules->source_reserved (rules->arg, source))
        return pb_error (self->error, PB_E_DENIED, "source",
                         _ ("source: '%.*s' is the name of parkbus or of a plugin "
                            "instance: use your program's own"),
                         SPAN_ARG (source));
    if (!self->is || self->is->flags & TYPE_CLIENT)
        return true;
    if (!(self->is->flags & TYPE_PERSON))
        return pb_error (self->error, PB_E_DENIED, "type",
                         _ ("type: only parkbus and its plugins say %s"),
                         self->is->name);
    char room[64];
    span_t data = self->data.value;
    span_t witness = data.p ? check_member (data, "witness") : data;
    if (!span_is (scan_string_text (witness, room, sizeof room), "person"))
        return pb_error (self->error, PB_E_DENIED, "data.witness",
                         _ ("data.witness: a program may say %s only for a person: "
                            "witness \"person\" and an operator"),
                         self->is->name);
    span_t person = check_member (data, "operator");
    if (!person.p || *person.p != '"' || person.n == 2)
        return pb_error (self->error, PB_E_DENIED, "data.operator",
                         _ ("data.operator: %s by a person needs the operator's name "
                            "or number"),
                         self->is->name);
    return true;
}

static bool
s_check_place (reading_t *self, const event_rules_t *rules)
{
    unsigned flags = self->is ? self->is->flags : 0;
    span_t subject = self->value[SUBJECT], lot = self->value[LOT];
    span_t lane = self->value[LANE];
    if (subject.p && !id_is_visit (subject))
        return s_bad (self, SUBJECT,
                      _ ("must be a visit: 1 to 48 of letters, digits, '_' and '-'"));
    if (!subject.p && flags & TYPE_SUBJECT)
        return s_bad (self, SUBJECT, _ ("is required: the visit"));
    if (lot.p && !id_is_name (lot))
        return s_bad (self, LOT, _ ("must be 1 to 32 of a-z, 0-9 and '-'"));
    if (!lot.p && flags & TYPE_LOT)
        return s_bad (self, LOT, _ ("is required"));
    if (lot.p && rules->lot_known && !rules->lot_known (rules->arg, lot))
        return pb_error (self->error, PB_E_BAD_EVENT, "lot",
                         _ ("lot: '%.*s' is not configured: see `lots` in the "
                            "configuration"),
                         SPAN_ARG (lot));
    if (lane.p && !id_is_name (lane))
        return s_bad (self, LANE, _ ("must be 1 to 32 of a-z, 0-9 and '-'"));
    if (!lane.p && flags & TYPE_LANE)
        return s_bad (self, LANE, _ ("is required"));
    return true;
}

static bool
s_check_time (reading_t *self)
{
    pb_time_t time = {0};
    if (self->value[TIME].p && !moment_from_rfc3339 (self->value[TIME], &time))
        return s_bad (self, TIME,
                      _ ("must be a time with its offset, such as "
                         "\"2026-11-21T08:00:00+08:00\""));
    self->time_ms = time.ms;
    return true;
}

//  ------------------------------------------------------------ what is added

//  "+08:00" in milliseconds; the rules are ours, so it is well formed.
static int64_t
s_offset_ms (const char *offset)
{
    int minutes = ((offset[1] - '0') * 10 + offset[2] - '0') * 60
                  + (offset[4] - '0') * 10 + offset[5] - '0';
    return (*offset == '-' ? -1 : 1) * minutes * INT64_C (60000);
}

static void
s_complete (reading_t *self, const event_rules_t *rules)
{
    if (!self->value[SPECVERSION].p)
        self->value[SPECVERSION] = SPAN ("1.0");
    if (!self->value[ID].p) {
        id_uuid7 (self->made_id);
        self->value[ID] = SPAN (self->made_id);
    }
    if (!self->value[TIME].p) {
        const char *offset =
            rules->offset && strlen (rules->offset) == 6 ? rules->offset : "+00:00";
        pb_time_t local = {rules->now_ms + s_offset_ms (offset)};
        moment_to_rfc3339 (local, NULL, self->made_time);
        memcpy (self->made_time + strlen (self->made_time) - 6, offset, 6);
        self->value[TIME] = SPAN (self->made_time);
        self->time_ms = rules->now_ms;
    }
    if (!self->value[DATA].p) {
        self->data.value = self->value[DATA] = SPAN ("{}");
        self->data.spaced = false;
    }
}

//  ------------------------------------------------------------ writing

static char *
s_put (char *to, const void *bytes, size_t size)
{
    memcpy (to, bytes, size);
    return to + size;
}

//  "name":"value", and where the value went.
static char *
s_put_text (char *to, int which, span_t value, span_t *went)
{
    if (!value.p)
        return to;
    *to++ = '"';
    to = s_put (to, names[which].p, names[which].n);
    to = s_put (to, "\":\"", 3);
    *went = (span_t){to, value.n};
    to = s_put (to, value.p, value.n);
    return s_put (to, "\",", 2);
}

//  The members that are not ours, as they were named, in their order.
static char *
s_put_others (char *to, span_t whole)
{
    walk_t walk;
    span_t name, value;
    walk_start (&walk, whole);
    for (;;) {
        const char *before = walk.p;
        if (!walk_member (&walk, &name, &value))
            return to;
        if (s_known (name, 0) != KNOWN)
            continue;
        //  The name as it was written: from its opening quote to behind the closing one.
        const char *first = memchr (before, '"', (size_t) (value.p - before));
        to = scan_pack (to, (span_t){first, (size_t) (value.p - first)});
        to = scan_pack (to, value);
        *to++ = ',';
    }
}

static void
s_write (reading_t *self, event_t *event, char *room)
{
    *event = (event_t){.json = room, .is = self->is, .time_ms = self->time_ms};
    span_t unused;
    span_t *const went[DATA] = {
        [SPECVERSION] = &unused, [ID] = &event->id,           [SOURCE] = &event->source,
        [TYPE] = &event->type,   [SUBJECT] = &event->subject, [TIME] = &unused,
        [LOT] = &event->lot,     [LANE] = &event->lane,
    };
    char *to = room;
    *to++ = '{';
    for (int i = 0; i < DATA; i++)
        to = s_put_text (to, i, self->value[i], went[i]);
    if (self->others)
        to = s_put_others (to, self->whole);
    to = s_put (to, "\"data\":", 7);
    event->data.p = to;
    span_t data = self->data.value;
    to = self->data.spaced ? scan_pack (to, data) : s_put (to, data.p, data.n);
    event->data.n = (size_t) (to - event->data.p);
    *to++ = '}';
    event->size = (uint32_t) (to - room);
}

bool
event_read (event_t *event, const char *json, size_t size, const event_rules_t *rules,
            char *room, pb_error_t *error)
{
    //  What was completed may be longer than what may be sent.
    size_t most = rules->client ? EVENT_MAX : EVENT_ROOM - ADDED_MAX;
    if (size > most)
        return pb_error (error, PB_E_BAD_EVENT, "",
                         _ ("an event has at most %d bytes, this one has %zu"),
                         EVENT_MAX, size);
    uint64_t open[SCAN_NAMES (EVENT_ROOM)], hash;
    reading_t reading = {.error = error};
    scan_t scan = {.p = json,
                   .end = json + size,
                   .code = PB_E_BAD_EVENT,
                   .error = error,
                   .names = open};
    if (!scan_text (&scan, s_take, &reading, &hash))
        return false;
    reading.whole = scan.whole;
    if (!s_check_names (&reading, rules) || !s_check_type (&reading)
        || (rules->client && !s_check_speaker (&reading, rules))
        || !s_check_time (&reading) || !s_check_place (&reading, rules))
        return false;
    if (reading.is
        && !check_data (reading.is,
                        reading.data.value.p ? reading.data.value : SPAN ("{}"), error))
        return false;
    s_complete (&reading, rules);
    s_write (&reading, event, room);
    event->content_hash = hash;
    return true;
}

//  ------------------------------------------------------------ what is read from it

uint64_t
event_key_hash (const event_t *event)
{
    uint64_t source = hash64 (event->source.p, event->source.n, 1);
    return hash64 (event->id.p, event->id.n, source);
}

uint64_t
event_visit_hash (const event_t *event)
{
    if (!event->subject.p)
        return 0;
    uint64_t lot = hash64 (event->lot.p, event->lot.n, 2);
    uint64_t hash = hash64 (event->subject.p, event->subject.n, lot);
    return hash ? hash : 1;
}

size_t
event_topic (const event_t *event, char to[EVENT_TOPIC_MAX])
{
    span_t lot = event->lot.p ? event->lot : SPAN ("_");
    assert (event->type.n + 1 + lot.n < EVENT_TOPIC_MAX);
    char *end = s_put (to, event->type.p, event->type.n);
    *end++ = '.';
    end = s_put (end, lot.p, lot.n);
    *end = 0;
    return (size_t) (end - to);
}

span_t
event_data_raw (const event_t *event, const char *name)
{
    return check_member (event->data, name);
}

bool
event_data_text (const event_t *event, const char *name, char *to, size_t room)
{
    if (room == 0)
        return false;
    to[0] = 0;
    span_t text = scan_string_text (event_data_raw (event, name), to, room - 1);
    if (!text.p || text.n >= room)
        return false;
    if (text.p != to)
        memcpy (to, text.p, text.n);
    to[text.n] = 0;
    return true;
}

bool
event_data_int (const event_t *event, const char *name, int64_t *value)
{
    return scan_integer (event_data_raw (event, name), value);
}

bool
json_check (const char *json, size_t size, pb_error_t *error)
{
    uint64_t few[SCAN_NAMES (4096)], hash;
    uint64_t *names_open = few;
    if (size > 4096)
        names_open = xmalloc (SCAN_NAMES (size) * sizeof *names_open);
    scan_t scan = {.p = json,
                   .end = json + size,
                   .code = PB_E_BAD_REQUEST,
                   .error = error,
                   .names = names_open};
    bool good = scan_text (&scan, NULL, NULL, &hash);
    if (names_open != few)
        free (names_open);
    return good;
}
