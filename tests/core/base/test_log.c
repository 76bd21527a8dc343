//  The log: three formats, whole lines, nothing that fakes a line.

#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "base/moment.h"
#include "base/text.h"
#include "promise.h"

static char said[1 << 20];

//  What `fn` writes to stderr, through a file (a pipe could fill up).
static const char *
s_listen (void (*fn) (void))
{
    char path[] = "/tmp/parkbus-log-XXXXXX";
    int file = mkstemp (path), stderr_copy = dup (STDERR_FILENO);
    unlink (path);
    dup2 (file, STDERR_FILENO);
    fn ();
    dup2 (stderr_copy, STDERR_FILENO);
    close (stderr_copy);
    ssize_t size = pread (file, said, sizeof said - 1, 0);
    said[size > 0 ? size : 0] = 0;
    close (file);
    return said;
}

static void
s_say_text (void)
{
    log_setup (LOG_INFO_, LOG_TEXT);
    log_error ("journal", "disk %s is full", "/dev/x");
    log_debug ("journal", "unheard");
}

static void
s_say_lines (void)
{
    log_setup (LOG_INFO_, LOG_TEXT);
    log_warning ("cmb", "body \"a\nerror bus: faked\x1b[2J\" \xff\xe4\xba");
}

static void
s_say_journald (void)
{
    log_setup (LOG_DEBUG_, LOG_JOURNALD);
    log_error ("a", "e");
    log_warning ("a", "w");
    log_info ("a", "i");
    log_debug ("a", "d");
}

static void
s_say_json (void)
{
    log_setup (LOG_INFO_, LOG_JSON);
    log_info ("cmb", "a \"quoted\" 京 \xff sentence\n");
}

static void
s_say_long (void)
{
    static char text[9000];
    log_setup (LOG_INFO_, LOG_JSON);
    for (size_t i = 0; i + 4 < sizeof text; i += 3)
        memcpy (text + i, "京", 4);
    log_info ("cmb", "x%s", text);
}

static void *
s_say_many (void *arg)
{
    for (int i = 0; i < 500; i++)
        log_info ("thread", "%s", (const char *) arg);
    return NULL;
}

static const char *const letters[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};

static void
s_say_threads (void)
{
    log_setup (LOG_INFO_, LOG_TEXT);
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        pthread_create (&threads[i], NULL, s_say_many, (void *) letters[i]);
    for (size_t i = 0; i < 2; i++)
        pthread_join (threads[i], NULL);
}

static void
s_json (void)
{
    struct json_object *line = json_tokener_parse (s_listen (s_say_json));
    struct json_object *message = NULL, *level = NULL, *where = NULL, *time = NULL;
    json_object_object_get_ex (line, "message", &message);
    json_object_object_get_ex (line, "level", &level);
    json_object_object_get_ex (line, "where", &where);
    json_object_object_get_ex (line, "time", &time);
    promise (
        message && level && where && time
            && streq (json_object_get_string (message), "a \"quoted\" 京 ? sentence ")
            && streq (json_object_get_string (level), "info")
            && streq (json_object_get_string (where), "cmb"),
        "JSON: %s", said);
    json_object_put (line);
    line = json_tokener_parse (s_listen (s_say_long));
    promise (line && utf8_valid (said, strlen (said)),
             "a long sentence is cut, in JSON");
    json_object_put (line);
}

//  A line of text without the time it begins with; "" when it does not begin with one.
static const char *
s_untimed (const char *line)
{
    pb_time_t time;
    size_t size = strcspn (line, " ");
    bool timed = moment_from_rfc3339 ((span_t){line, size}, &time);
    return timed && line[size] ? line + size + 1 : "";
}

int
main (void)
{
    promise (streq (s_untimed (s_listen (s_say_text)),
                    "error journal: disk /dev/x is full\n"),
             "text: %s", said);
    promise (streq (s_untimed (s_listen (s_say_lines)),
                    "warning cmb: body \"a error bus: faked [2J\" ???\n"),
             "one line whatever is said: %s", said);
    promise (streq (s_listen (s_say_journald), "<3>a: e\n<4>a: w\n<6>a: i\n<7>a: d\n"),
             "journald's levels: %s", said);
    s_json ();
    s_listen (s_say_threads);
    int whole = 0, torn = 0;
    for (char *rest = said, *line; (line = strsep (&rest, "\n")) && *line;) {
        bool good = streq (s_untimed (line),
                           "info thread: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
                    || streq (s_untimed (line),
                              "info thread: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
        whole += good;
        torn += !good;
    }
    promise (whole == 1000 && !torn, "1000 lines of two threads are whole");
    log_setup (LOG_WARNING_, LOG_TEXT);
    promise (log_wants (LOG_ERROR_) && log_wants (LOG_WARNING_)
                 && !log_wants (LOG_INFO_),
             "levels below are not wanted");
    return promises_kept ();
}
