/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/collinearity.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/mem.h"

#define TERMS_TOLD 6 /* of a relation in a sentence */

/* Row j of R^-1 dotted with row i: element (j, i) of the inverse correlation matrix. */
static double inverse_correlation(const double *inverse, size_t k, size_t j, size_t i)
{
    double s = 0;
    for (size_t c = i > j ? i : j; c < k; c++)
        s += inverse[j * k + c] * inverse[i * k + c];
    return s;
}

/* Stewart (1987): the diagonal of the inverse correlation matrix is the variance
 * inflation, and the rest of it, scaled, the partial correlations with their sign
 * turned. */
static void among_kept(const struct design *d, const double *inverse,
                       struct collinearity *c)
{
    size_t k = d->rank;
    for (size_t j = 0; j < k; j++)
        c->tie[d->kept[j]].vif = inverse_correlation(inverse, k, j, j);
    for (size_t j = 0; j < k; j++) {
        struct column_tie *t = &c->tie[d->kept[j]];
        for (size_t i = 0; i < k; i++) {
            if (i == j)
                continue;
            double r = -inverse_correlation(inverse, k, j, i) /
                       sqrt(t->vif * c->tie[d->kept[i]].vif);
            if (t->partner == COLLINEARITY_NONE || fabs(r) > fabs(t->partner_r)) {
                t->partner = d->kept[i];
                t->partner_r = r;
            }
        }
    }
}

/* A kept column takes part in a relation if the relation breaks without it: what only it
 * can say, 1 / sqrt(vif) of its length, times its weight, is above the tolerance. */
static void relation(const struct design *d, const double *inverse, size_t col,
                     const double *vif, struct collinearity *c)
{
    size_t k = d->rank;
    struct column_tie *t = &c->tie[col];
    t->weight = xcalloc(d->cols, sizeof *t->weight);
    t->offset = d->mean[col];
    t->vif = INFINITY;
    for (size_t j = 0; j < k; j++) {
        double weight = 0;
        size_t kept = d->kept[j];
        for (size_t i = j; i < k; i++)
            weight += inverse[j * k + i] * d->r[col * d->cols + i];
        if (fabs(weight) / sqrt(vif[kept]) <= DESIGN_TOLERANCE)
            continue;
        t->weight[kept] = weight * d->length[col] / d->length[kept];
        t->offset -= t->weight[kept] * d->mean[kept];
        c->tie[kept].vif = INFINITY;
    }
}

void collinearity(const struct design *d, struct collinearity *c)
{
    double *inverse = xcalloc(d->rank * d->rank + 1, sizeof *inverse);
    double *vif = xcalloc(d->cols, sizeof *vif);
    c->cols = d->cols;
    c->tie = xcalloc(d->cols, sizeof *c->tie);
    for (size_t i = 0; i < d->cols; i++)
        c->tie[i] = (struct column_tie){.state = d->state[i],
                                        .vif = NAN,
                                        .partner = COLLINEARITY_NONE,
                                        .partner_r = NAN};
    design_inverse(d, inverse);
    among_kept(d, inverse, c);
    for (size_t i = 0; i < d->cols; i++)
        vif[i] = c->tie[i].vif;
    for (size_t i = 0; i < d->cols; i++)
        if (d->state[i] == COLUMN_EXPLAINED)
            relation(d, inverse, i, vif, c);
    free(vif);
    free(inverse);
}

double *collinearity_logs(const double *x, size_t rows, size_t cols)
{
    double *logs = xcalloc(rows * cols + 1, sizeof *logs);
    for (size_t i = 0; i < cols; i++) {
        double least = INFINITY;
        for (size_t r = 0; r < rows; r++)
            least = fmin(least, x[r * cols + i]);
        for (size_t r = 0; least > 0 && r < rows; r++)
            logs[r * cols + i] = log(x[r * cols + i]);
    }
    return logs;
}

void collinearity_of_logs(const double *x, size_t rows, size_t cols,
                          struct collinearity *c)
{
    double *logs = collinearity_logs(x, rows, cols);
    struct design d;
    *c = (struct collinearity){0};
    if (!design_init(&d, logs, rows, cols, NULL))
        collinearity(&d, c);
    design_done(&d);
    free(logs);
}

void collinearity_text(struct buf *b, const struct collinearity *c, size_t col,
                       const char *const *names, bool logs)
{
    const struct column_tie *t = &c->tie[col];
    const char *ln = logs ? "ln " : "";
    size_t terms = 0;
    buf_addf(b, "%s%s = %.4g", ln, names[col], t->offset);
    for (size_t i = 0; i < c->cols; i++)
        if (t->weight[i] != 0 && ++terms <= TERMS_TOLD)
            buf_addf(b, " %c %.4g × %s%s", t->weight[i] < 0 ? '-' : '+',
                     fabs(t->weight[i]), ln, names[i]);
    if (terms > TERMS_TOLD)
        buf_addf(b, " and %zu more", terms - TERMS_TOLD);
}

void collinearity_done(struct collinearity *c)
{
    for (size_t i = 0; i < c->cols; i++)
        free(c->tie[i].weight);
    free(c->tie);
    *c = (struct collinearity){0};
}
