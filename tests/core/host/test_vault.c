//  Remembered values: what comes back, and what does not once it was touched.

#define _GNU_SOURCE //  memmem
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "host/vault.h"
#include "promise.h"

static char dir[] = "/tmp/test_vault-XXXXXX";
static char key_file[64];

// clang-format off
static const struct {
    const char *promise;
    const char *instance, *name, *value;
    int64_t expires_ms;
} values[] = {
    {"a token comes back", "etcp", "token", "eyJhbGciOi", 1795219200000},
    {"a name with a telephone number", "etcp", "user/1380013", "t", 1},
    {"an empty value is a value", "etcp", "token", "", 5},
    {"a forgotten one comes back so", "etcp", "token", NULL, 0},
    {"Chinese too", "a-1", "名", "值", INT64_MAX},
    {"a value without end of life", "a-1", "n", "v", INT64_MIN},
};
// clang-format on

static bool
s_same (const char *a, const char *b)
{
    return a && b ? !strcmp (a, b) : a == b;
}

static void
s_check_values (vault_t *vault)
{
    for (size_t i = 0; i < ARRAY_SIZE (values); i++) {
        buffer_t record = {0};
        vault_item_t item = {0};
        bool kept = vault_seal (vault, values[i].instance, values[i].name,
                                values[i].value, values[i].expires_ms, &record, NULL)
                    && vault_unseal (vault, record.data, record.size, &item, NULL)
                    && s_same (item.instance, values[i].instance)
                    && s_same (item.name, values[i].name)
                    && s_same (item.value, values[i].value)
                    && item.expires_ms == values[i].expires_ms;
        promise (kept, "%s", values[i].promise);
        vault_item_free (&item);
        buffer_free (&record);
    }
}

//  Every bit of a record counts, and so does its length.
static void
s_check_tampering (vault_t *vault)
{
    buffer_t record = {0}, again = {0};
    vault_item_t item;
    pb_error_t error = {0};
    vault_seal (vault, "etcp", "user/13800138000", "hunter2-hunter2", 1, &record, NULL);
    vault_seal (vault, "etcp", "user/13800138000", "hunter2-hunter2", 1, &again, NULL);
    size_t taken = 0;
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        record.data[bit / 8] = (char) (record.data[bit / 8] ^ (1 << bit % 8));
        if (vault_unseal (vault, record.data, record.size, &item, NULL)) {
            vault_item_free (&item);
            taken++;
        }
        record.data[bit / 8] = (char) (record.data[bit / 8] ^ (1 << bit % 8));
    }
    promise (taken == 0, "no bit can be changed");
    for (size_t size = 0; size < record.size; size++)
        if (vault_unseal (vault, record.data, size, &item, NULL)) {
            vault_item_free (&item);
            taken++;
        }
    promise (taken == 0, "no byte can be missing");
    promise (!memmem (record.data, record.size, "hunter2", 7)
                 && !memmem (record.data, record.size, "13800", 5),
             "neither value nor name can be read in it");
    promise (record.size == again.size
                 && memcmp (record.data, again.data, record.size) != 0,
             "the same value twice does not look the same");
    memcpy (record.data + 2, "etcq", 4);
    promise (!vault_unseal (vault, record.data, record.size, &item, &error)
                 && error.code == PB_E_DAMAGED && strstr (error.message, "etcq"),
             "a record does not open for another instance");
    buffer_free (&record);
    buffer_free (&again);
}

static void
s_check_sizes (vault_t *vault)
{
    char *long_value = xcalloc (1, VAULT_VALUE_MAX + 1);
    memset (long_value, 'x', VAULT_VALUE_MAX);
    buffer_t record = {0};
    vault_item_t item;
    pb_error_t error = {0};
    promise (!vault_seal (vault, "a", "n", long_value, 1, &record, &error)
                 && error.code == PB_E_BAD_REQUEST && record.size == 0,
             "one byte too many is refused and nothing written");
    long_value[VAULT_VALUE_MAX - 1] = 0;
    bool kept = vault_seal (vault, "a", "n", long_value, 1, &record, NULL)
                && vault_unseal (vault, record.data, record.size, &item, NULL);
    promise (kept && !strcmp (item.value, long_value), "the longest one comes back");
    if (kept)
        vault_item_free (&item);
    buffer_free (&record);
    free (long_value);
}

static bool
s_write (const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen (path, "w");
    bool done = file && fwrite (bytes, 1, size, file) == size;
    return file && fclose (file) == 0 && done;
}

static void
s_check_key_file (void)
{
    struct stat status;
    buffer_t record = {0}, unused = {0};
    vault_item_t item = {0};
    pb_error_t error = {0};
    vault_t *vault = vault_open (dir, NULL);
    promise (vault && stat (key_file, &status) != 0, "opening alone makes no key");
    promise (!vault_unseal (vault, "x", 1, &item, &error)
                 && strstr (error.message, "vault.key is gone"),
             "without a key nothing opens: says that it is gone");
    vault_seal (vault, "etcp", "token", "t1", 7, &record, NULL);
    promise (stat (key_file, &status) == 0 && status.st_size == 32
                 && (status.st_mode & 0777) == 0600,
             "the first use makes 32 bytes that only the owner reads");
    vault_close (&vault);

    vault = vault_open (dir, NULL);
    promise (vault_unseal (vault, record.data, record.size, &item, NULL)
                 && s_same (item.value, "t1"),
             "a restart finds the key again");
    vault_item_free (&item);
    vault_close (&vault);
    vault_close (&vault);

    unlink (key_file);
    vault = vault_open (dir, NULL);
    vault_seal (vault, "etcp", "token", "t2", 7, &unused, NULL);
    promise (!vault_unseal (vault, record.data, record.size, &item, &error)
                 && error.code == PB_E_DAMAGED,
             "another key does not open it");
    vault_close (&vault);

    s_write (key_file, "short", 5);
    promise (!vault_open (dir, &error) && error.code == PB_E_DAMAGED
                 && strstr (error.message, "vault.key is not 32 bytes"),
             "half a key is refused, not replaced");
    s_write (key_file, "0123456789abcdef0123456789abcdef-", 33);
    promise (!vault_open (dir, &error), "nor is a longer one taken");
    unlink (key_file);
    mkdir (key_file, 0700);
    promise (!vault_open (dir, &error) && error.code == PB_E_STORAGE,
             "a key file that cannot be read is said");
    rmdir (key_file);
    buffer_free (&record);
    buffer_free (&unused);

    vault = vault_open ("/nonexistent", NULL);
    promise (vault && !vault_seal (vault, "a", "n", "v", 1, &record, &error)
                 && error.code == PB_E_STORAGE
                 && strstr (error.message, "/nonexistent/vault.key"),
             "a directory that is not there: no key, and where it was tried");
    vault_close (&vault);
    buffer_free (&record);
}

int
main (void)
{
    if (!mkdtemp (dir))
        return 99;
    snprintf (key_file, sizeof key_file, "%s/vault.key", dir);
    s_check_key_file ();
    vault_t *vault = vault_open (dir, NULL);
    s_check_values (vault);
    s_check_tampering (vault);
    s_check_sizes (vault);
    vault_close (&vault);
    unlink (key_file);
    promise (rmdir (dir) == 0, "nothing else was left in the directory");
    return promises_kept ();
}
