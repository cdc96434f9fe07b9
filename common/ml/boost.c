/* SPDX-License-Identifier: GPL-3.0-or-later */
/* boost: gradient boosting (Friedman 2001) and a random forest (Breiman 2001) on earlier
 * hours and the calendar, forecasting step by step.
 *
 * The trees are grown by m->grower; without one nothing is fitted, but what was fitted
 * forecasts as everywhere. They see the columns as they are, in single precision; what
 * they answer is the target less its mean, over its standard deviation. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/linear.h"
#include "common/ml/trees.h"

enum { TREES, DEPTH, LEAF, ROWS, COLUMNS, RATE, L2, N_PARAMS }; /* of params */

static struct tree_plan plan_of(const struct model *m)
{
    bool forest = m->algo == &algo_forest;
    return (struct tree_plan){
        .trees = (int)m->params[TREES],
        .depth = (int)m->params[DEPTH],
        .leaf = m->params[LEAF],
        .rows = m->params[ROWS],
        .columns = m->params[COLUMNS],
        .rate = forest ? 1 : m->params[RATE],
        .l2 = forest ? 0 : m->params[L2],
        .forest = forest,
    };
}

/* Mean into m->intercept, standard deviation (1 where it is nothing) into m->scale. */
static void centre(struct model *m, const double *target, size_t rows)
{
    double mean = 0, ss = 0;
    for (size_t r = 0; r < rows; r++)
        mean += target[r] / (double)rows;
    for (size_t r = 0; r < rows; r++)
        ss += (target[r] - mean) * (target[r] - mean) / (double)rows;
    m->intercept = mean;
    m->scale = linear_constant(mean, sqrt(ss)) ? 1 : sqrt(ss);
}

/* Numbers in single precision; false: one is too large for that. */
static bool narrow(const double *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(from[i]) <= (double)FLT_MAX))
            return false;
        to[i] = (float)from[i];
    }
    return true;
}

static int grow(struct model *m, const double *x, double *target, size_t rows,
                struct err *e)
{
    struct tree_plan plan = plan_of(m);
    size_t cols = features_columns(&m->features);
    float *narrow_x = xmalloc((rows * cols + 1) * sizeof *narrow_x);
    float *narrow_y = xmalloc((rows + 1) * sizeof *narrow_y);
    centre(m, target, rows);
    for (size_t r = 0; r < rows; r++)
        target[r] = (target[r] - m->intercept) / m->scale;
    trees_free(m->trees);
    m->trees = NULL;
    if (!narrow(x, rows * cols, narrow_x) || !narrow(target, rows, narrow_y))
        err_set(e, ERR_CONFLICT, "the values are too large for %s", m->algo->name);
    else
        m->trees =
            m->grower->grow(m->grower->arg, &plan, narrow_x, narrow_y, rows, cols, e);
    free(narrow_x);
    free(narrow_y);
    return m->trees ? 0 : -1;
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    double *x, *target, low, high;
    if (!m->grower)
        return err_set(e, ERR_CONFLICT,
                       "%s cannot be fitted here: only the trainer grows trees",
                       m->algo->name);
    m->features.zone = h->zone;
    size_t rows = features_rows(&m->features, h, &x, &target);
    m->training.rows = rows;
    int rc = rows < LINEAR_MIN_ROWS
                 ? err_set(e, ERR_CONFLICT, "%s needs %d complete rows, there are %zu",
                           m->algo->name, LINEAR_MIN_ROWS, rows)
                 : grow(m, x, target, rows, e);
    free(x);
    free(target);
    hours_range(h, &low, &high);
    return rc ? rc : linear_range(m, low, high, e);
}

static double step(const struct model *m, const double *row, int64_t t_s)
{
    (void)t_s;
    float narrow_row[FEATURES_MAX];
    for (size_t i = 0; i < features_columns(&m->features); i++)
        narrow_row[i] = (float)row[i];
    double z = (double)trees_predict(m->trees, narrow_row);
    return linear_clip(m, m->intercept + m->scale * z);
}

static json_t *save(const struct model *m)
{
    const double clip[] = {m->clip_low, m->clip_high};
    json_t *state = json_pack("{s:f, s:f, s:o}", "mean", m->intercept, "std", m->scale,
                              "clip", json_reals(clip, 2));
    trees_save(m->trees, state);
    return state;
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    size_t columns = features_columns(&m->features);
    if (!columns)
        return err_set(e, ERR_INVALID, "field \"features\" must not be empty for %s",
                       m->algo->name);
    if (json_get_real(state, "mean", &m->intercept, -DBL_MAX, DBL_MAX, e) ||
        json_get_real(state, "std", &m->scale, DBL_MIN, DBL_MAX, e))
        return err_prefix(e, "state");
    m->trees = trees_load(state, columns, e);
    return m->trees ? linear_load_clip(m, state, e) : -1;
}

#define TREE_PARAMS(trees, depth, leaf, rows, columns)                                   \
    [TREES] = {"trees", trees, 1, 300, "how many trees are grown"},                      \
    [DEPTH] = {"depth", depth, 1, 12, "questions that a tree asks at most, one by one"}, \
    [LEAF] = {"leaf", leaf, 1, 1000, "hours that an answer rests on at least"},          \
    [ROWS] = {"rows", rows, 0.1, 1, "share of the hours that a tree is grown from"},     \
    [COLUMNS] = {"columns", columns, 0.1, 1,                                             \
                 "share of the columns that a question may be about"}

static const struct algo_param boost_params[] = {
    TREE_PARAMS(100, 3, 20, 0.7, 0.3),
    [RATE] = {"rate", 0.05, 0.001, 1, "share of what a tree learns that is kept"},
    [L2] = {"l2", 1, 0, 1e6, "weight of the sum of squared answers"},
};
static const struct algo_param forest_params[] = {
    TREE_PARAMS(60, 10, 10, 0.63, 0.4),
};

#define MEMBERS                                                                          \
    .reads_lags = true, .min_hours = linear_min_hours, .history = linear_history,        \
    .fit = fit, .forecast = linear_forecast, .step = step, .save = save, .load = load

const struct algo algo_boost = {
    .name = "boost",
    .sentence = "Gradient boosting: trees that each learn what those before have left",
    .complexity = 10,
    .params = boost_params,
    .n_params = N_PARAMS,
    MEMBERS,
};

const struct algo algo_forest = {
    .name = "forest",
    .sentence = "A random forest: the mean of trees grown from parts of the hours",
    .complexity = 10,
    .params = forest_params,
    .n_params = RATE,
    MEMBERS,
};
