//  vault.c - remembered values (tokens), encrypted for the disk.
//
//  A record: version (1 byte), length of the instance's name (1), the name, nonce (12),
//  text, tag (16). The text: expires_ms (8, little endian), forgotten (1), length of
//  the value's name (2), name, value. Everything before the nonce is authenticated with
//  it, so a record moved to another instance does not open; the value's name is inside,
//  because a name may be a person's telephone number.

#include "host/vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "base/log.h"

#define KEY_FILE "vault.key"
#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define VERSION 1
#define FIXED_TEXT (8 + 1 + 2)
#define HEAD_MAX (2 + 255)

struct vault {
    char *path; //  Of the key file
    char *dir;
    pthread_mutex_t mutex; //  Guards key and ready while the key is made
    unsigned char key[KEY_SIZE];
    bool ready;
};

static bool
s_file_error (const vault_t *self, pb_error_t *error)
{
    return pb_error (error, PB_E_STORAGE, "data_dir",
                     _ ("%s: %s: without it no value can be remembered"), self->path,
                     strerror (errno));
}

//  ------------------------------------------------------------------- the key file

static bool
s_read_key (vault_t *self, pb_error_t *error)
{
    int fd = open (self->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || s_file_error (self, error);
    unsigned char bytes[KEY_SIZE + 1];
    struct stat status;
    ssize_t size = read (fd, bytes, sizeof bytes);
    if (fstat (fd, &status) == 0 && status.st_mode & (S_IRWXG | S_IRWXO))
        log_warning ("vault",
                     _ ("%s may be read by others than its owner: chmod 600 it"),
                     self->path);
    close (fd);
    if (size < 0)
        return s_file_error (self, error);
    self->ready = size == KEY_SIZE;
    if (self->ready)
        memcpy (self->key, bytes, KEY_SIZE);
    OPENSSL_cleanse (bytes, sizeof bytes);
    return self->ready
           || pb_error (
               error, PB_E_DAMAGED, "data_dir",
               _ ("%s is not %d bytes long, so it is no key: restore it, or remove "
                  "it and what was remembered is lost"),
               self->path, KEY_SIZE);
}

static bool
s_sync_dir (const char *dir)
{
    int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync (fd) == 0;
    if (fd >= 0)
        close (fd);
    return done;
}

//  Written aside and renamed, so that a crash leaves no half of a key.
static bool
s_make_key (vault_t *self, pb_error_t *error)
{
    buffer_t aside = {0};
    buffer_printf (&aside, "%s.new", self->path);
    buffer_add (&aside, "", 1);
    bool done = false;
    unlink (aside.data); //  What a crash left
    int fd = open (aside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || RAND_bytes (self->key, KEY_SIZE) != 1)
        goto done;
    if (write (fd, self->key, KEY_SIZE) != KEY_SIZE || fsync (fd) != 0)
        goto done;
    if (rename (aside.data, self->path) != 0 || !s_sync_dir (self->dir))
        goto done;
    done = true;

done:
    if (!done)
        s_file_error (self, error);
    if (fd >= 0)
        close (fd);
    if (!done)
        unlink (aside.data);
    buffer_free (&aside);
    return done;
}

static bool
s_need_key (vault_t *self, bool make, pb_error_t *error)
{
    pthread_mutex_lock (&self->mutex);
    if (!self->ready && make)
        self->ready = s_make_key (self, error);
    else if (!self->ready)
        pb_error (
            error, PB_E_DAMAGED, "data_dir",
            _ ("%s is gone, and what was remembered with it: restore it, or log in "
               "again"),
            self->path);
    bool ready = self->ready;
    pthread_mutex_unlock (&self->mutex);
    return ready;
}

vault_t *
vault_open (const char *dir, pb_error_t *error)
{
    vault_t *self = xcalloc (1, sizeof *self);
    size_t size = strlen (dir) + sizeof "/" KEY_FILE;
    self->dir = xstrdup (dir);
    self->path = xmalloc (size);
    snprintf (self->path, size, "%s/" KEY_FILE, dir);
    pthread_mutex_init (&self->mutex, NULL);
    if (!s_read_key (self, error))
        vault_close (&self);
    return self;
}

void
vault_close (vault_t **self_p)
{
    vault_t *self = *self_p;
    if (!self)
        return;
    OPENSSL_cleanse (self->key, KEY_SIZE);
    pthread_mutex_destroy (&self->mutex);
    free (self->path);
    free (self->dir);
    free (self);
    *self_p = NULL;
}

//  ------------------------------------------------------------------- records

static void
s_put (buffer_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char) (number >> (8 * i));
        buffer_add (to, &byte, 1);
    }
}

static uint64_t
s_get (const unsigned char *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t) from[i] << (8 * i);
    return number;
}

static bool
s_encrypt (const vault_t *self, span_t head, const unsigned char *nonce, span_t text,
           unsigned char *to, unsigned char *tag)
{
    int written;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
    bool done = ctx
                && EVP_EncryptInit_ex2 (ctx, EVP_aes_256_gcm (), self->key, nonce, NULL)
                && EVP_EncryptUpdate (ctx, NULL, &written,
                                      (const unsigned char *) head.p, (int) head.n)
                && EVP_EncryptUpdate (ctx, to, &written, (const unsigned char *) text.p,
                                      (int) text.n)
                && EVP_EncryptFinal_ex (ctx, to + written, &written)
                && EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag);
    EVP_CIPHER_CTX_free (ctx);
    return done;
}

