/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/sums.h"

#define HOUR_HARMONICS 4
#define WEEK_HARMONICS 3
#define HOUR_S 3600
#define DAY_HOURS 24
#define WEEK_HOURS 168
#define FIRST_MONDAY_S (4 * DAY_HOURS * HOUR_S) /* 1970-01-05 */

const char *const features_stats[N_STATS] = {"mean", "std",   "min",
                                             "max",  "slope", "diff"};

size_t features_of_history(const struct feature_spec *s)
{
    size_t n = s->n_lags + s->n_windows;
    for (size_t i = 0; i < s->n_exogenous; i++)
        n += s->exogenous[i].n_lags;
    return n;
}

static size_t calendar_columns(unsigned calendar)
{
    return (calendar & CALENDAR_HOUR ? 2 * HOUR_HARMONICS : 0) +
           (calendar & CALENDAR_WEEK ? 2 * WEEK_HARMONICS : 0);
}

size_t features_columns(const struct feature_spec *s)
{
    return features_of_history(s) + calendar_columns(s->calendar);
}

size_t features_reach(const struct feature_spec *s)
{
    int max = 0;
    for (size_t i = 0; i < s->n_lags; i++)
        max = s->lags[i] > max ? s->lags[i] : max;
    for (size_t i = 0; i < s->n_windows; i++)
        max = s->windows[i].hours > max ? s->windows[i].hours : max;
    return (size_t)max;
}

const char *features_name(const struct feature_spec *s, size_t i,
                          char buf[FEATURE_NAME_SIZE])
{
    size_t w = i - s->n_lags, c = i - features_of_history(s);
    if (i < s->n_lags) {
        snprintf(buf, FEATURE_NAME_SIZE, "lag_%d", s->lags[i]);
    } else if (w < s->n_windows) {
        snprintf(buf, FEATURE_NAME_SIZE, "%s_%d", features_stats[s->windows[w].stat],
                 s->windows[w].hours);
    } else if (i < features_of_history(s)) {
        const struct exogenous *x = s->exogenous;
        for (w -= s->n_windows; w >= x->n_lags; x++)
            w -= x->n_lags;
        snprintf(buf, FEATURE_NAME_SIZE, "%s.lag_%d", x->series, x->lags[w]);
    } else {
        bool week = !(s->calendar & CALENDAR_HOUR) || c >= 2 * HOUR_HARMONICS;
        if (week && s->calendar & CALENDAR_HOUR)
            c -= 2 * HOUR_HARMONICS;
        snprintf(buf, FEATURE_NAME_SIZE, "%s_%s_%d", week ? "week" : "hour",
                 c % 2 ? "cos" : "sin", (int)(c / 2 % 9) + 1);
    }
    return buf;
}

double features_transform(const struct feature_spec *s, double value)
{
    if (s->transform == TRANSFORM_LOG)
        return value > 0 ? log(value) : NAN;
    return value;
}

double features_inverse(const struct feature_spec *s, double value)
{
    return s->transform == TRANSFORM_LOG ? exp(value) : value;
}

/* ---- rows ---- */

static double slope(const double *z, size_t n)
{
    double mid = ((double)n - 1) / 2, xy = 0, xx = 0;
    for (size_t i = 0; i < n; i++) {
        double x = (double)i - mid;
        xy += x * z[i];
        xx += x * x;
    }
    return xy / xx;
}

static double deviation(const double *z, size_t n, double mean)
{
    double ss = 0;
    for (size_t i = 0; i < n; i++)
        ss += (z[i] - mean) * (z[i] - mean);
    return sqrt(ss / (double)n);
}

/* NaN if one of the hours it reads is. */
static double measure(enum statistic stat, const double *z, size_t n)
{
    double low = z[0], high = z[0];
    if (stat == STAT_SLOPE)
        return slope(z, n);
    if (stat == STAT_DIFF)
        return z[n - 1] - z[0];
    double mean = sums_total(z, n) / (double)n;
    if (stat == STAT_MEAN || !isfinite(mean))
        return mean;
    if (stat == STAT_STD)
        return deviation(z, n, mean);
    for (size_t i = 0; i < n; i++) {
        low = z[i] < low ? z[i] : low;
        high = z[i] > high ? z[i] : high;
    }
    return stat == STAT_MIN ? low : high;
}

/* Sines and cosines in turn, for each hour of a week that begins on Monday. */
static double day_waves[DAY_HOURS][2 * HOUR_HARMONICS];
static double week_waves[WEEK_HOURS][2 * WEEK_HARMONICS];

