/* SPDX-License-Identifier: GPL-3.0-or-later */
/* algos: the algorithms by name, for the table in algos.c and for who declares
 * candidates. Everybody else goes through algo_find() or walks algos[]. */
#ifndef FC_ML_ALGOS_H
#define FC_ML_ALGOS_H

#include "common/ml/algo.h"

extern const struct algo algo_persistence;
extern const struct algo algo_seasonal_naive_24;
extern const struct algo algo_seasonal_naive_168;
extern const struct algo algo_fading_naive_24;
extern const struct algo algo_median_168;
extern const struct algo algo_seasonal_ar_24;
extern const struct algo algo_ols;
extern const struct algo algo_ridge;
extern const struct algo algo_forgetting;
extern const struct algo algo_profile;
extern const struct algo algo_direct;
extern const struct algo algo_direct_others;
extern const struct algo algo_holt_winters;
extern const struct algo algo_theta;
extern const struct algo algo_boost;
extern const struct algo algo_forest;
extern const struct algo algo_blend;

/* save and load of those whose state is nothing but their parameters and the history: an
 * empty object, and whatever stands there. */
json_t *algo_save_nothing(const struct model *m);
int algo_load_nothing(struct model *m, const json_t *state, struct err *e);

#endif
