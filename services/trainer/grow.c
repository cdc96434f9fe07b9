/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/grow.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/trainer/xgboost_api.h"

#define OUTSIDE_NODES_MAX 1000000 /* of one tree, as libxgboost tells it */

static int failed(const struct xgboost_api *xgb, struct err *e, const char *what)
{
    return err_set(e, ERR_INTERNAL, "libxgboost could not %s: %.300s", what,
                   xgb->XGBGetLastError());
}

/* ---- from libxgboost's document to ours ---- */

/* A tree of its JSON: parallel arrays, a node each. */
struct source {
    const json_t *left, *right, *feature, *value, *missing_left;
    size_t n;
};

static const json_t *part(const json_t *tree, const char *key, size_t n)
{
    const json_t *a = json_object_get(tree, key);
    return json_array_size(a) == n ? a : NULL;
}

static int source_of(const json_t *tree, struct source *s, struct err *e)
{
    s->left = json_object_get(tree, "left_children");
    s->n = json_array_size(s->left);
    s->right = part(tree, "right_children", s->n);
    s->feature = part(tree, "split_indices", s->n);
    s->value = part(tree, "split_conditions", s->n);
    s->missing_left = part(tree, "default_left", s->n);
    if (s->n < 1 || s->n > OUTSIDE_NODES_MAX || !s->right || !s->feature || !s->value ||
        !s->missing_left)
        return err_set(e, ERR_INTERNAL, "libxgboost's model has a tree without arrays");
    return 0;
}

static json_int_t at(const json_t *a, size_t i)
{
    return json_integer_value(json_array_get(a, i));
}

/* Some releases write true and false, others 1 and 0. */
static uint8_t yes(const json_t *a, size_t i)
{
    const json_t *v = json_array_get(a, i);
    return json_is_true(v) || json_integer_value(v) == 1;
}

/* Copies a tree behind the nodes there are, level by level, so that children lie behind
 * their parent and beside each other; nodes that were pruned stay behind. */
static int copy_tree(const struct source *s, struct trees *t, struct err *e)
{
    size_t *from = xmalloc((s->n + 2) * sizeof *from);
    size_t first = t->n_nodes, last = first + 1;
    int rc = 0;
    from[0] = 0;
    for (size_t i = first; i < last && !rc; i++) {
        size_t k = from[i - first];
        json_int_t left = at(s->left, k), right = at(s->right, k);
        t->value[i] = (float)json_number_value(json_array_get(s->value, k));
        t->feature[i] = -1;
        if (left < 0)
            continue;
        if (left >= (json_int_t)s->n || right < 0 || right >= (json_int_t)s->n ||
            last - first + 2 > s->n || last + 2 > TREES_NODES_MAX) {
            rc = err_set(e, ERR_CONFLICT, "the trees have more than %d nodes",
                         TREES_NODES_MAX);
            break;
        }
        t->feature[i] = (int16_t)at(s->feature, k);
        t->missing_left[i] = yes(s->missing_left, k);
        t->left[i] = (uint32_t)last;
        from[last++ - first] = (size_t)left;
        from[last++ - first] = (size_t)right;
    }
    t->n_nodes = last;
    free(from);
    return rc;
}

static struct trees *read_model(const json_t *doc, size_t cols, struct err *e)
{
    const json_t *j = json_object_get(doc, "learner");
    j = json_object_get(json_object_get(j, "gradient_booster"), "model");
    j = json_object_get(j, "trees");
    size_t n = json_array_size(j);
    if (n < 1 || n > TREES_MAX) {
        err_set(e, ERR_INTERNAL, "libxgboost's model has %zu trees", n);
        return NULL;
    }
    struct trees *t = trees_new(n, TREES_NODES_MAX);
    struct source s;
    int rc = 0;
    t->n_nodes = 0;
    for (size_t k = 0; k < n && !rc; k++) {
        t->first[k] = (uint32_t)t->n_nodes;
        rc = t->n_nodes + 1 > TREES_NODES_MAX
                 ? err_set(e, ERR_CONFLICT, "the trees have more than %d nodes",
                           TREES_NODES_MAX)
             : source_of(json_array_get(j, k), &s, e) ? -1
                                                      : copy_tree(&s, t, e);
    }
    if (!rc && !trees_check(t, cols, e))
        return t;
    trees_free(t);
    return NULL;
}

