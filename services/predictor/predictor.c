/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/predictor/api.h"
#include "services/predictor/origin.h"
#include "services/predictor/widths.h"

#define POOL 3
#define PING_MS 5000
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 15000

const struct service_desc predictor_service = {
    .name = "predictor",
    .sentence = "answers with forecasts: /predict, trajectories, histories",
    .settings = predictor_settings_table,
    .routes = predictor_routes,
};

static void make_metrics(struct predictor *p)
{
    struct metrics *m = p->svc.metrics;
    p->seconds = metric_histogram(m, "fieldcast_prediction_duration_seconds",
                                  "Time to make one answer of /predict.", NULL,
                                  predict_seconds, predict_seconds_n);
    p->refused =
        metric_counter(m, "fieldcast_predictions_total", "Answers to /predict by model.",
                       "model=\"any\",result=\"refused\"");
    p->missing = metric_counter(m, "fieldcast_feature_missing_total",
                                "Rows refused because a feature was missing.", NULL);
    p->origin = metric_gauge(m, "fieldcast_forecast_origin_timestamp_seconds",
                             "The last origin whose forecasts are all written.", NULL);
}

static void on_render(void *arg)
{
    struct predictor *p = arg;
    double n = 0;
    widths_show(p->models, p->svc.metrics);
    for (struct series *s = models_all(p->models); s; s = s->all_next) {
        struct serving *v = series_serving(s);
        n += v != NULL;
        serving_put(v);
    }
    metric_set(metric_gauge(p->svc.metrics, "fieldcast_models_loaded",
                            "Champions in memory.", NULL),
               n);
    int64_t hour = atomic_load(&p->done_hour_ms);
    metric_set(p->origin, hour == NO_TIME ? 0 : (double)hour / 1000);
}

int predictor_open(struct predictor *p, struct err *e)
{
    const struct predictor_settings *set = &p->set;
    if (service_open(&p->svc, &predictor_service, &set->common, e))
        return -1;
    p->pg_dep = service_dep(&p->svc, "postgres", true);
    p->influx_dep = service_dep(&p->svc, "influxdb", true);
    p->ingest_dep = service_dep(&p->svc, "ingest", false);
    atomic_init(&p->done_hour_ms, NO_TIME);
    p->models = models_new((size_t)set->series_max);
    p->pool = pg_pool_new(set->pg_conninfo, POOL);
    p->versions = versions_new((size_t)set->versions_cached, p->pool);
    p->live = live_new(p->models, p->svc.metrics);
    p->influx = influx_new(&set->influx);
    feed_init(&p->feed, p->models, p->influx, set->ingest_url, set->common.service_token);
    forecasts_init(&p->forecasts, p->models, p->influx, p->svc.metrics);
    misses_init(&p->misses, p->models, p->influx);
    make_metrics(p);
    metrics_on_render(p->svc.metrics, on_render, p);
    if (watch_open(&p->watch, &p->svc, set, p->models, p->pg_dep, e) ||
        service_listen(&p->svc, p, e) || watch_start(&p->watch, e))
        return -1;
    predictor_tick(p);
    return 0;
}

/* ---- the tick ------------------------------------------------------------------------
 */

static void influx_failed(struct predictor *p, const struct err *e)
{
    dep_down(p->influx_dep, e->text);
    p->pause_ms = p->pause_ms ? p->pause_ms * 2 : PAUSE_MIN_MS;
    if (p->pause_ms > PAUSE_MAX_MS)
        p->pause_ms = PAUSE_MAX_MS;
    p->write_again_ms = clock_mono_ms() + p->pause_ms;
}

/* It did all that the tick asked of it. */
static void influx_works(struct predictor *p)
{
    dep_up(p->influx_dep);
    p->pause_ms = 0;
    p->refuses = false;
}

/* It did not do what it was asked. With a full disk or another password it goes on
 * answering pings: these say nothing until a tick goes through. */
