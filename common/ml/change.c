/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/change.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdbool.h>
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

/* How far each hour is from the mean of its hour of the day over the first `reference` of
 * count; owned. */
static double *distances(const double *y, size_t count, size_t reference)
{
    double sum[DAY] = {0}, days[DAY] = {0}, *far = xmalloc(count * sizeof *far);
    for (size_t u = 0; u < reference; u++) {
        sum[u % DAY] += isfinite(y[u]) ? y[u] : 0;
        days[u % DAY] += isfinite(y[u]);
    }
    for (size_t u = 0; u < count; u++)
        far[u] = fabs(y[u] - sum[u % DAY] / days[u % DAY]);
    return far;
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

/* Of a day, without the largest quarter. */
static double trimmed_mean(const double *v)
{
    double there[DAY];
    size_t k = 0;
    for (size_t i = 0; i < DAY; i++)
        if (isfinite(v[i]))
            there[k++] = v[i];
    if (2 * k < DAY)
        return NAN;
    gsl_sort(there, 1, k);
    return mean(there, k - k / 4);
}

static double day_mean(const double *v)
{
    return mean(v, DAY);
}

/* Of the days of the reference, whatever hour they begin at; NaN if none is known. */
static double worst_day(const double *v, size_t reference, double (*of)(const double *))
{
    double worst = NAN;
    for (size_t i = 0; i + DAY <= reference; i++)
        worst = fmax(worst, of(v + i)); /* of a number and NaN, the number */
    return worst;
}

/* Is most of the last day as far off as no day of the reference was? An excursion of some
 * hours is none, though for a day forecasts are made from it. */
static bool stays_off(const double *far, size_t count, size_t reference)
{
    return trimmed_mean(far + count - DAY) > worst_day(far, reference, trimmed_mean);
}

/* The hour since which errors lie above the middle between the reference's level (that
 * of the first hours) and the last day's; count if the last day's are not beyond what the
 * reference knows. */
static size_t first_beyond(const double *err, size_t count, size_t reference)
{
    double level = mean(err, reference), last = day_mean(err + count - DAY);
    if (!(last > CHANGE_FACTOR * worst_day(err, reference, day_mean)) || !isfinite(level))
        return count;
    size_t at = count;
    double sum = 0, best = 0, middle = (level + last) / 2;
    for (size_t u = count; u-- > reference;) {
        sum += isfinite(err[u]) ? err[u] - middle : 0;
        if (sum > best) {
            best = sum;
            at = u;
        }
    }
    return at;
}

/* Errors and distances of count hours from `first` on: change_find()'s answer. */
static size_t change(const double *err, const double *far, size_t first, size_t count,
                     size_t reference)
{
    size_t at = first_beyond(err, count, reference);
    bool found = at + CHANGE_MIN_HOURS <= count && stays_off(far, count, reference);
    return found ? first + at : 0;
}

size_t change_find(const struct model *champion, const struct truth *t, size_t n)
{
    size_t need = model_history(champion);
    if (n < need + 4 * DAY)
        return 0;
    size_t first = n > need + CHANGE_SPAN_HOURS ? n - CHANGE_SPAN_HOURS : need;
    size_t count = n - first, recent = count / 2 < WEEK ? count / 2 : WEEK;
    double *err = errors_by_hour(champion, t, first, n);
    double *far = distances(t->y + first, count, count - recent);
    size_t at = change(err, far, first, count, count - recent);
    free(far);
    free(err);
    return at;
}

size_t change_find_alone(const double *y, size_t n)
{
    if (n < CHANGE_SPAN_HOURS)
        return 0;
    size_t first = n - CHANGE_SPAN_HOURS, reference = CHANGE_SPAN_HOURS - WEEK;
    double *far = distances(y + first, CHANGE_SPAN_HOURS, reference);
    size_t at = change(far, far, first, CHANGE_SPAN_HOURS, reference);
    free(far);
    return at;
}
