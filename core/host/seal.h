//  host/seal.h - signatures with the secrets of an instance: what pb_host_t's sign,
//  verify and open do.

#ifndef PARKBUS_HOST_SEAL_H
#define PARKBUS_HOST_SEAL_H

#include <stddef.h>
#include "base/error.h"
#include "host/options.h"
#include "parkbus/plugin.h"

//  All of them: `key` is options_key (…, seal->key), NULL when there is none. Returns a
//  pb_result_t; anything but PB_OK sets *error to a sentence without any secret in it:
//  PB_CONFIG  the key is unknown, or not what the algorithm needs
//  PB_AUTH    the signature is not by this key
//  PB_BADMSG  nothing that could be decrypted
//  PB_BUG     an unknown algorithm, or too little room (*size is then what it takes)
//  Safe over threads.

//  PB_MD5, PB_SHA256: digest of before, secret, after; without a key of before, after.
//  PB_HMAC_SHA256, PB_RSA_SHA256: by the secret (RSA: PEM), of before, after.
//  Raw bytes into `out`; *size in: room, out: length.
int seal_sign (const pb_seal_t *seal, const options_key_t *key, void *out, size_t *size,
               pb_error_t *error);

//  The same, compared in constant time, with both secrets of a rotation. RSA: the
//  secret is the platform's public key in PEM.
int seal_verify (const pb_seal_t *seal, const options_key_t *key, const void *signature,
                 size_t size, pb_error_t *error);

//  PB_AES_GCM: `before` is nonce (12), text, tag (16); `after` is authenticated with
//  it. The secret is 32 bytes, or 64 hex digits.
int seal_open (const pb_seal_t *seal, const options_key_t *key, void *out, size_t *size,
               pb_error_t *error);

#endif
