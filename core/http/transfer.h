//  http/transfer.h - one job on one curl handle.

#ifndef PARKBUS_HTTP_TRANSFER_H
#define PARKBUS_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include "http/body.h"
#include "http/client.h"

typedef struct transfer transfer_t;
struct transfer {
    http_job_t *job;
    transfer_t *next, *prev; //  In a queue (next only), or among those running
    int64_t sent_ms;         //  When the caller gave it
    char *host;              //  "https://host:port" of the URL
    CURL *easy;
    struct curl_slist *headers;
    http_body_t *body;
    size_t head_size; //  Of the answer
    bool too_large;
    char curl_says[CURL_ERROR_SIZE];
};

transfer_t *transfer_new (http_job_t *job);
//  The job is not freed.
void transfer_destroy (transfer_t **self_p);

//  Milliseconds until the job's time is over.
int64_t transfer_left_ms (const transfer_t *self, int64_t now_ms);

//  Set up `easy`, which comes reset. False: job->error says why nothing can be sent.
bool transfer_begin (transfer_t *self, CURL *easy,
                     const http_client_options_t *options);
//  Note in the job what has become of it. `sentence`: we ended it, for this reason.
void transfer_end (transfer_t *self, CURLcode code, const char *sentence);
//  It never got a handle.
void transfer_drop (transfer_t *self, const char *sentence);

#endif
