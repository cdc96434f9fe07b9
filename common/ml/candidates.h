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

/* What a blend is made of: candidates and weights that add up to 1 at each lead. */
struct recipe {
    size_t n;
    const struct candidate *member[BLEND_MAX];
    struct lead_weights weight[BLEND_MAX];
};

struct candidate {
    const char *name;
    const struct algo *algo;
    bool prior;      /* serves where no backtest can tell, and takes no part in others */
    bool fallback;   /* simple enough to serve where the winner may not */
    double strength; /* the first parameter; 0 = the algorithm's default */
    struct feature_spec features;
    const struct recipe *recipe; /* of a blend; NULL for all others */
    const double *params;        /* all of them, in place of the strength; NULL: none */
    const struct grower *grower; /* of what consists of trees; else NULL */
};

#define CANDIDATES_MAX 32
extern const struct candidate candidates[];
extern const size_t n_candidates;
extern const size_t n_candidates_alone; /* the first, which read no other series */

/* An unfitted model of it. Free with model_free(). */
struct model *candidate_model(const struct candidate *c, const char *series);

/* Can it be tried on these values? Logarithms need all that are there to be positive, the
 * median that the series rests: one value fills half of the hours, and is on average
 * nearer to what is there a day later than the present value is. */
bool candidate_suits(const struct candidate *c, const double *y, size_t n);
/* What is told of one that was not tried, as it does not suit or needs more hours. */
#define CANDIDATE_NOT_TRIED "not enough history, or not for such values"

/* How many hours fitting it takes at least. */
size_t candidate_min_hours(const struct candidate *c);

#endif
