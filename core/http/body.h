//  http/body.h - a request's body, read piece by piece from its parts.

#ifndef PARKBUS_HTTP_BODY_H
#define PARKBUS_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "http/client.h"

typedef struct http_body http_body_t;

//  Opens what is to be opened and counts. The parts are borrowed. NULL with a sentence in
//  `error`: a file cannot be read.
http_body_t *http_body_new (const http_body_part_t *parts, size_t count,
                            char error[static 256]);
void http_body_destroy (http_body_t **self_p);

uint64_t http_body_size (const http_body_t *self); //  Exactly what will be read
//  Up to `room` bytes; 0 at the end; -1: a file changed or cannot be read any more.
ptrdiff_t http_body_read (http_body_t *self, char *to, size_t room);
void http_body_rewind (http_body_t *self);

#endif
