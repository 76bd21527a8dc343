//  journal/crc32c.h - the checksum of records (Castagnoli), in hardware where there is any.

#ifndef PARKBUS_JOURNAL_CRC32C_H
#define PARKBUS_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

//  Go on from `crc` (0 at the start): crc32c (crc32c (0, a), b) is that of a then b.
uint32_t crc32c (uint32_t crc, const void *bytes, size_t size);
//  The same without hardware; public so that a test can hold them together.
uint32_t crc32c_table (uint32_t crc, const void *bytes, size_t size);

#endif
