//  http/job.c - one request to a platform: making and freeing it.

#include "http/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

http_job_t *
http_job_new (const char *method, const char *url, const char *media)
{
    assert (method && url);
    http_job_t *self = xcalloc (1, sizeof *self);
    self->method = xstrdup (method);
    self->url = xstrdup (url);
    self->media = xstrdup (media);
    return self;
}

void
http_job_body (http_job_t *self, http_body_kind_t kind, const void *text, size_t size)
{
    size_t count = self->parts_count + 1;
    self->parts = xrealloc (self->parts, count * sizeof *self->parts);
    char *copy = xmalloc (size + 1);
    if (size > 0)
        memcpy (copy, text, size);
    copy[size] = 0;
    self->parts[self->parts_count] = (http_body_part_t){kind, copy, size};
    self->parts_count = count;
}

void
http_job_header (http_job_t *self, const char *name, const char *value)
{
    size_t count = 0;
    while (self->headers && self->headers[count])
        count++;
    self->headers = xrealloc (self->headers, (count + 2) * sizeof *self->headers);
    buffer_t line = {0};
    buffer_printf (&line, "%s: %s", name, value);
    self->headers[count] = line.data;
    self->headers[count + 1] = NULL;
}

void
http_job_destroy (http_job_t **self_p)
{
    http_job_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->parts_count; i++)
        free (self->parts[i].text);
    for (char **header = self->headers; header && *header; header++)
        free (*header);
    free (self->parts);
    free (self->headers);
    free (self->method);
    free (self->url);
    free (self->media);
    free (self->answer_media);
    buffer_free (&self->body);
    free (self);
    *self_p = NULL;
}
