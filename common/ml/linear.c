/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/linear.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/scales.h"

size_t linear_history(const struct model *m)
{
    return features_reach(&m->features);
}

size_t linear_min_rows(const struct model *m)
{
    size_t rows = 3 * features_columns(&m->features);
    return rows > LINEAR_MIN_ROWS ? rows : LINEAR_MIN_ROWS;
}

size_t linear_min_hours(const struct model *m)
{
    return linear_history(m) + linear_min_rows(m);
}

/* ---- what is learned from ---- */

void linear_hours_init(struct linear_hours *l, const struct feature_spec *spec)
{
    *l = (struct linear_hours){
        .spec = *spec, .reach = features_reach(spec), .low = INFINITY, .high = -INFINITY};
}

void linear_hours_done(struct linear_hours *l)
{
    lagged_free(l->own);
    free(l->z);
}

bool linear_hours_next(struct linear_hours *l, const struct hours *h)
{
    size_t t = l->n;
    if (t == h->n)
        return false;
    l->spec.zone = h->zone;
    if (h->n > l->cap) {
        l->cap = h->n > 2 * l->cap ? h->n : 2 * l->cap;
        l->z = xrealloc(l->z, l->cap * sizeof *l->z);
    }
    double v = h->y[t];
    if (isfinite(v)) {
        l->low = v < l->low ? v : l->low;
        l->high = v > l->high ? v : l->high;
    }
    l->z[t] = h->scales && t < h->scales->n ? h->scales->z[l->spec.transform][t]
                                            : features_transform(&l->spec, v);
    l->n++;
    if (!isfinite(l->z[t]))
        l->gap = l->n;
    return true;
}

bool linear_hours_row(const struct linear_hours *l, const struct hours *h, size_t t,
                      double *row)
{
    int64_t t_s = h->start_s + (int64_t)t * 3600;
    if (t < l->gap + l->reach)
        return isfinite(l->z[t]) && !features_row(&l->spec, l->z, t, t_s, row);
    features_fill(&l->spec, l->z, t, t_s, row);
    return true;
}

const struct lagged *linear_hours_sums(struct linear_hours *l, const struct hours *h,
                                       size_t most)
{
    const struct lagged *sums = NULL;
    if (l->gap || l->n > SCALES_HOURS || most > SCALES_BACK)
        return NULL;
    if (h->scales) {
        sums = h->scales->sums[l->spec.transform];
    } else {
        lagged_free(l->own);
        sums = l->own = lagged_make(l->z, l->n, most);
    }
    return lagged_n(sums) >= l->n ? sums : NULL;
}

int linear_range(struct model *m, double low, double high, struct err *e)
{
    double half = (high - low) / 2;
    m->clip_high = high + half;
    m->clip_low =
        m->features.transform == TRANSFORM_LOG ? low * sqrt(low / high) : low - half;
    if (!isfinite(m->clip_low) || !isfinite(m->clip_high))
        return err_set(e, ERR_CONFLICT, "the range of the values is too large to fit");
    return 0;
}

void linear_raw(double intercept, const double *coef, const double *mean,
                const double *std, size_t n, double *raw)
{
    raw[0] = intercept;
    for (size_t i = 0; i < n; i++) {
        raw[i + 1] = coef[i] / std[i];
        raw[0] -= raw[i + 1] * mean[i];
    }
}

/* A forecast takes a multiplication per column, and no division. */
static void make_raw(struct model *m)
{
    size_t n = features_columns(&m->features);
    free(m->raw);
    m->raw = xmalloc((n + 1) * sizeof *m->raw);
    linear_raw(m->intercept, m->coef, m->mean, m->std, n, m->raw);
}

int linear_finish(struct model *m, const struct linear_fit *f,
                  const struct linear_hours *hours, struct err *e)
{
    if (linear_range(m, hours->low, hours->high, e))
        return -1;
    m->features.zone = hours->spec.zone;
    size_t n = features_columns(&m->features);
    free(m->mean);
    free(m->std);
    free(m->coef);
    m->mean = xmalloc(n * sizeof *m->mean);
    m->std = xmalloc(n * sizeof *m->std);
    m->coef = xmalloc(n * sizeof *m->coef);
    memcpy(m->mean, f->mean, n * sizeof *m->mean);
    memcpy(m->std, f->std, n * sizeof *m->std);
    memcpy(m->coef, f->coef, n * sizeof *m->coef);
    m->intercept = f->intercept;
    m->dropped = f->dropped;
    make_raw(m);
    return 0;
}

double linear_clip(const struct model *m, double z)
{
    double v = features_inverse(&m->features, z);
    return !(v > m->clip_low) ? m->clip_low : v > m->clip_high ? m->clip_high : v;
}

/* In four sums, none of which waits for the others. */
double linear_value(const struct model *m, const double *raw, const double *row)
{
    double a = raw[0], b = 0, c = 0, d = 0;
    size_t n = features_columns(&m->features), i = 0;
    for (raw++; i + 4 <= n; i += 4) {
        a += raw[i] * row[i];
        b += raw[i + 1] * row[i + 1];
        c += raw[i + 2] * row[i + 2];
        d += raw[i + 3] * row[i + 3];
    }
    for (; i < n; i++)
        a += raw[i] * row[i];
    return linear_clip(m, (a + b) + (c + d));
}

