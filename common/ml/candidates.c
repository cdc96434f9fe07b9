/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/candidates.h"

#include "common/ml/algos.h"

#define DAILY 1, 2, 3, 23, 24, 25, 26
#define WEEKLY 167, 168, 169, 170

/* clang-format off */
#define BASELINES                                                                        \
    {.name = "persistence", .algo = &algo_persistence, .fallback = true},                \
    {.name = "seasonal_naive_24", .algo = &algo_seasonal_naive_24, .fallback = true},    \
    {.name = "seasonal_naive_168", .algo = &algo_seasonal_naive_168, .fallback = true}
/* clang-format on */

const struct candidate candidates[] = {
    BASELINES,
    {.name = "seasonal_ar_24", .algo = &algo_seasonal_ar_24, .fallback = true},
    {.name = "ols_daily", .algo = &algo_ols, .features = {7, {DAILY}, TRANSFORM_NONE}},
    {.name = "ridge_daily",
     .algo = &algo_ridge,
     .strength = 1,
     .features = {7, {DAILY}, TRANSFORM_NONE}},
    {.name = "ridge_weekly",
     .algo = &algo_ridge,
     .strength = 1,
     .features = {11, {DAILY, WEEKLY}, TRANSFORM_NONE}},
    {.name = "ridge_weekly_log",
     .algo = &algo_ridge,
     .strength = 1,
     .features = {11, {DAILY, WEEKLY}, TRANSFORM_LOG}},
};
const size_t n_candidates = sizeof candidates / sizeof *candidates;

const struct candidate candidates_system0[] = {
    BASELINES,
    {.name = "system0", .algo = &algo_ols, .features = {4, {4, 3, 2, 1}, TRANSFORM_NONE}},
};
const size_t n_candidates_system0 =
    sizeof candidates_system0 / sizeof *candidates_system0;

struct model *candidate_model(const struct candidate *c, const char *series)
{
    struct model *m = model_new(c->algo, series);
    m->features = c->features;
    if (c->strength > 0)
        m->params[0] = c->strength; /* only ridge has it, and has nothing else */
    return m;
}

size_t candidate_min_hours(const struct candidate *c)
{
    struct model *m = candidate_model(c, "");
    size_t hours = c->algo->min_hours(m);
    model_free(m);
    return hours;
}
