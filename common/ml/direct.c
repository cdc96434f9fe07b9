/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct: one ridge regression per lead, so that no step builds on the error of the one
 * before (the direct strategy of multi-step forecasting, as in Taieb, Bontempi, Atiya and
 * Sorjamaa 2012).
 *
 * Lags below SEASONAL count back from the origin, whatever the lead: what is newest. The
 * others count back from the hour that is forecast, and go back by whole days until they
 * are known: the same hour of days before. Where two lags meet on one hour, the second is
 * left out at that lead.
 *
 * direct_others also reads the series that stand beside (others.h): the newest hour of
 * each and, as far as that is known at a lead, the hour before the one that is forecast
 * at which it says most. Only a direct forecast can: step by step, these would have to be
 * forecast as well. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/direct.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"

#define SEASONAL 23
#define DAY 24

void direct_places(const struct feature_spec *s, size_t lead, size_t at[FEATURES_MAX])
{
    for (size_t c = 0; c < s->n_lags; c++) {
        size_t lag = (size_t)s->lags[c];
        if (lag >= SEASONAL) {
            if (lag < lead)
                lag += (lead - lag + DAY - 1) / DAY * DAY;
            lag -= lead - 1;
        }
        for (size_t i = 0; i < c; i++)
            if (at[i] == lag)
                lag = DIRECT_NONE;
        at[c] = lag;
    }
}

bool direct_row(const size_t *at, size_t lags, const double *z, size_t n, double *row)
{
    for (size_t i = 0; i < lags; i++) {
        row[i] = 0;
        if (at[i] == DIRECT_NONE)
            continue;
        if (at[i] > n || !isfinite(z[n - at[i]]))
            return false;
        row[i] = z[n - at[i]];
    }
    return true;
}

static size_t min_hours(const struct model *m)
{
    size_t before = 0, at[FEATURES_MAX];
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        direct_places(&m->features, k + 1, at);
        for (size_t i = 0; i < m->features.n_lags; i++)
            if (at[i] != DIRECT_NONE && at[i] + k > before)
                before = at[i] + k;
    }
    return before + linear_min_rows(m);
}

/* A season that was moved back is nearer than a day to the hour it is moved to. */
static size_t history(const struct model *m)
{
    size_t most = linear_history(m);
    return most > DAY ? most : DAY;
}

/* Of the lead 1, where all lags count from the same hour. */
static double step(const struct model *m, const double *row, int64_t t_s)
{
    (void)t_s;
    return linear_value(m, m->coef, row);
}

/* The exogenous part of the row at an origin and a lead. */
static void exogenous_row(const struct model *m, const struct hours *past, size_t lead,
                          double *row)
{
    int64_t origin_s = past->start_s + ((int64_t)past->n - 1) * 3600;
    for (size_t i = 0; i < m->features.n_exogenous; i++) {
        const struct exogenous *x = &m->features.exogenous[i];
        int at = past->beside ? others_find(past->beside, x->series) : -1;
        for (size_t k = 0; k < x->n_lags; k++, row++) {
            *row = features_exogenous(x, k, past->beside, at, origin_s, lead);
            if (!isfinite(*row))
                *row = x->mean;
        }
    }
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double z[LAG_MAX], row[FEATURES_MAX];
    size_t need = history(m), lags = m->features.n_lags, at[FEATURES_MAX];
    size_t cols = features_columns(&m->features);
    if (past->n < need)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       need, past->n);
    linear_read(m, past, need, z);
    for (size_t k = 0; k < horizon; k++) {
        direct_places(&m->features, k + 1, at);
        exogenous_row(m, past, k + 1, row + lags);
        if (!direct_row(at, lags, z, need, row))
            return err_set(e, ERR_CONFLICT,
                           "lead %zu cannot be forecast: an hour it reads is missing",
                           k + 1);
        out[k] = linear_value(m, m->coef + k * (cols + 1), row);
    }
    return 0;
}

static bool forecast_many(const struct model *const *m, const struct hours *past,
                          size_t horizon, double (*out)[HORIZON_MAX])
{
    double z[FORECAST_MANY][LAG_MAX], row[FEATURES_MAX];
    size_t need = history(m[0]), lags = m[0]->features.n_lags, at[FEATURES_MAX];
    size_t cols = features_columns(&m[0]->features);
    for (size_t i = 0; i < FORECAST_MANY; i++)
        linear_read(m[i], &past[i], need, z[i]);
    for (size_t k = 0; k < horizon; k++) {
        direct_places(&m[0]->features, k + 1, at);
        for (size_t i = 0; i < FORECAST_MANY; i++) {
            exogenous_row(m[i], &past[i], k + 1, row + lags);
            if (!direct_row(at, lags, z[i], need, row))
                return false;
            out[i][k] = linear_value(m[i], m[i]->coef + k * (cols + 1), row);
        }
    }
    return true;
}

static json_t *save(const struct model *m)
{
    json_t *leads = json_array();
    size_t n = features_columns(&m->features) + 1;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        json_array_append_new(leads, json_reals(m->coef + k * n, n));
    const double clip[] = {m->clip_low, m->clip_high};
    return json_pack("{s:o, s:o}", "leads", leads, "clip", json_reals(clip, 2));
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    const json_t *leads = json_object_get(state, "leads");
    size_t n = features_columns(&m->features) + 1;
    if (!m->features.n_lags || m->features.n_windows || m->features.calendar)
        return err_set(e, ERR_INVALID,
                       "field \"features\" must have lags, and neither windows nor a "
                       "calendar, for %s",
                       m->algo->name);
    if (json_array_size(leads) != HORIZON_MAX)
        return err_set(e, ERR_INVALID,
                       "field \"state.leads\" must be an array of %d arrays",
                       HORIZON_MAX);
    m->coef = xcalloc(HORIZON_MAX * n, sizeof *m->coef);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        char path[32];
        snprintf(path, sizeof path, "state.leads[%zu]", k);
        if (linear_load_reals(json_array_get(leads, k), path, m->coef + k * n, n, e))
            return -1;
    }
    return linear_load_clip(m, state, e);
}

static const struct algo_param params[] = {
    {"strength", 10, RIDGE_MIN_STRENGTH, 1e6,
     "weight of the sum of squared coefficients (of standardised lags)"},
};

#define DIRECT_MEMBERS                                                                   \
    .params = params, .n_params = 1, .reads_lags = true, .min_hours = min_hours,         \
    .history = history, .fit = algo_learn, .step = step, .forecast = forecast,           \
    .forecast_many = forecast_many, .save = save, .load = load

const struct algo algo_direct = {
    .name = "direct",
    .sentence = "A linear regression of its own for each hour ahead",
    .complexity = 6,
    .learning = &direct_learning,
    DIRECT_MEMBERS,
};

const struct algo algo_direct_others = {
    .name = "direct_others",
    .sentence = "The same, reading of each series beside it the newest hour and the one "
                "that says most",
    .complexity = 7,
    .learning = &direct_learning_with_others,
    .reads_others = true,
    DIRECT_MEMBERS,
};
