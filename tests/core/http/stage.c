//  tests/core/http/stage.c - a platform of a few lines: takes requests, acts as told.

#define _GNU_SOURCE //  strcasestr
#include "stage.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/moment.h"

#define PLAYERS_MAX 512
#define DRIP_MS 10

typedef struct {
    stage_act_t act;
    const char *text;
} s_scene_t;

struct stage {
    int listener, end; //  `end`: an eventfd, readable when all is over
    int port;
    SSL_CTX *tls;
    char certificate[64];
    char url[128];
    pthread_t doorman;
    pthread_t players[PLAYERS_MAX];
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    s_scene_t scene, again;
    bool released;
    unsigned connections, requests, at_once, most_at_once;
    buffer_t heard;
};

//  One connection.
typedef struct {
    stage_t *stage;
    int fd;
    SSL *tls;
    buffer_t got;
    unsigned requests;
} s_player_t;

//  ---- Bytes --------------------------------------------------------------------------

//  False: the peer has closed, or all is over.
static bool
s_wait (const s_player_t *self, int timeout_ms)
{
    struct pollfd fds[] = {
        {self->fd,         POLLIN, 0},
        {self->stage->end, POLLIN, 0}
    };
    if (self->tls && SSL_pending (self->tls) > 0)
        return true;
    return poll (fds, 2, timeout_ms) >= 0 && !fds[1].revents;
}

static bool
s_read (s_player_t *self)
{
    char bytes[65536];
    if (!s_wait (self, -1))
        return false;
    ssize_t got = self->tls ? SSL_read (self->tls, bytes, sizeof bytes)
                            : recv (self->fd, bytes, sizeof bytes, 0);
    if (got <= 0)
        return false;
    buffer_add (&self->got, bytes, (size_t) got);
    return true;
}

static bool
s_write (s_player_t *self, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = self->tls ? SSL_write (self->tls, text, (int) size)
                                 : send (self->fd, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        size -= (size_t) sent;
    }
    return true;
}

//  A whole request; its bytes leave `got`. 0: the end.
static size_t
s_request_size (const buffer_t *got)
{
    const char *end = got->data ? strstr (got->data, "\r\n\r\n") : NULL;
    if (!end)
        return 0;
    const char *length = strcasestr (got->data, "\r\nContent-Length:");
    size_t size = (size_t) (end - got->data) + 4;
    if (length && length < end)
        size += strtoul (length + 17, NULL, 10);
    return got->size >= size ? size : 0;
}

//  ---- Acting -------------------------------------------------------------------------

static s_scene_t
s_hear (s_player_t *self, size_t size)
{
    stage_t *stage = self->stage;
    pthread_mutex_lock (&stage->mutex);
    buffer_add (&stage->heard, self->got.data, size);
    stage->requests++;
    if (++stage->at_once > stage->most_at_once)
        stage->most_at_once = stage->at_once;
    s_scene_t scene = self->requests++ > 0 ? stage->again : stage->scene;
    pthread_cond_broadcast (&stage->changed);
    while (scene.act == STAGE_HOLD && !stage->released)
        pthread_cond_wait (&stage->changed, &stage->mutex);
    stage->at_once--;
    pthread_mutex_unlock (&stage->mutex);
    memmove (self->got.data, self->got.data + size, self->got.size - size + 1);
    self->got.size -= size;
    return scene;
}

//  True: the connection stays.
static bool
s_act (s_player_t *self, s_scene_t scene)
{
    size_t size = scene.text ? strlen (scene.text) : 0;
    switch (scene.act) {
    case STAGE_ANSWER:
    case STAGE_HOLD:
        return s_write (self, scene.text, size);
    case STAGE_HANG:
        while (s_read (self))
            ;
        return false;
    case STAGE_DRIP:
        for (bool going = s_write (self, scene.text, size); going;)
            going = s_wait (self, DRIP_MS) && s_write (self, scene.text + size - 1, 1);
        return false;
    default:
        s_write (self, scene.text, size);
        return false;
    }
}

static void *
s_play (void *arg)
{
    s_player_t *self = arg;
    //  Only here: the client has to look after itself
    sigset_t pipe;
    sigemptyset (&pipe);
    sigaddset (&pipe, SIGPIPE);
    pthread_sigmask (SIG_BLOCK, &pipe, NULL);
    bool going = !self->tls || SSL_accept (self->tls) == 1;
    while (going) {
        size_t size = s_request_size (&self->got);
        going = size > 0 ? s_act (self, s_hear (self, size)) : s_read (self);
    }
    if (self->tls) {
        SSL_shutdown (self->tls);
        SSL_free (self->tls);
    }
    close (self->fd);
    buffer_free (&self->got);
    free (self);
    return NULL;
}

static void *
s_open_doors (void *arg)
{
    stage_t *self = arg;
    for (;;) {
        struct pollfd fds[] = {
            {self->listener, POLLIN, 0},
            {self->end,      POLLIN, 0}
        };
        if (poll (fds, 2, -1) < 0 || fds[1].revents)
            return NULL;
        int fd = accept (self->listener, NULL, NULL);
        if (fd < 0 || self->connections == PLAYERS_MAX)
            abort ();
        s_player_t *player = xcalloc (1, sizeof *player);
        player->stage = self;
        player->fd = fd;
        //  Whoever connects and says nothing must not keep us at the end
        struct timeval patience = {5, 0};
        setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (self->tls) {
            player->tls = SSL_new (self->tls);
            SSL_set_fd (player->tls, fd);
        }
        pthread_mutex_lock (&self->mutex);
        pthread_create (&self->players[self->connections++], NULL, s_play, player);
        pthread_cond_broadcast (&self->changed);
        pthread_mutex_unlock (&self->mutex);
    }
}

