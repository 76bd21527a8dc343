//  sign_form.c - the signature over sorted form parameters, and guesses at what the other
//  side does differently.

#include <iconv.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "sdk/form.h"
#include "sdk/hex.h"
#include "sign_form.h"

#define HEX_SIZE 33

//  ---------------------------------------------------------------- memory

//  The sdk asks a host for memory; here that is a list, freed at the end.
typedef struct block block_t;
struct block {
    block_t *next;
    max_align_t bytes[];
};

static void *
s_alloc (pb_call_t *call, size_t size)
{
    block_t **list = call->host;
    block_t *block = calloc (1, sizeof *block + size);
    if (!block)
        return NULL;
    block->next = *list;
    *list = block;
    return block->bytes;
}

static void
s_free (block_t *list)
{
    while (list) {
        block_t *next = list->next;
        free (list);
        list = next;
    }
}

static const pb_host_t host = {.struct_size = sizeof (pb_host_t), .alloc = s_alloc};

//  ---------------------------------------------------------------- digest

static const char *const not_signed[] = {"sign", "pic_con", NULL};

static bool
s_listed (const char *name)
{
    for (const char *const *p = not_signed; *p; p++)
        if (!strcmp (*p, name))
            return true;
    return false;
}

static void
s_md5 (const char *text, char hex[HEX_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    *hex = 0;
    if (EVP_Digest (text, strlen (text), digest, &size, EVP_md5 (), NULL)
        && 2 * size < HEX_SIZE)
        pb_hex_lower (digest, size, hex);
}

static void
s_digest (const pb_env_t *env, const char *text, const char *secret, char hex[HEX_SIZE])
{
    const char *whole = pb_format (env, "%s%s", text, secret);
    if (whole)
        s_md5 (whole, hex);
    else
        *hex = 0;
}

//  ---------------------------------------------------------------- what signers get wrong

//  How a value is written into the signed text.
typedef enum {
    AS_IT_IS,
    GBK,
    FROM_GBK,
    ESCAPED,
    ESCAPED_LOWER,
    PLUS,
    SPACED,
    UNSPACED
} value_t;

static const struct {
    value_t value;
    const char *says;
} values[] = {
    {AS_IT_IS,      NULL                                                                 },
    {GBK,           N_ ("the values were signed in GBK; CMB signs UTF-8")                },
    {FROM_GBK,      N_ ("the values were sent in GBK and signed in UTF-8; send UTF-8")   },
    {ESCAPED,       N_ ("the values were signed percent-encoded (%E4…); sign them raw")},
    {ESCAPED_LOWER,
     N_ ("the values were signed percent-encoded (%e4…); sign them raw")               },
    {PLUS,          N_ ("blanks were signed as '+'; sign the values raw")                },
    {SPACED,        N_ ("the plate was signed with a blank after its first character")   },
    {UNSPACED,      N_ ("the values were signed without their blanks")                   },
};

//  What stands around the secret.
static const struct {
    const char *before, *after;
    bool first; //  The secret stands before the text
    const char *says;
} joints[] = {
    {"",            "",   false, NULL                                                          },
    {"&",           "",   false, N_ ("'&' stands before the secret; nothing does at CMB")      },
    {"&key=",       "",   false, N_ ("'&key=' stands before the secret; nothing does at CMB")  },
    {"key=",        "",   false, N_ ("'key=' stands before the secret; nothing does at CMB")   },
    {"&appsecret=", "",   false,
     N_ ("'&appsecret=' stands before the secret; nothing does at CMB")                        },
    {"",            "",   true,  N_ ("the secret stands before the text; it belongs behind it")},
    {"",            "\n", false, N_ ("a line feed is part of the signer's secret")             },
};

typedef enum { BY_NAME, AS_SENT, WITHOUT_CASE } order_t;

static const struct {
    order_t order;
    const char *says;
} orders[] = {
    {BY_NAME,      NULL                                                                  },
    {AS_SENT,      N_ ("the parameters were signed in the order sent; sort them by name")},
    {WITHOUT_CASE,
     N_ ("the names were sorted without regard to case; A sorts before a")               },
};

static const char empty_says[] = N_ ("an empty value was signed; leave it out");

//  One way in which it may have been signed. All 0 is the right one.
typedef struct {
    size_t secret; //  Of secrets, then guesses
    size_t value, joint, order;
    bool empty;  //  Empty values take part
    size_t drop; //  1 + index of a parameter that did not take part
} guess_t;

//  The text in another encoding; NULL when it has none.
static const char *
s_iconv (const pb_env_t *env, const char *to, const char *from, const char *text)
{
    size_t left = strlen (text), room = 4 * left + 4;
    char *in = (char *) (uintptr_t) text, *out = pb_alloc (env, room + 1), *start = out;
    iconv_t cd = iconv_open (to, from);
    if (!out || cd == (iconv_t) -1)
        return NULL;
    size_t rc = iconv (cd, &in, &left, &out, &room);
    iconv_close (cd);
    return rc == (size_t) -1 ? NULL : start;
}

static const char *
s_escaped (const pb_env_t *env, const char *value, bool lower)
{
    pb_buffer_t text = {.env = env};
    pb_form_escape (&text, value);
    const char *done = pb_done (&text);
    for (char *p = text.data; done && lower && *p; p++)
        if (*p == '%')
            for (int i = 1; i <= 2; i++)
                p[i] = p[i] >= 'A' && p[i] <= 'F' ? (char) (p[i] - 'A' + 'a') : p[i];
    return done;
}

static size_t
s_first_character (const char *text)
{
    size_t n = *text ? 1 : 0;
    while (n && ((unsigned char) text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static const char *
s_spaces (const pb_env_t *env, const char *value, char instead)
{
    pb_buffer_t text = {.env = env};
    for (; *value; value++) {
        if (*value != ' ')
            pb_add (&text, value, 1);
        else if (instead)
            pb_add (&text, &instead, 1);
    }
    return pb_done (&text);
}

static const char *
s_value (const pb_env_t *env, value_t as, const pb_pair_t *pair)
{
    const char *value = pair->value;
    size_t first = s_first_character (value);
    switch (as) {
    case GBK:
        return s_iconv (env, "GBK", "UTF-8", value);
    case FROM_GBK:
        return s_iconv (env, "UTF-8", "GBK", value);
    case ESCAPED:
    case ESCAPED_LOWER:
        return s_escaped (env, value, as == ESCAPED_LOWER);
    case PLUS:
        return s_spaces (env, value, '+');
    case UNSPACED:
        return s_spaces (env, value, 0);
    case SPACED:
        if (!strcmp (pair->name, "vpl_number"))
            return pb_format (env, "%.*s %s", (int) first, value, value + first);
        return value;
    default:
        return value;
    }
}

static int
s_by_name (const void *a, const void *b)
{
    return strcmp (((const pb_pair_t *) a)->name, ((const pb_pair_t *) b)->name);
}

static int
s_without_case (const void *a, const void *b)
{
    return strcasecmp (((const pb_pair_t *) a)->name, ((const pb_pair_t *) b)->name);
}

//  The text as signed by this guess; NULL when it cannot have been.
static const char *
s_text (const pb_env_t *env, const pb_pairs_t *form, const guess_t *guess)
{
    pb_pair_t pairs[PB_FORM_FIELDS];
    size_t count = 0;
    for (size_t i = 0; i < form->count; i++) {
        const pb_pair_t *pair = &form->items[i];
        bool takes_part = !s_listed (pair->name) && guess->drop != i + 1
                          && (*pair->value || guess->empty);
        if (!takes_part)
            continue;
        const char *value = s_value (env, values[guess->value].value, pair);
        if (!value)
            return NULL;
        pairs[count++] = (pb_pair_t){pair->name, value, false};
    }
    if (orders[guess->order].order != AS_SENT)
        qsort (pairs, count, sizeof *pairs,
               orders[guess->order].order == BY_NAME ? s_by_name : s_without_case);
    pb_buffer_t text = {.env = env};
    for (size_t i = 0; i < count; i++) {
        pb_add_text (&text, i ? "&" : "");
        pb_add_text (&text, pairs[i].name);
        pb_add_text (&text, "=");
        pb_add_text (&text, pairs[i].value);
    }
    return pb_done (&text);
}

static const char *
s_secret (const sign_job_t *job, size_t index)
{
    return index < job->secrets_count ? job->secrets[index]
                                      : job->guesses[index - job->secrets_count];
}

static bool
s_fits (const pb_env_t *env, const sign_job_t *job, const pb_pairs_t *form,
        const guess_t *guess, const char *sign)
{
    const char *secret = s_secret (job, guess->secret);
    const char *text = s_text (env, form, guess);
    char hex[HEX_SIZE];
    if (!text)
        return false;
    const char *whole = pb_format (
        env, "%s%s%s%s%s", joints[guess->joint].first ? secret : "", text,
        joints[guess->joint].before, joints[guess->joint].first ? "" : secret,
        joints[guess->joint].after);
    if (!whole)
        return false;
    s_md5 (whole, hex);
    return !strcasecmp (hex, sign);
}

static unsigned
s_differences (const sign_job_t *job, const guess_t *guess)
{
    return (unsigned) ((guess->secret >= job->secrets_count) + !!guess->value
                       + !!guess->joint + !!guess->order + guess->empty
                       + !!guess->drop);
}

//  The next combination; false after the last.
static bool
s_next (const sign_job_t *job, const pb_pairs_t *form, guess_t *guess)
{
    if (++guess->value < PB_COUNT (values))
        return true;
    guess->value = 0;
    if (++guess->joint < PB_COUNT (joints))
        return true;
    guess->joint = 0;
    if (++guess->order < PB_COUNT (orders))
        return true;
    guess->order = 0;
    if ((guess->empty = !guess->empty))
        return true;
    if (++guess->drop <= form->count)
        return true;
    guess->drop = 0;
    return ++guess->secret < job->secrets_count + job->guesses_count;
}

static void
s_explain (const sign_job_t *job, const pb_pairs_t *form, const guess_t *guess)
{
    if (guess->secret >= job->secrets_count)
        printf (
            _ ("  - it was signed with another secret: the %zu. of --guess-secret\n"),
            guess->secret - job->secrets_count + 1);
    const char *const says[] = {values[guess->value].says, joints[guess->joint].says,
                                orders[guess->order].says,
                                guess->empty ? empty_says : NULL};
    for (size_t i = 0; i < PB_COUNT (says); i++)
        if (says[i])
            printf ("  - %s\n", _ (says[i]));
    if (guess->drop)
        printf (_ ("  - %s did not take part; every parameter does that has a value, "
                   "also those that the document does not name\n"),
                form->items[guess->drop - 1].name);
}

//  Try every combination, the likelier (fewer differences) first.
static bool
s_guess (const pb_env_t *env, const sign_job_t *job, const pb_pairs_t *form,
         const char *sign)
{
    for (unsigned differences = 1; differences <= 3; differences++) {
        guess_t guess = {0};
        do {
            block_t **list = env->call->host, *mark = *list;
            bool fits = s_differences (job, &guess) == differences
                        && s_fits (env, job, form, &guess, sign);
            while (*list != mark) { //  A guess leaves nothing behind
                block_t *next = (*list)->next;
                free (*list);
                *list = next;
            }
            if (fits) {
                s_explain (job, form, &guess);
                return true;
            }
        } while (s_next (job, form, &guess));
    }
    return false;
}

//  ---------------------------------------------------------------- the two commands

static int
s_read (const pb_env_t *env, const sign_job_t *job, pb_pairs_t *form)
{
    const char *why = NULL;
    int rc = pb_form_read (env, (pb_bytes_t){job->body, job->size}, form, &why);
    if (rc != PB_OK)
        fprintf (stderr, _ ("parkbus: the body is not a form that can be signed: %s\n"),
                 why ? why : _ ("no memory"));
    return rc == PB_OK ? 0 : 1;
}

int
sign_form_sign (const sign_job_t *job)
{
    block_t *blocks = NULL;
    pb_call_t call = {.struct_size = sizeof call, .host = &blocks};
    pb_env_t env = {&host, &call};
    pb_pairs_t form, all = {NULL, 0, 0};
    pb_buffer_t body = {.env = &env};
    char hex[HEX_SIZE];
    int rc = s_read (&env, job, &form);
    const char *text = rc ? NULL : pb_form_canonical (&env, &form, not_signed);
    if (text) {
        s_digest (&env, text, job->secrets[0], hex);
        for (size_t i = 0; i < form.count; i++)
            if (strcmp (form.items[i].name, "sign"))
                pb_pairs_add (&env, &all, form.items[i].name, form.items[i].value,
                              false);
        pb_pairs_add (&env, &all, "sign", hex, false);
        pb_form_write (&body, &all);
        printf (_ ("signed text  %s***\n"), text);
        printf (_ ("digest       %s\n"), hex);
        printf ("%s\n", pb_done (&body));
    }
    s_free (blocks);
    return rc;
}

static void
s_print_parameters (const pb_pairs_t *form)
{
    pb_pair_t sorted[PB_FORM_FIELDS];
    if (form->count)
        memcpy (sorted, form->items, form->count * sizeof *sorted);
    qsort (sorted, form->count, sizeof *sorted, s_by_name);
    for (size_t i = 0; i < form->count; i++) {
        const char *note = "";
        if (s_listed (sorted[i].name))
            note = _ ("   (does not take part)");
        else if (!*sorted[i].value)
            note = _ ("   (empty: does not take part)");
        else if (!pb_utf8 (sorted[i].value, strlen (sorted[i].value)))
            note = _ ("   (not UTF-8)");
        printf ("  %-14s %s%s\n", sorted[i].name, sorted[i].value, note);
    }
}

//  Does any of the secrets fit? Prints both digests.
static bool
s_compare (const pb_env_t *env, const sign_job_t *job, const char *text,
           const char *sign)
{
    char hex[HEX_SIZE];
    for (size_t i = 0; i < job->secrets_count; i++) {
        s_digest (env, text, job->secrets[i], hex);
        printf (_ ("wanted       %s\n"), hex);
        if (strcasecmp (hex, sign))
            continue;
        printf (_ ("got          %s\nThe signature fits.\n"), sign);
        if (strcmp (hex, sign))
            printf ("%s\n",
                    _ ("It is in upper case, which parkbus forgives; the document "
                       "says lower case."));
        return true;
    }
    printf (_ ("got          %s\n"), *sign ? sign : _ ("nothing: there is no sign"));
    return false;
}

int
sign_form_verify (const sign_job_t *job)
{
    block_t *blocks = NULL;
    pb_call_t call = {.struct_size = sizeof call, .host = &blocks};
    pb_env_t env = {&host, &call};
    pb_pairs_t form;
    int rc = s_read (&env, job, &form);
    const char *text = rc ? NULL : pb_form_canonical (&env, &form, not_signed);
    if (text) {
        const char *sign = pb_pairs_get (&form, "sign");
        sign = sign ? sign : "";
        s_print_parameters (&form);
        printf (_ ("signed text  %s***\n"), text);
        rc = s_compare (&env, job, text, sign) ? 0 : 1;
        if (rc) {
            printf ("%s\n", _ ("The signature does not fit. What would explain it:"));
            if (!*sign || !s_guess (&env, job, &form, sign))
                printf ("  - %s\n",
                        _ ("nothing that was tried: compare the secret (give "
                           "others with --guess-secret) and each value above "
                           "with what was signed"));
        }
    }
    s_free (blocks);
    return rc;
}
