/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#include "common/ml/relation_report.h"
#include "tests/unit/near.h"

#define N 672

static double cook[N], live[N], apart[N];

/* The living room follows the kitchen after delay hours; a third room only shares the
 * time of day. */
static void rooms(size_t delay, double share, unsigned long seed)
{
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    double k = 0, l = 0, o = 0, past[N + 1] = {0};
    gsl_rng_set(g, seed);
    for (size_t t = 0; t < N; t++) {
        double day = sin(2 * M_PI * (double)t / 24);
        past[t] = k = 0.8 * k + gsl_ran_gaussian(g, 0.5);
        l = 0.6 * l + (t < delay ? 0 : share * past[t - delay]) +
            gsl_ran_gaussian(g, 0.2);
        o = 0.8 * o + gsl_ran_gaussian(g, 0.3);
        cook[t] = 24 + k + 2 * day;
        live[t] = 22 + l + 1.5 * day;
        apart[t] = 21 + o + 3 * day;
    }
    gsl_rng_free(g);
}

static json_t *of_pairs(const char *target, double *a, const char *other, double *b,
                        size_t n, size_t pairs, struct err *e)
{
    const struct hours x = {.n = n, .y = a}, y = {.n = n, .y = b};
    return relation_report(target, &x, other, &y, pairs, e);
}

