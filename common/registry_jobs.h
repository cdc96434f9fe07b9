/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_jobs: the queue of trainings in Postgres, shared by any number of trainers.
 *
 * A series has at most one open (queued or running) job. Who takes a job holds a lease on
 * it, kept up by heartbeats; the lease is a time-out and therefore runs in the server's
 * real time, also under a virtual clock. A taken job is written to only by its holder
 * (worker and attempt): one who lost it by time or by cancelling can no longer change
 * anything. Each call uses the connection given, inside the caller's transaction if there
 * is one. */
#ifndef FC_COMMON_REGISTRY_JOBS_H
#define FC_COMMON_REGISTRY_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"
#include "common/reading.h"

#define JOB_OPEN "state IN ('queued', 'running')" /* in SQL */
#define JOB_REASON_MAX 500                        /* bytes */
#define JOB_WORKER_MAX 80
#define JOB_ATTEMPTS_MAX 5 /* taken so often without an end, it has failed */

/* What is asked for. Texts are borrowed. */
struct job_request {
    const json_t *series;        /* array of names; NULL: each active series that is
                                    forecast (by its stem, or settings {"forecast":true}) */
    const char *reason, *preset; /* preset NULL: none */
    const char *actor;           /* who asked: a role */
    int priority;                /* higher ones are taken first */
    bool any_preset;             /* a job that runs will do, whatever its preset */
};

/* Makes the jobs, unless a series has an open one (which, if it waits, gets the higher of
 * the two priorities, and the preset if one is asked for), and returns all of them as
 * [{"id","series","state","preset"},…] in the order of the names; preset: what the job
 * makes, which an open one may have brought along where none is asked for. A series that
 * is not there is ERR_NOT_FOUND, one that is quarantined or disabled, or trained at the
 * moment with another preset than the one asked for (unless any will do, or all series
 * are asked for), ERR_CONFLICT; it is named, and then nothing is queued. Opens its own
 * transaction. */
json_t *registry_jobs_enqueue(struct pg *p, const struct job_request *q,
                              struct err *e) MUST_CHECK;

/* A job as its holder sees it. */
struct job {
    int64_t id;
    int attempt;
    char series[SERIES_MAX + 1];
    char preset[17]; /* "" = none */
    char actor[33], reason[JOB_REASON_MAX + 1];
};

/* Takes queued jobs for worker, the most urgent first: the first `enough`, but not more
 * than half of its share when `workers` look for work; and what is queued just behind
 * them for the last one's device, because a device's series are read together: up to its
 * share, and to max in all. Returns how many, or -1. */
int registry_jobs_take(struct pg *p, const char *worker, int workers, struct job *jobs,
                       int enough, int max, struct err *e) MUST_CHECK;

/* What registry_jobs_beat() tells and learns about one job that is held. */
struct job_beat {
    int64_t id;
    int attempt;
    double progress; /* 0..1 */
    bool lost;       /* out: cancelled, or taken over by another */
};
/* Renews the leases of n jobs. */
int registry_jobs_beat(struct pg *p, const char *worker, struct job_beat *beats, int n,
                       struct err *e) MUST_CHECK;

/* Puts jobs not heard of for lease_s seconds back into the queue, or fails
 * them if that was their last attempt. */
int registry_jobs_sweep(struct pg *p, int64_t lease_s, struct err *e) MUST_CHECK;

/* How many wait in the queue, counted up to 1000. */
int registry_jobs_queued(struct pg *p, int64_t *n, struct err *e) MUST_CHECK;

/* Back into the queue, with the reason as message; it may be taken at once. blame: this
 * attempt counts, and the last one fails the job instead. */
int registry_job_release(struct pg *p, const char *worker, const struct job *j,
                         const char *message, bool blame, struct err *e) MUST_CHECK;

/* Ends a job. outcome: "promoted", "kept", "refused" or NULL; run_id NULL and version 0:
 * none. Returns 1 when it was ours to end, 0 when it was not any more, -1 on an error. */
int registry_job_finish(struct pg *p, const char *worker, const struct job *j,
                        const char *state, const char *outcome, const char *run_id,
                        int version, const char *message, struct err *e) MUST_CHECK;

/* Cancels an open job; a running one stops at its next heartbeat. ERR_NOT_FOUND, or
 * ERR_CONFLICT when it has ended. */
int registry_job_cancel(struct pg *p, int64_t id, const char *actor,
                        struct err *e) MUST_CHECK;

/* Cancels the open jobs of these series (array of names; NULL: all) and returns their
 * ids, new. What is not there is no error. */
json_t *registry_jobs_cancel(struct pg *p, const json_t *series, const char *actor,
                             struct err *e) MUST_CHECK;

/* All open jobs, short, new: {"queued":[id,…],"running":[{"id","series","progress"},…]}.
 */
json_t *registry_jobs_open_json(struct pg *p, struct err *e) MUST_CHECK;

/* The job as GET /api/v1/jobs/{id} shows it, new; and an array of them, newest first,
 * with ids below `before`. state NULL: all; "open": queued or running. series NULL: all.
 */
json_t *registry_job_json(struct pg *p, int64_t id, struct err *e) MUST_CHECK;
json_t *registry_jobs_json(struct pg *p, const char *state, const char *series,
                           int64_t before, int limit, struct err *e) MUST_CHECK;

/* Removes ended jobs that ended before t_ms. */
int registry_jobs_forget(struct pg *p, int64_t t_ms, struct err *e) MUST_CHECK;

#endif
