//  sdk/hex.h - digests as hexadecimal text, and percent signs.

#ifndef PARKBUS_SDK_HEX_H
#define PARKBUS_SDK_HEX_H

#include <stdbool.h>
#include <stddef.h>

//  `to` takes 2 * size + 1 bytes.
void pb_hex_lower (const void *bytes, size_t size, char *to);
void pb_hex_upper (const void *bytes, size_t size, char *to);
//  Exactly `room` bytes of hex text, either case; false when it is anything else.
bool pb_hex_read (const char *hex, void *to, size_t room);
//  0 to 15, or -1.
int pb_hex_digit (char c);

#endif
