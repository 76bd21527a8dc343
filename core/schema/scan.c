//  scan.c - the one pass: is this JSON by the bus's rules, and what is its content's hash?
//
//  Refused beyond RFC 8259: a member twice at any depth, null, fractions and exponents,
//  integers beyond 2^53 - 1, "-0", \u0000, lone surrogates, more than 16 levels.

#include "schema/scan.h"

#include <stdarg.h>
#include <stdio.h>

//  The kinds of values start their hashes apart, so that 1 and "1" differ.
enum { HASH_TEXT = 1, HASH_NUMBER, HASH_WORD, HASH_ARRAY, HASH_OBJECT };

#define INTEGER_DIGITS 16 //  Of 2^53 - 1
#define INTEGER_MAX "9007199254740991"
#define TEXT_PIECE 256    //  Bytes of a text that are hashed at a time
#define NAMES_COMPARED 24 //  Above, the names of an object are sorted instead

static bool s_value (scan_t *self, uint64_t *hash);

//  ------------------------------------------------------------ refusals

//  "data.payments[0].paid": where the scan stands. Truncated on a character.
static void
s_path (const scan_t *self, char *to, size_t room)
{
    size_t size = 0;
    to[0] = 0;
    for (unsigned i = 1; i <= self->depth && i <= SCAN_DEPTH; i++) {
        span_t name = self->path[i].name;
        char index[24];
        if (!name.p) {
            snprintf (index, sizeof index, "[%zu]", self->path[i].index);
            name = SPAN (index);
        }
        bool dot = size && self->path[i].name.p;
        if (name.n == 0 || size + dot + name.n >= room)
            return;
        if (dot)
            to[size++] = '.';
        memcpy (to + size, name.p, name.n);
        to[size += name.n] = 0;
    }
}

static bool __attribute__ ((noinline, cold, format (printf, 2, 3)))
s_refuse (scan_t *self, const char *format, ...)
{
    char field[sizeof ((pb_error_t *) 0)->field], sentence[256];
    va_list args;
    va_start (args, format);
    vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    s_path (self, field, sizeof field);
    return pb_error (self->error, self->code, field, _ ("%s (byte %zu)"), sentence,
                     (size_t) (self->p - self->start));
}

static bool __attribute__ ((noinline, cold))
s_refuse_token (scan_t *self, const char *wanted)
{
    if (self->p == self->end)
        return s_refuse (self, _ ("the JSON ends where %s should stand"), wanted);
    return s_refuse (self, _ ("this is not JSON: %s should stand here"), wanted);
}

//  ------------------------------------------------------------ hashes

static uint64_t
s_mix (uint64_t a, uint64_t b)
{
    uint64_t x = a * UINT64_C (0x9e3779b97f4a7c15);
    x = (x << 31 | x >> 33) ^ b;
    x *= UINT64_C (0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C (0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

//  Texts are hashed in pieces, so that one with escapes needs no copy of itself.
static uint64_t __attribute__ ((noinline)) s_hash_text (const char *p, size_t size)
{
    uint64_t hash = HASH_TEXT;
    for (; size > TEXT_PIECE; size -= TEXT_PIECE, p += TEXT_PIECE)
        hash = hash64 (p, TEXT_PIECE, hash);
    return hash64 (p, size, hash);
}

//  ------------------------------------------------------------ strings

static int
s_hex4 (const char *p)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char) (c | 0x20);
        if (c >= '0' && c <= '9')
            code = code << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f')
            code = code << 4 | (low - 'a' + 10);
        else
            return -1;
    }
    return code;
}

