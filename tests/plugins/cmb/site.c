//  site.c - a site with the CMB plugin in the test host, and CMB played by hand.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schema/event.h"
#include "site.h"

unsigned site_count, site_failed;

pb_harness_t *
site_new (void)
{
    pb_harness_t *site = pb_harness_new (&pb_plugin_v1);
    pb_harness_option (site, "appid", APPID);
    pb_harness_key (site, "appsecret", SECRET);
    pb_harness_lot (site, "north", "park_code", "5201030001");
    pb_harness_lane (site, "north", "lanes", "in-1", "1");
    pb_harness_lane (site, "north", "lanes", "out-1", "2");
    pb_harness_lane (site, "north", "lanes", "out-2", "1");
    pb_harness_lot (site, "east", "park_code", "5201030002");
    pb_harness_lot (site, "east", "guaranteed", "true");
    pb_harness_lane (site, "east", "lanes", "in-big", "256");
    if (pb_harness_create (site) != PB_OK) {
        fprintf (stderr, "create: %s\n", site->sentence);
        exit (1);
    }
    return site;
}

typedef struct {
    char *name, *value;
} line_t;

//  Split a copy of the lines; the number of pairs.
static size_t
s_split (char *lines, line_t pairs[64])
{
    size_t count = 0;
    for (char *p = strtok (lines, "\n"); p && count < 64; p = strtok (NULL, "\n")) {
        char *equals = strchr (p, '=');
        if (!equals)
            continue;
        *equals = 0;
        pairs[count++] = (line_t){p, equals + 1};
    }
    return count;
}

static int
s_by_name (const void *a, const void *b)
{
    return strcmp (((const line_t *) a)->name, ((const line_t *) b)->name);
}

static void
s_sign (const line_t *pairs, size_t count, const char *secret, char sign[33])
{
    line_t sorted[64];
    char *text = NULL;
    size_t size = 0;
    memcpy (sorted, pairs, count * sizeof *pairs);
    qsort (sorted, count, sizeof *sorted, s_by_name);
    FILE *out = open_memstream (&text, &size);
    const char *between = "";
    for (size_t i = 0; i < count; i++) {
        if (!*sorted[i].value || !strcmp (sorted[i].name, "sign")
            || !strcmp (sorted[i].name, "pic_con"))
            continue;
        fprintf (out, "%s%s=%s", between, sorted[i].name, sorted[i].value);
        between = "&";
    }
    fclose (out);
    pb_harness_md5 (text, secret, sign);
    free (text);
}

static void
s_escape (FILE *out, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char) *value;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            fputc (c, out);
        else if (c == ' ')
            fputc ('+', out); //  As many HTTP libraries do
        else
            fprintf (out, "%%%02x", c);
    }
}

char *
site_form (const char *lines, const char *secret)
{
    char *copy = strdup (lines), *body = NULL, sign[33];
    size_t size = 0;
    line_t pairs[64];
    size_t count = s_split (copy, pairs);
    s_sign (pairs, count, secret, sign);
    FILE *out = open_memstream (&body, &size);
    for (size_t i = 0; i < count; i++) {
        s_escape (out, pairs[i].name);
        fputc ('=', out);
        s_escape (out, pairs[i].value);
        fputc ('&', out);
    }
    fprintf (out, "sign=%s", sign);
    fclose (out);
    free (copy);
    return body;
}

int
site_push (pb_harness_t *site, const char *name, const char *lines)
{
    char route[64], all[8192];
    snprintf (route, sizeof route, "cmbParking/%s", name);
    snprintf (all, sizeof all, "appid=" APPID "\n%s", lines);
    char *body = site_form (all, SECRET);
    int rc = pb_harness_receive (site, route, body, strlen (body));
    free (body);
    return rc;
}

static void
s_unescape (char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++) {
        unsigned c = (unsigned char) *p;
        if (*p == '%' && sscanf (p + 1, "%2x", &c) == 1)
            p += 2;
        *to++ = (char) c;
    }
    *to = 0;
}

char *
site_lines (const char *body)
{
    char *copy = strdup (body), *text = NULL, sign[33], given[33] = "";
    size_t size = 0;
    line_t pairs[64];
    for (char *p = copy; *p; p++)
        *p = *p == '&' ? '\n' : *p;
    size_t count = s_split (copy, pairs);
    for (size_t i = 0; i < count; i++)
        s_unescape (pairs[i].value);
    s_sign (pairs, count, SECRET, sign);
    qsort (pairs, count, sizeof *pairs, s_by_name);
    FILE *out = open_memstream (&text, &size);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp (pairs[i].name, "sign"))
            snprintf (given, sizeof given, "%s", pairs[i].value);
        else if (strcmp (pairs[i].name, "appid"))
            fprintf (out, "%s=%s\n", pairs[i].name, pairs[i].value);
    }
    fclose (out);
    free (copy);
    if (strcmp (given, sign)) {
        free (text);
        return NULL;
    }
    return text;
}

const char *
site_refused (const pb_harness_event_t *event)
{
    static char room[EVENT_ROOM];
    static pb_error_t error;
    event_rules_t rules = {.now_ms = INT64_C (1795226400000), .offset = "+08:00"};
    event_t read;
    char *json = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&json, &size);
    fprintf (out, "{\"id\":\"e1\",\"source\":\"cmb\",\"type\":\"%s\",\"lot\":\"%s\"",
             event->type, event->lot);
    if (event->visit)
        fprintf (out, ",\"subject\":\"%s\"", event->visit);
    fprintf (out, ",\"data\":%s}", event->data);
    fclose (out);
    bool taken = event_read (&read, json, size, &rules, room, &error);
    free (json);
    return taken ? NULL : error.message;
}

void
site_ok (bool ok, const char *promise, const char *got)
{
    site_count++;
    site_failed += !ok;
    printf ("%s %u - %s\n", ok ? "ok" : "not ok", site_count, promise);
    if (!ok)
        printf ("# got: %s\n", got ? got : "nothing");
}

int
site_end (void)
{
    printf ("1..%u\n", site_count);
    return site_failed ? 1 : 0;
}

bool
site_is (const char *a, const char *b)
{
    return a && b ? !strcmp (a, b) : a == b;
}

bool
site_has (const char *text, const char *part)
{
    return !part || (text && strstr (text, part));
}
