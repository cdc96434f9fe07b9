/* SPDX-License-Identifier: GPL-3.0-or-later */
/* median: every hour to come is the median of the last week: of all constants the one
 * with the least absolute error.
 *
 * For what rests and now and then does something (rain, motion, a door): regressions
 * forecast the mean, which is never there, and persistence repeats the last shower for
 * two days. It takes part only where the series rests (candidate_suits()). It asks for
 * less than persistence, which must know the newest hour: where both have made the same
 * forecasts, because nothing happened at any origin, it is chosen. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

#include "common/ml/algos.h"
#include "common/ml/model.h"

#define WEEK 168

static size_t week(const struct model *m)
{
    (void)m;
    return WEEK;
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    size_t n = hours_complete(h);
    if (h->n < WEEK || !n)
        return err_set(e, ERR_CONFLICT, "%s needs %d hours of history, there are %zu",
                       m->algo->name, WEEK, n);
    m->training.rows = n;
    return 0;
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double y[WEEK];
    size_t n = 0;
    (void)m;
    if (past->n < WEEK)
        return err_set(e, ERR_CONFLICT, "%d hours of history are needed, there are %zu",
                       WEEK, past->n);
    for (size_t t = past->n - WEEK; t < past->n; t++)
        if (isfinite(past->y[t]))
            y[n++] = past->y[t];
    if (!n)
        return err_set(e, ERR_CONFLICT, "no hour of the last week is there");
    gsl_sort(y, 1, n);
    for (size_t k = 0; k < horizon; k++)
        out[k] = gsl_stats_median_from_sorted_data(y, 1, n);
    return 0;
}

const struct algo algo_median_168 = {
    .name = "median_168",
    .sentence = "Every hour to come is the median of the last week",
    .complexity = 0,
    .baseline = true,
    .min_hours = week,
    .history = week,
    .fit = fit,
    .forecast = forecast,
    .save = algo_save_nothing,
    .load = algo_load_nothing,
};
