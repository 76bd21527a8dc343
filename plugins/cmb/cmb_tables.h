//  cmb_tables.h - the CMB endpoints as tables.

#ifndef CMB_TABLES_H
#define CMB_TABLES_H

#include "sdk/field.h"

typedef enum { CMB_UP, CMB_DOWN } cmb_way_t;

//  One interface of the document.
typedef struct {
    const char *section; //  Of the document
    const char *name;
    cmb_way_t way; //  CMB_UP: we call `path`; CMB_DOWN: CMB calls it
    const char *path;
    const char *type; //  Event type it carries, or the service that answers it
    const pb_field_t *request;
    const pb_field_t *answer; //  NULL: status and message only
} cmb_endpoint_t;

//  In the document's order; ends with name NULL. The downlink ones come first and stand
//  as the plugin's routes do.
extern const cmb_endpoint_t cmb_endpoints[];

enum { CMB_CALC, CMB_PAY, CMB_BIND, CMB_UNBIND, CMB_ROUTES };

//  Document 3.1: in every request, both directions, beside `sign`.
extern const pb_field_t cmb_common[];
extern const char *const cmb_unsigned[]; //  What `sign` does not cover

//  Makers (cmb_make.c): what no single member of ours holds.
pb_make_fn cmb_make_body, cmb_make_vip, cmb_make_visitors, cmb_make_items,
    cmb_make_tender, cmb_make_paid;
pb_make_fn cmb_make_due, cmb_make_paid_at, cmb_make_as_of, cmb_make_stay;
pb_make_fn cmb_make_discounts;

#endif
