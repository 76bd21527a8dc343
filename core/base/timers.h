//  base/timers.h - deadlines of one thread: a heap behind one timerfd.

#ifndef PARKBUS_BASE_TIMERS_H
#define PARKBUS_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct timers timers_t;
typedef void (timer_fn) (void *arg);

timers_t *timers_new (void);
void timers_destroy (timers_t **self_p);

//  Call fn (arg) once, at_ms on moment_monotonic_ms (). Returns an id > 0. Adding and
//  cancelling are O(log n) and allowed inside fn.
uint64_t timers_at (timers_t *self, int64_t at_ms, timer_fn *fn, void *arg);
uint64_t timers_after (timers_t *self, int64_t delay_ms, timer_fn *fn, void *arg);
//  Harmless for 0 and for an id that has fired.
void timers_cancel (timers_t *self, uint64_t id);

int timers_fd (const timers_t *self); //  Readable when something is due
void timers_run (timers_t *self);     //  Call what is due

#endif
