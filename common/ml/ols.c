/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ols: ordinary least squares on lags, by QR with column pivoting. */
#include <stdlib.h>

#include "common/ml/algos.h"
#include "common/ml/linear.h"

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    double *x, *target;
    struct linear_fit f;
    size_t rows = features_rows(&m->features, h, &x, &target);
    int rc = rows < LINEAR_MIN_ROWS
                 ? err_set(e, ERR_CONFLICT, "ols needs %d complete rows, there are %zu",
                           LINEAR_MIN_ROWS, rows)
                 : linear_qr(x, target, rows, features_columns(&m->features), &f, e);
    double low, high;
    hours_range(h, &low, &high);
    if (!rc)
        rc = linear_finish(m, &f, low, high, e);
    m->training.rows = rows;
    free(x);
    free(target);
    return rc;
}

const struct algo algo_ols = {
    .name = "ols",
    .sentence =
        "Linear regression on earlier hours; redundant ones are dropped and named",
    .complexity = 3,
    .fit = fit,
    LINEAR_MEMBERS,
};
