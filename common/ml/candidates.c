/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/candidates.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/algos.h"

/* clang-format off */

/* Lags, in hours: the newest; around a day, two days, a week, two weeks before; all
 * of the last day but its ends. */
#define NEWEST 1, 2, 3
#define DAY    23, 24, 25, 26
#define DAY2   47, 48, 49
#define WEEK   167, 168, 169
#define WEEK2  335, 336, 337
#define BEFORE 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22

#define LAGS(...) .n_lags = sizeof((int[]){__VA_ARGS__}) / sizeof(int), .lags = {__VA_ARGS__}
#define LOG       .transform = TRANSFORM_LOG
#define CLOCK     .calendar = CALENDAR_HOUR
#define CALENDAR  .calendar = CALENDAR_HOUR | CALENDAR_WEEK
#define WINDOWS   .n_windows = 3, .windows = {{STAT_MEAN, 24}, {STAT_STD, 24}, {STAT_MEAN, 168}}

#define SIMPLE(a)                    {.name = #a, .algo = &algo_##a, .fallback = true}
#define OLS(n, ...)                  {.name = n, .algo = &algo_ols, .features = {__VA_ARGS__}}
#define FIT(n, a, penalty, ...)      {.name = n, .algo = &algo_##a, .strength = penalty,          \
                                      .features = {__VA_ARGS__}}

const struct candidate candidates[] = {
    SIMPLE(persistence),
    SIMPLE(seasonal_naive_24),
    SIMPLE(seasonal_naive_168),
    {.name = "fading_naive_24", .algo = &algo_fading_naive_24, .prior = true},
    SIMPLE(median_168),
    SIMPLE(seasonal_ar_24),
    OLS("ols_short", LAGS(NEWEST)),
    OLS("ols_daily", LAGS(NEWEST, DAY)),
    FIT("ridge_clock",         ridge,       1, LAGS(NEWEST), CLOCK),
    FIT("ridge_calendar",      ridge,      10, LAGS(NEWEST, DAY), CALENDAR),
    FIT("ridge_clock_log",     ridge,       1, LAGS(NEWEST), CLOCK, LOG),
    FIT("ridge_windows",       ridge,      10, LAGS(NEWEST, DAY), WINDOWS),
    FIT("ridge_weekly_log",    ridge,       1, LAGS(NEWEST, DAY, WEEK, 170), LOG),
    FIT("ridge_wide",          ridge,      50, LAGS(NEWEST, BEFORE, DAY, DAY2, WEEK, 170)),
    FIT("ridge_two_weeks",     ridge,       5, LAGS(NEWEST, 23, 24, 25, WEEK, WEEK2)),
    FIT("forgetting_weekly",   forgetting,  1, LAGS(NEWEST, DAY, WEEK, 170)),
    FIT("profile",             profile,     1, LAGS(NEWEST, 23, 24, 25)),
    FIT("profile_log",         profile,     1, LAGS(NEWEST, 23, 24, 25), LOG),
    FIT("direct",              direct,     10, LAGS(NEWEST, 23, 24, 25, DAY2, WEEK)),
    /* behind all others: what reads the series beside it */
    FIT("direct_others",       direct_others, 10, LAGS(NEWEST, 23, 24, 25, DAY2, WEEK)),
};
const size_t n_candidates = sizeof candidates / sizeof *candidates;
const size_t n_candidates_alone = sizeof candidates / sizeof *candidates - 1;
_Static_assert(sizeof candidates / sizeof *candidates <= CANDIDATES_MAX, "too many");
/* clang-format on */

struct model *candidate_model(const struct candidate *c, const char *series)
{
    struct model *m = model_new(c->algo, series);
    m->features = c->features;
    if (c->strength > 0)
        m->params[0] = c->strength;
    for (size_t i = 0; c->params && i < c->algo->n_params; i++)
        m->params[i] = c->params[i];
    m->grower = c->grower;
    for (size_t i = 0; c->recipe && i < c->recipe->n; i++)
        model_add_member(m, candidate_model(c->recipe->member[i], series),
                         &c->recipe->weight[i]);
    return m;
}

static bool all_positive(const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && y[i] <= 0)
            return false;
    return true;
}

/* The one value that fills half of the hours, which is their median; NaN: there is none.
 */
static double resting_value(const double *y, size_t n)
{
    double *v = xmalloc((n + 1) * sizeof *v), median;
    size_t there = 0, equal = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]))
            v[there++] = y[i];
    median = there ? gsl_stats_select(v, 1, there, there / 2) : 0;
    for (size_t i = 0; i < there; i++)
        equal += v[i] >= median && v[i] <= median;
    free(v);
    return there && 2 * equal >= there ? median : NAN;
}

/* Is there such a value, and is it nearer to what is there a day later than the present
 * one is? A shower has passed by then; a pump that runs for days still runs. Of the first
 * event of all, not a day old, nothing is known: no. */
static bool rests(const double *y, size_t n)
{
    double rest = resting_value(y, n), from_rest = 0, from_now = 0;
    for (size_t i = 24; i < n; i++)
        if (isfinite(y[i]) && isfinite(y[i - 24])) {
            from_rest += fabs(y[i] - rest);
            from_now += fabs(y[i] - y[i - 24]);
        }
    return from_rest < from_now;
}

bool candidate_suits(const struct candidate *c, const double *y, size_t n)
{
    if (c->algo == &algo_median_168)
        return rests(y, n);
    return c->features.transform != TRANSFORM_LOG || all_positive(y, n);
}

size_t candidate_min_hours(const struct candidate *c)
{
    struct model *m = candidate_model(c, "");
    size_t hours = c->algo->min_hours(m);
    model_free(m);
    return hours;
}
