/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conformal: widths of prediction bands from the errors of a backtest (split conformal).
 *
 * If the errors to come are like the ones seen, the band holds the stated share of
 * truths, whatever their distribution. Pure. */
#ifndef FC_ML_CONFORMAL_H
#define FC_ML_CONFORMAL_H

#include <stddef.h>

/* Residuals per lead wanted before neighbours are left out. */
#define CONFORMAL_POOL 80

/* The ceil((n + 1) × level)-th smallest of n absolute residuals. With
 * too few for that, the largest, widened by the ratio of the normal quantiles at the
 * level wanted and the one that n residuals can carry, n/(n+1). NaN when n is 0. */
double conformal_quantile(const double *abs_residuals, size_t n, double level);

/* residuals: origins × leads, row major, NaN where there is none. half[leads] gets the
 * half width of each lead: the quantile over its residuals, pooled with as many
 * neighbouring leads on both sides as it takes to have CONFORMAL_POOL; then made
 * non-decreasing in the lead (least-squares isotonic), and wider the fewer origins there
 * are: times Student's quantile with 2 (origins - 1) degrees of freedom over the normal
 * one, as errors of one origin follow one another. Leads past the last that has
 * residuals grow from it with the root of the lead. Returns the number of residuals; with
 * 0, half is untouched. */
size_t conformal_widths(const double *residuals, size_t origins, size_t leads,
                        double level, double *half);

#endif
