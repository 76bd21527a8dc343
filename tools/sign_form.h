//  sign_form.h - the signature over sorted form parameters (CMB), and guesses at what the
//  other side does differently.

#ifndef PARKBUS_TOOLS_SIGN_FORM_H
#define PARKBUS_TOOLS_SIGN_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define SIGN_SECRETS 16

//  What to sign or verify, and by which secrets.
typedef struct {
    const char *body; //  Form, as sent
    size_t size;
    const char *secrets[SIGN_SECRETS]; //  The first signs; all of them verify
    size_t secrets_count;
    const char *guesses[SIGN_SECRETS]; //  Tried when nothing fits
    size_t guesses_count;
} sign_job_t;

//  Print the canonical string, the digest and the signed body. Exit code.
int sign_form_sign (const sign_job_t *job);
//  Print the parameters, the canonical string, the digest wanted and got, and what the
//  signer seems to have done. Exit code.
int sign_form_verify (const sign_job_t *job);

#endif
