/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnostics_report: what can be said about a regression, as one JSON object for a run's
 * page, its metrics and `fieldcast diagnose`: figures, and sentences for people who are
 * no statisticians. Pure.
 *
 * On the top level, flat (ols_inference.h, residual_tests.h define them):
 *   rows columns columns_kept columns_explained exact hac_lags r2 r2_adjusted residual_se
 *   f f_p hac_f hac_f_p log_likelihood aic bic condition condition_scaled vif_max
 *   jarque_bera jarque_bera_p skewness kurtosis
 *   breusch_pagan breusch_pagan_p breusch_pagan_f breusch_pagan_f_p
 *   durbin_watson durbin_watson_p
 *   breusch_godfrey breusch_godfrey_p breusch_godfrey_lags
 *   ljung_box ljung_box_p ljung_box_lags
 * and null where one is not known (an exact fit, too few rows; the notes say why).
 *   terms      [{"name","coef","se","t","p","hac_se","hac_z","hac_p","vif","left_out"}]
 *              the intercept first, as "const"; left_out is null, "constant" or
 *              "explained" (by other columns); vif is null where it is infinite
 *   relations  [{"column","logs","offset","weights":{name: weight}}]: columns that others
 *              make up exactly, and how: column = offset + sum of weight × name, or with
 *              "logs" true the same of all their logarithms (the fit keeps such ones)
 *   notes      [{"about","fine","text"}]: about is fit, normality, spread,
 *              autocorrelation, collinearity or effects; fine is null where nothing could
 *              be told */
#ifndef FC_ML_DIAGNOSTICS_REPORT_H
#define FC_ML_DIAGNOSTICS_REPORT_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

#define DIAGNOSTICS_HAC_LAGS 4 /* the reference system's */
#define DIAGNOSTICS_ALPHA 0.05 /* p below it is told as a finding */

struct diagnostics_in {
    const char *target; /* what is regressed, "kitchen.temperature". UTF-8, as names */
    const char *const *names; /* cols: "lag_1", .. */
    const double *x, *y;      /* rows × cols, row major, oldest first; rows */
    size_t rows, cols;
    size_t own_lags; /* how many columns are lags of the target itself */
    size_t hac_lags; /* DIAGNOSTICS_HAC_LAGS */
};

/* New reference, or NULL as design_init() and ols_inference() fail. */
json_t *diagnostics_report(const struct diagnostics_in *in, struct err *e);

/* The report's numbers of the top level alone, for a run's metrics; new reference. */
json_t *diagnostics_metrics(const json_t *report);

#endif
