/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ties: which of several series say the same: what is a function of the ones before it,
 * exactly (gases that one sensor makes of one resistance are powers of one another) or
 * nearly (the means of an hour are no longer quite that). Looked for among the values as
 * they are and among their logarithms. Pure. */
#ifndef FC_ML_TIES_H
#define FC_ML_TIES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/ml/dataset.h"

#define TIES_MAX 25 /* series */
/* Hours in common that it takes; for each series as many as TIES_ROWS. */
#define TIES_ROWS_MIN 24
#define TIES_ROWS 3
/* R², adjusted for the number of series: of a few hours anything is nearly a function of
 * many. */
#define TIES_NEARLY 0.99

/* Everything is borrowed. */
struct ties_asked {
    size_t n; /* at most TIES_MAX */
    const char *name[TIES_MAX];
    const struct hours *hours[TIES_MAX];
    bool quick; /* look only where two go together at all (correlation above 0.9), which
                   takes a tenth of the time; a sum of several may then be missed */
};

/* New array, of what is a function of series before it in the list:
 *   series      its name
 *   exact       true: to within DESIGN_TOLERANCE of its spread
 *   logarithms  true: its logarithm is, of theirs
 *   r2          of it on those before it; 1 where exact
 *   offset      where exact, that of the relation; else null
 *   of          [{"name", "weight"}]: what it is made of; where it is not exact only the
 *               one that it goes with most, the weight null
 *   text        "ln b.lpg = -1.034 + 0.7234 × ln b.co", or that it nearly is so
 * The hours are those that all have; a series that has less than half of the hours of the
 * longest, or would leave less than that in common with those before it, takes no part.
 */
json_t *ties_find(const struct ties_asked *a);

#endif
