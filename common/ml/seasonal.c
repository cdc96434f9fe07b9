/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seasonal: every hour to come is like the same hour of the last known day, or week. */
#include <math.h>

#include "common/ml/algos.h"
#include "common/ml/model.h"

static size_t season(const struct model *m)
{
    return (size_t)m->params[0];
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    if (h->n < season(m) || hours_empty(h))
        return err_set(e, ERR_CONFLICT, "%s needs %zu hours of history, there are %zu",
                       m->algo->name, season(m), hours_complete(h));
    return 0;
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    const double *y = past->y;
    size_t n = past->n;
    size_t s = season(m);
    if (n < s)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       s, n);
    for (size_t k = 0; k < horizon; k++) {
        out[k] = k < s ? y[n - s + k] : out[k - s];
        if (!isfinite(out[k]))
            return err_set(
                e, ERR_CONFLICT,
                "lead %zu cannot be forecast: the hour %zu before it is missing", k + 1,
                s);
    }
    return 0;
}

/* The season is what the name says: the parameter shows it and lets nothing else in. */
static const struct algo_param day[] = {
    {"season", 24, 24, 24, "hours after which values are taken to repeat"},
};
static const struct algo_param week[] = {
    {"season", 168, 168, 168, "hours after which values are taken to repeat"},
};

const struct algo algo_seasonal_naive_24 = {
    .name = "seasonal_naive_24",
    .sentence = "Every hour to come is like the same hour of the last known day",
    .complexity = 2,
    .baseline = true,
    .params = day,
    .n_params = 1,
    .min_hours = season,
    .history = season,
    .fit = fit,
    .forecast = forecast,
    .save = algo_save_nothing,
    .load = algo_load_nothing,
};

const struct algo algo_seasonal_naive_168 = {
    .name = "seasonal_naive_168",
    .sentence = "Every hour to come is like the same hour of the last known week",
    .complexity = 3,
    .baseline = true,
    .params = week,
    .n_params = 1,
    .min_hours = season,
    .history = season,
    .fit = fit,
    .forecast = forecast,
    .save = algo_save_nothing,
    .load = algo_load_nothing,
};
