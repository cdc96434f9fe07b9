/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/queue.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cond.h"
#include "common/influx.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/ml/train.h"
#include "common/pg.h"
#include "common/reading.h"
#include "common/registry_jobs.h"
#include "common/sha256.h"
#include "services/trainer/beside.h"
#include "services/trainer/counts.h"
#include "services/trainer/run.h"
#include "services/trainer/window.h"
#include "services/trainer/zones.h"

/* What a worker takes at a time, and reads together. What is urgent waits for so many,
 * and a query costs about as much for one as for all. */
#define BATCH 48
#define BATCH_MAX WINDOW_SERIES_MAX /* with the rest of a device */
#define WORKERS_MAX 64
#define AGAIN_PAUSE_S 1 /* after a neighbour failed, before the next look */

struct worker {
    struct queue *q;
    pthread_t thread;
    bool started;
    struct pg *pg;
    struct influx *influx;
    struct zones zones;
    struct job jobs[BATCH_MAX];
    int at; /* index of the job that is trained */

    /* under queue.lock: what queue_beat() sees of the jobs held */
    int n_held;
    struct job_beat held[BATCH_MAX];
};

struct queue {
    struct queue_opts o;
    char name[JOB_WORKER_MAX];
    struct log_often later, kept;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t wakes;
    bool stopping;
    int n;
    struct worker workers[WORKERS_MAX];
};

/* ---- the jobs a worker holds ----------------------------------------------------- */

static void hold(struct worker *w, int n)
{
    pthread_mutex_lock(&w->q->lock);
    for (int i = 0; i < n; i++)
        w->held[i] = (struct job_beat){w->jobs[i].id, w->jobs[i].attempt, 0, false};
    w->n_held = n;
    pthread_mutex_unlock(&w->q->lock);
}

static void let_go(struct worker *w, int i)
{
    pthread_mutex_lock(&w->q->lock);
    w->held[i].lost = true; /* no longer beaten */
    pthread_mutex_unlock(&w->q->lock);
}

/* The training's progress; false when it should stop. */
static bool go_on(void *arg, double share)
{
    struct worker *w = arg;
    pthread_mutex_lock(&w->q->lock);
    struct job_beat *b = &w->held[w->at];
    if (share > b->progress) /* after a change of regime the candidates are tried twice */
        b->progress = share;
    bool on = !b->lost && !w->q->stopping;
    pthread_mutex_unlock(&w->q->lock);
    return on;
}

static bool stopping(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool stop = q->stopping;
    pthread_mutex_unlock(&q->lock);
    return stop;
}

int queue_beat(struct queue *q, struct pg *pg, struct err *e)
{
    struct job_beat *beats = xcalloc((size_t)q->n * BATCH_MAX, sizeof *beats);
    int n = 0, rc = 0;
    pthread_mutex_lock(&q->lock);
    for (int w = 0; w < q->n; w++)
        for (int i = 0; i < q->workers[w].n_held; i++)
            if (!q->workers[w].held[i].lost)
                beats[n++] = q->workers[w].held[i];
    pthread_mutex_unlock(&q->lock);
    if (n)
        rc = registry_jobs_beat(pg, q->name, beats, n, e);
    pthread_mutex_lock(&q->lock);
    for (int k = 0; k < n && !rc; k++)
        for (int w = 0; w < q->n && beats[k].lost; w++)
            for (int i = 0; i < q->workers[w].n_held; i++)
                if (q->workers[w].held[i].id == beats[k].id &&
                    q->workers[w].held[i].attempt == beats[k].attempt)
                    q->workers[w].held[i].lost = true;
    pthread_mutex_unlock(&q->lock);
    free(beats);
    return rc;
}

/* ---- working --------------------------------------------------------------------- */

/* Back into the queue. If even that fails, the lease will end and bring it there. */
static void give_back(struct worker *w, int i, const char *why, bool blame)
{
    struct err e = ERR_INIT;
    let_go(w, i);
    if (registry_job_release(w->pg, w->q->name, &w->jobs[i], why, blame, &e))
        log_often(&w->q->kept, LOG_WARN, "job %lld could not be given back: %s",
                  (long long)w->jobs[i].id, e.text);
}

/* A neighbour failed: the job waits, and so do we. */
static void try_later(struct worker *w, int i, const struct err *e)
{
    log_often(&w->q->later, LOG_WARN, "job %lld, %s: again later: %s",
              (long long)w->jobs[i].id, w->jobs[i].series, e->text);
    if (w->jobs[i].attempt >= JOB_ATTEMPTS_MAX) /* that was the last one */
        counts_run(w->q->o.metrics, w->jobs[i].series, "failed");
    give_back(w, i, e->text, true);
}

static void train_one(struct worker *w, int i, struct beside *b)
{
    struct queue *q = w->q;
    struct err e;
    struct runner r = {w->pg, q->name, q->o.metrics, go_on, w};
    w->at = i;
    if (!go_on(w, 0)) {
        if (stopping(q))
            give_back(w, i, "its trainer was stopped", false);
        else
            counts_run(q->o.metrics, w->jobs[i].series, "cancelled");
        return;
    }
    enum run_end end = run_job(&r, &w->jobs[i], &b->h, b->told, &e);
    if (end == RUN_AGAIN)
        try_later(w, i, &e);
    else if (end == RUN_GONE && stopping(q))
        give_back(w, i, "its trainer was stopped", false);
    else if (end == RUN_GONE)
        counts_run(q->o.metrics, w->jobs[i].series, "cancelled");
    let_go(w, i);
}

/* A job whose row says nonsense fails alone. Returns how many of the n can be trained:
 * they are at index[]. */
