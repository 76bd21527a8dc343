//  Plates: what matches what, and what kind a plate looks like.

#include "base/plate.h"
#include "promise.h"

static const struct {
    const char *promise;
    const char *plate;
    const char *canonical; //  NULL: refused
} forms[] = {
  // clang-format off
    {"as it is", "京A12345", "京A12345"},
    {"lower case rises", "京a1234b", "京A1234B"},
    {"spaces go", " 京A 12345 ", "京A12345"},
    {"wide spaces go", "京A　12345", "京A12345"},
    {"the middle dot goes", "京A·12345", "京A12345"},
    {"the bullet goes", "京A•12345", "京A12345"},
    {"the Japanese dot goes", "京A・12345", "京A12345"},
    {"full stops go", "京A.12345", "京A12345"},
    {"wide full stops go", "京A．12345", "京A12345"},
    {"full-width letters fold", "京Ａ１２３ａｂ", "京A123AB"},
    {"other characters stay", "粤Z1234港", "粤Z1234港"},
    {"hyphens stay", "WJ-1", "WJ-1"},
    {"a camera's word stays", "_无_", "_无_"},
    {"nothing is no plate", "", NULL},
    {"nothing but dots is none", " ·.", NULL},
    {"GBK is none", "\xbe\xa9" "A12345", NULL},
    {"64 bytes are the most",
     "1234567890123456789012345678901234567890123456789012345678901234",
     "1234567890123456789012345678901234567890123456789012345678901234"},
    {"65 are too many",
     "12345678901234567890123456789012345678901234567890123456789012345", NULL},
  // clang-format on
};

static const struct {
    const char *plate;
    plate_kind_t kind;
} kinds[] = {
    {"京A12345",                       PLATE_ORDINARY  },
    {"粤b1234c",                       PLATE_ORDINARY  },
    {"粤BD12345",                      PLATE_NEW_ENERGY},
    {"粤B12345D",                      PLATE_NEW_ENERGY},
    {"粤Z1234港",                     PLATE_SPECIAL   },
    {"粤Z1234澳",                     PLATE_SPECIAL   },
    {"京A1234学",                     PLATE_SPECIAL   },
    {"京A1234警",                     PLATE_SPECIAL   },
    {"京A1234挂",                     PLATE_SPECIAL   },
    {"沪A0023领",                     PLATE_SPECIAL   },
    {"京A0006使",                     PLATE_SPECIAL   },
    {"使014578",                       PLATE_SPECIAL   },
    {"WJ01·12345",                     PLATE_SPECIAL   },
    {"WJ京12345",                      PLATE_SPECIAL   },
    {"VA12345",                         PLATE_SPECIAL   },
    {"军A12345",                       PLATE_SPECIAL   },
    {"无牌车",                       PLATE_NONE      },
    {"_无_",                           PLATE_NONE      },
    {"WP20261121080012",                PLATE_VIRTUAL   },
    {"临202611210800123456789012345",  PLATE_VIRTUAL   },
    {"123456789012345678901234567890",  PLATE_VIRTUAL   },
    {"1234567890123456789012345678901", PLATE_OTHER     },
    {"123456789012345",                 PLATE_OTHER     },
    {"EA47829",                         PLATE_SPECIAL   },
    {"京112345",                       PLATE_OTHER     },
    {"京A1234",                        PLATE_OTHER     },
    {"",                                PLATE_OTHER     },
};

int
main (void)
{
    for (size_t i = 0; i < ARRAY_SIZE (forms); i++) {
        char text[PB_PLATE_MAX + 1];
        bool good = plate_canonical (SPAN (forms[i].plate), text);
        promise (good == (forms[i].canonical != NULL)
                     && streq (text, good ? forms[i].canonical : ""),
                 "%s: '%s'", forms[i].promise, text);
    }
    char text[PB_PLATE_MAX + 1];
    promise (!plate_canonical ((span_t){"A\0B", 3}, text), "a NUL is refused");
    promise (plate_match (SPAN ("京a·12345"), SPAN ("京Ａ12345")),
             "forms of one match");
    promise (!plate_match (SPAN ("京A12345"), SPAN ("京A12346")), "others do not");
    promise (!plate_match (SPAN (""), SPAN ("")), "no plate matches no plate: never");
    for (size_t i = 0; i < ARRAY_SIZE (kinds); i++)
        promise (plate_kind (SPAN (kinds[i].plate)) == kinds[i].kind,
                 "'%s' is of kind %d", kinds[i].plate, kinds[i].kind);
    return promises_kept ();
}
