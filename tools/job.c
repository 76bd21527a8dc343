//  job.c - one run of a shell command for one request: body in, answer out, killed in time.

#include "config.h" //  Extensions, for pipe2
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "schema/event.h"

#define ANSWER_MAX (1 << 20) //  The bus takes bodies of 1 MiB
#define WORDS_MAX 4096       //  Of what it says on stderr, the end

struct job {
    pid_t pid; //  0: has ended
    int status;
    int in, out, err;
    buffer_t body;
    size_t written;
    buffer_t answer;
    buffer_t words;
    int64_t deadline_ms;
    bool late, too_long;
};

static void
s_close (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

//  In the child: nothing of ours but the three streams.
static void
s_child (const char *command, const char *const *environment, int in, int out, int err)
{
    //  A group of its own, so that its children can be killed with it, and Ctrl-C is ours.
    setpgid (0, 0);
    static const int numbers[] = {SIGINT, SIGTERM, SIGCHLD, SIGPIPE};
    for (size_t i = 0; i < ARRAY_SIZE (numbers); i++)
        signal (numbers[i], SIG_DFL);
    dup2 (in, STDIN_FILENO);
    dup2 (out, STDOUT_FILENO);
    dup2 (err, STDERR_FILENO);
    for (; *environment; environment++)
        putenv ((char *) (uintptr_t) *environment);
    execl ("/bin/sh", "sh", "-c", command, (char *) NULL);
    _exit (127);
}

job_t *
job_new (const char *command, const char *const *environment, const void *body,
         size_t size, int64_t deadline_ms)
{
    int pipes[3][2] = {
        {-1, -1},
        {-1, -1},
        {-1, -1},
    };
    bool well = true;
    for (size_t i = 0; i < 3; i++)
        well = well && pipe2 (pipes[i], O_CLOEXEC) == 0;
    pid_t pid = well ? fork () : -1;
    if (pid == 0)
        s_child (command, environment, pipes[0][0], pipes[1][1], pipes[2][1]);
    s_close (&pipes[0][0]);
    s_close (&pipes[1][1]);
    s_close (&pipes[2][1]);
    if (pid < 0) {
        int saved = errno;
        s_close (&pipes[0][1]);
        s_close (&pipes[1][0]);
        s_close (&pipes[2][0]);
        errno = saved;
        return NULL;
    }
    job_t *self = xcalloc (1, sizeof *self);
    self->pid = pid;
    self->in = pipes[0][1];
    self->out = pipes[1][0];
    self->err = pipes[2][0];
    self->deadline_ms = deadline_ms;
    buffer_add (&self->body, body, size);
    fcntl (self->in, F_SETFL, O_NONBLOCK);
    fcntl (self->out, F_SETFL, O_NONBLOCK);
    fcntl (self->err, F_SETFL, O_NONBLOCK);
    return self;
}

static void
s_kill (job_t *self)
{
    //  The group may not be there yet when the child has not run at all.
    if (kill (-self->pid, SIGKILL) != 0)
        kill (self->pid, SIGKILL);
    waitpid (self->pid, &self->status, 0);
    self->pid = 0;
}

void
job_destroy (job_t **self_p)
{
    job_t *self = *self_p;
    if (!self)
        return;
    if (self->pid)
        s_kill (self);
    s_close (&self->in);
    s_close (&self->out);
    s_close (&self->err);
    buffer_free (&self->body);
    buffer_free (&self->answer);
    buffer_free (&self->words);
    free (self);
    *self_p = NULL;
}

void
job_fds (const job_t *self, int fds[3])
{
    fds[0] = self->in;
    fds[1] = self->out;
    fds[2] = self->err;
}

int64_t
job_deadline_ms (const job_t *self)
{
    return self->deadline_ms;
}

bool
job_late (const job_t *self)
{
    return self->late;
}

static void
s_write (job_t *self)
{
    while (self->in >= 0 && self->written < self->body.size) {
        ssize_t size = write (self->in, self->body.data + self->written,
                              self->body.size - self->written);
        if (size < 0 && errno == EAGAIN)
            return;
        //  A command that does not read its input may end well all the same.
        if (size < 0 && errno != EINTR)
            break;
        self->written += size > 0 ? (size_t) size : 0;
    }
    s_close (&self->in);
}

//  What is there to read; closes at the end.
static void
s_read (int *fd, buffer_t *to)
{
    char bytes[16384];
    while (*fd >= 0) {
        ssize_t size = read (*fd, bytes, sizeof bytes);
        if (size > 0)
            buffer_add (to, bytes, (size_t) size);
        else if (size < 0 && errno == EINTR)
            continue;
        else if (size < 0 && errno == EAGAIN)
            return;
        else
            s_close (fd);
        if (to->size > ANSWER_MAX)
            return;
    }
}

//  Pass on what it said to our own stderr, and keep the end for the answer.
static void
s_hear (job_t *self)
{
    size_t before = self->words.size;
    s_read (&self->err, &self->words);
    if (self->words.size > before)
        fwrite (self->words.data + before, 1, self->words.size - before, stderr);
    if (self->words.size > WORDS_MAX) {
        memmove (self->words.data, self->words.data + self->words.size - WORDS_MAX,
                 WORDS_MAX);
        self->words.size = WORDS_MAX;
    }
}

bool
job_turn (job_t *self, int64_t now_ms)
{
    s_write (self);
    //  Look whether it has ended before reading, so that nothing it wrote is left.
    bool ended = waitpid (self->pid, &self->status, WNOHANG) == self->pid;
    s_read (&self->out, &self->answer);
    s_hear (self);
    if (ended) {
        self->pid = 0;
        return true;
    }
    self->late = now_ms >= self->deadline_ms;
    self->too_long = self->answer.size > ANSWER_MAX;
    if (!self->late && !self->too_long)
        return false;
    s_kill (self);
    return true;
}

//  The last line that holds anything, at most 400 bytes of it.
static span_t
s_last_line (const buffer_t *words)
{
    size_t end = words->size;
    while (end > 0 && strchr (" \t\r\n", words->data[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && words->data[begin - 1] != '\n' && end - begin < 400)
        begin--;
    while (begin < end && ((unsigned char) words->data[begin] & 0xC0) == 0x80)
        begin++;
    return (span_t){words->data ? words->data + begin : "", end - begin};
}

bool
job_answer (const job_t *self, span_t *answer, char *message, size_t room)
{
    *answer = (span_t){self->answer.data, self->answer.size};
    if (answer->n == 0)
        *answer = SPAN ("{}");
    span_t line = s_last_line (&self->words);
    pb_error_t error;
    if (self->late)
        snprintf (message, room, "%s", _ ("the command did not end in time"));
    else if (self->too_long || self->answer.size > ANSWER_MAX)
        snprintf (message, room, "%s", _ ("the command's answer is longer than 1 MiB"));
    else if (WIFSIGNALED (self->status))
        snprintf (message, room, _ ("the command was ended by signal %d"),
                  WTERMSIG (self->status));
    else if (WEXITSTATUS (self->status) != 0 && line.n > 0
             && utf8_valid (line.p, line.n))
        snprintf (message, room, "%.*s", SPAN_ARG (line));
    else if (WEXITSTATUS (self->status) != 0)
        snprintf (message, room, _ ("the command ended with %d and said nothing"),
                  WEXITSTATUS (self->status));
    else if (!json_check (answer->p, answer->n, &error))
        snprintf (message, room, _ ("the command's answer is no JSON object: %s"),
                  error.message);
    else
        return true;
    return false;
}
