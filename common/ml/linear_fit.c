/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/linear_fit.h"

#include <float.h>
#include <math.h>

bool linear_constant(double mean, double std)
{
    return !(std > 1e-13 * fabs(mean)) || std < DBL_MIN / DBL_EPSILON;
}

int linear_check(const struct linear_fit *f, size_t cols, struct err *e)
{
    bool finite = isfinite(f->intercept);
    for (size_t c = 0; c < cols; c++)
        finite =
            finite && isfinite(f->coef[c]) && isfinite(f->mean[c]) && isfinite(f->std[c]);
    return finite ? 0
                  : err_set(e, ERR_CONFLICT,
                            "the fit is not finite: the values are too large");
}
