//  Mailbox: letters of many threads arrive once, in the order of each sender.

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include "base/mailbox.h"
#include "base/moment.h"
#include "base/text.h"
#include "promise.h"

#define SENDERS 4
#define LETTERS 20000

static mailbox_t *box;

//  A letter is sender * 2^20 + number, as a pointer.
static void *
s_send (void *arg)
{
    uintptr_t sender = (uintptr_t) arg;
    for (uintptr_t i = 0; i < LETTERS; i++)
        mailbox_send (box, (void *) (sender << 20 | i));
    return NULL;
}

static bool
s_readable (void)
{
    struct pollfd item = {.fd = mailbox_fd (box), .events = POLLIN};
    return poll (&item, 1, 0) == 1;
}

static void
s_threads (void)
{
    pthread_t threads[SENDERS];
    for (uintptr_t i = 0; i < SENDERS; i++)
        pthread_create (&threads[i], NULL, s_send, (void *) (i + 1));
    uintptr_t next[SENDERS + 1] = {0};
    bool ordered = true;
    for (int i = 0; i < SENDERS * LETTERS && ordered; i++) {
        uintptr_t letter = (uintptr_t) mailbox_wait (box, 10000);
        uintptr_t sender = letter >> 20;
        ordered = sender >= 1 && sender <= SENDERS
                  && next[sender]++ == (letter & ((1 << 20) - 1));
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join (threads[i], NULL);
    promise (ordered && !mailbox_take (box),
             "%d letters, each once, each sender's order", SENDERS * LETTERS);
}

static void *
s_answer (void *arg)
{
    mailbox_send (box, arg);
    return NULL;
}

int
main (void)
{
    int a, b;
    box = mailbox_new ();
    promise (box && !s_readable () && !mailbox_take (box), "a new one is empty");
    mailbox_send (box, &a);
    mailbox_send (box, &b);
    promise (s_readable () && mailbox_size (box) == 2,
             "it is readable with letters in");
    promise (mailbox_take (box) == &a && s_readable (), "oldest first, still readable");
    promise (mailbox_take (box) == &b && s_readable (), "until the taker has seen it");
    promise (!mailbox_take (box) && !s_readable (), "empty");

    int64_t before = moment_monotonic_ms ();
    promise (!mailbox_wait (box, 30) && moment_monotonic_ms () - before >= 29,
             "waiting has an end");
    promise (!mailbox_wait (box, 0), "or is none");
    pthread_t thread;
    pthread_create (&thread, NULL, s_answer, &a);
    promise (mailbox_wait (box, -1) == &a, "a letter wakes who waits for ever");
    pthread_join (thread, NULL);
    s_threads ();
    mailbox_send (box, &a);
    mailbox_destroy (&box);
    promise (!box, "destroyed with a letter inside");
    mailbox_destroy (&box);
    return promises_kept ();
}
