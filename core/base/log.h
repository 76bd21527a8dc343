//  base/log.h - one sentence for people, on stderr.

#ifndef PARKBUS_BASE_LOG_H
#define PARKBUS_BASE_LOG_H

#include <stdbool.h>

typedef enum { LOG_ERROR_, LOG_WARNING_, LOG_INFO_, LOG_DEBUG_ } log_level_t;
typedef enum { LOG_TEXT, LOG_JSON, LOG_JOURNALD } log_format_t;

//  From the configuration (`log:`). Until then: info, text.
void log_setup (log_level_t level, log_format_t format);
bool log_wants (log_level_t level);

//  `where` names the room or the instance: "journal", "cmb". Safe over threads.
void log_line (log_level_t level, const char *where, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

#define log_error(where, ...) log_line (LOG_ERROR_, where, __VA_ARGS__)
#define log_warning(where, ...) log_line (LOG_WARNING_, where, __VA_ARGS__)
#define log_info(where, ...) log_line (LOG_INFO_, where, __VA_ARGS__)
#define log_debug(where, ...) log_line (LOG_DEBUG_, where, __VA_ARGS__)

#endif
