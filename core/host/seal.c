//  seal.c - signatures with the secrets of an instance.

#include "host/seal.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "base/text.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16
#define AES_KEY_SIZE 32
#define SIGNATURE_MAX 1024 //  RSA of 8192 bits

//  Fetched once: EVP_md5 () and friends look the algorithm up again at each use.
static struct {
    EVP_MD *md5;
    EVP_MD *sha256;
    EVP_MAC *hmac;
    EVP_CIPHER *aes;
} fetched;

static void
s_fetch (void)
{
    fetched.md5 = EVP_MD_fetch (NULL, "MD5", NULL);
    fetched.sha256 = EVP_MD_fetch (NULL, "SHA256", NULL);
    fetched.hmac = EVP_MAC_fetch (NULL, "HMAC", NULL);
    fetched.aes = EVP_CIPHER_fetch (NULL, "AES-256-GCM", NULL);
    ERR_clear_error ();
}

static void
s_fetch_once (void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, s_fetch);
}

//  Every way of signing: bytes into `to` (SIGNATURE_MAX), their number, or 0.
typedef size_t (sign_fn) (const pb_seal_t *seal, span_t secret, unsigned char *to);

static size_t
s_digest (const EVP_MD *md, const pb_seal_t *seal, span_t secret, unsigned char *to)
{
    unsigned size = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new ();
    bool done = ctx && md && EVP_DigestInit_ex2 (ctx, md, NULL)
                && EVP_DigestUpdate (ctx, seal->before.data, seal->before.size)
                && EVP_DigestUpdate (ctx, secret.p, secret.n)
                && EVP_DigestUpdate (ctx, seal->after.data, seal->after.size)
                && EVP_DigestFinal_ex (ctx, to, &size);
    EVP_MD_CTX_free (ctx);
    return done ? size : 0;
}

static size_t
s_md5 (const pb_seal_t *seal, span_t secret, unsigned char *to)
{
    return s_digest (fetched.md5, seal, secret, to);
}

static size_t
s_sha256 (const pb_seal_t *seal, span_t secret, unsigned char *to)
{
    return s_digest (fetched.sha256, seal, secret, to);
}

static size_t
s_hmac (const pb_seal_t *seal, span_t secret, unsigned char *to)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string (OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end (),
    };
    size_t size = 0;
    EVP_MAC_CTX *ctx = fetched.hmac ? EVP_MAC_CTX_new (fetched.hmac) : NULL;
    bool done =
        ctx && EVP_MAC_init (ctx, (const unsigned char *) secret.p, secret.n, params)
        && EVP_MAC_update (ctx, (const unsigned char *) seal->before.data,
                           seal->before.size)
        && EVP_MAC_update (ctx, (const unsigned char *) seal->after.data,
                           seal->after.size)
        && EVP_MAC_final (ctx, to, &size, SIGNATURE_MAX);
    EVP_MAC_CTX_free (ctx);
    return done ? size : 0;
}

//  A PEM that wants a password is not one we can use: never ask the terminal for it.
static int
s_no_password (char *to, int room, int writing, void *arg)
{
    (void) to, (void) room, (void) writing, (void) arg;
    return -1;
}

typedef EVP_PKEY *(pem_fn) (BIO *, EVP_PKEY **, pem_password_cb *, void *);

static EVP_PKEY *
s_read_pem (span_t secret, pem_fn *read)
{
    BIO *bio = BIO_new_mem_buf (secret.p, (int) secret.n);
    EVP_PKEY *key = bio ? read (bio, NULL, s_no_password, NULL) : NULL;
    BIO_free (bio);
    if (key && !EVP_PKEY_is_a (key, "RSA")) {
        EVP_PKEY_free (key);
        key = NULL;
    }
    return key;
}

static size_t
s_rsa (const pb_seal_t *seal, span_t secret, unsigned char *to)
{
    size_t size = SIGNATURE_MAX;
    EVP_PKEY *key = s_read_pem (secret, PEM_read_bio_PrivateKey);
    EVP_MD_CTX *ctx = key ? EVP_MD_CTX_new () : NULL;
    bool done = ctx
                && EVP_DigestSignInit_ex (ctx, NULL, "SHA256", NULL, NULL, key, NULL)
                && EVP_DigestSignUpdate (ctx, seal->before.data, seal->before.size)
                && EVP_DigestSignUpdate (ctx, seal->after.data, seal->after.size)
                && EVP_DigestSignFinal (ctx, to, &size);
    EVP_MD_CTX_free (ctx);
    EVP_PKEY_free (key);
    return done ? size : 0;
}

