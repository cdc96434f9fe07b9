/* SPDX-License-Identifier: GPL-3.0-or-later */
/* direct_learn: the 48 regressions of direct.c, as hours come. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/direct.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"

/* As long as no hour is missing (or absurd), the regressions are made of the series'
 * sums; from the first one on of rows, each for itself. */
_Static_assert(HORIZON_MAX % GRAM_MANY == 0, "leads are fitted so many at a time");

struct learnt {
    struct linear_hours hours;
    size_t at[HORIZON_MAX][FEATURES_MAX]; /* places() */
    size_t least[HORIZON_MAX];            /* the first hour that has a row */
    size_t most;                          /* of these */
    const struct lagged *whole;           /* its sums; NULL: there was one. Borrowed */
    struct gram *gram[HORIZON_MAX];       /* rows; NULL as long as none were wanted */
    size_t rowed;                         /* hours whose rows are in these */
    const struct others *beside;          /* NULL: not read; else rows it is */
    struct exogenous *exogenous;          /* what is read of these, but for the means */
    int64_t start_s;                      /* of the first hour */
    size_t cols;
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    linear_hours_init(&l->hours, &m->features);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        direct_places(&m->features, k + 1, l->at[k]);
        for (size_t i = 0; i < m->features.n_lags; i++)
            if (l->at[k][i] != DIRECT_NONE && l->at[k][i] + k > l->least[k])
                l->least[k] = l->at[k][i] + k;
        l->most = l->least[k] > l->most ? l->least[k] : l->most;
    }
    l->cols = m->features.n_lags;
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        gram_free(l->gram[k]);
    linear_hours_done(&l->hours);
    free(l->exogenous);
    free(l);
}

/* The others' part of the row at an origin and a lead; false where one is not known. */
static bool others_row(const struct learnt *l, int64_t origin_s, size_t lead, double *row)
{
    for (size_t i = 0; l->beside && i < l->beside->n; i++) {
        const struct exogenous *x = &l->exogenous[i];
        for (size_t k = 0; k < x->n_lags; k++, row++) {
            *row = features_exogenous(x, k, l->beside, (int)i, origin_s, lead);
            if (!isfinite(*row))
                return false;
        }
    }
    return true;
}

/* The rows whose target is hour t. */
static void add_rows(struct learnt *l, size_t t)
{
    double row[FEATURES_MAX], z = l->hours.z[t];
    size_t lags = l->hours.spec.n_lags;
    for (size_t k = 0; k < HORIZON_MAX && k < t && isfinite(z); k++)
        if (direct_row(l->at[k], lags, l->hours.z, t - k, row) &&
            others_row(l, l->start_s + (int64_t)(t - k - 1) * 3600, k + 1, row + lags))
            gram_add(l->gram[k], row, z);
}

static void rows_up_to_date(struct learnt *l)
{
    for (size_t k = 0; k < HORIZON_MAX && !l->rowed; k++) {
        gram_free(l->gram[k]);
        l->gram[k] = gram_new(l->cols);
    }
    for (; l->rowed < l->hours.n; l->rowed++)
        add_rows(l, l->rowed);
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    while (linear_hours_next(&l->hours, h))
        ;
    l->whole = l->beside ? NULL : linear_hours_sums(&l->hours, h, l->most);
    if (!l->whole)
        rows_up_to_date(l);
}

/* Of each its newest hour, and the one at which it says most. */
static void read_others(struct learnt *l, const struct others *beside)
{
    l->beside = beside;
    l->exogenous = xcalloc(beside->n, sizeof *l->exogenous);
    for (size_t i = 0; i < beside->n; i++) {
        struct exogenous *x = &l->exogenous[i];
        snprintf(x->series, sizeof x->series, "%s", beside->of[i].series);
        x->lags[x->n_lags++] = 1;
        if (beside->of[i].lag > 1)
            x->lags[x->n_lags++] = beside->of[i].lag;
        l->cols += x->n_lags;
    }
}

/* What stands beside is known with the first hours. */
static void take_with_others(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    if (!h->beside || !h->beside->n)
        return;
    if (!l->beside) {
        read_others(l, h->beside);
        l->start_s = h->start_s;
    }
    take(l, h);
}

