//  memory.c - the records of delivery: written, and folded again at opening.

#include "delivery/inside.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct deliveries {
    memory_t *first;
};

static void
s_free (void **item_p)
{
    free (*item_p);
    *item_p = NULL;
}

deliveries_t *
deliveries_new (void)
{
    return xcalloc (1, sizeof (deliveries_t));
}

void
deliveries_destroy (deliveries_t **self_p)
{
    if (!*self_p)
        return;
    for (memory_t *memory = (*self_p)->first, *next; memory; memory = next) {
        next = memory->next;
        zhashx_destroy (&memory->aside);
        free (memory->instance);
        free (memory->owed);
        free (memory);
    }
    free (*self_p);
    *self_p = NULL;
}

memory_t *
deliveries_of (deliveries_t *self, const char *instance)
{
    memory_t *memory = self->first;
    while (memory && !streq (memory->instance, instance))
        memory = memory->next;
    if (!memory) {
        memory = xcalloc (1, sizeof *memory);
        memory->instance = xstrdup (instance);
        memory->aside = zhashx_new ();
        zhashx_set_destructor (memory->aside, s_free);
        memory->next = self->first;
        self->first = memory;
    }
    return memory;
}

void
delivery_visit_key (const event_t *event, char key[VISIT_KEY])
{
    key[0] = 0;
    if (event->subject.p)
        snprintf (key, VISIT_KEY, "%.*s/%.*s", SPAN_ARG (event->lot),
                  SPAN_ARG (event->subject));
}

void
memory_set_aside (memory_t *self, const char *visit_key, uint64_t seq)
{
    self->aside_count++;
    if (!visit_key[0] || zhashx_lookup (self->aside, visit_key))
        return;
    uint64_t *first = xmalloc (sizeof *first);
    *first = seq;
    zhashx_insert (self->aside, visit_key, first);
}

//  ---------------------------------------------------------------- writing

void
delivery_write_progress (buffer_t *json, const char *instance, uint64_t from,
                         const uint64_t *owed, size_t count)
{
    buffer_printf (json, "{\"instance\":\"%s\",\"from\":%" PRIu64 ",\"owed\":[",
                   instance, from);
    for (size_t i = 0; i < count; i++)
        buffer_printf (json, "%s%" PRIu64, i ? "," : "", owed[i]);
    buffer_text (json, "]}");
}

static void
s_text (buffer_t *json, const char *name, const char *text)
{
    buffer_printf (json, ",\"%s\":", name);
    buffer_json_string (json, text, strlen (text));
}

void
delivery_write_aside (buffer_t *json, const char *instance, const event_t *event,
                      uint64_t seq, const char *code, const char *sentence)
{
    char key[VISIT_KEY];
    delivery_visit_key (event, key);
    buffer_printf (json, "{\"instance\":\"%s\",\"seq\":%" PRIu64 ",\"type\":\"%.*s\"",
                   instance, seq, SPAN_ARG (event->type));
    s_text (json, "visit", key);
    s_text (json, "code", code ? code : "");
    s_text (json, "sentence", sentence ? sentence : "");
    buffer_text (json, "}");
}

//  ---------------------------------------------------------------- folding

static int64_t
s_int (json_object *object, const char *name)
{
    json_object *member = NULL;
    json_object_object_get_ex (object, name, &member);
    return json_object_get_int64 (member);
}

static const char *
s_member (json_object *object, const char *name)
{
    json_object *member = NULL;
    json_object_object_get_ex (object, name, &member);
    const char *text = member ? json_object_get_string (member) : NULL;
    return text ? text : "";
}

static void
s_fold_progress (memory_t *memory, json_object *record)
{
    json_object *owed = NULL;
    json_object_object_get_ex (record, "owed", &owed);
    size_t count = owed ? json_object_array_length (owed) : 0;
    free (memory->owed);
    memory->owed = xcalloc (count + 1, sizeof *memory->owed);
    memory->owed_count = count;
    for (size_t i = 0; i < count; i++)
        memory->owed[i] =
            (uint64_t) json_object_get_int64 (json_object_array_get_idx (owed, i));
    memory->from = (uint64_t) s_int (record, "from");
    memory->known = true;
}

static void
s_fold_aside (memory_t *memory, json_object *record)
{
    memory_set_aside (memory, s_member (record, "visit"),
                      (uint64_t) s_int (record, "seq"));
}

static void
s_fold_instance (memory_t *memory, json_object *record)
{
    memory->from = (uint64_t) s_int (record, "from");
    memory->known = true;
}

static const struct {
    journal_kind_t kind;
    void (*fold) (memory_t *memory, json_object *record);
} folds[] = {
    {JOURNAL_PROGRESS, s_fold_progress},
    {JOURNAL_ASIDE,    s_fold_aside   },
    {JOURNAL_INSTANCE, s_fold_instance},
};

void
deliveries_fold (deliveries_t *self, const journal_record_t *record)
{
    for (size_t i = 0; i < ARRAY_SIZE (folds); i++) {
        if (folds[i].kind != record->kind)
            continue;
        struct json_tokener *reader = json_tokener_new ();
        json_object *json =
            json_tokener_parse_ex (reader, record->body, (int) record->size);
        json_tokener_free (reader);
        if (json)
            folds[i].fold (deliveries_of (self, s_member (json, "instance")), json);
        json_object_put (json);
    }
}
