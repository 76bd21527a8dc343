//  base/plate.h - number plates: kept as received, matched by a canonical form.

#ifndef PARKBUS_BASE_PLATE_H
#define PARKBUS_BASE_PLATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

#define PB_PLATE_MAX 64 //  Bytes of UTF-8

//  Canonical form for matching: spaces (U+3000 too) and dots (. · • ・ U+FF0E) dropped,
//  full-width ASCII folded, Latin letters upper case. False when it is not UTF-8, is empty
//  then, or is longer than PB_PLATE_MAX bytes.
bool plate_canonical (span_t plate, char to[PB_PLATE_MAX + 1]);
bool plate_match (span_t a, span_t b);

//  What the plate looks like; decides nothing but words for people.
typedef enum {
    PLATE_ORDINARY,   //  7 characters: 京A12345
    PLATE_NEW_ENERGY, //  8: 粤B12345D
    PLATE_SPECIAL, //  港澳学警使领挂 and military: 粤Z1234港, 京A1234警, 使014578
    PLATE_VIRTUAL, //  Issued for a plateless car, 16 to 30 characters
    PLATE_NONE,    //  A camera's word for "no plate": 无牌车, _无_
    PLATE_OTHER
} plate_kind_t;

plate_kind_t plate_kind (span_t plate);

#endif
