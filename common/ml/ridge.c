/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ridge: least squares on standardised lags with a penalty on large coefficients; and
 * forgetting, the same with older hours counting for less: recursive least squares with
 * exponential forgetting, as Ljung, System Identification, 11.2 has it. */
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"

#define STRENGTH 0 /* of params */
#define HALF_LIFE 1

/* What reads nothing but lags is made of the series' sums, as long as no hour is missing
 * or absurd; all else of rows. */
struct learnt {
    struct linear_hours hours;
    double share;              /* of its weight that a row keeps an hour on */
    bool lags_alone;           /* all rows count the same and are lags */
    const struct lagged *sums; /* NULL: rows it is. Borrowed */
    struct gram *gram;         /* rows */
    size_t rowed;              /* hours whose rows are in it */
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    const struct feature_spec *s = &m->features;
    linear_hours_init(&l->hours, s);
    l->share = m->algo == &algo_forgetting ? exp2(-1 / m->params[HALF_LIFE]) : 1;
    l->lags_alone = l->share == 1 && s->n_lags == features_columns(s);
    l->gram = gram_new(features_columns(s));
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    gram_free(l->gram);
    linear_hours_done(&l->hours);
    free(l);
}

static void add_rows(struct learnt *l, const struct hours *h)
{
    double row[FEATURES_MAX];
    for (; l->rowed < l->hours.n; l->rowed++) {
        if (l->share < 1)
            gram_forget(l->gram, l->share);
        if (linear_hours_row(&l->hours, h, l->rowed, row))
            gram_add(l->gram, row, l->hours.z[l->rowed]);
    }
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    while (linear_hours_next(&l->hours, h))
        ;
    if (l->lags_alone)
        l->sums = linear_hours_sums(&l->hours, h, l->hours.reach);
    if (!l->sums)
        add_rows(l, h);
}

static size_t rows_of(const struct learnt *l)
{
    const struct linear_hours *h = &l->hours;
    if (!l->sums)
        return gram_rows(l->gram);
    return h->n > h->reach ? h->n - h->reach : 0;
}

static int fit_by_sums(const struct learnt *l, double strength, struct linear_fit *f,
                       struct err *e)
{
    const struct feature_spec *s = &l->hours.spec;
    size_t n = s->n_lags, back[FEATURES_MAX + 1] = {0};
    double first[FEATURES_MAX + 1], sum[FEATURES_MAX + 1], weight = (double)rows_of(l);
    double *product = xmalloc((n + 1) * (n + 1) * sizeof *product);
    for (size_t i = 0; i < n; i++)
        back[i] = (size_t)s->lags[i];
    for (size_t i = 0; i <= n; i++)
        first[i] = lagged_level(l->sums);
    lagged_sums(l->sums, l->hours.n, l->hours.reach, back, n + 1, 1, sum, product);
    int rc =
        gram_ridge_sums(&(struct gram_sums){n, n + 1, 1, &weight, 1, first, sum, product},
                        strength, f, e);
    free(product);
    return rc;
}

static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    struct linear_fit f;
    size_t rows = rows_of(l);
    double strength = m->params[STRENGTH];
    m->training.rows = rows;
    if (rows < LINEAR_MIN_ROWS)
        return err_set(e, ERR_CONFLICT, "%s needs %d complete rows, there are %zu",
                       m->algo->name, LINEAR_MIN_ROWS, rows);
    if (l->sums ? fit_by_sums(l, strength, &f, e) : gram_ridge(l->gram, strength, &f, e))
        return -1;
    return linear_finish(m, &f, &l->hours, e);
}

static const struct learning learning = {begin, take, fit, end};

static const struct algo_param params[] = {
    [STRENGTH] = {"strength", 1, RIDGE_MIN_STRENGTH, 1e6,
                  "weight of the sum of squared coefficients (of standardised lags)"},
    [HALF_LIFE] = {"half_life", 336, 168, 8760,
                   "hours after which an hour counts for half of what it did"},
};

const struct algo algo_ridge = {
    .name = "ridge",
    .sentence = "Linear regression on earlier hours that keeps its coefficients small",
    .complexity = 4,
    .params = params,
    .n_params = 1,
    .fit = algo_learn,
    .learning = &learning,
    LINEAR_MEMBERS,
};

const struct algo algo_forgetting = {
    .name = "forgetting",
    .sentence = "Linear regression on earlier hours in which older hours count for less",
    .complexity = 5,
    .params = params,
    .n_params = 2,
    .fit = algo_learn,
    .learning = &learning,
    LINEAR_MEMBERS,
};
