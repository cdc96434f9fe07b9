/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seasonal_ar: the same hour of the last day, put right by what today differs from it.
 *
 * The seasonal differences d[t] = y[t] - y[t-24] are taken for an autoregression of order
 * one, so the newest of them fades with the lead:
 *
 *     yhat[n-1+k] = y[n-1+k-24] + decay^k d[n-1]
 *
 * In Box and Jenkins' terms ARIMA(1,0,0)(0,1,0) with season 24, fitted by conditional
 * least squares. The simplest model that both knows the day and follows the weather: it
 * fills the gap between the seasonal naive forecast, which is worse than persistence for
 * the next hours, and persistence, which is worse after. */
#include <math.h>

#include "common/json.h"
#include "common/ml/algos.h"
#include "common/ml/model.h"

#define DECAY_MAX 0.99 /* a difference never lasts for ever */
#define PAIRS_MIN 24   /* of consecutive differences */

static size_t season(const struct model *m)
{
    return (size_t)m->params[0];
}

static size_t min_hours(const struct model *m)
{
    return season(m) + PAIRS_MIN + 1;
}

static size_t history(const struct model *m)
{
    return season(m) + 1;
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    size_t s = season(m), pairs = 0;
    double above = 0, below = 0;
    for (size_t t = s + 1; t < h->n; t++) {
        double before = h->y[t - 1] - h->y[t - 1 - s], d = h->y[t] - h->y[t - s];
        if (!isfinite(before) || !isfinite(d))
            continue;
        above += before * d;
        below += before * before;
        pairs++;
    }
    if (pairs < PAIRS_MIN)
        return err_set(e, ERR_CONFLICT,
                       "%s needs %d pairs of hours that have one a day before, there are "
                       "%zu",
                       m->algo->name, PAIRS_MIN, pairs);
    m->decay = below > 0 ? fmin(fmax(above / below, 0), DECAY_MAX) : 0;
    m->training.rows = pairs;
    return isfinite(m->decay)
               ? 0
               : err_set(e, ERR_CONFLICT,
                         "the fit is not finite: the values are too large");
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    const double *y = past->y;
    size_t n = past->n;
    size_t s = season(m);
    if (n < s + 1)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       s + 1, n);
    if (algo_seasonal_naive_24.forecast(m, past, horizon, out, e))
        return -1;
    double fading = y[n - 1] - y[n - 1 - s];
    if (!isfinite(fading))
        fading = 0; /* nothing is known of today's difference */
    for (size_t k = 0; k < horizon; k++)
        out[k] += fading *= m->decay;
    return 0;
}

static json_t *save(const struct model *m)
{
    return json_pack("{s:f}", "decay", m->decay);
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    return json_get_real(state, "decay", &m->decay, 0, DECAY_MAX, e)
               ? err_prefix(e, "state")
               : 0;
}

static const struct algo_param params[] = {
    {"season", 24, 24, 24, "hours after which values are taken to repeat"},
};

const struct algo algo_seasonal_ar_24 = {
    .name = "seasonal_ar_24",
    .sentence = "The same hour of the last day, and how much today differs, fading",
    .complexity = 3,
    .params = params,
    .n_params = 1,
    .min_hours = min_hours,
    .history = history,
    .fit = fit,
    .forecast = forecast,
    .save = save,
    .load = load,
};
