/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scales: a series on each of the scales that models work on, with the sums that its
 * regressions on itself are made of; made once, for all candidates at all origins. Pure;
 * any number of threads may read. */
#ifndef FC_ML_SCALES_H
#define FC_ML_SCALES_H

#include "common/ml/dataset.h"
#include "common/ml/features.h"
#include "common/ml/lagged.h"

#define SCALES_HOURS 1344 /* of the first so many hours at most: eight weeks */
#define SCALES_BACK 170   /* products with values so many hours before: a week and some */

struct scales {
    size_t n;
    double *z[N_TRANSFORMS]; /* n each; NaN where there is no value, or none on it */
    struct lagged *sums[N_TRANSFORMS];
};

/* 4 MB at most. Free with scales_done(). To be told of by h->scales, and only as long as
 * no value of h changes. */
void scales_init(struct scales *s, const struct hours *h);
void scales_done(struct scales *s); /* a zeroed struct is fine */

#endif
