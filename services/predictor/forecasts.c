/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/forecasts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/reading.h"
#include "services/predictor/widths.h"
#include "services/predictor/origin.h"

#define BATCH 50 /* series per write: about 400 kB */
#define LINES_MAX (32u << 20)
#define CATCH_UP_MS (24 * HOUR_MS)
#define KNOWN_MS (40 * 24 * HOUR_MS) /* longer than any history in memory */

void forecasts_init(struct forecasts *f, struct models *m, struct influx *in,
                    struct metrics *metrics)
{
    *f = (struct forecasts){.models = m, .influx = in, .batch = BATCH};
    f->points = metric_counter(
        metrics, "fieldcast_forecast_points_written_total",
        "Points of forecasts and forecast_leads written to InfluxDB.", NULL);
}

/* ---- lines --------------------------------------------------------------------------
 */

/* kept: which of adaptive_leads it is, or -1 for the measurement forecasts. */
static void one_line(struct buf *b, const struct series *s, const struct version *v,
                     int64_t origin_ms, size_t lead, double yhat, const struct widths *w,
                     int kept)
{
    struct influx_line l;
    struct forecast f = {.yhat = yhat};
    char text[8];
    model_band_wide(v->model, lead - 1, v->model->level, w->of[lead - 1], &f);
    influx_line(&l, b, kept >= 0 ? "forecast_leads" : "forecasts");
    influx_tag(&l, "device", s->device);
    if (kept >= 0) {
        snprintf(text, sizeof text, "%zu", lead);
        influx_tag(&l, "lead", text);
    }
    influx_tag(&l, "quantity", s->quantity);
    influx_tag(&l, "role", "champion");
    influx_field(&l, "yhat", f.yhat);
    influx_field(&l, "yhat_lower", f.lower);
    influx_field(&l, "yhat_upper", f.upper);
    influx_field(&l, "version", v->number);
    influx_field(&l, "origin_ms", (double)origin_ms);
    if (kept >= 0) {
        influx_field(&l, "width", w->of[lead - 1]);
        influx_field(&l, "width_state", w->state[kept]);
    }
    influx_end(&l, origin_ms + (int64_t)lead * HOUR_MS);
}

void forecasts_lines(struct buf *b, const struct series *s, const struct version *v,
                     int64_t origin_ms, const double *yhat, const struct widths *w,
                     bool leads)
{
    for (int i = 0; i < (leads ? ADAPTIVE_LEADS : HORIZON_MAX); i++) {
        size_t lead = (size_t)(leads ? adaptive_leads[i] : i + 1);
        one_line(b, s, v, origin_ms, lead, yhat[lead - 1], w, leads ? i : -1);
    }
}

/* The leads of origins that passed without being written. */
static void missed_lines(struct forecasts *f, struct buf *b, struct series *s,
                         const struct serving *v)
{
    models_lock(f->models);
    int64_t from = s->leads_origin_ms;
    models_unlock(f->models);
    if (from == NO_TIME)
        return;
    if (from < v->origin_ms - CATCH_UP_MS)
        from = v->origin_ms - CATCH_UP_MS;
    for (int64_t o = from + HOUR_MS; o < v->origin_ms; o += HOUR_MS) {
        struct forecast made[HORIZON_MAX];
        double yhat[HORIZON_MAX];
        struct widths w;
        if (v->by->model->training.to_s * 1000 > o)
            continue;
        models_lock(f->models);
        int rc = origin_forecast(f->models, s, v->by, o, made, NULL, NULL);
        widths_past(s, v->by, o, &w);
        models_unlock(f->models);
        if (rc)
            continue;
        for (size_t k = 0; k < HORIZON_MAX; k++)
            yhat[k] = made[k].yhat;
        forecasts_lines(b, s, v->by, o, yhat, &w, true);
    }
}

static void series_lines(struct forecasts *f, struct buf *b, struct series *s,
                         const struct serving *v)
{
    models_lock(f->models);
    bool leads = s->leads_origin_ms == NO_TIME || s->leads_origin_ms < v->origin_ms;
    models_unlock(f->models);
    forecasts_lines(b, s, v->by, v->origin_ms, v->yhat, &v->widths, false);
    if (leads) {
        missed_lines(f, b, s, v);
        forecasts_lines(b, s, v->by, v->origin_ms, v->yhat, &v->widths, true);
    }
}

/* ---- what was written before we started ---------------------------------------------
 */

static void take_lead(struct models *m, const json_t *one)
{
    const json_t *tags = json_object_get(one, "tags");
    const char *device = json_string_value(json_object_get(tags, "device"));
    const char *quantity = json_string_value(json_object_get(tags, "quantity"));
    const json_t *row = json_array_get(json_object_get(one, "values"), 0);
    const json_t *origin = json_array_get(row, 1);
    char name[SERIES_MAX + 1];
    if (!device || !quantity || !json_is_number(origin) ||
        snprintf(name, sizeof name, "%s.%s", device, quantity) >= (int)sizeof name)
        return;
    struct series *s = models_find(m, name);
    int64_t origin_ms = (int64_t)json_number_value(origin);
    if (!s)
        return;
    models_lock(m);
    if (s->leads_origin_ms == NO_TIME || s->leads_origin_ms < origin_ms)
        s->leads_origin_ms = origin_ms;
    models_unlock(m);
}