double linear_step(const struct model *m, const double *row, int64_t t_s)
{
    (void)t_s;
    return linear_value(m, m->raw, row);
}

void linear_read(const struct model *m, const struct hours *past, size_t n, double *z)
{
    size_t from = past->n - n;
    const double *y = past->y + from, *made = NULL;
    if (m->features.transform == TRANSFORM_NONE) {
        memcpy(z, y, n * sizeof *z);
        return;
    }
    if (past->scales && past->n <= past->scales->n)
        made = past->scales->z[m->features.transform] + from;
    for (size_t i = 0; i < n; i++)
        if (y[i] < m->clip_low)
            z[i] = features_transform(&m->features, m->clip_low);
        else
            z[i] = made ? made[i] : features_transform(&m->features, y[i]);
}

static bool all_finite(const double *z, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n; i++)
        all &= fabs(z[i]) <= DBL_MAX;
    return all;
}

int linear_forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double z[LAG_MAX + HORIZON_MAX], row[FEATURES_MAX];
    size_t need = linear_history(m);
    int64_t next_s = past->start_s + (int64_t)past->n * 3600;
    if (past->n < need)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       need, past->n);
    linear_read(m, past, need, z);
    bool whole = all_finite(z, need); /* then no row has to be looked through */
    for (size_t k = 0; k < horizon; k++, next_s += 3600) {
        if (whole)
            features_fill(&m->features, z, need + k, next_s, row);
        else if (features_row(&m->features, z, need + k, next_s, row))
            return err_set(e, ERR_CONFLICT,
                           "lead %zu cannot be forecast: an hour it reads is missing",
                           k + 1);
        out[k] = m->algo->step(m, row, next_s);
        z[need + k] = features_transform(&m->features, out[k]);
    }
    return 0;
}

json_t *linear_save(const struct model *m)
{
    json_t *dropped = json_array();
    char name[FEATURE_NAME_SIZE];
    for (size_t i = 0; i < features_columns(&m->features); i++)
        if (m->dropped >> i & 1)
            json_array_append_new(dropped,
                                  json_string(features_name(&m->features, i, name)));
    const double clip[] = {m->clip_low, m->clip_high};
    return json_pack("{s:f, s:o, s:o, s:o}", "intercept", m->intercept, "coef",
                     json_reals(m->coef, features_columns(&m->features)), "clip",
                     json_reals(clip, 2), "dropped", dropped);
}

int linear_load_reals(const json_t *a, const char *path, double *out, size_t n,
                      struct err *e)
{
    if (!json_is_array(a) || json_array_size(a) != n)
        return err_set(e, ERR_INVALID, "field \"%s\" must be an array of %zu numbers",
                       path, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(a, i);
        if (!json_is_number(v))
            return err_set(e, ERR_INVALID, "field \"%s[%zu]\" must be a number", path, i);
        out[i] = json_number_value(v);
    }
    return 0;
}

int linear_load_clip(struct model *m, const json_t *state, struct err *e)
{
    double clip[2];
    bool log = m->features.transform == TRANSFORM_LOG;
    if (linear_load_reals(json_object_get(state, "clip"), "state.clip", clip, 2, e))
        return -1;
    m->clip_low = clip[0];
    m->clip_high = clip[1];
    if (clip[0] > clip[1] || (log && clip[0] <= 0))
        return err_set(e, ERR_INVALID,
                       "field \"state.clip\" must be a range%s, low first",
                       log ? " above 0" : "");
    return 0;
}

static int load_dropped(struct model *m, const json_t *state, struct err *e)
{
    const json_t *a = json_object_get(state, "dropped");
    if (!json_is_array(a))
        return err_set(e, ERR_INVALID, "field \"state.dropped\" must be an array");
    size_t i;
    json_t *v;
    json_array_foreach(a, i, v)
    {
        char name[FEATURE_NAME_SIZE];
        size_t c = 0;
        const char *s = json_string_value(v);
        while (s && c < features_columns(&m->features) &&
               strcmp(features_name(&m->features, c, name), s))
            c++;
        if (!s || c == features_columns(&m->features))
            return err_set(e, ERR_INVALID,
                           "field \"state.dropped[%zu]\" must name one of the features",
                           i);
        m->dropped |= UINT64_C(1) << c;
    }
    return 0;
}

int linear_load(struct model *m, const json_t *state, struct err *e)
{
    size_t n = features_columns(&m->features);
    if (!n)
        return err_set(e, ERR_INVALID, "field \"features.lags\" must not be empty for %s",
                       m->algo->name);
    if (!m->mean)
        return err_set(e, ERR_INVALID,
                       "field \"scaling.mean\" must be an array of %zu numbers", n);
    m->coef = xcalloc(n, sizeof *m->coef);
    if (json_get_real(state, "intercept", &m->intercept, -DBL_MAX, DBL_MAX, e))
        return err_prefix(e, "state");
    if (linear_load_reals(json_object_get(state, "coef"), "state.coef", m->coef, n, e) ||
        load_dropped(m, state, e))
        return -1;
    make_raw(m);
    return linear_load_clip(m, state, e);
}
