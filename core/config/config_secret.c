//  config_secret.c - where secrets lie, and reading them without ever showing one.

#include "config/config_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"

#define SECRET_MAX 65536 //  Bytes; a certificate chain fits

//  ------------------------------------------------------------------ where it lies

static bool
s_is_variable (const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return *text && !(*text >= '0' && *text <= '9') && !text[strspn (text, letters)];
}

//  A file of $CREDENTIALS_DIRECTORY, not a way out of it.
static bool
s_is_credential (const char *text)
{
    return *text && *text != '.' && !strchr (text, '/');
}

static bool
s_is_any (const char *text)
{
    return *text != '\0';
}

static const struct {
    const char *prefix;
    secret_kind_t kind;
    bool (*fits) (const char *where);
} s_kinds[] = {
    {"file:",  SECRET_FILE,  s_is_any       },
    {"env:",   SECRET_ENV,   s_is_variable  },
    {"cred:",  SECRET_CRED,  s_is_credential},
    {"plain:", SECRET_PLAIN, s_is_any       },
};

bool
config_secret_parse (config_reader_t *reader, const char *name,
                     const config_node_t *node, config_secret_t *to)
{
    const char *text = node->shape == OPTION_SCALAR ? node->text : "";
    to->mark = node->mark;
    for (size_t i = 0; i < ARRAY_SIZE (s_kinds); i++) {
        size_t size = strlen (s_kinds[i].prefix);
        if (strncmp (text, s_kinds[i].prefix, size) != 0
            || !s_kinds[i].fits (text + size))
            continue;
        to->kind = s_kinds[i].kind;
        to->where = to->kind == SECRET_FILE ? config_path (reader->dir, text + size)
                                            : xstrdup (text + size);
        return true;
    }
    //  What is written may be the secret itself: it is not repeated.
    char quoted[CONFIG_QUOTE];
    return config_wrong (
        reader->error, node->mark, name,
        _ ("%s must say where the secret lies: file:PATH, env:VARIABLE, "
           "cred:NAME (systemd) or plain:TEXT"),
        config_quote (name, quoted));
}

void
config_secret_free (config_secret_t *self)
{
    if (self->where && self->kind == SECRET_PLAIN)
        explicit_bzero (self->where, strlen (self->where));
    free (self->where);
}

//  ------------------------------------------------------------------ reading

static void
s_wipe (buffer_t *self)
{
    if (self->data)
        explicit_bzero (self->data, self->size);
    buffer_free (self);
}

static char *
s_read_file (const config_secret_t *secret, const char *path, pb_error_t *error)
{
    buffer_t bytes = {.data = NULL};
    char *text = NULL, where[256];
    bool others = false;
    if (!config_file_read (path, SECRET_MAX, &bytes, &others)) {
        config_wrong (error, secret->mark, "",
                      _ ("the secret in %s cannot be read: %s"), path,
                      strerror (errno));
        goto done;
    }
    if (bytes.size && bytes.data[bytes.size - 1] == '\n')
        bytes.size--;
    if (bytes.size && bytes.data[bytes.size - 1] == '\r')
        bytes.size--;
    if (!bytes.size || memchr (bytes.data, 0, bytes.size)) {
        config_wrong (error, secret->mark, "",
                      bytes.size
                          ? _ ("the secret in %s holds a NUL byte: save it as text")
                          : _ ("the secret in %s is empty"),
                      path);
        goto done;
    }
    if (others) {
        config_mark_text (secret->mark, where, sizeof where);
        log_warning (
            "config",
            _ ("%s: every user of this machine may read the secret in %s: chmod "
               "o-rwx it"),
            where, path);
    }
    text = xmalloc (bytes.size + 1);
    memcpy (text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
done:
    s_wipe (&bytes);
    return text;
}

static char *
s_read_env (const config_secret_t *secret, pb_error_t *error)
{
    const char *value = getenv (secret->where);
    if (value && *value)
        return xstrdup (value);
    config_wrong (
        error, secret->mark, "",
        _ ("the environment variable %s that should hold the secret is not set"),
        secret->where);
    return NULL;
}

static char *
s_read_cred (const config_secret_t *secret, pb_error_t *error)
{
    const char *dir = getenv ("CREDENTIALS_DIRECTORY");
    if (!dir || *dir != '/') {
        config_wrong (error, secret->mark, "",
                      _ ("the credential %s is not there: systemd gives it with "
                         "LoadCredential= (CREDENTIALS_DIRECTORY is not set)"),
                      secret->where);
        return NULL;
    }
    char *path = config_path (dir, secret->where);
    char *text = s_read_file (secret, path, error);
    free (path);
    return text;
}

static char *
s_read_plain (const config_secret_t *secret)
{
    char where[256];
    config_mark_text (secret->mark, where, sizeof where);
    log_warning (
        "config",
        _ ("%s: a secret stands here in plain text: move it to a file of its own "
           "and write file:PATH"),
        where);
    return xstrdup (secret->where);
}

char *
config_secret_read (const config_secret_t *secret, pb_error_t *error)
{
    switch (secret->kind) {
    case SECRET_FILE:
        return s_read_file (secret, secret->where, error);
    case SECRET_ENV:
        return s_read_env (secret, error);
    case SECRET_CRED:
        return s_read_cred (secret, error);
    case SECRET_PLAIN:
        return s_read_plain (secret);
    }
    return NULL;
}