//  The escape at p, behind its backslash. Returns the bytes it takes from the text, 0
//  when it is wrong; gives its character as 1 to 4 bytes of UTF-8.
static size_t
s_escape (const char *p, size_t left, char to[4], size_t *size)
{
    static const char shorts[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (left == 0)
        return 0;
    *size = 1;
    for (const char *pair = shorts; *pair; pair += 2)
        if (*p == *pair) {
            to[0] = pair[1];
            return 1;
        }
    int high = *p == 'u' && left >= 5 ? s_hex4 (p + 1) : -1;
    if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
        return 0;
    uint32_t code = (uint32_t) high;
    size_t taken = 5;
    if (high >= 0xd800 && high <= 0xdbff) {
        int low = left >= 11 && p[5] == '\\' && p[6] == 'u' ? s_hex4 (p + 7) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t) low - 0xdc00);
        taken = 11;
    }
    *size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = *size; i-- > 1; code >>= 6)
        to[i] = (char) (0x80 | (code & 0x3f));
    to[0] = (char) (leads[*size] | code);
    return taken;
}

//  The first byte that a string does not hold as it is: quote, backslash, control.
static const char *
s_plain_end (const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C (0x0101010101010101), tops = ones * 0x80;
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy (&word, p, sizeof word);
        uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
        //  A byte's top bit rises when it is 0 (quote, slash) or below 0x20. Borrows
        //  only run upwards, so the lowest one that is found is right.
        uint64_t found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)
                          | ((word - ones * 0x20) & ~word))
                         & tops;
        if (found)
            return p + __builtin_ctzll (found) / 8;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20)
        p++;
    return p;
}

//  The hash of a string whose escapes are known to be right.
static uint64_t __attribute__ ((noinline))
s_hash_escaped (const char *p, const char *end)
{
    char piece[TEXT_PIECE + 4];
    size_t held = 0;
    uint64_t hash = HASH_TEXT;
    while (p < end) {
        size_t size = 1;
        if (*p == '\\')
            p += 1 + s_escape (p + 1, (size_t) (end - p - 1), piece + held, &size);
        else
            piece[held] = *p++;
        held += size;
        //  A full piece is hashed only when more follows, as in s_hash_text.
        if (held > TEXT_PIECE) {
            hash = hash64 (piece, TEXT_PIECE, hash);
            memcpy (piece, piece + TEXT_PIECE, held -= TEXT_PIECE);
        }
    }
    return hash64 (piece, held, hash);
}

//  From the first byte that is not plain to the closing quote, past escapes. Apart from
//  s_string, so that strings without escapes need few registers.
static bool __attribute__ ((noinline)) s_string_rest (scan_t *self)
{
    while (self->p < self->end && *self->p != '"') {
        if (*self->p != '\\')
            return s_refuse (self, _ ("a control character must be written \\u%04x"),
                             (unsigned) (unsigned char) *self->p);
        self->escaped = true;
        char character[4];
        size_t size, left = (size_t) (self->end - self->p - 1);
        size_t taken = s_escape (self->p + 1, left, character, &size);
        if (!taken)
            return s_refuse (self, _ ("an escape that is unknown, \\u0000, or half of "
                                      "a surrogate pair"));
        self->p = s_plain_end (self->p + 1 + taken, self->end);
    }
    return self->p < self->end || s_refuse (self, _ ("a string has no end"));
}

//  At a quote. *text is what stands between the quotes.
static bool
s_string (scan_t *self, span_t *text, uint64_t *hash)
{
    const char *first = self->p + 1, *p = s_plain_end (first, self->end);
    self->p = p;
    self->escaped = false;
    if (p == self->end || *p != '"') {
        if (!s_string_rest (self))
            return false;
        p = self->p;
    }
    size_t size = (size_t) (p - first);
    self->p = p + 1;
    *text = (span_t){first, size};
    if (self->escaped)
        *hash = s_hash_escaped (first, p);
    else if (size <= TEXT_PIECE)
        *hash = hash64 (first, size, HASH_TEXT);
    else
        *hash = s_hash_text (first, size);
    return true;
}

//  ------------------------------------------------------------ objects and arrays

static inline void
s_space (scan_t *self)
{
    while (self->p < self->end && (unsigned char) *self->p <= ' '
           && (*self->p == ' ' || *self->p == '\n' || *self->p == '\t'
               || *self->p == '\r')) {
        self->spaced = true;
        self->p++;
    }
}

static inline bool
s_at (const scan_t *self, char c)
{
    return self->p < self->end && *self->p == c;
}

