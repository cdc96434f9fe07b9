/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ols_inference: a least-squares regression with intercept, and how far its coefficients
 * can be trusted.
 *
 * The figures are those of statsmodels 0.14, OLS(y, add_constant(x)).fit() and the same
 * with cov_type="HAC" (the reference system's model), and its tests hold them against it.
 * With e the residuals, n rows, k columns kept:
 *  - se: sqrt of the diagonal of s² (X'X)^-1, s² = e'e / (n - k - 1); p from Student's t
 *    with n - k - 1 degrees of freedom.
 *  - hac_se: Newey & West (1987): (X'X)^-1 S (X'X)^-1, S the sum over lags l = -L..L of
 *    (1 - |l| / (L + 1)) times the cross products of x_t e_t and x_(t-l) e_(t-l), without
 *    small-sample correction; p from the normal distribution. It holds where errors vary
 *    in size or follow one another, but with few rows it is too sure of itself.
 *  - f: all slopes against none, from e'e and from the HAC covariance (Wald / k); both
 *    with F(k, n - k - 1).
 *  - log_likelihood of normal errors at s² = e'e / n; aic = -2 ll + 2 (k + 1),
 *    bic = -2 ll + ln n (k + 1).
 * Rows are taken as consecutive, oldest first; a hole between two counts as one step.
 * Pure. */
#ifndef FC_ML_OLS_INFERENCE_H
#define FC_ML_OLS_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/design.h"

struct ols_term {
    double coef;                 /* in the units of target and column; 0 if left out */
    double se, t, p;             /* NaN if left out, or the fit is exact */
    double hac_se, hac_z, hac_p; /* likewise */
    enum column_state state;     /* of the intercept: kept */
};

struct ols_inference {
    size_t rows, cols;
    size_t rank; /* columns kept, k above */
    size_t df;   /* n - k - 1, at least 1 */
    size_t hac_lags;
    struct ols_term intercept;
    struct ols_term *term; /* cols, in the order given. owned */
    double *residual;      /* rows: target - fitted. owned */
    bool exact; /* nothing is left but rounding: residuals are set to 0, r2 to 1, and what
                   is divided by them is NaN */
    double r2, r2_adjusted;
    double s; /* residual standard error, sqrt(s²) */
    double f, f_p, hac_f, hac_f_p;
    double log_likelihood, aic, bic;
    double condition;        /* largest singular value / smallest, of the kept columns as
                                they are and a column of ones: depends on units */
    double condition_scaled; /* of the kept columns centred and scaled: how much they say
                                the same; above 30 is much (Belsley, Kuh, Welsch 1980) */
};

/* target: d->rows values, each finite and within DESIGN_VALUE_MAX. hac_lags: L above, 0
 * (White's HC0) to rows - 1. ERR_CONFLICT when all columns are constant, the target is,
 * or there are fewer than rank + 2 rows; ERR_INVALID for a value or hac_lags out of
 * range. Free with ols_inference_done(). */
int ols_inference(const struct design *d, const double *target, size_t hac_lags,
                  struct ols_inference *o, struct err *e) MUST_CHECK;
void ols_inference_done(struct ols_inference *o); /* a zeroed struct is fine */

#endif
