/* SPDX-License-Identifier: GPL-3.0-or-later */
/* others_choose: which of the series that could stand beside one (others.h) are read, and
 * which of them say the same as another. Pure. */
#ifndef FC_ML_OTHERS_CHOOSE_H
#define FC_ML_OTHERS_CHOOSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/ml/dataset.h"

#define OTHERS_CONSIDERED_MAX 24

/* Everything is borrowed. */
struct others_asked {
    const char *series;
    const struct hours *hours; /* of the series */
    size_t n;                  /* of the others; at most OTHERS_CONSIDERED_MAX */
    const char *name[OTHERS_CONSIDERED_MAX];
    const struct hours *other[OTHERS_CONSIDERED_MAX]; /* on the grid of hours */
    bool asked[OTHERS_CONSIDERED_MAX];                /* the user wants it read */
};

/* Puts those that were asked for, and of the rest those worth OTHERS_WORTH or more, best
 * first, up to OTHERS_MAX, into out, with their lags; free with others_done(). Worth and
 * lag are judged without the hours that the training's gate will look at, from the
 * series' first to its last value. Returns what a run tells of it: {"considered":
 * [{"series", "correlation" (Pearson's, of the same hours, all of them; null where fewer
 * than 24 are there or one never changes), "lag" (others_lag(); null where it is worth
 * nothing), "worth", "asked_for", "read"}], "same":
 * [sentences: what is exactly or nearly a function of what, such as "ln b.lpg = -1.034 +
 * 0.7234 × ln b.co"]}; new. */
json_t *others_choose(const struct others_asked *a, struct others *out);

#endif
