//  base/mailbox.h - pointers from any thread to one thread.

#ifndef PARKBUS_BASE_MAILBOX_H
#define PARKBUS_BASE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mailbox mailbox_t;

mailbox_t *mailbox_new (void);
//  What is still inside is dropped, not freed.
void mailbox_destroy (mailbox_t **self_p);

//  Hand over a pointer; ownership moves. Wakes the receiver. Any thread.
void mailbox_send (mailbox_t *self, void *letter);
//  The oldest, or NULL when empty. Receiver only.
void *mailbox_take (mailbox_t *self);
//  The same, waiting up to timeout_ms (-1: for ever). NULL: time-out.
void *mailbox_wait (mailbox_t *self, int timeout_ms);
//  Readable while something is inside (level: stays so until mailbox_take says NULL).
int mailbox_fd (const mailbox_t *self);
size_t mailbox_size (mailbox_t *self);

#endif
