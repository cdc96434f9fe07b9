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

static void begin(const struct plan *plan, struct backtest *out)
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

/* Forecasts with m at the i-th origin and scores. */
static void one_origin(const struct model *m, const struct truth *t, size_t i,
                       struct backtest *out)
{
    size_t origin = out->plan.first + i * out->plan.step, leads = out->plan.leads, n = 0;
    struct forecast f[HORIZON_MAX];
    double sum = 0;
    if (model_forecast(m, t->filled->y, origin + 1, leads, 0.95, f, &out->why))
        return;
    for (size_t k = 0; k < leads; k++) {
        double y = t->y[origin + 1 + k];
        out->yhat[i * leads + k] = f[k].yhat;
        if (!isfinite(y))
            continue;
        out->residual[i * leads + k] = features_transform(&m->features, y) -
                                       features_transform(&m->features, f[k].yhat);
        sum += fabs(y - f[k].yhat);
        n++;
    }
    if (n) {
        out->loss[i] = sum / (double)n;
        out->scored++;
    }
}

void backtest_candidate(const struct candidate *c, const struct truth *t, size_t window,
                        const struct plan *plan, struct backtest *out)
{
    begin(plan, out);
    for (size_t i = 0; i < plan->n; i++) {
        size_t origin = plan->first + i * plan->step;
        if (!isfinite(t->y[origin])) /* a live origin is a measured hour, too */
            continue;
        size_t from = origin + 1 > window ? origin + 1 - window : 0;
        struct hours known = {t->filled->start_s + (int64_t)from * 3600,
                              origin + 1 - from, t->filled->y + from};
        struct model *m = candidate_model(c, "");
        if (!c->algo->fit(m, &known, &out->why))
            one_origin(m, t, i, out);
        model_free(m);
    }
}

void backtest_model(const struct model *m, const struct truth *t, const struct plan *plan,
                    struct backtest *out)
{
    begin(plan, out);
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

size_t backtest_compare(const struct backtest *b, size_t n, bool *used, double *mean)
{
    size_t most = 0, common = 0, origins = 0;
    for (size_t c = 0; c < n; c++) {
        mean[c] = NAN;
        if (used[c] && b[c].scored > most)
            most = b[c].scored;
    }
    for (size_t c = 0; c < n; c++) {
        used[c] = used[c] && b[c].scored && 2 * b[c].scored >= most;
        if (used[c]) {
            mean[c] = 0;
            origins = b[c].plan.n;
        }
    }
    for (size_t i = 0; i < origins; i++) {
        bool whole = true;
        for (size_t c = 0; c < n; c++)
            whole = whole && (!used[c] || isfinite(b[c].loss[i]));
        for (size_t c = 0; whole && c < n; c++)
            mean[c] += used[c] ? b[c].loss[i] : 0;
        common += whole;
    }
    for (size_t c = 0; c < n; c++)
        mean[c] = common ? mean[c] / (double)common : NAN;
    return common;
}
