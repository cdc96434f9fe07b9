/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_tracks: where the forecasts of all methods are put, and what both ways to make
 * them share. */
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/conformal.h"
#include "common/ml/linear.h"
#include "common/ml/naive2.h"
#include "common/ml/train.h"
#include "tools/backtest_work.h"

/* ---- tracks ---- */

void tracks_init(struct tracks *all, const struct hours *h, size_t n_origins,
                 size_t first, size_t step, size_t leads)
{
    all->n_origins = n_origins;
    all->leads = leads;
    all->origin = xcalloc(n_origins + 1, sizeof *all->origin);
    all->y = xmalloc((n_origins * leads + 1) * sizeof *all->y);
    for (size_t i = 0; i < n_origins; i++) {
        all->origin[i] = first + i * step;
        for (size_t k = 0; k < leads; k++)
            all->y[i * leads + k] = h->y[all->origin[i] + 1 + k];
    }
    all->q = score_scale(h->y, n_origins ? first + 1 : 0, 24);
}

void track_begin(const struct tracks *all, size_t m, struct track *t)
{
    size_t cells = all->n_origins * all->leads;
    (void)m;
    t->yhat = xmalloc((3 * cells + 1) * sizeof *t->yhat);
    t->lower = t->yhat + cells;
    t->upper = t->lower + cells;
    for (size_t i = 0; i < 3 * cells; i++)
        t->yhat[i] = NAN;
}

void tracks_done(struct tracks *all)
{
    for (size_t m = 0; m < METHODS_MAX; m++)
        free(all->t[m].yhat);
    free(all->y);
    free(all->origin);
    *all = (struct tracks){0};
}

/* ---- what all methods share ---- */

void backtest_band(const double *residual, size_t n, size_t leads, double level,
                   enum transform transform, const struct hours *fitted,
                   const double *yhat, double *lower, double *upper)
{
    double half[HORIZON_MAX], low, high;
    if (!conformal_widths(residual, n, leads, level, half))
        return;
    struct model *m = model_new(&algo_persistence, "");
    m->features.transform = transform;
    if (transform == TRANSFORM_LOG) {
        hours_range(fitted, &low, &high);
        if (linear_range(m, low, high, NULL))
            m->clip_high = INFINITY;
    }
    model_set_band(m, half, leads, level);
    for (size_t k = 0; k < leads; k++) {
        struct forecast f = {yhat[k], NAN, NAN};
        if (isfinite(f.yhat))
            model_band(m, k, level, &f);
        lower[k] = f.lower;
        upper[k] = f.upper;
    }
    model_free(m);
}

void backtest_naive2(const struct hours *filled, size_t origin, size_t leads,
                     double *yhat)
{
    size_t n = origin + 1 < TRAIN_WINDOW_HOURS ? origin + 1 : TRAIN_WINDOW_HOURS;
    if (naive2_forecast(filled->y + origin + 1 - n, n, 24, leads, yhat, NULL))
        for (size_t k = 0; k < leads; k++)
            yhat[k] = NAN;
}