static bool
s_decrypt (const vault_t *self, span_t head, const unsigned char *nonce, span_t text,
           unsigned char *to)
{
    int written;
    unsigned char tag[TAG_SIZE];
    memcpy (tag, text.p + text.n, TAG_SIZE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
    bool done = ctx
                && EVP_DecryptInit_ex2 (ctx, EVP_aes_256_gcm (), self->key, nonce, NULL)
                && EVP_DecryptUpdate (ctx, NULL, &written,
                                      (const unsigned char *) head.p, (int) head.n)
                && EVP_DecryptUpdate (ctx, to, &written, (const unsigned char *) text.p,
                                      (int) text.n)
                && EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag)
                && EVP_DecryptFinal_ex (ctx, to + written, &written) == 1;
    EVP_CIPHER_CTX_free (ctx);
    ERR_clear_error ();
    return done;
}

bool
vault_seal (vault_t *self, const char *instance, const char *name, const char *value,
            int64_t expires_ms, buffer_t *out, pb_error_t *error)
{
    size_t value_size = value ? strlen (value) : 0;
    if (strlen (instance) > 255 || strlen (name) + value_size > VAULT_VALUE_MAX
        || strlen (name) > UINT16_MAX)
        return pb_error (
            error, PB_E_BAD_REQUEST, "value",
            _ ("%s wants to remember %zu bytes, at most %d can be: keep less"),
            instance, strlen (name) + value_size, VAULT_VALUE_MAX);
    if (!s_need_key (self, true, error))
        return false;

    buffer_t head = {0}, text = {0};
    unsigned char nonce[NONCE_SIZE], tag[TAG_SIZE];
    s_put (&head, VERSION, 1);
    s_put (&head, strlen (instance), 1);
    buffer_text (&head, instance);
    s_put (&text, (uint64_t) expires_ms, 8);
    s_put (&text, value == NULL, 1);
    s_put (&text, strlen (name), 2);
    buffer_text (&text, name);
    buffer_add (&text, value ? value : "", value_size);

    unsigned char *hidden = xmalloc (text.size);
    bool done = RAND_bytes (nonce, NONCE_SIZE) == 1
                && s_encrypt (self, (span_t){head.data, head.size}, nonce,
                              (span_t){text.data, text.size}, hidden, tag);
    if (done) {
        buffer_add (out, head.data, head.size);
        buffer_add (out, nonce, NONCE_SIZE);
        buffer_add (out, hidden, text.size);
        buffer_add (out, tag, TAG_SIZE);
    } else
        pb_error (error, PB_E_STORAGE, "value",
                  _ ("a value of %s cannot be encrypted: the OpenSSL library refuses"),
                  instance);
    OPENSSL_cleanse (text.data, text.size);
    buffer_free (&text);
    buffer_free (&head);
    free (hidden);
    return done;
}

static char *
s_copy (const void *bytes, size_t size)
{
    char *copy = xmalloc (size + 1);
    memcpy (copy, bytes, size);
    copy[size] = 0;
    return copy;
}

bool
vault_unseal (vault_t *self, const void *bytes, size_t size, vault_item_t *item,
              pb_error_t *error)
{
    const unsigned char *at = bytes;
    *item = (vault_item_t){0};
    if (!s_need_key (self, false, error))
        return false;
    size_t head = size >= 2 ? 2 + (size_t) at[1] : 0;
    if (size < head + NONCE_SIZE + FIXED_TEXT + TAG_SIZE || head == 0
        || at[0] != VERSION
        || size > HEAD_MAX + FIXED_TEXT + VAULT_VALUE_MAX + NONCE_SIZE + TAG_SIZE)
        return pb_error (error, PB_E_DAMAGED, "value",
                         _ ("%zu bytes are no remembered value of this version: log in "
                            "again"),
                         size);
    size_t text = size - head - NONCE_SIZE - TAG_SIZE;
    unsigned char *clear = xmalloc (text);
    bool open =
        s_decrypt (self, (span_t){bytes, head}, at + head,
                   (span_t){(const char *) at + head + NONCE_SIZE, text}, clear);
    size_t name = open ? (size_t) s_get (clear + 9, 2) : 0;
    open = open && FIXED_TEXT + name <= text;
    if (open) {
        item->instance = s_copy (at + 2, at[1]);
        item->expires_ms = (int64_t) s_get (clear, 8);
        item->name = s_copy (clear + FIXED_TEXT, name);
        if (clear[8] == 0)
            item->value = s_copy (clear + FIXED_TEXT + name, text - FIXED_TEXT - name);
    } else
        pb_error (
            error, PB_E_DAMAGED, "value",
            _ ("a remembered value of %.*s was changed, or written with another %s: "
               "log in again"),
            (int) at[1], (const char *) at + 2, self->path);
    OPENSSL_cleanse (clear, text);
    free (clear);
    return open;
}

void
vault_item_free (vault_item_t *item)
{
    if (item->value)
        OPENSSL_cleanse (item->value, strlen (item->value));
    free (item->instance);
    free (item->name);
    free (item->value);
    *item = (vault_item_t){0};
}
