//  config/config_address.h - who can reach an address: endpoints, listeners, platforms.

#ifndef PARKBUS_CONFIG_CONFIG_ADDRESS_H
#define PARKBUS_CONFIG_CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char host[256]; //  Without [ ]
    unsigned port;  //  0: one that is free
    bool numeric;   //  An IPv4 or IPv6 address
    bool loopback;  //  127.0.0.0/8, ::1, localhost: only this machine
} address_t;

//  "127.0.0.1:8080", "[::1]:8080", "localhost:8080". False: not such a text.
bool address_parse (const char *text, address_t *to);

typedef enum { ENDPOINT_WRONG, ENDPOINT_LOCAL, ENDPOINT_OPEN } endpoint_kind_t;

//  "tcp://host:port" (the port may be '*'), "ipc://path", "inproc://name". OPEN: other
//  machines can reach it.
endpoint_kind_t endpoint_kind (const char *text);

typedef enum { URL_WRONG, URL_HTTPS, URL_HTTP_LOOPBACK, URL_HTTP } url_kind_t;

//  "https://host[:port][/path]" without user, query and fragment. *size is its length
//  without '/' at the end.
url_kind_t url_kind (const char *text, size_t *size);

#endif
