/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/trees.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

struct trees *trees_new(size_t n_trees, size_t n_nodes)
{
    struct trees *t = xcalloc(1, sizeof *t);
    t->n_trees = n_trees;
    t->n_nodes = n_nodes;
    t->first = xcalloc(n_trees + 1, sizeof *t->first);
    t->feature = xcalloc(n_nodes + 1, sizeof *t->feature);
    t->value = xcalloc(n_nodes + 1, sizeof *t->value);
    t->left = xcalloc(n_nodes + 1, sizeof *t->left);
    t->missing_left = xcalloc(n_nodes + 1, sizeof *t->missing_left);
    return t;
}

void trees_free(struct trees *t)
{
    if (!t)
        return;
    free(t->first);
    free(t->feature);
    free(t->value);
    free(t->left);
    free(t->missing_left);
    free(t);
}

/* Ends, as children lie behind their parents. */
float trees_predict(const struct trees *t, const float *row)
{
    float sum = 0;
    for (size_t k = 0; k < t->n_trees; k++) {
        uint32_t i = t->first[k];
        while (t->feature[i] >= 0) {
            float x = row[t->feature[i]];
            int left = isnan(x) ? t->missing_left[i] : x < t->value[i];
            i = t->left[i] + !left;
        }
        sum += t->value[i];
    }
    return sum;
}

/* ---- checking ---- */

static int wrong(struct err *e, const char *field, size_t i, const char *what)
{
    return err_set(e, ERR_INVALID, "field \"state.%s[%zu]\" must %s", field, i, what);
}

static int check_node(const struct trees *t, size_t i, size_t end, size_t columns,
                      struct err *e)
{
    if (!isfinite(t->value[i]))
        return wrong(e, "value", i, "be a finite number of single precision");
    if (t->feature[i] < -1 || t->feature[i] >= (int)columns)
        return wrong(e, "feature", i, "be the number of a column, or -1");
    if (t->feature[i] < 0)
        return t->left[i] ? wrong(e, "left", i, "be 0 in a leaf") : 0;
    if (t->left[i] <= i || (size_t)t->left[i] + 1 >= end)
        return wrong(e, "left", i, "point behind its node, within its tree");
    return 0;
}

int trees_check(const struct trees *t, size_t columns, struct err *e)
{
    for (size_t k = 0; k < t->n_trees; k++) {
        size_t end = k + 1 < t->n_trees ? t->first[k + 1] : t->n_nodes;
        if (k == 0 && t->first[0])
            return wrong(e, "first", 0, "be 0");
        if (t->first[k] >= end || end > t->n_nodes)
            return wrong(e, "first", k, "lie before the next, and before the last node");
        for (size_t i = t->first[k]; i < end; i++)
            if (check_node(t, i, end, columns, e))
                return -1;
    }
    return 0;
}

/* ---- the document ---- */

void trees_save(const struct trees *t, json_t *state)
{
    json_t *first = json_array(), *feature = json_array(), *value = json_array(),
           *left = json_array(), *missing_left = json_array();
    for (size_t k = 0; k < t->n_trees; k++)
        json_array_append_new(first, json_integer(t->first[k]));
    for (size_t i = 0; i < t->n_nodes; i++) {
        json_array_append_new(feature, json_integer(t->feature[i]));
        json_array_append_new(value, json_real((double)t->value[i]));
        json_array_append_new(left, json_integer(t->left[i]));
        json_array_append_new(missing_left, json_integer(t->missing_left[i]));
    }
    json_object_set_new(state, "first", first);
    json_object_set_new(state, "feature", feature);
    json_object_set_new(state, "value", value);
    json_object_set_new(state, "left", left);
    json_object_set_new(state, "missing_left", missing_left);
}

/* The array state[key], of n entries, or of 1 to most where n is 0. */
static const json_t *array(const json_t *state, const char *key, size_t n, size_t most,
                           struct err *e)
{
    const json_t *a = json_object_get(state, key);
    size_t size = json_array_size(a);
    if (n && size != n)
        err_set(e, ERR_INVALID, "field \"state.%s\" must be an array of %zu numbers", key,
                n);
    else if (size < 1 || size > most)
        err_set(e, ERR_INVALID, "field \"state.%s\" must be an array of 1 to %zu numbers",
                key, most);
    else
        return a;
    return NULL;
}

static int whole(const json_t *a, const char *key, size_t i, json_int_t low,
                 json_int_t high, json_int_t *out, struct err *e)
{
    const json_t *v = json_array_get(a, i);
    *out = json_is_integer(v) ? json_integer_value(v) : low - 1;
    if (*out < low || *out > high)
        return err_set(e, ERR_INVALID,
                       "field \"state.%s[%zu]\" must be a whole number from %lld to %lld",
                       key, i, (long long)low, (long long)high);
    return 0;
}

static int load_node(struct trees *t, size_t i, const json_t *const a[4], struct err *e)
{
    json_int_t feature, left, missing_left;
    const json_t *v = json_array_get(a[1], i);
    if (whole(a[0], "feature", i, -1, INT16_MAX, &feature, e) ||
        whole(a[2], "left", i, 0, TREES_NODES_MAX, &left, e) ||
        whole(a[3], "missing_left", i, 0, 1, &missing_left, e))
        return -1;
    if (!json_is_number(v) || !(fabs(json_number_value(v)) <= (double)FLT_MAX))
        return wrong(e, "value", i, "be a finite number of single precision");
    t->feature[i] = (int16_t)feature;
    t->value[i] = (float)json_number_value(v);
    t->left[i] = (uint32_t)left;
    t->missing_left[i] = (uint8_t)missing_left;
    return 0;
}

struct trees *trees_load(const json_t *state, size_t columns, struct err *e)
{
    const json_t *first, *a[4];
    json_int_t at;
    if (!(first = array(state, "first", 0, TREES_MAX, e)) ||
        !(a[0] = array(state, "feature", 0, TREES_NODES_MAX, e)))
        return NULL;
    size_t nodes = json_array_size(a[0]);
    if (!(a[1] = array(state, "value", nodes, TREES_NODES_MAX, e)) ||
        !(a[2] = array(state, "left", nodes, TREES_NODES_MAX, e)) ||
        !(a[3] = array(state, "missing_left", nodes, TREES_NODES_MAX, e)))
        return NULL;
    struct trees *t = trees_new(json_array_size(first), nodes);
    int rc = 0;
    for (size_t k = 0; k < t->n_trees && !rc; k++) {
        rc = whole(first, "first", k, 0, TREES_NODES_MAX, &at, e);
        t->first[k] = (uint32_t)at;
    }
    for (size_t i = 0; i < nodes && !rc; i++)
        rc = load_node(t, i, a, e);
    if (!rc && !trees_check(t, columns, e))
        return t;
    trees_free(t);
    return NULL;
}
