/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sparkplug_topic.h"

#include <stdio.h>
#include <string.h>

#include "services/ingest/decode.h"

#define LEVELS 5 /* spBv1.0, group, type, edge node, device */

/* The number of levels, or -1: one of the first five is too long. */
static int split(const char *topic, char level[LEVELS][RAW_DEVICE_MAX + 1])
{
    int n = 1;
    for (const char *p = topic; *p; p++)
        n += *p == '/';
    for (int i = 0; i < n && i < LEVELS; i++)
        if (!topic_level(topic, i, level[i], RAW_DEVICE_MAX + 1))
            return -1;
    return n;
}

static enum sparkplug_kind kind_of(const char *type)
{
    return *type != 'N' && *type != 'D' ? SPARKPLUG_OTHER
           : !strcmp(type + 1, "BIRTH") ? SPARKPLUG_BIRTH
           : !strcmp(type + 1, "DATA")  ? SPARKPLUG_DATA
           : !strcmp(type + 1, "DEATH") ? SPARKPLUG_DEATH
                                        : SPARKPLUG_OTHER;
}

static enum reject too_long(const char *topic, struct err *e)
{
    return reject_say(REJECT_BAD_DEVICE, e,
                      "the ids in the topic %.200s have more than %d bytes", topic,
                      RAW_DEVICE_MAX);
}

/* Topics of ours to write to: all parts are in t->edge and t->raw. */
static void related(struct sparkplug_topic *t, const char *group, const char *edge,
                    const char *device)
{
    snprintf(t->births, sizeof t->births, "spBv1.0/%s/DBIRTH/%s/", group, edge);
    if (t->node)
        snprintf(t->birth, sizeof t->birth, "spBv1.0/%s/NBIRTH/%s", group, edge);
    else
        snprintf(t->birth, sizeof t->birth, "spBv1.0/%s/DBIRTH/%s/%s", group, edge,
                 device);
}

enum reject sparkplug_topic(const char *topic, struct sparkplug_topic *t, struct err *e)
{
    char level[LEVELS][RAW_DEVICE_MAX + 1];
    int n = split(topic, level);
    t->kind = SPARKPLUG_OTHER;
    if (n < 0)
        return too_long(topic, e);
    if ((n > 1 && !strcmp(level[1], "STATE")) ||
        (n > 2 && (!strcmp(level[2], "NCMD") || !strcmp(level[2], "DCMD"))))
        return REJECT_NONE;
    enum sparkplug_kind kind = n > 3 ? kind_of(level[2]) : SPARKPLUG_OTHER;
    t->node = n > 3 && level[2][0] == 'N';
    if (!kind || n != (t->node ? 4 : 5))
        return reject_say(REJECT_UNKNOWN_TOPIC, e,
                          "\"%.200s\" is not the topic of a Sparkplug message", topic);
    const char *device = t->node ? "" : level[4];
    int len = snprintf(t->edge, sizeof t->edge, "%s/%s", level[1], level[3]);
    if (len <= RAW_DEVICE_MAX)
        len = snprintf(t->raw, sizeof t->raw, "%s/%s%s%s", level[1], level[3],
                       t->node ? "" : "/", device);
    if (len > RAW_DEVICE_MAX)
        return too_long(topic, e);
    related(t, level[1], level[3], device);
    t->kind = kind;
    return REJECT_NONE;
}

void sparkplug_command_topic(const char *edge, char out[SPARKPLUG_TOPIC_MAX + 1])
{
    size_t group = strcspn(edge, "/");
    snprintf(out, SPARKPLUG_TOPIC_MAX + 1, "spBv1.0/%.*s/NCMD/%s", (int)group, edge,
             edge[group] ? edge + group + 1 : "");
}
