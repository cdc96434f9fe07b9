/* SPDX-License-Identifier: GPL-3.0-or-later */
/* collinearity: how much the columns of a regression say the same, and which ones.
 *
 * Variance inflation of a column is 1 / (1 - R²) of its regression on all others: by so
 * much the variance of its coefficient is larger than if it stood alone; 1 is none, above
 * 10 is much (Marquardt 1970), infinite where the others make it up exactly (to within
 * DESIGN_TOLERANCE of its spread). Pure. */
#ifndef FC_ML_COLLINEARITY_H
#define FC_ML_COLLINEARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/ml/design.h"

#define COLLINEARITY_MUCH 10
#define COLLINEARITY_NONE SIZE_MAX

struct column_tie {
    enum column_state state;
    double vif;       /* INFINITY in an exact relation; NaN for a constant column */
    size_t partner;   /* the column it has most in common with when all others are held
                         fixed; COLLINEARITY_NONE if there is none or the column is not kept
                       */
    double partner_r; /* the partial correlation with it; NaN if none */
    double offset;    /* of an explained column: x = offset + sum of weight[i] × x_i */
    double
        *weight; /* cols, 0 for those that take no part; NULL unless explained. owned */
};

struct collinearity {
    size_t cols;
    struct column_tie *tie; /* cols. owned */
};

/* Cannot fail: d is checked already. Free with collinearity_done(). */
void collinearity(const struct design *d, struct collinearity *c);

/* The same of logarithms: gases that one sensor makes of one resistance are powers of one
 * another. Columns with a value that is not above 0 take no part, as if constant. x as
 * design_init() has accepted it. */
void collinearity_of_logs(const double *x, size_t rows, size_t cols,
                          struct collinearity *c);
/* These logarithms, 0 in the columns that take no part; owned. */
double *collinearity_logs(const double *x, size_t rows, size_t cols);
/* Adds "smoke = 0.21 + 0.77 × co" to b, for a column that is explained; logs: of the
 * logarithms. names: one per column. */
void collinearity_text(struct buf *b, const struct collinearity *c, size_t col,
                       const char *const *names, bool logs);

void collinearity_done(struct collinearity *c); /* a zeroed struct is fine */

#endif
