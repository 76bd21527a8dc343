//  http/client.h - HTTP out: curl multi in a thread of its own.

#ifndef PARKBUS_HTTP_CLIENT_H
#define PARKBUS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/mailbox.h"
#include "base/text.h"

typedef struct http_client http_client_t;

typedef enum {
    HTTP_BODY_BYTES,
    HTTP_BODY_FILE,       //  `text` names it
    HTTP_BODY_FILE_BASE64 //  Base64, percent-encoded, streamed
} http_body_kind_t;

typedef struct {
    http_body_kind_t kind;
    char *text; //  Bytes, or the file's path; owned by the job
    size_t size;
} http_body_part_t;

//  One request and what became of it. Made by the caller, lent to the client from
//  http_client_send until it comes back in the mailbox.
typedef struct {
    //  The request
    char *method, *url, *media; //  malloc'd; media may be NULL
    char **headers;             //  "Name: value", NULL-terminated; may be NULL
    http_body_part_t *parts;
    size_t parts_count;
    uint32_t connect_timeout_ms; //  0: 5,000
    uint32_t timeout_ms;         //  0: 10,000, all in all
    size_t answer_limit;         //  0: 1 MiB; a longer answer is an error
    bool command; //  Fresh connection, not reused afterwards; never repeated by curl
    bool bulk;    //  Lowest priority
    void *arg;    //  The caller's

    //  The answer
    long status;        //  0: none
    bool nothing_sent;  //  Resolving, connecting or TLS failed and no byte left
    buffer_t body;      //  buffer_free'd with the job
    char *answer_media; //  malloc'd or NULL
    uint64_t retry_after_s;
    char error[256]; //  A sentence when status is 0
    int64_t took_us;
} http_job_t;

typedef struct {
    mailbox_t *done;               //  Where finished jobs (http_job_t *) are put
    const char *ca_file;           //  NULL: the system's
    unsigned connections_per_host; //  0: 8
    const char *user_agent;
} http_client_options_t;

http_client_t *http_client_new (const http_client_options_t *options);
//  Ends the thread; jobs under way come back first with status 0.
void http_client_destroy (http_client_t **self_p);

//  TLS is always verified, redirects are never followed, proxies of the environment are
//  not used, HTTP/1.1.
void http_client_send (http_client_t *self, http_job_t *job);

http_job_t *http_job_new (const char *method, const char *url, const char *media);
void http_job_body (http_job_t *self, http_body_kind_t kind, const void *text,
                    size_t size);
void http_job_header (http_job_t *self, const char *name, const char *value);
void http_job_destroy (http_job_t **self_p);

#endif