static struct trees *take_over(const struct xgboost_api *xgb, BoosterHandle b,
                               size_t cols, struct err *e)
{
    bst_ulong len;
    const char *text;
    json_error_t why;
    if (xgb->XGBoosterSaveModelToBuffer(b, "{\"format\":\"json\"}", &len, &text)) {
        failed(xgb, e, "write its model");
        return NULL;
    }
    json_t *doc = json_loadb(text, len, 0, &why);
    struct trees *t = NULL;
    if (doc)
        t = read_model(doc, cols, e);
    else
        err_set(e, ERR_INTERNAL, "libxgboost's model is no JSON: %s", why.text);
    json_decref(doc);
    return t;
}

/* ---- growing ---- */

static int set(const struct xgboost_api *xgb, BoosterHandle b, const char *name,
               double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return xgb->XGBoosterSetParam(b, name, text);
}

/* All that is not set here is as libxgboost has it. */
static int set_up(const struct xgboost_api *xgb, BoosterHandle b,
                  const struct tree_plan *p, struct err *e)
{
    if (xgb->XGBoosterSetParam(b, "verbosity", "0") ||
        xgb->XGBoosterSetParam(b, "nthread", "1") ||
        xgb->XGBoosterSetParam(b, "objective", "reg:squarederror") ||
        xgb->XGBoosterSetParam(b, "base_score", "0") ||
        xgb->XGBoosterSetParam(b, "seed", "1") ||
        xgb->XGBoosterSetParam(b, "tree_method", "hist") ||
        set(xgb, b, "max_depth", p->depth) || set(xgb, b, "eta", p->rate) ||
        set(xgb, b, "min_child_weight", p->leaf) || set(xgb, b, "lambda", p->l2) ||
        set(xgb, b, "subsample", p->rows) ||
        set(xgb, b, "colsample_bynode", p->columns) ||
        set(xgb, b, "num_parallel_tree", p->forest ? p->trees : 1))
        return failed(xgb, e, "take its parameters");
    return 0;
}

static struct trees *grow(void *arg, const struct tree_plan *plan, const float *x,
                          const float *target, size_t rows, size_t cols, struct err *e)
{
    struct growing *g = arg;
    const struct xgboost_api *xgb = xgboost_api(e);
    DMatrixHandle data = NULL;
    BoosterHandle b = NULL;
    struct trees *t = NULL;
    int rounds = plan->forest ? 1 : plan->trees;
    if (!xgb)
        return NULL;
    if (clock_mono_ms() > g->until_ms) {
        g->late = true;
        err_set(e, ERR_TIMEOUT, "there was no time left to grow trees");
        return NULL;
    }
    if (xgb->XGDMatrixCreateFromMat_omp(x, rows, cols, NAN, &data, 1) ||
        xgb->XGDMatrixSetFloatInfo(data, "label", target, rows)) {
        failed(xgb, e, "take the rows");
        goto out;
    }
    if (xgb->XGBoosterCreate(&data, 1, &b)) {
        failed(xgb, e, "begin a model");
        goto out;
    }
    if (set_up(xgb, b, plan, e))
        goto out;
    for (int i = 0; i < rounds; i++)
        if (xgb->XGBoosterUpdateOneIter(b, i, data)) {
            failed(xgb, e, "grow a tree");
            goto out;
        }
    t = take_over(xgb, b, cols, e);
out:
    if (b)
        xgb->XGBoosterFree(b);
    if (data)
        xgb->XGDMatrixFree(data);
    return t;
}

void growing_init(struct growing *g, int limit_s)
{
    *g = (struct growing){.grower = {grow, g},
                          .until_ms = clock_mono_ms() + (int64_t)limit_s * 1000};
}

int growing_check(const struct growing *g, struct err *e)
{
    if (!g->late)
        return 0;
    return err_kind(e, ERR_TIMEOUT, "too_slow",
                    "growing the trees took longer than it may: the machine is too busy");
}
