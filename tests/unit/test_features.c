/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "common/ml/features.h"
#include "tests/unit/near.h"

static const struct feature_spec spec = {.n_lags = 3, .lags = {4, 1, 2}};

static void names(void **state)
{
    (void)state;
    char buf[FEATURE_NAME_SIZE];
    assert_int_equal(features_reach(&spec), 4);
    assert_string_equal(features_name(&spec, 0, buf), "lag_4");
    assert_string_equal(features_name(&spec, 2, buf), "lag_2");
}

static void one_row(void **state)
{
    (void)state;
    const double y[] = {10, 20, 30, 40, 50};
    double out[3];
    assert_int_equal(features_row(&spec, y, 5, 0, out), 0);
    assert_true(out[0] == 20 && out[1] == 50 && out[2] == 40);
    assert_int_equal(features_row(&spec, y, 3, 0, out), -1); /* too short */
    const double hole[] = {10, NAN, 30, 40, 50};
    assert_int_equal(features_row(&spec, hole, 5, 0, out), -1);
    const double unread[] = {10, 20, NAN, 40, 50};
    assert_int_equal(features_row(&spec, unread, 5, 0, out), 0);
}

/* Known answers, and where each column stands. */
static void windows_and_calendar(void **state)
{
    (void)state;
    static const struct feature_spec all = {.n_lags = 1,
                                            .lags = {2},
                                            .n_windows = 6,
                                            .windows = {{STAT_MEAN, 4},
                                                        {STAT_STD, 4},
                                                        {STAT_MIN, 3},
                                                        {STAT_MAX, 5},
                                                        {STAT_SLOPE, 4},
                                                        {STAT_DIFF, 3}},
                                            .calendar = CALENDAR_HOUR | CALENDAR_WEEK};
    const double z[] = {90, 1, 3, 2, 6}, want[] = {2, 3, sqrt(3.5), 2, 90, 1.4, 3};
    static const char *const names[] = {"lag_2", "mean_4",  "std_4", "min_3",
                                        "max_5", "slope_4", "diff_3"};
    char name[FEATURE_NAME_SIZE];
    double out[FEATURES_MAX];
    assert_int_equal(features_columns(&all), 7 + 8 + 6);
    assert_int_equal(features_of_history(&all), 7);
    assert_int_equal(features_reach(&all), 5);
    /* Wednesday the 21st of January 1970, 06:00 */
    assert_int_equal(features_row(&all, z, 5, (20 * 24 + 6) * 3600, out), 0);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(features_name(&all, i, name), names[i]);
        assert_near(out[i], want[i], 1e-12);
    }
    assert_string_equal(features_name(&all, 7, name), "hour_sin_1");
    assert_near(out[7], 1, 1e-12);
    assert_near(out[8], 0, 1e-12);
    assert_string_equal(features_name(&all, 10, name), "hour_cos_2");
    assert_near(out[10], -1, 1e-12);
    assert_string_equal(features_name(&all, 15, name), "week_sin_1");
    assert_near(out[15], sin(2 * M_PI * 54 / 168), 1e-12);
    assert_string_equal(features_name(&all, 20, name), "week_cos_3");
    assert_near(out[20], cos(2 * M_PI * 3 * 54 / 168), 1e-12);
    struct feature_spec week = {.calendar = CALENDAR_WEEK};
    assert_string_equal(features_name(&week, 1, name), "week_cos_1");
    assert_int_equal(features_row(&all, z, 4, 0, out), -1); /* max_5 */
    const double hole[] = {NAN, 1, 3, 2, 6};
    assert_int_equal(features_row(&all, hole, 5, 0, out), -1);
    json_t *j = features_to_json(&all);
    char *text = json_dumps(j, JSON_COMPACT);
    assert_string_equal(
        text, "{\"lags\":[2],\"windows\":[\"mean_4\",\"std_4\",\"min_3\",\"max_5\","
              "\"slope_4\",\"diff_3\"],\"calendar\":[\"hour\",\"week\"],\"exogenous\":[],"
              "\"transform\":\"none\"}");
    struct feature_spec back;
    assert_int_equal(features_from_json(&back, j, NULL), 0);
    assert_memory_equal(&back, &all, sizeof all);
    free(text);
    json_decref(j);
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
        double *x, *target, row[3], z[40];
        size_t n = features_rows(&s, &h, &x, &target), k = 0;
        for (size_t i = 4; i < h.n; i++) {
            for (size_t u = 0; u < h.n; u++)
                z[u] = features_transform(&s, h.y[u]);
            if (!isfinite(z[i]) || features_row(&s, z, i, 0, row))
                continue;
            assert_true(k < n);
            assert_memory_equal(row, x + 3 * k, sizeof row);
            assert_true(target[k++] == z[i]);
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
        {"{\"lags\":[1],\"transform\":\"none\",\"calendar\":[\"hour\",\"hour\"]}",
         "field \"features.calendar[1]\" must be \"hour\" or \"week\", each once"},
        {"{\"lags\":[1],\"transform\":\"none\",\"calendar\":{}}",
         "field \"features.calendar\" must be an array"},
        {"{\"lags\":[1],\"transform\":\"none\",\"windows\":[\"mean_4\",\"mean_1\"]}",
         "field \"features.windows[1]\" must be mean_N, std_N, min_N, max_N, slope_N or "
         "diff_N with N from 2 to 672"},
        {"{\"lags\":[1],\"transform\":\"none\",\"windows\":[\"mean_673\"]}",
         "field \"features.windows[0]\" must be mean_N, std_N, min_N, max_N, slope_N or "
         "diff_N with N from 2 to 672"},
        {"{\"lags\":[1],\"transform\":\"none\",\"windows\":[\"me_24\"]}",
         "field \"features.windows[0]\" must be mean_N, std_N, min_N, max_N, slope_N or "
         "diff_N with N from 2 to 672"},
        {"{\"lags\":[1],\"transform\":\"none\",\"windows\":[24]}",
         "field \"features.windows[0]\" must be mean_N, std_N, min_N, max_N, slope_N or "
         "diff_N with N from 2 to 672"},
        {"{\"lags\":[1],\"transform\":\"none\",\"exogenous\":[\"a.b\"]}",
         "field \"features.exogenous[0]\" must be an object"},
        {"{\"lags\":[1],\"transform\":\"none\",\"exogenous\":[{\"series\":\"a.b\","
         "\"mean\":1,"
         "\"lags\":[]}]}",
         "field \"features.exogenous[0]\" must have a series, at least one lag and a "
         "mean"},
        {"{\"lags\":[1],\"transform\":\"none\",\"exogenous\":[{\"series\":\"a.b\","
         "\"mean\":1,"
         "\"lags\":[1,2,3,4,5]}]}",
         "features.exogenous[0]: field \"lags\" has more than 4 entries"},
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

/* Where the lags of another are read, lead by lead: newest, 3 and 2 before what is
 * forecast. What is not known yet, and what another lag reads, is not read. */
static void lags_of_another(void **state)
{
    (void)state;
    static const size_t back[][3] = {{1, 3, 2}, {1, 2, 0}, {1, 0, 0}, {1, 0, 0}};
    static const struct exogenous x = {.n_lags = 3, .lags = {1, 3, 2}};
    double y[] = {10, 20, 30, NAN};
    const struct hours h = {.start_s = 7200, .n = 4, .y = y};
    struct others o;
    others_init(&o, &h);
    others_add(&o, "a.b", &h);
    for (size_t lead = 1; lead <= 4; lead++)
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(features_back(&x, i, lead), back[lead - 1][i]);
    int64_t origin_s = h.start_s + 2 * 3600;
    assert_near(features_exogenous(&x, 0, &o, 0, origin_s, 1), 30, 0);
    assert_near(features_exogenous(&x, 1, &o, 0, origin_s, 1), 10, 0);
    assert_near(features_exogenous(&x, 1, &o, 0, origin_s, 2), 20, 0);
    assert_near(features_exogenous(&x, 1, &o, 0, origin_s, 3), 0, 0);
    assert_true(isnan(features_exogenous(&x, 1, &o, 0, origin_s - 3600, 1)));
    assert_true(isnan(features_exogenous(&x, 0, &o, -1, origin_s, 1)));
    others_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(one_row),
        cmocka_unit_test(windows_and_calendar),
        cmocka_unit_test(lags_of_another),
        cmocka_unit_test(rows_are_serving_rows),
        cmocka_unit_test(document),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
