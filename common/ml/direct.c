/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct: one ridge regression per lead, so that no step builds on the error of the one
 * before (the direct strategy of multi-step forecasting, as in Taieb, Bontempi, Atiya and
 * Sorjamaa 2012).
 *
 * Lags below SEASONAL count back from the origin, whatever the lead: what is newest. The
 * others count back from the hour that is forecast, and go back by whole days until they
 * are known: the same hour of days before. Where two lags meet on one hour, the second is
 * left out at that lead. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"

#define SEASONAL 23
#define DAY 24
#define NONE SIZE_MAX

/* How far before the hour after the origin each column lies at a lead (from 1); NONE:
 * another column is there already. */
static void places(const struct feature_spec *s, size_t lead, size_t at[FEATURES_MAX])
{
    for (size_t c = 0; c < s->n_lags; c++) {
        size_t lag = (size_t)s->lags[c];
        if (lag >= SEASONAL) {
            while (lag < lead)
                lag += DAY;
            lag -= lead - 1;
        }
        for (size_t i = 0; i < c; i++)
            if (at[i] == lag)
                lag = NONE;
        at[c] = lag;
    }
}

struct learnt {
    struct linear_hours hours;
    size_t at[HORIZON_MAX][FEATURES_MAX]; /* places() */
    struct gram *gram[HORIZON_MAX];
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    linear_hours_init(&l->hours, &m->features);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        l->gram[k] = gram_new(m->features.n_lags);
        places(&m->features, k + 1, l->at[k]);
    }
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        gram_free(l->gram[k]);
    linear_hours_done(&l->hours);
    free(l);
}

/* The row at an origin, whose hour is z[n-1]. A column that is left out is 0. */
static bool row_at(const size_t *at, size_t cols, const double *z, size_t n, double *row)
{
    for (size_t i = 0; i < cols; i++) {
        row[i] = 0;
        if (at[i] == NONE)
            continue;
        if (at[i] > n || !isfinite(z[n - at[i]]))
            return false;
        row[i] = z[n - at[i]];
    }
    return true;
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    double row[FEATURES_MAX];
    while (linear_hours_next(&l->hours, h)) {
        size_t t = l->hours.n - 1, cols = l->hours.spec.n_lags;
        double z = l->hours.z[t];
        for (size_t k = 0; k < HORIZON_MAX && k < t && isfinite(z); k++)
            if (row_at(l->at[k], cols, l->hours.z, t - k, row))
                gram_add(l->gram[k], row, z);
    }
}

/* The regressions as they are used: on values that are not standardised. */
static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    size_t cols = l->hours.spec.n_lags;
    struct linear_fit f;
    m->training.rows = gram_rows(l->gram[0]);
    free(m->coef);
    m->coef = xcalloc(HORIZON_MAX * (cols + 1), sizeof *m->coef);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        size_t rows = gram_rows(l->gram[k]);
        if (rows < LINEAR_MIN_ROWS)
            return err_set(e, ERR_CONFLICT,
                           "%s needs %d complete rows, there are %zu at lead %zu",
                           m->algo->name, LINEAR_MIN_ROWS, rows, k + 1);
        if (gram_ridge(l->gram[k], m->params[0], &f, e))
            return -1;
        linear_raw(f.intercept, f.coef, f.mean, f.std, cols, m->coef + k * (cols + 1));
    }
    return linear_range(m, l->hours.low, l->hours.high, e);
}

static const struct learning learning = {begin, take, fit, end};

static size_t min_hours(const struct model *m)
{
    size_t before = 0, at[FEATURES_MAX];
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        places(&m->features, k + 1, at);
        for (size_t i = 0; i < m->features.n_lags; i++)
            if (at[i] != NONE && at[i] + k > before)
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
static double step(const struct model *m, const double *row)
{
    return linear_value(m, m->coef, row);
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double z[LAG_MAX], row[FEATURES_MAX];
    size_t need = history(m), cols = m->features.n_lags, at[FEATURES_MAX];
    if (past->n < need)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       need, past->n);
    linear_read(m, past->y + past->n - need, need, z);
    for (size_t k = 0; k < horizon; k++) {
        places(&m->features, k + 1, at);
        if (!row_at(at, cols, z, need, row))
            return err_set(e, ERR_CONFLICT,
                           "lead %zu cannot be forecast: an hour it reads is missing",
                           k + 1);
        out[k] = linear_value(m, m->coef + k * (cols + 1), row);
    }
    return 0;
}

static json_t *save(const struct model *m)
{
    json_t *leads = json_array();
    size_t n = m->features.n_lags + 1;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        json_array_append_new(leads, json_reals(m->coef + k * n, n));
    const double clip[] = {m->clip_low, m->clip_high};
    return json_pack("{s:o, s:o}", "leads", leads, "clip", json_reals(clip, 2));
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    const json_t *leads = json_object_get(state, "leads");
    size_t n = m->features.n_lags + 1;
    if (n == 1 || features_columns(&m->features) > m->features.n_lags)
        return err_set(e, ERR_INVALID,
                       "field \"features\" must have lags, and nothing else, for %s",
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

const struct algo algo_direct = {
    .name = "direct",
    .sentence = "A linear regression of its own for each hour ahead",
    .complexity = 6,
    .params = params,
    .n_params = 1,
    .reads_lags = true,
    .min_hours = min_hours,
    .history = history,
    .fit = algo_learn,
    .learning = &learning,
    .step = step,
    .forecast = forecast,
    .save = save,
    .load = load,
};
