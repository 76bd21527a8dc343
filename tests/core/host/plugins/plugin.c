//  plugin.c - the smallest plugin, and by -D each way of spoiling it for the loader.

#include "parkbus/plugin.h"

#ifndef NAME
#define NAME "good"
#endif
#ifndef MAGIC
#define MAGIC PB_PLUGIN_MAGIC
#endif
#ifndef MAJOR
#define MAJOR PB_ABI_MAJOR
#endif
#ifndef SHORTER
#define SHORTER 0
#endif
#ifdef NEWER
#define MINOR 7
#else
#define MINOR PB_ABI_MINOR
#endif
#ifndef MAX
#define MAX 8
#endif
#ifndef ENCODE
#define ENCODE s_encode
#endif

#if defined ONLY_A_NUMBER

extern const uint32_t pb_plugin_v1;
PB_EXPORT const uint32_t pb_plugin_v1 = 1;

#elif defined NO_SYMBOL

extern const char pb_plugin_v0[];
PB_EXPORT const char pb_plugin_v0[] = "an older one";

#else

static int
s_create (const pb_host_t *host, pb_call_t *call, void **instance)
{
    static char nothing;
    (void) host, (void) call;
    *instance = &nothing;
    return PB_OK;
}

#ifdef UNRESOLVED
//  Nobody has this function. Only called, never stored: without RTLD_NOW it would be
//  missed in the middle of work.
void parkbus_test_nowhere (void *instance);
#else
#define parkbus_test_nowhere(instance) (void) (instance)
#endif

static void
s_destroy (void *instance)
{
    parkbus_test_nowhere (instance);
}

__attribute__ ((unused)) static int
s_encode (void *instance, pb_call_t *call, const pb_message_t *message,
          pb_request_t *request)
{
    (void) instance, (void) call, (void) message;
    request->path = "/";
    return PB_OK;
}

static int
s_decode (void *instance, pb_call_t *call, const pb_message_t *message,
          const pb_response_t *response)
{
    (void) instance, (void) call, (void) message;
    return response->status == 200 ? PB_OK : PB_RETRY;
}

static const char *const takes[] = {"in.recorded", NULL};

static const pb_option_t options[] = {
    {.struct_size = sizeof (pb_option_t),
     .name = "site",
     .type = PB_OPTION_TEXT,
     .scope = PB_SCOPE_INSTANCE,
     .min = 1,
     .max = MAX,
     .help_en = "Number of the site",
     .help_zh = "站点编号"},
};

#ifdef NEWER

//  As a plugin of ABI 1.7 looks: the same beginning, and something behind it.
typedef struct {
    pb_plugin_t known;
    void (*later) (void);
} declared_t;

#define KNOWN(...)               \
    {                            \
        .known = { __VA_ARGS__ } \
    }

#else

typedef pb_plugin_t declared_t;

#define KNOWN(...)  \
    {               \
        __VA_ARGS__ \
    }

#endif

extern PB_EXPORT const declared_t pb_plugin_v1;
const declared_t pb_plugin_v1 =
    KNOWN (.magic = MAGIC, .struct_size = sizeof (declared_t) - SHORTER,
           .abi_major = MAJOR, .abi_minor = MINOR, .kind = PB_CODEC, .name = NAME,
           .version = "1", .options = options, .options_count = 1, .takes = takes,
           .create = s_create, .destroy = s_destroy, .encode = ENCODE,
           .decode = s_decode);

#endif
