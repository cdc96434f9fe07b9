/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grow: grows the trees of boost and forest, with libxgboost, on one thread.
 *
 * The same rows and plan give the same trees: the seed is fixed. A struct growing belongs
 * to one training, hence to one thread. What a training grows is bounded by the number of
 * fits and of their trees; the time here only guards against a machine that is stuck. */
#ifndef FC_TRAINER_GROW_H
#define FC_TRAINER_GROW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ml/trees.h"

#define GROW_LIMIT_S 300

struct growing {
    struct grower grower; /* for struct train_opts; its arg is this */
    int64_t until_ms;     /* of clock_mono_ms() */
    bool late;            /* it was asked after that, and refused */
};

/* From now on, for limit_s. */
void growing_init(struct growing *g, int limit_s);

/* A training that was late chose among less than it should have: fails then, to be asked
 * behind train_series(). */
int growing_check(const struct growing *g, struct err *e) MUST_CHECK;

#endif
