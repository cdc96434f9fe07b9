/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ols: ordinary least squares on lags, by QR with column pivoting. */
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/linear.h"
#include "common/ml/triangle.h"

struct learnt {
    struct linear_hours hours;
    struct triangle *rows;
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    linear_hours_init(&l->hours, &m->features);
    l->rows = triangle_new(features_columns(&m->features));
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    triangle_free(l->rows);
    linear_hours_done(&l->hours);
    free(l);
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    double row[FEATURES_MAX];
    while (linear_hours_next(&l->hours, h)) {
        size_t t = l->hours.n - 1;
        if (linear_hours_row(&l->hours, h, t, row))
            triangle_add(l->rows, row, l->hours.z[t]);
    }
}

static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    struct linear_fit f;
    size_t rows = triangle_rows(l->rows);
    m->training.rows = rows;
    if (rows < LINEAR_MIN_ROWS)
        return err_set(e, ERR_CONFLICT, "ols needs %d complete rows, there are %zu",
                       LINEAR_MIN_ROWS, rows);
    if (triangle_qr(l->rows, &f, e))
        return -1;
    return linear_finish(m, &f, &l->hours, e);
}

static const struct learning learning = {begin, take, fit, end};

const struct algo algo_ols = {
    .name = "ols",
    .sentence =
        "Linear regression on earlier hours; redundant ones are dropped and named",
    .complexity = 3,
    .fit = algo_learn,
    .learning = &learning,
    LINEAR_MEMBERS,
};
