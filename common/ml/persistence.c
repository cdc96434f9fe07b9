/* SPDX-License-Identifier: GPL-3.0-or-later */
/* persistence: every hour to come is like the last one. The least any model must beat. */
#include "common/ml/algos.h"

#include <math.h>

#include "common/ml/model.h"

static size_t one_hour(const struct model *m)
{
    (void)m;
    return 1;
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    (void)m;
    if (!h->n || !isfinite(h->y[h->n - 1]))
        return err_set(e, ERR_CONFLICT, "persistence needs the newest hour");
    return 0;
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    const double *y = past->y;
    size_t n = past->n;
    (void)m;
    if (!n || !isfinite(y[n - 1]))
        return err_set(e, ERR_CONFLICT, "the newest hour is missing");
    for (size_t k = 0; k < horizon; k++)
        out[k] = y[n - 1];
    return 0;
}

const struct algo algo_persistence = {
    .name = "persistence",
    .sentence = "Every hour to come is like the last complete one",
    .complexity = 1,
    .baseline = true,
    .min_hours = one_hour,
    .history = one_hour,
    .fit = fit,
    .forecast = forecast,
    .save = algo_save_nothing,
    .load = algo_load_nothing,
};