static void influx_refused(struct predictor *p, const struct err *e)
{
    influx_failed(p, e);
    p->refuses = true;
}

/* Asks now and then whether InfluxDB is there, more often while it is not. */
static bool influx_there(struct predictor *p)
{
    if (clock_mono_ms() < p->write_again_ms)
        return false;
    if (dep_is_up(p->influx_dep) && clock_mono_ms() < p->ping_again_ms)
        return true;
    struct err e = ERR_INIT;
    char version[64];
    if (influx_ping(p->influx, version, &e)) {
        influx_failed(p, &e);
        return false;
    }
    if (!p->refuses)
        influx_works(p);
    p->ping_again_ms = clock_mono_ms() + PING_MS;
    return true;
}

/* Brings histories up to date: 1. When ingest did not tell what is new: 0; when InfluxDB
 * did not: -1. */
static int follow(struct predictor *p)
{
    struct err e = ERR_INIT;
    const char *who;
    if (feed_poll(&p->feed, &who, &e) == 0) {
        dep_up(p->ingest_dep);
        return 1;
    }
    if (!strcmp(who, "influxdb")) {
        influx_refused(p, &e);
        return -1;
    }
    dep_down(p->ingest_dep, e.text);
    return 0;
}

/* All series that serve, for one pass. */
static struct series **all_serving(struct predictor *p, size_t *n)
{
    size_t cap = models_count(p->models);
    struct series **list = xcalloc(cap + 1, sizeof *list);
    *n = 0;
    for (struct series *s = models_all(p->models); s && *n < cap; s = s->all_next) {
        struct serving *v = series_serving(s);
        if (v)
            list[(*n)++] = s;
        serving_put(v);
    }
    return list;
}

static int forecast_all(struct predictor *p, int64_t hour_ms, int64_t load_to_ms,
                        struct err *e)
{
    size_t n;
    struct series **list = all_serving(p, &n);
    int rc = origin_bring_up(p->models, p->influx, list, n, hour_ms, load_to_ms, e);
    free(list);
    return rc;
}

void predictor_tick(struct predictor *p)
{
    struct err e = ERR_INIT;
    if (!influx_there(p))
        return;
    int told = follow(p);
    if (told < 0)
        return;
    int64_t seq = atomic_load(&p->watch.seq);
    int64_t complete =
        clock_last_complete_hour(clock_now_ms(), p->set.common.grace_s * 1000);
    int64_t hour = p->feed.rolled_up_ms;
    bool known = hour != NO_TIME;
    if (!known) /* ingest never answered: what is in `hourly` is all there is */
        hour = complete;
    int64_t load_to = (hour > complete ? hour : complete) + HOUR_MS;
    if (misses_follow(&p->misses, hour, &e)) {
        influx_refused(p, &e);
        return;
    }
    atomic_store(&p->watch.load_to_ms, load_to);
    atomic_store(&p->watch.hour_ms, hour);
    if (forecast_all(p, hour, load_to, &e) ||
        (known && forecasts_write(&p->forecasts, hour, &e)) ||
        live_flush(p->live, p->influx, &e)) {
        influx_refused(p, &e);
        return;
    }
    influx_works(p);
    if (known && told) {
        atomic_store(&p->done_hour_ms, hour);
        atomic_store(&p->done_seq, seq);
    }
}

int predictor_end(struct predictor *p, struct err *e)
{
    if (!atomic_load(&p->watch.fatal))
        return 0;
    return err_set(e, ERR_CONFLICT, "%s", p->watch.why);
}

void predictor_close(struct predictor *p)
{
    service_unlisten(&p->svc);
    watch_close(&p->watch);
    if (p->feed.url)
        feed_done(&p->feed);
    versions_free(p->versions);
    pg_pool_free(p->pool);
    live_free(p->live);
    influx_free(p->influx);
    models_free(p->models);
    service_close(&p->svc);
    predictor_settings_done(&p->set);
}
