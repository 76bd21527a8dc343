//  memory.c - what the journal says of plugins, folded at opening.

#include "host/inside.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/moment.h"

typedef struct {
    remembered_t *items;
    size_t count;
} list_t;

static void
s_free_text (void **item_p)
{
    free (*item_p);
    *item_p = NULL;
}

static void
s_free_list (void **item_p)
{
    list_t *list = *item_p;
    for (size_t i = 0; i < list->count; i++) {
        free (list->items[i].name);
        free (list->items[i].value);
    }
    free (list->items);
    free (list);
    *item_p = NULL;
}

host_memory_t *
host_memory_new (const char *data_dir, pb_error_t *error)
{
    host_memory_t *self = xcalloc (1, sizeof *self);
    self->once = once_new ();
    self->states = zhashx_new ();
    zhashx_set_destructor (self->states, s_free_text);
    self->remembered = zhashx_new ();
    zhashx_set_destructor (self->remembered, s_free_list);
    self->vault = vault_open (data_dir, error);
    if (!self->vault)
        host_memory_destroy (&self);
    return self;
}

void
host_memory_destroy (host_memory_t **self_p)
{
    if (!*self_p)
        return;
    once_destroy (&(*self_p)->once);
    zhashx_destroy (&(*self_p)->states);
    zhashx_destroy (&(*self_p)->remembered);
    vault_close (&(*self_p)->vault);
    free (*self_p);
    *self_p = NULL;
}

//  ---------------------------------------------------------------- money

//  The member that names the fact, by type.
static const struct {
    const char *type, *member;
} money_keys[] = {
    {"pay.captured", "payment"},
    {"refund.done",  "refund" },
};

bool
host_money_key (const event_t *event, once_seen_t *seen)
{
    for (size_t i = 0; i < ARRAY_SIZE (money_keys); i++) {
        char id[65], source[65];
        int64_t amount = 0;
        if (!span_is (event->type, money_keys[i].type))
            continue;
        if (!span_copy (event->source, source, sizeof source)
            || !event_data_text (event, money_keys[i].member, id, sizeof id))
            return false;
        event_data_int (event, "amount", &amount);
        *seen = (once_seen_t){
            .key = once_key (source, money_keys[i].type, id),
            .content = hash64 (
                &amount, sizeof amount,
                event->subject.p ? hash64 (event->subject.p, event->subject.n, 0) : 0),
        };
        return true;
    }
    return false;
}

//  ---------------------------------------------------------------- folding

static void
s_fold_event (host_memory_t *self, const journal_record_t *record)
{
    once_seen_t seen;
    char name[33], state[16];
    if (host_money_key (&record->event, &seen))
        once_add (self->once, seen);
    else if (span_is (record->event.type, "plugin.changed")
             && event_data_text (&record->event, "name", name, sizeof name)
             && event_data_text (&record->event, "state", state, sizeof state))
        zhashx_update (self->states, name, xstrdup (state));
}

static void
s_fold_once (host_memory_t *self, const journal_record_t *record)
{
    once_answer_t answer;
    if (once_read (record->body, record->size, &answer))
        once_add (self->once,
                  (once_seen_t){answer.key, answer.content, record->position});
}

static void
s_fold_remembered (host_memory_t *self, const journal_record_t *record)
{
    vault_item_t item;
    pb_error_t error = {0};
    if (!vault_unseal (self->vault, record->body, record->size, &item, &error)) {
        log_warning ("host", "%s", error.message);
        return;
    }
    list_t *list = zhashx_lookup (self->remembered, item.instance);
    if (!list) {
        list = xcalloc (1, sizeof *list);
        zhashx_insert (self->remembered, item.instance, list);
    }
    size_t at = 0;
    while (at < list->count && !streq (list->items[at].name, item.name))
        at++;
    if (at == list->count) {
        list->items = xrealloc (list->items, (list->count + 1) * sizeof *list->items);
        list->items[list->count++] = (remembered_t){xstrdup (item.name), NULL, 0};
    }
    free (list->items[at].value);
    list->items[at].value = xstrdup (item.value);
    list->items[at].expires_ms = item.expires_ms;
    vault_item_free (&item);
}

void
host_memory_fold (host_memory_t *self, const journal_record_t *record)
{
    if (record->kind == JOURNAL_EVENT)
        s_fold_event (self, record);
    else if (record->kind == JOURNAL_ONCE)
        s_fold_once (self, record);
    else if (record->kind == JOURNAL_REMEMBER)
        s_fold_remembered (self, record);
}

//  Hand an instance what was remembered for it; it is its own from then on.
void
host_memory_take (host_memory_t *self, const char *instance, remembered_t **items,
                  size_t *count)
{
    list_t *list = zhashx_lookup (self->remembered, instance);
    *items = list ? list->items : NULL;
    *count = list ? list->count : 0;
    if (list)
        *list = (list_t){0};
}
