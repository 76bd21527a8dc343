//  sign.c - `parkbus sign PLATFORM …` and `parkbus verify PLATFORM …`: a platform's
//  signature, made and taken apart.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "sign_form.h"

#define BODY_MAX (16 * 1024 * 1024) //  A picture of 8 MiB as Base64, percent-encoded
#define SECRET_MAX 4096

//  Whose signatures we know.
static const struct {
    const char *name;
    int (*sign) (const sign_job_t *job);
    int (*verify) (const sign_job_t *job);
} platforms[] = {
    {"cmb", sign_form_sign, sign_form_verify},
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
    char *file = NULL, *body = NULL;
    int code = CLI_FAILED;
    job.secrets_count = cli_texts (cli, "secret", job.secrets, SIGN_SECRETS - 1);
    job.guesses_count = cli_texts (cli, "guess-secret", job.guesses, SIGN_SECRETS);
    if (cli_given (cli, "secret-file")) {
        file = s_secret_file (cli_text (cli, "secret-file"));
        if (!file)
            return CLI_FAILED;
        job.secrets[job.secrets_count++] = file;
    }
    if (!job.secrets_count)
        code = cli_usage (cli, _ ("by which secret? Give --secret or --secret-file"));
    else if (s_body (cli_word (cli, 1), &job, &body))
        code = (verify ? platforms[at].verify : platforms[at].sign) (&job);
    free (body);
    free (file);
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
    ARGS_END
};

static const arg_t verify_args[] = {
    {"secret", ARG_TEXT, N_ ("TEXT"), 0, 0, N_ ("the secret; twice during a rotation")},
    {"secret-file", ARG_TEXT, N_ ("FILE"), 0, 0, N_ ("a file with the secret in its first line")},
    {"guess-secret", ARG_TEXT, N_ ("TEXT"), 0, 0, N_ ("another secret to try when it does not fit; may be repeated")},
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