static size_t rows_of(const struct learnt *l, size_t k)
{
    if (!l->whole)
        return gram_rows(l->gram[k]);
    return l->hours.n > l->least[k] ? l->hours.n - l->least[k] : 0;
}

/* The sums of the regression at lead k + 1, as the lane of many. Its columns are the
 * series k + at[] hours before the target; one that is left out is 0. */
static void sums_of(const struct learnt *l, size_t k, size_t lane, double *first,
                    double *sum, double *product)
{
    size_t n = l->hours.spec.n_lags, back[FEATURES_MAX + 1] = {0};
    for (size_t i = 0; i < n; i++)
        back[i] = l->at[k][i] == DIRECT_NONE ? DIRECT_NONE : l->at[k][i] + k;
    for (size_t i = 0; i <= n; i++)
        first[i * GRAM_MANY + lane] = back[i] == DIRECT_NONE ? 0 : lagged_level(l->whole);
    lagged_sums(l->whole, l->hours.n, l->least[k], back, n + 1, GRAM_MANY, sum + lane,
                product + lane);
}

/* The regressions at the GRAM_MANY leads from k + 1 on. */
static int ridges_of(const struct learnt *l, size_t k, double strength,
                     struct linear_fit *f, struct err *e)
{
    size_t n = l->hours.spec.n_lags;
    double first[(FEATURES_MAX + 1) * GRAM_MANY], sum[(FEATURES_MAX + 1) * GRAM_MANY];
    double weight[GRAM_MANY];
    int rc = 0;
    for (size_t i = 0; i < GRAM_MANY && !l->whole && !rc; i++)
        rc = gram_ridge(l->gram[k + i], strength, &f[i], e);
    if (!l->whole)
        return rc;
    double *product = xmalloc((n + 1) * (n + 1) * GRAM_MANY * sizeof *product);
    for (size_t i = 0; i < GRAM_MANY; i++) {
        weight[i] = (double)rows_of(l, k + i);
        sums_of(l, k + i, i, first, sum, product);
    }
    rc = gram_ridge_sums(
        &(struct gram_sums){n, n + 1, GRAM_MANY, weight, 1, first, sum, product},
        strength, f, e);
    free(product);
    return rc;
}

/* What the model will read of the others, with their means at the origins. f: lead 1. */
static void name_others(struct model *m, const struct learnt *l,
                        const struct linear_fit *f)
{
    size_t n = l->beside->n, column = m->features.n_lags;
    free(m->features.exogenous);
    m->features.exogenous = xcalloc(n, sizeof *m->features.exogenous);
    m->features.n_exogenous = n;
    for (size_t i = 0; i < n; i++) {
        struct exogenous *x = &m->features.exogenous[i];
        *x = l->exogenous[i];
        x->mean = f->mean[column];
        column += x->n_lags;
    }
}

/* The regressions as they are used: on values that are not standardised. */
static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    size_t cols = l->cols;
    struct linear_fit f[GRAM_MANY];
    if (m->algo->reads_others && !l->beside)
        return err_set(e, ERR_CONFLICT, "no other series stands beside this one");
    m->training.rows = rows_of(l, 0);
    free(m->coef);
    m->coef = xcalloc(HORIZON_MAX * (cols + 1), sizeof *m->coef);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        if (rows_of(l, k) < LINEAR_MIN_ROWS)
            return err_set(e, ERR_CONFLICT,
                           "%s needs %d complete rows, there are %zu at lead %zu",
                           m->algo->name, LINEAR_MIN_ROWS, rows_of(l, k), k + 1);
    for (size_t k = 0; k < HORIZON_MAX; k += GRAM_MANY) {
        if (ridges_of(l, k, m->params[0], f, e))
            return -1;
        for (size_t i = 0; i < GRAM_MANY; i++)
            linear_raw(f[i].intercept, f[i].coef, f[i].mean, f[i].std, cols,
                       m->coef + (k + i) * (cols + 1));
        if (!k && l->beside)
            name_others(m, l, &f[0]);
    }
    return linear_range(m, l->hours.low, l->hours.high, e);
}

const struct learning direct_learning = {begin, take, fit, end};
const struct learning direct_learning_with_others = {begin, take_with_others, fit, end};
