//  http/transfer.h - one job on one curl handle.

#ifndef PARKBUS_HTTP_TRANSFER_H
#define PARKBUS_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include "http/body.h"
#include "http/client.h"

typedef struct http_transfer http_transfer_t;
struct http_transfer {
    http_job_t *job;
    http_transfer_t *next, *prev; //  In a queue (next only), or among those running
    int64_t sent_ms;              //  When the caller gave it
    char *host;                   //  "https://host:port" of the URL
    CURL *easy;
    struct curl_slist *headers;
    http_body_t *body;
    size_t head_size; //  Of the answer
    bool too_large;
    char curl_says[CURL_ERROR_SIZE];
};

http_transfer_t *http_transfer_new (http_job_t *job);
//  The job is not freed.
void http_transfer_destroy (http_transfer_t **self_p);

//  Milliseconds until the job's time is over.
int64_t http_transfer_left_ms (const http_transfer_t *self, int64_t now_ms);

//  Set up `easy`, which comes reset. False: job->error says why nothing can be sent.
bool http_transfer_begin (http_transfer_t *self, CURL *easy,
                          const http_client_options_t *options);
//  Note in the job what has become of it. `sentence`: we ended it, for this reason.
void http_transfer_end (http_transfer_t *self, CURLcode code, const char *sentence);
//  It never got a handle.
void http_transfer_drop (http_transfer_t *self, const char *sentence);

#endif
