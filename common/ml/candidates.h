/* SPDX-License-Identifier: GPL-3.0-or-later */
/* candidates: the declared list that a training chooses from, simplest first.
 *
 * The list has a version (TRAIN_CANDIDATES) and was fixed on the data sets named in
 * docs/forecasting.md, never on the data it is judged by. A new candidate is a row here
 * and a new version. Pure. */
#ifndef FC_ML_CANDIDATES_H
#define FC_ML_CANDIDATES_H

#include <stdbool.h>

#include "common/ml/model.h"

/* What a blend is made of: candidates and weights that add up to 1. */
struct recipe {
    size_t n;
    const struct candidate *member[BLEND_MAX];
    double weight[BLEND_MAX];
};

struct candidate {
    const char *name;
    const struct algo *algo;
    bool fallback;   /* simple enough to serve where the winner may not */
    double strength; /* the first parameter; 0 = the algorithm's default */
    struct feature_spec features;
    const struct recipe *recipe; /* of a blend; NULL for all others */
};

#define CANDIDATES_MAX 32
extern const struct candidate candidates[];
extern const size_t n_candidates;

/* System 0's model (four lags, OLS), behind the baselines: the list of preset "system0".
 */
extern const struct candidate candidates_system0[];
extern const size_t n_candidates_system0;

/* An unfitted model of it. Free with model_free(). */
struct model *candidate_model(const struct candidate *c, const char *series);

/* How many hours fitting it takes at least. */
size_t candidate_min_hours(const struct candidate *c);

#endif
