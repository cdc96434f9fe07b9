/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/history.h"

#include <math.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

struct history {
    size_t n;
    int64_t newest; /* hour number (ms / HOUR_MS) of the newest; INT64_MIN: none yet */
    double y[];     /* hour number h is at h mod n */
};

void history_clear(struct history *h)
{
    h->newest = INT64_MIN;
    for (size_t i = 0; i < h->n; i++)
        h->y[i] = NAN;
}

struct history *history_new(size_t hours)
{
    struct history *h = xmalloc(sizeof *h + hours * sizeof *h->y);
    h->n = hours;
    history_clear(h);
    return h;
}

void history_free(struct history *h)
{
    free(h);
}

size_t history_hours(const struct history *h)
{
    return h->n;
}

static double *at(const struct history *h, int64_t hour)
{
    int64_t i = hour % (int64_t)h->n;
    return (double *)&h->y[i < 0 ? i + (int64_t)h->n : i];
}

/* Makes hour the newest: the hours between are missing. */
static void advance(struct history *h, int64_t hour)
{
    int64_t from = h->newest == INT64_MIN || hour - h->newest > (int64_t)h->n
                       ? hour - (int64_t)h->n + 1
                       : h->newest + 1;
    for (int64_t i = from; i <= hour; i++)
        *at(h, i) = NAN;
    h->newest = hour;
}

static bool holds(const struct history *h, int64_t hour)
{
    return h->newest != INT64_MIN && hour <= h->newest &&
           h->newest - hour < (int64_t)h->n;
}

bool history_put(struct history *h, int64_t hour_ms, double value)
{
    int64_t hour = hour_ms / HOUR_MS;
    if (hour_ms % HOUR_MS)
        return false;
    if (h->newest == INT64_MIN || hour > h->newest) {
        if (!isfinite(value))
            return false;
        advance(h, hour);
    } else if (!holds(h, hour)) {
        return false;
    }
    double *y = at(h, hour);
    bool same = *y == value || (!isfinite(*y) && !isfinite(value));
    *y = isfinite(value) ? value : NAN;
    return !same;
}

bool history_newest(const struct history *h, int64_t at_most_ms, int64_t *hour_ms)
{
    if (h->newest == INT64_MIN)
        return false;
    int64_t hour = clock_hour_floor(at_most_ms) / HOUR_MS;
    if (hour > h->newest)
        hour = h->newest;
    for (; holds(h, hour); hour--)
        if (isfinite(*at(h, hour))) {
            *hour_ms = hour * HOUR_MS;
            return true;
        }
    return false;
}

size_t history_copy(const struct history *h, int64_t origin_ms, double *out, size_t max)
{
    int64_t origin = origin_ms / HOUR_MS;
    if (h->newest == INT64_MIN)
        return 0;
    int64_t from = h->newest - (int64_t)h->n + 1;
    if (from <= origin - (int64_t)max)
        from = origin - (int64_t)max + 1;
    while (from <= origin && !(holds(h, from) && isfinite(*at(h, from))))
        from++;
    size_t n = 0;
    for (int64_t i = from; i <= origin; i++)
        out[n++] = holds(h, i) ? *at(h, i) : NAN;
    return n;
}
