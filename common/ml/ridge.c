/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ridge: least squares on standardised lags with a penalty on large coefficients; and
 * forgetting, the same with older hours counting for less: recursive least squares with
 * exponential forgetting, as Ljung, System Identification, 11.2 has it. */
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"

#define STRENGTH 0 /* of params */
#define HALF_LIFE 1

struct learnt {
    struct linear_hours hours;
    double share; /* of its weight that a row keeps an hour on */
    struct gram *gram;
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    linear_hours_init(&l->hours, &m->features);
    l->share = m->algo == &algo_forgetting ? exp2(-1 / m->params[HALF_LIFE]) : 1;
    l->gram = gram_new(features_columns(&m->features));
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    gram_free(l->gram);
    linear_hours_done(&l->hours);
    free(l);
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    double row[FEATURES_MAX];
    while (linear_hours_next(&l->hours, h)) {
        size_t t = l->hours.n - 1;
        double z = l->hours.z[t];
        if (l->share < 1)
            gram_forget(l->gram, l->share);
        if (isfinite(z) && !features_row(&l->hours.spec, l->hours.z, t,
                                         h->start_s + (int64_t)t * 3600, row))
            gram_add(l->gram, row, z);
    }
}

static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    struct linear_fit f;
    size_t rows = gram_rows(l->gram);
    m->training.rows = rows;
    if (rows < LINEAR_MIN_ROWS)
        return err_set(e, ERR_CONFLICT, "%s needs %d complete rows, there are %zu",
                       m->algo->name, LINEAR_MIN_ROWS, rows);
    if (gram_ridge(l->gram, m->params[STRENGTH], &f, e))
        return -1;
    return linear_finish(m, &f, l->hours.low, l->hours.high, e);
}

static const struct learning learning = {begin, take, fit, end};

static const struct algo_param params[] = {
    [STRENGTH] = {"strength", 1, RIDGE_MIN_STRENGTH, 1e6,
                  "weight of the sum of squared coefficients (of standardised lags)"},
    [HALF_LIFE] = {"half_life", 336, 168, 8760,
                   "hours after which an hour counts for half of what it did"},
};

const struct algo algo_ridge = {
    .name = "ridge",
    .sentence = "Linear regression on earlier hours that keeps its coefficients small",
    .complexity = 4,
    .params = params,
    .n_params = 1,
    .fit = algo_learn,
    .learning = &learning,
    LINEAR_MEMBERS,
};

const struct algo algo_forgetting = {
    .name = "forgetting",
    .sentence = "Linear regression on earlier hours in which older hours count for less",
    .complexity = 5,
    .params = params,
    .n_params = 2,
    .fit = algo_learn,
    .learning = &learning,
    LINEAR_MEMBERS,
};
