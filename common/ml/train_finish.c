/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_finish: from the winner to a model that can serve: band, refit, baseline. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/conformal.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

#define QUANTILES 21

/* Residuals of the choice and, with holdout, every BACKTEST_STEP-th origin of the
 * holdout, put under each other. Returns the number of origins. */
static size_t residuals(const struct train_work *w, bool holdout, double **out)
{
    const struct backtest *bt = &w->choice.bt[w->winner - w->choice.list];
    size_t leads = w->o->horizon, rows = 0, step = w->plan.n / 5;
    step = step < 1 ? 1 : step > BACKTEST_STEP ? BACKTEST_STEP : step;
    *out = xmalloc((bt->plan.n + w->plan.n + 1) * leads * sizeof **out);
    for (size_t i = 0; i < bt->plan.n; i++, rows++)
        for (size_t k = 0; k < leads; k++)
            (*out)[rows * leads + k] =
                k < bt->plan.leads ? bt->residual[i * bt->plan.leads + k] : NAN;
    for (size_t i = 0; holdout && i < w->plan.n; i += step, rows++)
        for (size_t k = 0; k < leads; k++)
            (*out)[rows * leads + k] =
                k < w->plan.leads ? w->challenger.residual[i * w->plan.leads + k] : NAN;
    return rows;
}

static void set_band(const struct train_work *w, bool holdout, struct model *m)
{
    double half[HORIZON_MAX], *r;
    size_t origins = residuals(w, holdout, &r);
    if (conformal_widths(r, origins, w->o->horizon, w->o->level, half))
        model_set_band(m, half, w->o->horizon, w->o->level);
    m->level = w->o->level;
    free(r);
}

void train_score_band(struct train_work *w)
{
    size_t leads = w->plan.leads, cells = w->plan.n * leads;
    w->coverage = w->msis = NAN;
    set_band(w, false, w->fitted);
    double *y = xmalloc(3 * (cells + 1) * sizeof *y);
    double *lower = y + cells, *upper = lower + cells;
    for (size_t i = 0; i < cells; i++) {
        struct forecast f = {w->challenger.yhat[i], NAN, NAN};
        if (isfinite(f.yhat))
            model_band(w->fitted, i % leads, w->o->level, &f);
        y[i] = w->raw.y[w->plan.first + 1 + i / leads + i % leads];
        lower[i] = f.lower;
        upper[i] = f.upper;
    }
    w->coverage = score_coverage(y, lower, upper, cells);
    w->msis = score_msis(y, lower, upper, cells, 1 - w->o->level, w->q);
    free(y);
}

static double lead1_sd(const struct train_work *w)
{
    const struct backtest *all[] = {&w->choice.bt[w->winner - w->choice.list],
                                    &w->challenger};
    double err[BACKTEST_MAX_ORIGINS + HOLDOUT_HOURS];
    size_t n = 0;
    for (size_t b = 0; b < 2; b++) {
        const struct plan *p = &all[b]->plan;
        for (size_t i = 0; i < p->n && n < sizeof err / sizeof *err; i++) {
            err[n] = w->raw.y[p->first + i * p->step + 1] - all[b]->yhat[i * p->leads];
            n += isfinite(err[n]);
        }
    }
    return n > 1 ? gsl_stats_sd(err, 1, n) : NAN;
}

static void set_quantiles(const struct train_work *w, struct model *m)
{
    double *y = xmalloc(w->raw.n * sizeof *y);
    size_t n = 0;
    for (size_t i = 0; i < w->raw.n; i++) {
        y[n] = w->raw.y[i];
        n += isfinite(y[n]);
    }
    gsl_sort(y, 1, n);
    m->n_quantiles = QUANTILES;
    m->quantiles = xmalloc(QUANTILES * sizeof *m->quantiles);
    for (size_t i = 0; i < QUANTILES; i++) {
        double q =
            gsl_stats_quantile_from_sorted_data(y, 1, n, (double)i / (QUANTILES - 1));
        /* between equal values GSL's interpolation may round above the next one */
        m->quantiles[i] = i ? fmax(q, m->quantiles[i - 1]) : q;
    }
    free(y);
}

struct model *train_finish(struct train_work *w, struct err *e)
{
    struct model *m = w->fitted;
    if (w->system0 && !w->winner->algo->baseline) {
        w->fitted = NULL;
    } else {
        m = candidate_model(w->winner, w->o->series);
        if (w->winner->algo->fit(m, &w->filled, e)) {
            model_free(m);
            return NULL;
        }
    }
    set_band(w, true, m);
    set_quantiles(w, m);
    m->lead1_sd = lead1_sd(w);
    m->training.from_s = w->whole.start_s;
    m->training.to_s = w->whole.start_s + (int64_t)(w->whole.n - 1) * 3600;
    hours_sha256(&w->whole, m->training.sha256);
    m->training.seed = w->o->seed & INT64_MAX;
    snprintf(m->training.preset, sizeof m->training.preset, "%s",
             w->system0 ? "system0" : "");
    snprintf(m->training.code, sizeof m->training.code, "%s",
             w->o->code ? w->o->code : "");
    return m;
}
