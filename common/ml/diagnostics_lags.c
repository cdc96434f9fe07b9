/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/diagnostics_lags.h"

#include <stdlib.h>

#include "common/ml/diagnostics_report.h"
#include "common/ml/features.h"

const int diagnostics_lags[DIAGNOSTICS_LAGS] = {1, 2, 3, 23, 24, 25, 26};

/* In hours, which a user knows of: how many make a row is for the lags to say. */
static void too_few(const struct hours *h, size_t rows, size_t need,
                    const struct feature_spec *spec, struct err *e)
{
    size_t longest = 0;
    for (size_t i = 0; i < spec->n_lags; i++)
        longest = (size_t)spec->lags[i] > longest ? (size_t)spec->lags[i] : longest;
    (void)err_set(e, ERR_CONFLICT,
                  "its %zu hours make %zu row%s (of an hour and those before it); %zu "
                  "are needed, which %zu hours without a gap make",
                  h->n, rows, rows == 1 ? "" : "s", need, longest + need);
}

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
    size_t need = n_lags + 2; /* the intercept, and one to spare */
    need = need > DIAGNOSTICS_HAC_LAGS ? need : DIAGNOSTICS_HAC_LAGS + 1;
    json_t *report = diagnostics_report(&in, rows < need ? NULL : e);
    if (!report && rows < need)
        too_few(h, rows, need, &spec, e);
    free(x);
    free(y);
    return report;
}
