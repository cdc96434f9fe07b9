/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/model.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/trees.h"

#define BRIDGE_HOURS 3
#define DAY 24

static const int default_lags[] = {1, 2, 3, 23, 24, 25, 26};

struct model *model_new(const struct algo *a, const char *series)
{
    struct model *m = xcalloc(1, sizeof *m);
    snprintf(m->series, sizeof m->series, "%s", series);
    m->algo = a;
    for (size_t i = 0; i < a->n_params; i++)
        m->params[i] = a->params[i].dflt;
    if (a->reads_lags) {
        m->features.n_lags = sizeof default_lags / sizeof *default_lags;
        memcpy(m->features.lags, default_lags, sizeof default_lags);
    }
    m->lowest = -DBL_MAX; /* what is stored and answered is a number */
    m->highest = DBL_MAX;
    m->level = 0.95;
    m->lead1_sd = NAN;
    m->metrics = json_object();
    return m;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    free(m->mean);
    free(m->std);
    free(m->coef);
    free(m->raw);
    free(m->usual);
    free(m->smoothing);
    trees_free(m->trees);
    free(m->lower);
    free(m->upper);
    free(m->quantiles);
    free(m->features.exogenous);
    free(m->training.beside);
    free(m->training.zone);
    for (size_t i = 0; i < m->n_members; i++)
        model_free(m->member[i]);
    free(m->member);
    free(m->weight);
    json_decref(m->metrics);
    free(m);
}

void model_set_band(struct model *m, const double *half, size_t n_leads, double level)
{
    free(m->lower);
    free(m->upper);
    m->lower = xmalloc((n_leads + 1) * sizeof *m->lower);
    m->upper = xmalloc((n_leads + 1) * sizeof *m->upper);
    for (size_t i = 0; i < n_leads; i++) {
        m->lower[i] = half[i] > 0 ? -half[i] : 0;
        m->upper[i] = half[i] > 0 ? half[i] : 0;
    }
    m->n_leads = n_leads;
    m->level = level;
}

static void go_by(struct model *m, const struct zone *z)
{
    m->features.zone = z;
    for (size_t i = 0; i < m->n_members; i++)
        go_by(m->member[i], z);
}

void model_set_zone(struct model *m, struct zone *z)
{
    free(m->training.zone);
    m->training.zone = z;
    go_by(m, z);
}

size_t model_history(const struct model *m)
{
    return m->algo->history(m);
}

/* The value of the same hour on the nearest of the seven days before and after; NaN if
 * none. */
static double from_other_day(const double *y, size_t n, size_t i)
{
    for (size_t d = DAY; d <= 7 * DAY; d += DAY) {
        if (i >= d && isfinite(y[i - d]))
            return y[i - d];
        if (i + d < n && isfinite(y[i + d]))
            return y[i + d];
    }
    return NAN;
}

/* Copies what a forecast may read into out (of at least n values) with its gaps filled,
 * and counts the hours of the last `need` that came from other days. */
static size_t fill(const double *y, size_t n, size_t need, double *out)
{
    double bridged[LAG_MAX + MODEL_HISTORY_SPARE];
    size_t filled = 0;
    memcpy(bridged, y, n * sizeof *bridged);
    series_interpolate(bridged, n, BRIDGE_HOURS);
    memcpy(out, bridged, n * sizeof *out);
    for (size_t i = n > need ? n - need : 0; i < n; i++) {
        if (isfinite(bridged[i]))
            continue;
        out[i] = from_other_day(bridged, n, i);
        filled += isfinite(out[i]);
    }
    return filled;
}

static bool has_all(const double *y, size_t n)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++)
        missing += !isfinite(y[i]);
    return !missing;
}

/* The newest values, no more than a forecast can use. */
static const double *newest(const struct model *m, const double *y, size_t *n)
{
    size_t most = model_history(m) + MODEL_HISTORY_SPARE;
    if (*n > most) {
        y += *n - most;
        *n = most;
    }
    return y;
}

size_t model_history_gaps(const struct model *m, const double *y, size_t n)
{
    double filled[LAG_MAX + MODEL_HISTORY_SPARE];
    y = newest(m, y, &n);
    return fill(y, n, model_history(m), filled);
}

