/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparkplug_topic: the topic of a Sparkplug message taken apart. Pure; any thread. */
#ifndef FC_INGEST_SPARKPLUG_TOPIC_H
#define FC_INGEST_SPARKPLUG_TOPIC_H

#include "common/reading.h"
#include "services/ingest/message.h"

#define SPARKPLUG_TOPIC_MAX (3 * RAW_DEVICE_MAX + 40)

enum sparkplug_kind {
    SPARKPLUG_OTHER, /* a command, or a host's state: nothing else is set */
    SPARKPLUG_BIRTH,
    SPARKPLUG_DATA,
    SPARKPLUG_DEATH
};

struct sparkplug_topic {
    enum sparkplug_kind kind;
    bool node;                            /* the edge node's own, no device's */
    char edge[RAW_DEVICE_MAX + 1];        /* "group/edge" */
    char raw[RAW_DEVICE_MAX + 1];         /* "group/edge" or "group/edge/device" */
    char birth[SPARKPLUG_TOPIC_MAX + 1];  /* the topic of the birth that it hangs on */
    char births[SPARKPLUG_TOPIC_MAX + 1]; /* how those of the edge node's devices begin */
};

/* REJECT_NONE, or REJECT_UNKNOWN_TOPIC or REJECT_BAD_DEVICE with the sentence in *e. */
enum reject sparkplug_topic(const char *topic, struct sparkplug_topic *t, struct err *e);

/* The topic on which an edge node ("group/edge") takes commands. */
void sparkplug_command_topic(const char *edge, char out[SPARKPLUG_TOPIC_MAX + 1]);

#endif
