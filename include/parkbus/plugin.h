//  parkbus/plugin.h - the plugin ABI, version 1: what a platform plugin is.
//
//  A plugin is a shared object that exports one constant data symbol, pb_plugin_v1.
//  A *codec* is pure: it opens no socket, starts no thread, reads no clock and holds no
//  secret. It turns an event into an HTTP request (encode), the answer into an outcome
//  (decode), and a platform's push into events and a reply (receive, answer). A *sink*
//  takes batches of events and says how far they are safe.
//
//  Compatibility. Every structure begins with its size; members are only ever appended,
//  and there is no padding at the end, so PB_HAS () tells whether the other side knows a
//  member. Arrays of structures are walked by the struct_size of their first element
//  (PB_NEXT). Host 1.n and plugin 1.m work together for all n and m.
//
//  Threads. Calls to one instance never overlap; different instances may run at once, so a
//  plugin has no writable globals.
//
//  Memory. What the host passes lives until the call returns (the call itself, its arena
//  and the HTTP request live until the exchange ends, `answer` included). What the plugin
//  hands out comes from host->alloc or is static. Nobody frees across the line.
//
//  Units. Money is int64 fen, instants are int64 milliseconds since 1970-01-01 UTC,
//  durations say their unit in the name. Text is UTF-8, NUL-terminated; NULL is "not
//  known". Source: docs/plugins.md.

#ifndef PARKBUS_PLUGIN_H
#define PARKBUS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define PB_PLUGIN_MAGIC 0x3150425055534241ULL //  Any other value: not a parkbus plugin
#define PB_ABI_MAJOR 1
#define PB_ABI_MINOR 0
#define PB_PLUGIN_SYMBOL "pb_plugin_v1"

#define PB_EXPORT __attribute__ ((visibility ("default")))

//  Does the structure, as the other side built it, reach as far as this member?
#define PB_HAS(s, member)                                                                \
    ((s)->struct_size                                                                    \
     >= offsetof (__typeof__ (*(s)), member) + sizeof ((s)->member))

//  The element after p in an array whose elements may be longer than we know.
#define PB_NEXT(p)                                                                       \
    ((__typeof__ (p)) (const void *) ((const char *) (p) + (p)->struct_size))

//  What a call came to, and what the core then does (docs/plugins.md, "Results").
typedef enum {
    PB_OK = 0,      //  Done
    PB_DUP,         //  The platform has it already: done, counted
    PB_RETRY,       //  Not now: again, with back-off and jitter; honours retry_after_s
    PB_UNKNOWN,     //  Outcome not known. Command: ask with query; report: as PB_RETRY
    PB_REJECT,      //  Can never succeed: set aside, alarm if it is money
    PB_AUTH,        //  Signature or credentials: refused, or sending suspended
    PB_CONFIG,      //  This instance stays off, the others go on
    PB_BADMSG,      //  Nonsense from the peer: 4xx, sample kept masked
    PB_UNSUPPORTED, //  The platform has no such thing: skipped, counted
    PB_MORE,        //  Another round after this one, or waiting for `answer`
    PB_NOMEM,       //  The call fails
    PB_BUG,         //  The call fails, the breaker counts
    PB_RESULTS      //  How many there are
} pb_result_t;

//  ---------------------------------------------------------------- what a plugin declares

typedef enum {
    PB_OPTION_TEXT,   //  min, max: length in bytes
    PB_OPTION_DIGITS, //  Decimal digits kept as text, leading zeros too
    PB_OPTION_INT,    //  min, max: range
    PB_OPTION_BOOL,   //  "true" or "false"
    PB_OPTION_ENUM,   //  One of `values`, "a|b|c"
    PB_OPTION_KEY,    //  A secret by name, under `keys:`; never readable by a codec
    PB_OPTION_LIST,   //  A list of texts, handed out joined by '\n'
    PB_OPTION_LANES   //  Map of our lane -> the platform's word; min, max when numbers
} pb_option_type_t;

typedef enum { PB_SCOPE_INSTANCE, PB_SCOPE_LOT } pb_scope_t;

enum {
    PB_OPTION_REQUIRED = 1, //  A site cannot do without
    PB_OPTION_NUMBER = 2    //  PB_OPTION_LANES: the platform's words are integers
};

//  One row of the table of a plugin's configuration.
typedef struct {
    uint64_t struct_size;
    const char *name;
    uint32_t type;  //  pb_option_type_t
    uint32_t scope; //  pb_scope_t
    uint64_t flags;
    const char *preset; //  Default value as text; NULL is none
    const char *values; //  PB_OPTION_ENUM: "a|b|c"
    const char *unit;   //  "s", "fen", "spaces"; NULL is none
    int64_t min, max;   //  Both 0: no limit
    const char *help_en;
    const char *help_zh;
} pb_option_t;

