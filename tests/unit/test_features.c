/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/ml/features.h"
#include "tests/unit/near.h"

static const struct feature_spec spec = {3, {4, 1, 2}, TRANSFORM_NONE};

static void names(void **state)
{
    (void)state;
    char buf[16];
    assert_int_equal(features_max_lag(&spec), 4);
    assert_string_equal(features_name(&spec, 0, buf), "lag_4");
    assert_string_equal(features_name(&spec, 2, buf), "lag_2");
}

static void one_row(void **state)
{
    (void)state;
    const double y[] = {10, 20, 30, 40, 50};
    double out[3];
    assert_int_equal(features_row(&spec, y, 5, out), 0);
    assert_true(out[0] == 20 && out[1] == 50 && out[2] == 40);
    assert_int_equal(features_row(&spec, y, 3, out), -1); /* too short */
    const double hole[] = {10, NAN, 30, 40, 50};
    assert_int_equal(features_row(&spec, hole, 5, out), -1);
    const double unread[] = {10, 20, NAN, 40, 50};
    assert_int_equal(features_row(&spec, unread, 5, out), 0);
    struct feature_spec logs = spec;
    logs.transform = TRANSFORM_LOG;
    assert_int_equal(features_row(&logs, y, 5, out), 0);
    assert_near(out[1], log(50), 1e-15);
    const double zero[] = {10, 20, 30, 0, 50};
    assert_int_equal(features_row(&logs, zero, 5, out), -1);
}

/* Each row of the batch is what features_row() makes of the hours before its target. */
static void rows_are_serving_rows(void **state)
{
    (void)state;
    struct hours h;
    assert_int_equal(hours_init(&h, 0, 40, NULL), 0);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = 1 + (double)(i * i % 17);
    h.y[20] = NAN;
    h.y[30] = -1;
    for (int t = TRANSFORM_NONE; t <= TRANSFORM_LOG; t++) {
        struct feature_spec s = spec;
        s.transform = (enum transform)t;
        double *x, *target, row[3];
        size_t n = features_rows(&s, &h, &x, &target), k = 0;
        for (size_t i = 4; i < h.n; i++) {
            double want = features_transform(&s, h.y[i]);
            if (!isfinite(want) || features_row(&s, h.y, i, row))
                continue;
            assert_true(k < n);
            assert_memory_equal(row, x + 3 * k, sizeof row);
            assert_true(target[k++] == want);
        }
        assert_int_equal(k, n);
        assert_int_equal(n, t == TRANSFORM_NONE ? 32 : 28);
        free(x);
        free(target);
    }
    h.n = 4;
    double *x, *target;
    assert_int_equal(features_rows(&spec, &h, &x, &target), 0);
    free(x);
    free(target);
    hours_done(&h);
}

static void document(void **state)
{
    (void)state;
    json_t *j = features_to_json(&spec);
    char *s = json_dumps(j, JSON_COMPACT);
    assert_string_equal(
        s, "{\"lags\":[4,1,2],\"calendar\":[],\"exogenous\":[],\"transform\":\"none\"}");
    struct feature_spec back;
    assert_int_equal(features_from_json(&back, j, NULL), 0);
    assert_int_equal(back.n_lags, 3);
    assert_memory_equal(back.lags, spec.lags, sizeof back.lags);
    free(s);
    json_decref(j);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"[]", "field \"features\" must be an object"},
        {"{\"lags\":1,\"transform\":\"none\"}",
         "field \"features.lags\" must be an array"},
        {"{\"lags\":[1,0],\"transform\":\"none\"}",
         "field \"features.lags[1]\" must be an integer from 1 to 672"},
        {"{\"lags\":[673],\"transform\":\"none\"}",
         "field \"features.lags[0]\" must be an integer from 1 to 672"},
        {"{\"lags\":[1.0],\"transform\":\"none\"}",
         "field \"features.lags[0]\" must be an integer from 1 to 672"},
        {"{\"lags\":[3,3],\"transform\":\"none\"}",
         "field \"features.lags[1]\" repeats lag 3"},
        {"{\"lags\":[1]}", "field \"features.transform\" must be \"none\" or \"log\""},
        {"{\"lags\":[1],\"transform\":\"sqrt\"}",
         "field \"features.transform\" must be \"none\" or \"log\""},
        {"{\"lags\":[1],\"transform\":\"none\",\"calendar\":[\"hour\"]}",
         "field \"features.calendar\" must be an empty array in this version"},
        {"{\"lags\":[1],\"transform\":\"none\",\"more\":1}",
         "field \"features.more\" is not known"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = ERR_INIT;
        struct feature_spec s;
        json_t *j = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(features_from_json(&s, j, &e), -1);
        assert_string_equal(e.text, cases[i].text);
        json_decref(j);
    }
    json_t *many = json_array();
    for (int i = 1; i <= FEATURES_MAX + 1; i++)
        json_array_append_new(many, json_integer(i));
    json_t *j = json_pack("{s:o,s:s}", "lags", many, "transform", "none");
    struct err e = ERR_INIT;
    struct feature_spec s;
    assert_int_equal(features_from_json(&s, j, &e), -1);
    assert_string_equal(e.text, "field \"features.lags\" has more than 64 entries");
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(one_row),
        cmocka_unit_test(rows_are_serving_rows),
        cmocka_unit_test(document),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
