/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outbox: alerts on their way to the broker. They wait here while it is away, the oldest
 * are dropped beyond OUTBOX_MAX (each alert is also a row in Postgres). One thread at a
 * time. */
#ifndef FC_MONITOR_OUTBOX_H
#define FC_MONITOR_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "common/mqtt.h"

#define OUTBOX_MAX 10000

struct letter; /* a topic and a payload */
struct outbox {
    struct letter *first, *last;
    size_t n;
    uint64_t dropped;
};

/* payload is taken over (malloc'ed). */
void outbox_add(struct outbox *o, const char *topic, char *payload);
/* Publishes what it can without blocking for long. */
void outbox_flush(struct outbox *o, struct mqtt *mqtt);
void outbox_done(struct outbox *o);

#endif
