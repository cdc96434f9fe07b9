/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ridge: least squares on standardised lags with a penalty on large coefficients. */
#include <stdlib.h>

#include "common/ml/algos.h"
#include "common/ml/linear.h"

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    double *x, *target;
    struct linear_fit f;
    size_t rows = features_rows(&m->features, h, &x, &target);
    int rc = rows < LINEAR_MIN_ROWS
                 ? err_set(e, ERR_CONFLICT, "ridge needs %d complete rows, there are %zu",
                           LINEAR_MIN_ROWS, rows)
                 : linear_ridge(x, target, rows, m->features.n_lags, m->params[0], &f, e);
    if (!rc)
        rc = linear_finish(m, &f, h, e);
    m->training.rows = rows;
    free(x);
    free(target);
    return rc;
}

static const struct algo_param params[] = {
    {"strength", 1, RIDGE_MIN_STRENGTH, 1e6,
     "weight of the sum of squared coefficients (of standardised lags)"},
};

const struct algo algo_ridge = {
    .name = "ridge",
    .sentence = "Linear regression on earlier hours that keeps its coefficients small",
    .complexity = 4,
    .params = params,
    .n_params = 1,
    .reads_lags = true,
    .min_hours = linear_min_hours,
    .history = linear_history,
    .fit = fit,
    .forecast = linear_forecast,
    .save = linear_save,
    .load = linear_load,
};
