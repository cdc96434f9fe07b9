/* SPDX-License-Identifier: GPL-3.0-or-later */
/* presets: trainings that are told what to make, instead of choosing from the candidates.
 * What they make passes the same gate; where the history is too short for it, a simple
 * candidate stands in. Pure. */
#ifndef FC_ML_PRESETS_H
#define FC_ML_PRESETS_H

#include "common/ml/candidates.h"

#define PRESET_MAX 8 /* candidates of one */

struct preset {
    const char *name;             /* at most 15 characters */
    const char *sentence;         /* what it is, for people */
    const struct candidate *list; /* the simple ones, and last what is to be made */
    size_t n;
    const struct tuning *tuning; /* NULL: nothing is searched for */
};

/* The parameters that are tried for what is made: at most TUNE_MAX rows, each in the
 * order of the algorithm's. */
#define TUNE_MAX 8
struct tuning {
    size_t n;
    double params[TUNE_MAX][MODEL_PARAMS_MAX];
};

extern const struct preset presets[]; /* a NULL name at the end */

/* NULL: there is none of that name */
const struct preset *preset_find(const char *name);
#define PRESET_NAMES "\"system0\", \"boost\", \"forest\", \"holt_winters\" or \"theta\""

#endif
