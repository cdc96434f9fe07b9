/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/ols_inference.h"

#include <float.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/pvalue.h"

/* What is worked with: the target over its largest deviation, on the orthonormal basis
 * (1 / sqrt n, q). There X'X is the unit matrix, and each parameter is a row of map times
 * the coordinates: its variance is that row's quadratic form. */
struct work {
    const struct design *d;
    size_t n;        /* parameters: rank + 1, the intercept first */
    double mean;     /* of the target */
    double scale;    /* the target's largest deviation from it */
    double *theta;   /* n coordinates of the scaled target */
    double *rest;    /* rows: scaled residuals; ols_inference's own array */
    double sse, sst; /* of the scaled target */
    double *map;     /* n × n, row major */
    double *hac;     /* n × n: S above, on the basis and scaled */
};

static int check(const struct design *d, const double *target, size_t hac_lags,
                 struct err *e)
{
    if (!d->rank)
        return err_set(e, ERR_CONFLICT,
                       "all columns are constant: there is nothing to regress on");
    if (d->rows < d->rank + 2)
        return err_set(
            e, ERR_CONFLICT,
            "%zu rows are too few for %zu columns and an intercept: %zu are needed",
            d->rows, d->cols, d->cols + 2);
    if (hac_lags >= d->rows)
        return err_set(e, ERR_INVALID,
                       "Newey-West over %zu lags needs more rows than the %zu there are",
                       hac_lags, d->rows);
    for (size_t r = 0; r < d->rows; r++)
        if (!(fabs(target[r]) <= DESIGN_VALUE_MAX))
            return err_set(e, ERR_INVALID,
                           "the target of row %zu is %g: numbers up to %g can be used", r,
                           target[r], DESIGN_VALUE_MAX);
    return 0;
}

/* The target on the basis: coordinates, residuals, square sums. */
static int project(struct work *w, const double *target, struct err *e)
{
    const struct design *d = w->d;
    memcpy(w->rest, target, d->rows * sizeof *target);
    w->mean = design_centre(w->rest, d->rows);
    for (size_t r = 0; r < d->rows; r++)
        w->scale = fmax(w->scale, fabs(w->rest[r]));
    if (!(w->scale > 1e-13 * fabs(w->mean)) || w->scale < DBL_MIN / DBL_EPSILON)
        return err_set(e, ERR_CONFLICT,
                       "the target is constant (%g): there is nothing to explain",
                       w->mean);
    for (size_t r = 0; r < d->rows; r++) {
        w->rest[r] /= w->scale;
        w->sst += w->rest[r] * w->rest[r];
    }
    w->theta[0] = w->mean / w->scale * sqrt((double)d->rows);
    design_project(d, w->rest, w->theta + 1);
    for (size_t r = 0; r < d->rows; r++)
        w->sse += w->rest[r] * w->rest[r];
    return 0;
}

/* Slope of column j: (R^-1 theta)_j / length_j; the intercept takes mean_j of each off.
 */
static void make_map(struct work *w)
{
    const struct design *d = w->d;
    size_t k = d->rank;
    double *inverse = xmalloc(k * k * sizeof *inverse);
    design_inverse(d, inverse);
    w->map[0] = 1 / sqrt((double)d->rows);
    for (size_t j = 0; j < k; j++) {
        for (size_t i = j; i < k; i++) {
            double m = inverse[j * k + i] / d->length[d->kept[j]];
            w->map[(j + 1) * w->n + i + 1] = m;
            w->map[i + 1] -= d->mean[d->kept[j]] * m;
        }
    }
    free(inverse);
}

static double along(const double *row, const double *v, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += row[i] * v[i];
    return s;
}

/* Residuals that are rounding noise of the terms that make up the target. */
static bool nothing_left(const struct work *w)
{
    double size = fabs(w->mean / w->scale) + sqrt(w->sst / (double)w->d->rows);
    for (size_t j = 0; j < w->d->rank; j++) {
        size_t c = w->d->kept[j];
        double slope = along(w->map + (j + 1) * w->n, w->theta, w->n);
        size += fabs(slope) *
                (fabs(w->d->mean[c]) + w->d->length[c] / sqrt((double)w->d->rows));
    }
    return sqrt(w->sse / (double)w->d->rows) <= 16 * DBL_EPSILON * size;
}

/* Row t of the scores: residual times basis; the first column is the constant's. */
static void scores(const struct work *w, double *u)
{
    const struct design *d = w->d;
    double one = 1 / sqrt((double)d->rows);
    for (size_t r = 0; r < d->rows; r++) {
        u[r * w->n] = w->rest[r] * one;
        for (size_t i = 0; i < d->rank; i++)
            u[r * w->n + i + 1] = w->rest[r] * d->q[i * d->rows + r];
    }
}

/* The sum over t of u_t times what it is weighed against, half of u_t itself and the rows
 * before; and the same transposed, for the lags below 0. */
static void make_hac(struct work *w, size_t lags)
{
    size_t n = w->n, rows = w->d->rows;
    double *u = xmalloc(rows * n * sizeof *u), *past = xmalloc(n * sizeof *past);
    scores(w, u);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++)
            past[i] = 0.5 * u[r * n + i];
        for (size_t l = 1; l <= lags && l <= r; l++)
            for (size_t i = 0; i < n; i++)
                past[i] += (1 - (double)l / (double)(lags + 1)) * u[(r - l) * n + i];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                w->hac[i * n + j] += u[r * n + i] * past[j];
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = w->hac[i * n + j] + w->hac[j * n + i];
            w->hac[i * n + j] = w->hac[j * n + i] = sum;
        }
    }
    free(past);
    free(u);
}

