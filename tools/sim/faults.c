//  faults.c - when a simulated platform misbehaves, and how.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

typedef struct {
    fault_t fault;
    char *kind;
    json_object *at; //  List of endpoints; NULL is all
    int64_t percent, every, count;
    int64_t seen, done;
} rule_t;

struct faults {
    rule_t *rules;
    size_t count;
    json_object *list; //  Keeps `at` alive
    uint64_t random;
};

static const char *const s_names[FAULT_KINDS] = {
    [FAULT_NONE] = "none",
    [FAULT_SLOW] = "slow",
    [FAULT_FAIL] = "fail",
    [FAULT_REFUSE] = "refuse",
    [FAULT_LOSE_ANSWER] = "lose_answer",
    [FAULT_CLOSE] = "close_without_byte",
    [FAULT_HTML] = "html",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_REPEAT] = "repeat",
};

static const setting_t s_settings[] = {
    SETTING ("fault", rule_t, kind, TEXT, true, 0, 0),
    SETTING ("at", rule_t, at, LIST, false, 0, 0),
    SETTING ("percent", rule_t, percent, NUMBER, false, 0, 100),
    SETTING ("every", rule_t, every, NUMBER, false, 1, 1000000),
    SETTING ("count", rule_t, count, NUMBER, false, 1, 1000000),
    SETTING ("ms", rule_t, fault.ms, NUMBER, false, 0, 600000),
    SETTING ("status", rule_t, fault.status, NUMBER, false, 100, 599),
    SETTING ("times", rule_t, fault.times, NUMBER, false, 1, 100),
    SETTING ("together", rule_t, fault.together, FLAG, false, 0, 0),
    SETTING_END,
};

const char *
fault_name (fault_kind_t kind)
{
    return s_names[kind];
}

static bool
s_known (const char *const *known, const char *name)
{
    for (; *known; known++) {
        if (streq (*known, name))
            return true;
    }
    return false;
}

static bool
s_read_rule (rule_t *rule, json_object *node, const char *where,
             const char *const *known, pb_error_t *error)
{
    char place[256];
    settings_place (node, where, place, sizeof place);
    setting_table_t table = {s_settings, rule};
    rule->percent = 100;
    rule->every = 1;
    rule->fault = (fault_t){.ms = 1000, .status = 500, .times = 1};
    if (!settings_read (node, where, &table, 1, error))
        return false;
    for (int kind = FAULT_SLOW; kind < FAULT_KINDS; kind++) {
        if (streq (s_names[kind], rule->kind))
            rule->fault.kind = (fault_kind_t) kind;
    }
    if (rule->fault.kind == FAULT_NONE)
        return pb_error (
            error, PB_E_CONFIG, "fault",
            _ ("%s: there is no fault '%s'; take one of slow, fail, refuse, "
               "lose_answer, close_without_byte, html, garbage, repeat"),
            place, rule->kind);
    for (size_t i = 0; rule->at && i < json_object_array_length (rule->at); i++) {
        const char *name =
            json_object_get_string (json_object_array_get_idx (rule->at, i));
        if (!s_known (known, name))
            return pb_error (error, PB_E_CONFIG, "at",
                             _ ("%s: this platform has no endpoint '%s'"), place, name);
    }
    return true;
}

faults_t *
faults_new (json_object *list, const char *where, const char *const *known,
            uint64_t seed, pb_error_t *error)
{
    faults_t *self = xcalloc (1, sizeof *self);
    self->random = seed;
    self->list = json_object_get (list);
    self->count = list ? json_object_array_length (list) : 0;
    self->rules = xcalloc (self->count ? self->count : 1, sizeof (rule_t));
    for (size_t i = 0; i < self->count; i++) {
        json_object *node = json_object_array_get_idx (list, i);
        if (!s_read_rule (&self->rules[i], node, where, known, error)) {
            faults_destroy (&self);
            break;
        }
    }
    return self;
}

void
faults_destroy (faults_t **self_p)
{
    faults_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free (self->rules[i].kind);
    free (self->rules);
    json_object_put (self->list);
    free (self);
    *self_p = NULL;
}

static bool
s_concerns (const rule_t *rule, const char *endpoint)
{
    for (size_t i = 0; rule->at && i < json_object_array_length (rule->at); i++) {
        json_object *name = json_object_array_get_idx (rule->at, i);
        if (streq (json_object_get_string (name), endpoint))
            return true;
    }
    return !rule->at;
}

fault_t
faults_pick (faults_t *self, const char *endpoint)
{
    for (size_t i = 0; i < self->count; i++) {
        rule_t *rule = &self->rules[i];
        if (!s_concerns (rule, endpoint) || (rule->count && rule->done == rule->count))
            continue;
        rule->seen++;
        if (rule->seen % rule->every != 0)
            continue;
        if ((int64_t) (sim_random (&self->random) % 100) >= rule->percent)
            continue;
        rule->done++;
        return rule->fault;
    }
    return (fault_t){0};
}
