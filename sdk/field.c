//  field.c - the field machine: tables to wire fields, wire fields to canonical
//  members.

#include <inttypes.h>
#include <string.h>
#include "sdk/field.h"
#include "sdk/moment.h"

bool
pb_required (const pb_codec_t *codec)
{
    (void) codec;
    return true;
}

bool
pb_optional (const pb_codec_t *codec)
{
    (void) codec;
    return false;
}

//  What parkbus knows of a visit, by member.
static const struct {
    const char *name;
    unsigned kind;
    size_t offset;
} facts[] = {
    {"plate",       PB_KIND_TEXT,  offsetof (pb_visit_t, plate)          },
    {"plate_color", PB_KIND_WORD,  offsetof (pb_visit_t, plate_color)    },
    {"lane_in",     PB_KIND_TEXT,  offsetof (pb_visit_t, lane_in)        },
    {"entered_at",  PB_KIND_TIME,  offsetof (pb_visit_t, entered_at_ms)  },
    {"quote",       PB_KIND_TEXT,  offsetof (pb_visit_t, quote)          },
    {"quote_total", PB_KIND_MONEY, offsetof (pb_visit_t, quote_total_fen)},
    {"quote_due",   PB_KIND_MONEY, offsetof (pb_visit_t, quote_due_fen)  },
    {"spaces_free", PB_KIND_INT,   offsetof (pb_visit_t, spaces_free)    },
    {"picture_in",  PB_KIND_TEXT,  offsetof (pb_visit_t, picture_in)     },
    {"picture_out", PB_KIND_TEXT,  offsetof (pb_visit_t, picture_out)    },
};

static size_t
s_fact (const char *name)
{
    size_t i = 0;
    while (i < PB_COUNT (facts) && !pb_equal (facts[i].name, name))
        i++;
    return i;
}

//  Kinds that a row's source can give.
static unsigned
s_kinds (const pb_field_t *row)
{
    switch (row->from) {
    case PB_FROM_DATA:
    case PB_FROM_MADE:
        return pb_member_kinds (row->name);
    case PB_FROM_TIME:
        return PB_KIND_TIME;
    case PB_FROM_FACT:
        return s_fact (row->name) < PB_COUNT (facts) ? facts[s_fact (row->name)].kind
                                                     : 0;
    case PB_FROM_DATA_LANE:
        return pb_member_kinds (row->name) & PB_KIND_TEXT;
    case PB_FROM_EXT:
        return PB_KIND_TEXT | PB_KIND_WORD | PB_KIND_NUMBER;
    default:
        return PB_KIND_TEXT;
    }
}