/* Before main(): so there is nothing to be first at. */
__attribute__((constructor)) static void make_waves(void)
{
    for (int h = 0; h < WEEK_HOURS; h++) {
        for (int k = 0; k < WEEK_HARMONICS; k++) {
            week_waves[h][2 * k] = sin(2 * M_PI * (k + 1) * h / WEEK_HOURS);
            week_waves[h][2 * k + 1] = cos(2 * M_PI * (k + 1) * h / WEEK_HOURS);
        }
        for (int k = 0; h < DAY_HOURS && k < HOUR_HARMONICS; k++) {
            day_waves[h][2 * k] = sin(2 * M_PI * (k + 1) * h / DAY_HOURS);
            day_waves[h][2 * k + 1] = cos(2 * M_PI * (k + 1) * h / DAY_HOURS);
        }
    }
}

int features_week_hour(const struct zone *zone, int64_t t_s)
{
    int64_t local_s = t_s + zone_offset(zone, t_s) - FIRST_MONDAY_S;
    int64_t hour = local_s / HOUR_S % WEEK_HOURS;
    return (int)(hour < 0 ? hour + WEEK_HOURS : hour);
}

void features_calendar(const struct feature_spec *s, int64_t t_s, double *out)
{
    if (!s->calendar)
        return;
    int hour = features_week_hour(s->zone, t_s);
    if (s->calendar & CALENDAR_HOUR) {
        memcpy(out, day_waves[hour % DAY_HOURS], sizeof day_waves[0]);
        out += 2 * HOUR_HARMONICS;
    }
    if (s->calendar & CALENDAR_WEEK)
        memcpy(out, week_waves[hour], sizeof week_waves[0]);
}

void features_fill(const struct feature_spec *s, const double *z, size_t n,
                   int64_t next_s, double *restrict out)
{
    const double *end = z + n;
    for (size_t i = 0; i < s->n_lags; i++)
        out[i] = end[-s->lags[i]];
    out += s->n_lags;
    for (size_t i = 0; i < s->n_windows; i++) {
        size_t hours = (size_t)s->windows[i].hours;
        *out++ = measure(s->windows[i].stat, end - hours, hours);
    }
    features_calendar(s, next_s, out);
}

int features_row(const struct feature_spec *s, const double *z, size_t n, int64_t next_s,
                 double *out)
{
    bool missing = false;
    if (features_reach(s) > n)
        return -1;
    features_fill(s, z, n, next_s, out);
    for (size_t i = 0; i < s->n_lags + s->n_windows; i++)
        missing |= !isfinite(out[i]);
    return missing ? -1 : 0;
}

/* Without a look at the other lags. */
static size_t back_alone(int lag, size_t lead)
{
    if (lag == 1)
        return 1;
    return (size_t)lag < lead ? 0 : (size_t)lag - lead + 1;
}

size_t features_back(const struct exogenous *x, size_t i, size_t lead)
{
    size_t back = back_alone(x->lags[i], lead);
    for (size_t k = 0; k < i; k++)
        if (back_alone(x->lags[k], lead) == back)
            return 0;
    return back;
}

double features_exogenous(const struct exogenous *x, size_t i,
                          const struct others *beside, int at, int64_t origin_s,
                          size_t lead)
{
    size_t back = features_back(x, i, lead);
    if (!back)
        return 0;
    if (at < 0)
        return NAN;
    return others_at(beside, (size_t)at, origin_s - ((int64_t)back - 1) * HOUR_S);
}

size_t features_rows(const struct feature_spec *s, const struct hours *h, double **x,
                     double **target)
{
    size_t first = features_reach(s), rows = 0, p = features_columns(s);
    size_t most = h->n > first ? h->n - first : 0;
    *x = xmalloc((most * p + 1) * sizeof **x);
    *target = xmalloc((most + 1) * sizeof **target);
    double *z = xmalloc((h->n + 1) * sizeof *z);
    struct feature_spec here = *s;
    here.zone = h->zone;
    for (size_t t = 0; t < h->n; t++)
        z[t] = features_transform(s, h->y[t]);
    for (size_t t = first; t < h->n; t++)
        if (isfinite(z[t]) &&
            !features_row(&here, z, t, h->start_s + (int64_t)t * HOUR_S, *x + rows * p))
            (*target)[rows++] = z[t];
    free(z);
    return rows;
}
