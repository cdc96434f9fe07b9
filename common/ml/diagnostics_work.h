/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnostics_work: what diagnostics_report.c has found out when diagnostics_notes.c puts
 * it into words. Internal to the two. */
#ifndef FC_ML_DIAGNOSTICS_WORK_H
#define FC_ML_DIAGNOSTICS_WORK_H

#include "common/ml/collinearity.h"
#include "common/ml/diagnostics_report.h"
#include "common/ml/ols_inference.h"
#include "common/ml/residual_tests.h"

struct diagnostics {
    const struct diagnostics_in *in;
    struct design design;
    struct ols_inference fit;
    struct collinearity ties;
    struct collinearity log_ties; /* none looked for: cols 0 */
    struct normality normality;
    struct spread spread, breusch_godfrey;
    struct residual_test durbin_watson, ljung_box;
    size_t breusch_godfrey_lags, ljung_box_lags;
    /* why a test could not be made; ERR_NONE: it was. Its figures are NaN otherwise */
    struct err normality_err, spread_err, durbin_watson_err, breusch_godfrey_err,
        ljung_box_err;
};

/* The "notes" array; new reference. */
json_t *diagnostics_notes(const struct diagnostics *d);

#endif
