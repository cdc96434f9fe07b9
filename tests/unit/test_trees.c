/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is grown by libxgboost is answered as libxgboost answers it; what cannot be
 * answered is refused. Uses the real library beside our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "common/ml/trees.h"
#include "services/trainer/grow.h"
#include "tests/unit/near.h"
#include "tests/unit/unit.h"

#define ROWS 4000
#define COLS 9

struct sample {
    float *x, *y;
};

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Rows with a value missing now and then, ties, and a target that bends and jumps. */
static struct sample sample(uint32_t seed)
{
    struct sample s = {malloc(ROWS * COLS * sizeof(float)), malloc(ROWS * sizeof(float))};
    for (size_t r = 0; r < ROWS; r++) {
        float *x = s.x + r * COLS;
        for (size_t c = 0; c < COLS; c++) {
            x[c] = (float)draw(&seed) / 16777216.0f * 20 - 10;
            if (c % 3 == 1)
                x[c] = floorf(x[c]); /* many are equal */
            if (draw(&seed) % 7 == 0)
                x[c] = NAN;
        }
        float a = isnan(x[0]) ? 3 : x[0], b = isnan(x[1]) ? -4 : x[1];
        s.y[r] = a * b / 10 + (isnan(x[2]) ? 2 : sinf(x[2])) +
                 (float)draw(&seed) / 16777216.0f;
    }
    return s;
}

static void sample_free(struct sample *s)
{
    free(s->x);
    free(s->y);
}

/* The parameters as grow.c gives them, by libxgboost's own way from rows to answers. */
static const float *answers(const struct tree_plan *p, const struct sample *s,
                            BoosterHandle *b, DMatrixHandle *d)
{
    static const char how[] =
        "{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
        "\"strict_shape\":false}";
    char text[32];
    const double values[] = {
        p->depth, p->rate, p->leaf, p->l2, p->rows, p->columns, p->forest ? p->trees : 1};
    static const char *const names[] = {"max_depth",        "eta",
                                        "min_child_weight", "lambda",
                                        "subsample",        "colsample_bynode",
                                        "num_parallel_tree"};
    bst_ulong const *shape;
    bst_ulong dim;
    const float *out;
    assert_int_equal(XGDMatrixCreateFromMat_omp(s->x, ROWS, COLS, NAN, d, 1), 0);
    assert_int_equal(XGDMatrixSetFloatInfo(*d, "label", s->y, ROWS), 0);
    assert_int_equal(XGBoosterCreate(d, 1, b), 0);
    for (size_t i = 0; i < N_OF(names); i++) {
        snprintf(text, sizeof text, "%.17g", values[i]);
        assert_int_equal(XGBoosterSetParam(*b, names[i], text), 0);
    }
    XGBoosterSetParam(*b, "verbosity", "0");
    XGBoosterSetParam(*b, "nthread", "1");
    XGBoosterSetParam(*b, "objective", "reg:squarederror");
    XGBoosterSetParam(*b, "base_score", "0");
    XGBoosterSetParam(*b, "seed", "1");
    XGBoosterSetParam(*b, "tree_method", "hist");
    for (int i = 0; i < (p->forest ? 1 : p->trees); i++)
        assert_int_equal(XGBoosterUpdateOneIter(*b, i, *d), 0);
    assert_int_equal(XGBoosterPredictFromDMatrix(*b, *d, how, &shape, &dim, &out), 0);
    assert_int_equal(shape[0], ROWS);
    return out;
}

static struct trees *grown(const struct tree_plan *p, const struct sample *s)
{
    struct growing g;
    struct err e = ERR_INIT;
    growing_init(&g, 600);
    struct trees *t = g.grower.grow(g.grower.arg, p, s->x, s->y, ROWS, COLS, &e);
    if (!t)
        fail_msg("%s", e.text);
    assert_int_equal(growing_check(&g, &e), 0);
    return t;
}

