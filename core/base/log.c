//  log.c - one sentence, one line, one write.

#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include "base/moment.h"
#include "base/text.h"

#define SENTENCE_MAX 4096

static atomic_int log_level = LOG_INFO_;
static atomic_int log_format = LOG_TEXT;

static const struct {
    const char *word;
    char priority; //  Of syslog, as journald reads it
} levels[] = {
    [LOG_ERROR_] = {"error",   '3'},
    [LOG_WARNING_] = {"warning", '4'},
    [LOG_INFO_] = {"info",    '6'},
    [LOG_DEBUG_] = {"debug",   '7'},
};

void
log_setup (log_level_t level, log_format_t format)
{
    atomic_store (&log_level, (int) level);
    atomic_store (&log_format, (int) format);
}

bool
log_wants (log_level_t level)
{
    return (int) level <= atomic_load_explicit (&log_level, memory_order_relaxed);
}

//  What came from outside may hold line ends that would fake a line, or no UTF-8 at all.
static void
s_clean (char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    if (utf8_valid (text, size))
        return;
    for (size_t i = 0; i < size;) {
        size_t one = 1;
        while (one <= 4 && i + one <= size && !utf8_valid (text + i, one))
            one++;
        if (one > 4 || i + one > size) {
            text[i] = '?';
            one = 1;
        }
        i += one;
    }
}

//  Of this moment, as the car parks' clocks show it.
static void
s_now (char time[32])
{
    moment_to_rfc3339 ((pb_time_t){moment_now_ms ()}, zone_find ("Asia/Shanghai"),
                       time);
}

static void
s_line_text (buffer_t *line, log_level_t level, const char *where, const char *sentence)
{
    char time[32];
    s_now (time);
    buffer_printf (line, "%s %s %s: %s", time, levels[level].word, where, sentence);
}

static void
s_line_json (buffer_t *line, log_level_t level, const char *where, const char *sentence)
{
    char time[32];
    s_now (time);
    buffer_printf (line, "{\"time\":\"%s\",\"level\":\"%s\",\"where\":", time,
                   levels[level].word);
    buffer_json_string (line, where, strlen (where));
    buffer_text (line, ",\"message\":");
    buffer_json_string (line, sentence, strlen (sentence));
    buffer_text (line, "}");
}

void
log_line (log_level_t level, const char *where, const char *format, ...)
{
    if (!log_wants (level))
        return;
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start (args, format);
    int size = vsnprintf (sentence, sizeof sentence, format, args);
    va_end (args);
    if (size < 0)
        return;
    s_clean (sentence, strlen (sentence));

    buffer_t line = {0};
    switch ((log_format_t) atomic_load (&log_format)) {
    case LOG_JSON:
        s_line_json (&line, level, where, sentence);
        break;
    case LOG_JOURNALD:
        buffer_printf (&line, "<%c>%s: %s", levels[level].priority, where, sentence);
        break;
    case LOG_TEXT:
        s_line_text (&line, level, where, sentence);
        break;
    }
    buffer_text (&line, "\n");
    //  One write, so that lines of several threads and processes stay whole. Where
    //  stderr does not take it there is nobody left to tell.
    ssize_t written = write (STDERR_FILENO, line.data, line.size);
    (void) written;
    buffer_free (&line);
}
