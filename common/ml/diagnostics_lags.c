/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/diagnostics_lags.h"

#include <stdlib.h>

#include "common/ml/diagnostics_report.h"
#include "common/ml/features.h"

const int diagnostics_lags[DIAGNOSTICS_LAGS] = {1, 2, 3, 23, 24, 25, 26};

json_t *diagnostics_lags_report(const char *target, const struct hours *h,
                                const int *lags, size_t n_lags, struct err *e)
{
    struct feature_spec spec = {.n_lags = n_lags};
    char text[FEATURES_MAX][FEATURE_NAME_SIZE];
    const char *names[FEATURES_MAX];
    double *x, *y;
    for (size_t i = 0; i < n_lags; i++)
        spec.lags[i] = lags[i];
    for (size_t i = 0; i < n_lags; i++)
        names[i] = features_name(&spec, i, text[i]);
    size_t rows = features_rows(&spec, h, &x, &y);
    const struct diagnostics_in in = {.target = target,
                                      .names = names,
                                      .x = x,
                                      .y = y,
                                      .rows = rows,
                                      .cols = n_lags,
                                      .own_lags = n_lags,
                                      .hac_lags = DIAGNOSTICS_HAC_LAGS};
    json_t *report = diagnostics_report(&in, e);
    free(x);
    free(y);
    return report;
}
