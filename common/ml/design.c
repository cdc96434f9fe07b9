/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/design.h"

#include <float.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/sums.h"

#define CONSTANT_TOLERANCE 1e-13

static double length(const double *v, size_t n)
{
    return sqrt(sums_dot(v, v, n));
}

double design_centre(double *v, size_t rows)
{
    double mean = 0, rest = 0;
    for (size_t r = 0; r < rows; r++)
        mean += v[r];
    mean /= (double)rows;
    for (size_t r = 0; r < rows; r++)
        rest += v[r] - mean;
    mean += rest / (double)rows; /* what rounding left */
    for (size_t r = 0; r < rows; r++)
        v[r] -= mean;
    return mean;
}

/* Takes v's parts along the basis out of it and adds them to theta. */
static void sweep(const double *restrict q, size_t rank, size_t rows, double *restrict v,
                  double *restrict theta)
{
    for (size_t i = 0; i < rank; i++) {
        double c = sums_dot(q + i * rows, v, rows);
        for (size_t r = 0; r < rows; r++)
            v[r] -= c * q[i * rows + r];
        theta[i] += c;
    }
}

void design_project(const struct design *d, double *v, double *theta)
{
    memset(theta, 0, d->rank * sizeof *theta);
    sweep(d->q, d->rank, d->rows, v, theta);
    sweep(d->q, d->rank, d->rows, v, theta);
}

/* Column c, centred and scaled to length 1, to v; false if it is constant. Scaled by its
 * largest value first, so that no square under- or overflows. */
static bool standardise(struct design *d, const double *x, size_t c, double *v)
{
    double top = 0;
    for (size_t r = 0; r < d->rows; r++)
        v[r] = x[r * d->cols + c];
    d->mean[c] = design_centre(v, d->rows);
    d->length[c] = 1;
    for (size_t r = 0; r < d->rows; r++)
        top = fmax(top, fabs(v[r]));
    if (!(top > CONSTANT_TOLERANCE * fabs(d->mean[c])) || top < DBL_MIN / DBL_EPSILON)
        return false;
    for (size_t r = 0; r < d->rows; r++)
        v[r] /= top;
    double n = length(v, d->rows);
    for (size_t r = 0; r < d->rows; r++)
        v[r] /= n;
    d->length[c] = n * top;
    return true;
}

static void add_column(struct design *d, const double *x, size_t c)
{
    double *v = d->q + d->rank * d->rows, *row = d->r + c * d->cols;
    if (!standardise(d, x, c, v)) {
        d->state[c] = COLUMN_CONSTANT;
        return;
    }
    sweep(d->q, d->rank, d->rows, v, row);
    sweep(d->q, d->rank, d->rows, v, row);
    double rest = length(v, d->rows);
    if (rest <= DESIGN_TOLERANCE || d->rank + 1 >= d->rows) {
        d->state[c] = COLUMN_EXPLAINED;
        return;
    }
    for (size_t r = 0; r < d->rows; r++)
        v[r] /= rest;
    row[d->rank] = rest;
    d->kept[d->rank++] = c;
}

static int check(const double *x, size_t rows, size_t cols, struct err *e)
{
    if (!cols || cols > DESIGN_COLS_MAX)
        return err_set(e, ERR_INVALID, "a regression needs 1 to %d columns, not %zu",
                       DESIGN_COLS_MAX, cols);
    if (rows < 2)
        return err_set(e, ERR_CONFLICT, "a regression needs at least 2 rows, not %zu",
                       rows);
    for (size_t i = 0; i < rows * cols; i++)
        if (!(fabs(x[i]) <= DESIGN_VALUE_MAX))
            return err_set(e, ERR_INVALID,
                           "row %zu, column %zu is %g: numbers up to %g can be used",
                           i / cols, i % cols, x[i], DESIGN_VALUE_MAX);
    return 0;
}

int design_init(struct design *d, const double *x, size_t rows, size_t cols,
                struct err *e)
{
    *d = (struct design){.rows = rows, .cols = cols};
    if (check(x, rows, cols, e))
        return -1;
    d->mean = xcalloc(cols, sizeof *d->mean);
    d->length = xcalloc(cols, sizeof *d->length);
    d->state = xcalloc(cols, sizeof *d->state);
    d->kept = xcalloc(cols, sizeof *d->kept);
    d->q = xcalloc(cols * rows, sizeof *d->q);
    d->r = xcalloc(cols * cols, sizeof *d->r);
    for (size_t c = 0; c < cols; c++)
        add_column(d, x, c);
    return 0;
}

void design_done(struct design *d)
{
    free(d->mean);
    free(d->length);
    free(d->state);
    free(d->kept);
    free(d->q);
    free(d->r);
    *d = (struct design){0};
}

/* Back substitution, column by column of the unit matrix; the coordinates stand in r's
 * rows, so R_ij is that of kept column j on q_i. */
void design_inverse(const struct design *d, double *inverse)
{
    size_t n = d->rank;
    memset(inverse, 0, n * n * sizeof *inverse);
    for (size_t c = 0; c < n; c++) {
        for (size_t i = c + 1; i-- > 0;) {
            double s = i == c ? 1 : 0;
            for (size_t j = i + 1; j <= c; j++)
                s -= d->r[d->kept[j] * d->cols + i] * inverse[j * n + c];
            inverse[i * n + c] = s / d->r[d->kept[i] * d->cols + i];
        }
    }
}

double design_r2(const struct design *d, double *v)
{
    double theta[DESIGN_COLS_MAX], mean = design_centre(v, d->rows);
    double all = length(v, d->rows);
    if (!(all > CONSTANT_TOLERANCE * sqrt((double)d->rows) * fabs(mean)))
        return NAN;
    design_project(d, v, theta);
    double rest = length(v, d->rows) / all;
    return 1 - rest * rest;
}

/* Largest singular value of a (n × n, destroyed) over the smallest. */
static double condition(double *a, size_t n)
{
    double top = 0;
    for (size_t i = 0; i < n * n; i++)
        top = fmax(top, fabs(a[i]));
    for (size_t i = 0; i < n * n; i++)
        a[i] /= top;
    gsl_matrix_view view = gsl_matrix_view_array(a, n, n);
    gsl_matrix *v = gsl_matrix_alloc(n, n);
    gsl_vector *s = gsl_vector_alloc(n), *space = gsl_vector_alloc(n);
    gsl_linalg_SV_decomp(&view.matrix, v, s, space);
    double ratio = gsl_vector_get(s, 0) / gsl_vector_get(s, n - 1);
    gsl_vector_free(space);
    gsl_vector_free(s);
    gsl_matrix_free(v);
    return ratio;
}

/* The columns' coordinates on (1 / sqrt n, q) have their singular values. */
void design_condition(const struct design *d, double *plain, double *scaled)
{
    size_t k = d->rank, n = k + 1;
    double *a = xcalloc(n * n, sizeof *a), *b = xcalloc(k * k, sizeof *b);
    a[0] = sqrt((double)d->rows);
    for (size_t j = 0; j < k; j++) {
        size_t c = d->kept[j];
        a[j + 1] = d->mean[c] * sqrt((double)d->rows);
        for (size_t i = 0; i <= j; i++) {
            b[i * k + j] = d->r[c * d->cols + i];
            a[(i + 1) * n + j + 1] = d->length[c] * b[i * k + j];
        }
    }
    *plain = condition(a, n);
    *scaled = condition(b, k);
    free(b);
    free(a);
}
