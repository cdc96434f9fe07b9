/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear: what OLS and ridge share: standardised columns, the two solvers, the recursion
 * over the horizon and the "state" object.
 *
 * A fit works on columns with the training rows' mean taken off and divided by their
 * population standard deviation; so the intercept is the mean of the target. Pure. */
#ifndef FC_ML_LINEAR_H
#define FC_ML_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "common/ml/model.h"

#define LINEAR_MIN_ROWS 24

struct linear_fit {
    double mean[FEATURES_MAX], std[FEATURES_MAX]; /* per column; std 1 where constant */
    double intercept, coef[FEATURES_MAX];         /* on standardised columns */
    uint64_t dropped; /* bit i: column i says nothing new; its coefficient is 0 */
};

/* Least squares of target on x (rows × cols, row major; standardised in place) by QR with
 * column pivoting. Columns that are constant, or that the others explain to within 1e-7,
 * are dropped. ERR_CONFLICT when no column is left or there are no more rows than
 * columns. */
int linear_qr(double *x, const double *target, size_t rows, size_t cols,
              struct linear_fit *f, struct err *e) MUST_CHECK;

/* The same with strength × (sum of squared coefficients) added to the sum of squared
 * errors, by Cholesky on the Gram matrix. strength >= RIDGE_MIN_STRENGTH, which keeps the
 * matrix positive definite whatever the columns are. Only constant columns are dropped.
 */
#define RIDGE_MIN_STRENGTH 1e-3
int linear_ridge(double *x, const double *target, size_t rows, size_t cols,
                 double strength, struct linear_fit *f, struct err *e) MUST_CHECK;

/* The members of struct algo that both have. linear_finish() moves a fit into m and sets
 * the limits of the recursion from h: its range, widened by half its span (downwards on
 * logs: by half the log-span, so that it stays positive). */
size_t linear_min_hours(const struct model *m);
size_t linear_history(const struct model *m);
int linear_finish(struct model *m, const struct linear_fit *f, const struct hours *h,
                  struct err *e) MUST_CHECK;
int linear_forecast(const struct model *m, const double *y, size_t n, size_t horizon,
                    double *out, struct err *e);
json_t *linear_save(const struct model *m);
int linear_load(struct model *m, const json_t *state, struct err *e);

/* The value after a row of transformed features. */
double linear_step(const struct model *m, const double *row);

#endif