static json_t *report(const char *target, double *a, const char *other, double *b)
{
    struct err e = ERR_INIT;
    json_t *j = of_pairs(target, a, other, b, N, 1, &e);
    if (!j)
        fail_msg("%s", e.text);
    return j;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    assert_non_null(v);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *text(const json_t *j)
{
    return json_string_value(json_object_get(j, "text"));
}

static void kitchen_leads(void **state)
{
    (void)state;
    rooms(2, 0.4, 7);
    json_t *j = report("living.temperature", live, "kitchen.temperature", cook);
    assert_string_equal(
        text(j), "kitchen.temperature helps to predict living.temperature: knowing its "
                 "last day makes the typical error of the next hour 32.5 % smaller (F "
                 "test, p < 0.001); beyond the time of day they move together, "
                 "kitchen.temperature 3 h ahead (correlation 0.85, p < 0.001)");
    assert_true(json_is_true(json_object_get(j, "predicts")));
    assert_string_equal(json_string_value(json_object_get(j, "target")),
                        "living.temperature");
    assert_string_equal(json_string_value(json_object_get(j, "other")),
                        "kitchen.temperature");
    assert_true(number(j, "hours_in_common") == N);
    assert_true(number(j, "best_lag") >= 2 && number(j, "best_lag") <= 4);
    assert_true(number(j, "best_correlation") > 0.7 && number(j, "best_p") < 0.001);
    assert_true(number(j, "best_lower") < number(j, "best_correlation") &&
                number(j, "best_correlation") < number(j, "best_upper"));
    const json_t *helps = json_object_get(j, "helps"), *lags = json_object_get(j, "lags");
    assert_true(number(helps, "p") < 1e-6 && number(helps, "gain") > 0.2);
    assert_true(number(helps, "rows") == N - 25 && number(helps, "df1") == 14 &&
                number(helps, "df2") == N - 25 - 20 - 1 - 23);
    assert_true(number(json_object_get(j, "helped"), "p") > 0.05);
    assert_int_equal(json_array_size(lags), 97);
    assert_true(number(json_array_get(lags, 0), "lag") == -48 &&
                number(json_array_get(lags, 0), "n") == N - 48);
    json_decref(j);
    /* seen from the kitchen */
    j = report("kitchen.temperature", cook, "living.temperature", live);
    assert_string_equal(
        text(j),
        "living.temperature is not seen to help to predict kitchen.temperature beyond "
        "what that series' own past says (F test, p = 0.52); beyond the time of day they "
        "move together, kitchen.temperature 3 h ahead (correlation 0.85, p < 0.001)");
    assert_true(json_is_false(json_object_get(j, "predicts")));
    assert_true(number(j, "best_lag") <= -2);
    json_decref(j);
}

/* Half a day is as good as two hours. */
static void late(void **state)
{
    (void)state;
    rooms(11, 0.4, 8);
    json_t *j = report("living", live, "kitchen", cook);
    assert_string_equal(
        text(j),
        "kitchen helps to predict living: knowing its last day makes the typical error "
        "of the next hour 35.3 % smaller (F test, p < 0.001); beyond the time of day "
        "they move together, kitchen 11 h ahead (correlation 0.83, p < 0.001)");
    assert_true(json_is_true(json_object_get(j, "predicts")));
    assert_true(number(j, "best_lag") >= 11);
    json_decref(j);
}

/* What two rooms have of the sun is not taken for a relation, though their correlation is
 * high. */
static void only_the_sun(void **state)
{
    (void)state;
    rooms(2, 0.4, 7);
    json_t *j = report("living", live, "attic", apart);
    assert_string_equal(
        text(j), "attic is not seen to help to predict living beyond what that series' "
                 "own past says (F test, p = 0.21); beyond the time of day the two are "
                 "not seen to move together (at best a correlation of 0.20, p = 0.58)");
    assert_true(number(j, "correlation") > 0.6);
    assert_true(json_is_false(json_object_get(j, "predicts")));
    assert_true(number(json_object_get(j, "helps"), "p") > 0.05);
    assert_true(number(j, "best_p") > 0.05);
    json_decref(j);
}

static void hardly(void **state)
{
    (void)state;
    rooms(2, 0.032, 29);
    json_t *j = report("living", live, "kitchen", cook);
    assert_string_equal(text(j),
                        "kitchen hardly helps to predict living: knowing its last day "
                        "makes the typical error of the next hour 1.0 % smaller (F test, "
                        "p = 0.024); beyond the time of day the two are not seen to move "
                        "together (at best a correlation of -0.16, p = 0.41)");
    json_decref(j);
}

/* What would count of one pair does not of 45. */
static void of_many(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    rooms(2, 0.036, 10);
    json_t *j = of_pairs("living", live, "kitchen", cook, N, 1, &e);
    assert_true(json_is_true(json_object_get(j, "predicts")));
    json_decref(j);
    j = of_pairs("living", live, "kitchen", cook, N, 45, &e);
    assert_true(json_is_false(json_object_get(j, "predicts")));
    assert_string_equal(text(j),
                        "kitchen is not seen to help to predict living beyond what that "
                        "series' own past says (F test, p = 0.003, where only p below "
                        "0.00056 counts); beyond the time of day they move together, "
                        "kitchen 3 h ahead (correlation 0.29, p < 0.001)");
    json_decref(j);
}

static void mirror(void **state)
{
    (void)state;
    double minus[N];
    rooms(0, 0.4, 7);
    for (size_t t = 0; t < N; t++)
        minus[t] = 50 - cook[t];
    json_t *j = report("kitchen", cook, "mirror", minus);
    assert_string_equal(
        text(j), "mirror is not seen to help to predict kitchen beyond what that series' "
                 "own past says (F test, p = 0.26); beyond the time of day they move "
                 "against each other, in the same hour (correlation -1.00, p < 0.001)");
    assert_near(number(j, "correlation"), -1, 1e-12);
    assert_true(json_is_false(json_object_get(j, "predicts")));
    json_decref(j);
}

/* Holes, down to where nothing is left to compare. */
static void holes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    rooms(2, 0.4, 7);
    for (size_t t = 0; t < N; t += 9)
        live[t] = NAN;
    json_t *j = report("living", live, "kitchen", cook);
    assert_true(number(j, "best_lag") >= 2 && number(j, "best_lag") <= 4);
    json_decref(j);
    rooms(2, 0.4, 7); /* no hour has all its past */
    for (size_t t = 0; t < N; t++)
        live[t] = t % 3 ? NAN : live[t];
    j = report("living", live, "kitchen", cook);
    assert_true(json_is_null(json_object_get(j, "helps")));
    assert_true(json_is_false(json_object_get(j, "predicts")));
    assert_true(number(j, "hours_in_common") == N / 3);
    assert_string_equal(
        text(j),
        "whether kitchen helps to predict living cannot be told: too few hours that both "
        "have, or one of them says nothing new; beyond the time of day they move "
        "together, kitchen 2 h ahead (correlation 0.87, p < 0.001)");
    json_decref(j);
    for (size_t t = 0; t < N; t++)
        live[t] = t % 36 ? NAN : live[t];
    assert_null(of_pairs("living", live, "kitchen", cook, N, 1, &e));
    assert_string_equal(e.text, "living and kitchen: the first series has fewer than 24 "
                                "values: it cannot be compared with another");
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    rooms(2, 0.4, 7);
    assert_null(of_pairs("a.x", live, "b.x", cook, 167, 1, &e));
    assert_string_equal(e.text,
                        "a.x and b.x have 167 hours: 168 to 87600 can be compared");
    for (size_t t = 0; t < N; t++)
        cook[t] = 21.3;
    assert_null(of_pairs("a.x", live, "b.x", cook, N, 1, &e));
    assert_string_equal(e.text, "a.x and b.x: the second series has one value only: it "
                                "cannot be compared with another");
    cook[4] = -INFINITY;
    assert_null(of_pairs("a.x", live, "b.x", cook, N, 1, &e));
    assert_string_equal(e.text,
                        "hour 4 of b.x is -inf: numbers up to 1e+100 can be used");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kitchen_leads), cmocka_unit_test(late),
        cmocka_unit_test(only_the_sun),  cmocka_unit_test(hardly),
        cmocka_unit_test(of_many),       cmocka_unit_test(mirror),
        cmocka_unit_test(holes),         cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