static const struct tree_plan plans[] = {
    {.trees = 60,
     .depth = 5,
     .rate = 0.1,
     .leaf = 5,
     .l2 = 1,
     .rows = 0.7,
     .columns = 0.7},
    {.trees = 30, .depth = 1, .rate = 1, .leaf = 1, .l2 = 0, .rows = 1, .columns = 1},
    {.trees = 40,
     .depth = 9,
     .rate = 1,
     .leaf = 3,
     .rows = 0.63,
     .columns = 0.4,
     .forest = true},
};

static void like_libxgboost(void **state)
{
    (void)state;
    struct sample s = sample(7);
    for (size_t i = 0; i < N_OF(plans); i++) {
        BoosterHandle b;
        DMatrixHandle d;
        struct trees *t = grown(&plans[i], &s);
        const float *want = answers(&plans[i], &s, &b, &d);
        double spread = 0;
        assert_int_equal(t->n_trees, plans[i].trees);
        for (size_t r = 0; r < ROWS; r++) {
            assert_near(trees_predict(t, s.x + r * COLS), want[r], 1e-6);
            spread += fabs(want[r] - want[0]);
        }
        assert_true(spread > ROWS * 0.1);
        trees_free(t);
        XGBoosterFree(b);
        XGDMatrixFree(d);
    }
    sample_free(&s);
}

/* The same rows, the same trees; others, others. */
static void repeats(void **state)
{
    (void)state;
    struct sample s = sample(7), other = sample(8);
    struct trees *a = grown(&plans[2], &s), *b = grown(&plans[2], &s),
                 *c = grown(&plans[2], &other);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_memory_equal(a->value, b->value, a->n_nodes * sizeof *a->value);
    assert_memory_equal(a->left, b->left, a->n_nodes * sizeof *a->left);
    assert_memory_equal(a->feature, b->feature, a->n_nodes * sizeof *a->feature);
    assert_true(a->n_nodes != c->n_nodes ||
                memcmp(a->value, c->value, a->n_nodes * sizeof *a->value) != 0);
    trees_free(a);
    trees_free(b);
    trees_free(c);
    sample_free(&s);
    sample_free(&other);
}

/* From the document it answers to the bit. */
static void document(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct sample s = sample(9);
    struct trees *t = grown(&plans[0], &s);
    json_t *j = json_object();
    trees_save(t, j);
    struct trees *back = trees_load(j, COLS, &e);
    if (!back)
        fail_msg("%s", e.text);
    for (size_t r = 0; r < ROWS; r++) {
        float x = trees_predict(t, s.x + r * COLS),
              y = trees_predict(back, s.x + r * COLS);
        assert_memory_equal(&x, &y, sizeof x);
    }
    trees_free(back);
    assert_null(trees_load(j, 3, &e)); /* they read columns that are not there */
    trees_free(t);
    json_decref(j);
    sample_free(&s);
}

/* ---- what is refused ---- */

/* Two trees: a question about column 1 with two answers, and one answer. */
#define GOOD                                                                             \
    "\"first\":[0,3],\"feature\":[1,-1,-1,-1],\"value\":[0.5,1,2,4],"                    \
    "\"left\":[1,0,0,0],\"missing_left\":[1,0,0,0]"

static struct trees *from_text(const char *text, struct err *e)
{
    char doc[512];
    snprintf(doc, sizeof doc, "{%s}", text);
    json_t *j = json_loads(doc, 0, NULL);
    assert_non_null(j);
    struct trees *t = trees_load(j, 2, e);
    json_decref(j);
    return t;
}

static void by_hand(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct trees *t = from_text(GOOD, &e);
    assert_non_null(t);
    assert_near(trees_predict(t, (float[]){9, 0.4f}), 1 + 4, 0);
    assert_near(trees_predict(t, (float[]){9, 0.5f}), 2 + 4, 0); /* not below */
    assert_near(trees_predict(t, (float[]){9, NAN}), 1 + 4, 0);
    trees_free(t);
}

