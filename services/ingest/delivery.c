/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/verdicts.h"

#define LOOK_MS 1000
#define BACKOFF_MS 50
#define BACKOFF_MOST_MS 5000
#define CONFIG_PAUSE_MS 5000  /* between tries when somebody has to mend a setting */
#define RETRY_AFTER_MOST_S 60 /* InfluxDB may ask for so long a pause */
#define NAMING_ROUNDS 8       /* answers that name lines; then halves */
#define RUNS 16               /* stretches of suspects that are written on their own */
#define DEPTH 24              /* of looking for suspects; then halves only */
#define LARGER_AFTER 20       /* writes taken, after one that was too large */

static const char *const failure_names[] = {[INFLUX_RETRY] = "unavailable",
                                            [INFLUX_CONFIG] = "configuration",
                                            [INFLUX_SPLIT] = "too_large",
                                            [INFLUX_REJECT] = "bad_lines"};
#define N_FAILURES (sizeof failure_names / sizeof *failure_names)

struct delivery {
    struct influx *in;
    struct nap *nap;
    struct influx_state *state;
    size_t most_bytes;  /* of one write */
    unsigned taken;     /* writes since most_bytes changed */
    bool set_up;        /* the database was seen to */
    int64_t contact_ms; /* when InfluxDB last answered (monotonic) */
    int64_t look_ms;    /* when it was last looked at; 0: never */
    bool look_failed;
    struct metric *points, *failures[N_FAILURES], *batch_points;
};

/* ---- one write
 * --------------------------------------------------------------------------------- */

static void reached(struct delivery *d)
{
    d->contact_ms = clock_mono_ms();
    influx_state_works(d->state, INFLUX_WRITES);
}

/* The database is made if it is missing. Where that is not allowed it has to be there:
 * the write will tell. */
static void set_up(struct delivery *d)
{
    struct err e = ERR_INIT;
    if (d->set_up)
        return;
    int rc = influx_create_database(d->in, &e);
    d->set_up = rc == 0 || (e.code != ERR_UNAVAILABLE && e.code != ERR_TIMEOUT);
    if (rc)
        log_debug("could not create the database: %s", e.text);
    if (influx_server(d->in)->dialect)
        influx_state_server(d->state, influx_server(d->in));
}

static int64_t pause_ms(struct delivery *d, enum influx_verdict v, int retry_after_s,
                        const struct err *e, int64_t *backoff_ms)
{
    *backoff_ms = *backoff_ms ? *backoff_ms * 2 : BACKOFF_MS;
    *backoff_ms = *backoff_ms < BACKOFF_MOST_MS ? *backoff_ms : BACKOFF_MOST_MS;
    if (v == INFLUX_CONFIG) /* a database that we make is there before the next try */
        return influx_server(d->in)->dialect <= INFLUX_1 &&
                       strstr(e->text, "database not found")
                   ? *backoff_ms
                   : CONFIG_PAUSE_MS;
    if (retry_after_s > 0)
        return INT64_C(1000) *
               (retry_after_s < RETRY_AFTER_MOST_S ? retry_after_s : RETRY_AFTER_MOST_S);
    return *backoff_ms;
}

/* One point is too large, and no point of ours is large: the limit is set too low. */
static bool absurd(enum influx_verdict v, size_t n)
{
    return v == INFLUX_SPLIT && n == 1;
}

/* Sends n lines until there is an answer that decides about them. Returns that, or
 * INFLUX_RETRY when stopped. */
static enum influx_verdict send(struct delivery *d, const char *lines, size_t len,
                                size_t n, struct err *e)
{
    int64_t backoff_ms = 0;
    for (;;) {
        int retry_after_s;
        set_up(d);
        enum influx_verdict v = influx_write(d->in, lines, len, &retry_after_s, e);
        if (absurd(v, n)) {
            err_prefix(e, "a limit of InfluxDB, or of a proxy before it, is too low");
            v = INFLUX_CONFIG;
        }
        if (v != INFLUX_OK)
            metric_add(d->failures[v], 1);
        if (v != INFLUX_RETRY && v != INFLUX_CONFIG) {
            reached(d);
            return v;
        }
        influx_state_fails(d->state, INFLUX_WRITES, v == INFLUX_CONFIG, e->text);
        d->set_up = false;
        if (!nap_wait(d->nap, pause_ms(d, v, retry_after_s, e, &backoff_ms)))
            return INFLUX_RETRY;
    }
}

/* ---- points
 * ------------------------------------------------------------------------------------ */

static size_t count_waiting(const struct batch *b, size_t lo, size_t hi)
{
    size_t n = 0;
    for (size_t i = lo; i < hi; i++)
        n += b->p[i].state == POINT_WAITING;
    return n;
}

static void stored(struct delivery *d, struct batch *b, size_t lo, size_t hi, size_t n)
{
    for (size_t i = lo; i < hi; i++)
        if (b->p[i].state == POINT_WAITING)
            b->p[i].state = POINT_STORED;
    metric_add(d->points, (double)n);
    metric_observe(d->batch_points, (double)n);
    if (d->most_bytes < BATCH_BYTES && ++d->taken >= LARGER_AFTER) {
        d->most_bytes *= 2;
        d->taken = 0;
    }
}

static int write_range(struct delivery *d, struct batch *b, size_t lo, size_t hi,
                       unsigned depth);

static int write_halves(struct delivery *d, struct batch *b, size_t lo, size_t hi,
                        unsigned depth)
{
    size_t mid = lo + (hi - lo) / 2;
    return write_range(d, b, lo, mid, depth + 1) || write_range(d, b, mid, hi, depth + 1)
               ? -1
               : 0;
}

