//  job.h - one run of a shell command for one request: body in, answer out, killed in time.

#ifndef PARKBUS_TOOLS_JOB_H
#define PARKBUS_TOOLS_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

typedef struct job job_t;

//  NAME=VALUE of what the command finds in its environment; NULL ends them.
//  Starts `sh -c command`. NULL: the system cannot start it (errno).
job_t *job_new (const char *command, const char *const *environment, const void *body,
                size_t size, int64_t deadline_ms);
//  Kills it if it still runs.
void job_destroy (job_t **self_p);

//  Descriptors to wait on, -1 where there is nothing to wait for: writable, readable,
//  readable.
void job_fds (const job_t *self, int fds[3]);
int64_t job_deadline_ms (const job_t *self);

//  Move what can be moved. True: it has ended, or its time is over and it was killed.
bool job_turn (job_t *self, int64_t now_ms);

//  When it has ended. True: `answer` is a JSON object. False: `message` says why not.
bool job_answer (const job_t *self, span_t *answer, char *message, size_t room);
bool job_late (const job_t *self);

#endif
