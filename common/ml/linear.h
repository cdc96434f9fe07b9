/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear: what OLS and ridge share: standardised columns, the recursion over the horizon
 * and the "state" object; and OLS' solver (that of ridge: gram.h).
 *
 * A fit works on columns with the training rows' mean taken off and divided by their
 * population standard deviation; so the intercept is the mean of the target. Pure. */
#ifndef FC_ML_LINEAR_H
#define FC_ML_LINEAR_H

#include <stddef.h>

#include "common/ml/linear_fit.h"
#include "common/ml/model.h"

#define LINEAR_MIN_ROWS 24

/* Least squares of target on x (rows × cols, row major; standardised in place) by QR with
 * column pivoting. Columns that are constant, or that the others explain to within 1e-7,
 * are dropped. ERR_CONFLICT when no column is left or there are no more rows than
 * columns. */
int linear_qr(double *x, const double *target, size_t rows, size_t cols,
              struct linear_fit *f, struct err *e) MUST_CHECK;

/* The members of struct algo that both have. linear_range() sets the limits of what is
 * forecast: the range low..high of the values, widened by half its
 * span (downwards on logs: by half the log-span, so that it stays positive).
 * linear_finish() moves a fit into m and sets these. */
size_t linear_min_hours(const struct model *m);
size_t linear_history(const struct model *m);
int linear_range(struct model *m, double low, double high, struct err *e) MUST_CHECK;
int linear_finish(struct model *m, const struct linear_fit *f, double low, double high,
                  struct err *e) MUST_CHECK;
int linear_forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e);
json_t *linear_save(const struct model *m);
int linear_load(struct model *m, const json_t *state, struct err *e);

double linear_step(const struct model *m, const double *row);

/* For others that are linear. linear_clip(): from the model's scale, within its limits.
 * linear_read(): n hours on the model's scale; a sensor that now and then shows 0 must
 * not silence a model on logs. linear_load_…(): parts of "state". */
double linear_clip(const struct model *m, double z);
void linear_read(const struct model *m, const double *y, size_t n, double *z);
int linear_load_reals(const json_t *a, const char *path, double *out, size_t n,
                      struct err *e) MUST_CHECK;
int linear_load_clip(struct model *m, const json_t *state, struct err *e) MUST_CHECK;

#endif
