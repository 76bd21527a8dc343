//  pages.c - the journal read through FETCH, page by page.

#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bus/filter.h"

static zmsg_t *
s_question (const page_t *page)
{
    buffer_t json = {0};
    buffer_printf (&json, "{\"max\":%llu,\"filter\":%s", (unsigned long long) page->max,
                   page->filter);
    if (page->from)
        buffer_printf (&json, ",\"from\":%llu", (unsigned long long) page->from);
    if (page->last)
        buffer_printf (&json, ",\"last\":%llu", (unsigned long long) page->last);
    if (page->wait_ms)
        buffer_printf (&json, ",\"wait_ms\":%llu", (unsigned long long) page->wait_ms);
    buffer_text (&json, "}");
    zmsg_t *question = zmsg_new ();
    zmsg_addmem (question, json.data, json.size);
    buffer_free (&json);
    return question;
}

static uint64_t
s_seq (zframe_t *frame)
{
    int64_t seq;
    span_t text = {(const char *) zframe_data (frame), zframe_size (frame)};
    return text_int64 (text, 1, INT64_MAX, &seq) ? (uint64_t) seq : 0;
}

bool
page_fetch (wire_t *wire, page_t *page, page_each_t *each, void *arg,
            wire_error_t *error)
{
    zmsg_t *question = s_question (page);
    zmsg_t *answer = wire_ask (wire, "FETCH", &question, "EVENTS",
                               (int64_t) page->wait_ms + WIRE_TIMEOUT_MS, error);
    if (!answer)
        return false;
    zframe_t *frame = zmsg_first (answer);
    json_object *place = frame ? wire_json (frame) : NULL;
    uint64_t next = wire_number (place, "next", 0);
    page->head = wire_number (place, "head", 0);
    page->first = wire_number (place, "first", 1);
    json_object_put (place);
    //  Nothing to go on with, though more is there: asking again would never end.
    bool well = next > 0 && (next > page->from || next > page->head);
    while (well && (frame = zmsg_next (answer))) {
        zframe_t *event = zmsg_next (answer);
        uint64_t seq = s_seq (frame);
        well = event && seq > 0;
        if (well && !each (arg, seq, event))
            break;
    }
    zmsg_destroy (&answer);
    page->from = next > page->from ? next : page->from;
    page->last = 0;
    if (!well)
        snprintf (error->message, sizeof error->message, "%s",
                  _ ("parkbusd's answer to FETCH cannot be read"));
    return well;
}

bool
page_filters (const cli_t *cli, size_t first_word, buffer_t *json)
{
    buffer_text (json, "[");
    for (size_t i = first_word; i < cli_words_count (cli); i++) {
        const char *filter = cli_word (cli, i);
        if (!filter_valid (SPAN (filter))) {
            cli_usage (
                cli,
                _ ("%s is no filter: words between dots, * for one, > for the rest"),
                filter);
            return false;
        }
        if (json->size > 1)
            buffer_text (json, ",");
        buffer_json_string (json, filter, strlen (filter));
    }
    buffer_text (json, json->size > 1 ? "]" : "\">\"]");
    return true;
}
