/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST and GET /predict, GET /api/v1/forecasts: see docs/contracts.md, section 7. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "services/predictor/answer.h"
#include "services/predictor/api.h"
#include "services/predictor/ask.h"
#include "services/predictor/origin.h"
#include "services/predictor/predictor.h"
#include "services/predictor/unknown.h"

const double predict_seconds[] = {1e-6,   2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4,
                                  2.5e-4, 5e-4,   1e-3, 5e-3, 2.5e-2, 0.1,  1};
const unsigned predict_seconds_n = sizeof predict_seconds / sizeof *predict_seconds;

/* What a request is answered from. */
struct source {
    struct series *series;   /* NULL: not known here */
    struct serving *serving; /* NULL: no champion. owned reference */
    struct version
        *version; /* the one asked for: the champion, whom serving keeps, or other */
    struct version *other; /* NULL, or one that is no champion. owned reference */
};

static void source_done(struct source *src)
{
    serving_put(src->serving);
    version_put(src->other);
}

/* What serves now, if anything does. */
static struct version *find_champion(struct predictor *p, const struct ask *a,
                                     struct source *src)
{
    src->series = models_find(p->models, a->name);
    src->serving = src->series ? series_serving(src->series) : NULL;
    return src->serving ? src->serving->version : NULL;
}

/* Finds the version asked for: the champion, or another by its number. */
static int find_source(struct predictor *p, struct ask *a, bool worker,
                       struct source *src, struct err *e)
{
    struct version *champion = find_champion(p, a, src);
    if (!src->series) {
        if (ask_canonical(a, e))
            return -1;
        champion = find_champion(p, a, src);
    }
    if (!champion && worker) { /* after a start it may not have been read yet */
        if (watch_want(&p->watch, a->name, e))
            return -1;
        champion = find_champion(p, a, src);
    }
    if (champion && (!a->version || a->version == champion->number)) {
        src->version = champion;
        return 0;
    }
    if (!worker)
        return HTTP_LATER;
    if (!a->version) {
        unknown_model(p, a->name, e);
        return -1;
    }
    src->version = src->other = versions_get(p->versions, a->name, a->version, e);
    return src->version ? 0 : -1;
}

/* ---- the forms
 * ---------------------------------------------------------------------------- */

static void warn_about(struct answer *out, const struct stand_ins *s)
{
    if (s->gaps)
        answer_warn(
            out,
            "%u of the hours it looks back over are missing: the nearest day that "
            "has them stands in",
            s->gaps);
    if (s->newest != s->read)
        answer_warn(out,
                    "the newest hour, %g, lies far outside of all that was learned from: "
                    "%g is read in its place, until another hour bears it out",
                    s->newest, s->read);
    if (s->others)
        answer_warn(out,
                    "%u of the other series it reads are not known at that hour: their "
                    "means stand in",
                    s->others);
}

/* Of who serves where nothing could be compared. */
static void warn_of_youth(struct answer *out)
{
    const struct model *m = out->by->model;
    size_t hours = out->by->hours;
    if (m->algo == &algo_fading_naive_24 && !*m->training.preset)
        answer_warn(out,
                    "there was too little history to choose a model by (%zu hour%s when "
                    "version %d was trained): %s, a simple forecast, answers",
                    hours, hours == 1 ? "" : "s", out->by->number, m->algo->name);
}

/* From the trajectory in memory: no model is run. */
static int from_trajectory(const struct ask *a, const struct source *src,
                           struct answer *out, struct forecast *f, struct err *e)
{
    const struct serving *v = src->serving;
    if (!v->by)
        return err_kind(e, ERR_CONFLICT, "no_forecast_yet",
                        "version %d of %s has not forecast yet: %s", v->version->number,
                        a->name, v->note ? v->note : "its latest hours are being read");
    out->by = v->by;
    out->origin_ms = v->origin_ms;
    out->level = a->level > 0 ? a->level : v->by->model->level;
    for (size_t k = 0; k < a->horizon; k++) {
        f[k].yhat = v->yhat[k];
        model_band_wide(v->by->model, k, out->level, v->widths.of[k], &f[k]);
    }
    if (v->by != v->version)
        answer_warn(out,
                    "version %d is the champion but could not forecast yet (%s): "
                    "version %d answers",
                    v->version->number, v->note ? v->note : "its hours are being read",
                    v->by->number);
    else if (v->note)
        answer_warn(out, "the forecast could not be made anew: %s", v->note);
    warn_about(out, &v->stand_ins);
    return 0;
}

/* A version other than the champion, from the hours in memory. */
static int from_hours(struct predictor *p, const struct ask *a, const struct source *src,
                      struct answer *out, struct forecast *f, struct err *e)
{
    struct forecast made[HORIZON_MAX];
    struct stand_ins stand_ins;
    int64_t origin = NO_TIME;
    int rc = -1;
    models_lock(p->models);
    if (src->series && src->series->history &&
        history_newest(src->series->history, INT64_MAX, &origin))
        rc = origin_forecast(p->models, src->series, src->version, origin, made,
                             &stand_ins, e);
    else
        err_kind(e, ERR_CONFLICT, "history_missing", "no hours of %s are in memory",
                 a->name);
    models_unlock(p->models);
    if (rc)
        return err_prefix(e, "version %d of %s", src->version->number, a->name);
    out->origin_ms = origin;
    for (size_t k = 0; k < a->horizon; k++) {
        f[k].yhat = made[k].yhat;
        model_band(src->version->model, k, out->level, &f[k]);
    }
    warn_about(out, &stand_ins);
    return 0;
}

/* The hour that is forecast from what was given without an end: models that know
 * the hour of the week take the one after the last complete hour. */