//  ---- Beginning and end --------------------------------------------------------------

static stage_t *
s_new (SSL_CTX *tls)
{
    stage_t *self = xcalloc (1, sizeof *self);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    self->tls = tls;
    self->scene = self->again = (s_scene_t){STAGE_ANSWER, STAGE_OK};
    self->end = eventfd (0, EFD_CLOEXEC);
    self->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind (self->listener, (struct sockaddr *) &address, size) != 0
        || listen (self->listener, 100) != 0
        || getsockname (self->listener, (struct sockaddr *) &address, &size) != 0)
        abort ();
    self->port = ntohs (address.sin_port);
    pthread_mutex_init (&self->mutex, NULL);
    pthread_cond_init (&self->changed, NULL);
    return self;
}

stage_t *
stage_new (void)
{
    stage_t *self = s_new (NULL);
    pthread_create (&self->doorman, NULL, s_open_doors, self);
    return self;
}

static X509 *
s_certificate (EVP_PKEY *key, const char *name)
{
    X509 *it = X509_new ();
    char alternative[64];
    snprintf (alternative, sizeof alternative, "%s:%s",
              name[0] >= '0' && name[0] <= '9' ? "IP" : "DNS", name);
    X509_set_version (it, 2);
    ASN1_INTEGER_set (X509_get_serialNumber (it), 1);
    X509_gmtime_adj (X509_getm_notBefore (it), -3600);
    X509_gmtime_adj (X509_getm_notAfter (it), 3600);
    X509_set_pubkey (it, key);
    X509_NAME_add_entry_by_txt (X509_get_subject_name (it), "CN", MBSTRING_ASC,
                                (const unsigned char *) "stage", -1, -1, 0);
    X509_set_issuer_name (it, X509_get_subject_name (it));
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid (NULL, NULL, NID_subject_alt_name, alternative);
    X509_add_ext (it, extension, -1);
    X509_EXTENSION_free (extension);
    X509_sign (it, key, EVP_sha256 ());
    return it;
}

stage_t *
stage_new_tls (const char *name)
{
    EVP_PKEY *key = EVP_EC_gen ("P-256");
    X509 *certificate = s_certificate (key, name);
    stage_t *self = s_new (SSL_CTX_new (TLS_server_method ()));
    SSL_CTX_use_certificate (self->tls, certificate);
    SSL_CTX_use_PrivateKey (self->tls, key);
    snprintf (self->certificate, sizeof self->certificate, "/tmp/stage-XXXXXX");
    FILE *file = fdopen (mkstemp (self->certificate), "w");
    PEM_write_X509 (file, certificate);
    fclose (file);
    X509_free (certificate);
    EVP_PKEY_free (key);
    pthread_create (&self->doorman, NULL, s_open_doors, self);
    return self;
}

void
stage_destroy (stage_t **self_p)
{
    stage_t *self = *self_p;
    stage_release (self);
    eventfd_write (self->end, 1);
    pthread_join (self->doorman, NULL);
    for (unsigned i = 0; i < self->connections; i++)
        pthread_join (self->players[i], NULL);
    close (self->listener);
    close (self->end);
    if (self->tls) {
        SSL_CTX_free (self->tls);
        unlink (self->certificate);
    }
    pthread_mutex_destroy (&self->mutex);
    pthread_cond_destroy (&self->changed);
    buffer_free (&self->heard);
    free (self);
    *self_p = NULL;
}

const char *
stage_url (stage_t *self, const char *path)
{
    snprintf (self->url, sizeof self->url, "http%s://127.0.0.1:%d%s",
              self->tls ? "s" : "", self->port, path);
    return self->url;
}

const char *
stage_certificate (const stage_t *self)
{
    return self->certificate;
}

//  ---- Orders and counts --------------------------------------------------------------

void
stage_acts (stage_t *self, stage_act_t act, const char *text)
{
    pthread_mutex_lock (&self->mutex);
    self->scene = self->again = (s_scene_t){act, text};
    self->released = false;
    pthread_mutex_unlock (&self->mutex);
}

void
stage_acts_again (stage_t *self, stage_act_t act, const char *text)
{
    pthread_mutex_lock (&self->mutex);
    self->again = (s_scene_t){act, text};
    pthread_mutex_unlock (&self->mutex);
}

void
stage_release (stage_t *self)
{
    pthread_mutex_lock (&self->mutex);
    self->released = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->mutex);
}

bool
stage_wait (stage_t *self, unsigned requests)
{
    struct timespec until;
    clock_gettime (CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    int code = 0;
    pthread_mutex_lock (&self->mutex);
    while (self->requests < requests && code == 0)
        code = pthread_cond_timedwait (&self->changed, &self->mutex, &until);
    bool there = self->requests >= requests;
    pthread_mutex_unlock (&self->mutex);
    return there;
}

static unsigned
s_count (stage_t *self, const unsigned *count)
{
    pthread_mutex_lock (&self->mutex);
    unsigned value = *count;
    pthread_mutex_unlock (&self->mutex);
    return value;
}

unsigned
stage_requests (stage_t *self)
{
    return s_count (self, &self->requests);
}

unsigned
stage_connections (stage_t *self)
{
    return s_count (self, &self->connections);
}

unsigned
stage_most_at_once (stage_t *self)
{
    return s_count (self, &self->most_at_once);
}

buffer_t
stage_heard (stage_t *self)
{
    buffer_t copy = {0};
    pthread_mutex_lock (&self->mutex);
    buffer_add (&copy, self->heard.data, self->heard.size);
    pthread_mutex_unlock (&self->mutex);
    return copy;
}
