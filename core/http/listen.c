//  http/listen.c - a listening TCP socket from "address:port".

#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/text.h"

typedef union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
} s_address_t;

//  Size of the address, or 0.
static socklen_t
s_parse (const char *text, s_address_t *address)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr (text, ':');
    int64_t port;
    memset (address, 0, sizeof *address);
    if (!colon || !text_int64 (SPAN (colon + 1), 0, 65535, &port))
        return 0;
    span_t name = {text, (size_t) (colon - text)};
    bool is_6 = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    if (is_6) {
        name.p++;
        name.n -= 2;
    }
    if (!span_copy (name, host, sizeof host))
        return 0;
    if (is_6) {
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = htons ((uint16_t) port);
        return inet_pton (AF_INET6, host, &address->in6.sin6_addr) == 1
                   ? sizeof address->in6
                   : 0;
    }
    address->in.sin_family = AF_INET;
    address->in.sin_port = htons ((uint16_t) port);
    return inet_pton (AF_INET, host, &address->in.sin_addr) == 1 ? sizeof address->in
                                                                 : 0;
}

//  Always -1.
static int
s_refuse (const char *text, int code, pb_error_t *error)
{
    switch (code) {
    case EADDRINUSE: //  May be free again later: no matter of configuration
        pb_error (
            error, PB_E_STORAGE, "listen",
            _ ("%s is in use: stop the program that listens there or choose another "
               "port"),
            text);
        break;
    case EADDRNOTAVAIL:
        pb_error (
            error, PB_E_CONFIG, "listen",
            _ ("%s is no address of this machine: choose one of its own or 0.0.0.0"),
            text);
        break;
    case EACCES:
        pb_error (
            error, PB_E_CONFIG, "listen",
            _ ("%s: ports below 1024 need a privilege: choose a higher port or give "
               "CAP_NET_BIND_SERVICE"),
            text);
        break;
    default:
        pb_error (error, PB_E_CONFIG, "listen", _ ("cannot listen on %s: %s"), text,
                  strerror (code));
    }
    return -1;
}

int
http_listen (const char *text, int *port, pb_error_t *error)
{
    s_address_t address;
    socklen_t size = s_parse (text, &address);
    if (size == 0) {
        pb_error (error, PB_E_CONFIG, "listen",
                  _ ("\"%s\" is no address to listen on: write it as 127.0.0.1:8080 or "
                     "[::1]:8080"),
                  text);
        return -1;
    }
    int on = 1;
    int fd =
        socket (address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind (fd, &address.any, size) != 0 || listen (fd, SOMAXCONN) != 0
        || getsockname (fd, &address.any, &size) != 0) {
        int code = errno;
        if (fd >= 0)
            close (fd);
        return s_refuse (text, code, error);
    }
    *port = ntohs (address.any.sa_family == AF_INET6 ? address.in6.sin6_port
                                                     : address.in.sin_port);
    return fd;
}
