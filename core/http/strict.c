//  http/strict.c - what a request may not be: checks that libmicrohttpd leaves out.

#include "http/strict.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    unsigned status;
    const char *sentence;
} s_faults[HTTP_FAULTS] = {
    [HTTP_BAD_LINE] = {400, N_ ("The request line is malformed.")                                     },
    [HTTP_BAD_HEADER] = {400, N_ ("A header line is malformed.")                                        },
    [HTTP_BAD_LENGTH] = {400, N_ ("Send exactly one Content-Length, or none.")                          },
    [HTTP_BAD_CODING] = {400, N_ ("Transfer-Encoding may only be \"chunked\", once, in "
                                  "HTTP/1.1 and without a Content-Length.")},
    [HTTP_BAD_HOST] = {400, N_ ("Send exactly one Host.")                                             },
    [HTTP_BAD_PATH] = {400, N_ ("The path is malformed.")                                             },
    [HTTP_BAD_QUERY] = {400, N_ ("A query parameter is there twice, or too many.")                     },
    [HTTP_BIG_HEAD] = {431, N_ ("The request's header is too large.")                                 },
    [HTTP_BIG_BODY] = {413, N_ ("The request's body is too large.")                                   },
    [HTTP_NO_PATH] = {404, N_ ("There is nothing at this path.")                                     },
    [HTTP_NO_METHOD] = {405, N_ ("This path does not answer to this method.")                          },
    [HTTP_NO_MEDIA] = {415, N_ ("This path takes another Content-Type.")                              },
    [HTTP_NO_EXPECT] = {417, N_ ("Only \"Expect: 100-continue\" is understood.")                       },
    [HTTP_FULL] = {503, N_ ("Too many requests are under way: come again.")                       },
    [HTTP_CLOSING] = {503, N_ ("The server is ending: come again.")                                  },
};

unsigned
http_fault_status (http_fault_t fault)
{
    assert (fault > HTTP_FINE && fault < HTTP_FAULTS);
    return s_faults[fault].status;
}

const char *
http_fault_sentence (http_fault_t fault)
{
    assert (fault > HTTP_FINE && fault < HTTP_FAULTS);
    return _ (s_faults[fault].sentence);
}

//  ---- The head -----------------------------------------------------------------------

//  RFC 9110 tchar: what names and methods consist of.
static bool
s_is_token (const char *text, size_t size)
{
    static const char alphabet[] = "!#$%&'*+-.^_`|~0123456789"
                                   "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return size > 0 && strspn (text, alphabet) == size;
}

static bool
s_is_value (const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char) text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

typedef struct {
    http_head_t *head;
    const char *end; //  Behind the last byte of the line before
    bool audit;      //  The buffer's shape is known
    unsigned lengths, codings, hosts, medias;
    const char *length, *coding, *expect;
    http_fault_t fault;
} s_walk_t;

//  libmicrohttpd 0.9.75 forgives line ends without CR, folded lines, NULs and spaces in
//  odd places; a proxy before us may read such a head differently. It cuts the lines up
//  in place: CR and LF become NULs, so does the colon. So every byte between one header
//  and the next can be accounted for. Newer versions have a switch for this.
static bool
s_buffer_is_known (void)
{
    const char *version = MHD_get_version ();
    return strcmp (version, "0.9.75") == 0;
}

static bool
s_line_follows (const s_walk_t *walk, const char *name, size_t name_size,
                const char *value)
{
    //  Two NULs that were CR and LF; the name; a NUL that was the colon; white space
    if (name != walk->end + 2 || walk->end[0] || walk->end[1])
        return false;
    const char *p = name + name_size + 1;
    while (p < value && (*p == ' ' || *p == '\t'))
        p++;
    return p == value;
}

static void
s_note (s_walk_t *walk, const char *name, const char *value)
{
    if (strcasecmp (name, "Content-Length") == 0) {
        walk->lengths++;
        walk->length = value;
    }
    if (strcasecmp (name, "Transfer-Encoding") == 0) {
        walk->codings++;
        walk->coding = value;
    }
    if (strcasecmp (name, "Host") == 0)
        walk->hosts++;
    if (strcasecmp (name, "Expect") == 0)
        walk->expect = value;
    if (strcasecmp (name, "Content-Type") == 0) {
        walk->medias++;
        walk->head->media = value;
    }
}

