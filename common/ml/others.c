/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/others.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/cross_correlation.h"
#include "common/ml/dataset.h"
#include "common/ml/gram.h"

#define HOUR_S 3600

void others_init(struct others *o, const struct hours *h)
{
    *o = (struct others){.start_s = h->start_s, .hours = h->n};
}

void others_done(struct others *o)
{
    for (size_t i = 0; i < o->n; i++)
        free(o->of[i].y);
    *o = (struct others){0};
}

bool others_add(struct others *o, const char *series, const struct hours *h)
{
    if (o->n == OTHERS_MAX)
        return false;
    double *y = xmalloc((o->hours + 1) * sizeof *y);
    int64_t ahead = (h->start_s - o->start_s) / HOUR_S;
    for (size_t t = 0; t < o->hours; t++) {
        int64_t i = (int64_t)t - ahead;
        y[t] = i >= 0 && i < (int64_t)h->n ? h->y[i] : NAN;
    }
    snprintf(o->of[o->n].series, OTHERS_NAME_SIZE, "%s", series);
    o->of[o->n++].y = y;
    return true;
}

int others_find(const struct others *o, const char *series)
{
    for (size_t i = 0; i < o->n; i++)
        if (!strcmp(o->of[i].series, series))
            return (int)i;
    return -1;
}

double others_measured(const struct others *o, size_t i, int64_t t_s)
{
    int64_t t = (t_s - o->start_s) / HOUR_S;
    return t_s >= o->start_s && t < (int64_t)o->hours ? o->of[i].y[t] : NAN;
}

double others_at(const struct others *o, size_t i, int64_t t_s)
{
    double y = others_measured(o, i, t_s);
    for (int back = 1; back <= OTHERS_STALE_HOURS && !isfinite(y); back++)
        y = others_measured(o, i, t_s - back * HOUR_S);
    return y;
}

/* ---- what another is worth ---- */

enum { OWN = 4, BOTH = OWN + 3 };
static const int lags[BOTH] = {1, 2, 3, 24, 1, 2, 3}; /* own ones, the other's */

/* Rows of BOTH columns and the target behind them, where all are there; owned. */
static double *worth_rows(const double *a, const double *b, size_t n, size_t *rows)
{
    double *x = xmalloc((n * (BOTH + 1) + 1) * sizeof *x), *row = x;
    for (size_t t = 24; t < n; t++) {
        double sum = row[BOTH] = a[t];
        for (int c = 0; c < BOTH; c++)
            sum += row[c] = (c < OWN ? a : b)[t - (size_t)lags[c]];
        if (isfinite(sum))
            row += BOTH + 1;
    }
    *rows = (size_t)(row - x) / (BOTH + 1);
    return x;
}

/* Standard deviation of what a regression on the first cols columns leaves; NaN if there
 * is none. */
static double left(const double *x, size_t rows, size_t cols)
{
    struct gram *g = gram_new(cols);
    struct linear_fit f;
    double ss = 0;
    for (size_t i = 0; i < rows; i++)
        gram_add(g, x + i * (BOTH + 1), x[i * (BOTH + 1) + BOTH]);
    int rc = gram_ridge(g, RIDGE_MIN_STRENGTH, &f, NULL);
    for (size_t i = 0; i < rows && !rc; i++) {
        const double *row = x + i * (BOTH + 1);
        double r = row[BOTH] - f.intercept;
        for (size_t c = 0; c < cols; c++)
            r -= f.coef[c] * (row[c] - f.mean[c]) / f.std[c];
        ss += r * r;
    }
    gram_free(g);
    return rc || rows <= cols + 1 ? NAN : sqrt(ss / (double)(rows - cols - 1));
}

void others_target_init(struct others_target *a, const struct hours *h)
{
    size_t rows;
    a->n = h->n;
    a->y = xmalloc((h->n + 1) * sizeof *a->y);
    cross_without_day(h->y, h->n, a->y);
    double *z = worth_rows(a->y, a->y, h->n, &rows);
    a->rows = rows;
    a->own = left(z, rows, OWN);
    free(z);
}

void others_target_done(struct others_target *a)
{
    free(a->y);
    *a = (struct others_target){0};
}

double others_worth(const struct others_target *a, const struct hours *b)
{
    double *y = xmalloc((b->n + 1) * sizeof *y);
    cross_without_day(b->y, b->n, y);
    size_t rows;
    double *z = worth_rows(a->y, y, a->n < b->n ? a->n : b->n, &rows);
    /* where the other has all hours, the rows are those of the target alone */
    double own = rows == a->rows ? a->own : left(z, rows, OWN);
    double gain = 1 - left(z, rows, BOTH) / own;
    free(z);
    free(y);
    return gain > 0 ? gain : 0;
}
