/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/residual_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/pvalue.h"

/* A copy of e over its largest value, so that no power overflows; NULL if it cannot be
 * tested. */
static double *scaled(const double *e, size_t n, size_t least, struct err *er)
{
    double top = 0;
    if (n < least) {
        err_set(er, ERR_CONFLICT, "%zu errors are too few for this test: %zu are needed",
                n, least);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(e[i])) {
            err_set(er, ERR_INVALID, "the error of row %zu is not a finite number", i);
            return NULL;
        }
        top = fmax(top, fabs(e[i]));
    }
    if (top == 0) {
        err_set(er, ERR_CONFLICT,
                "all errors are 0: the fit is exact, there is nothing to test");
        return NULL;
    }
    double *v = xmalloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = e[i] / top;
    return v;
}

int residual_normality(const double *e, size_t n, struct normality *t, struct err *er)
{
    double *v = scaled(e, n, 4, er), m2 = 0, m3 = 0, m4 = 0;
    if (!v)
        return -1;
    double mean = design_centre(v, n);
    for (size_t i = 0; i < n; i++) {
        double square = v[i] * v[i];
        m2 += square;
        m3 += square * v[i];
        m4 += square * square;
    }
    free(v);
    m2 /= (double)n, m3 /= (double)n, m4 /= (double)n;
    if (!(sqrt(m2) > 1e-13 * fabs(mean)))
        return err_set(er, ERR_CONFLICT,
                       "all errors are the same: they have no distribution");
    t->skewness = m3 / (m2 * sqrt(m2));
    t->kurtosis = m4 / (m2 * m2);
    double excess = t->kurtosis - 3;
    t->jarque_bera.statistic =
        (double)n / 6 * (t->skewness * t->skewness + excess * excess / 4);
    t->jarque_bera.p = p_chi2(t->jarque_bera.statistic, 2);
    return 0;
}

/* Of a regression's R² with k columns. */
static void from_r2(double r2, size_t n, size_t k, struct spread *t)
{
    double df = (double)n - (double)k - 1;
    t->lm.statistic = (double)n * r2;
    t->lm.p = p_chi2(t->lm.statistic, (double)k);
    t->f.statistic = r2 / (double)k / ((1 - r2) / df);
    t->f.p = p_f(t->f.statistic, (double)k, df);
}

int residual_spread(const struct design *d, const double *e, struct spread *t,
                    struct err *er)
{
    if (!d->rank)
        return err_set(er, ERR_CONFLICT,
                       "all columns are constant: the errors' size cannot follow them");
    double *v = scaled(e, d->rows, d->rank + 2, er);
    if (!v)
        return -1;
    for (size_t r = 0; r < d->rows; r++)
        v[r] *= v[r];
    double r2 = design_r2(d, v);
    free(v);
    if (isnan(r2)) /* as large everywhere: nothing could follow the columns less */
        r2 = 0;
    from_r2(r2, d->rows, d->rank, t);
    return 0;
}

/* A q, A the matrix of second differences with e'Ae the sum of squared steps. */
static void differences(const double *q, size_t n, double *out)
{
    for (size_t r = 0; r < n; r++) {
        double before = r ? q[r] - q[r - 1] : 0, after = r + 1 < n ? q[r] - q[r + 1] : 0;
        out[r] = before + after;
    }
}

/* Mean and variance of d, with U the orthonormal basis of the columns and the constant:
 * P = 2(n - 1) - tr(U'AU), Q = 2(3n - 4) - 2 tr(U'AAU) + tr((U'AU)²);
 * E = P / df, V = 2 (Q - P E) / (df (df + 2)). The constant's A u is 0. */
static void durbin_watson_moments(const struct design *d, double *mean, double *var)
{
    size_t n = d->rows, k = d->rank;
    double *aq = xmalloc(n * sizeof *aq), trace = 0, squares = 0, cross = 0;
    for (size_t i = 0; i < k; i++) {
        differences(d->q + i * n, n, aq);
        for (size_t r = 0; r < n; r++)
            squares += aq[r] * aq[r];
        for (size_t j = 0; j < k; j++) {
            double s = 0;
            for (size_t r = 0; r < n; r++)
                s += d->q[j * n + r] * aq[r];
            trace += i == j ? s : 0;
            cross += s * s;
        }
    }
    free(aq);
    double rows = (double)n, df = rows - (double)k - 1;
    double p = 2 * (rows - 1) - trace, q = 2 * (3 * rows - 4) - 2 * squares + cross;
    *mean = p / df;
    *var = 2 * (q - p * *mean) / (df * (df + 2));
}

