//  sign.c - `parkbus sign PLATFORM …` and `parkbus verify PLATFORM …`: a platform's
//  signature, made and taken apart.

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "sign_form.h"

#define BODY_MAX (16 * 1024 * 1024) //  A picture of 8 MiB as Base64, percent-encoded
#define SECRET_MAX 4096

//  Whose signatures we know, and which of an instance's keys signs.
typedef struct {
    const char *name; //  Of the module too
    const char *key;
    int (*sign) (const sign_job_t *job);
    int (*verify) (const sign_job_t *job);
} platform_t;

static const platform_t platforms[] = {
    {"cmb", "appsecret", sign_form_sign, sign_form_verify},
};

//  A whole file, ended with NUL; NULL after saying why.
static char *
s_slurp (FILE *file, const char *name, size_t limit, size_t *size)
{
    if (!file) {
        cli_fail (_ ("cannot read %s: %s"), name, strerror (errno));
        return NULL;
    }
    char *text = xmalloc (limit + 1);
    *size = fread (text, 1, limit, file);
    text[*size] = 0;
    if (*size < limit && !ferror (file))
        return text;
    cli_fail (_ ("%s cannot be read, or has more than %zu bytes"), name, limit);
    free (text);
    return NULL;
}

//  A secret in a file ends with its first line.
static char *
s_secret_file (const char *path)
{
    size_t size = 0;
    FILE *file = fopen (path, "rb");
    char *secret = s_slurp (file, path, SECRET_MAX, &size);
    if (file)
        fclose (file);
    if (secret)
        secret[strcspn (secret, "\r\n")] = 0;
    return secret;
}

//  The body from a word, or from stdin for "-"; line ends behind it are not part of it.
static bool
s_body (const char *word, sign_job_t *job, char **owned)
{
    job->body = word;
    job->size = strlen (word);
    if (streq (word, "-"))
        job->body = *owned =
            s_slurp (stdin, _ ("standard input"), BODY_MAX, &job->size);
    if (!job->body)
        return false;
    while (job->size && strchr ("\r\n", job->body[job->size - 1]))
        job->size--;
    return true;
}

//  ---------------------------------------------------------------- the site's secrets

//  The instance that is meant: the one of --via, or the only one of the platform's module.
//  NULL after saying why there is none.
static const config_instance_t *
s_instance (const cli_t *cli, const config_t *config, const char *module)
{
    const char *via = cli_text (cli, "via");
    const config_instance_t *found = NULL;
    for (size_t i = 0; i < config->instances_count; i++) {
        const config_instance_t *instance = &config->instances[i];
        if (!instance->module || !streq (instance->module, module)
            || (via && !streq (via, instance->name)))
            continue;
        if (found) {
            cli_usage (cli,
                       _ ("%s has several instances of %s, %s and %s: choose one "
                          "with --via"),
                       config->file, module, found->name, instance->name);
            return NULL;
        }
        found = instance;
    }
    if (!found && via)
        cli_usage (cli, _ ("%s has no instance %s of %s"), config->file, via, module);
    else if (!found)
        cli_usage (cli, _ ("%s has no instance of %s: give --secret or --secret-file"),
                   config->file, module);
    return found;
}

static const config_key_t *
s_key (const config_instance_t *instance, const char *name)
{
    for (size_t i = 0; i < instance->keys_count; i++)
        if (streq (instance->keys[i].name, name))
            return &instance->keys[i];
    cli_fail (_ ("%s: there is no %s under keys"), instance->file, name);
    return NULL;
}

//  The secrets of the site's own instance, into the job and `owned`. CLI_OK, or the exit
//  code after saying why not.
static int
s_site_secrets (cli_t *cli, const platform_t *platform, sign_job_t *job, char **owned)
{
    pb_error_t error;
    const config_t *config = cli_config (cli, &error);
    if (!config && error.message[0]) {
        cli_fail ("%s", error.message);
        return CLI_USAGE;
    }
    if (!config)
        return cli_usage (cli, _ ("by which secret? Give --secret, --secret-file, or "
                                  "the site's --config"));
    const config_instance_t *instance = s_instance (cli, config, platform->name);
    if (instance && instance->error.message[0]) {
        cli_fail ("%s", instance->error.message);
        return CLI_USAGE;
    }
    const config_key_t *key = instance ? s_key (instance, platform->key) : NULL;
    if (!key)
        return CLI_USAGE;
    for (size_t i = 0; i < key->count; i++) {
        owned[i] = config_secret_read (&key->secrets[i], &error);
        if (!owned[i])
            return cli_fail ("%s", error.message);
        job->secrets[job->secrets_count++] = owned[i];
    }
    return CLI_OK;
}

