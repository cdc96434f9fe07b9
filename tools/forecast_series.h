/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_series: what `fieldcast forecast` says of one series; `fieldcast backtest`
 * asks the same of its past. Any thread. */
#ifndef FC_TOOLS_FORECAST_SERIES_H
#define FC_TOOLS_FORECAST_SERIES_H

#include "common/err.h"
#include "common/ml/candidates.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"
#include "common/ml/train.h"

/* Trains as if there were no champion (only: by this candidate alone, see
 * forecast_candidate.h; NULL: by the best or their blend) and forecasts n
 * (1..HORIZON_MAX) hours after the last of h that has a value, to whose end h is trimmed.
 * level: 0.5..0.999. *res is to be freed with train_result_done() when 0 is returned.
 * Refused as train_series() does. */
int forecast_series(struct hours *h, const char *name, double level, size_t n,
                    const struct candidate *only, struct forecast *out,
                    struct train_result *res, struct err *e) MUST_CHECK;

#endif