static void
s_sift (uint64_t *heap, size_t place, size_t count)
{
    uint64_t one = heap[place];
    for (size_t child; (child = 2 * place + 1) < count; place = child) {
        child += child + 1 < count && heap[child + 1] > heap[child];
        if (heap[child] <= one)
            break;
        heap[place] = heap[child];
    }
    heap[place] = one;
}

//  Heapsort: 10,000 members must not cost 10,000 squared, nor memory.
static bool
s_all_different (uint64_t *names, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        s_sift (names, i, count);
    for (size_t left = count; left > 1;) {
        uint64_t most = names[0];
        names[0] = names[--left];
        names[left] = most;
        s_sift (names, 0, left);
        if (left < count - 1 && names[left] == names[left + 1])
            return false;
    }
    return count < 2 || names[0] != names[1];
}

//  Note a member's name; false when the object has it already. Names are known by 64-bit
//  hashes: two that collide would be refused, not confused.
static bool
s_note (scan_t *self, size_t first, uint64_t name)
{
    size_t count = self->names_count - first;
    if (count < NAMES_COMPARED)
        for (size_t i = first; i < self->names_count; i++)
            if (self->names[i] == name)
                return false;
    self->names[self->names_count++] = name;
    return true;
}

static bool
s_enter (scan_t *self)
{
    if (self->depth == SCAN_DEPTH)
        return s_refuse (self, _ ("more than %d levels of objects and arrays"),
                         SCAN_DEPTH);
    self->depth++;
    self->path[self->depth].name = (span_t){"", 0};
    self->p++;
    s_space (self);
    return true;
}

static void
s_leave (scan_t *self)
{
    self->depth--;
    self->p++;
}

//  Name, colon, value.
static bool
s_member (scan_t *self, size_t first, member_t *member, uint64_t *hash)
{
    uint64_t name, value;
    if (!s_at (self, '"'))
        return s_refuse_token (self, _ ("a member's name in quotes"));
    if (!s_string (self, &member->name, &name))
        return false;
    member->escaped = self->escaped;
    self->path[self->depth].name = member->name;
    if (!s_note (self, first, name))
        return s_refuse (self, _ ("this member stands here twice"));
    s_space (self);
    if (!s_at (self, ':'))
        return s_refuse_token (self, _ ("a colon"));
    self->p++;
    s_space (self);
    const char *from = self->p;
    bool spaced = self->spaced;
    self->spaced = false;
    if (!s_value (self, &value))
        return false;
    member->value = (span_t){from, (size_t) (self->p - from)};
    member->value_escaped = *from == '"' && self->escaped;
    member->spaced = self->spaced;
    self->spaced |= spaced;
    *hash = s_mix (name, value);
    return true;
}

static bool
s_object (scan_t *self, scan_fn *each, void *arg, uint64_t *hash)
{
    size_t first = self->names_count;
    uint64_t sum = HASH_OBJECT; //  A sum, so that the order does not count
    if (!s_enter (self))
        return false;
    while (!(self->names_count == first && s_at (self, '}'))) {
        member_t member;
        uint64_t one = 0;
        if (!s_member (self, first, &member, &one) || (each && !each (arg, &member)))
            return false;
        sum += one;
        s_space (self);
        if (s_at (self, '}'))
            break;
        if (!s_at (self, ','))
            return s_refuse_token (self, _ ("a comma or a closing brace"));
        self->p++;
        s_space (self);
    }
    size_t count = self->names_count - first;
    if (count > NAMES_COMPARED && !s_all_different (self->names + first, count)) {
        self->path[self->depth].name = (span_t){"", 0};
        return s_refuse (self, _ ("a member stands in this object twice"));
    }
    self->names_count = first;
    *hash = s_mix (sum, count);
    s_leave (self);
    return true;
}

