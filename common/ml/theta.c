/* SPDX-License-Identifier: GPL-3.0-or-later */
/* theta: the Theta method (Assimakopoulos and Nikolopoulos 2000), as simple exponential
 * smoothing with a drift of half the slope of a straight line (Hyndman and Billah 2003),
 * on hours whose additive seasons of a day are taken off first (classical decomposition).
 *
 *     yhat[n-1+k] = level + slope/2 (k - 1 + 1/alpha - (1 - alpha)^n / alpha) + season
 */
#include <math.h>

#include "common/ml/algos.h"
#include "common/ml/smoothing.h"

#define HOUR_S 3600

/* The least-squares slope per hour of what has a value. */
static double slope(const struct hours *h)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t t = 0; t < h->n; t++) {
        if (!isfinite(h->y[t]))
            continue;
        n++;
        x += (double)t;
        y += h->y[t];
    }
    for (size_t t = 0; t < h->n; t++) {
        double d = (double)t - x / n;
        if (!isfinite(h->y[t]))
            continue;
        xx += d * d;
        xy += d * (h->y[t] - y / n);
    }
    return xx > 0 ? xy / xx : 0;
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    struct smoothing s = {.alpha = 0.5, .phi = 1};
    struct hours plain = {0};
    if (smoothing_check(m, h, e))
        return -1;
    smoothing_seasons(h, s.season);
    if (hours_copy(&plain, h, e))
        return -1;
    for (size_t t = 0; t < h->n; t++)
        plain.y[t] -= s.season[smoothing_hour(h->start_s + (int64_t)t * HOUR_S)];
    s.drift = slope(&plain) / 2;
    hours_done(&plain);
    smoothing_begin(&s, h);
    if (smoothing_fit(&s, h, 1, e))
        return -1;
    return smoothing_keep(m, &s, h, e);
}

static double ahead(const struct smoothing *s, size_t lead, int64_t last_s)
{
    double begun = 1 - pow(1 - s->alpha, SMOOTHING_HISTORY);
    return smoothing_ahead(s, lead, last_s) +
           s->drift * ((double)lead - 1 + begun / s->alpha);
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    return smoothing_forecast(m, past, horizon, ahead, out, e);
}

static const struct algo_param params[] = {
    {"season", 24, 24, 24, "hours after which values are taken to repeat"},
};

const struct algo algo_theta = {
    .name = "theta",
    .sentence =
        "The Theta method: smoothing with a drift, the hours of the day taken off",
    .params = params,
    .n_params = 1,
    SMOOTHING_MEMBERS,
};
