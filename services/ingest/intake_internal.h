/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake_internal: what the files intake*.c share. Not for others. */
#ifndef FC_INGEST_INTAKE_INTERNAL_H
#define FC_INGEST_INTAKE_INTERNAL_H

#include <pthread.h>

#include "services/ingest/intake.h"
#include "services/ingest/recent.h"
#include "services/ingest/understand.h"

/* What became of a message: in the log; all of it known; in order, and nothing to keep.
 */
enum result { LOGGED, DUPLICATE, NOTHING, N_RESULTS };

/* How it came: each way has counters of its own. */
enum way { BY_MQTT, BY_HTTP, BY_KAFKA, N_WAYS };

struct intake {
    struct wal *wal;
    struct interpreter how;
    struct sink_live *live;
    struct announce *announce;
    pthread_mutex_t
        lock;         /* everything below, the members of devices marked so, appending */
    struct message m; /* what has just come */
    struct buf account; /* and its account, if it needs one */
    struct buf texts;   /* of what is to be remembered of it */
    struct rebirth *rebirth;
    struct recent *recent;
    struct device **due; /* acknowledgements to send; owned */
    size_t n_due, cap_due;
    atomic_llong last_ms, missing;
    struct metric *taken[N_WAYS][N_RESULTS];
};

/* How many items of a message are new, seen before, refused. */
struct tally {
    size_t fresh, known, refused; /* items */
};

/* What is to be known later of an item that lies in the log: its number, its identity,
 * its time. With the lock held. */
void intake_keep(struct intake *in, const struct item *it, int64_t mono_ms);

#endif
