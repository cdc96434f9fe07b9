/* SPDX-License-Identifier: GPL-3.0-or-later */
/* others_choose: which of the series that could stand beside one are worth reading, and
 * which of them say the same as another. */
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/others_choose.h"
#include "common/ml/ties.h"

#define ROWS_MIN 24 /* hours that both have, for their correlation */

_Static_assert(OTHERS_CONSIDERED_MAX + 1 <= TIES_MAX, "the series and all others");

/* New array: what is a function of what, in sentences. */
static json_t *same(const struct others_asked *a)
{
    struct ties_asked all = {
        .n = a->n + 1, .name = {a->series}, .hours = {a->hours}, .quick = true};
    json_t *out = json_array(), *found, *one;
    size_t at;
    for (size_t i = 0; i < a->n; i++) {
        all.name[i + 1] = a->name[i];
        all.hours[i + 1] = a->other[i];
    }
    found = ties_find(&all);
    json_array_foreach(found, at, one)
        json_array_append(out, json_object_get(one, "text"));
    json_decref(found);
    return out;
}

/* The next to be read: one that was asked for, else the one worth most; -1: none is. */
static int next(const struct others_asked *a, const double *worth, const bool *taken)
{
    int best = -1;
    for (size_t i = 0; i < a->n; i++) {
        bool good = a->asked[i] || worth[i] >= OTHERS_WORTH;
        if (taken[i] || !good)
            continue;
        bool better = best < 0 || a->asked[i] > a->asked[best] ||
                      (a->asked[i] == a->asked[best] && worth[i] > worth[best]);
        best = better ? (int)i : best;
    }
    return best;
}

/* Pearson's, over the hours that both have; NaN where these are few or one rests. */
static double correlation(const struct hours *a, const struct hours *b)
{
    double *x = xmalloc((2 * a->n + 1) * sizeof *x), *y = x + a->n;
    size_t n = 0;
    for (size_t t = 0; t < a->n; t++)
        if (isfinite(a->y[t]) && isfinite(b->y[t])) {
            x[n] = a->y[t];
            y[n++] = b->y[t];
        }
    double r = n < ROWS_MIN ? NAN : gsl_stats_correlation(x, 1, y, 1, n);
    free(x);
    return r;
}

/* How much each is worth, and at which lag: as a training sees it, whose first hour and
 * last hour have values. */
static void judge(const struct others_asked *a, double *worth, int *lag)
{
    struct others_target target;
    size_t first = 0, end = a->hours->n;
    while (end && !isfinite(a->hours->y[end - 1]))
        end--;
    while (first < end && !isfinite(a->hours->y[first]))
        first++;
    const struct hours own = hours_part(a->hours, first, end - first);
    others_target_init(&target, &own);
    for (size_t i = 0; i < a->n; i++) {
        const struct hours other = hours_part(a->other[i], first, end - first);
        lag[i] = others_lag(&target, &other);
        worth[i] = others_worth(&target, &other, lag[i]);
    }
    others_target_done(&target);
}

static json_t *told(const struct others_asked *a, size_t i, double worth, int lag,
                    bool read)
{
    return json_pack("{s:s, s:o, s:o, s:f, s:b, s:b}", "series", a->name[i],
                     "correlation", json_number(correlation(a->hours, a->other[i])),
                     "lag", worth > 0 ? json_integer(lag) : json_null(), "worth", worth,
                     "asked_for", a->asked[i], "read", read);
}

json_t *others_choose(const struct others_asked *a, struct others *out)
{
    double worth[OTHERS_CONSIDERED_MAX];
    int lag[OTHERS_CONSIDERED_MAX];
    bool taken[OTHERS_CONSIDERED_MAX] = {false};
    json_t *considered = json_array();
    others_init(out, a->hours);
    judge(a, worth, lag);
    for (int i; out->n < OTHERS_MAX && (i = next(a, worth, taken)) >= 0;) {
        taken[i] = true;
        others_add(out, a->name[i], a->other[i]);
        out->of[out->n - 1].lag = lag[i];
    }
    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(considered, told(a, i, worth[i], lag[i], taken[i]));
    return json_pack("{s:o, s:o}", "considered", considered, "same", same(a));
}