//  Checks of a signature: PB_OK, PB_AUTH, or PB_CONFIG for a key that cannot do it.
typedef int (verify_fn) (const pb_seal_t *seal, span_t secret, const void *signature,
                         size_t size);

static int
s_verify_rsa (const pb_seal_t *seal, span_t secret, const void *signature, size_t size)
{
    EVP_PKEY *key = s_read_pem (secret, PEM_read_bio_PUBKEY);
    if (!key)
        return PB_CONFIG;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new ();
    bool good = ctx
                && EVP_DigestVerifyInit_ex (ctx, NULL, "SHA256", NULL, NULL, key, NULL)
                && EVP_DigestVerifyUpdate (ctx, seal->before.data, seal->before.size)
                && EVP_DigestVerifyUpdate (ctx, seal->after.data, seal->after.size)
                && EVP_DigestVerifyFinal (ctx, signature, size) == 1;
    EVP_MD_CTX_free (ctx);
    EVP_PKEY_free (key);
    return good ? PB_OK : PB_AUTH;
}

//  One row per pb_algorithm_t, in its order.
static const struct {
    const char *name;
    sign_fn *sign;
    verify_fn *verify; //  NULL: sign again and compare
    bool keyless;      //  Means something without a secret
} algorithms[] = {
    [PB_MD5] = {"MD5",          s_md5,    NULL,         true },
    [PB_SHA256] = {"SHA-256",      s_sha256, NULL,         true },
    [PB_HMAC_SHA256] = {"HMAC-SHA-256", s_hmac,   NULL,         false},
    [PB_RSA_SHA256] = {"RSA-SHA-256",  s_rsa,    s_verify_rsa, false},
    [PB_AES_GCM] = {"AES-256-GCM",  NULL,     NULL,         false},
};

//  Say it and give the result.
#define FAIL(error, result, ...)                                                       \
    (ERR_clear_error (),                                                               \
     (void) pb_error (error, (result) == PB_CONFIG ? PB_E_CONFIG : PB_E_DENIED, "key", \
                      __VA_ARGS__),                                                    \
     (result))

//  What may be asked of this seal at all? PB_OK and *secrets, how many there are.
static int
s_check (const pb_seal_t *seal, const options_key_t *key, bool opening,
         pb_error_t *error)
{
    s_fetch_once ();
    if (seal->algorithm >= ARRAY_SIZE (algorithms)
        || opening != (algorithms[seal->algorithm].sign == NULL))
        return FAIL (error, PB_BUG, _ ("%s: not an algorithm for this"),
                     seal->algorithm < ARRAY_SIZE (algorithms)
                         ? algorithms[seal->algorithm].name
                         : "?");
    if (seal->key && !key)
        return FAIL (error, PB_CONFIG, _ ("there is no key `%s`: write it under keys:"),
                     seal->key);
    if (!seal->key && !algorithms[seal->algorithm].keyless)
        return FAIL (error, PB_BUG, _ ("%s needs a key"),
                     algorithms[seal->algorithm].name);
    return PB_OK;
}

//  The secrets to try: without a key one that is empty.
static size_t
s_secrets (const options_key_t *key, span_t secrets[2])
{
    secrets[0] = (span_t){"", 0};
    for (size_t i = 0; key && i < key->count; i++)
        secrets[i] = (span_t){key->secrets[i], key->sizes[i]};
    return key ? key->count : 1;
}

int
seal_sign (const pb_seal_t *seal, const options_key_t *key, void *out, size_t *size,
           pb_error_t *error)
{
    unsigned char made[SIGNATURE_MAX];
    span_t secrets[2];
    int result = s_check (seal, key, false, error);
    if (result != PB_OK)
        return result;
    s_secrets (seal->key ? key : NULL, secrets);
    size_t length = algorithms[seal->algorithm].sign (seal, secrets[0], made);
    if (length == 0)
        return FAIL (error, PB_CONFIG,
                     _ ("the secret of key `%s` cannot sign this way: check that it is "
                        "of the right kind"),
                     seal->key ? seal->key : algorithms[seal->algorithm].name);
    size_t room = *size;
    *size = length;
    if (room < length)
        return FAIL (error, PB_BUG, _ ("too little room for a signature by %s"),
                     algorithms[seal->algorithm].name);
    memcpy (out, made, length);
    return PB_OK;
}

