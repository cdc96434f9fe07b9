/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_candidate: one candidate alone, without a choice: of the declared list, or
 * what a preset makes that needs nothing but the series. */
#ifndef FC_TOOLS_FORECAST_CANDIDATE_H
#define FC_TOOLS_FORECAST_CANDIDATE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/ml/candidates.h"
#include "common/ml/dataset.h"
#include "common/ml/train.h"

/* Adds all of their names, with ", " between. */
void forecast_candidate_names(struct buf *b);

/* By its name; NULL with a text that names them all, or says why this one cannot be. */
const struct candidate *forecast_candidate(const char *name, struct err *e) MUST_CHECK;

/* Fits c to h, with the gaps, the window and the band (from a backtest of c alone) of a
 * training. Fewer hours than the candidate or a training needs are refused. Without the
 * history for a backtest there is no band: lower and upper are NaN. r: its model, reason
 * and parameters as of a training; evidence NULL, metrics empty. Free with
 * train_result_done(). */
int forecast_alone(const struct candidate *c, const struct hours *h,
                   const struct train_opts *o, struct train_result *r,
                   struct err *e) MUST_CHECK;

#endif
