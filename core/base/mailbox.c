//  mailbox.c - pointers from any thread to one: a ring, a mutex and an eventfd.

#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/moment.h"
#include "base/text.h"

struct mailbox {
    pthread_mutex_t lock;
    void **ring;
    size_t room, first, count;
    bool rung; //  The eventfd is readable
    int fd;
};

mailbox_t *
mailbox_new (void)
{
    mailbox_t *self = xcalloc (1, sizeof *self);
    self->room = 64;
    self->ring = xcalloc (self->room, sizeof *self->ring);
    pthread_mutex_init (&self->lock, NULL);
    self->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->fd < 0)
        mailbox_destroy (&self);
    return self;
}

void
mailbox_destroy (mailbox_t **self_p)
{
    assert (self_p);
    mailbox_t *self = *self_p;
    if (!self)
        return;
    if (self->fd >= 0)
        close (self->fd);
    pthread_mutex_destroy (&self->lock);
    free (self->ring);
    free (self);
    *self_p = NULL;
}

static void
s_grow (mailbox_t *self)
{
    void **ring = xcalloc (self->room * 2, sizeof *ring);
    for (size_t i = 0; i < self->count; i++)
        ring[i] = self->ring[(self->first + i) % self->room];
    free (self->ring);
    self->ring = ring;
    self->first = 0;
    self->room *= 2;
}

//  An eventfd takes and gives eight bytes or fails; only a signal is worth a retry.
static void
s_ring_bell (mailbox_t *self, bool on)
{
    uint64_t one = 1;
    while ((on ? write (self->fd, &one, sizeof one) : read (self->fd, &one, sizeof one))
               < 0
           && errno == EINTR)
        continue;
    self->rung = on;
}

void
mailbox_send (mailbox_t *self, void *letter)
{
    assert (letter);
    pthread_mutex_lock (&self->lock);
    if (self->count == self->room)
        s_grow (self);
    self->ring[(self->first + self->count++) % self->room] = letter;
    if (!self->rung)
        s_ring_bell (self, true);
    pthread_mutex_unlock (&self->lock);
}

void *
mailbox_take (mailbox_t *self)
{
    void *letter = NULL;
    pthread_mutex_lock (&self->lock);
    if (self->count) {
        letter = self->ring[self->first];
        self->first = (self->first + 1) % self->room;
        self->count--;
    } else if (self->rung)
        s_ring_bell (self, false);
    pthread_mutex_unlock (&self->lock);
    return letter;
}

void *
mailbox_wait (mailbox_t *self, int timeout_ms)
{
    int64_t deadline = moment_monotonic_ms () + timeout_ms;
    for (;;) {
        void *letter = mailbox_take (self);
        if (letter || timeout_ms == 0)
            return letter;
        int64_t left = timeout_ms < 0 ? -1 : deadline - moment_monotonic_ms ();
        if (timeout_ms > 0 && left <= 0)
            return NULL;
        struct pollfd item = {.fd = self->fd, .events = POLLIN};
        if (poll (&item, 1, (int) left) < 0 && errno != EINTR)
            return NULL;
    }
}

int
mailbox_fd (const mailbox_t *self)
{
    return self->fd;
}

size_t
mailbox_size (mailbox_t *self)
{
    pthread_mutex_lock (&self->lock);
    size_t count = self->count;
    pthread_mutex_unlock (&self->lock);
    return count;
}
