/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/rollup_internal.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

#define QUIET_MS 20        /* no message for so long: nothing is on its way any more */
#define QUIET_WAIT_MS 2000 /* an hour waits for quiet at most so long */
#define LATE_MS 500        /* rounds for late readings are at least so far apart */
#define LATE_BUSY_MS 3000  /* while messages keep coming: so far */
#define DRAIN_MS 200       /* one look at the sink's progress */
#define QUERY_BYTES 60000
#define LINES_BYTES (16u << 20) /* ROLLUP_CELLS with the longest names */

/* ---- when
 * ---------------------------------------------------------------------------------- */

static bool drained(struct rollup *r, int64_t to)
{
    return sink_influx_written(r->o.sink) >= to;
}

/* Waits a little until the sink has come so far, and makes it write what it holds. */
static bool drain(struct rollup *r, int64_t to)
{
    int64_t until_ms = clock_mono_ms() + DRAIN_MS;
    for (int64_t pause = 1; !drained(r, to); pause = pause < 8 ? pause * 2 : 8) {
        sink_influx_flush(r->o.sink);
        if (clock_mono_ms() >= until_ms || !nap_wait(&r->nap, pause))
            return false;
    }
    return true;
}

static bool quiet(struct rollup *r, int64_t since_ms)
{
    int64_t last_ms = intake_last_ms(r->o.intake);
    return clock_mono_ms() - (last_ms > since_ms ? last_ms : since_ms) >= QUIET_MS;
}

static void close_hour(struct rollup *r)
{
    struct err e = ERR_INIT;
    int64_t waited_ms = clock_mono_ms() - r->noticed_ms;
    if (r->drain_to < 0) {
        if (!quiet(r, r->noticed_ms) && waited_ms < QUIET_WAIT_MS)
            return;
        r->drain_to = wal_end(r->o.wal);
    }
    if (!drain(r, r->drain_to))
        return;
    if (rollup_round(r, hour_of(r->due_hour), &e)) {
        rollup_failed(r, &e);
        return;
    }
    rollup_works(r);
    changes_rolled_up(r->changes, r->due_hour);
    metric_set(r->newest, (double)r->due_hour / 1000);
    retention_run(&r->retention, r->o.in, clock_now_ms());
}

static void late_hours(struct rollup *r)
{
    struct err e = ERR_INIT;
    int64_t since_ms = clock_mono_ms() - r->round_ms;
    if (since_ms < LATE_MS || !hours_any(r->o.hours, hour_of(r->due_hour)))
        return;
    if (since_ms < LATE_BUSY_MS && !(quiet(r, 0) && drained(r, wal_end(r->o.wal))))
        return;
    if (rollup_round(r, hour_of(r->due_hour), &e))
        rollup_failed(r, &e);
    else
        rollup_works(r);
}

/* What was rolled up under times to come stays; marks of hours to come wait for them. */
static void go_back(struct rollup *r, int64_t hour)
{
    char ahead[CLOCK_RFC3339_SIZE], now[CLOCK_RFC3339_SIZE];
    log_warn("the clock was ahead: hours up to %s were closed, now %s is the newest that "
             "is complete; hours are closed from there on",
             clock_format(r->due_hour, ahead), clock_format(hour, now));
    r->due_hour = INT64_MIN;
    changes_rolled_up(r->changes, INT64_MIN);
}

static void tick(struct rollup *r)
{
    int64_t hour = clock_last_complete_hour(clock_now_ms(), r->o.grace_ms);
    if (clock_was_ahead(r->due_hour, hour))
        go_back(r, hour);
    if (hour > r->due_hour) {
        r->due_hour = hour;
        r->noticed_ms = clock_mono_ms();
        r->drain_to = -1;
    }
    if (changes_hour(r->changes) < r->due_hour)
        close_hour(r);
    else
        late_hours(r);
    metric_set(r->marked, (double)hours_count(r->o.hours));
}

static void *run(void *arg)
{
    struct rollup *r = arg;
    int64_t pause;
    do {
        tick(r);
        /* a complete hour is not left waiting for a whole tick */
        pause = changes_hour(r->changes) < r->due_hour && influx_state_up(r->o.state)
                    ? 2
                    : r->o.tick_ms;
    } while (nap_wait(&r->nap, pause < r->o.tick_ms ? pause : r->o.tick_ms));
    return NULL;
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static void make_metrics(struct rollup *r, struct metrics *m)
{
    r->rolled = metric_counter(m, "fieldcast_ingest_hourly_points_total",
                               "Device-hours written to hourly.", NULL);
    r->rounds = metric_counter(m, "fieldcast_ingest_rollups_total",
                               "Rounds of the roll-up.", "result=\"done\"");
    r->failed = metric_counter(m, "fieldcast_ingest_rollups_total",
                               "Rounds of the roll-up.", "result=\"failed\"");
    r->marked =
        metric_gauge(m, "fieldcast_ingest_rollups_waiting",
                     "Device-hours with readings that are not rolled up yet.", NULL);
    r->seconds = metric_histogram(m, "fieldcast_ingest_rollup_duration_seconds",
                                  "How long a round of the roll-up took.", NULL,
                                  metrics_seconds, metrics_seconds_n);
    r->newest = metric_gauge(m, "fieldcast_ingest_rolled_up_timestamp_seconds",
                             "Start of the newest hour that is rolled up.", NULL);
}

static uint64_t random_epoch(void)
{
    uint64_t x = 0;
    if (getrandom(&x, sizeof x, 0) != sizeof x)
        x = (uint64_t)clock_mono_us() ^ (uint64_t)getpid() << 32;
    return x;
}

struct rollup *rollup_open(const struct rollup_opts *o, struct err *e)
{
    struct rollup *r = xcalloc(1, sizeof *r);
    r->o = *o;
    r->changes = changes_new(random_epoch());
    r->due_hour = INT64_MIN;
    r->devices = 20;
    retention_init(&r->retention, o->retain_readings_d, o->retain_leads_d,
                   wal_last_ms(o->wal));
    nap_init(&r->nap);
    buf_init(&r->query, QUERY_BYTES);
    buf_init(&r->lines, LINES_BYTES);
    make_metrics(r, o->metrics);
    if (pthread_create(&r->thread, NULL, run, r) == 0)
        return r;
    err_set(e, ERR_INTERNAL, "could not start the thread that rolls up");
    r->o.tick_ms = 0; /* no thread */
    rollup_close(r);
    return NULL;
}

void rollup_close(struct rollup *r)
{
    if (!r)
        return;
    nap_stop(&r->nap);
    if (r->o.tick_ms)
        pthread_join(r->thread, NULL);
    influx_free(r->o.in);
    changes_free(r->changes);
    rollup_forget_names(r);
    buf_done(&r->query);
    buf_done(&r->lines);
    nap_done(&r->nap);
    free(r);
}

json_t *rollup_changes(struct rollup *r, const char *after, struct err *e)
{
    return changes_since(r->changes, after, e);
}

int64_t rollup_hour(struct rollup *r)
{
    return changes_hour(r->changes);
}
