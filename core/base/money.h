//  base/money.h - money as integer fen, to and from decimal text, exact or refused.

#ifndef PARKBUS_BASE_MONEY_H
#define PARKBUS_BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

typedef struct {
    int64_t fen;
} pb_money_t;

#define PB_MONEY_MAX INT64_C (9007199254740991) //  2^53 - 1: what JSON carries exactly

//  Decimal yuan text ("19.99", "0.1", "8") to fen. Refused: exponents, signs but a
//  leading '-', "-0.00", more than two decimals unless they are zeros, beyond
//  ±PB_MONEY_MAX, anything else.
bool money_from_yuan (span_t text, pb_money_t *money);
//  The same with more decimals (settlements): fen cut down (towards zero), *micro the
//  whole in 1e-6 yuan. At most six decimals.
bool money_from_settlement (span_t text, pb_money_t *money, int64_t *micro);
//  Integer fen text.
bool money_from_fen (span_t text, pb_money_t *money);
//  "12.50" into at least 24 bytes.
void money_to_yuan (pb_money_t money, char to[24]);

#endif