static enum MHD_Result
s_header (void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
          const char *value, size_t value_size)
{
    (void) kind;
    s_walk_t *walk = arg;
    http_head_t *head = walk->head;
    if (!value) {
        value = "";
        value_size = 0;
    }
    if (++head->headers > HTTP_HEADERS_MAX)
        walk->fault = HTTP_BIG_HEAD;
    else if (!s_is_token (name, name_size) || !s_is_value (value, value_size))
        walk->fault = HTTP_BAD_HEADER;
    else if (walk->audit && !s_line_follows (walk, name, name_size, value))
        walk->fault = HTTP_BAD_HEADER;
    if (walk->fault != HTTP_FINE)
        return MHD_NO;

    walk->end = value + value_size;
    head->text_size += name_size + value_size + 2;
    s_note (walk, name, value);
    return MHD_YES;
}

static bool
s_line_is_fine (const http_head_t *head, bool audit)
{
    size_t method_size = strlen (head->method);
    if (!s_is_token (head->method, method_size) || head->raw_size == 0)
        return false;
    if (!audit)
        return true;
    //  One space on either side of the URI, and nothing behind the version
    return head->url == head->method + method_size + 1 && head->url == head->raw
           && head->version == head->url + head->raw_size + 1
           && strlen (head->version) == 8;
}

