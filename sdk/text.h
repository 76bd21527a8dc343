//  sdk/text.h - a plugin's memory and words: the call's arena, growing text, sentences.
//
//  Everything here lives in the arena of the call (host->alloc): nothing is freed, and
//  NULL means that the call's memory is used up (then say PB_NOMEM).

#ifndef PARKBUS_SDK_TEXT_H
#define PARKBUS_SDK_TEXT_H

#include <libintl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "parkbus/plugin.h"

#ifndef _
#define _(text) gettext (text)
#define N_(text) text
#endif

#define PB_COUNT(a) (sizeof (a) / sizeof (a)[0])

//  Whom a helper works for: the host and the call in hand.
typedef struct {
    const pb_host_t *host;
    pb_call_t *call;
} pb_env_t;

void *pb_alloc (const pb_env_t *env, size_t size);                   //  Zeroed
char *pb_copy (const pb_env_t *env, const char *bytes, size_t size); //  With NUL
char *pb_format (const pb_env_t *env, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

bool pb_equal (const char *a, const char *b); //  Both may be NULL: then equal
bool pb_known (const char *text);             //  Neither NULL nor ""
bool pb_utf8 (const char *bytes, size_t size);
//  Bytes of a stranger, fit for a sentence: valid UTF-8, no control characters, cut
//  short.
const char *pb_show (const pb_env_t *env, const char *bytes, size_t size);
//  Whole decimal text, '-' allowed, within [min, max]. Never through a double.
bool pb_whole (const char *text, int64_t min, int64_t max, int64_t *value);
//  [0-9A-Za-z_-]{1,48}: what the bus takes for a visit.
bool pb_is_visit (const char *text);

//  `return pb_fail (…)`: the sentence goes to the host, the class comes back.
int pb_fail (const pb_env_t *env, int result, const char *code, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));
void pb_log (const pb_env_t *env, int level, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  Growing text. `broken` when memory ran out; then data is NULL.
typedef struct {
    const pb_env_t *env;
    char *data; //  Ends in NUL
    size_t size;
    size_t room;
    bool broken;
} pb_buffer_t;

void pb_add (pb_buffer_t *self, const char *bytes, size_t size);
void pb_add_text (pb_buffer_t *self, const char *text);
void pb_add_format (pb_buffer_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
//  The finished text; NULL when memory ran out.
const char *pb_done (pb_buffer_t *self);

#endif
