/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score: errors of forecasts. Every definition is that of the reference in
 * docs/forecasting.md.
 *
 * Pairs where y or f is NaN are left out and counted as missing. Pure. */
#ifndef FC_ML_SCORE_H
#define FC_ML_SCORE_H

#include <stddef.h>

struct score {
    size_t n, missing;
    double mae, rmse, bias; /* bias = mean(f - y). NaN when n is 0 */
    double r2;              /* 1 - SSE / SST; SST taken as 1 when y is constant */
    double smape;           /* percent; 0/0 counts 0 */
};

struct score score(const double *y, const double *f, size_t n);

/* Mean in-sample absolute difference at lag m (the scale q of MASE); NaN when undefined,
 * 0 for a constant series. */
double score_scale(const double *y, size_t n, size_t m);

/* Mean scaled interval score at level 1 - a, q as above; and share of y inside the band.
 */
double score_msis(const double *y, const double *lower, const double *upper, size_t n,
                  double a, double q);
double score_coverage(const double *y, const double *lower, const double *upper,
                      size_t n);

/* Overall weighted average of mean sMAPE and mean MASE over those of Naive2 (naive2.h):
 * means over series first, then the ratios; 1 is as good as Naive2. NaN where one is not
 * known or Naive2 is perfect. */
double score_owa(double smape, double mase, double naive2_smape, double naive2_mase);

/* 1 - mae / mae of a baseline; NaN if either is not known, or the baseline is perfect. */
double score_skill(double mae, double baseline_mae);

#endif
