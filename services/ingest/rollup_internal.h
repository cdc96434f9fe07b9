/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rollup_internal: what rollup.c (when) and rollup_round.c (how) share. Not for others.
 */
#ifndef FC_INGEST_ROLLUP_INTERNAL_H
#define FC_INGEST_ROLLUP_INTERNAL_H

#include <pthread.h>

#include "common/log.h"
#include "services/ingest/changes.h"
#include "services/ingest/nap.h"
#include "services/ingest/retention.h"
#include "services/ingest/rollup.h"

struct rollup {
    struct rollup_opts o;
    struct nap nap;
    pthread_t thread;
    struct changes *changes;
    struct retention retention;
    struct buf query, lines;
    char **names; /* all quantities in InfluxDB, when they had to be asked for; owned */
    size_t n_names;
    size_t devices;     /* in the next query for readings */
    int64_t due_hour;   /* start of the newest complete hour that was seen */
    int64_t noticed_ms; /* when it was seen (monotonic) */
    int64_t drain_to;   /* where the log ended then, once it was quiet; -1: not yet */
    struct log_often said;
    unsigned failures; /* of rounds, in a row */
    int64_t round_ms;  /* when the last round ended (monotonic) */
    struct metric *rolled, *rounds, *failed, *marked, *seconds, *newest;
};

/* Rolls up everything that is marked up to hour `last`. What fails is marked again. */
int rollup_round(struct rollup *r, int32_t last, struct err *e) MUST_CHECK;
/* Says that a round failed, if it is not the first, and waits a moment. */
void rollup_failed(struct rollup *r, const struct err *e);
void rollup_works(struct rollup *r);
void rollup_forget_names(struct rollup *r);

#endif