//  ---------------------------------------------------------------- the commands

//  A secret that was read does not stay in memory that others get.
static void
s_free_secret (char *secret)
{
    if (secret)
        OPENSSL_cleanse (secret, strlen (secret));
    free (secret);
}

static int
s_secrets (cli_t *cli, const platform_t *platform, sign_job_t *job, char **owned)
{
    bool given = cli_given (cli, "secret") || cli_given (cli, "secret-file");
    job->guesses_count = cli_texts (cli, "guess-secret", job->guesses, SIGN_SECRETS);
    if (!given)
        return s_site_secrets (cli, platform, job, owned);
    if (cli_given (cli, "via"))
        return cli_usage (cli, _ ("--via chooses among the site's instances; leave "
                                  "--secret and --secret-file out"));
    job->secrets_count = cli_texts (cli, "secret", job->secrets, SIGN_SECRETS - 1);
    if (!cli_given (cli, "secret-file"))
        return CLI_OK;
    owned[0] = s_secret_file (cli_text (cli, "secret-file"));
    if (!owned[0])
        return CLI_FAILED;
    job->secrets[job->secrets_count++] = owned[0];
    return CLI_OK;
}

static int
s_run (cli_t *cli, bool verify)
{
    size_t at = 0;
    while (at < ARRAY_SIZE (platforms)
           && !streq (cli_word (cli, 0), platforms[at].name))
        at++;
    if (at == ARRAY_SIZE (platforms))
        return cli_usage (cli, _ ("unknown platform %s; there is: cmb"),
                          cli_word (cli, 0));
    sign_job_t job = {.body = NULL};
    char *owned[2] = {NULL, NULL}, *body = NULL;
    int code = s_secrets (cli, &platforms[at], &job, owned);
    if (code == CLI_OK && !s_body (cli_word (cli, 1), &job, &body))
        code = CLI_FAILED;
    if (code == CLI_OK)
        code = (verify ? platforms[at].verify : platforms[at].sign) (&job);
    free (body);
    for (size_t i = 0; i < ARRAY_SIZE (owned); i++)
        s_free_secret (owned[i]);
    return code;
}

static int
s_sign (cli_t *cli)
{
    return s_run (cli, false);
}

static int
s_verify (cli_t *cli)
{
    return s_run (cli, true);
}

// clang-format off
static const arg_t sign_args[] = {
    {"secret", ARG_TEXT, N_ ("TEXT"), 0, 0, N_ ("the secret (others can see it in the list of processes)")},
    {"secret-file", ARG_TEXT, N_ ("FILE"), 0, 0, N_ ("a file with the secret in its first line")},
    {"via", ARG_TEXT, N_ ("INSTANCE"), 0, 0, N_ ("without a secret: that of this plugin instance of the site")},
    ARGS_END
};

static const arg_t verify_args[] = {
    {"secret", ARG_TEXT, N_ ("TEXT"), 0, 0, N_ ("the secret; twice during a rotation")},
    {"secret-file", ARG_TEXT, N_ ("FILE"), 0, 0, N_ ("a file with the secret in its first line")},
    {"guess-secret", ARG_TEXT, N_ ("TEXT"), 0, 0, N_ ("another secret to try when it does not fit; may be repeated")},
    {"via", ARG_TEXT, N_ ("INSTANCE"), 0, 0, N_ ("without a secret: that of this plugin instance of the site")},
    ARGS_END
};
// clang-format on

const command_t command_sign = {
    .name = "sign",
    .words = N_ ("PLATFORM BODY|-"),
    .help = N_ ("sign a request as a platform does, and print the text that is signed"),
    .args = sign_args,
    .least = 2,
    .most = 2,
    .run = s_sign,
};

const command_t command_verify = {
    .name = "verify",
    .words = N_ ("PLATFORM BODY|-"),
    .help = N_ ("check a request's signature, and say what its signer did differently"),
    .args = verify_args,
    .least = 2,
    .most = 2,
    .run = s_verify,
};
