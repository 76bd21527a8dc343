//  base/error.h - why something was refused, for a program and for a person.

#ifndef PARKBUS_BASE_ERROR_H
#define PARKBUS_BASE_ERROR_H

#include <stdbool.h>

//  The codes of the bus protocol (contract section 5) and those of the programs.
typedef enum {
    PB_E_OK,
    PB_E_BAD_REQUEST,
    PB_E_BAD_EVENT,
    PB_E_CONFLICT,
    PB_E_NO_PROVIDER,
    PB_E_TIMEOUT,
    PB_E_BUSY,
    PB_E_STORAGE,
    PB_E_DENIED,
    PB_E_REJECTED,
    PB_E_UNKNOWN_OUTCOME,
    PB_E_TAKEN,
    PB_E_CONFIG,  //  Wrong usage or configuration: programs exit with 2
    PB_E_DAMAGED, //  What is on disk is not what was written
    PB_E_CODES
} pb_error_code_t;

typedef struct {
    pb_error_code_t code;
    char field[64];    //  The member to blame; "" is none
    char message[512]; //  One sentence: what is wrong, where, what to do
} pb_error_t;

//  Fill *error (may be NULL). Always returns false, so a check writes
//  `return pb_error (error, PB_E_BAD_EVENT, "lot", _("…"), …);`.
bool pb_error (pb_error_t *error, pb_error_code_t code, const char *field,
               const char *format, ...) __attribute__ ((format (printf, 4, 5)));

//  "bad_event" for PB_E_BAD_EVENT: the word on the wire.
const char *pb_error_word (pb_error_code_t code);

#endif
