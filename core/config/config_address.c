//  config_address.c - who can reach an address: endpoints, listeners, platforms.

#include "config/config_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include "base/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARACTERS LETTERS "0123456789.-_"
#define PATH_CHARACTERS NAME_CHARACTERS "/~%!$&'()*+,;=:@"

static bool
s_made_of (const char *text, const char *characters)
{
    return text[strspn (text, characters)] == '\0';
}

//  A host without brackets into *to.
static bool
s_host (span_t host, bool bracketed, address_t *to)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (!host.n || !span_copy (host, to->host, sizeof to->host))
        return false;
    if (bracketed) {
        to->numeric = inet_pton (AF_INET6, to->host, &v6) == 1;
        to->loopback = to->numeric && IN6_IS_ADDR_LOOPBACK (&v6);
        return to->numeric;
    }
    to->numeric = inet_pton (AF_INET, to->host, &v4) == 1;
    to->loopback = to->numeric ? (ntohl (v4.s_addr) >> 24) == 127
                               : strcasecmp (to->host, "localhost") == 0;
    return to->numeric || s_made_of (to->host, NAME_CHARACTERS);
}

//  Host and what stands behind it. NULL: no host.
static const char *
s_host_of (const char *text, address_t *to)
{
    bool bracketed = *text == '[';
    size_t size = bracketed ? strcspn (text, "]") : strcspn (text, ":/");
    if (bracketed && text[size] != ']')
        return NULL;
    span_t host = {text + bracketed, size - bracketed};
    return s_host (host, bracketed, to) ? text + size + bracketed : NULL;
}

//  Digits only: text_int64 knows a sign.
static bool
s_port (span_t text, unsigned *port)
{
    int64_t value;
    if (!text.n || text.p[0] == '-' || !text_int64 (text, 0, 65535, &value))
        return false;
    *port = (unsigned) value;
    return true;
}

bool
address_parse (const char *text, address_t *to)
{
    *to = (address_t){.port = 0};
    const char *rest = s_host_of (text, to);
    return rest && *rest == ':' && s_port (SPAN (rest + 1), &to->port);
}

static endpoint_kind_t
s_tcp (const char *text)
{
    address_t address = {.port = 0};
    if (*text == '*') {
        //  All addresses of this machine.
        if (text[1] == ':'
            && (streq (text + 2, "*") || s_port (SPAN (text + 2), &address.port)))
            return ENDPOINT_OPEN;
        return ENDPOINT_WRONG;
    }
    const char *rest = s_host_of (text, &address);
    if (!rest || *rest != ':')
        return ENDPOINT_WRONG;
    if (!streq (rest + 1, "*") && !s_port (SPAN (rest + 1), &address.port))
        return ENDPOINT_WRONG;
    return address.loopback ? ENDPOINT_LOCAL : ENDPOINT_OPEN;
}

static endpoint_kind_t
s_ipc (const char *text)
{
    size_t size = strlen (text);
    return size > 0 && size < sizeof ((struct sockaddr_un *) 0)->sun_path
               ? ENDPOINT_LOCAL
               : ENDPOINT_WRONG;
}

static endpoint_kind_t
s_inproc (const char *text)
{
    return *text ? ENDPOINT_LOCAL : ENDPOINT_WRONG;
}

endpoint_kind_t
endpoint_kind (const char *text)
{
    static const struct {
        const char *scheme;
        endpoint_kind_t (*kind) (const char *rest);
    } transports[] = {
        {"tcp://",    s_tcp   },
        {"ipc://",    s_ipc   },
        {"inproc://", s_inproc},
    };
    for (size_t i = 0; i < ARRAY_SIZE (transports); i++) {
        size_t size = strlen (transports[i].scheme);
        if (strncmp (text, transports[i].scheme, size) == 0)
            return transports[i].kind (text + size);
    }
    return ENDPOINT_WRONG;
}

url_kind_t
url_kind (const char *text, size_t *size)
{
    static const char https[] = "https://", http[] = "http://";
    bool safe = strncasecmp (text, https, strlen (https)) == 0;
    if (!safe && strncasecmp (text, http, strlen (http)) != 0)
        return URL_WRONG;
    address_t address = {.port = 0};
    const char *rest = s_host_of (text + strlen (safe ? https : http), &address);
    if (!rest)
        return URL_WRONG;
    if (*rest == ':') {
        size_t digits = strcspn (rest + 1, "/");
        if (!s_port ((span_t){rest + 1, digits}, &address.port) || !address.port)
            return URL_WRONG;
        rest += 1 + digits;
    }
    if (*rest && (*rest != '/' || !s_made_of (rest, PATH_CHARACTERS)))
        return URL_WRONG;
    *size = strlen (text);
    while (text[*size - 1] == '/')
        (*size)--;
    return safe ? URL_HTTPS : address.loopback ? URL_HTTP_LOOPBACK : URL_HTTP;
}