static int64_t next_s(const struct predictor *p, const struct ask *a)
{
    int64_t end_ms = a->end_ms;
    if (end_ms == NO_TIME)
        end_ms = clock_last_complete_hour(clock_now_ms(), p->set.common.grace_s * 1000);
    return (end_ms + HOUR_MS) / 1000;
}

static int from_history(struct predictor *p, const struct ask *a,
                        const struct source *src, struct answer *out, struct forecast *f,
                        struct err *e)
{
    double y[ASK_HISTORY_MAX];
    size_t n;
    if (ask_history(a, y, &n, e))
        return -1;
    const struct hours past = {
        .start_s = next_s(p, a) - (int64_t)n * 3600, .n = n, .y = y};
    if (model_forecast(src->version->model, &past, a->horizon, out->level, f, e)) {
        e->code = ERR_INVALID; /* the history is the caller's */
        return -1;
    }
    struct stand_ins stand_ins = stand_ins_of(src->version->model, &past);
    warn_about(out, &stand_ins);
    return 0;
}

static int from_row(struct predictor *p, const json_t *row, const struct source *src,
                    int64_t t_s, double level, struct forecast *f, struct err *e)
{
    double x[FEATURES_MAX];
    bool missing = false;
    int rc = ask_features(row, src->version, x, &missing, e);
    if (missing)
        metric_add(p->missing, 1);
    return rc ? rc : model_predict_row(src->version->model, x, t_s, level, f, e);
}

static int from_rows(struct predictor *p, const struct ask *a, const struct source *src,
                     struct answer *out, struct forecast *f, struct err *e)
{
    out->rows = true;
    if (a->form == ASK_FEATURES)
        return from_row(p, a->given, src, next_s(p, a), out->level, f, e);
    for (size_t i = 0; i < out->n; i++)
        if (from_row(p, json_array_get(a->given, i), src, next_s(p, a), out->level, &f[i],
                     e))
            return err_prefix(e, "instance %zu", i);
    return 0;
}

/* ---- putting it together
 * ----------------------------------------------------------------- */

static void warn_about_age(struct predictor *p, struct answer *out)
{
    int64_t last = clock_last_complete_hour(clock_now_ms(), p->set.common.grace_s * 1000);
    int64_t behind = (last - out->origin_ms) / HOUR_MS;
    if (behind >= 2)
        answer_warn(out,
                    "the last complete hour is %" PRId64 " h old: no newer one has come",
                    behind + 1);
}

static int fill(struct predictor *p, const struct ask *a, const struct source *src,
                struct answer *out, struct forecast *f, struct err *e)
{
    bool champion = src->serving && src->version == src->serving->version;
    out->name = a->name;
    out->by = src->version;
    out->f = f;
    out->origin_ms = a->end_ms;
    out->level = a->level > 0 ? a->level : src->version->model->level;
    out->n = a->form == ASK_FEATURES    ? 1
             : a->form == ASK_INSTANCES ? json_array_size(a->given)
                                        : a->horizon;
    if (!atomic_load_explicit(&p->watch.up, memory_order_relaxed))
        answer_warn(out, "the registry is away: a newer version may exist");
    if (a->form == ASK_FEATURES || a->form == ASK_INSTANCES)
        return from_rows(p, a, src, out, f, e);
    if (a->form == ASK_HISTORY ? from_history(p, a, src, out, f, e)
        : champion             ? from_trajectory(a, src, out, f, e)
                               : from_hours(p, a, src, out, f, e))
        return -1;
    warn_of_youth(out);
    if (a->form != ASK_HISTORY)
        warn_about_age(p, out);
    return 0;
}

static void render(const struct answer *out, bool as_forecasts, struct res *s)
{
    if (!as_forecasts) {
        answer_predict(out, &s->body);
        return;
    }
    const struct quantity *q = quantity_find(strchr(out->name, '.') + 1);
    answer_forecasts(out, q ? q->unit : "", &s->body);
}

static int respond(struct predictor *p, const struct ask *a, const struct source *src,
                   bool as_forecasts, struct res *s, struct err *e)
{
    struct forecast few[HORIZON_MAX], *f = few;
    struct answer out;
    if (a->form == ASK_INSTANCES)
        f = xcalloc(json_array_size(a->given), sizeof *f);
    answer_init(&out);
    int rc = fill(p, a, src, &out, f, e);
    if (!rc)
        render(&out, as_forecasts, s);
    answer_done(&out);
    if (f != few)
        free(f);
    return rc;
}

/* asked: what ask_from_*() returned. */
static int handle(struct predictor *p, struct ask *a, int asked, const struct req *q,
                  bool as_forecasts, struct res *s, struct err *e)
{
    struct source src = {0};
    int64_t start_us = clock_mono_us();
    int rc = asked;
    if (!rc)
        rc = find_source(p, a, q->worker, &src, e);
    if (!rc)
        rc = respond(p, a, &src, as_forecasts, s, e);
    struct metric *m = src.series ? atomic_load(&src.series->answered) : NULL;
    if (!rc && m)
        metric_add(m, 1);
    else if (rc < 0)
        metric_add(p->refused, 1);
    if (rc != HTTP_LATER)
        metric_observe(p->seconds, (double)(clock_mono_us() - start_us) / 1e6);
    source_done(&src);
    ask_done(a);
    return rc;
}

int predict_post(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ask a;
    int asked = ask_from_body(&a, q, e);
    return handle(app, &a, asked, q, false, s, e);
}

int predict_get(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ask a;
    int asked = ask_from_query(&a, q, e);
    return handle(app, &a, asked, q, false, s, e);
}

int forecasts_get(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct ask a;
    int asked = ask_from_query(&a, q, e);
    return handle(app, &a, asked, q, true, s, e);
}
