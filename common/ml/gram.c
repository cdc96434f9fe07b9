/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/gram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/gram_loops.h"

#define UNIT_MAX 1e100

_Static_assert(GRAM_MANY == GRAM_LANES, "as many as a vector holds");

/* Sums are of differences from the first row; the target is the last of the columns. */
struct gram {
    size_t cols, rows;
    size_t width;       /* of a row: cols + 1, rounded up to GRAM_LANES */
    double weight;      /* of all rows, the newest counting 1 */
    double unit;        /* what a row of weight 1 counts for in the sums below */
    size_t waiting;     /* rows that are not in the sums yet */
    double *wait;       /* GRAM_BLOCK rows. All within v */
    double *wait_units; /* the same times the unit that each came with */
    double *first;      /* row */
    double *sum;        /* of the columns */
    double *product;    /* of each two columns: gram_loops.h; behind the sums */
    double v[];
};

/* Sums and products. */
static size_t cells(const struct gram *g)
{
    return g->width * (g->cols + 2);
}

struct gram *gram_new(size_t cols)
{
    size_t w = (cols + GRAM_LANES) / GRAM_LANES * GRAM_LANES;
    size_t rows = 2 * GRAM_BLOCK + 2 + cols + 1;
    struct gram *g = xcalloc(1, sizeof *g + rows * w * sizeof *g->v);
    g->cols = cols;
    g->width = w;
    g->unit = 1;
    g->wait = g->v;
    g->wait_units = g->wait + GRAM_BLOCK * w;
    g->first = g->wait_units + GRAM_BLOCK * w;
    g->sum = g->first + w;
    g->product = g->sum + w;
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

/* Adds what waits to the sums and the products behind them. */
static void add_waiting(const struct gram *g, double *sum)
{
    size_t w = g->width, size = g->waiting * w * sizeof(double);
    double *product = sum + w, *rows = NULL;
    if (g->waiting < GRAM_BLOCK) { /* zeros for those that are not there */
        rows = xcalloc(2 * GRAM_BLOCK * w, sizeof *rows);
        memcpy(rows, g->wait, size);
        memcpy(rows + GRAM_BLOCK * w, g->wait_units, size);
    }
    gram_add_up(g->cols + 1, w, rows ? rows : g->wait,
                rows ? rows + GRAM_BLOCK * w : g->wait_units, sum, product);
    free(rows);
}

static void flush(struct gram *g)
{
    add_waiting(g, g->sum);
    g->waiting = 0;
}

void gram_add(struct gram *g, const double *x, double target)
{
    size_t cols = g->cols;
    if (!g->rows++) {
        memcpy(g->first, x, cols * sizeof *x);
        g->first[cols] = target;
    }
    double *restrict d = g->wait + g->waiting * g->width;
    double *restrict u = g->wait_units + g->waiting * g->width;
    const double *restrict first = g->first;
    double unit = g->unit;
    for (size_t i = 0; i < cols; i++) {
        d[i] = x[i] - first[i];
        u[i] = unit * d[i];
    }
    d[cols] = target - first[cols];
    u[cols] = unit * d[cols];
    g->weight += 1;
    if (++g->waiting == GRAM_BLOCK)
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
    for (size_t i = 0; i < cells(g); i++)
        g->sum[i] /= g->unit; /* the products lie behind */
    g->unit = 1;
}

#define PAIRS ((FEATURES_MAX + 1) * GRAM_MANY)

/* Sets f's means and spreads, which columns are dropped, and the scale of each. */
static int standardise(const struct gram_sums *s, const double *mean, const double *std,
                       size_t lane, struct linear_fit *f, double *scale, struct err *e)
{
    size_t left = 0, cols = s->cols, target = cols * s->lanes + lane;
    f->dropped = 0;
    f->intercept = s->first[target] + s->sum[target] / s->unit / s->weight[lane];
    for (size_t c = 0; c < cols; c++) {
        size_t i = c * s->lanes + lane;
        if (!isfinite(std[i]))
            return err_set(e, ERR_CONFLICT,
                           "the fit is not finite: the values are too large");
        bool constant = linear_constant(mean[i], std[i]);
        f->mean[c] = mean[i];
        f->std[c] = constant ? 1 : std[i];
        f->dropped |= (uint64_t)constant << c;
        scale[i] = constant ? 0 : 1 / std[i];
        left += !constant;
    }
    scale[target] = 1;
    return left ? 0
                : err_set(e, ERR_CONFLICT,
                          "all features are constant: there is nothing to fit");
}

/* The means and spreads of all columns. */
static void take_moments(const struct gram_sums *s, double *mean, double *std)
{
    double square[PAIRS], sum[PAIRS], first[PAIRS];
    size_t n = s->cols * s->lanes;
    for (size_t i = 0; i < n; i++) {
        size_t c = i / s->lanes, l = i % s->lanes;
        square[i] = s->product[(c * s->width + c) * s->lanes + l];
    }
    memcpy(sum, s->sum, n * sizeof *sum);
    memcpy(first, s->first, n * sizeof *first);
    for (size_t i = n; i < n + GRAM_LANES - 1; i++)
        square[i] = sum[i] = first[i] = 0;
    gram_moments(&(struct gram_moments){s->cols, s->lanes, s->unit, s->weight, first, sum,
                                        square, mean, std});
}

static int prepare(const struct gram_sums *s, double strength, struct linear_fit *f,
                   double *scale, struct err *e)
{
    double mean[PAIRS], std[PAIRS];
    if (!(strength >= RIDGE_MIN_STRENGTH) || !isfinite(strength))
        return err_set(e, ERR_INVALID,
                       "the strength of ridge must be at least %g, not %g",
                       RIDGE_MIN_STRENGTH, strength);
    for (size_t l = 0; l < s->lanes; l++)
        if (!(s->weight[l] > (double)s->cols))
            return err_set(
                e, ERR_CONFLICT,
                "%zu features cannot be fitted to %g rows: more rows are needed", s->cols,
                s->weight[l]);
    take_moments(s, mean, std);
    for (size_t l = 0; l < s->lanes; l++)
        if (standardise(s, mean, std, l, &f[l], scale, e))
            return -1;
    return 0;
}

/* Takes the coefficients out of x. */
static int finish(const struct gram_sums *s, const double *x, struct linear_fit *f,
                  struct err *e)
{
    for (size_t l = 0; l < s->lanes; l++) {
        for (size_t c = 0; c < s->cols; c++) /* what was dropped is 0 and not -0 */
            f[l].coef[c] = f[l].dropped >> c & 1 ? 0 : x[c * s->lanes + l];
        if (linear_check(&f[l], s->cols, e))
            return -1;
    }
    return 0;
}

int gram_ridge_sums(const struct gram_sums *s, double strength, struct linear_fit *f,
                    struct err *e)
{
    double scale[PAIRS], x[PAIRS];
    size_t n = s->cols;
    if (prepare(s, strength, f, scale, e))
        return -1;
    double *a = xmalloc(n * (n + GRAM_LANES) * s->lanes * sizeof *a);
    gram_equations(&(struct gram_system){n, s->width, s->lanes, s->sum, s->product,
                                         1 / s->unit, s->weight, scale},
                   strength, a);
    bool solved = gram_cholesky(n, s->lanes, a, x);
    free(a);
    if (!solved)
        return err_set(e, ERR_CONFLICT, "the features say too nearly the same to fit");
    return finish(s, x, f, e);
}

/* What waits goes on waiting, so that a sum does not depend on when it was looked at. */
int gram_ridge(const struct gram *g, double strength, struct linear_fit *f, struct err *e)
{
    double *sum = xmalloc(cells(g) * sizeof *sum), *product = sum + g->width;
    memcpy(sum, g->sum, cells(g) * sizeof *sum);
    add_waiting(g, sum);
    int rc = gram_ridge_sums(&(struct gram_sums){g->cols, g->width, 1, &g->weight,
                                                 g->unit, g->first, sum, product},
                             strength, f, e);
    free(sum);
    return rc;
}
