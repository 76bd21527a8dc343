//  http/listen.h - a listening TCP socket from "address:port".

#ifndef PARKBUS_HTTP_LISTEN_H
#define PARKBUS_HTTP_LISTEN_H

#include "base/error.h"

//  "127.0.0.1:8080", "[::1]:8080"; port 0 chooses one. *port is the port it got. Returns
//  the descriptor, not blocking; -1 with *error set.
int http_listen (const char *address, int *port, pb_error_t *error);

#endif