static int readable(struct worker *w, int n, const char *names[], int index[])
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    struct err why, e = ERR_INIT;
    int m = 0;
    for (int i = 0; i < n; i++) {
        if (!series_split(w->jobs[i].series, NULL, device, quantity, &why)) {
            names[m] = w->jobs[i].series;
            index[m++] = i;
            continue;
        }
        if (registry_job_finish(w->pg, w->q->name, &w->jobs[i], "failed", NULL, NULL, 0,
                                why.text, &e) < 0)
            log_warn("job %lld: %s", (long long)w->jobs[i].id, e.text);
        let_go(w, i);
    }
    return m;
}

/* The hours of m jobs; of whom they cannot be read, it is told which neighbour is away.
 */
static int read_hours(struct worker *w, const char *const names[], int m,
                      struct beside_batch *b, struct err *e)
{
    struct queue *q = w->q;
    int64_t grace_ms = q->o.set->common.grace_s * 1000;
    int64_t to_s = clock_last_complete_hour(clock_now_ms(), grace_ms) / 1000;
    int64_t from_s = to_s - (int64_t)(TRAIN_WINDOW_HOURS - 1) * 3600;
    const struct zone *zone[BATCH_MAX];
    struct dep *away = q->o.pg;
    if (!beside_ask(w->pg, names, m, b, e) &&
        !zones_of(&w->zones, w->pg, names, m, from_s, to_s, zone, e)) {
        away = q->o.influx;
        if (!beside_read(w->influx, from_s, to_s, b, e)) {
            for (int i = 0; i < m; i++)
                b->of[i].h.zone = zone[i];
            return 0;
        }
    }
    if (e->code == ERR_UNAVAILABLE || e->code == ERR_TIMEOUT)
        dep_down(away, e->text);
    return -1;
}

/* Trains the n jobs held. Returns -1 when a neighbour was away. */
static int train_batch(struct worker *w, int n)
{
    const char *names[BATCH_MAX];
    int index[BATCH_MAX];
    struct beside_batch b;
    struct err e = ERR_INIT;
    int m = readable(w, n, names, index), rc = read_hours(w, names, m, &b, &e);
    for (int i = 0; i < m; i++)
        if (rc)
            try_later(w, index[i], &e);
        else
            train_one(w, index[i], &b.of[i]);
    beside_done(&b);
    return rc;
}

/* Until there is no work. Returns -1 when a neighbour was away. */
static int work(struct worker *w)
{
    struct queue *q = w->q;
    struct err e = ERR_INIT;
    while (!stopping(q) && dep_is_up(q->o.pg) && dep_is_up(q->o.influx)) {
        int n = registry_jobs_take(w->pg, q->name, q->n, w->jobs, BATCH, BATCH_MAX, &e);
        if (n < 0)
            dep_down(q->o.pg, e.text);
        if (n <= 0)
            return n;
        hold(w, n);
        int rc = train_batch(w, n);
        hold(w, 0);
        if (rc)
            return rc;
    }
    return 0;
}

/* Waits under the lock for so long (real), or until stopped. */
static void pause_s(struct queue *q, int s)
{
    struct timespec t = cond_deadline(s * INT64_C(1000));
    while (!q->stopping && pthread_cond_timedwait(&q->wake, &q->lock, &t) == 0)
        ;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct queue *q = w->q;
    uint64_t seen = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->stopping) {
        if (seen == q->wakes) {
            pthread_cond_wait(&q->wake, &q->lock);
            continue;
        }
        seen = q->wakes;
        pthread_mutex_unlock(&q->lock);
        int rc = work(w);
        malloc_trim(0);
        pthread_mutex_lock(&q->lock);
        if (rc)
            pause_s(q, AGAIN_PAUSE_S);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------ */

/* Who we are among all trainers: host, process and some randomness, as a container's
 * process is always 1. */
static int make_name(struct queue *q, struct err *e)
{
    char host[33] = "", random[9];
    if (gethostname(host, sizeof host - 1))
        strcpy(host, "unknown");
    if (random_hex(random, 4))
        return err_set(e, ERR_INTERNAL, "there is no randomness for the trainer's name");
    snprintf(q->name, sizeof q->name, "%s-%d-%s", host, (int)getpid(), random);
    return 0;
}

static int start_worker(struct queue *q, struct worker *w, struct err *e)
{
    const struct trainer_settings *s = q->o.set;
    w->q = q;
    w->pg = pg_new(s->pg_conninfo);
    w->influx = influx_new(&s->influx);
    int rc = pthread_create(&w->thread, NULL, worker_main, w);
    if (rc)
        return err_set(e, ERR_INTERNAL, "could not start a thread: %s", strerror(rc));
    w->started = true;
    return 0;
}

/* Each training takes and frees the same megabytes, in pieces of up to two. Fetching them
 * from the kernel each time costs a tenth of its time, so the heaps keep them while there
 * is work. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

struct queue *queue_open(const struct queue_opts *o, struct err *e)
{
    keep_memory();
    struct queue *q = xcalloc(1, sizeof *q);
    q->o = *o;
    q->n = (int)o->set->workers;
    pthread_mutex_init(&q->lock, NULL);
    cond_init(&q->wake);
    int rc = make_name(q, e);
    for (int i = 0; i < q->n && !rc; i++)
        rc = start_worker(q, &q->workers[i], e);
    if (!rc)
        return q;
    queue_close(q);
    return NULL;
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_broadcast(&q->wake);
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->n; i++) {
        struct worker *w = &q->workers[i];
        if (w->started)
            pthread_join(w->thread, NULL);
        pg_free(w->pg);
        influx_free(w->influx);
    }
    pthread_cond_destroy(&q->wake);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

void queue_wake(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->wakes++;
    pthread_cond_broadcast(&q->wake);
    pthread_mutex_unlock(&q->lock);
}
