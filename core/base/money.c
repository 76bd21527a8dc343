//  money.c - decimal yuan to integer fen and back, exact or refused.

#include "base/money.h"

#include <inttypes.h>
#include <stdio.h>

#define MICRO_DECIMALS 6

typedef struct {
    bool negative;
    uint64_t yuan;
    uint32_t micro;    //  The first six decimals
    unsigned decimals; //  Without zeros at the end
} decimal_t;

//  -?digits[.digits], nothing else. Zero has no sign.
static bool
s_read (span_t text, decimal_t *decimal)
{
    *decimal = (decimal_t){0};
    const char *p = text.p, *end = text.p + text.n;
    if (text.n && *p == '-') {
        decimal->negative = true;
        p++;
    }
    const char *first = p;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        decimal->yuan = decimal->yuan * 10 + (uint64_t) (*p - '0');
        if (decimal->yuan > PB_MONEY_MAX)
            return false;
    }
    if (p == first)
        return false;
    if (p < end) {
        if (*p++ != '.' || p == end)
            return false;
        uint32_t scale = 100000;
        for (unsigned i = 1; p < end; p++, i++, scale /= 10) {
            if (*p < '0' || *p > '9')
                return false;
            decimal->micro += (uint32_t) (*p - '0') * scale;
            if (*p != '0')
                decimal->decimals = i;
        }
    }
    return !(decimal->negative && decimal->yuan == 0 && decimal->decimals == 0);
}

static bool
s_fen (const decimal_t *decimal, pb_money_t *money)
{
    //  yuan <= 2^53 - 1, so this stays far below 2^63.
    uint64_t fen = decimal->yuan * 100 + decimal->micro / 10000;
    if (fen > PB_MONEY_MAX)
        return false;
    money->fen = decimal->negative ? -(int64_t) fen : (int64_t) fen;
    return true;
}

bool
money_from_yuan (span_t text, pb_money_t *money)
{
    decimal_t decimal;
    return s_read (text, &decimal) && decimal.decimals <= 2 && s_fen (&decimal, money);
}

bool
money_from_settlement (span_t text, pb_money_t *money, int64_t *micro)
{
    decimal_t decimal;
    pb_money_t whole;
    if (!s_read (text, &decimal) || decimal.decimals > MICRO_DECIMALS
        || !s_fen (&decimal, &whole))
        return false;
    if (decimal.yuan > (uint64_t) INT64_MAX / 1000000 - 1)
        return false;
    int64_t sum = (int64_t) (decimal.yuan * 1000000 + decimal.micro);
    *micro = decimal.negative ? -sum : sum;
    *money = whole;
    return true;
}

bool
money_from_fen (span_t text, pb_money_t *money)
{
    int64_t fen;
    if (!text_int64 (text, -PB_MONEY_MAX, PB_MONEY_MAX, &fen))
        return false;
    if (fen == 0 && *text.p == '-')
        return false;
    money->fen = fen;
    return true;
}

void
money_to_yuan (pb_money_t money, char to[24])
{
    uint64_t fen = money.fen < 0 ? 0 - (uint64_t) money.fen : (uint64_t) money.fen;
    snprintf (to, 24, "%s%" PRIu64 ".%02" PRIu64, money.fen < 0 ? "-" : "", fen / 100,
              fen % 100);
}