enum {
    PB_ROUTE_EFFECT = 1 //  Has an effect, so `receive` must name its natural key (once)
};

//  What the plugin answers to under its mount. `path` has no leading slash and may hold
//  {option}, replaced by that option's value.
typedef struct {
    uint64_t struct_size;
    const char *method; //  "POST", "GET"
    const char *path;
    const char *media;       //  Media type wanted, without parameters; NULL is any
    uint64_t body_limit;     //  Bytes; 0 is the host's 64 KiB; at most 8 MiB
    uint64_t answer_ms;      //  The platform must have its answer by then; 0 is 10,000
    uint64_t flags;
} pb_route_t;

typedef enum { PB_ROLE_OPERATOR, PB_ROLE_DRIVER } pb_role_t;

//  How this platform behaves, as data. Money rules: docs/plugins.md, "Policy".
typedef struct {
    uint64_t struct_size;
    uint32_t role;              //  pb_role_t
    uint32_t charge_idempotent; //  1: a repeated charge with the same id is one charge
    uint32_t absent_proves;     //  1: "no such order" is authoritative
    uint32_t refunds;           //  1: the platform can refund
    uint32_t quiet_s;           //  Before "absent" may be believed
    uint32_t rate_per_s;        //  Requests a second the platform allows; 0 is no limit
    uint32_t answer_ms;         //  It gives up waiting for our answers after this
    uint32_t in_flight;         //  Requests at once; 0 is the host's choice
    uint64_t query_horizon_s;   //  How long asking makes sense
    const char *query_schedule; //  Seconds after the attempt, "1,2,4,8"; then daily
    const char *push_schedule;  //  When it repeats a push, seconds; NULL not documented
} pb_policy_t;

//  ---------------------------------------------------------------- what travels

//  Bytes that need not end in NUL.
typedef struct {
    const char *data;
    uint64_t size;
} pb_bytes_t;

typedef enum {
    PB_PART_BYTES,       //  `bytes`
    PB_PART_FILE,        //  The file named in `bytes`, as it is
    PB_PART_FILE_BASE64, //  The file, as Base64, percent-encoded
    PB_PART_SECRET       //  The secret whose key name is in `bytes`
} pb_part_kind_t;

//  Bodies are lists of parts, so that a picture passes a codec that opens no file.
typedef struct {
    uint64_t struct_size;
    uint64_t kind; //  pb_part_kind_t
    pb_bytes_t bytes;
} pb_part_t;

typedef struct {
    uint64_t struct_size;
    const char *name;
    const char *value;
} pb_header_t;

//  A payment that parkbus holds for a visit.
typedef struct {
    uint64_t struct_size;
    const char *platform; //  Instance; NULL is cash
    const char *payment;
    const char *tender;
    int64_t amount_fen;
    int64_t refunded_fen;
    int64_t paid_at_ms;
} pb_payment_t;

//  What parkbus knows of a visit. Times 0 and numbers -1 are "not known".
typedef struct {
    uint64_t struct_size;
    const char *visit;
    const char *plate;
    const char *plate_color;
    const char *lane_in;
    int64_t entered_at_ms;
    const char *quote; //  The newest
    int64_t quote_total_fen;
    int64_t quote_due_fen;
    int64_t spaces_free; //  Of the lot, newest
    const char *picture_in;
    const char *picture_out;
    const pb_payment_t *payments;
    uint64_t payments_count;
} pb_visit_t;

//  An id that this instance gave the visit, kept with it.
typedef struct {
    uint64_t struct_size;
    const char *kind; //  "session", "quote", "payment", "agreement" …
    const char *value;
} pb_ref_t;

typedef enum { PB_MESSAGE_EVENT, PB_MESSAGE_CALL } pb_message_kind_t;

//  An event to report, or a service call to carry out.
typedef struct {
    uint64_t struct_size;
    uint64_t kind;    //  pb_message_kind_t
    uint64_t seq;     //  Position in the journal; 0 for a call
    const char *id;   //  Of the event or the call
    const char *type; //  Event type or service
    const char *source;
    const char *visit;
    const char *lot;
    const char *lane;
    int64_t time_ms; //  When it happened
    pb_bytes_t data; //  JSON object: the event's data, the call's body
    const pb_visit_t *facts; //  NULL: no visit, or not known
    const pb_ref_t *refs;
    uint64_t refs_count;
} pb_message_t;

enum {
    PB_REQUEST_COMMAND = 1, //  Moves money: a fresh connection, never repeated
    PB_REQUEST_BULK = 2     //  A picture: lowest priority
};

//  codec -> platform. `path` is appended to the instance's `url`.
typedef struct {
    uint64_t struct_size;
    const char *method; //  NULL is "POST"
    const char *path;
    const char *media; //  Content-Type
    const pb_header_t *headers;
    uint64_t headers_count;
    const pb_part_t *parts;
    uint64_t parts_count;
    uint64_t timeout_ms; //  0 is the host's 10,000
    uint64_t flags;
} pb_request_t;

