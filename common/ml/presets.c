/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/presets.h"

#include <string.h>

#include "common/ml/algos.h"

#define SIMPLE(a)                                                                        \
    {                                                                                    \
        .name = #a, .algo = &algo_##a, .fallback = true                                  \
    }
#define BASELINES                                                                        \
    SIMPLE(persistence), SIMPLE(seasonal_naive_24), SIMPLE(seasonal_naive_168)
#define SIMPLE_ONES BASELINES, SIMPLE(fading_naive_24), SIMPLE(seasonal_ar_24)

/* What the trees read. */
#define HOURS                                                                            \
    .features = {                                                                        \
        .n_lags = 13,                                                                    \
        .lags = {1, 2, 3, 4, 6, 23, 24, 25, 47, 48, 49, 167, 168},                       \
        .n_windows = 3,                                                                  \
        .windows = {{STAT_MEAN, 24}, {STAT_STD, 24}, {STAT_MEAN, 168}},                  \
    }

static const struct candidate system0[] = {
    BASELINES,
    {.name = "system0",
     .algo = &algo_ols,
     .features = {.n_lags = 4, .lags = {4, 3, 2, 1}}}};
static const struct candidate boost[] = {SIMPLE_ONES,
                                         {.name = "boost", .algo = &algo_boost, HOURS}};
static const struct candidate forest[] = {
    SIMPLE_ONES, {.name = "forest", .algo = &algo_forest, HOURS}};
static const struct candidate holt_winters[] = {
    SIMPLE_ONES, {.name = "holt_winters", .algo = &algo_holt_winters}};
static const struct candidate theta[] = {SIMPLE_ONES,
                                         {.name = "theta", .algo = &algo_theta}};

/* clang-format off */
/* trees, depth, leaf, rows, columns, rate, l2 */
static const struct tuning boost_tuning = {6, {
    {100, 3, 20, 0.7, 0.3, 0.05, 1},
    {100, 2, 20, 0.5, 0.4, 0.05, 1},
    {100, 3, 20, 0.7, 0.7, 0.05, 1},
    {200, 3, 20, 0.7, 0.3, 0.05, 1},
    { 60, 4, 10, 0.5, 0.4, 0.08, 5},
    { 40, 3, 20, 0.5, 0.4, 0.10, 1},
}};
/* trees, depth, leaf, rows, columns */
static const struct tuning forest_tuning = {4, {
    {60, 10, 10, 0.63, 0.4},
    {60, 10,  5, 0.63, 0.4},
    {60, 10, 10, 0.63, 0.7},
    {60,  8, 20, 0.63, 0.4},
}};

#define PRESET(name, sentence, list, tuning) \
    {name, sentence, list, sizeof(list) / sizeof *(list), tuning}

const struct preset presets[] = {
    PRESET("system0", "system 0's own model: OLS on 4 lags of the last 168 h", system0, NULL),
    PRESET("boost", "gradient boosting", boost, &boost_tuning),
    PRESET("forest", "a random forest", forest, &forest_tuning),
    PRESET("holt_winters", "exponential smoothing, damped", holt_winters, NULL),
    PRESET("theta", "the Theta method", theta, NULL),
    {0},
};
/* clang-format on */

const struct preset *preset_find(const char *name)
{
    for (size_t i = 0; presets[i].name; i++)
        if (!strcmp(presets[i].name, name))
            return &presets[i];
    return NULL;
}
