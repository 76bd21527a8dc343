//  filter.c - which topics a subscriber wants: "pay.>", "*.*.north".

#include "filter.h"

#include <string.h>

bool
filter_valid (const char *filter)
{
    for (const char *token = filter;; token++) {
        size_t size = strcspn (token, ".");
        bool wild = memchr (token, '*', size) || memchr (token, '>', size);
        bool last = token[size] == '\0';
        if (size == 0 || (wild && size > 1) || (*token == '>' && !last))
            return false;
        if (last)
            return true;
        token += size;
    }
}

bool
filter_match (const char *filter, const char *topic)
{
    for (;; filter++, topic++) {
        if (*filter == '>')
            return *topic != '\0';
        size_t wanted = strcspn (filter, "."), found = strcspn (topic, ".");
        bool same = wanted == found && memcmp (filter, topic, found) == 0;
        if (found == 0 || (!same && !(wanted == 1 && *filter == '*')))
            return false;
        filter += wanted;
        topic += found;
        if (*filter == '\0' || *topic == '\0')
            return *filter == *topic;
    }
}

size_t
filter_prefix (const char *filter)
{
    return strcspn (filter, "*>");
}
