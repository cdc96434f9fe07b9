/* SPDX-License-Identifier: GPL-3.0-or-later */
/* granger: does the past of series b help to predict series a, beyond a's own past?
 * (Granger 1969)
 *
 * a is regressed on its own lags, and again with b's lags added; f is the F test of those
 * added (grangercausalitytests' ssr_ftest of statsmodels, which has lags 1..p on both
 * sides). Neither a common cause nor the reverse is ruled out by it: it says "helps to
 * predict", not "causes". Pure. */
#ifndef FC_ML_GRANGER_H
#define FC_ML_GRANGER_H

#include <stddef.h>

#include "common/err.h"

struct granger {
    size_t rows;  /* hours with all they need present */
    size_t added; /* lags of b that say something of their own: df1 */
    size_t df;    /* rows - columns kept - 1 - used: df2 */
    double f, p;  /* f is INFINITY where b's lags explain all that was left */
    double r2_own, r2_both;
    double gain; /* by how much b makes the typical error of the next hour smaller:
                    1 - s_both / s_own, s the residual standard errors, each with its own
                    degrees of freedom; below 0 where b is of no use */
};

/* a, b: n hours on the same grid, NaN = missing: such rows are left out. own, other: lags
 * in hours, each at least 1, together at most DESIGN_COLS_MAX. used: degrees of freedom
 * that what was done to the series before has taken: 23 for cross_without_day(), else 0.
 * ERR_INVALID for lags or values out of range. ERR_CONFLICT when there are too few rows,
 * a is constant or exact by its own past, or b's lags say nothing that a's do not (b is
 * constant, or a copy). */
int granger(const double *a, const double *b, size_t n, const int *own, size_t n_own,
            const int *other, size_t n_other, size_t used, struct granger *g,
            struct err *e) MUST_CHECK;

#endif
