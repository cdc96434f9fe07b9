/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "common/mqtt.h"

#define SHARE "$share/"

/* MQTT 3.1.1, section 4.7: + is one level, # the rest (and its parent level); neither
 * matches a topic that begins with $ at the first level. */
bool mqtt_match(const char *filter, const char *topic)
{
    if (*topic == '$' && *filter != '$')
        return false;
    for (;;) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else {
            while (*filter && *filter == *topic && *filter != '/') {
                filter++;
                topic++;
            }
        }
        if (!*topic)
            return !*filter || !strcmp(filter, "/#");
        if (*filter != '/' || *topic != '/')
            return false;
        filter++;
        topic++;
    }
}

const char *mqtt_filter_shared(const char *filter)
{
    if (strncmp(filter, SHARE, strlen(SHARE)) != 0)
        return filter;
    const char *group = filter + strlen(SHARE), *end = strchr(group, '/');
    return end ? end + 1 : filter;
}

bool mqtt_filter_valid(const char *filter)
{
    if (!strncmp(filter, SHARE, strlen(SHARE))) {
        const char *group = filter + strlen(SHARE), *rest = mqtt_filter_shared(filter);
        size_t n = strcspn(group, "/");
        if (rest == filter || n == 0 || strcspn(group, "/+#") != n)
            return false;
        filter = rest;
    }
    for (const char *level = filter;; level++) {
        size_t n = strcspn(level, "/"), plain = strcspn(level, "/+#");
        if (plain < n && (n != 1 || (*level == '#' && level[1])))
            return false;
        level += n;
        if (!*level)
            return *filter != '\0';
    }
}
