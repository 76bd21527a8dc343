//  error.c - one refusal: its code, its member, its sentence.

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"

static const char *const words[] = {
    [PB_E_OK] = "ok",
    [PB_E_BAD_REQUEST] = "bad_request",
    [PB_E_BAD_EVENT] = "bad_event",
    [PB_E_CONFLICT] = "conflict",
    [PB_E_NO_PROVIDER] = "no_provider",
    [PB_E_TIMEOUT] = "timeout",
    [PB_E_BUSY] = "busy",
    [PB_E_STORAGE] = "storage",
    [PB_E_DENIED] = "denied",
    [PB_E_REJECTED] = "rejected",
    [PB_E_UNKNOWN_OUTCOME] = "unknown_outcome",
    [PB_E_TAKEN] = "taken",
    [PB_E_CONFIG] = "config",
    [PB_E_DAMAGED] = "damaged",
};
_Static_assert(ARRAY_SIZE (words) == PB_E_CODES, "a word for every code");

//  A sentence that was cut may end inside a character, and it goes out as JSON.
static void
s_end_on_a_character (char *text)
{
    size_t size = strlen (text);
    while (size && !utf8_valid (text, size))
        text[--size] = 0;
}

bool
pb_error (pb_error_t *error, pb_error_code_t code, const char *field,
          const char *format, ...)
{
    if (!error)
        return false;
    //  The arguments may point into *error itself.
    pb_error_t made = {.code = code};
    snprintf (made.field, sizeof made.field, "%s", field ? field : "");
    va_list args;
    va_start (args, format);
    int size = vsnprintf (made.message, sizeof made.message, format, args);
    va_end (args);
    if (size >= (int) sizeof made.message)
        s_end_on_a_character (made.message);
    s_end_on_a_character (made.field);
    *error = made;
    return false;
}

const char *
pb_error_word (pb_error_code_t code)
{
    return (unsigned) code < PB_E_CODES ? words[code] : "unknown";
}
