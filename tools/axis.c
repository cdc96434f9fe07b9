/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/axis.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define HOUR_S 3600.0
#define DAY_S 86400.0

/* Multiples of step in the range; returns whether there are few enough. */
static int multiples(double low, double high, double step, size_t most, struct axis *a)
{
    double first = ceil(low / step - 1e-9);
    a->n = 0;
    if (most > AXIS_TICKS_MAX)
        most = AXIS_TICKS_MAX;
    for (; first * step <= high + step * 1e-9; first++) {
        if (a->n == most)
            return 0;
        a->at[a->n++] = first * step;
    }
    return 1;
}

void axis_values(double low, double high, size_t most, struct axis *a)
{
    static const double nice[] = {1, 2, 5};
    double power = pow(10, floor(log10((high - low) / (double)most))), step = power;
    a->n = 0;
    if (!(high > low) || !isfinite(high - low) || !(power > 0))
        return;
    for (size_t i = 1; !multiples(low, high, step, most, a); i++) {
        power *= i % 3 ? 1 : 10;
        step = nice[i % 3] * power;
    }
    int digits = (int)-floor(log10(step) + 1e-9);
    double size = fmax(fabs(low), fabs(high));
    for (size_t i = 0; i < a->n; i++) {
        double x = fabs(a->at[i]) < step / 2 ? 0 : a->at[i];
        if (size >= 1e6 || size < 1e-4)
            snprintf(a->label[i], AXIS_LABEL_SIZE, "%.10g", x);
        else
            snprintf(a->label[i], AXIS_LABEL_SIZE, "%.*f", digits > 0 ? digits : 0, x);
    }
}

/* ---- times ---- */

static void label_time(double t_s, char label[AXIS_LABEL_SIZE], const char *day)
{
    time_t t = (time_t)t_s;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(label, AXIS_LABEL_SIZE, tm.tm_hour || tm.tm_min ? "%H:%M" : day, &tm);
}

/* The first of each `step`-th month. */
static int months(double from_s, double to_s, int step, size_t most, struct axis *a)
{
    time_t t = (time_t)from_s;
    struct tm tm;
    gmtime_r(&t, &tm);
    struct tm first = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = 1};
    first.tm_mon -= first.tm_mon % step;
    for (a->n = 0;; first.tm_mon += step) {
        struct tm at = first;
        double t_s = (double)timegm(&at);
        if (t_s > to_s)
            return 1;
        if (t_s < from_s)
            continue;
        if (a->n == most || a->n == AXIS_TICKS_MAX)
            return 0;
        strftime(a->label[a->n], AXIS_LABEL_SIZE, "%b %Y", &at);
        a->at[a->n++] = t_s;
    }
}

void axis_times(double from_s, double to_s, size_t most, struct axis *a)
{
    static const double steps_h[] = {1, 2, 3, 6, 12, 24, 48, 168};
    a->n = 0;
    if (!(to_s > from_s) || from_s < 0 || to_s > 253402300799.0)
        return;
    for (size_t i = 0; i < sizeof steps_h / sizeof *steps_h; i++) {
        /* weeks begin on Monday: the epoch was a Thursday */
        double shift = steps_h[i] > 100 ? 4 * DAY_S : 0;
        if (!multiples(from_s - shift, to_s - shift, steps_h[i] * HOUR_S, most, a))
            continue;
        for (size_t k = 0; k < a->n; k++) {
            a->at[k] += shift;
            label_time(a->at[k], a->label[k], "%-d %b");
        }
        return;
    }
    for (int step = 1; !months(from_s, to_s, step, most, a); step *= 2)
        ;
}

void axis_hours(double from, double to, size_t most, struct axis *a)
{
    static const double steps[] = {1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 1440};
    a->n = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (multiples(from, to, steps[i], most, a))
            break;
    for (size_t i = 0; i < a->n; i++)
        snprintf(a->label[i], AXIS_LABEL_SIZE, "%.0f", a->at[i] + 0.0);
}