//  platform -> codec, the answer. `status` 0: none came in time.
typedef struct {
    uint64_t struct_size;
    uint32_t status;
    uint32_t nothing_sent; //  1: certain that no byte of the request left
    const char *media;
    const pb_header_t *headers;
    uint64_t headers_count;
    pb_bytes_t body;
    uint64_t retry_after_s; //  From the answer; 0 is not said
} pb_response_t;

//  platform -> codec, a push.
typedef struct {
    uint64_t struct_size;
    uint64_t route; //  Which row of the plugin's `routes`
    const char *method;
    const char *path;  //  Below the mount
    const char *query; //  As received, without '?'; "" if none
    const char *media; //  Content-Type as received
    const char *peer;  //  Address of the sender
    const pb_header_t *headers;
    uint64_t headers_count;
    pb_bytes_t body;
} pb_http_request_t;

//  codec -> platform, the reply to a push.
typedef struct {
    uint64_t struct_size;
    uint64_t status; //  HTTP
    const char *media;
    const pb_part_t *parts;
    uint64_t parts_count;
} pb_http_reply_t;

//  A question to a local program, asked by `receive`, answered through `answer`.
typedef struct {
    uint64_t struct_size;
    const char *service;
    const char *lot;
    const char *lane;
    pb_bytes_t body;     //  JSON
    uint64_t timeout_ms; //  0: what is left of the route's answer_ms, less a margin
} pb_question_t;

//  The local program's answer. `code` NULL: `body` holds it. Otherwise the bus error
//  code ("timeout", "no_provider", "rejected", "unknown_outcome") and its sentence.
typedef struct {
    uint64_t struct_size;
    const char *code;
    const char *message;
    pb_bytes_t body;
} pb_answer_t;

//  An event for the journal. `id` NULL: the host makes one. `time_ms` 0: now.
typedef struct {
    uint64_t struct_size;
    const char *type;
    const char *id;
    const char *visit;
    const char *lot;
    const char *lane;
    int64_t time_ms;
    pb_bytes_t data; //  JSON object
} pb_emit_t;

typedef enum { PB_MD5, PB_SHA256, PB_HMAC_SHA256, PB_RSA_SHA256, PB_AES_GCM } pb_algorithm_t;

//  What is signed: `before`, then the secret named `key`, then `after`. The plugin builds
//  the canonical string, the core adds the secret.
typedef struct {
    uint64_t struct_size;
    uint64_t algorithm; //  pb_algorithm_t
    const char *key;
    pb_bytes_t before;
    pb_bytes_t after;
} pb_seal_t;

enum { PB_LOG_ERROR, PB_LOG_WARNING, PB_LOG_INFO, PB_LOG_DEBUG };

typedef enum {
    PB_EXCHANGE_SETUP,   //  create
    PB_EXCHANGE_ENCODE,  //  encode, then decode
    PB_EXCHANGE_QUERY,   //  query, then decode
    PB_EXCHANGE_POLL,    //  poll, then decode
    PB_EXCHANGE_RECEIVE, //  receive, then answer
    PB_EXCHANGE_WRITE    //  Sinks: write, flush
} pb_exchange_t;

//  One exchange, from its first function to its last.
typedef struct {
    uint64_t struct_size;
    uint32_t exchange; //  pb_exchange_t
    uint32_t round;    //  0, then one more after each PB_MORE; at most 3
    void *plugin;      //  The plugin's, for the length of the exchange
    void *host;        //  The host's; not for the plugin
} pb_call_t;

//  ---------------------------------------------------------------- host -> plugin

