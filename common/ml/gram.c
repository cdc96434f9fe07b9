/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/gram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define UNIT_MAX 1e100

#define BLOCK 4 /* rows that are added up together: each sum is read and written once */

/* Sums are of differences from the first row; the target is the last of the columns. */
struct gram {
    size_t cols, rows;
    double weight; /* of all rows, the newest counting 1 */
    double unit;   /* what a row of weight 1 counts for in the sums below */
    size_t waiting;
    double waiting_unit[BLOCK];
    double per_unit, share; /* 1 / unit, 1 / (unit × weight), while it is solved */
    double *wait;           /* BLOCK rows of cols + 1: differences. All within v */
    double *first;          /* cols + 1 */
    double *sum;            /* of the columns */
    double *product;        /* of each two columns: the lower triangle by rows */
    double v[];
};

static size_t cells(size_t cols)
{
    size_t n = cols + 1;
    return (BLOCK + 2) * n + n * (n + 1) / 2;
}

static struct gram *make(size_t cols)
{
    size_t n = cols + 1;
    struct gram *g = xcalloc(1, sizeof *g + cells(cols) * sizeof *g->v);
    g->cols = cols;
    g->wait = g->v;
    g->first = g->wait + BLOCK * n;
    g->sum = g->first + n;
    g->product = g->sum + n;
    return g;
}

struct gram *gram_new(size_t cols)
{
    struct gram *g = make(cols);
    g->unit = 1;
    return g;
}

void gram_free(struct gram *g)
{
    free(g);
}

size_t gram_rows(const struct gram *g)
{
    return g->rows;
}

/* Adds up the rows that wait; those that are not there are zeros. */
static void flush(struct gram *g)
{
    size_t n = g->cols + 1;
    const double *a = g->wait, *b = a + n, *c = b + n, *d = c + n;
    const double *u = g->waiting_unit;
    double *p = g->product;
    for (size_t r = g->waiting; r < BLOCK; r++) {
        memset(g->wait + r * n, 0, n * sizeof *g->wait);
        g->waiting_unit[r] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        double ai = u[0] * a[i], bi = u[1] * b[i], ci = u[2] * c[i], di = u[3] * d[i];
        g->sum[i] += ai + bi + ci + di;
        for (size_t j = 0; j <= i; j++)
            p[j] += ai * a[j] + bi * b[j] + ci * c[j] + di * d[j];
        p += i + 1;
    }
    g->waiting = 0;
}

void gram_add(struct gram *g, const double *x, double target)
{
    size_t n = g->cols + 1;
    if (!g->rows++) {
        memcpy(g->first, x, g->cols * sizeof *x);
        g->first[g->cols] = target;
    }
    double *d = g->wait + g->waiting * n;
    for (size_t i = 0; i < g->cols; i++)
        d[i] = x[i] - g->first[i];
    d[g->cols] = target - g->first[g->cols];
    g->waiting_unit[g->waiting++] = g->unit;
    g->weight += 1;
    if (g->waiting == BLOCK)
        flush(g);
}

/* What is there keeps its size and later rows count for more: nothing is to be done for
 * each forgotten row. */
void gram_forget(struct gram *g, double share)
{
    g->unit /= share;
    g->weight *= share;
    if (g->unit < UNIT_MAX)
        return;
    flush(g);
    size_t n = g->cols + 1;
    for (size_t i = 0; i < n + n * (n + 1) / 2; i++)
        g->sum[i] /= g->unit; /* the products lie behind */
    g->unit = 1;
}

/* Sum of products of the deviations from the means, in the weight of the newest row. */
static double cross(const struct gram *g, size_t i, size_t j)
{
    double p = g->product[i * (i + 1) / 2 + j];
    return (p - g->sum[i] * g->sum[j] * g->share) * g->per_unit;
}

static double mean(const struct gram *g, size_t i)
{
    return g->first[i] + g->sum[i] / g->unit / g->weight;
}