static bool
s_array (scan_t *self, uint64_t *hash)
{
    size_t count = 0;
    *hash = HASH_ARRAY;
    if (!s_enter (self))
        return false;
    while (!(count == 0 && s_at (self, ']'))) {
        uint64_t one;
        self->path[self->depth].name = (span_t){NULL, 0};
        self->path[self->depth].index = count++;
        if (!s_value (self, &one))
            return false;
        *hash = s_mix (*hash, one);
        s_space (self);
        if (s_at (self, ']'))
            break;
        if (!s_at (self, ','))
            return s_refuse_token (self, _ ("a comma or a closing bracket"));
        self->p++;
        s_space (self);
    }
    s_leave (self);
    return true;
}

//  ------------------------------------------------------------ numbers and words

static bool
s_number (scan_t *self, uint64_t *hash)
{
    const char *first = self->p, *p = first;
    bool negative = *p == '-';
    p += negative;
    const char *digits = p;
    while (p < self->end && *p >= '0' && *p <= '9')
        p++;
    size_t count = (size_t) (p - digits);
    if (count == 0)
        return s_refuse_token (self, _ ("a value"));
    if (p < self->end && (*p == '.' || *p == 'e' || *p == 'E'))
        return s_refuse (self, _ ("numbers are integers (money in fen, times in "
                                  "seconds), without fraction or exponent"));
    if (*digits == '0' && (count > 1 || negative))
        return s_refuse (self, _ ("a number must not begin with 0, nor be -0"));
    if (count > INTEGER_DIGITS
        || (count == INTEGER_DIGITS && memcmp (digits, INTEGER_MAX, count) > 0))
        return s_refuse (self, _ ("an integer is at most 2^53 - 1 (%s), either way"),
                         INTEGER_MAX);
    *hash = hash64 (first, (size_t) (p - first), HASH_NUMBER);
    self->p = p;
    return true;
}

static bool
s_word (scan_t *self, const char *word, uint64_t *hash)
{
    size_t size = strlen (word);
    if ((size_t) (self->end - self->p) < size || memcmp (self->p, word, size) != 0)
        return s_refuse_token (self, _ ("a value"));
    *hash = hash64 (word, size, HASH_WORD);
    self->p += size;
    return true;
}

static bool
s_value (scan_t *self, uint64_t *hash)
{
    span_t text;
    if (self->p == self->end)
        return s_refuse_token (self, _ ("a value"));
    switch (*self->p) {
    case '"':
        return s_string (self, &text, hash);
    case '{':
        return s_object (self, NULL, NULL, hash);
    case '[':
        return s_array (self, hash);
    case 't':
        return s_word (self, "true", hash);
    case 'f':
        return s_word (self, "false", hash);
    case 'n':
        return s_refuse (self, _ ("null is not used: leave out what is not known"));
    default:
        return s_number (self, hash);
    }
}

bool
scan_text (scan_t *self, scan_fn *each, void *arg, uint64_t *hash)
{
    self->start = self->p;
    self->depth = 0;
    self->names_count = 0;
    self->spaced = false;
    if (!utf8_valid (self->p, (size_t) (self->end - self->p)))
        return s_refuse (self, _ ("this is not UTF-8"));
    s_space (self);
    if (!s_at (self, '{'))
        return s_refuse_token (self, _ ("a JSON object"));
    self->whole.p = self->p;
    if (!s_object (self, each, arg, hash))
        return false;
    self->whole.n = (size_t) (self->p - self->whole.p);
    s_space (self);
    if (self->p != self->end)
        return s_refuse (self, _ ("something stands behind the JSON object"));
    return true;
}

span_t
scan_string_text (span_t value, char *room, size_t size)
{
    if (!value.p || *value.p != '"')
        return (span_t){NULL, 0};
    span_t text = {value.p + 1, value.n - 2};
    if (text.n == 0 || !memchr (text.p, '\\', text.n))
        return text;
    size_t held = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        char character[4] = {*p};
        size_t bytes = 1;
        if (*p == '\\')
            p += 1 + s_escape (p + 1, (size_t) (end - p - 1), character, &bytes);
        else
            p++;
        if (held + bytes > size)
            return (span_t){NULL, 0};
        memcpy (room + held, character, bytes);
        held += bytes;
    }
    return (span_t){room, held};
}
