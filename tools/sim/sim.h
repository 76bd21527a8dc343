//  sim.h - parkbus-sim: what its parts know of each other.
//
//  One sim_t holds the scenario; one sim_platform_t per platform holds its listener,
//  its books and what it has to push. A platform's own protocol is a sim_module_t.

#ifndef PARKBUS_SIM_H
#define PARKBUS_SIM_H

#include <json-c/json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/text.h"

typedef struct sim_platform sim_platform_t;

//  ------------------------------------------------------------ settings (scenario.c)

typedef enum {
    SETTING_TEXT,   //  char *, malloc'd
    SETTING_NUMBER, //  int64_t in [min, max]
    SETTING_FLAG,   //  bool
    SETTING_MAP,    //  json_object *, borrowed from the scenario
    SETTING_LIST    //  json_object *, borrowed
} setting_kind_t;

typedef struct {
    const char *name;
    setting_kind_t kind;
    size_t offset; //  Into the structure to fill
    bool required;
    int64_t min, max;
} setting_t;

//  A row: name in the file, structure, member, kind.
#define SETTING(name, type, member, kind, required, min, max)             \
    {                                                                     \
        name, SETTING_##kind, offsetof (type, member), required, min, max \
    }
#define SETTING_END                        \
    {                                      \
        NULL, SETTING_TEXT, 0, false, 0, 0 \
    }

//  One table of keys and the structure that it fills.
typedef struct {
    const setting_t *rows; //  Ends with name NULL
    void *target;
} setting_table_t;

//  Read a map by its tables; unknown and missing keys are errors. `where` opens the
//  sentence ("scenario.yaml" or "POST /sim/faults").
bool settings_read (json_object *map, const char *where, const setting_table_t *tables,
                    size_t count, pb_error_t *error);
//  "demo.yaml:12:5" of a node.
void settings_place (json_object *node, const char *where, char *to, size_t room);
//  A scalar of the scenario as number.
bool settings_number (json_object *node, int64_t *value);
//  The file as a tree: every scalar a string, every node knows its line and column.
json_object *scenario_load (const char *file, pb_error_t *error);

//  --------------------------------------------------------- misbehaviour (faults.c)

typedef enum {
    FAULT_NONE,
    FAULT_SLOW,        //  Done and answered after `ms`
    FAULT_FAIL,        //  HTTP `status`, nothing done
    FAULT_REFUSE,      //  The platform's own "no", nothing done
    FAULT_LOSE_ANSWER, //  Done, never answered; of a push: the answer is not noticed
    FAULT_CLOSE,       //  Done, connection closed without a byte
    FAULT_HTML,        //  200 with a proxy's page, nothing done
    FAULT_GARBAGE,     //  200 with bytes that are no JSON, nothing done
    FAULT_REPEAT,      //  A push is sent `times` times more
    FAULT_KINDS
} fault_kind_t;

typedef struct {
    fault_kind_t kind;
    int64_t ms, status, times;
    bool together; //  FAULT_REPEAT: at the same moment, not one after another
} fault_t;

typedef struct faults faults_t;

//  Rules as in the scenario's `faults` list; endpoints must be names of `known`.
faults_t *faults_new (json_object *list, const char *where, const char *const *known,
                      uint64_t seed, pb_error_t *error);
void faults_destroy (faults_t **self_p);
//  What to do to this exchange. Advances the counters.
fault_t faults_pick (faults_t *self, const char *endpoint);
const char *fault_name (fault_kind_t kind);

//  --------------------------------------------------------------------- forms (form.c)

typedef struct {
    char *name, *value;
    size_t value_size;
} form_field_t;

typedef struct {
    form_field_t *fields; //  Sorted by name, bytewise
    size_t count;
} form_t;

typedef enum { FORM_OK, FORM_BROKEN, FORM_TWICE, FORM_NOT_UTF8 } form_fault_t;

//  Decode application/x-www-form-urlencoded. *culprit names the field to blame.
form_fault_t form_parse (const char *body, size_t size, form_t *form,
                         const char **culprit);