static void wrong_documents(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        {"[0,3]", "[]", "field \"state.first\" must be an array of 1 to 1000 numbers"},
        {"[0,3]", "3", "field \"state.first\" must be an array of 1 to 1000 numbers"},
        {"[0,3]", "[1,3]", "field \"state.first[0]\" must be 0"},
        {"[0,3]", "[0,4]",
         "field \"state.first[1]\" must lie before the next, and before the last node"},
        {"[0,3]", "[0,0]",
         "field \"state.first[0]\" must lie before the next, and before the last node"},
        {"[0,3]", "[0,-1]",
         "field \"state.first[1]\" must be a whole number from 0 to 60000"},
        {"[0,3]", "[0,0.5]",
         "field \"state.first[1]\" must be a whole number from 0 to 60000"},
        {"[0,3]", "[0]", NULL}, /* one tree, of which a node is never reached */
        {"[0.5,1,2,4]", "[0.5,1,2]",
         "field \"state.value\" must be an array of 4 numbers"},
        {"[0.5,1,2,4]", "[0.5,1,2,1e39]",
         "field \"state.value[3]\" must be a finite number of single precision"},
        {"[0.5,1,2,4]", "[0.5,1,2,null]",
         "field \"state.value[3]\" must be a finite number of single precision"},
        {"[1,-1,-1,-1]", "[2,-1,-1,-1]",
         "field \"state.feature[0]\" must be the number of a column, or -1"},
        {"[1,-1,-1,-1]", "[-2,-1,-1,-1]",
         "field \"state.feature[0]\" must be a whole number from -1 to 32767"},
        {"[1,-1,-1,-1]", "[-1,-1,-1,-1]", "field \"state.left[0]\" must be 0 in a leaf"},
        {"[1,-1,-1,-1]", "[1,1,-1,-1]",
         "field \"state.left[1]\" must point behind its node, within its tree"},
        {"\"left\":[1,", "\"left\":[0,",
         "field \"state.left[0]\" must point behind its node, within its tree"},
        {"\"left\":[1,", "\"left\":[2,",
         "field \"state.left[0]\" must point behind its node, within its tree"},
        {"\"left\":[1,", "\"left\":[99999,",
         "field \"state.left[0]\" must be a whole number from 0 to 60000"},
        {"\"missing_left\":[1,", "\"missing_left\":[2,",
         "field \"state.missing_left[0]\" must be a whole number from 0 to 1"},
        {"\"missing_left\"", "\"missing\"",
         "field \"state.missing_left\" must be an array of 4 numbers"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct err e = ERR_INIT;
        char text[512];
        const char *at = strstr(GOOD, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, cases[i].to,
                 at + strlen(cases[i].from));
        struct trees *t = from_text(text, &e);
        assert_true(!t == !!cases[i].text);
        if (cases[i].text)
            assert_string_equal(e.text, cases[i].text);
        trees_free(t);
    }
}

/* More than may be stored, and more time than there is. */
static void too_much(void **state)
{
    (void)state;
    struct growing g;
    struct err e = ERR_INIT;
    struct sample s = sample(1);
    const struct tree_plan huge = {.trees = 40,
                                   .depth = 12,
                                   .rate = 1,
                                   .leaf = 1,
                                   .rows = 1,
                                   .columns = 1,
                                   .forest = true};
    growing_init(&g, 600);
    assert_null(g.grower.grow(&g, &huge, s.x, s.y, ROWS, COLS, &e));
    assert_string_equal(e.text, "the trees have more than 60000 nodes");
    growing_init(&g, -1);
    assert_int_equal(growing_check(&g, &e), 0);
    assert_null(g.grower.grow(&g, &plans[1], s.x, s.y, ROWS, COLS, &e));
    assert_string_equal(e.text, "there was no time left to grow trees");
    assert_int_equal(growing_check(&g, &e), -1);
    assert_string_equal(e.slug, "too_slow");
    s.x[5] = INFINITY;
    growing_init(&g, 600);
    assert_null(g.grower.grow(&g, &plans[1], s.x, s.y, ROWS, COLS, &e));
    assert_non_null(strstr(e.text, "libxgboost could not take the rows: "));
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_libxgboost), cmocka_unit_test(repeats),
        cmocka_unit_test(document),        cmocka_unit_test(by_hand),
        cmocka_unit_test(wrong_documents), cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