typedef struct {
    uint64_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;

    //  Zeroed memory of this call's arena; NULL when the call's 16 MiB are used up.
    void *(*alloc) (pb_call_t *call, size_t size);

    void (*log) (pb_call_t *call, int level, const char *sentence);

    //  Say why a call fails: class, the platform's own code (may be NULL), a sentence.
    //  Returns the class, so that a plugin writes `return host->fail (…);`.
    int (*fail) (pb_call_t *call, int result, const char *code, const char *sentence);

    //  Value of an option of the instance, or its default; NULL if it has none.
    const char *(*option) (pb_call_t *call, const char *name);
    //  Value of an option of a lot; NULL if the instance does not list the lot.
    const char *(*lot_option) (pb_call_t *call, const char *lot, const char *name);
    //  The platform's word for our lane by the map option `map`; NULL without one.
    const char *(*lane_out) (pb_call_t *call, const char *lot, const char *map,
                             const char *lane);
    //  Our lot whose option `name` has this value; NULL when none has.
    const char *(*lot_in) (pb_call_t *call, const char *name, const char *value);
    //  Our lane for the platform's word. `direction` "in" or "out" chooses where an entry
    //  and an exit lane share a word: by the lane's name (in…, out…), else the first.
    const char *(*lane_in) (pb_call_t *call, const char *lot, const char *map,
                            const char *value, const char *direction);

    int64_t (*now_ms) (pb_call_t *call);
    int (*random) (pb_call_t *call, void *bytes, size_t size);

    //  Digest or signature as raw bytes into `out`, *size in: room, out: length.
    int (*sign) (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size);
    //  PB_OK, or PB_AUTH. Compares in constant time, tries both secrets of a rotation.
    int (*verify) (pb_call_t *call, const pb_seal_t *seal, const void *signature,
                   size_t size);
    //  Decrypt `before` (nonce, text, tag) with the secret `key`.
    int (*open) (pb_call_t *call, const pb_seal_t *seal, void *out, size_t *size);

    //  Keep a value over restarts (encrypted on disk); 0 seconds forgets it.
    int (*remember) (pb_call_t *call, const char *name, const char *value,
                     uint64_t seconds);
    const char *(*recall) (pb_call_t *call, const char *name);

    //  An event for the journal. Checked by the event's table at once: PB_OK, or PB_BUG
    //  and a log line that names the member.
    int (*emit) (pb_call_t *call, const pb_emit_t *event);

    //  The natural key of a push that has an effect; the emits and the question after it
    //  belong to it. PB_OK: go on. When the key was seen before, the host drops what
    //  belongs to it and sends the first answer again; it may say so early with PB_DUP,
    //  and the plugin then returns PB_DUP. `content` is what must be equal in a true
    //  repeat (amount, visit); other content under the same key raises an alarm.
    int (*once) (pb_call_t *call, const char *key, const char *content);

    //  Ask a local program; `receive` then returns PB_MORE.
    int (*ask) (pb_call_t *call, const pb_question_t *question);
    //  The reply to a push; sent once the emitted events are on disk.
    int (*reply) (pb_call_t *call, const pb_http_reply_t *reply);
    //  The result of a service call, a JSON object.
    int (*result) (pb_call_t *call, pb_bytes_t body);

    //  Sinks: a secret in the clear; NULL for codecs.
    const char *(*secret) (pb_call_t *call, const char *key);

    //  A named table of functions added after this version; NULL if the host has none.
    const void *(*extension) (const char *name);
} pb_host_t;

//  ---------------------------------------------------------------- plugin -> host

typedef enum { PB_CODEC = 1, PB_SINK = 2 } pb_plugin_kind_t;

typedef struct {
    uint64_t magic; //  PB_PLUGIN_MAGIC; the only member before the size
    uint64_t struct_size;
    uint32_t abi_major; //  PB_ABI_MAJOR as compiled
    uint32_t abi_minor;
    uint64_t kind;       //  pb_plugin_kind_t
    const char *name;    //  [a-z0-9-]{1,32}
    const char *version; //  Of the plugin
    const char *source;  //  The document it follows, with its revision

    const pb_option_t *options;
    uint64_t options_count;
    const pb_route_t *routes;
    uint64_t routes_count;
    const char *const *takes; //  Event types it wants, NULL-terminated
    const char *const *serves; //  Services it answers, NULL-terminated
    const pb_policy_t *policy;

    //  Make an instance: read the options, no I/O. Anything but PB_OK: it stays off.
    int (*create) (const pb_host_t *host, pb_call_t *call, void **instance);
    //  Once for each successful create.
    void (*destroy) (void *instance);

    //  One event or one service call -> one HTTP request.
    int (*encode) (void *instance, pb_call_t *call, const pb_message_t *message,
                   pb_request_t *request);
    //  The answer -> a result, events through emit, for a call `result`.
    int (*decode) (void *instance, pb_call_t *call, const pb_message_t *message,
                   const pb_response_t *response);
    //  A push: verify, emit, reply; or ask and return PB_MORE.
    int (*receive) (void *instance, pb_call_t *call, const pb_http_request_t *request);
    //  The answer to that question, or that there is none.
    int (*answer) (void *instance, pb_call_t *call, const pb_answer_t *answer);
    //  What became of a command whose outcome is not known?
    int (*query) (void *instance, pb_call_t *call, const pb_message_t *message,
                  pb_request_t *request);
    //  For platforms that are asked instead of pushing.
    int (*poll) (void *instance, pb_call_t *call, pb_request_t *request);

    //  Sinks: take a batch; *safe_seq says up to where it is safe.
    int (*write) (void *instance, pb_call_t *call, const pb_message_t *events,
                  uint64_t count, uint64_t *safe_seq);
    int (*flush) (void *instance, pb_call_t *call, uint64_t *safe_seq);
} pb_plugin_t;

#endif