static size_t
s_head_size (struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static http_fault_t
s_framing (s_walk_t *walk)
{
    http_head_t *head = walk->head;
    bool is_1_1 = strcmp (head->version, "HTTP/1.0") != 0;
    if (walk->hosts > 1 || (is_1_1 && walk->hosts == 0))
        return HTTP_BAD_HOST;
    if (walk->medias > 1)
        return HTTP_BAD_HEADER;
    if (walk->codings > 0) {
        if (walk->codings > 1 || walk->lengths > 0 || !is_1_1
            || strcasecmp (walk->coding, "chunked") != 0)
            return HTTP_BAD_CODING;
        head->chunked = true;
    }
    if (walk->lengths > 1)
        return HTTP_BAD_LENGTH;
    if (walk->lengths == 1) {
        int64_t length;
        if (!text_int64 (SPAN (walk->length), 0, INT64_MAX, &length))
            return HTTP_BAD_LENGTH;
        head->length = (uint64_t) length;
    }
    if (walk->expect && strcasecmp (walk->expect, "100-continue") != 0)
        return HTTP_NO_EXPECT;
    return HTTP_FINE;
}

http_fault_t
http_strict_head (http_head_t *self)
{
    s_walk_t walk = {.head = self, .audit = s_buffer_is_known ()};
    size_t size = s_head_size (self->mhd);
    if (size > self->header_bytes)
        return HTTP_BIG_HEAD;
    if (!s_line_is_fine (self, walk.audit))
        return HTTP_BAD_LINE;

    walk.end = self->version + 8;
    MHD_get_connection_values_n (self->mhd, MHD_HEADER_KIND, s_header, &walk);
    if (walk.fault != HTTP_FINE)
        return walk.fault;
    //  The last line's end and the empty line's, and then nothing
    const char *behind = self->method + size;
    static const char nothing[4];
    if (walk.audit
        && (behind != walk.end + 4 || memcmp (walk.end, nothing, sizeof nothing) != 0))
        return HTTP_BAD_HEADER;
    return s_framing (&walk);
}

//  ---- The URI ------------------------------------------------------------------------

static int
s_hex (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

//  The byte that "%xx" at p stands for, or -1.
static int
s_escaped (const char *p, const char *end)
{
    if (end - p < 3 || *p != '%')
        return -1;
    int high = s_hex (p[1]), low = s_hex (p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

http_fault_t
http_strict_path (span_t uri, char *to)
{
    const char *end = uri.p + uri.n;
    size_t n = 0;
    *to = 0;
    if (uri.n == 0 || uri.p[0] != '/')
        return HTTP_BAD_PATH;
    for (const char *p = uri.p; p < end && *p != '?'; p++) {
        int c = (unsigned char) *p;
        if (c == '%') {
            c = s_escaped (p, end);
            p += 2;
            if (c == '/')
                return HTTP_NO_PATH; //  An escaped slash separates nothing
        }
        if (c <= ' ' || c == 0x7f || c == '#')
            return HTTP_BAD_PATH;
        if (c == '/' && n > 0 && to[n - 1] == '/')
            continue;
        to[n++] = (char) c;
    }
    to[n] = 0;
    return HTTP_FINE;
}

static size_t
s_unescape (const char *p, const char *end, char *to)
{
    size_t n = 0;
    for (; p < end; p++) {
        int c = s_escaped (p, end);
        if (c >= 0)
            p += 2;
        else
            c = *p == '+' ? ' ' : (unsigned char) *p;
        to[n++] = (char) c;
    }
    return n;
}

http_fault_t
http_strict_query (span_t query)
{
    span_t names[HTTP_PARAMETERS_MAX];
    size_t count = 0;
    http_fault_t fault = HTTP_FINE;
    char *text = xmalloc (query.n + 1), *to = text;

    const char *end = query.p + query.n;
    for (const char *p = query.p; p && p < end && fault == HTTP_FINE;) {
        const char *stop = memchr (p, '&', (size_t) (end - p));
        if (!stop)
            stop = end;
        const char *name_end = memchr (p, '=', (size_t) (stop - p));
        span_t name = {to, s_unescape (p, name_end ? name_end : stop, to)};
        to += name.n;
        for (size_t i = 0; i < count; i++)
            if (span_eq (names[i], name))
                fault = HTTP_BAD_QUERY;
        if (stop > p) {
            if (count == HTTP_PARAMETERS_MAX)
                fault = HTTP_BAD_QUERY;
            else
                names[count++] = name;
        }
        p = stop + 1;
    }
    for (size_t i = 0; i < query.n; i++)
        if ((unsigned char) query.p[i] <= ' ' || query.p[i] == 0x7f)
            fault = HTTP_BAD_QUERY;
    free (text);
    return fault;
}

bool
http_media_is (const char *value, const char *media)
{
    if (!value)
        return false;
    size_t size = strcspn (value, ";");
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    return size == strlen (media) && strncasecmp (value, media, size) == 0;
}

//  ---- Addresses ----------------------------------------------------------------------

static void
s_mapped (struct in_addr from, struct in6_addr *to)
{
    memset (to, 0, sizeof *to);
    to->s6_addr[10] = to->s6_addr[11] = 0xff;
    memcpy (&to->s6_addr[12], &from, sizeof from);
}

bool
http_address_of (const struct sockaddr *from, struct in6_addr *address)
{
    memset (address, 0, sizeof *address);
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy (&in, from, sizeof in);
        s_mapped (in.sin_addr, address);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy (&in6, from, sizeof in6);
        *address = in6.sin6_addr;
        return true;
    }
    return false;
}

bool
http_address_from (span_t text, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr in;
    if (!span_copy (text, copy, sizeof copy))
        return false;
    if (inet_pton (AF_INET, copy, &in) == 1) {
        s_mapped (in, address);
        return true;
    }
    return inet_pton (AF_INET6, copy, address) == 1;
}

void
http_address_text (const struct in6_addr *address, char to[INET6_ADDRSTRLEN])
{
    const char *text =
        IN6_IS_ADDR_V4MAPPED (address)
            ? inet_ntop (AF_INET, &address->s6_addr[12], to, INET6_ADDRSTRLEN)
            : inet_ntop (AF_INET6, address, to, INET6_ADDRSTRLEN);
    assert (text);
    (void) text;
}

bool
http_address_is_loopback (const struct in6_addr *address)
{
    return IN6_IS_ADDR_LOOPBACK (address)
           || (IN6_IS_ADDR_V4MAPPED (address) && address->s6_addr[12] == 127);
}
