/* SPDX-License-Identifier: GPL-3.0-or-later */
/* naive2: the forecast that OWA is measured by (the M competitions' Naive 2): the last
 * value, carried on with the season that was found, where one was. Pure.
 *
 * Seasonal means: at least three seasons, and the autocorrelation at one season's lag
 * beyond 1.645 of its standard errors. The season is taken out by classical decomposition
 * (moving average over a season, means by phase), multiplicative; additive where not all
 * values are positive. Missing hours are left out of every sum: the moving average is
 * known where all of its hours are. */
#ifndef FC_ML_NAIVE2_H
#define FC_ML_NAIVE2_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define NAIVE2_SEASON_MAX 168

/* Is there a season of m (2..NAIVE2_SEASON_MAX) hours in y, NaN = missing? */
bool naive2_seasonal(const double *y, size_t n, size_t m);

/* horizon hours after y[n - 1], which must not be missing (ERR_CONFLICT). */
int naive2_forecast(const double *y, size_t n, size_t m, size_t horizon, double *out,
                    struct err *e) MUST_CHECK;

#endif