const char *
pb_fields_check (const pb_field_t *table)
{
    for (const pb_field_t *row = table; row->wire; row++) {
        if (!row->convert || !row->need || (row->from == PB_FROM_MADE) != !!row->make)
            return row->wire;
        if (row->from != PB_FROM_NOWHERE && !(s_kinds (row) & row->convert->kinds))
            return row->wire;
        const char *inner =
            row->convert->items ? pb_fields_check (row->convert->items) : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

pb_codec_t
pb_codec_out (const pb_env_t *env, const char *what, const pb_message_t *message,
              const pb_json_t *data)
{
    pb_codec_t codec = {.env = env, .what = what, .message = message, .data = data};
    if (message) {
        codec.lot = message->lot;
        codec.lane = message->lane;
        codec.visit = message->visit;
        codec.time_ms = message->time_ms;
    }
    return codec;
}

const char *
pb_data_text (const pb_codec_t *codec, const char *member)
{
    return pb_json_text (pb_json_get (codec->data, member));
}

bool
pb_data_int (const pb_codec_t *codec, const char *member, int64_t *number)
{
    const pb_json_t *value = pb_json_get (codec->data, member);
    return value && value->kind == PB_JSON_NUMBER
           && pb_json_int (value, INT64_MIN, INT64_MAX, number);
}

//  ---------------------------------------------------------------- writing

//  A member of data as the kind its converter works on.
static bool
s_load_data (const pb_codec_t *codec, const pb_field_t *row, pb_value_t *value)
{
    const pb_json_t *node = pb_json_get (codec->data, row->name);
    unsigned kinds = row->convert->kinds;
    if (!node)
        return false;
    if (kinds & (PB_KIND_TEXT | PB_KIND_WORD))
        return (value->text = pb_json_text (node));
    if (kinds & PB_KIND_TIME)
        return node->kind == PB_JSON_STRING
               && pb_moment_read (node->text, &value->number);
    if (kinds & PB_KIND_BOOL) {
        value->number = pb_equal (node->text, "true");
        return node->kind == PB_JSON_BOOL;
    }
    value->node = node;
    if (kinds & PB_KIND_LIST)
        return node->kind == PB_JSON_LIST;
    if (kinds & PB_KIND_OBJECT)
        return node->kind == PB_JSON_OBJECT;
    return pb_json_int (node, INT64_MIN, INT64_MAX, &value->number);
}

static bool
s_load_fact (const pb_codec_t *codec, const pb_field_t *row, pb_value_t *value)
{
    size_t fact = s_fact (row->name);
    const pb_visit_t *visit = codec->message ? codec->message->facts : NULL;
    if (!visit || fact == PB_COUNT (facts)
        || visit->struct_size < facts[fact].offset + sizeof (int64_t))
        return false;
    const char *at = (const char *) visit + facts[fact].offset;
    if (facts[fact].kind & (PB_KIND_TEXT | PB_KIND_WORD)) {
        memcpy (&value->text, at, sizeof value->text);
        return pb_known (value->text);
    }
    memcpy (&value->number, at, sizeof value->number);
    return facts[fact].kind == PB_KIND_TIME ? value->number > 0 : value->number >= 0;
}

static const char *
s_ref (const pb_codec_t *codec, const char *kind)
{
    const pb_message_t *message = codec->message;
    if (!message)
        return NULL;
    const pb_ref_t *ref = message->refs;
    for (uint64_t i = 0; i < message->refs_count; i++, ref = PB_NEXT (ref))
        if (pb_equal (ref->kind, kind))
            return ref->value;
    return NULL;
}

//  The word of a lane in the lot's map.
static const char *
s_lane_out (const pb_codec_t *codec, const char *map, const char *lane)
{
    const pb_env_t *env = codec->env;
    if (!codec->lot || !lane)
        return NULL;
    return env->host->lane_out (env->call, codec->lot, map, lane);
}

static bool
s_load_text (const pb_codec_t *codec, const pb_field_t *row, pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    const char *text = NULL;
    switch (row->from) {
    case PB_FROM_VISIT:
        text = codec->visit;
        break;
    case PB_FROM_ID:
        text = codec->message ? codec->message->id : NULL;
        break;
    case PB_FROM_LOT:
        text = codec->lot ? env->host->lot_option (env->call, codec->lot, row->name)
                          : NULL;
        break;
    case PB_FROM_LANE:
        text = s_lane_out (codec, row->name, codec->lane);
        break;
    case PB_FROM_DATA_LANE:
        text = s_lane_out (codec, "lanes", pb_data_text (codec, row->name));
        break;
    case PB_FROM_OPTION:
        text = env->host->option (env->call, row->name);
        break;
    case PB_FROM_REF:
        text = s_ref (codec, row->name);
        break;
    case PB_FROM_FIXED:
        text = row->name;
        break;
    default:
        break;
    }
    value->text = text;
    return pb_known (text);
}

static bool
s_load (pb_codec_t *codec, const pb_field_t *row, pb_value_t *value)
{
    switch (row->from) {
    case PB_FROM_DATA:
        return s_load_data (codec, row, value);
    case PB_FROM_MADE:
        return row->make (codec, value);
    case PB_FROM_FACT:
        return s_load_fact (codec, row, value);
    case PB_FROM_TIME:
        value->number = codec->time_ms;
        return codec->time_ms > 0;
    default:
        return s_load_text (codec, row, value);
    }
}

//  What to do when a field cannot be written, by where it comes from.
static const char *
s_advice (const pb_codec_t *codec, const pb_field_t *row)
{
    const pb_env_t *env = codec->env;
    const char *lot = pb_known (codec->lot) ? codec->lot : "?";
    const char *lane =
        row->from == PB_FROM_DATA_LANE ? pb_data_text (codec, row->name) : codec->lane;
    bool named = pb_known (lane);
    switch (row->from) {
    case PB_FROM_LOT:
        return pb_format (env, _ ("set %s under lots: %s: in the plugin's file"),
                          row->name, lot);
    case PB_FROM_DATA_LANE:
    case PB_FROM_LANE:
        if (named)
            return pb_format (
                env,
                _ ("lane %s of lot %s has no fitting word in the map %s of "
                   "the plugin's file: add it there"),
                lane, lot, row->from == PB_FROM_LANE ? row->name : "lanes");
        return row->from == PB_FROM_LANE
                   ? _ ("publish the event with its lane")
                   : pb_format (env, _ ("publish the event with %s"), row->name);
    case PB_FROM_OPTION:
        return pb_format (env, _ ("set %s under options: in the plugin's file"),
                          row->name);
    default:
        return pb_format (env, _ ("publish the event with a fitting %s"), row->name);
    }
}

static int
s_cannot_write (pb_codec_t *codec, const pb_field_t *row, bool refused)
{
    codec->culprit = row->wire;
    const char *reason =
        refused && codec->reason ? codec->reason : _ ("it is not known");
    codec->sentence =
        pb_format (codec->env, _ ("%s needs %s (our %s): %s; %s"), codec->what,
                   row->wire, row->name, reason, s_advice (codec, row));
    return codec->sentence && !codec->broken ? PB_REJECT : PB_NOMEM;
}

static int
s_write_field (pb_codec_t *codec, const pb_field_t *row, pb_pairs_t *pairs)
{
    pb_value_t value = {NULL, 0, NULL};
    pb_wire_t wire = {NULL, false, NULL};
    pb_done_t done = PB_NOTHING;
    codec->reason = NULL;
    if (s_load (codec, row, &value))
        done = row->convert->out (codec, row->convert, &value, &wire);
    else if (row->convert->always)
        done = row->convert->out (codec, row->convert, NULL, &wire);
    if (done == PB_DONE)
        return pb_pairs_add (codec->env, pairs, row->wire, wire.text, wire.bare)
                   ? PB_OK
                   : PB_NOMEM;
    return row->need (codec) ? s_cannot_write (codec, row, done == PB_REFUSED) : PB_OK;
}

int
pb_fields_write (pb_codec_t *codec, const pb_field_t *table, pb_pairs_t *wire)
{
    int rc = PB_OK;
    for (const pb_field_t *row = table; row->wire && rc == PB_OK; row++)
        if (row->convert->out)
            rc = s_write_field (codec, row, wire);
    return rc;
}

//  ---------------------------------------------------------------- reading

static pb_wire_t
s_wire (const pb_codec_t *codec, const char *name)
{
    pb_wire_t wire = {NULL, false, NULL};
    if (codec->form) {
        wire.text = pb_pairs_get (codec->form, name);
    } else {
        wire.node = pb_json_get (codec->json, name);
        wire.text = pb_json_text (wire.node);
    }
    return wire;
}

const char *
pb_wire_text (const pb_codec_t *codec, const char *wire)
{
    return s_wire (codec, wire).text;
}

static int
s_cannot_read (pb_codec_t *codec, const pb_field_t *row, int result, const char *reason)
{
    const char *text = pb_wire_text (codec, row->wire);
    const char *shown = text ? pb_show (codec->env, text, strlen (text)) : "";
    codec->culprit = row->wire;
    codec->sentence =
        text ? pb_format (codec->env, "%s: %s=%s: %s", codec->what, row->wire, shown,
                          reason)
             : pb_format (codec->env, "%s: %s: %s", codec->what, row->wire, reason);
    return codec->sentence && !codec->broken ? result : PB_NOMEM;
}

//  Keep a canonical member: texts as they are, all else as JSON.
static bool
s_keep (pb_codec_t *codec, const pb_field_t *row, pb_pairs_t *where,
        const pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    unsigned kinds = row->convert->kinds;
    const char *text = value->text;
    bool bare = !(kinds & (PB_KIND_TEXT | PB_KIND_WORD | PB_KIND_TIME));
    if (kinds & PB_KIND_TIME) {
        char moment[PB_MOMENT_SIZE];
        pb_moment_write (value->number, PB_CHINA_S, moment);
        text = pb_copy (env, moment, strlen (moment));
    } else if (kinds & PB_KIND_BOOL) {
        text = value->number ? "true" : "false";
    } else if (kinds & (PB_KIND_LIST | PB_KIND_OBJECT)) {
        text = pb_copy (env, value->node->raw.data, value->node->raw.size);
    } else if (bare) {
        text = pb_format (env, "%" PRId64, value->number);
    }
    return text && pb_pairs_add (env, where, row->name, text, bare);
}

static int
s_find_lot (pb_codec_t *codec, const pb_field_t *row, const pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    codec->taken->lot = env->host->lot_in (env->call, row->name, value->text);
    if (codec->taken->lot)
        return PB_OK;
    return s_cannot_read (codec, row, PB_REJECT,
                          _ ("no lot of this site has this number; see lots: in the "
                             "plugin's file"));
}

static int
s_find_lane (pb_codec_t *codec, const pb_field_t *row, const pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    const char *map = row->from == PB_FROM_LANE ? row->name : "lanes";
    const char *lane = NULL;
    if (codec->taken->lot)
        lane = env->host->lane_in (env->call, codec->taken->lot, map, value->text,
                                   row->way);
    if (!lane)
        return s_cannot_read (
            codec, row, PB_REJECT,
            _ ("no lane of this lot has this number; see lanes: in the "
               "plugin's file"));
    if (row->from == PB_FROM_LANE)
        codec->taken->lane = lane;
    else if (!pb_pairs_add (env, &codec->taken->data, row->name, lane, false))
        return PB_NOMEM;
    return PB_OK;
}

static int
s_compare (pb_codec_t *codec, const pb_field_t *row, const pb_value_t *value)
{
    const pb_env_t *env = codec->env;
    const char *ours = row->from == PB_FROM_FIXED
                           ? row->name
                           : env->host->option (env->call, row->name);
    if (pb_equal (ours, value->text))
        return PB_OK;
    return s_cannot_read (codec, row, PB_AUTH, _ ("it is not ours"));
}

static int
s_store (pb_codec_t *codec, const pb_field_t *row, const pb_value_t *value)
{
    pb_taken_t *taken = codec->taken;
    switch (row->from) {
    case PB_FROM_LOT:
        return s_find_lot (codec, row, value);
    case PB_FROM_LANE:
    case PB_FROM_DATA_LANE:
        return s_find_lane (codec, row, value);
    case PB_FROM_OPTION:
    case PB_FROM_FIXED:
        return s_compare (codec, row, value);
    case PB_FROM_VISIT:
        taken->visit = value->text;
        return PB_OK;
    case PB_FROM_TIME:
        taken->time_ms = value->number;
        return PB_OK;
    case PB_FROM_DATA:
    case PB_FROM_MADE:
        return s_keep (codec, row, &taken->data, value) ? PB_OK : PB_NOMEM;
    case PB_FROM_EXT:
        return s_keep (codec, row, &taken->ext, value) ? PB_OK : PB_NOMEM;
    default:
        return PB_OK;
    }
}

static int
s_read_field (pb_codec_t *codec, const pb_field_t *row)
{
    pb_wire_t wire = s_wire (codec, row->wire);
    bool there = wire.text ? *wire.text : !!wire.node;
    if (!there)
        return row->need (codec)
                   ? s_cannot_read (codec, row, PB_BADMSG, _ ("it is missing"))
                   : PB_OK;
    pb_value_t value = {NULL, 0, NULL};
    codec->reason = NULL;
    pb_done_t done = row->convert->in (codec, row->convert, &wire, &value);
    if (done == PB_NOTHING)
        return PB_OK;
    if (done == PB_REFUSED)
        return s_cannot_read (codec, row, PB_BADMSG,
                              codec->reason ? codec->reason : _ ("it does not fit"));
    if ((done == PB_FOREIGN || done == PB_ASIDE)
        && !pb_pairs_add (codec->env, &codec->taken->ext, row->wire, wire.text, false))
        return PB_NOMEM;
    return done == PB_ASIDE ? PB_OK : s_store (codec, row, &value);
}

int
pb_fields_read (pb_codec_t *codec, const pb_field_t *table, pb_taken_t *taken)
{
    *taken = (pb_taken_t){0};
    codec->taken = taken;
    //  The lot first: lanes are looked up in it, whatever the document's order.
    for (int lots = 1; lots >= 0; lots--)
        for (const pb_field_t *row = table; row->wire; row++) {
            bool turn = (row->from == PB_FROM_LOT) == lots;
            int rc = turn && row->convert->in ? s_read_field (codec, row) : PB_OK;
            if (rc != PB_OK)
                return rc;
        }
    return PB_OK;
}

const char *
pb_taken_json (const pb_env_t *env, const pb_taken_t *taken)
{
    pb_pairs_t all = {NULL, 0, 0};
    pb_buffer_t ext = {.env = env}, json = {.env = env};
    for (size_t i = 0; i < taken->data.count; i++) {
        const pb_pair_t *pair = &taken->data.items[i];
        if (!pb_pairs_add (env, &all, pair->name, pair->value, pair->bare))
            return NULL;
    }
    if (taken->ext.count) {
        pb_json_write (&ext, &taken->ext);
        const char *text = pb_done (&ext);
        if (!text || !pb_pairs_add (env, &all, "ext", text, true))
            return NULL;
    }
    pb_json_write (&json, &all);
    return pb_done (&json);
}