/* row' S row */
static double form(const struct work *w, const double *row)
{
    double s = 0;
    for (size_t i = 0; i < w->n; i++)
        s += row[i] * along(w->hac + i * w->n, row, w->n);
    return fmax(s, 0);
}

static void fill_term(const struct work *w, const struct ols_inference *o, size_t i,
                      struct ols_term *t)
{
    const double *row = w->map + i * w->n;
    *t = (struct ols_term){.coef = w->scale * along(row, w->theta, w->n),
                           .state = COLUMN_KEPT};
    t->se = t->t = t->p = t->hac_se = t->hac_z = t->hac_p = NAN;
    if (o->exact)
        return;
    t->se = o->s * sqrt(along(row, row, w->n));
    t->t = t->coef / t->se;
    t->p = p_t(t->t, (double)o->df);
    t->hac_se = w->scale * sqrt(form(w, row));
    t->hac_z = t->coef / t->hac_se;
    t->hac_p = p_normal(t->hac_z);
}

/* theta' S^-1 theta over the slopes, by the eigenvectors of S: a singular S (too few rows
 * for the lags) gives NaN and no abort. */
static double hac_wald(const struct work *w)
{
    size_t k = w->d->rank;
    gsl_matrix *s = gsl_matrix_alloc(k, k), *vectors = gsl_matrix_alloc(k, k);
    gsl_vector *values = gsl_vector_alloc(k);
    gsl_eigen_symmv_workspace *space = gsl_eigen_symmv_alloc(k);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            gsl_matrix_set(s, i, j, w->hac[(i + 1) * w->n + j + 1]);
    gsl_eigen_symmv(s, values, vectors, space);
    double wald = 0, top = gsl_vector_max(values);
    for (size_t i = 0; i < k; i++) {
        double value = gsl_vector_get(values, i), part = 0;
        for (size_t j = 0; j < k; j++)
            part += gsl_matrix_get(vectors, j, i) * w->theta[j + 1];
        wald += value > 1e-12 * top ? part * part / value : NAN;
    }
    gsl_eigen_symmv_free(space);
    gsl_vector_free(values);
    gsl_matrix_free(vectors);
    gsl_matrix_free(s);
    return wald;
}

static void fill_fit(const struct work *w, struct ols_inference *o)
{
    double n = (double)o->rows, k = (double)o->rank, df = (double)o->df;
    o->r2 = o->exact ? 1 : 1 - w->sse / w->sst;
    o->r2_adjusted = 1 - (1 - o->r2) * (n - 1) / df;
    o->s = o->exact ? 0 : w->scale * sqrt(w->sse / df);
    o->f = o->f_p = o->hac_f = o->hac_f_p = NAN;
    o->log_likelihood = o->aic = o->bic = NAN;
    if (o->exact)
        return;
    o->f = (w->sst - w->sse) / k / (w->sse / df);
    o->f_p = p_f(o->f, k, df);
    o->hac_f = hac_wald(w) / k;
    o->hac_f_p = p_f(o->hac_f, k, df);
    o->log_likelihood = -n / 2 * (log(2 * M_PI * w->sse / n) + 2 * log(w->scale) + 1);
    o->aic = -2 * o->log_likelihood + 2 * (k + 1);
    o->bic = -2 * o->log_likelihood + log(n) * (k + 1);
}

static void fill_terms(const struct work *w, struct ols_inference *o)
{
    fill_term(w, o, 0, &o->intercept);
    for (size_t c = 0; c < o->cols; c++)
        o->term[c] = (struct ols_term){0, NAN, NAN, NAN, NAN, NAN, NAN, w->d->state[c]};
    for (size_t j = 0; j < o->rank; j++)
        fill_term(w, o, j + 1, &o->term[w->d->kept[j]]);
}

/* A slope of 1e100 per 1e-300 is none. */
static int check_finite(const struct ols_inference *o, struct err *e)
{
    bool fine = isfinite(o->intercept.coef) && isfinite(o->s);
    for (size_t c = 0; c < o->cols; c++)
        fine = fine && isfinite(o->term[c].coef) && !isinf(o->term[c].se);
    return fine ? 0
                : err_set(e, ERR_CONFLICT,
                          "the coefficients are not finite: target and columns differ "
                          "too much in size");
}

int ols_inference(const struct design *d, const double *target, size_t hac_lags,
                  struct ols_inference *o, struct err *e)
{
    struct work w = {.d = d, .n = d->rank + 1};
    *o = (struct ols_inference){.rows = d->rows, .cols = d->cols, .rank = d->rank};
    if (check(d, target, hac_lags, e))
        return -1;
    o->df = d->rows - d->rank - 1;
    o->hac_lags = hac_lags;
    o->term = xcalloc(d->cols, sizeof *o->term);
    o->residual = w.rest = xcalloc(d->rows, sizeof *o->residual);
    w.theta = xcalloc(w.n, sizeof *w.theta);
    w.map = xcalloc(w.n * w.n, sizeof *w.map);
    w.hac = xcalloc(w.n * w.n, sizeof *w.hac);

    int rc = project(&w, target, e);
    if (!rc) {
        make_map(&w);
        o->exact = nothing_left(&w);
        if (!o->exact)
            make_hac(&w, hac_lags);
        fill_fit(&w, o);
        fill_terms(&w, o);
        design_condition(d, &o->condition, &o->condition_scaled);
        for (size_t r = 0; r < d->rows; r++)
            o->residual[r] = o->exact ? 0 : o->residual[r] * w.scale;
        rc = check_finite(o, e);
    }
    free(w.hac);
    free(w.map);
    free(w.theta);
    if (rc)
        ols_inference_done(o);
    return rc;
}

void ols_inference_done(struct ols_inference *o)
{
    free(o->term);
    free(o->residual);
    *o = (struct ols_inference){0};
}
