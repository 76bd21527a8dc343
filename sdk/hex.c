//  hex.c - digests as hexadecimal text.

#include <string.h>
#include "sdk/hex.h"

static void
s_write (const unsigned char *bytes, size_t size, const char *digits, char *to)
{
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    *to = 0;
}

void
pb_hex_lower (const void *bytes, size_t size, char *to)
{
    s_write (bytes, size, "0123456789abcdef", to);
}

void
pb_hex_upper (const void *bytes, size_t size, char *to)
{
    s_write (bytes, size, "0123456789ABCDEF", to);
}

int
pb_hex_digit (char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr (digits, c) : NULL;
    return at ? (int) ((at - digits) & 15) : -1;
}

bool
pb_hex_read (const char *hex, void *to, size_t room)
{
    unsigned char *bytes = to;
    if (strlen (hex) != 2 * room)
        return false;
    for (size_t i = 0; i < room; i++) {
        int high = pb_hex_digit (hex[2 * i]);
        int low = pb_hex_digit (hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char) (high << 4 | low);
    }
    return true;
}
