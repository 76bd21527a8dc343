//  plate.c - number plates: a canonical form for matching, a kind for people.

#include "base/plate.h"

typedef struct {
    uint32_t code;
    size_t bytes;
} character_t;

//  The next character of valid UTF-8.
static character_t
s_next (const char *p)
{
    const unsigned char *u = (const unsigned char *) p;
    if (u[0] < 0x80)
        return (character_t){u[0], 1};
    if (u[0] < 0xe0)
        return (character_t){(u[0] & 31u) << 6 | (u[1] & 63u), 2};
    if (u[0] < 0xf0)
        return (character_t){(u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u), 3};
    return (character_t){
        (u[0] & 7u) << 18 | (u[1] & 63u) << 12 | (u[2] & 63u) << 6 | (u[3] & 63u), 4};
}

//  Spaces and dots that people and cameras put in.
static bool
s_dropped (uint32_t code)
{
    static const uint32_t dropped[] = {' ', 0x3000, '.', 0xb7, 0x2022, 0x30fb, 0xff0e};
    for (size_t i = 0; i < ARRAY_SIZE (dropped); i++)
        if (code == dropped[i])
            return true;
    return false;
}

bool
plate_canonical (span_t plate, char to[PB_PLATE_MAX + 1])
{
    to[0] = 0;
    if (!utf8_valid (plate.p, plate.n))
        return false;
    size_t size = 0;
    for (size_t at = 0; at < plate.n;) {
        const char *from = plate.p + at;
        character_t one = s_next (from);
        at += one.bytes;
        if (s_dropped (one.code))
            continue;
        char ascii = 0;
        if (one.code >= 0xff01 && one.code <= 0xff5e)
            one.code -= 0xfee0;
        if (one.code < 0x80) {
            if (one.code >= 'a' && one.code <= 'z')
                one.code -= 'a' - 'A';
            ascii = (char) one.code;
            from = &ascii;
            one.bytes = 1;
        }
        //  A NUL would hide what stands behind it.
        if (one.code == 0 || size + one.bytes > PB_PLATE_MAX) {
            to[0] = 0;
            return false;
        }
        memcpy (to + size, from, one.bytes);
        size += one.bytes;
    }
    to[size] = 0;
    return size > 0;
}

bool
plate_match (span_t a, span_t b)
{
    char left[PB_PLATE_MAX + 1], right[PB_PLATE_MAX + 1];
    return plate_canonical (a, left) && plate_canonical (b, right)
           && strcmp (left, right) == 0;
}

//  Is the character of `bytes` at p one of `set`?
static bool
s_among (const char *p, size_t bytes, const char *set)
{
    for (; *set; set += s_next (set).bytes)
        if (s_next (set).bytes == bytes && memcmp (set, p, bytes) == 0)
            return true;
    return false;
}

//  From p to the end: Latin letters and digits only?
static bool
s_plain (const char *p)
{
    for (; *p; p++)
        if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
            return false;
    return true;
}

static bool
s_letter (char c)
{
    return c >= 'A' && c <= 'Z';
}

//  Words at the end (学 training, 警 police, 使 领 embassies, 挂 trailers, 港 澳 from there)
//  or at the start (使 of the old form, 军 and the like, WJ armed police).
static bool
s_special (const char *plate, size_t size, size_t characters)
{
    static const char ends[] = "港澳学警使领挂";
    static const char starts[] = "使领军空海北沈兰济南广成";
    if (characters < 6 || characters > 9)
        return false;
    if (size > 3 && s_among (plate + size - 3, 3, ends))
        return true;
    if ((unsigned char) plate[0] >= 0xe0 && s_among (plate, 3, starts)
        && s_plain (plate + 3))
        return true;
    if (plate[0] == 'W' && plate[1] == 'J')
        return true;
    //  Military: two letters and five digits.
    return characters == 7 && size == 7 && s_letter (plate[0]) && s_letter (plate[1])
           && s_plain (plate) && strspn (plate + 2, "0123456789") == 5;
}

plate_kind_t
plate_kind (span_t plate)
{
    static const char *const none[] = {"无牌车", "_无_", "无牌", "无车牌"};
    static const char provinces[] =
        "京津沪渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新";
    char text[PB_PLATE_MAX + 1];
    if (!plate_canonical (plate, text))
        return PLATE_OTHER;
    for (size_t i = 0; i < ARRAY_SIZE (none); i++)
        if (streq (text, none[i]))
            return PLATE_NONE;
    size_t size = strlen (text), characters = utf8_length (text, size);
    bool civil = s_next (text).bytes == 3 && s_among (text, 3, provinces)
                 && s_letter (text[3]) && s_plain (text + 3);
    if (civil && characters == 7)
        return PLATE_ORDINARY;
    if (civil && characters == 8)
        return PLATE_NEW_ENERGY;
    if (s_special (text, size, characters))
        return PLATE_SPECIAL;
    return characters >= 16 && characters <= 30 ? PLATE_VIRTUAL : PLATE_OTHER;
}
