/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear: what OLS and ridge share: standardised columns, the recursion over the horizon
 * and the "state" object; and OLS' solver (that of ridge: gram.h).
 *
 * A fit works on columns with the training rows' mean taken off and divided by their
 * population standard deviation; so the intercept is the mean of the target. Pure. */
#ifndef FC_ML_LINEAR_H
#define FC_ML_LINEAR_H

#include <stddef.h>

#include "common/ml/lagged.h"
#include "common/ml/linear_fit.h"
#include "common/ml/model.h"

#define LINEAR_MIN_ROWS 24

/* Least squares of target on x (rows × cols, row major; standardised in place) by QR with
 * column pivoting. Columns that are constant, or that the others explain to within 1e-7,
 * are dropped. ERR_CONFLICT when no column is left or there are no more rows than
 * columns. */
int linear_qr(double *x, const double *target, size_t rows, size_t cols,
              struct linear_fit *f, struct err *e) MUST_CHECK;

/* Its parts, for triangle.c. Are there enough rows? And what it does when the columns are
 * standardised, f has their means, spreads and which are constant, and b is the target
 * less its mean; both are destroyed. */
int linear_enough(size_t rows, size_t cols, struct err *e) MUST_CHECK;
int linear_pivoted(double *x, double *b, size_t rows, size_t cols, struct linear_fit *f,
                   struct err *e) MUST_CHECK;

/* The members of struct algo that both have. linear_range() sets the limits of what is
 * forecast: the range low..high of the values, widened by half its
 * span (downwards on logs: by half the log-span, so that it stays positive). */
size_t linear_min_hours(const struct model *m);
size_t linear_history(const struct model *m);
int linear_range(struct model *m, double low, double high, struct err *e) MUST_CHECK;
/* Step by step by the algorithm's step(). */
int linear_forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e);
bool linear_forecast_many(const struct model *const *m, const struct hours *past,
                          size_t horizon, double (*out)[HORIZON_MAX]);
json_t *linear_save(const struct model *m);
int linear_load(struct model *m, const json_t *state, struct err *e);

double linear_step(const struct model *m, const double *row, int64_t t_s);

/* These of the algorithms that forecast step by step by one regression. */
#define LINEAR_MEMBERS                                                                   \
    .reads_lags = true, .scales = true, .min_hours = linear_min_hours,                   \
    .history = linear_history, .forecast = linear_forecast,                              \
    .forecast_many = linear_forecast_many, .step = linear_step, .save = linear_save,     \
    .load = linear_load

/* ---- for others that are linear ---- */

/* How many rows are wanted at least. */
size_t linear_min_rows(const struct model *m);

/* The hours that a learning has seen (algo.h), on the model's scale, and their range. */
struct linear_hours {
    struct feature_spec spec;
    double *z; /* n, transformed; owned */
    size_t n, cap;
    size_t reach;       /* of the specification */
    size_t gap;         /* all from here on are there */
    double low, high;   /* of the values as they are */
    struct lagged *own; /* sums where the hours came without any. owned */
};
void linear_hours_init(struct linear_hours *l, const struct feature_spec *spec);
void linear_hours_done(struct linear_hours *l);
/* Takes in the next hour of h, which goes on where it was; false: there is none. */
bool linear_hours_next(struct linear_hours *l, const struct hours *h);
/* Of a step-by-step regression: the row (features_columns()) whose target is the hour t
 * of those taken in, of h; false: one of them is missing. */
bool linear_hours_row(const struct linear_hours *l, const struct hours *h, size_t t,
                      double *row);
/* The sums of all hours of h, which were taken in, with up to `most` hours before: those
 * that came with h, else its own; NULL where hours are missing or too far off, or these
 * are more than scales.h has. Borrowed until the next call. */
const struct lagged *linear_hours_sums(struct linear_hours *l, const struct hours *h,
                                       size_t most);
/* Moves a fit on these hours into m, with their range as its limits and their zone. */
int linear_finish(struct model *m, const struct linear_fit *f,
                  const struct linear_hours *hours, struct err *e) MUST_CHECK;

/* A regression on n standardised columns as one on columns as they are: raw gets the
 * intercept and n coefficients. And what that gives for a row, within the model's limits
 * and on the scale of the values. */
void linear_raw(double intercept, const double *coef, const double *mean,
                const double *std, size_t n, double *raw);
double linear_value(const struct model *m, const double *raw, const double *row);
/* z on the scale of the values and within the model's limits; NaN: the lower one. */
double linear_clip(const struct model *m, double z);

/* The newest n hours on the model's scale; a sensor that now and then shows 0 must not
 * silence a model on logs. */
void linear_read(const struct model *m, const struct hours *past, size_t n, double *z);

/* Parts of "state". */
int linear_load_reals(const json_t *a, const char *path, double *out, size_t n,
                      struct err *e) MUST_CHECK;
int linear_load_clip(struct model *m, const json_t *state, struct err *e) MUST_CHECK;

#endif
