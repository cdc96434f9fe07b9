/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cross_correlation: do two series move together, and which of them moves first?
 *
 * Two series that have nothing to do with each other correlate easily when each follows
 * its own past, as all rooms, gases and weathers do. n hours then count for fewer:
 *
 *     n_eff = n / (1 + 2 × sum over j = 1..J of (1 - j / n) ra(j) rb(j))
 *
 * with ra, rb the autocorrelations (Bartlett 1946; Pyper & Peterman 1998, from whom
 * J = n / 5 is, too), each the mean of the products that are there over the variance.
 * n_eff is at most n. p is that of t = r sqrt((n_eff - 2) / (1 - r²)) with n_eff - 2
 * degrees of freedom, the interval tanh(atanh r ± 1.96 / sqrt(n_eff - 3)) (Fisher 1921).
 * Of unrelated first-order autoregressions (0 to 0.99, one to eight weeks) 4 to 8 % come
 * out below p = 0.05 (at the best lag: 3 to 7 %), where taking each hour for independent
 * calls up to 83 % related.
 *
 * Two series with a daily cycle are correlated at some lag whatever they are: take it
 * off first (cross_without_day), or the answer is the sun. Pure. */
#ifndef FC_ML_CROSS_CORRELATION_H
#define FC_ML_CROSS_CORRELATION_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/zone.h"

#define CROSS_LAGS 48 /* hours looked at on either side */
#define CROSS_N (2 * CROSS_LAGS + 1)
#define CROSS_MIN_PAIRS 24 /* for a lag to be told */
#define CROSS_SUM_MAX 2000 /* J is at most this */

struct cross_lag {
    int lag;      /* hours; above 0: b's value that many hours before a's (b leads) */
    size_t n;     /* pairs of hours that both have a value */
    double n_eff; /* what they count for; NaN where r is */
    double r;     /* Pearson's, over these pairs; NaN with fewer than CROSS_MIN_PAIRS, or
                     where one side of them is constant */
    double p;     /* two-sided; NaN with n_eff <= 2 */
    double lower, upper; /* 95 % interval of r; -1 and 1 with n_eff <= 3 */
};

struct cross_correlation {
    struct cross_lag at[CROSS_N]; /* lags -CROSS_LAGS .. CROSS_LAGS */
    size_t best;                  /* index of the largest |r| */
    double best_p; /* its p as the best of so many: 1 - (1 - p)^m (Sidak 1967), with
                      m = 1 + (lags told - 1) × n_eff / n, for neighbouring lags say the
                      same where few hours count; NaN as p */
};

/* a, b: n hours on the same grid, NaN = missing; values within 1e100. ERR_INVALID for an
 * infinite or larger value, ERR_CONFLICT when one of them is constant or no lag has
 * CROSS_MIN_PAIRS. Time grows with n × min(n / 5, CROSS_SUM_MAX). */
int cross_correlation(const double *a, const double *b, size_t n,
                      struct cross_correlation *c, struct err *e) MUST_CHECK;

/* One lag alone: its n and r, the rest as not known. Values within 1e100. */
void cross_at(const double *a, const double *b, size_t n, int lag, struct cross_lag *c);

/* y, which begins at start_s, with the mean of each hour of the day (of the hours
 * present, on the zone's clocks; NULL: UTC) taken off; missing hours stay missing. out: n
 * values, may be y itself. Two weeks at least are wanted: of one day nothing is left. */
void cross_without_day(const double *y, size_t n, const struct zone *zone,
                       int64_t start_s, double *out);

#endif
