//  site.h - a site with the CMB plugin in the test host, and CMB played by hand.

#ifndef TEST_CMB_SITE_H
#define TEST_CMB_SITE_H

#include "sdk/harness.h"

extern const pb_plugin_t pb_plugin_v1;

#define SECRET \
    "vqhqqr9vozoorivkc3lemrmbicphgzhx" //  The document's sample key, restored
#define APPID "ik45nfuz"

//  Lots: north (park_code 5201030001, in-1: 1, out-1: 2, out-2: 1), south (no
//  park_code, no lanes), east (5201030002, guaranteed, in-big: 256).
pb_harness_t *site_new (void);

//  "a=1\nb=x y": raw pairs, one a line, to a form body signed by CMB's rule. Written
//  apart from the plugin's own code. Freed by the caller.
char *site_form (const char *lines, const char *secret);
//  Push it to cmbParking/<name>, appid added.
int site_push (pb_harness_t *site, const char *name, const char *lines);
//  A form body back to sorted raw lines without appid and sign; NULL when its sign is
//  wrong.
char *site_lines (const char *body);

//  Would the journal take this event? NULL, or why not.
const char *site_refused (const pb_harness_event_t *event);

//  Print one TAP line; counts the failures.
extern unsigned site_count, site_failed;
void site_ok (bool ok, const char *promise, const char *got);
int site_end (void);

bool site_is (const char *a, const char *b);
bool site_has (const char *text, const char *part);

#endif
