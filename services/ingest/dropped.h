/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dropped: the broker's own count of messages that it threw away.
 *
 * Mosquitto acknowledges a message and drops it all the same when the queue of a client
 * that is away is full; its counter is the only trace. It counts since the broker
 * started, over all its clients. Brokers that do not publish it are fine. One thread at a
 * time. */
#ifndef FC_INGEST_DROPPED_H
#define FC_INGEST_DROPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/metrics.h"

#define DROPPED_TOPIC "$SYS/broker/publish/messages/dropped"
#define DROPPED_WARN_MS 60000

struct dropped {
    struct metric *gauge;
    bool known;      /* a value was seen */
    int64_t value;   /* the newest */
    int64_t unsaid;  /* dropped since the last warning */
    int64_t said_ms; /* monotonic; when that was, valid if said */
    bool said;
};

void dropped_init(struct dropped *d, struct metrics *m);

/* Takes a message of DROPPED_TOPIC. Returns how many to warn of now: 0 = nothing to say,
 * or said less than a minute ago (then they count to the next warning). */
int64_t dropped_note(struct dropped *d, const void *payload, size_t len, int64_t mono_ms);

#endif
