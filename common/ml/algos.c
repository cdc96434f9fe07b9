/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/algos.h"

#include <string.h>

const struct algo *const algos[] = {
    &algo_persistence,
    &algo_seasonal_naive_24,
    &algo_seasonal_naive_168,
    &algo_seasonal_ar_24,
    &algo_ols,
    &algo_ridge,
    NULL,
};

const struct algo *algo_find(const char *name)
{
    for (size_t i = 0; algos[i]; i++)
        if (!strcmp(algos[i]->name, name))
            return algos[i];
    return NULL;
}
