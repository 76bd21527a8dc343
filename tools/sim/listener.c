//  listener.c - a platform's HTTP: the lot's requests with their faults, and /sim/.

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define BODY_MAX (1024 * 1024)
#define LOST_MS 60000 //  How long an unanswered connection stays open

typedef struct MHD_Connection connection_t;

typedef struct {
    buffer_t body;
    bool too_large;
} upload_t;

static enum MHD_Result
s_send (connection_t *connection, unsigned status, const char *media, const void *body,
        size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer (size, (void *) body, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header (response, "Content-Type", media);
    enum MHD_Result result = MHD_queue_response (connection, status, response);
    MHD_destroy_response (response);
    return result;
}

static enum MHD_Result
s_send_json (connection_t *connection, unsigned status, json_object *json)
{
    const char *text = json_object_to_json_string_ext (
        json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    enum MHD_Result result =
        s_send (connection, status, "application/json", text, strlen (text));
    json_object_put (json);
    return result;
}

static enum MHD_Result
s_send_sentence (connection_t *connection, unsigned status, const char *sentence)
{
    json_object *json = json_object_new_object ();
    json_set_text (json, "error", sentence);
    return s_send_json (connection, status, json);
}

//  ------------------------------------------------------------------------- /sim/…

static enum MHD_Result
s_show_books (sim_platform_t *self, connection_t *connection)
{
    pthread_mutex_lock (&self->lock);
    json_object *copy = json_copy (self->books);
    pthread_mutex_unlock (&self->lock);
    return s_send_json (connection, 200, copy);
}

static enum MHD_Result
s_set_faults (sim_platform_t *self, connection_t *connection, json_object *list)
{
    pb_error_t error = {0};
    faults_t *faults = NULL;
    if (!json_object_is_type (list, json_type_array))
        return s_send_sentence (connection, 400, _ ("a list of faults belongs here"));
    pthread_mutex_lock (&self->lock);
    uint64_t seed = sim_random (&self->random);
    faults = faults_new (list, "/sim/faults", self->module->endpoints, seed, &error);
    if (faults) {
        faults_destroy (&self->faults);
        self->faults = faults;
    }
    pthread_mutex_unlock (&self->lock);
    if (!faults)
        return s_send_sentence (connection, 400, error.message);
    return s_send_json (connection, 200, json_object_new_object ());
}

static enum MHD_Result
s_push (sim_platform_t *self, connection_t *connection, const char *kind,
        json_object *what)
{
    unsigned status = 200;
    if (!json_object_is_type (what, json_type_object))
        return s_send_sentence (connection, 400, _ ("a JSON object belongs here"));
    if (!self->lot_url)
        return s_send_sentence (connection, 409,
                                _ ("the scenario has no lot_url: nowhere to push to"));
    json_object *result = self->module->push (self, kind, what, &status);
    return s_send_json (connection, status, result);
}

//  Only this computer may steer.
static bool
s_is_loopback (connection_t *connection)
{
    const struct sockaddr *peer =
        MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *) peer;
        return ntohl (v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const void *) peer;
    return peer->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK (&v6->sin6_addr);
}

static enum MHD_Result
s_control (sim_platform_t *self, connection_t *connection, const char *method,
           const char *path, const upload_t *upload)
{
    if (!s_is_loopback (connection))
        return s_send_sentence (connection, 403, _ ("/sim/ is for this computer only"));
    if (streq (method, "GET") && streq (path, "books"))
        return s_show_books (self, connection);
    if (!streq (method, "POST"))
        return s_send_sentence (connection, 404,
                                _ ("GET books, POST faults or push/…"));
    enum MHD_Result result;
    json_object *json = json_read (upload->body.data, upload->body.size);
    if (streq (path, "faults"))
        result = s_set_faults (self, connection, json);
    else if (strncmp (path, "push/", 5) == 0)
        result = s_push (self, connection, path + 5, json);
    else
        result = s_send_sentence (connection, 404, _ ("POST faults or push/…"));
    json_object_put (json);
    return result;
}

//  --------------------------------------------------------------- what the lot sends

//  Under the lock: stay silent for a while, or until the end.
static void
s_pause (sim_platform_t *self, int64_t ms)
{
    int64_t until = sim_monotonic_ms () + ms;
    while (!self->stopping && sim_wait (self, until)) {
    }
}

static void
s_process (sim_platform_t *self, const sim_request_t *request, sim_reply_t *reply)
{
    reply->status = 200;
    reply->media = "application/json;charset=utf-8";
    self->module->request (self, request, reply);
    pthread_cond_broadcast (&self->changed);
}

//  Nothing was done; *reply is what comes instead of an answer.
static void
s_misbehave (sim_platform_t *self, fault_t fault, sim_reply_t *reply)
{
    if (fault.kind == FAULT_REFUSE) {
        reply->status = 200;
        reply->media = "application/json;charset=utf-8";
        self->module->refuse (self, reply);
    } else if (fault.kind == FAULT_FAIL) {
        reply->status = (unsigned) fault.status;
        reply->media = "text/plain";
        buffer_printf (&reply->body, "HTTP %u\n", reply->status);
    } else {
        reply->status = 200;
        reply->media = "text/html";
        buffer_text (&reply->body, fault.kind == FAULT_HTML
                                       ? "<html><body>502 Bad Gateway</body></html>\n"
                                       : "\x1f\x8b{\"stat");
    }
}

//  False: close the connection without a byte.
static bool
s_take (sim_platform_t *self, const sim_request_t *request, sim_reply_t *reply)
{
    bool answer = true;
    pthread_mutex_lock (&self->lock);
    fault_t fault = faults_pick (self->faults, request->endpoint);
    books_count (self, "requests", request->endpoint, "received");
    if (fault.kind != FAULT_NONE)
        books_count (self, "faults", request->endpoint, fault_name (fault.kind));
    switch (fault.kind) {
    case FAULT_FAIL:
    case FAULT_REFUSE:
    case FAULT_HTML:
    case FAULT_GARBAGE:
        s_misbehave (self, fault, reply);
        break;
    case FAULT_SLOW:
        s_pause (self, fault.ms);
        s_process (self, request, reply);
        break;
    case FAULT_LOSE_ANSWER:
        s_process (self, request, reply);
        s_pause (self, LOST_MS);
        answer = false;
        break;
    case FAULT_CLOSE:
        s_process (self, request, reply);
        answer = false;
        break;
    default:
        s_process (self, request, reply);
    }
    pthread_mutex_unlock (&self->lock);
    return answer;
}

static enum MHD_Result
s_whole_request (sim_platform_t *self, connection_t *connection, const char *path,
                 const char *method, const upload_t *upload)
{
    if (strncmp (path, "/sim/", 5) == 0)
        return s_control (self, connection, method, path + 5, upload);
    const char *endpoint = self->module->find (path);
    if (!endpoint || upload->too_large || !streq (method, "POST")) {
        pthread_mutex_lock (&self->lock);
        books_violation (self, endpoint ? endpoint : path, "", "", NULL,
                         _ ("%s %s: the document has no such request"), method, path);
        pthread_mutex_unlock (&self->lock);
        return s_send_sentence (connection, endpoint ? 405 : 404,
                                _ ("the document has no such request"));
    }
    const char *media =
        MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "Content-Type");
    sim_request_t request = {endpoint, media ? media : "", upload->body.data,
                             upload->body.size};
    sim_reply_t reply = {0};
    enum MHD_Result result = MHD_NO;
    if (s_take (self, &request, &reply))
        result = s_send (connection, reply.status, reply.media, reply.body.data,
                         reply.body.size);
    buffer_free (&reply.body);
    return result;
}