/* Suspects and the others in stretches of their own, in their order: a point may mend the
 * one before it. */
static int write_runs(struct delivery *d, struct batch *b, size_t lo, size_t hi,
                      unsigned depth)
{
    size_t ends[2 * RUNS + 1], n = 0;
    for (size_t i = lo + 1; i <= hi; i++) {
        if (i < hi && b->p[i].suspect == b->p[i - 1].suspect)
            continue;
        if (n == 2 * RUNS + 1)
            return write_halves(d, b, lo, hi, depth);
        ends[n++] = i;
    }
    for (size_t k = 0; k < n; k++) {
        if (write_range(d, b, lo, ends[k], depth + 1))
            return -1;
        lo = ends[k];
    }
    return 0;
}

/* Looks for the bad lines among the n of a write that InfluxDB has refused, or taken in
 * part: 1 when some are found and the rest is to be written again, 0 when all is done, -1
 * on a stop. */
static int look_closer(struct delivery *d, struct batch *b, size_t lo, size_t hi,
                       size_t n, unsigned depth, unsigned round)
{
    size_t len;
    const char *body = influx_refusal(d->in, &len);
    enum verdicts v = VERDICTS_NONE;
    if (round < NAMING_ROUNDS || n == 1)
        v = verdicts_read(b, lo, hi, body, len);
    if (v == VERDICTS_REFUSED) {
        batch_squeeze(b, lo, hi);
        return 1;
    }
    if (v == VERDICTS_SUSPECTS && depth < DEPTH)
        return write_runs(d, b, lo, hi, depth);
    return write_halves(d, b, lo, hi, depth);
}

/* Decides about the points lo..hi: 0, or -1 on a stop. */
static int write_range(struct delivery *d, struct batch *b, size_t lo, size_t hi,
                       unsigned depth)
{
    size_t n, len;
    for (unsigned round = 0; (n = count_waiting(b, lo, hi)); round++) {
        struct err e = ERR_INIT;
        const char *lines = batch_lines(b, lo, hi, &len);
        enum influx_verdict v = send(d, lines, len, n, &e);
        int again = 0;
        switch (v) {
        case INFLUX_OK:
            stored(d, b, lo, hi, n);
            return 0;
        case INFLUX_SPLIT:
            d->most_bytes = len / 2;
            d->taken = 0;
            return write_halves(d, b, lo, hi, depth);
        case INFLUX_REJECT:
            again = look_closer(d, b, lo, hi, n, depth, round);
            break;
        default:
            return -1; /* stopped */
        }
        if (again <= 0)
            return again;
    }
    return 0;
}

/* Where a write ends that begins with point lo. */
static size_t piece(const struct delivery *d, const struct batch *b, size_t lo)
{
    size_t hi = lo, len = 0;
    if (b->lines.len <= d->most_bytes)
        return b->n;
    while (hi < b->n && (hi == lo || len + b->p[hi].len <= d->most_bytes))
        len += b->p[hi++].len;
    return hi;
}

int delivery_write(struct delivery *d, struct batch *b)
{
    for (size_t lo = 0, hi; lo < b->n; lo = hi) {
        hi = piece(d, b, lo);
        if (write_range(d, b, lo, hi, 0))
            return -1;
    }
    if (d->look_failed) /* a busy sink has no idle moment to see that it is well again */
        delivery_look(d);
    return 0;
}

void delivery_look(struct delivery *d)
{
    struct err e = ERR_INIT;
    int64_t now_ms = clock_mono_ms();
    if (d->look_ms && (now_ms - d->look_ms < LOOK_MS ||
                       (now_ms - d->contact_ms < LOOK_MS && !d->look_failed)))
        return;
    d->look_failed = influx_check(d->in, &e) != 0;
    d->look_ms = clock_mono_ms();
    if (d->look_failed) {
        bool config = e.code != ERR_UNAVAILABLE && e.code != ERR_TIMEOUT;
        influx_state_fails(d->state, INFLUX_LOOKS, config, e.text);
        d->set_up = false;
        d->most_bytes = BATCH_BYTES;
        return;
    }
    influx_state_server(d->state, influx_server(d->in));
    set_up(d);
    influx_state_works(d->state, INFLUX_LOOKS);
}

/* ---- life
 * --------------------------------------------------------------------------------------
 */

static void make_metrics(struct delivery *d, struct metrics *m)
{
    static const double sizes[] = {1, 10, 100, 1000, 5000, 50000};
    char labels[80];
    for (size_t i = INFLUX_RETRY; i < N_FAILURES; i++) {
        snprintf(labels, sizeof labels, "reason=\"%s\"", failure_names[i]);
        d->failures[i] = metric_counter(m, "fieldcast_ingest_write_failures_total",
                                        "Writes that InfluxDB did not take.", labels);
    }
    d->points = metric_counter(m, "fieldcast_ingest_points_written_total",
                               "Points that InfluxDB took.", NULL);
    d->batch_points =
        metric_histogram(m, "fieldcast_ingest_batch_points",
                         "Points in a write that was taken.", NULL, sizes, 6);
}

struct delivery *delivery_new(struct influx *in, struct nap *nap, struct influx_state *s,
                              struct metrics *m)
{
    struct delivery *d = xcalloc(1, sizeof *d);
    d->in = in;
    d->nap = nap;
    d->state = s;
    d->most_bytes = BATCH_BYTES;
    make_metrics(d, m);
    return d;
}

void delivery_free(struct delivery *d)
{
    free(d);
}
