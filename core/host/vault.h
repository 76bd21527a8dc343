//  host/vault.h - remembered values (tokens), encrypted for the disk.
//
//  The vault keeps nothing but its key: it turns a value into the bytes of a journal
//  record and back. AES-256-GCM with `vault.key` in the data directory, made at first
//  use.

#ifndef PARKBUS_HOST_VAULT_H
#define PARKBUS_HOST_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"

#define VAULT_VALUE_MAX (64 * 1024) //  Bytes of a name and a value together

typedef struct vault vault_t;

//  A value as remembered. value NULL: forgotten.
typedef struct {
    char *instance;
    char *name;
    char *value;
    int64_t expires_ms; //  Since 1970-01-01 UTC
} vault_item_t;

//  Read the key if there is one. NULL with *error: PB_E_STORAGE when it cannot be read,
//  PB_E_DAMAGED when it is no key.
vault_t *vault_open (const char *dir, pb_error_t *error);
void vault_close (vault_t **self_p); //  Wipes the key

//  Append the record of a value to `out`. value NULL: the record of forgetting it.
//  False with *error: PB_E_STORAGE when the key cannot be made, PB_E_BAD_REQUEST when
//  instance, name or value are too long. Safe over threads.
bool vault_seal (vault_t *self, const char *instance, const char *name,
                 const char *value, int64_t expires_ms, buffer_t *out,
                 pb_error_t *error);

//  What vault_seal wrote. False with PB_E_DAMAGED when it was changed in any byte, or
//  was written with another key. Free the item with vault_item_free. Safe over threads.
bool vault_unseal (vault_t *self, const void *bytes, size_t size, vault_item_t *item,
                   pb_error_t *error);
void vault_item_free (vault_item_t *item); //  Wipes the value

#endif
