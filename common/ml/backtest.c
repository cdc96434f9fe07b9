/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/backtest.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/scales.h"

struct plan plan_choice(size_t n, size_t horizon, size_t min_hours)
{
    struct plan p = {.step = n / 8, .leads = n / 4};
    p.step = p.step < 1 ? 1 : p.step > BACKTEST_STEP ? BACKTEST_STEP : p.step;
    p.leads = p.leads < 1 ? 1 : p.leads > horizon ? horizon : p.leads;
    size_t earliest = min_hours ? min_hours - 1 : 0;
    if (n < 1 + p.leads + earliest)
        return p;
    size_t last = n - 1 - p.leads;
    p.n = (last - earliest) / p.step + 1;
    if (p.n > BACKTEST_MAX_ORIGINS)
        p.n = BACKTEST_MAX_ORIGINS;
    p.first = last - (p.n - 1) * p.step;
    return p;
}

void backtest_begin(struct backtest *out, const struct plan *plan)
{
    size_t cells = plan->n * plan->leads;
    *out = (struct backtest){.plan = *plan};
    out->yhat = xmalloc((cells + 1) * sizeof *out->yhat);
    out->residual = xmalloc((cells + 1) * sizeof *out->residual);
    out->loss = xmalloc((plan->n + 1) * sizeof *out->loss);
    for (size_t i = 0; i < cells; i++)
        out->yhat[i] = out->residual[i] = NAN;
    for (size_t i = 0; i < plan->n; i++)
        out->loss[i] = NAN;
}

void backtest_put(struct backtest *b, const struct truth *t, enum transform transform,
                  size_t i, const double *yhat)
{
    const struct feature_spec scale = {.transform = transform};
    size_t origin = plan_origin(&b->plan, i), leads = b->plan.leads, n = 0;
    const struct scales *scales = t->filled->scales;
    const double *made = NULL; /* the truth on that scale, where it is measured */
    double sum = 0;
    if (scales && origin + leads < scales->n)
        made = scales->z[transform];
    for (size_t k = 0; k < leads; k++) {
        double y = t->y[origin + 1 + k];
        b->yhat[i * leads + k] = yhat[k];
        if (!isfinite(y))
            continue;
        b->residual[i * leads + k] =
            (made ? made[origin + 1 + k] : features_transform(&scale, y)) -
            features_transform(&scale, yhat[k]);
        sum += fabs(y - yhat[k]);
        n++;
    }
    if (n)
        b->loss[i] = sum / (double)n;
}

/* Forecasts with m at the i-th origin and scores. */
static void one_origin(const struct model *m, const struct truth *t, size_t i,
                       struct backtest *out)
{
    size_t origin = plan_origin(&out->plan, i), leads = out->plan.leads;
    double yhat[HORIZON_MAX];
    const struct hours past = hours_part(t->filled, 0, origin + 1);
    if (model_points(m, &past, leads, yhat, &out->why))
        return;
    backtest_put(out, t, m->features.transform, i, yhat);
}

/* Origins whose models are fitted, until there are enough to forecast at together. */
struct waiting {
    size_t n, origin[FORECAST_MANY]; /* of the plan */
    const struct model *m[FORECAST_MANY];
};

static void forecast_waiting(struct waiting *w, const struct truth *t,
                             struct backtest *out)
{
    double yhat[FORECAST_MANY][HORIZON_MAX];
    struct hours past[FORECAST_MANY];
    for (size_t i = 0; i < w->n; i++)
        past[i] = hours_part(t->filled, 0, plan_origin(&out->plan, w->origin[i]) + 1);
    bool many =
        w->n == FORECAST_MANY && model_points_many(w->m, past, out->plan.leads, yhat);
    for (size_t i = 0; i < w->n; i++)
        if (many)
            backtest_put(out, t, w->m[i]->features.transform, w->origin[i], yhat[i]);
        else
            one_origin(w->m[i], t, w->origin[i], out);
    w->n = 0;
}

/* Fits m to the hours from `from` to the origin; learnt, if any, goes on from the origin
 * before. */
