/* SPDX-License-Identifier: GPL-3.0-or-later */
/* system0: the reference system's own way from minutes to a fitted model, step by step,
 * so that its figures can be reproduced. One documented mode; nothing else works like it.
 *
 * Minutes carry the time of their END: 10:00 is the minute from 09:59 and counts for hour
 * 10. Missing minutes are interpolated by row (not by time), the ends repeated; minutes
 * are averaged by UTC hour, partial hours counting like whole ones; empty hours are
 * interpolated, however many. Rows are four lags, oldest first, and the hour after. The
 * last fifth of the rows (rounded up) is the test part. Columns are scaled with the mean
 * and population standard deviation of the other four fifths, and OLS is fitted to those.
 * Pure. */
#ifndef FC_ML_SYSTEM0_H
#define FC_ML_SYSTEM0_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"
#include "common/ml/score.h"

#define SYSTEM0_LAGS 4
#define SYSTEM0_MAX_MINUTES 2000000

/* n minutes at t_s (epoch seconds, strictly increasing), y in the series' unit, NaN =
 * missing, into hours without a hole. Free with hours_done(). */
int system0_hours(const int64_t *t_s, const double *y, size_t n, struct hours *h,
                  struct err *e) MUST_CHECK;

struct system0 {
    size_t rows, n_train; /* the test part is rows n_train .. rows - 1 */
    double *x, *target;   /* rows × 4 (lag_4 .. lag_1), and the hour after. owned */
    double *yhat;         /* one step ahead, for every row. owned */
    struct model *model;  /* fitted to the first n_train rows; no band. owned */
    struct score test, persistence; /* both over the test part */
};

/* From hours without a hole. ERR_CONFLICT when there are too few. */
int system0_fit(const struct hours *h, const char *series, struct system0 *s,
                struct err *e) MUST_CHECK;

/* A later stretch of hours under a fitted model: its rows, all of them test part. */
int system0_apply(const struct model *m, const struct hours *h, struct system0 *s,
                  struct err *e) MUST_CHECK;
void system0_done(struct system0 *s); /* a zeroed struct is fine */

#endif
