//  test_form.c - forms as they come and as they are written.

#include <string.h>
#include "promise.h"
#include "sdk/form.h"
#include "sdk/harness.h"

//  What a body decodes to, as "name=value|…"; NULL: refused.
static const struct {
    const char *promise;
    const char *body;
    const char *want;
} bodies[] = {
    {"pairs in their order", "b=2&a=1", "b=2|a=1|"},
    {"'+' is a blank", "a=x+y%2B", "a=x y+|"},
    {"escapes in either case", "a=%e9%99%95%E4", "a=陕\xe4|"},
    {"names are decoded too", "%61=1", "a=1|"},
    {"'=' in a value", "a=b=c", "a=b=c|"},
    {"an empty value", "a=&b=1", "a=|b=1|"},
    {"a name alone", "a&b=1", "a=|b=1|"},
    {"empty places between '&'", "&&a=1&&", "a=1|"},
    {"nothing", "", ""},
    {"decoded once, not twice", "a=%2541", "a=%41|"},
    {"a name twice", "a=1&b=2&a=1", NULL},
    {"a name twice, differently written", "a=1&%61=2", NULL},
    {"names differ by case", "a=1&A=2", "a=1|A=2|"},
    {"half an escape at the end", "a=%4", NULL},
    {"a lone percent sign", "a=100%", NULL},
    {"an escape that is none", "a=%g1", NULL},
    {"NUL", "a=%00", NULL},
    {"a value without name", "=1", NULL},
};

static void
s_check_bodies (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (bodies); i++) {
        char got[256] = "";
        pb_pairs_t form;
        const char *why = NULL;
        int rc = pb_form_read (
            env, (pb_bytes_t){bodies[i].body, strlen (bodies[i].body)}, &form, &why);
        for (size_t n = 0; rc == PB_OK && n < form.count; n++) {
            strcat (strcat (got, form.items[n].name), "=");
            strcat (strcat (got, form.items[n].value), "|");
        }
        bool kept = bodies[i].want ? rc == PB_OK && !strcmp (got, bodies[i].want)
                                   : rc == PB_BADMSG && why && *why;
        promise (kept, "%s: %s", bodies[i].promise, why ? why : got);
    }
}

static const struct {
    const char *promise;
    const char *value, *want;
} escapes[] = {
    {"unreserved characters stay", "AZaz09-._~", "AZaz09-._~"},
    {"UTF-8 in upper-case hex", "陕A", "%E9%99%95A"},
    {"a blank is %20, not '+'", "a b+c", "a%20b%2Bc"},
    {"Base64 and JSON", "/+=[{\"", "%2F%2B%3D%5B%7B%22"},
    {"any byte", "\x01\xff", "%01%FF"},
    {"nothing", "", ""},
};

static void
s_check_escapes (const pb_env_t *env)
{
    for (size_t i = 0; i < PB_COUNT (escapes); i++) {
        pb_buffer_t to = {.env = env};
        pb_form_escape (&to, escapes[i].value);
        const char *got = pb_done (&to);
        promise (pb_equal (got, escapes[i].want), "%s: %s", escapes[i].promise, got);
    }
}

//  Every byte value goes out and comes back.
static void
s_check_bytes (const pb_env_t *env)
{
    char all[256];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char) i;
    all[255] = 0;
    pb_pairs_t form = {NULL, 0, 0}, back;
    pb_buffer_t to = {.env = env};
    const char *why = NULL;
    pb_pairs_add (env, &form, all, all, false);
    pb_form_write (&to, &form);
    int rc = pb_form_read (env, (pb_bytes_t){pb_done (&to), to.size}, &back, &why);
    promise (rc == PB_OK && back.count == 1 && pb_equal (back.items[0].value, all)
                 && pb_equal (back.items[0].name, all),
             "every byte but NUL goes out and comes back");
}

int
main (void)
{
    pb_harness_t *memory = pb_harness_new (NULL);
    memory->call.host = memory;
    pb_env_t env = {&memory->host, &memory->call};
    s_check_bodies (&env);
    s_check_escapes (&env);
    s_check_bytes (&env);
    pb_harness_destroy (&memory);
    return promises_kept ();
}
