/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/gauges.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

static const double tick_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                     0.25,  0.5,    1,     2.5,  5,     10,   60};
#define N_TICK_BOUNDS (sizeof tick_bounds / sizeof *tick_bounds)

static const char *const drifts[] = {"skill_lost", "error_risen", "system0", "stuck",
                                     "silent"};
#define N_DRIFTS 5

struct gauges {
    struct metric *mae[2], *rmse[2], *bias, *r2, *skill, *coverage, *ewma,
        *drift[N_DRIFTS];
};

static struct metric *retrain(struct monitor *m, const char *reason)
{
    char labels[64];
    snprintf(labels, sizeof labels, "reason=\"%s\"", reason);
    return metric_counter(m->svc.metrics, "fieldcast_retrain_triggers_total",
                          "Trainings that monitor has asked for.", labels);
}

static struct metric *last_tick(struct monitor *m)
{
    return metric_gauge(m->svc.metrics, "fieldcast_scheduler_last_tick_timestamp_seconds",
                        "When the loop last ran, by the wall clock.", NULL);
}

static struct metric *tick_seconds(struct monitor *m)
{
    return metric_histogram(m->svc.metrics, "fieldcast_scheduler_tick_duration_seconds",
                            "Time that a tick took.", NULL, tick_bounds, N_TICK_BOUNDS);
}

static struct metric *active_alerts(struct monitor *m)
{
    return metric_gauge(m->svc.metrics, "fieldcast_alerts_active",
                        "Alerts that are firing.", "severity=\"warning\"");
}

static struct metric *watched(struct monitor *m)
{
    return metric_gauge(m->svc.metrics, "fieldcast_monitor_series",
                        "Series that monitor watches.", NULL);
}

void gauges_open(struct monitor *m)
{
    for (int i = 1; i < N_REASONS; i++)
        retrain(m, reason_name((enum reason)i));
    last_tick(m);
    tick_seconds(m);
    active_alerts(m);
    watched(m);
}

static struct metric *gauge(struct monitor *m, const struct tracked *t, const char *name,
                            const char *help, const char *key, const char *value)
{
    struct buf labels;
    char device[DEVICE_MAX + 1];
    buf_init(&labels, 1024);
    metrics_label(&labels, "device", tracked_device(t, device));
    metrics_label(&labels, "quantity", t->quantity);
    if (key)
        metrics_label(&labels, key, value);
    struct metric *s = metric_gauge(m->svc.metrics, name, help, labels.data);
    buf_done(&labels);
    return s;
}

static struct gauges *make(struct monitor *m, const struct tracked *t)
{
    struct gauges *g = xcalloc(1, sizeof *g);
    static const char *const windows[] = {"4h", "12h"};
    for (int i = 0; i < 2; i++) {
        g->mae[i] = gauge(m, t, "fieldcast_forecast_mae",
                          "Mean absolute error of the forecasts one hour ahead.",
                          "window", windows[i]);
        g->rmse[i] = gauge(m, t, "fieldcast_forecast_rmse",
                           "Root mean square error of the forecasts one hour ahead.",
                           "window", windows[i]);
    }
    g->bias = gauge(m, t, "fieldcast_forecast_bias", "Mean of forecast minus truth.",
                    "window", "12h");
    g->r2 = gauge(m, t, "fieldcast_forecast_r2", "Share of variance explained.", "window",
                  "12h");
    g->skill = gauge(m, t, "fieldcast_forecast_skill_ratio",
                     "1 - MAE / MAE of persistence on the same hours.", "window", "24h");
    g->coverage = gauge(m, t, "fieldcast_forecast_interval_coverage_ratio",
                        "Share of values inside the interval.", "window", "24h");
    g->ewma = gauge(m, t, "fieldcast_error_ewma",
                    "Exponentially weighted mean of the absolute error.", NULL, NULL);
    for (int i = 0; i < N_DRIFTS; i++)
        g->drift[i] = gauge(m, t, "fieldcast_drift_detected", "1 while a check says so.",
                            "kind", drifts[i]);
    return g;
}

void gauges_show(struct monitor *m, struct tracked *t)
{
    if (!t->has_quality || (!t->gauges && m->gauged == GAUGES_SERIES))
        return;
    if (!t->gauges) {
        t->gauges = make(m, t);
        m->gauged++;
    }
    struct gauges *g = t->gauges;
    const struct quality *q = &t->quality;
    const struct verdicts *v = &t->verdicts;
    const bool on[N_DRIFTS] = {v->skill_lost, v->error_risen, v->system0, v->stuck,
                               v->silent};
    metric_set(g->mae[0], q->mae_4h);
    metric_set(g->mae[1], q->mae_12h);
    metric_set(g->rmse[0], q->rmse_4h);
    metric_set(g->rmse[1], q->rmse_12h);
    metric_set(g->bias, q->bias_12h);
    metric_set(g->r2, q->r2_12h);
    metric_set(g->skill, q->skill_24h);
    metric_set(g->coverage, q->coverage);
    metric_set(g->ewma, q->ewma);
    for (int i = 0; i < N_DRIFTS; i++)
        metric_set(g->drift[i], on[i]);
}

void gauges_count(struct monitor *m, const struct actions *a)
{
    json_t *d;
    size_t i;
    json_array_foreach(a->decisions, i, d)
    {
        const char *kind = json_string_value(json_object_get(d, "kind"));
        if (!strcmp(kind, "retrain"))
            metric_add(retrain(m, json_string_value(json_object_get(d, "reason"))), 1);
    }
}

void gauges_tick(struct monitor *m, double seconds)
{
    int alerts = 0;
    for (size_t i = 0; i < m->fleet.n; i++)
        alerts += tracked_alerts(m->fleet.all[i]);
    metric_set(active_alerts(m), alerts);
    metric_set(watched(m), (double)m->fleet.n);
    metric_set(last_tick(m), (double)clock_now_ms() / 1000);
    metric_observe(tick_seconds(m), seconds);
}
