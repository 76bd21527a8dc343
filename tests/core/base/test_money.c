//  Money: decimal text to fen, exact or refused.

#include <inttypes.h>
#include "base/money.h"
#include "promise.h"

#define NO INT64_MIN

static const struct {
    const char *promise;
    const char *text;
    int64_t fen;
} yuan[] = {
  // clang-format off
    {"two decimals", "19.99", 1999},
    {"one decimal is tens of fen", "0.1", 10},
    {"no decimals", "8", 800},
    {"more decimals that are zeros", "8.000", 800},
    {"any number of zeros", "8.0000000000000000000", 800},
    {"zero", "0", 0},
    {"zero with decimals", "0.00", 0},
    {"what floats get wrong", "1.15", 115},
    {"the same with two digits", "4.35", 435},
    {"a refund", "-3.50", -350},
    {"leading zeros change nothing", "0012.50", 1250},
    {"the most that JSON carries", "90071992547409.91", PB_MONEY_MAX},
    {"the least", "-90071992547409.91", -PB_MONEY_MAX},
    {"one fen more is refused", "90071992547409.92", NO},
    {"nothing negative about zero", "-0.00", NO},
    {"nor without decimals", "-0", NO},
    {"no exponents", "1e3", NO},
    {"no big ones either", "1E3", NO},
    {"20 digits overflow", "12345678901234567890", NO},
    {"40 digits too", "1234567890123456789012345678901234567890", NO},
    {"a third decimal is no fen", "19.991", NO},
    {"nor one far behind", "8.0000000000000000001", NO},
    {"a point needs decimals", "8.", NO},
    {"and digits before it", ".5", NO},
    {"one point only", "1.2.3", NO},
    {"no plus", "+1", NO},
    {"no two signs", "--1", NO},
    {"no spaces before", " 1", NO},
    {"no spaces behind", "1 ", NO},
    {"no thousands", "1,000", NO},
    {"no words", "NaN", NO},
    {"no infinity", "inf", NO},
    {"no hex", "0x10", NO},
    {"not nothing", "", NO},
    {"not a sign alone", "-", NO},
    {"no full-width digits", "１２", NO},
    {"no currency", "¥8", NO},
  // clang-format on
};

static const struct {
    const char *promise;
    const char *text;
    int64_t fen, micro;
} settlements[] = {
  // clang-format off
    {"five decimals are cut down", "12.34567", 1234, 12345670},
    {"never up", "0.019999", 1, 19999},
    {"towards zero when negative", "-0.019999", -1, -19999},
    {"less than a fen is none", "0.00001", 0, 10},
    {"six decimals are whole", "0.000001", 0, 1},
    {"seven are refused", "0.0000001", NO, 0},
    {"seven with a zero are six", "0.0000010", 0, 1},
    {"more than micro can hold", "90071992547409.91", NO, 0},
    {"the most that it holds", "9223372036853", 922337203685300,
     INT64_C (9223372036853000000)},
    {"no exponents here", "1e-3", NO, 0},
  // clang-format on
};

static const struct {
    const char *promise;
    const char *text;
    int64_t fen;
} fens[] = {
    {"fen as they are",  "1999",             1999        },
    {"negative",         "-5",               -5          },
    {"the most",         "9007199254740991", PB_MONEY_MAX},
    {"one more",         "9007199254740992", NO          },
    {"no decimals",      "1.0",              NO          },
    {"no negative zero", "-0",               NO          },
    {"not nothing",      "",                 NO          },
};

static const struct {
    int64_t fen;
    const char *yuan;
} back[] = {
    {1250,          "12.50"                },
    {5,             "0.05"                 },
    {-5,            "-0.05"                },
    {0,             "0.00"                 },
    {-PB_MONEY_MAX, "-90071992547409.91"   },
    {INT64_MIN,     "-92233720368547758.08"},
};

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (yuan); i++) {
        pb_money_t money = {NO};
        bool good = money_from_yuan (SPAN (yuan[i].text), &money);
        promise (good == (yuan[i].fen != NO) && money.fen == yuan[i].fen,
                 "yuan '%s': %s", yuan[i].text, yuan[i].promise);
    }
    for (size_t i = 0; i < ARRAY_SIZE (settlements); i++) {
        pb_money_t money = {NO};
        int64_t micro = 0;
        bool good = money_from_settlement (SPAN (settlements[i].text), &money, &micro);
        promise (good == (settlements[i].fen != NO) && money.fen == settlements[i].fen
                     && micro == settlements[i].micro,
                 "settlement '%s': %s", settlements[i].text, settlements[i].promise);
    }
    for (size_t i = 0; i < ARRAY_SIZE (fens); i++) {
        pb_money_t money = {NO};
        bool good = money_from_fen (SPAN (fens[i].text), &money);
        promise (good == (fens[i].fen != NO) && money.fen == fens[i].fen,
                 "fen '%s': %s", fens[i].text, fens[i].promise);
    }
    for (size_t i = 0; i < ARRAY_SIZE (back); i++) {
        char text[24];
        money_to_yuan ((pb_money_t){back[i].fen}, text);
        promise (streq (text, back[i].yuan), "%" PRId64 " fen are %s", back[i].fen,
                 back[i].yuan);
    }
    //  There and back, over a range that no float survives.
    bool same = true;
    for (int64_t fen = 1; fen < PB_MONEY_MAX / 3 && same; fen = fen * 3 + 1) {
        char text[24];
        pb_money_t money = {NO};
        money_to_yuan ((pb_money_t){fen}, text);
        same = money_from_yuan (SPAN (text), &money) && money.fen == fen;
    }
    promise (same, "there and back is the same");
    return promises_kept ();
}
