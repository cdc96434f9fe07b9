/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/lagged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* Row t of the table: the sums of what is before hour t, that of the values first, then
 * those of the products with the value 0, 1, .. most hours before. */
struct lagged {
    size_t most, n;
    double level;
    double *table; /* n + 1 rows of most + 2 */
};

static void sort(double *v)
{
    for (size_t i = 1; i < LAGGED_LEAST; i++) {
        double x = v[i];
        size_t k = i;
        for (; k && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

/* Sets the level; false if one is missing, or the farthest is too far from all but the
 * two that are farthest. */
static bool find_level(const double *z, size_t n, double *level)
{
    double v[LAGGED_LEAST], size = 0;
    if (n < LAGGED_LEAST)
        return false;
    for (size_t i = 0; i < LAGGED_LEAST; i++) {
        if (!isfinite(z[i]))
            return false;
        v[i] = z[i];
    }
    sort(v);
    *level = v[LAGGED_LEAST / 2];
    for (size_t i = 0; i < LAGGED_LEAST; i++)
        v[i] = fabs(v[i] - *level);
    sort(v);
    for (size_t i = 0; i < LAGGED_LEAST - 2; i++)
        size += v[i];
    return !(v[LAGGED_LEAST - 1] > LAGGED_FAR * size / (LAGGED_LEAST - 2));
}

/* How many of z can be taken. */
static size_t near_enough(const double *z, size_t n, double level)
{
    double size = 0;
    for (size_t t = 0; t < n; t++) {
        double v = fabs(z[t] - level);
        if (!isfinite(v) || (t >= LAGGED_LEAST && v > LAGGED_FAR * size / (double)t))
            return t;
        size += v;
    }
    return n;
}

static double *row(const struct lagged *l, size_t t)
{
    return l->table + t * (l->most + 2);
}

/* back: the values, the newest first, so that a row is made along them; zeros behind. */
static void fill(struct lagged *l, const double *back)
{
    size_t w = l->most + 1;
    memset(l->table, 0, (w + 1) * sizeof *l->table);
    for (size_t t = 0; t < l->n; t++) {
        const double *restrict before = row(l, t), *restrict z = back + l->n - 1 - t;
        double *restrict after = row(l, t + 1), v = *z;
        *after++ = *before++ + v;
        for (size_t d = 0; d < w; d++)
            after[d] = before[d] + v * z[d];
    }
}

struct lagged *lagged_make(const double *z, size_t n, size_t most)
{
    struct lagged *l = xcalloc(1, sizeof *l);
    l->most = most;
    if (!find_level(z, n, &l->level))
        return l;
    l->n = near_enough(z, n, l->level);
    l->table = xmalloc((l->n + 1) * (most + 2) * sizeof *l->table);
    double *back = xcalloc(l->n + most, sizeof *back);
    for (size_t t = 0; t < l->n; t++)
        back[l->n - 1 - t] = z[t] - l->level;
    fill(l, back);
    free(back);
    return l;
}

void lagged_free(struct lagged *l)
{
    if (!l)
        return;
    free(l->table);
    free(l);
}

size_t lagged_n(const struct lagged *l)
{
    return l->n;
}

double lagged_level(const struct lagged *l)
{
    return l->level;
}

/* Those that are there, the nearest first; the sums of the others are zeros. */
static size_t in_order(const size_t *back, size_t cols, size_t stride, size_t *order,
                       double *sum, double *product)
{
    size_t live = 0;
    for (size_t i = 0; i < cols; i++) {
        size_t k = live;
        if (back[i] == LAGGED_NONE) {
            sum[i * stride] = 0;
            for (size_t j = 0; j < cols; j++)
                product[(i < j ? i * cols + j : j * cols + i) * stride] = 0;
            continue;
        }
        for (; k && back[order[k - 1]] > back[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
        live++;
    }
    return live;
}

void lagged_sums(const struct lagged *l, size_t n, size_t first, const size_t *back,
                 size_t cols, size_t stride, double *sum, double *product)
{
    size_t order[FEATURES_MAX + 1];
    size_t live = in_order(back, cols, stride, order, sum, product);
    for (size_t a = 0; a < live; a++) {
        size_t i = order[a];
        const double *to = row(l, n - back[i]), *from = row(l, first - back[i]);
        sum[i * stride] = to[0] - from[0];
        for (size_t b = a; b < live; b++) { /* counted from the nearer of the two */
            size_t j = order[b], d = 1 + back[j] - back[i];
            size_t at = i < j ? i * cols + j : j * cols + i;
            product[at * stride] = to[d] - from[d];
        }
    }
}