/* Sets f's means and spreads and which columns are dropped. */
static int standardise(const struct gram *g, struct linear_fit *f, struct err *e)
{
    size_t left = 0;
    f->intercept = mean(g, g->cols);
    for (size_t c = 0; c < g->cols; c++) {
        double var = cross(g, c, c) / g->weight;
        if (!isfinite(var))
            return err_set(e, ERR_CONFLICT,
                           "the fit is not finite: the values are too large");
        f->mean[c] = mean(g, c);
        f->std[c] = sqrt(fmax(var, 0));
        if (linear_constant(f->mean[c], f->std[c])) {
            f->dropped |= UINT64_C(1) << c;
            f->std[c] = 1;
        } else {
            left++;
        }
    }
    return left ? 0
                : err_set(e, ERR_CONFLICT,
                          "all features are constant: there is nothing to fit");
}

/* The upper triangle of a (n × n, row major): the Gram matrix of the standardised columns
 * and the penalty; b: their products with the target. What was dropped has zeros but for
 * the penalty. */
static void equations(const struct gram *g, const struct linear_fit *f, double strength,
                      double *a, double *b)
{
    size_t n = g->cols;
    double scale[FEATURES_MAX];
    for (size_t i = 0; i < n; i++)
        scale[i] = f->dropped >> i & 1 ? 0 : 1 / f->std[i];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++)
            a[j * n + i] = cross(g, i, j) * scale[i] * scale[j];
        a[i * n + i] = strength + (scale[i] > 0 ? g->weight : 0);
        b[i] = cross(g, n, i) * scale[i];
    }
}

/* a = U'U, U in place of a's upper triangle, and x of U'U x = b. False if a is not
 * positive definite. By rows from the left up, as in Golub & Van Loan, Matrix
 * Computations, 4.2.5: all inner loops run along rows. */
static bool cholesky(double *a, double *b, size_t n, double *x)
{
    for (size_t k = 0; k < n; k++) {
        double *row = a + k * n;
        if (!(row[k] > 0))
            return false;
        double pivot = sqrt(row[k]);
        for (size_t j = k; j < n; j++)
            row[j] /= pivot;
        b[k] /= pivot;
        for (size_t i = k + 1; i < n; i++) {
            double r = row[i], *below = a + i * n;
            for (size_t j = i; j < n; j++)
                below[j] -= r * row[j];
            b[i] -= r * b[k];
        }
    }
    for (size_t k = n; k-- > 0;) {
        double s = b[k];
        for (size_t j = k + 1; j < n; j++)
            s -= a[k * n + j] * x[j];
        x[k] = s / a[k * n + k];
    }
    return true;
}

static int solve(const struct gram *g, double strength, struct linear_fit *f,
                 struct err *e)
{
    double a[FEATURES_MAX * FEATURES_MAX], b[FEATURES_MAX];
    size_t n = g->cols;
    *f = (struct linear_fit){0};
    if (!(strength >= RIDGE_MIN_STRENGTH) || !isfinite(strength))
        return err_set(e, ERR_INVALID,
                       "the strength of ridge must be at least %g, not %g",
                       RIDGE_MIN_STRENGTH, strength);
    if (!(g->weight > (double)n))
        return err_set(e, ERR_CONFLICT,
                       "%zu features cannot be fitted to %g rows: more rows are needed",
                       n, g->weight);
    if (standardise(g, f, e))
        return -1;
    equations(g, f, strength, a, b);
    if (!cholesky(a, b, n, f->coef))
        return err_set(e, ERR_CONFLICT, "the features say too nearly the same to fit");
    for (size_t c = 0; c < n; c++)
        if (f->dropped >> c & 1)
            f->coef[c] = 0; /* and not -0 */
    return linear_check(f, n, e);
}

/* What waits goes on waiting, so that a sum does not depend on when it was looked at. */
int gram_ridge(const struct gram *g, double strength, struct linear_fit *f, struct err *e)
{
    struct gram *all = make(g->cols);
    memcpy(all->v, g->v, cells(g->cols) * sizeof *g->v);
    memcpy(all->waiting_unit, g->waiting_unit, sizeof g->waiting_unit);
    all->rows = g->rows;
    all->weight = g->weight;
    all->unit = g->unit;
    all->waiting = g->waiting;
    all->per_unit = 1 / all->unit;
    all->share = all->per_unit / all->weight;
    flush(all);
    int rc = solve(all, strength, f, e);
    gram_free(all);
    return rc;
}
