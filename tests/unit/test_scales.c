/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/scales.h"
#include "common/ml/candidates.h"
#include "common/ml/gram.h"
#include "common/ml/model.h"
#include "tests/unit/series.h"

#include "tests/unit/near.h"

static const struct candidate *named(const char *name)
{
    for (size_t c = 0; c < n_candidates; c++)
        if (!strcmp(candidates[c].name, name))
            return &candidates[c];
    fail_msg("%s is no candidate", name);
    return NULL;
}

static void both_scales(void **state)
{
    (void)state;
    struct hours h = series(2000, 5), empty = {0};
    struct scales s;
    h.y[40] = NAN;
    h.y[50] = -1;
    scales_init(&s, &h);
    assert_int_equal(s.n, SCALES_HOURS);
    assert_true(s.z[TRANSFORM_NONE][39] == h.y[39]);
    assert_true(s.z[TRANSFORM_LOG][39] == log(h.y[39]));
    assert_true(isnan(s.z[TRANSFORM_NONE][40]) && isnan(s.z[TRANSFORM_LOG][50]));
    assert_int_equal(lagged_n(s.sums[TRANSFORM_NONE]), 40);
    scales_done(&s);
    scales_init(&s, &empty);
    assert_int_equal(s.n, 0);
    assert_int_equal(lagged_n(s.sums[TRANSFORM_LOG]), 0);
    scales_done(&s);
    scales_done(&s);
    hours_done(&h);
}

/* What is known only later is in the sums, too, and must not be looked at. */
static void a_fit_is_the_same_with_and_without(void **state)
{
    (void)state;
    struct hours h = series(900, 6);
    struct scales s;
    scales_init(&s, &h);
    for (size_t c = 0; c < n_candidates_alone; c++) {
        struct model *with = candidate_model(&candidates[c], "a.b");
        struct model *without = candidate_model(&candidates[c], "a.b");
        struct hours part = hours_part(&h, 0, 700);
        assert_int_equal(with->algo->fit(without, &part, NULL), 0);
        part.scales = &s;
        assert_int_equal(with->algo->fit(with, &part, NULL), 0);
        size_t len[2];
        char *doc[2] = {model_document(with, &len[0]), model_document(without, &len[1])};
        assert_string_equal(doc[0], doc[1]);
        free(doc[0]);
        free(doc[1]);
        model_free(with);
        model_free(without);
    }
    scales_done(&s);
    hours_done(&h);
}

/* Of sums as of rows, but for the last digits. */
static void ridge_is_ridge(void **state)
{
    (void)state;
    static const char *const names[] = {"ridge_weekly_log", "ridge_wide",
                                        "ridge_two_weeks"};
    struct hours h = series(900, 7);
    for (size_t i = 0; i < N_OF(names); i++) {
        struct model *m = candidate_model(named(names[i]), "a.b");
        struct linear_fit f;
        double *x, *y;
        size_t cols = features_columns(&m->features);
        size_t rows = features_rows(&m->features, &h, &x, &y);
        struct gram *g = gram_new(cols);
        for (size_t r = 0; r < rows; r++)
            gram_add(g, x + r * cols, y[r]);
        assert_int_equal(gram_ridge(g, m->params[0], &f, NULL), 0);
        assert_int_equal(m->algo->fit(m, &h, NULL), 0);
        assert_int_equal(m->training.rows, rows);
        assert_near(m->intercept, f.intercept, 1e-12 * fabs(f.intercept));
        for (size_t c = 0; c < cols; c++)
            assert_near(m->coef[c], f.coef[c], 1e-9);
        gram_free(g);
        free(x);
        free(y);
        model_free(m);
    }
    hours_done(&h);
}

/* From a hole on by rows, as if it had always been so. */
static void holes(void **state)
{
    (void)state;
    struct hours h = series(900, 8);
    struct scales s;
    h.y[650] = NAN;
    scales_init(&s, &h);
    for (size_t c = 0; c < n_candidates_alone; c++) {
        const struct algo *a = candidates[c].algo;
        if (!a->learning)
            continue;
        struct model *at_once = candidate_model(&candidates[c], "a.b");
        struct model *m = candidate_model(&candidates[c], "a.b");
        void *learnt = a->learning->begin(m);
        for (size_t n = 600; n <= 900; n += 100) {
            struct hours part = hours_part(&h, 0, n);
            part.scales = &s;
            a->learning->take(learnt, &part);
        }
        assert_int_equal(a->learning->fit(learnt, m, NULL), 0);
        assert_int_equal(a->fit(at_once, &h, NULL), 0);
        size_t len[2];
        char *doc[2] = {model_document(m, &len[0]), model_document(at_once, &len[1])};
        assert_string_equal(doc[0], doc[1]);
        free(doc[0]);
        free(doc[1]);
        a->learning->end(learnt);
        model_free(at_once);
        model_free(m);
    }
    scales_done(&s);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_scales),
        cmocka_unit_test(a_fit_is_the_same_with_and_without),
        cmocka_unit_test(ridge_is_ridge),
        cmocka_unit_test(holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