static int fit_until(struct model *m, void *learnt, const struct truth *t, size_t from,
                     size_t origin, struct err *e)
{
    struct hours known = hours_part(t->filled, from, origin + 1 - from);
    if (!learnt)
        return m->algo->fit(m, &known, e);
    m->algo->learning->take(learnt, &known);
    return m->algo->learning->fit(learnt, m, e);
}

static void forecast_and_free(struct waiting *w, const struct truth *t,
                              struct backtest *out)
{
    size_t n = w->n;
    forecast_waiting(w, t, out);
    for (size_t i = 0; i < n; i++)
        model_free((struct model *)w->m[i]);
}

void backtest_candidate(const struct candidate *c, const struct truth *t, size_t window,
                        const struct plan *plan, struct backtest *out)
{
    size_t last = plan_origin(plan, plan->n ? plan->n - 1 : 0);
    struct model *blank = candidate_model(c, "");
    struct waiting w = {0};
    /* a window that moves forgets what was learnt */
    bool goes_on = c->algo->learning && last < window;
    void *learnt = goes_on ? c->algo->learning->begin(blank) : NULL;
    backtest_begin(out, plan);
    for (size_t i = 0; i < plan->n; i++) {
        size_t origin = plan_origin(plan, i);
        if (!isfinite(t->y[origin])) /* a live origin is a measured hour, too */
            continue;
        size_t from = origin + 1 > window ? origin + 1 - window : 0;
        struct model *m = candidate_model(c, "");
        if (fit_until(m, learnt, t, from, origin, &out->why)) {
            model_free(m);
            continue;
        }
        w.origin[w.n] = i;
        w.m[w.n++] = m;
        if (w.n == FORECAST_MANY)
            forecast_and_free(&w, t, out);
    }
    forecast_and_free(&w, t, out);
    if (learnt)
        c->algo->learning->end(learnt);
    model_free(blank);
}

void backtest_model(const struct model *m, const struct truth *t, const struct plan *plan,
                    struct backtest *out)
{
    struct waiting w = {0};
    backtest_begin(out, plan);
    for (size_t i = 0; i < plan->n; i++) {
        if (!isfinite(t->y[plan_origin(plan, i)]))
            continue;
        w.origin[w.n] = i;
        w.m[w.n++] = m;
        if (w.n == FORECAST_MANY)
            forecast_waiting(&w, t, out);
    }
    forecast_waiting(&w, t, out);
}

void backtest_done(struct backtest *b)
{
    free(b->yhat);
    free(b->residual);
    free(b->loss);
    *b = (struct backtest){0};
}

bool backtest_common(const struct backtest *b, size_t n, const bool *used, size_t i)
{
    for (size_t c = 0; c < n; c++)
        if (used[c] && !isfinite(b[c].loss[i]))
            return false;
    return true;
}

/* Origins among the first that have a loss. */
static size_t scored(const struct backtest *b, size_t origins)
{
    size_t n = 0;
    for (size_t i = 0; i < origins; i++)
        n += isfinite(b->loss[i]);
    return n;
}

size_t backtest_compare(const struct backtest *b, size_t n, size_t origins, size_t enough,
                        bool *used, double *mean)
{
    size_t most = 0, common = 0, any = 0;
    for (size_t c = 0; c < n; c++) {
        mean[c] = NAN;
        size_t k = used[c] ? scored(&b[c], origins) : 0;
        most = k > most ? k : most;
    }
    for (size_t c = 0; c < n; c++) {
        size_t k = used[c] ? scored(&b[c], origins) : 0;
        bool often = !enough || most <= BACKTEST_FEW || k == most || k >= enough;
        used[c] = k && 2 * k >= most && often;
        any += used[c];
        if (used[c])
            mean[c] = 0;
    }
    for (size_t i = 0; any && i < origins; i++) {
        if (!backtest_common(b, n, used, i))
            continue;
        for (size_t c = 0; c < n; c++)
            mean[c] += used[c] ? b[c].loss[i] : 0;
        common++;
    }
    for (size_t c = 0; c < n; c++)
        mean[c] = common ? mean[c] / (double)common : NAN;
    return common;
}