static enum MHD_Result
s_access (void *arg, connection_t *connection, const char *path, const char *method,
          const char *version, const char *data, size_t *size, void **con_cls)
{
    (void) version;
    upload_t *upload = *con_cls;
    if (!upload) {
        *con_cls = xcalloc (1, sizeof *upload);
        return MHD_YES;
    }
    if (*size) {
        upload->too_large |= upload->body.size + *size > BODY_MAX;
        if (!upload->too_large)
            buffer_add (&upload->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    return s_whole_request (arg, connection, path, method, upload);
}

static void
s_completed (void *arg, connection_t *connection, void **con_cls,
             enum MHD_RequestTerminationCode code)
{
    (void) arg, (void) connection, (void) code;
    upload_t *upload = *con_cls;
    if (upload)
        buffer_free (&upload->body);
    free (upload);
    *con_cls = NULL;
}

//  "127.0.0.1:8080", "[::1]:0".
static bool
s_address (const char *text, struct sockaddr_storage *address)
{
    char host[64];
    const char *colon = strrchr (text, ':');
    size_t size = colon ? (size_t) (colon - text) : 0;
    int64_t port = 0;
    bool brackets = size > 2 && text[0] == '[' && text[size - 1] == ']';
    if (!colon || size >= sizeof host
        || !text_int64 (SPAN (colon + 1), 0, 65535, &port))
        return false;
    snprintf (host, sizeof host, "%.*s", (int) (size - (brackets ? 2 : 0)),
              text + (brackets ? 1 : 0));
    memset (address, 0, sizeof *address);
    struct sockaddr_in *v4 = (void *) address;
    struct sockaddr_in6 *v6 = (void *) address;
    if (!brackets && inet_pton (AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons ((uint16_t) port);
        return true;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons ((uint16_t) port);
    return brackets && inet_pton (AF_INET6, host, &v6->sin6_addr) == 1;
}

bool
listener_start (sim_platform_t *self, pb_error_t *error)
{
    struct sockaddr_storage address;
    if (!s_address (self->listen, &address))
        return pb_error (error, PB_E_CONFIG, "listen",
                         _ ("platform %s: '%s' is no address; write 127.0.0.1:0"),
                         self->name, self->listen);
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    self->daemon = MHD_start_daemon (
        flags, 0, NULL, NULL, s_access, self, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_NOTIFY_COMPLETED, s_completed, NULL, MHD_OPTION_END);
    if (!self->daemon)
        return pb_error (error, PB_E_STORAGE, "listen",
                         _ ("platform %s: nobody can listen on %s; is the port taken?"),
                         self->name, self->listen);
    self->port = MHD_get_daemon_info (self->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

//  After `stopping` was set and `changed` broadcast.
void
listener_stop (sim_platform_t *self)
{
    if (self->daemon)
        MHD_stop_daemon (self->daemon);
    self->daemon = NULL;
}
