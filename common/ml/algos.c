/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/algos.h"

#include <string.h>

#include "common/ml/model.h"

const struct algo *const algos[] = {
    &algo_persistence,
    &algo_seasonal_naive_24,
    &algo_seasonal_naive_168,
    &algo_fading_naive_24,
    &algo_median_168,
    &algo_seasonal_ar_24,
    &algo_ols,
    &algo_ridge,
    &algo_forgetting,
    &algo_profile,
    &algo_direct,
    &algo_direct_others,
    &algo_holt_winters,
    &algo_theta,
    &algo_boost,
    &algo_forest,
    &algo_blend,
    NULL,
};

json_t *algo_save_nothing(const struct model *m)
{
    (void)m;
    return json_object();
}

int algo_load_nothing(struct model *m, const json_t *state, struct err *e)
{
    (void)m, (void)state, (void)e;
    return 0;
}

const struct algo *algo_find(const char *name)
{
    for (size_t i = 0; algos[i]; i++)
        if (!strcmp(algos[i]->name, name))
            return algos[i];
    return NULL;
}

int algo_learn(struct model *m, const struct hours *h, struct err *e)
{
    const struct learning *l = m->algo->learning;
    void *learnt = l->begin(m);
    l->take(learnt, h);
    int rc = l->fit(learnt, m, e);
    l->end(learnt);
    return rc;
}
