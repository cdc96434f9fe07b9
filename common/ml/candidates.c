/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/candidates.h"

#include "common/ml/algos.h"

/* Lags, in hours: the newest; around a day, two, three days, a week before; all of the
 * last day. */
#define NEWEST 1, 2, 3
#define DAY 23, 24, 25, 26
#define DAY2 47, 48, 49
#define DAY3 71, 72, 73
#define WEEK 167, 168, 169
#define BEFORE 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22

#define SHORT_LAGS                                                                       \
    {                                                                                    \
        3, {NEWEST}, TRANSFORM_NONE                                                      \
    }
#define DAILY(transform)                                                                 \
    {                                                                                    \
        7, {NEWEST, DAY}, transform                                                      \
    }
#define DAYS(transform)                                                                  \
    {                                                                                    \
        14, {NEWEST, 22, DAY, DAY2, DAY3}, transform                                     \
    }
#define WEEKLY(transform)                                                                \
    {                                                                                    \
        11, {NEWEST, DAY, WEEK, 170}, transform                                          \
    }
#define LONG(transform)                                                                  \
    {                                                                                    \
        27, {NEWEST, BEFORE, 23, 24, 25, 48, 168}, transform                             \
    }
#define WIDE(transform)                                                                  \
    {                                                                                    \
        33, {NEWEST, BEFORE, DAY, DAY2, WEEK, 170}, transform                            \
    }
#define SEASONS(transform)                                                               \
    {                                                                                    \
        12, {NEWEST, 23, 24, 25, DAY2, WEEK}, transform                                  \
    }

/* clang-format off */
#define BASELINES                                                                        \
    {.name = "persistence", .algo = &algo_persistence, .fallback = true},                \
    {.name = "seasonal_naive_24", .algo = &algo_seasonal_naive_24, .fallback = true},    \
    {.name = "seasonal_naive_168", .algo = &algo_seasonal_naive_168, .fallback = true}
/* clang-format on */

const struct candidate candidates[] = {
    BASELINES,
    {.name = "seasonal_ar_24", .algo = &algo_seasonal_ar_24, .fallback = true},
    {"ols_short", &algo_ols, .features = SHORT_LAGS},
    {"ols_daily", &algo_ols, .features = DAILY(TRANSFORM_NONE)},
    {"ridge_day", &algo_ridge, .strength = 10, .features = {26, {NEWEST, BEFORE, DAY}}},
    {"ridge_days", &algo_ridge, .strength = 50, .features = DAYS(TRANSFORM_NONE)},
    {"ridge_weekly", &algo_ridge, .strength = 1, .features = WEEKLY(TRANSFORM_NONE)},
    {"ridge_weekly_log", &algo_ridge, .strength = 1, .features = WEEKLY(TRANSFORM_LOG)},
    {"ridge_long", &algo_ridge, .strength = 1, .features = LONG(TRANSFORM_NONE)},
    {"ridge_long_log", &algo_ridge, .strength = 1, .features = LONG(TRANSFORM_LOG)},
    {"ridge_wide", &algo_ridge, .strength = 50, .features = WIDE(TRANSFORM_NONE)},
    {"ridge_wide_log", &algo_ridge, .strength = 50, .features = WIDE(TRANSFORM_LOG)},
    {"ridge_two_weeks", &algo_ridge, .strength = 5,
     .features = {12, {NEWEST, 23, 24, 25, WEEK, 335, 336, 337}, TRANSFORM_NONE}},
    {"ridge_two_weeks_log", &algo_ridge, .strength = 5,
     .features = {12, {NEWEST, 23, 24, 25, WEEK, 335, 336, 337}, TRANSFORM_LOG}},
    {"forgetting_weekly", &algo_forgetting, .strength = 1,
     .features = WEEKLY(TRANSFORM_NONE)},
    {"direct", &algo_direct, .strength = 10, .features = SEASONS(TRANSFORM_NONE)},
    {"direct_log", &algo_direct, .strength = 50, .features = SEASONS(TRANSFORM_LOG)},
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
        m->params[0] = c->strength;
    for (size_t i = 0; c->recipe && i < c->recipe->n; i++)
        model_add_member(m, candidate_model(c->recipe->member[i], series),
                         c->recipe->weight[i]);
    return m;
}

size_t candidate_min_hours(const struct candidate *c)
{
    struct model *m = candidate_model(c, "");
    size_t hours = c->algo->min_hours(m);
    model_free(m);
    return hours;
}