/* Are all hours known that the leads read of x? Behind OTHERS_LAG_MAX they read nothing
 * new. */
static bool all_known(const struct exogenous *x, const struct hours *past)
{
    int64_t origin_s = past->start_s + ((int64_t)past->n - 1) * 3600;
    int at = past->beside ? others_find(past->beside, x->series) : -1;
    for (size_t lead = 1; lead <= OTHERS_LAG_MAX; lead++)
        for (size_t i = 0; i < x->n_lags; i++)
            if (!isfinite(features_exogenous(x, i, past->beside, at, origin_s, lead)))
                return false;
    return true;
}

size_t model_others_missing(const struct model *m, const struct hours *past)
{
    size_t missing = 0;
    for (size_t i = 0; i < m->features.n_exogenous; i++)
        missing += !all_known(&m->features.exogenous[i], past);
    for (size_t i = 0; i < m->n_members; i++) {
        size_t of_member = model_others_missing(m->member[i], past);
        missing = of_member > missing ? of_member : missing;
    }
    return missing;
}

void model_others(const struct model *m, void (*each)(void *arg, const char *series),
                  void *arg)
{
    for (size_t i = 0; i < m->features.n_exogenous; i++)
        each(arg, m->features.exogenous[i].series);
    for (size_t i = 0; i < m->n_members; i++)
        model_others(m->member[i], each, arg);
}

/* How much wider than the model's own a band at this level is. */
static double band_scale(const struct model *m, double level)
{
    if (level == m->level)
        return 1;
    return gsl_cdf_ugaussian_Pinv(0.5 + level / 2) /
           gsl_cdf_ugaussian_Pinv(0.5 + m->level / 2);
}

static int check_level(double level, struct err *e)
{
    if (!(level > 0 && level < 1))
        return err_set(e, ERR_INVALID, "the level must be between 0 and 1, not %g",
                       level);
    return 0;
}

/* x between the limits; NaN stays NaN. */
static double possible(const struct model *m, double x)
{
    return x < m->lowest ? m->lowest : x > m->highest ? m->highest : x;
}

void model_band(const struct model *m, size_t lead, double level, struct forecast *f)
{
    model_band_wide(m, lead, level, 1, f);
}

void model_band_wide(const struct model *m, size_t lead, double level, double width,
                     struct forecast *f)
{
    double scale = width * band_scale(m, level);
    f->yhat = possible(m, f->yhat);
    if (!m->n_leads) {
        f->lower = f->upper = NAN;
        return;
    }
    size_t k = lead < m->n_leads ? lead : m->n_leads - 1;
    if (lead >= m->n_leads)
        scale *= sqrt((double)(lead + 1) / (double)m->n_leads);
    double z = features_transform(&m->features, f->yhat);
    double lower = features_inverse(&m->features, z + m->lower[k] * scale);
    double upper = features_inverse(&m->features, z + m->upper[k] * scale);
    if (m->features.transform == TRANSFORM_LOG && upper > m->clip_high)
        upper = m->clip_high; /* exponents run away */
    f->lower = possible(m, fmin(lower, f->yhat));
    f->upper = possible(m, fmax(upper, f->yhat));
}

int model_points(const struct model *m, const struct hours *past, size_t horizon,
                 double *yhat, struct err *e)
{
    double filled[LAG_MAX + MODEL_HISTORY_SPARE];
    size_t n = past->n;
    if (horizon < 1 || horizon > HORIZON_MAX)
        return err_set(e, ERR_INVALID, "the horizon must be 1 to %d hours, not %zu",
                       HORIZON_MAX, horizon);
    if (n < model_history(m))
        return err_kind(e, ERR_CONFLICT, "history_missing",
                        "%s needs the last %zu hours, there are %zu", m->algo->name,
                        model_history(m), n);
    if (!isfinite(past->y[n - 1]))
        return err_kind(e, ERR_CONFLICT, "history_missing", "the newest hour is missing");
    const double *y = newest(m, past->y, &n);
    struct hours read = {past->start_s + (int64_t)(past->n - n) * 3600,
                         n,
                         filled,
                         past->beside,
                         past->zone,
                         NULL};
    if (has_all(y + n - model_history(m), model_history(m)))
        read.y = (double *)y; /* it is only read */
    else
        fill(y, n, model_history(m), filled);
    if (m->algo->forecast(m, &read, horizon, yhat, e))
        return err_kind(e, ERR_CONFLICT, "history_missing", "%s",
                        e ? strdupa(e->text) : "an hour is missing");
    for (size_t k = 0; k < horizon; k++)
        yhat[k] = possible(m, yhat[k]);
    return 0;
}

