/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gram: the normal equations of a linear regression, grown row by row.
 *
 * What rows of x (cols numbers) and their targets say is kept as sums of products, so
 * that a fit costs cols³ / 6 whatever the number of rows, and one more row cols² / 2: a
 * backtest that fits again at each origin sees each row once. All is taken relative to
 * the first row, so that a level far from zero (1013 hPa) costs no digits. Not thread
 * safe; pure. */
#ifndef FC_ML_GRAM_H
#define FC_ML_GRAM_H

#include <stddef.h>

#include "common/err.h"
#include "common/ml/linear_fit.h"

struct gram;

/* cols: 1 to FEATURES_MAX; (cols + 10)² × 8 bytes, more or less. Free with gram_free().
 */
struct gram *gram_new(size_t cols);
void gram_free(struct gram *g); /* NULL is fine */

/* x: cols numbers. All are taken to be finite. */
void gram_add(struct gram *g, const double *x, double target);

/* From now on, what was added counts for share (0 < share <= 1) of what it did. */
void gram_forget(struct gram *g, double share);

/* Least squares with strength × (sum of squared coefficients) added to the (weighted) sum
 * of squared errors; columns are standardised by the (weighted) rows' mean and population
 * standard deviation. strength >= RIDGE_MIN_STRENGTH keeps it solvable whatever the
 * columns are. Only constant columns are dropped. ERR_CONFLICT: no column is left, the
 * rows count for no more than there are columns, or the values are too large. */
#define RIDGE_MIN_STRENGTH 1e-3
int gram_ridge(const struct gram *g, double strength, struct linear_fit *f,
               struct err *e) MUST_CHECK;

/* The same from sums that were made elsewhere, of rows from each of which `first` was
 * taken off; the target is the last of cols + 1 columns. Of one regression or of
 * GRAM_MANY at once, which cost little more: number x of regression l is at
 * [x * lanes + l]. Borrowed. f: `lanes` of them; the error is that of one of them. */
#define GRAM_MANY 4
struct gram_sums {
    size_t cols, width;   /* width: of a row of products, cols + 1 or more */
    size_t lanes;         /* 1 or GRAM_MANY */
    const double *weight; /* of all rows: one of each regression */
    double unit;          /* what a row of weight 1 counts for in the sums */
    const double *first, *sum;
    const double *product; /* of columns i <= j at i * width + j */
};
int gram_ridge_sums(const struct gram_sums *s, double strength, struct linear_fit *f,
                    struct err *e) MUST_CHECK;

size_t gram_rows(const struct gram *g); /* how many were added */

#endif
