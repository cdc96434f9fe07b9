/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/backtest.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

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
    size_t origin = b->plan.first + i * b->plan.step, leads = b->plan.leads, n = 0;
    double sum = 0;
    for (size_t k = 0; k < leads; k++) {
        double y = t->y[origin + 1 + k];
        b->yhat[i * leads + k] = yhat[k];
        if (!isfinite(y))
            continue;
        b->residual[i * leads + k] =
            features_transform(&scale, y) - features_transform(&scale, yhat[k]);
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
    size_t origin = out->plan.first + i * out->plan.step, leads = out->plan.leads;
    struct forecast f[HORIZON_MAX];
    double yhat[HORIZON_MAX] = {0};
    const struct hours past = {t->filled->start_s, origin + 1, t->filled->y};
    if (model_forecast(m, &past, leads, 0.95, f, &out->why))
        return;
    for (size_t k = 0; k < leads; k++)
        yhat[k] = f[k].yhat;
    backtest_put(out, t, m->features.transform, i, yhat);
}

/* Fits m to the hours from `from` to the origin; learnt, if any, goes on from the origin
 * before. */
static int fit_until(struct model *m, void *learnt, const struct truth *t, size_t from,
                     size_t origin, struct err *e)
{
    struct hours known = {t->filled->start_s + (int64_t)from * 3600, origin + 1 - from,
                          t->filled->y + from};
    if (!learnt)
        return m->algo->fit(m, &known, e);
    m->algo->learning->take(learnt, &known);
    return m->algo->learning->fit(learnt, m, e);
}

void backtest_candidate(const struct candidate *c, const struct truth *t, size_t window,
                        const struct plan *plan, struct backtest *out)
{
    size_t last = plan->first + (plan->n ? plan->n - 1 : 0) * plan->step;
    struct model *blank = candidate_model(c, "");
    /* a window that moves forgets what was learnt */
    bool goes_on = c->algo->learning && last < window;
    void *learnt = goes_on ? c->algo->learning->begin(blank) : NULL;
    backtest_begin(out, plan);
    for (size_t i = 0; i < plan->n; i++) {
        size_t origin = plan->first + i * plan->step;
        if (!isfinite(t->y[origin])) /* a live origin is a measured hour, too */
            continue;
        size_t from = origin + 1 > window ? origin + 1 - window : 0;
        struct model *m = candidate_model(c, "");
        if (!fit_until(m, learnt, t, from, origin, &out->why))
            one_origin(m, t, i, out);
        model_free(m);
    }
    if (learnt)
        c->algo->learning->end(learnt);
    model_free(blank);
}

void backtest_model(const struct model *m, const struct truth *t, const struct plan *plan,
                    struct backtest *out)
{
    backtest_begin(out, plan);
    for (size_t i = 0; i < plan->n; i++)
        if (isfinite(t->y[plan->first + i * plan->step]))
            one_origin(m, t, i, out);
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

size_t backtest_compare(const struct backtest *b, size_t n, size_t origins, bool *used,
                        double *mean)
{
    size_t most = 0, common = 0, any = 0;
    for (size_t c = 0; c < n; c++) {
        mean[c] = NAN;
        size_t k = used[c] ? scored(&b[c], origins) : 0;
        most = k > most ? k : most;
    }
    for (size_t c = 0; c < n; c++) {
        size_t k = used[c] ? scored(&b[c], origins) : 0;
        used[c] = k && 2 * k >= most;
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
