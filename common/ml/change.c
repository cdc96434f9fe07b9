/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/change.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

#define DAY 24
#define WEEK 168

/* Mean error of the forecasts of each hour; [u - first] for hours first .. n - 1, NaN
 * where there is none. Owned. */
static double *errors_by_hour(const struct model *m, const struct truth *t, size_t first,
                              size_t n)
{
    double *err = xcalloc(n - first, sizeof *err);
    size_t *k = xcalloc(n - first, sizeof *k);
    double yhat[DAY];
    for (size_t origin = first - 1; origin + 1 < n; origin++) {
        const struct hours past = hours_part(t->filled, 0, origin + 1);
        if (!isfinite(t->y[origin]) || model_points(m, &past, DAY, yhat, NULL))
            continue;
        for (size_t lead = 0; lead < DAY && origin + 1 + lead < n; lead++) {
            double d = fabs(t->y[origin + 1 + lead] - yhat[lead]);
            if (isfinite(d)) {
                err[origin + 1 + lead - first] += d;
                k[origin + 1 + lead - first]++;
            }
        }
    }
    for (size_t u = 0; u < n - first; u++)
        err[u] = k[u] ? err[u] / (double)k[u] : NAN;
    free(k);
    return err;
}

/* Mean of the values that are there; NaN if fewer than half are. */
static double mean(const double *v, size_t n)
{
    double sum = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i])) {
            sum += v[i];
            k++;
        }
    }
    return 2 * k >= n && k ? sum / (double)k : NAN;
}

size_t change_find(const struct model *champion, const struct truth *t, size_t n)
{
    size_t need = model_history(champion);
    if (n < need + 4 * DAY)
        return 0;
    size_t first = n > need + CHANGE_SPAN_HOURS ? n - CHANGE_SPAN_HOURS : need;
    size_t count = n - first, recent = count / 2 < WEEK ? count / 2 : WEEK;
    size_t reference = count - recent, at = count, days = 0;
    double *err = errors_by_hour(champion, t, first, n), worst = 0;
    for (size_t i = 0; i + DAY <= reference; i++) {
        double day = mean(err + i, DAY);
        days += isfinite(day);
        worst = fmax(worst, isfinite(day) ? day : 0);
    }
    double level = mean(err, reference), last = mean(err + count - DAY, DAY);
    if (days && last > CHANGE_FACTOR * worst && isfinite(level)) {
        double sum = 0, best = 0, middle = (level + last) / 2;
        for (size_t u = count; u-- > reference;) {
            sum += isfinite(err[u]) ? err[u] - middle : 0;
            if (sum > best) {
                best = sum;
                at = u;
            }
        }
    }
    free(err);
    return at + CHANGE_MIN_HOURS <= count ? first + at : 0;
}
