//  http/strict.h - what a request may not be: checks that libmicrohttpd leaves out.

#ifndef PARKBUS_HTTP_STRICT_H
#define PARKBUS_HTTP_STRICT_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/text.h"

#define HTTP_HEADERS_MAX 100
#define HTTP_PARAMETERS_MAX 256

//  Why a request is refused; http_fault_status and _sentence say it to the peer.
typedef enum {
    HTTP_FINE,
    HTTP_BAD_LINE,
    HTTP_BAD_HEADER,
    HTTP_BAD_LENGTH,
    HTTP_BAD_CODING,
    HTTP_BAD_HOST,
    HTTP_BAD_PATH,
    HTTP_BAD_QUERY,
    HTTP_BIG_HEAD,
    HTTP_BIG_BODY,
    HTTP_NO_PATH,
    HTTP_NO_METHOD,
    HTTP_NO_MEDIA,
    HTTP_NO_EXPECT,
    HTTP_FULL,
    HTTP_CLOSING,
    HTTP_FAULTS
} http_fault_t;

unsigned http_fault_status (http_fault_t fault);
const char *http_fault_sentence (http_fault_t fault);

//  The head of a request as libmicrohttpd has cut it up in its buffer.
typedef struct {
    struct MHD_Connection *mhd;
    const char *method, *url, *version;
    const char *raw;     //  Where the URI stood when it was still untouched
    size_t raw_size;     //  And its length then
    size_t header_bytes; //  The limit
    //  Found here
    const char *media; //  Content-Type; NULL: none
    uint64_t length;   //  Content-Length; 0: none
    bool chunked;
    size_t headers;   //  How many
    size_t text_size; //  Bytes of all names and values with their NULs
} http_head_t;

//  Framing first: every byte of the head must be accounted for, exactly one reading of
//  where the body ends must be possible.
http_fault_t http_strict_head (http_head_t *self);

//  The path of a URI (up to '?'): decoded, doubled slashes folded, into `to` (uri.n + 1).
http_fault_t http_strict_path (span_t uri, char *to);
//  No parameter twice, compared decoded.
http_fault_t http_strict_query (span_t query);
//  "type/subtype; parameters" against "type/subtype".
bool http_media_is (const char *value, const char *media);

//  An address without its port; IPv4 as mapped IPv6. False: neither.
bool http_address_of (const struct sockaddr *from, struct in6_addr *address);
bool http_address_from (span_t text, struct in6_addr *address);
void http_address_text (const struct in6_addr *address, char to[INET6_ADDRSTRLEN]);
bool http_address_is_loopback (const struct in6_addr *address);

#endif
