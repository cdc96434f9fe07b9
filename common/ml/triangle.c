/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/triangle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/linear.h"

#define WAIT 32 /* rows that are taken in together */

/* Columns: a constant, those of x, the target; differences from the first row. */
struct triangle {
    size_t cols, width, rows, waiting;
    double *first; /* cols + 1. All within v */
    double *r;     /* width rows: R, and WAIT rows behind it that are not in it yet */
    double v[];
};

static size_t cells(size_t width)
{
    return width + (width + WAIT) * width;
}

struct triangle *triangle_new(size_t cols)
{
    size_t width = cols + 2;
    struct triangle *t = xcalloc(1, sizeof *t + cells(width) * sizeof *t->v);
    t->cols = cols;
    t->width = width;
    t->first = t->v;
    t->r = t->first + width;
    return t;
}

void triangle_free(struct triangle *t)
{
    free(t);
}

size_t triangle_rows(const struct triangle *t)
{
    return t->rows;
}

/* Householder's reflection of column k over its diagonal element and the n rows that
 * wait: Golub & Van Loan, Matrix Computations, 5.1.3. */
static void reflect(double *top, double *rows, size_t n, size_t width, size_t k)
{
    double below = 0;
    for (size_t i = 0; i < n; i++)
        below += rows[i * width + k] * rows[i * width + k];
    if (!(below > 0))
        return;
    double length = sqrt(top[k] * top[k] + below);
    double head = top[k] > 0 ? top[k] + length : top[k] - length;
    double scale =
        head * (top[k] > 0 ? length : -length); /* half of the vector's square */
    for (size_t j = k + 1; j < width; j++) {
        double s = head * top[j];
        for (size_t i = 0; i < n; i++)
            s += rows[i * width + k] * rows[i * width + j];
        s /= scale;
        top[j] -= s * head;
        for (size_t i = 0; i < n; i++)
            rows[i * width + j] -= s * rows[i * width + k];
    }
    top[k] = head > 0 ? -length : length;
}

static void take_in(double *r, size_t n, size_t width)
{
    for (size_t k = 0; k < width; k++)
        reflect(r + k * width, r + width * width, n, width, k);
}

void triangle_add(struct triangle *t, const double *x, double target)
{
    if (!t->rows++) {
        memcpy(t->first, x, t->cols * sizeof *x);
        t->first[t->cols] = target;
    }
    double *row = t->r + (t->width + t->waiting) * t->width;
    row[0] = 1;
    for (size_t i = 0; i < t->cols; i++)
        row[i + 1] = x[i] - t->first[i];
    row[t->cols + 1] = target - t->first[t->cols];
    if (++t->waiting == WAIT) {
        take_in(t->r, WAIT, t->width);
        t->waiting = 0;
    }
}

/* The first row of R holds the means (times the root of the rows), the others are R of
 * the columns without them. */
static void standardise(const struct triangle *t, const double *r, struct linear_fit *f,
                        double *x, double *b)
{
    size_t n = t->cols, w = t->width;
    *f = (struct linear_fit){.intercept = t->first[n] + r[n + 1] / r[0]};
    for (size_t c = 0; c < n; c++) {
        double square = 0;
        for (size_t i = 0; i <= c; i++)
            square += r[(i + 1) * w + c + 1] * r[(i + 1) * w + c + 1];
        f->mean[c] = t->first[c] + r[c + 1] / r[0];
        f->std[c] = sqrt(square / (double)t->rows);
        if (linear_constant(f->mean[c], f->std[c])) {
            f->dropped |= UINT64_C(1) << c;
            f->std[c] = 1;
        }
        for (size_t i = 0; i < n; i++)
            x[i * n + c] =
                i > c || f->dropped >> c & 1 ? 0 : r[(i + 1) * w + c + 1] / f->std[c];
        b[c] = r[(c + 1) * w + n + 1];
    }
}

int triangle_qr(const struct triangle *t, struct linear_fit *f, struct err *e)
{
    size_t n = t->cols, w = t->width, size = (w + WAIT) * w;
    if (linear_enough(t->rows, n, e))
        return -1;
    double *r = xmalloc((size + n * n + n) * sizeof *r), *x = r + size, *b = x + n * n;
    memcpy(r, t->r, size * sizeof *r);
    take_in(r, t->waiting, w);
    standardise(t, r, f, x, b);
    int rc = linear_pivoted(x, b, n, n, f, e);
    free(r);
    return rc;
}
