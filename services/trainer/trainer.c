/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/trainer.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/registry_jobs.h"
#include "services/trainer/api.h"
#include "services/trainer/clearing.h"
#include "services/trainer/counts.h"

#define BEAT_MS 1000 /* progress and cancellations; leases last longer */
#define PING_MS 5000 /* while InfluxDB is up */
#define DAY_MS (24 * HOUR_MS)

const struct service_desc trainer_service = {
    .name = "trainer",
    .sentence = "trains forecasters and keeps the registry of models, runs and jobs",
    .settings = trainer_settings_table,
    .routes = trainer_routes,
};

/* ---- neighbours ------------------------------------------------------------------ */

/* Is it a schema that we know? Asked again whenever Postgres was away. */
static int check_schema(struct trainer *t, struct err *e)
{
    if (!t->known_schema && pg_check_schema(t->pg, e))
        return -1;
    t->known_schema = true;
    return 0;
}

static void look_at_influx(struct trainer *t, int64_t mono_ms)
{
    struct err e = ERR_INIT;
    if (dep_is_up(t->influx_dep) && mono_ms - t->ping_ms < PING_MS)
        return;
    t->ping_ms = mono_ms;
    if (influx_check(t->influx, &e))
        dep_down(t->influx_dep, e.text);
    else
        dep_up(t->influx_dep);
}

/* ---- tick ------------------------------------------------------------------------ */

/* Leases and work. */
static int tend_queue(struct trainer *t, int64_t mono_ms, struct err *e)
{
    int64_t queued = 0;
    if (mono_ms - t->beat_ms >= BEAT_MS) {
        t->beat_ms = mono_ms;
        if (queue_beat(t->queue, t->pg, e))
            return -1;
    }
    bool sweep = mono_ms - t->sweep_ms >= t->set.lease_s * 250;
    if (sweep)
        t->sweep_ms = mono_ms;
    if (sweep && registry_jobs_sweep(t->pg, t->set.lease_s, e))
        return -1;
    if (registry_jobs_queued(t->pg, &queued, e))
        return -1;
    counts_queue(t->svc.metrics, (double)queued);
    if (queued)
        queue_wake(t->queue);
    return 0;
}

/* Once a day by the clock, and once after the start. */
static int clear_out(struct trainer *t, struct err *e)
{
    int64_t day = clock_now_ms() / DAY_MS;
    if (day == t->cleared_day)
        return 0;
    if (clearing_run(t->pg, &t->set, clock_now_ms(), e))
        return -1;
    t->cleared_day = day;
    return 0;
}

void trainer_tick(struct trainer *t)
{
    struct err e = ERR_INIT;
    int64_t mono_ms = clock_mono_ms();
    look_at_influx(t, mono_ms);
    if (check_schema(t, &e) || tend_queue(t, mono_ms, &e) || clear_out(t, &e)) {
        t->known_schema = false;
        dep_down(t->pg_dep, e.text);
    } else {
        dep_up(t->pg_dep);
    }
}

/* ---- life ------------------------------------------------------------------------ */

int trainer_open(struct trainer *t, struct err *e)
{
    if (service_open(&t->svc, &trainer_service, &t->set.common, e))
        return -1;
    t->cleared_day = -1;
    t->pg_dep = service_dep(&t->svc, "postgres", true);
    t->influx_dep = service_dep(&t->svc, "influxdb", true);
    t->pg = pg_new(t->set.pg_conninfo);
    t->influx = influx_new(&t->set.influx);
    if (check_schema(t, e) && e->code == ERR_CONFLICT)
        return -1; /* away it may be */
    t->pool = pg_pool_new(t->set.pg_conninfo, (int)t->set.common.http_workers);
    struct queue_opts o = {&t->set, t->svc.metrics, t->pg_dep, t->influx_dep};
    t->queue = queue_open(&o, e);
    return t->queue ? service_listen(&t->svc, t, e) : -1;
}

void trainer_close(struct trainer *t)
{
    service_unlisten(&t->svc);
    queue_close(t->queue);
    pg_pool_free(t->pool);
    influx_free(t->influx);
    pg_free(t->pg);
    service_close(&t->svc);
    trainer_settings_done(&t->set);
}
