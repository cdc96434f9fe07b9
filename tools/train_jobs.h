/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_jobs: the jobs that a `fieldcast train` follows, thousands at once: which are
 * open is asked for all together, what became of them a thousand at a time. */
#ifndef FC_TOOLS_TRAIN_JOBS_H
#define FC_TOOLS_TRAIN_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "tools/remote.h"

struct train_job {
    int64_t id;
    char *series; /* as the answer has it; owned */
    bool open;
    json_t *end; /* the job as GET /api/v1/jobs had it when it was fetched; owned. NULL:
                    not known, or it is not there any more */
};

/* In the order of their ids. */
struct train_jobs {
    struct train_job *all; /* owned */
    size_t n;
    double begun; /* what was done of those that run, in jobs, at the last look */
};

/* Of the answer to POST /api/v1/train. Free with train_jobs_done(), also on failure. */
int train_jobs_init(struct train_jobs *t, const json_t *answer, const struct remote *r,
                    struct err *e) MUST_CHECK;
void train_jobs_done(struct train_jobs *t);

/* How many are open; -1 with *e. */
int64_t train_jobs_look(struct train_jobs *t, struct remote *r, struct err *e) MUST_CHECK;
/* Fetches what became of them. */
int train_jobs_fetch(struct train_jobs *t, struct remote *r, struct err *e) MUST_CHECK;

/* How many ended in each way, or have not ended: by what was fetched, where nothing was
 * by the last look. */
struct train_counts {
    size_t promoted, kept, refused, failed, cancelled, gone, open;
};
struct train_counts train_jobs_count(const struct train_jobs *t);

/* A line for each, or only for those that did not end in a version: series, how it
 * ended, why. */
void train_jobs_tell(const struct train_jobs *t, bool each, FILE *to);
void train_jobs_csv(const struct train_jobs *t, FILE *to);
json_t *train_jobs_json(const struct train_jobs *t); /* new */

#endif