bool model_points_many(const struct model *const *m, const struct hours *past,
                       size_t horizon, double (*yhat)[HORIZON_MAX])
{
    size_t need = model_history(m[0]);
    if (!m[0]->algo->forecast_many || horizon < 1 || horizon > HORIZON_MAX)
        return false;
    for (size_t i = 0; i < FORECAST_MANY; i++)
        if (past[i].n < need || !has_all(past[i].y + past[i].n - need, need))
            return false;
    if (!m[0]->algo->forecast_many(m, past, horizon, yhat))
        return false;
    for (size_t i = 0; i < FORECAST_MANY; i++)
        for (size_t k = 0; k < horizon; k++)
            yhat[i][k] = possible(m[i], yhat[i][k]);
    return true;
}

/* Of one of the hours, by what the model has learned from; what is to be repeated as it
 * was, system 0, believes all. */
static double believed(const struct model *m, double y)
{
    size_t n = m->n_quantiles;
    return n && strcmp(m->training.preset, "system0") != 0
               ? hours_believed(y, m->quantiles[0], m->quantiles[n - 1], m->training.rows)
               : y;
}

double model_newest(const struct model *m, const double *y, size_t n)
{
    size_t before = n - 1;
    while (before > 0 && !isfinite(y[before - 1]))
        before--;
    bool confirmed = before > 0 && believed(m, y[before - 1]) != y[before - 1];
    return confirmed ? y[n - 1] : believed(m, y[n - 1]);
}

int model_forecast(const struct model *m, const struct hours *past, size_t horizon,
                   double level, struct forecast *out, struct err *e)
{
    double yhat[HORIZON_MAX], y[LAG_MAX + MODEL_HISTORY_SPARE];
    struct hours read = *past;
    double at_last = past->n ? model_newest(m, past->y, past->n) : NAN;
    if (past->n && isfinite(at_last) && at_last != past->y[past->n - 1]) {
        const double *from = newest(m, past->y, &read.n);
        memcpy(y, from, read.n * sizeof *y);
        y[read.n - 1] = at_last;
        read.start_s += (int64_t)(past->n - read.n) * 3600;
        read.y = y;
        read.scales = NULL;
    }
    if (check_level(level, e) || model_points(m, &read, horizon, yhat, e))
        return -1;
    for (size_t k = 0; k < horizon; k++) {
        out[k].yhat = yhat[k];
        model_band(m, k, level, &out[k]);
    }
    return 0;
}

int model_predict_row(const struct model *m, const double *x, int64_t t_s, double level,
                      struct forecast *out, struct err *e)
{
    double row[FEATURES_MAX];
    char name[FEATURE_NAME_SIZE];
    size_t given = features_of_history(&m->features);
    if (!m->algo->reads_lags)
        return err_set(e, ERR_INVALID,
                       "%s reads no features: send \"history\" or \"series\" instead",
                       m->algo->name);
    if (check_level(level, e))
        return -1;
    for (size_t i = 0; i < given; i++) {
        bool lag = i < m->features.n_lags; /* a window is on the model's scale already */
        row[i] = lag ? features_transform(&m->features, x[i]) : x[i];
        if (!isfinite(row[i]))
            return err_set(e, ERR_INVALID, "feature \"%s\" must be a %snumber",
                           features_name(&m->features, i, name),
                           lag && m->features.transform == TRANSFORM_LOG ? "positive "
                                                                         : "finite ");
    }
    features_calendar(&m->features, t_s, row + given);
    out->yhat = m->algo->step(m, row, t_s);
    model_band(m, 0, level, out);
    return 0;
}