static int read_leads(struct forecasts *f, int64_t hour_ms, struct err *e)
{
    struct buf q;
    json_t *answer, *one;
    size_t i;
    buf_init(&q, 1024);
    buf_adds(&q, "SELECT last(\"origin_ms\") FROM \"forecast_leads\" WHERE \"role\" = "
                 "'champion' AND \"lead\" = '1' AND ");
    influx_ql_range(&q, hour_ms - KNOWN_MS, hour_ms + HOUR_MS + 1);
    buf_adds(&q, " GROUP BY \"device\", \"quantity\"");
    int rc = influx_query(f->influx, q.data, &answer, e);
    buf_done(&q);
    if (rc)
        return -1;
    json_array_foreach(answer, i, one)
    {
        take_lead(f->models, one);
    }
    json_decref(answer);
    return 0;
}

/* Finds out, for series that are to be written for the first time since the start, which
 * origins were written before it. */
static int know_leads(struct forecasts *f, int64_t hour_ms, struct err *e)
{
    bool missing = false;
    models_lock(f->models);
    struct series *first = models_all(f->models);
    for (struct series *s = first; s && !missing; s = s->all_next)
        missing = s->unwritten && !s->leads_known;
    models_unlock(f->models);
    if (!missing)
        return 0;
    if (read_leads(f, hour_ms, e))
        return -1;
    models_lock(f->models);
    for (struct series *s = first; s; s = s->all_next)
        s->leads_known = true; /* of all that the answer could speak of */
    models_unlock(f->models);
    return 0;
}

/* ---- writing ------------------------------------------------------------------------
 */

/* One write under way: these series, as they served when the lines were made. */
struct job {
    struct series *series;
    struct serving *serving; /* a reference */
};

static void written(struct forecasts *f, const struct job *jobs, size_t n)
{
    models_lock(f->models);
    for (size_t i = 0; i < n; i++) {
        struct series *s = jobs[i].series;
        struct serving *now = series_serving(s);
        if (now && now->made == jobs[i].serving->made)
            s->unwritten = false;
        if (s->leads_origin_ms < jobs[i].serving->origin_ms)
            s->leads_origin_ms = jobs[i].serving->origin_ms;
        serving_put(now);
    }
    models_unlock(f->models);
}

static int send(struct forecasts *f, const struct buf *b, struct err *e)
{
    int retry_after_s;
    struct err ignored = ERR_INIT;
    switch (influx_write(f->influx, b->data, b->len, &retry_after_s, e)) {
    case INFLUX_OK:
        return 0;
    case INFLUX_REJECT:
        log_error("forecasts are lost: %s", e->text);
        return 0;
    case INFLUX_SPLIT:
        f->batch = f->batch > 1 ? f->batch / 2 : 1;
        return -1;
    case INFLUX_CONFIG:
        if (influx_create_database(f->influx, &ignored))
            log_debug("%s", ignored.text);
        return -1;
    default:
        return -1;
    }
}

static int write_jobs(struct forecasts *f, const struct job *jobs, size_t n,
                      struct err *e)
{
    struct buf b;
    buf_init(&b, LINES_MAX);
    for (size_t i = 0; i < n; i++)
        series_lines(f, &b, jobs[i].series, jobs[i].serving);
    int rc = b.len ? send(f, &b, e) : 0;
    if (!rc) {
        size_t points = 0;
        for (size_t i = 0; i < b.len; i++)
            points += b.data[i] == '\n';
        metric_add(f->points, (double)points);
        written(f, jobs, n);
    }
    buf_done(&b);
    return rc;
}

int forecasts_write(struct forecasts *f, int64_t hour_ms, struct err *e)
{
    if (know_leads(f, hour_ms, e))
        return -1;
    size_t batch = f->batch, n = 0;
    struct job *jobs = xcalloc(batch, sizeof *jobs);
    int rc = 0;
    for (struct series *s = models_all(f->models); s && !rc; s = s->all_next) {
        models_lock(f->models);
        struct serving *v = s->unwritten && s->leads_known && s->adaptive_known
                                ? series_serving(s)
                                : NULL;
        models_unlock(f->models);
        if (v && v->by)
            jobs[n++] = (struct job){s, v};
        else
            serving_put(v);
        if (n < batch && (s->all_next || !n))
            continue;
        rc = write_jobs(f, jobs, n, e);
        while (n)
            serving_put(jobs[--n].serving);
    }
    while (n)
        serving_put(jobs[--n].serving);
    free(jobs);
    return rc;
}
