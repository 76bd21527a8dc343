//  cmb.h - what the files of the CMB plugin share.

#ifndef CMB_H
#define CMB_H

#include "sdk/exchange.h"
#include "sdk/moment.h"

typedef struct {
    const pb_host_t *host;
} cmb_t;

extern const char cmb_key[]; //  "appsecret"

//  Table soundness: the wire name to blame, or NULL.
const char *cmb_unsound (void);

//  cmb_push.c: CMB calls us.
int cmb_receive (void *instance, pb_call_t *call, const pb_http_request_t *request);
int cmb_answer (void *instance, pb_call_t *call, const pb_answer_t *answer);

//  cmb_report.c: we call CMB.
int cmb_encode (void *instance, pb_call_t *call, const pb_message_t *message,
                pb_request_t *request);
int cmb_decode (void *instance, pb_call_t *call, const pb_message_t *message,
                const pb_response_t *response);

#endif
