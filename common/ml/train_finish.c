/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_finish: from the winner to a model that can serve: band, refit, baseline. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/conformal.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

#define QUANTILES 21

/* The smallest step between two hours, on the model's scale; 0 if the series rests. */
static double least_step(const struct train_work *w, const struct model *m)
{
    double least = INFINITY;
    for (size_t i = 1; i < w->raw.n; i++) {
        double d = fabs(features_transform(&m->features, w->raw.y[i]) -
                        features_transform(&m->features, w->raw.y[i - 1]));
        least = d > 0 && d < least ? d : least;
    }
    return isfinite(least) ? least : 0;
}

/* By the errors at origins whose forecasts end before hour `hours`; false: too few. A
 * band without any width would say that nothing else can come, and could not grow by its
 * misses: of a series that moves it is as wide as its smallest step. */
static bool set_band_by(const struct train_work *w, const struct backtest *bt,
                        size_t hours, struct model *m)
{
    double half[HORIZON_MAX];
    size_t n = 0, leads = w->o->horizon;
    double *r = xmalloc((bt->plan.n + 1) * leads * sizeof *r);
    while (n < bt->plan.n && plan_origin(&bt->plan, n) + bt->plan.leads < hours) {
        for (size_t k = 0; k < leads; k++)
            r[n * leads + k] =
                k < bt->plan.leads ? bt->residual[n * bt->plan.leads + k] : NAN;
        n++;
    }
    bool enough = conformal_widths(r, n, leads, w->o->level, half);
    double least = enough && half[0] <= 0 ? least_step(w, m) : 0;
    for (size_t k = 0; enough && k < leads; k++)
        half[k] = fmax(half[k], least);
    if (enough)
        model_set_band(m, half, leads, w->o->level);
    free(r);
    return enough;
}

/* Of c's errors. Where there are too few of them persistence, which errs more, lends its
 * band: that of the choice's origins, or of the holdout's. */
static void set_band(const struct train_work *w, const struct pick *p,
                     const struct candidate *c, size_t hours, struct model *m)
{
    m->level = w->o->level;
    (void)(set_band_by(w, pick_backtest(p, c), hours, m) ||
           set_band_by(w, &p->of->bt[0], hours, m) ||
           set_band_by(w, &w->persistence, hours, m));
}

void train_score_band(struct train_work *w)
{
    size_t leads = w->plan.leads, cells = w->plan.n * leads;
    w->coverage = w->msis = NAN;
    set_band(w, &w->chosen->early, w->winner, w->part, w->fitted);
    double *y = xmalloc(3 * (cells + 1) * sizeof *y);
    double *lower = y + cells, *upper = lower + cells;
    for (size_t i = 0; i < cells; i++) {
        struct forecast f = {w->challenger.yhat[i], NAN, NAN};
        if (isfinite(f.yhat))
            model_band(w->fitted, i % leads, w->o->level, &f);
        y[i] = w->raw.y[plan_origin(&w->plan, i / leads) + 1 + i % leads];
        lower[i] = f.lower;
        upper[i] = f.upper;
    }
    w->coverage = score_coverage(y, lower, upper, cells);
    w->msis = score_msis(y, lower, upper, cells, 1 - w->o->level, w->q);
    free(y);
}

static double lead1_sd(const struct train_work *w)
{
    const struct backtest *all[] = {pick_backtest(&w->chosen->late, w->served),
                                    &w->challenger};
    double err[BACKTEST_MAX_ORIGINS + HOLDOUT_HOURS];
    size_t n = 0;
    for (size_t b = 0; b < 2; b++) {
        const struct plan *p = &all[b]->plan;
        for (size_t i = 0; i < p->n && n < sizeof err / sizeof *err; i++) {
            err[n] = w->raw.y[plan_origin(p, i) + 1] - all[b]->yhat[i * p->leads];
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

static void set_beside(const struct train_work *w, struct model *m)
{
    const struct others *o = w->whole.beside;
    if (!o || !o->n)
        return;
    m->training.beside = xcalloc(o->n, sizeof *m->training.beside);
    for (size_t i = 0; i < o->n; i++)
        snprintf(m->training.beside[i], sizeof *m->training.beside, "%s",
                 o->of[i].series);
    m->training.n_beside = o->n;
}

struct model *train_finish(struct train_work *w, struct err *e)
{
    struct model *m = w->fitted;
    if (w->system0 && !w->served->algo->baseline) {
        w->fitted = NULL;
    } else {
        m = candidate_model(w->served, w->o->series);
        if (w->served->algo->fit(m, &w->filled, e)) {
            model_free(m);
            return NULL;
        }
    }
    set_band(w, &w->chosen->late, w->served, w->raw.n, m);
    set_quantiles(w, m);
    m->lead1_sd = lead1_sd(w);
    m->training.from_s = w->whole.start_s;
    m->training.to_s = w->whole.start_s + (int64_t)(w->whole.n - 1) * 3600;
    memcpy(m->training.sha256, w->sha256, sizeof m->training.sha256);
    set_beside(w, m);
    if (w->whole.zone)
        model_set_zone(m, zone_copy(w->whole.zone));
    m->training.seed = w->o->seed & INT64_MAX;
    snprintf(m->training.preset, sizeof m->training.preset, "%s",
             w->preset ? w->preset->name : "");
    snprintf(m->training.code, sizeof m->training.code, "%s",
             w->o->code ? w->o->code : "");
    return m;
}
