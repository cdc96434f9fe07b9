/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/linear.h"

#include <float.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

#define RANK_TOLERANCE 1e-7

/* Unless told otherwise GSL ends the process on what it takes for an error, anywhere in
 * it. What it returns is looked at where it matters. */
__attribute__((constructor)) static void keep_running(void)
{
    gsl_set_error_handler_off();
}

/* Mean and population standard deviation of each column, which is standardised in place.
 * A column whose spread is rounding noise is set to zero and dropped. */
static void standardise(double *x, size_t rows, size_t cols, struct linear_fit *f)
{
    for (size_t c = 0; c < cols; c++) {
        double mean = 0, ss = 0;
        for (size_t r = 0; r < rows; r++)
            mean += x[r * cols + c];
        mean /= (double)rows;
        for (size_t r = 0; r < rows; r++)
            ss += (x[r * cols + c] - mean) * (x[r * cols + c] - mean);
        double std = sqrt(ss / (double)rows);
        if (linear_constant(mean, std)) {
            f->dropped |= UINT64_C(1) << c;
            std = 1;
        }
        bool gone = f->dropped >> c & 1;
        for (size_t r = 0; r < rows; r++)
            x[r * cols + c] = gone ? 0 : (x[r * cols + c] - mean) / std;
        f->mean[c] = mean;
        f->std[c] = std;
    }
}

/* What both solvers begin with. */
static int begin(double *x, const double *target, size_t rows, size_t cols,
                 struct linear_fit *f, struct err *e)
{
    *f = (struct linear_fit){0};
    if (!cols || cols > FEATURES_MAX)
        return err_set(e, ERR_INVALID, "a linear model needs 1 to %d features, not %zu",
                       FEATURES_MAX, cols);
    if (rows <= cols)
        return err_set(e, ERR_CONFLICT,
                       "%zu features cannot be fitted to %zu rows: more rows are needed",
                       cols, rows);
    for (size_t i = 0; i < rows * cols; i++)
        if (!isfinite(x[i]))
            return err_set(e, ERR_INVALID, "row %zu, column %zu is not a finite number",
                           i / cols, i % cols);
    for (size_t r = 0; r < rows; r++) {
        if (!isfinite(target[r]))
            return err_set(e, ERR_INVALID, "the target of row %zu is not a finite number",
                           r);
        f->intercept += target[r];
    }
    f->intercept /= (double)rows;
    standardise(x, rows, cols, f);
    uint64_t all = cols == 64 ? UINT64_MAX : (UINT64_C(1) << cols) - 1;
    if (f->dropped == all)
        return err_set(e, ERR_CONFLICT,
                       "all features are constant: there is nothing to fit");
    return 0;
}

/* X P = Q R with |R_11| >= |R_22| >= ..: where the diagonal falls below the tolerance,
 * the remaining columns are combinations of those before. The leading r × r system is
 * solved. */
int linear_qr(double *x, const double *target, size_t rows, size_t cols,
              struct linear_fit *f, struct err *e)
{
    if (begin(x, target, rows, cols, f, e))
        return -1;
    gsl_matrix_view a = gsl_matrix_view_array(x, rows, cols);
    gsl_vector *tau = gsl_vector_alloc(cols), *norm = gsl_vector_alloc(cols);
    gsl_vector *b = gsl_vector_alloc(rows);
    gsl_permutation *perm = gsl_permutation_alloc(cols);
    int sign;
    gsl_linalg_QRPT_decomp(&a.matrix, tau, perm, &sign, norm);
    for (size_t r = 0; r < rows; r++)
        gsl_vector_set(b, r, target[r] - f->intercept);
    gsl_linalg_QR_QTvec(&a.matrix, tau, b);

    double top = fabs(gsl_matrix_get(&a.matrix, 0, 0));
    size_t rank = 0;
    while (rank < cols &&
           fabs(gsl_matrix_get(&a.matrix, rank, rank)) > RANK_TOLERANCE * top)
        rank++;
    double z[FEATURES_MAX] = {0};
    for (size_t i = rank; i-- > 0;) {
        double s = gsl_vector_get(b, i);
        for (size_t j = i + 1; j < rank; j++)
            s -= gsl_matrix_get(&a.matrix, i, j) * z[j];
        z[i] = s / gsl_matrix_get(&a.matrix, i, i);
    }
    for (size_t i = 0; i < cols; i++) {
        size_t c = gsl_permutation_get(perm, i);
        f->coef[c] = z[i];
        if (i >= rank)
            f->dropped |= UINT64_C(1) << c;
    }
    gsl_permutation_free(perm);
    gsl_vector_free(b);
    gsl_vector_free(norm);
    gsl_vector_free(tau);
    return linear_check(f, cols, e);
}

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
    *l = (struct linear_hours){.spec = *spec, .low = INFINITY, .high = -INFINITY};
}

void linear_hours_done(struct linear_hours *l)
{
    free(l->z);
}

bool linear_hours_next(struct linear_hours *l, const struct hours *h)
{
    if (l->n == h->n)
        return false;
    if (h->n > l->cap) {
        l->cap = h->n > 2 * l->cap ? h->n : 2 * l->cap;
        l->z = xrealloc(l->z, l->cap * sizeof *l->z);
    }
    double v = h->y[l->n];
    if (isfinite(v)) {
        l->low = fmin(l->low, v);
        l->high = fmax(l->high, v);
    }
    l->z[l->n++] = features_transform(&l->spec, v);
    return true;
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

int linear_finish(struct model *m, const struct linear_fit *f, double low, double high,
                  struct err *e)
{
    if (linear_range(m, low, high, e))
        return -1;
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

static double linear_clip(const struct model *m, double z)
{
    double v = features_inverse(&m->features, z);
    return !(v > m->clip_low) ? m->clip_low : v > m->clip_high ? m->clip_high : v;
}

double linear_value(const struct model *m, const double *raw, const double *row)
{
    double z = raw[0];
    size_t n = features_columns(&m->features);
    for (size_t i = 0; i < n; i++)
        z += raw[i + 1] * row[i];
    return linear_clip(m, z);
}

double linear_step(const struct model *m, const double *row)
{
    return linear_value(m, m->raw, row);
}

void linear_read(const struct model *m, const double *y, size_t n, double *z)
{
    bool log = m->features.transform == TRANSFORM_LOG;
    for (size_t i = 0; i < n; i++)
        z[i] = features_transform(&m->features,
                                  log && y[i] < m->clip_low ? m->clip_low : y[i]);
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
    linear_read(m, past->y + past->n - need, need, z);
    for (size_t k = 0; k < horizon; k++) {
        if (features_row(&m->features, z, need + k, next_s + (int64_t)k * 3600, row))
            return err_set(e, ERR_CONFLICT,
                           "lead %zu cannot be forecast: an hour it reads is missing",
                           k + 1);
        out[k] = linear_step(m, row);
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