int residual_durbin_watson(const struct design *d, const double *e,
                           struct residual_test *t, struct err *er)
{
    double *v = scaled(e, d->rows, d->rank + 3, er), steps = 0, squares = 0, mean, var;
    if (!v)
        return -1;
    for (size_t r = 0; r < d->rows; r++) {
        squares += v[r] * v[r];
        steps += r ? (v[r] - v[r - 1]) * (v[r] - v[r - 1]) : 0;
    }
    free(v);
    durbin_watson_moments(d, &mean, &var);
    t->statistic = steps / squares;
    t->p = p_normal((t->statistic - mean) / sqrt(var));
    return 0;
}

int residual_breusch_godfrey(const struct design *d, const double *e, size_t lags,
                             struct spread *t, struct err *er)
{
    size_t n = d->rows, k = d->rank, cols = k + lags;
    if (!lags || lags >= n || cols > DESIGN_COLS_MAX)
        return err_set(er, ERR_INVALID,
                       "%zu lags cannot be tested: from 1 to fewer than the %zu rows, "
                       "and with the %zu columns no more than %d",
                       lags, n, k, DESIGN_COLS_MAX);
    double *v = scaled(e, n, cols + 2, er);
    if (!v)
        return -1;
    double *x = xcalloc(n * cols, sizeof *x);
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < k; i++)
            x[r * cols + i] = d->q[i * n + r];
        for (size_t l = 1; l <= lags && l <= r; l++)
            x[r * cols + k + l - 1] = v[r - l];
    }
    struct design all;
    int rc = design_init(&all, x, n, cols, er);
    if (!rc && all.rank < cols)
        rc = err_set(er, ERR_CONFLICT,
                     "the errors' lags are combinations of one another: they cannot be "
                     "tested");
    if (!rc) {
        double r2 = design_r2(&all, v), df = (double)(n - cols - 1);
        t->lm.statistic = (double)n * r2;
        t->lm.p = p_chi2(t->lm.statistic, (double)lags);
        t->f.statistic = r2 / (double)lags / ((1 - r2) / df);
        t->f.p = p_f(t->f.statistic, (double)lags, df);
    }
    design_done(&all);
    free(x);
    free(v);
    return rc;
}

static int check_lags(const int *lags, size_t n_lags, size_t n, struct err *er)
{
    for (size_t i = 0; i < n_lags; i++)
        if (lags[i] < 1 || (size_t)lags[i] >= n)
            return err_set(er, ERR_INVALID,
                           "autocorrelation at lag %d cannot be had from %zu errors: "
                           "1 to %zu",
                           lags[i], n, n ? n - 1 : 0);
    return 0;
}

int residual_ljung_box(const double *e, size_t n, const int *lags, size_t n_lags,
                       size_t fitted, struct residual_test *out, struct err *er)
{
    double *v = scaled(e, n, 3, er), squares = 0;
    if (!v)
        return -1;
    int rc = check_lags(lags, n_lags, n, er);
    double mean = design_centre(v, n);
    for (size_t r = 0; r < n; r++)
        squares += v[r] * v[r];
    if (!rc && !(sqrt(squares) > 1e-13 * fabs(mean)))
        rc = err_set(er, ERR_CONFLICT,
                     "all errors are the same: they have no autocorrelation");
    for (size_t i = 0; !rc && i < n_lags; i++) {
        double sum = 0;
        for (size_t l = 1; l <= (size_t)lags[i]; l++) {
            double c = 0;
            for (size_t r = l; r < n; r++)
                c += v[r] * v[r - l];
            sum += c / squares * (c / squares) / (double)(n - l);
        }
        out[i].statistic = (double)n * ((double)n + 2) * sum;
        out[i].p = p_chi2(out[i].statistic, (double)lags[i] - (double)fitted);
    }
    free(v);
    return rc;
}
