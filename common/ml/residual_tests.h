/* SPDX-License-Identifier: GPL-3.0-or-later */
/* residual_tests: are a regression's errors what its standard errors and normal bands
 * take them for: normal, of one size, independent?
 *
 * Each test's p is the probability of a statistic at least as extreme if they are; a
 * small one speaks against it. Residuals e[n] are those of consecutive rows, oldest
 * first. Each fails with ERR_INVALID for a value that is not finite, and ERR_CONFLICT
 * where there are too few or all are 0 (an exact fit has no errors to judge). The first
 * five statistics are those of statsmodels 0.14, by the functions named. Pure. */
#ifndef FC_ML_RESIDUAL_TESTS_H
#define FC_ML_RESIDUAL_TESTS_H

#include <stddef.h>

#include "common/err.h"
#include "common/ml/design.h"

struct residual_test {
    double statistic, p;
};

/* Normality: n/6 × (skewness² + (kurtosis - 3)² / 4) against chi² with 2 degrees (Jarque
 * & Bera 1987; stattools.jarque_bera). Moments are over n, kurtosis is 3 for a normal
 * distribution. p is too small to be trusted below some 50 rows. n >= 4. */
struct normality {
    struct residual_test jarque_bera;
    double skewness, kurtosis;
};
int residual_normality(const double *e, size_t n, struct normality *t,
                       struct err *er) MUST_CHECK;

/* Homoscedasticity: e² regressed on the columns, studentised (Breusch & Pagan 1979;
 * Koenker 1981; het_breuschpagan): lm = n R² against chi² with rank degrees, and the F of
 * that regression. d->rows residuals; d->rows >= rank + 2. */
struct spread {
    struct residual_test lm, f;
};
int residual_spread(const struct design *d, const double *e, struct spread *t,
                    struct err *er) MUST_CHECK;

/* Durbin & Watson (1950): sum of squared steps over sum of squares (durbin_watson); 2 is
 * none, towards 0 positive, towards 4 negative autocorrelation from row to row. p is
 * two-sided, by the normal distribution with the exact mean and variance that the columns
 * give (Durbin & Watson 1951, as R's lmtest::dwtest beyond 100 rows). Columns that are
 * the target's own lags draw it towards 2: there Breusch and Godfrey's test is right. */
int residual_durbin_watson(const struct design *d, const double *e,
                           struct residual_test *t, struct err *er) MUST_CHECK;

/* Autocorrelation over the first lags together, where columns may be the target's own
 * lags: e regressed on the columns and on its lags 1..lags, with 0 before the first
 * (Breusch 1978, Godfrey 1978; acorr_breusch_godfrey): lm = n R² against chi² with lags
 * degrees, and F of the lags. 1 <= lags, rank + lags <= DESIGN_COLS_MAX and
 * rows >= rank + lags + 2. ERR_CONFLICT also when a lag says nothing of its own. */
int residual_breusch_godfrey(const struct design *d, const double *e, size_t lags,
                             struct spread *t, struct err *er) MUST_CHECK;

/* Autocorrelation over 1..lags[i] for each of n_lags: n (n + 2) × sum of r_l² / (n - l)
 * against chi² with lags[i] - fitted degrees; p is NaN where that is not above 0 (Ljung &
 * Box 1978; acorr_ljungbox with model_df = fitted). fitted: how many of the model's
 * columns are the target's own lags. Each of lags is 1 to n - 1. */
int residual_ljung_box(const double *e, size_t n, const int *lags, size_t n_lags,
                       size_t fitted, struct residual_test *out,
                       struct err *er) MUST_CHECK;

#endif
