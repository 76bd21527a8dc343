//  cmb.h - the CMB platform (招商银行停车), simulated: rules of the document, books, pushes.

#ifndef PARKBUS_SIM_CMB_H
#define PARKBUS_SIM_CMB_H

#include "sim.h"

//  The platform's own keys of the scenario.
typedef struct {
    char *appid, *appsecret;
    json_object *lots;  //  park_code -> {entries: […], exits: […]}
    json_object *bound; //  plate -> limit in fen, signed up before the scenario begins
    int64_t orders;     //  Payments so far
    int64_t order_base;
} cmb_t;

typedef enum {
    RULE_TEXT,  //  At most `max` characters
    RULE_PLATE, //  2 to 30 characters, no white space
    RULE_PARK,  //  One of the scenario's lots
    RULE_NUMBER,
    RULE_UNIX, //  10 digits
    RULE_CODE, //  One of `codes`
    RULE_LIST, //  JSON array of maps by `items`
    RULE_MAP   //  JSON map by `items`; only inside answers
} rule_kind_t;

typedef struct rule rule_t;
struct rule {
    const char *name;
    rule_kind_t kind;
    bool required;
    int64_t min, max;
    const int64_t *codes; //  Ends with -1
    const rule_t *items;  //  Ends with name NULL
};

//  The document's tables.
extern const rule_t cmb_space_info[], cmb_indata[], cmb_outdata[];
extern const rule_t cmb_answer[], cmb_calc_data[], cmb_calc_no_order[];

//  One exchange that is being judged.
typedef struct {
    sim_platform_t *platform;
    const char *endpoint;
    const char *record; //  For the violation's note
    int violations;
    char said[SIM_SENTENCE]; //  The first of them
} cmb_case_t;

void cmb_wrong (cmb_case_t *self, const char *field, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
//  Each field of a form, and of JSON, against its table.
void cmb_check_form (cmb_case_t *self, const rule_t *rules, const form_t *form);
void cmb_check_json (cmb_case_t *self, const rule_t *rules, json_object *map);

//  k1=v1&k2=v2… of what is signed, without the secret; into `to`.
void cmb_string_a (const form_t *form, buffer_t *to);
//  Lower-case digest, 33 bytes.
void cmb_sign (const form_t *form, const char *secret, char to[33]);

//  cmb_up.c: what the lot sends. cmb_down.c: what the platform sends.
const char *cmb_find (const char *path);
void cmb_request (sim_platform_t *self, const sim_request_t *request,
                  sim_reply_t *reply);
void cmb_reply (sim_reply_t *reply, int status, const char *message, json_object *data);
json_object *cmb_push (sim_platform_t *self, const char *kind, json_object *what,
                       unsigned *status);
bool cmb_accepted (sim_platform_t *self, const char *endpoint, const char *record,
                   const sim_answer_t *answer);
//  The visit of a car that is inside; NULL: none is.
json_object *cmb_inside (sim_platform_t *self, const char *lot, const char *plate,
                         const char **record);

#endif
