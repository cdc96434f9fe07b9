/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holt_winters: additive exponential smoothing with a level, a trend (damped unless told
 * otherwise) and a season of a day (Holt 1957, Winters 1960; the damped trend: Gardner
 * and McKenzie 1985).
 *
 * A model serves for weeks after its fit. What it keeps is how to smooth and the seasons
 * as they were a week before the fit's end; a forecast smooths over the newest week from
 * there. At the end of the fit that is what smoothing over all hours gives, but for what
 * a level of a week before still weighs. */

#include "common/ml/algos.h"
#include "common/ml/smoothing.h"

#define DAMPED 1 /* of params */
#define WEEK 168

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    struct smoothing s = {.alpha = 0.5, .beta = 0.01, .gamma = 0.05, .phi = 0.95};
    const struct hours week = hours_part(h, 0, h->n < WEEK ? h->n : WEEK);
    bool damped = m->params[DAMPED] >= 0.5;
    if (smoothing_check(m, h, e))
        return -1;
    if (!damped)
        s.phi = 1;
    smoothing_seasons(&week, s.season);
    smoothing_begin(&s, &week);
    if (smoothing_fit(&s, h, damped ? 4 : 3, e))
        return -1;
    const struct hours before = hours_part(h, 0, h->n - SMOOTHING_HISTORY);
    smoothing_run(&s, &before, NULL);
    return smoothing_keep(m, &s, h, e);
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    return smoothing_forecast(m, past, horizon, smoothing_ahead, out, e);
}

static const struct algo_param params[] = {
    {"season", 24, 24, 24, "hours after which values are taken to repeat"},
    [DAMPED] = {"damped", 1, 0, 1, "1: the trend fades with the lead; 0: it goes on"},
};

const struct algo algo_holt_winters = {
    .name = "holt_winters",
    .sentence = "Exponential smoothing of level, trend and the hours of the day",
    .params = params,
    .n_params = 2,
    SMOOTHING_MEMBERS,
};
