/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define HOUR_HARMONICS 4
#define WEEK_HARMONICS 3
#define HOUR_S 3600
#define DAY_HOURS 24
#define WEEK_HOURS 168
#define FIRST_MONDAY_S (4 * DAY_HOURS * HOUR_S) /* 1970-01-05 */

static const char *const stats[N_STATS] = {"mean", "std", "min", "max", "slope", "diff"};

size_t features_of_history(const struct feature_spec *s)
{
    return s->n_lags + s->n_windows;
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
        snprintf(buf, FEATURE_NAME_SIZE, "%s_%d", stats[s->windows[w].stat],
                 s->windows[w].hours);
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

/* NaN if one of the hours it reads is. */
static double measure(enum statistic stat, const double *z, size_t n)
{
    double sum = 0, ss = 0, low = z[0], high = z[0];
    if (stat == STAT_SLOPE)
        return slope(z, n);
    if (stat == STAT_DIFF)
        return z[n - 1] - z[0];
    for (size_t i = 0; i < n; i++)
        sum += z[i];
    if (stat == STAT_MEAN || !isfinite(sum))
        return sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = z[i] - sum / (double)n;
        ss += d * d;
        low = z[i] < low ? z[i] : low;
        high = z[i] > high ? z[i] : high;
    }
    return stat == STAT_MIN ? low : stat == STAT_MAX ? high : sqrt(ss / (double)n);
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

void features_calendar(const struct feature_spec *s, int64_t t_s, double *out)
{
    if (!s->calendar)
        return;
    int64_t hour = (t_s - FIRST_MONDAY_S) / HOUR_S % WEEK_HOURS;
    hour += hour < 0 ? WEEK_HOURS : 0;
    if (s->calendar & CALENDAR_HOUR) {
        memcpy(out, day_waves[hour % DAY_HOURS], sizeof day_waves[0]);
        out += 2 * HOUR_HARMONICS;
    }
    if (s->calendar & CALENDAR_WEEK)
        memcpy(out, week_waves[hour], sizeof week_waves[0]);
}

int features_row(const struct feature_spec *s, const double *z, size_t n, int64_t next_s,
                 double *out)
{
    double probe = 0; /* becomes NaN with the first value that is not finite */
    for (size_t i = 0; i < s->n_lags; i++) {
        size_t lag = (size_t)s->lags[i];
        if (lag > n)
            return -1;
        out[i] = z[n - lag];
        probe += 0 * out[i];
    }
    out += s->n_lags;
    for (size_t i = 0; i < s->n_windows; i++) {
        size_t hours = (size_t)s->windows[i].hours;
        if (hours > n)
            return -1;
        *out = measure(s->windows[i].stat, z + n - hours, hours);
        probe += 0 * *out++;
    }
    features_calendar(s, next_s, out);
    return isnan(probe) ? -1 : 0;
}

size_t features_rows(const struct feature_spec *s, const struct hours *h, double **x,
                     double **target)
{
    size_t first = features_reach(s), rows = 0, p = features_columns(s);
    size_t most = h->n > first ? h->n - first : 0;
    *x = xmalloc((most * p + 1) * sizeof **x);
    *target = xmalloc((most + 1) * sizeof **target);
    double *z = xmalloc((h->n + 1) * sizeof *z);
    for (size_t t = 0; t < h->n; t++)
        z[t] = features_transform(s, h->y[t]);
    for (size_t t = first; t < h->n; t++)
        if (isfinite(z[t]) &&
            !features_row(s, z, t, h->start_s + (int64_t)t * HOUR_S, *x + rows * p))
            (*target)[rows++] = z[t];
    free(z);
    return rows;
}

/* ---- the document ---- */

json_t *features_to_json(const struct feature_spec *s)
{
    json_t *lags = json_array(), *windows = json_array(), *calendar = json_array();
    char name[FEATURE_NAME_SIZE];
    for (size_t i = 0; i < s->n_lags; i++)
        json_array_append_new(lags, json_integer(s->lags[i]));
    for (size_t i = 0; i < s->n_windows; i++)
        json_array_append_new(windows,
                              json_string(features_name(s, s->n_lags + i, name)));
    if (s->calendar & CALENDAR_HOUR)
        json_array_append_new(calendar, json_string("hour"));
    if (s->calendar & CALENDAR_WEEK)
        json_array_append_new(calendar, json_string("week"));
    json_t *j = json_pack("{s:o}", "lags", lags);
    if (s->n_windows)
        json_object_set(j, "windows", windows);
    json_decref(windows);
    json_object_set_new(j, "calendar", calendar);
    json_object_set_new(j, "exogenous", json_array());
    json_object_set_new(j, "transform",
                        json_string(s->transform == TRANSFORM_LOG ? "log" : "none"));
    return j;
}

static int list(const json_t *a, const char *path, size_t most, struct err *e)
{
    if (!json_is_array(a))
        return err_set(e, ERR_INVALID, "field \"%s\" must be an array", path);
    if (json_array_size(a) > most)
        return err_set(e, ERR_INVALID, "field \"%s\" has more than %zu entries", path,
                       most);
    return 0;
}

static int lags_from_json(struct feature_spec *s, const json_t *lags, struct err *e)
{
    size_t i;
    json_t *v;
    if (list(lags, "features.lags", FEATURES_MAX, e))
        return -1;
    json_array_foreach(lags, i, v)
    {
        json_int_t lag = json_is_integer(v) ? json_integer_value(v) : 0;
        if (lag < 1 || lag > LAG_MAX)
            return err_set(e, ERR_INVALID,
                           "field \"features.lags[%zu]\" must be an integer from 1 to %d",
                           i, LAG_MAX);
        for (size_t k = 0; k < i; k++)
            if (s->lags[k] == lag)
                return err_set(e, ERR_INVALID,
                               "field \"features.lags[%zu]\" repeats lag %d", i,
                               (int)lag);
        s->lags[i] = (int)lag;
        s->n_lags = i + 1;
    }
    return 0;
}

/* "mean_24" */
static bool window_from_text(struct window *w, const char *text)
{
    const char *bar = text ? strchr(text, '_') : NULL;
    char *end;
    for (int k = 0; bar && k < N_STATS; k++) {
        if (strncmp(stats[k], text, (size_t)(bar - text)) || stats[k][bar - text])
            continue;
        long hours = strtol(bar + 1, &end, 10);
        *w = (struct window){(enum statistic)k, (int)hours};
        return bar[1] >= '1' && bar[1] <= '9' && !*end && hours >= 2 && hours <= LAG_MAX;
    }
    return false;
}

static int windows_from_json(struct feature_spec *s, const json_t *windows, struct err *e)
{
    size_t i;
    json_t *v;
    if (!windows)
        return 0;
    if (list(windows, "features.windows", WINDOWS_MAX, e))
        return -1;
    json_array_foreach(windows, i, v)
    {
        if (!window_from_text(&s->windows[i], json_string_value(v)))
            return err_set(
                e, ERR_INVALID,
                "field \"features.windows[%zu]\" must be mean_N, std_N, min_N, "
                "max_N, slope_N or diff_N with N from 2 to %d",
                i, LAG_MAX);
        s->n_windows = i + 1;
    }
    return 0;
}

static int calendar_from_json(struct feature_spec *s, const json_t *calendar,
                              struct err *e)
{
    size_t i;
    json_t *v;
    if (!calendar)
        return 0;
    if (list(calendar, "features.calendar", 2, e))
        return -1;
    json_array_foreach(calendar, i, v)
    {
        const char *text = json_is_string(v) ? json_string_value(v) : "";
        unsigned bit = !strcmp(text, "hour")   ? CALENDAR_HOUR
                       : !strcmp(text, "week") ? CALENDAR_WEEK
                                               : 0;
        if (!bit || s->calendar & bit)
            return err_set(e, ERR_INVALID,
                           "field \"features.calendar[%zu]\" must be \"hour\" or "
                           "\"week\", each once",
                           i);
        s->calendar |= bit;
    }
    return 0;
}

int features_from_json(struct feature_spec *s, const json_t *j, struct err *e)
{
    static const char *const known[] = {"lags", "windows", "calendar", "exogenous",
                                        "transform"};
    *s = (struct feature_spec){0};
    if (!json_is_object(j))
        return err_set(e, ERR_INVALID, "field \"features\" must be an object");
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j, key, v)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key))
            i++;
        if (i == sizeof known / sizeof *known)
            return err_set(e, ERR_INVALID, "field \"features.%.40s\" is not known", key);
    }
    v = json_object_get(j, "exogenous");
    if (v && (!json_is_array(v) || json_array_size(v)))
        return err_set(
            e, ERR_INVALID,
            "field \"features.exogenous\" must be an empty array in this version");
    const char *transform = json_string_value(json_object_get(j, "transform"));
    if (transform && !strcmp(transform, "log"))
        s->transform = TRANSFORM_LOG;
    else if (!transform || strcmp(transform, "none"))
        return err_set(e, ERR_INVALID,
                       "field \"features.transform\" must be \"none\" or \"log\"");
    if (lags_from_json(s, json_object_get(j, "lags"), e) ||
        windows_from_json(s, json_object_get(j, "windows"), e) ||
        calendar_from_json(s, json_object_get(j, "calendar"), e))
        return -1;
    if (features_columns(s) > FEATURES_MAX)
        return err_set(e, ERR_INVALID, "field \"features\" has %zu columns, at most %d",
                       features_columns(s), FEATURES_MAX);
    return 0;
}
