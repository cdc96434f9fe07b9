/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnostics_lags: diagnostics_report.h of a series regressed on its own past hours, the
 * same for a training's metrics and for `fieldcast diagnose`. Pure. */
#ifndef FC_ML_DIAGNOSTICS_LAGS_H
#define FC_ML_DIAGNOSTICS_LAGS_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/dataset.h"

/* Those of the candidate ols_daily: the last hours, and the day before. */
#define DIAGNOSTICS_LAGS 7
extern const int diagnostics_lags[DIAGNOSTICS_LAGS]; /* 1, 2, 3, 23, 24, 25, 26 */

/* h: its hours, missing ones NaN: a row that would read one is left out, and gaps that
 * are to be bridged are bridged already (hours_interpolate()). lags: 1 to FEATURES_MAX of
 * them, each 1 to LAG_MAX. New reference, or NULL as diagnostics_report(), with how
 * many hours are needed where there are too few. */
json_t *diagnostics_lags_report(const char *target, const struct hours *h,
                                const int *lags, size_t n_lags, struct err *e);

#endif