const char *form_get (const form_t *form, const char *name); //  NULL when absent
void form_add (form_t *form, const char *name, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
void form_encode (const form_t *form, buffer_t *to);
void form_free (form_t *form);

//  ------------------------------------------------------------------ requests, replies

typedef struct {
    const char *endpoint;
    const char *media;
    const char *body;
    size_t size;
} sim_request_t;

typedef struct {
    unsigned status;
    const char *media;
    buffer_t body;
} sim_reply_t;

//  ----------------------------------------------------------------- pushes (push.c)

//  What came back for one request of ours.
typedef struct {
    long status; //  0: no answer
    buffer_t body;
    int64_t took_ms;
    char error[256];
} sim_answer_t;

//  Post a form to lot_url + path and wait. Not under the lock.
void push_now (sim_platform_t *self, const char *path, const char *form,
               sim_answer_t *answer);

//  Owe the lot a push: it is sent until module->accepted says yes. `key` replaces an
//  open push of the same key (a newer bind state). Under the lock; returns the push's
//  id, which is its name in books "pushes".
int64_t push_owe (sim_platform_t *self, const char *endpoint, const char *path,
                  const char *key, const char *form, const char *payment);
bool push_start (sim_platform_t *self);
void push_stop (sim_platform_t *self);

//  -------------------------------------------------------------------- books (books.c)

//  Note that the other side broke the document. Under the lock. The sentence is also
//  written to *said, when not NULL (SIM_SENTENCE bytes).
#define SIM_SENTENCE 256
void books_violation (sim_platform_t *self, const char *endpoint, const char *record,
                      const char *field, char *said, const char *format, ...)
    __attribute__ ((format (printf, 6, 7)));
//  What is odd but not forbidden.
void books_remark (sim_platform_t *self, const char *endpoint, const char *record,
                   const char *format, ...) __attribute__ ((format (printf, 4, 5)));
//  The section (a map) of the books; made when it is not there.
json_object *books_section (sim_platform_t *self, const char *name);
//  books[section][row][column] += 1
void books_count (sim_platform_t *self, const char *section, const char *row,
                  const char *column);

//  Members of a JSON map; absent gives NULL or 0.
json_object *json_member (json_object *map, const char *name);
const char *json_text (json_object *map, const char *name);
int64_t json_number (json_object *map, const char *name);
void json_set_text (json_object *map, const char *name, const char *text);
void json_set_number (json_object *map, const char *name, int64_t value);
void json_set_flag (json_object *map, const char *name, bool value);
json_object *json_copy (json_object *value);            //  Deep
json_object *json_read (const char *text, size_t size); //  Strict; NULL: not JSON

//  ------------------------------------------------------------------------- platforms

typedef struct {
    const char *name;
    const char *const *endpoints; //  Uplink and pushes, for `at` of faults; NULL ends
    const setting_t *settings;    //  The platform's own keys
    size_t state_size;            //  The structure that these fill
    //  Check the settings, open the books. `where` is the scenario file.
    bool (*start) (sim_platform_t *self, const char *where, pb_error_t *error);
    void (*stop) (sim_platform_t *self);
    //  The endpoint behind a path, NULL: not one of ours.
    const char *(*find) (const char *path);
    //  A request of the lot. Under the lock.
    void (*request) (sim_platform_t *self, const sim_request_t *request,
                     sim_reply_t *reply);
    //  The platform's own "no", for FAULT_REFUSE.
    void (*refuse) (sim_platform_t *self, sim_reply_t *reply);
    //  POST /sim/push/<kind>: play a driver's deed. Not under the lock. The result goes
    //  back to the caller; *status is preset to 200.
    json_object *(*push) (sim_platform_t *self, const char *kind, json_object *what,
                          unsigned *status);
    //  Does this answer end the push? Under the lock; notes violations.
    bool (*accepted) (sim_platform_t *self, const char *endpoint, const char *record,
                      const sim_answer_t *answer);
} sim_module_t;

extern const sim_module_t sim_cmb;

struct sim_platform {
    const sim_module_t *module;
    char *name;
    void *state; //  The module's

    //  From the scenario
    char *module_name, *listen, *lot_url;
    json_object *faults_list;
    int64_t push_timeout_ms, push_retry_ms, push_retry_max_ms, push_tries;

    pthread_mutex_t lock;   //  Books, faults, owed pushes
    pthread_cond_t changed; //  Something under the lock is different now
    json_object *books;
    faults_t *faults;
    uint64_t random; //  State of sim_random ()
    _Atomic bool stopping;
    struct pusher *pusher;
    void *daemon; //  struct MHD_Daemon
    int port;
    char *url; //  "http://127.0.0.1:40123"
};

//  Under the lock; the same scenario and seed give the same numbers.
uint64_t sim_random (uint64_t *state);
//  Wait on `changed`, at most until `until_ms` (monotonic); false: time is over.
bool sim_wait (sim_platform_t *self, int64_t until_ms);
int64_t sim_monotonic_ms (void);

//  ----------------------------------------------------------- listener (listener.c)

bool listener_start (sim_platform_t *self, pb_error_t *error);
void listener_stop (sim_platform_t *self);

#endif
