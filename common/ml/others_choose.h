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
 * first, up to OTHERS_MAX, into out; free with others_done(). Returns what a run tells of
 * it: {"considered": [{"series", "correlation" (Pearson's, of the same hours; null where
 * fewer than 24 are there or one never changes), "worth", "asked_for", "read"}], "same":
 * [sentences: what is exactly or nearly a function of what, such as "ln b.lpg = -1.034 +
 * 0.7234 × ln b.co"]}; new. */
json_t *others_choose(const struct others_asked *a, struct others *out);

#endif
