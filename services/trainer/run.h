/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: one training of one series, from its hours to the registry. */
#ifndef FC_TRAINER_RUN_H
#define FC_TRAINER_RUN_H

#include <stdbool.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/ml/dataset.h"
#include "common/pg.h"
#include "common/registry_jobs.h"

#define RUN_SEED 1 /* of the gate's bootstrap: the same data give the same model */

/* How it went. In all cases but RUN_AGAIN the job needs no more care. */
enum run_end {
    RUN_DONE,    /* stored: promoted or kept */
    RUN_REFUSED, /* the data do not allow it; said in the job and in a decision */
    RUN_GONE,    /* cancelled, taken over or stopped: nothing was written */
    RUN_AGAIN    /* a neighbour was away, or the champion changed meanwhile: *e says it */
};

struct runner {
    struct pg *pg;
    const char *worker; /* holder of the job */
    struct metrics *metrics;
    bool (*progress)(void *arg, double share); /* false: stop */
    void *progress_arg;
};

/* Trains on hours (which is cut) for a job that is held. beside: what is told of the
 * series beside it (others_choose.h), for the evidence; may be NULL. Whatever fails is
 * written into the job: RUN_REFUSED with outcome "refused", or failed without one. */
enum run_end run_job(const struct runner *r, const struct job *j, struct hours *hours,
                     const json_t *beside, struct err *e);

#endif
