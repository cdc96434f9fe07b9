/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct: what direct.c, which forecasts, and direct_learn.c, which fits, agree on: where
 * the columns of each lead's regression lie. Internal to the two. */
#ifndef FC_ML_DIRECT_H
#define FC_ML_DIRECT_H

#include "common/ml/lagged.h"
#include "common/ml/model.h"

#define DIRECT_NONE LAGGED_NONE

/* How far before the hour after the origin each lag lies at a lead (from 1); DIRECT_NONE:
 * another lag is there already. */
void direct_places(const struct feature_spec *s, size_t lead, size_t at[FEATURES_MAX]);

/* The lags' part of the row at an origin, whose hour is z[n-1]. One that is left out is
 * 0. False: an hour is missing. */
bool direct_row(const size_t *at, size_t lags, const double *z, size_t n, double *row);

/* Without and with the series beside. */
extern const struct learning direct_learning, direct_learning_with_others;

#endif