//  Sign again and compare.
static int
s_verify_again (const pb_seal_t *seal, span_t secret, const void *signature,
                size_t size)
{
    unsigned char made[SIGNATURE_MAX];
    size_t length = algorithms[seal->algorithm].sign (seal, secret, made);
    if (length == 0)
        return PB_CONFIG;
    return length == size && CRYPTO_memcmp (made, signature, length) == 0 ? PB_OK
                                                                          : PB_AUTH;
}

int
seal_verify (const pb_seal_t *seal, const options_key_t *key, const void *signature,
             size_t size, pb_error_t *error)
{
    span_t secrets[2];
    int result = s_check (seal, key, false, error);
    if (result != PB_OK)
        return result;
    verify_fn *verify = algorithms[seal->algorithm].verify;
    size_t count = s_secrets (seal->key ? key : NULL, secrets);
    size_t good = 0, unfit = 0;
    for (size_t i = 0; i < count; i++) {
        result = (verify ? verify : s_verify_again) (seal, secrets[i], signature, size);
        good += result == PB_OK;
        unfit += result == PB_CONFIG;
    }
    ERR_clear_error ();
    if (good > 0)
        return PB_OK;
    if (unfit == count)
        return FAIL (
            error, PB_CONFIG,
            _ ("the secret of key `%s` cannot verify this way: check that it is "
               "of the right kind"),
            seal->key ? seal->key : algorithms[seal->algorithm].name);
    return FAIL (error, PB_AUTH,
                 _ ("the signature is not by key `%s`: compare the secret with the "
                    "platform's"),
                 seal->key ? seal->key : algorithms[seal->algorithm].name);
}

static bool
s_aes_key (span_t secret, unsigned char to[AES_KEY_SIZE])
{
    if (secret.n == AES_KEY_SIZE) {
        memcpy (to, secret.p, AES_KEY_SIZE);
        return true;
    }
    return secret.n == 2 * AES_KEY_SIZE
           && hex_decode (secret.p, secret.n, to, AES_KEY_SIZE) == AES_KEY_SIZE;
}

static bool
s_decrypt (const unsigned char *key, const pb_seal_t *seal, unsigned char *to)
{
    const unsigned char *nonce = (const unsigned char *) seal->before.data;
    int text = (int) seal->before.size - NONCE_SIZE - TAG_SIZE;
    const unsigned char *after = (const unsigned char *) seal->after.data;
    unsigned char tag[TAG_SIZE], none[1];
    memcpy (tag, nonce + NONCE_SIZE + text, TAG_SIZE);
    int written;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
    bool done =
        ctx && fetched.aes && EVP_DecryptInit_ex2 (ctx, fetched.aes, key, nonce, NULL)
        && (seal->after.size == 0
            || EVP_DecryptUpdate (ctx, NULL, &written, after, (int) seal->after.size))
        && EVP_DecryptUpdate (ctx, to, &written, nonce + NONCE_SIZE, text)
        && EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag)
        && EVP_DecryptFinal_ex (ctx, none, &written) == 1;
    EVP_CIPHER_CTX_free (ctx);
    return done;
}

int
seal_open (const pb_seal_t *seal, const options_key_t *key, void *out, size_t *size,
           pb_error_t *error)
{
    int result = s_check (seal, key, true, error);
    if (result != PB_OK)
        return result;
    if (seal->before.size < NONCE_SIZE + TAG_SIZE || seal->before.size > INT_MAX
        || seal->after.size > INT_MAX)
        return FAIL (error, PB_BADMSG,
                     _ ("for key `%s`: nonce, text and tag take at least 28 bytes"),
                     seal->key);
    size_t room = *size;
    *size = (size_t) seal->before.size - NONCE_SIZE - TAG_SIZE;
    if (room < *size)
        return FAIL (error, PB_BUG, _ ("too little room for what key `%s` opens"),
                     seal->key);
    span_t secrets[2];
    size_t count = s_secrets (key, secrets);
    size_t unfit = 0;
    bool open = false;
    for (size_t i = 0; i < count && !open; i++) {
        unsigned char bytes[AES_KEY_SIZE];
        if (s_aes_key (secrets[i], bytes))
            open = s_decrypt (bytes, seal, out);
        else
            unfit++;
        OPENSSL_cleanse (bytes, sizeof bytes);
    }
    ERR_clear_error ();
    if (open)
        return PB_OK;
    //  What did not prove genuine is not shown to anybody.
    OPENSSL_cleanse (out, *size);
    if (unfit == count)
        return FAIL (error, PB_CONFIG,
                     _ ("the secret of key `%s` must be 32 bytes or 64 hex digits"),
                     seal->key);
    return FAIL (error, PB_AUTH,
                 _ ("this was not encrypted with key `%s`, or was changed"), seal->key);
}
