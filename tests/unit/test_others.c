/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Series that stand beside: what is read of them, which are chosen, and what a model that
 * reads them forecasts. */
#include "tests/unit/series.h"

#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/others_choose.h"
#include "common/ml/train.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

#define N 900

/* -0.5 to 0.5; another seed, other noise. */
static double noise(size_t i, unsigned seed)
{
    uint64_t x = (i + 1) * 6364136223846793005u + seed * 1442695040888963407u;
    x ^= x >> 31;
    x *= 0x9E3779B97F4A7C15u;
    return (double)(x >> 40) / (double)(1 << 24) - 0.5;
}

/* b is noise, and a is what b was an hour before, with half of what a was. */
static void pair(struct hours *a, struct hours *b)
{
    *a = series(N, 1);
    *b = series(N, 1);
    for (size_t i = 0; i < N; i++) {
        b->y[i] = 10 * noise(i, 7);
        a->y[i] = 50 + (i ? 0.5 * (a->y[i - 1] - 50) + b->y[i - 1] : 0);
    }
}

static void values(void **state)
{
    (void)state;
    struct hours h = series(60, 1), late = series(30, 1);
    struct others o;
    others_init(&o, &h);
    late.start_s = h.start_s + 40 * 3600; /* ten of its hours lie behind the grid */
    for (size_t i = 0; i < late.n; i++)
        late.y[i] = (double)i;
    late.y[3] = NAN;
    assert_true(others_add(&o, "a.late", &late));
    assert_int_equal(others_find(&o, "a.late"), 0);
    assert_int_equal(others_find(&o, "a.lat"), -1);
    assert_true(isnan(others_at(&o, 0, late.start_s - 3600)));
    assert_true(isnan(others_measured(&o, 0, late.start_s + 3 * 3600)));
    assert_near(others_at(&o, 0, late.start_s + 3 * 3600), 2, 0); /* the last known */
    assert_near(others_at(&o, 0, late.start_s + 19 * 3600), 19, 0);
    assert_near(others_at(&o, 0, late.start_s + 43 * 3600), 19, 0); /* a day old */
    assert_true(isnan(others_at(&o, 0, late.start_s + 44 * 3600)));
    for (int i = 1; i < OTHERS_MAX; i++)
        assert_true(others_add(&o, "a.b", &h));
    assert_false(others_add(&o, "a.c", &h));
    others_done(&o);
    hours_done(&late);
    hours_done(&h);
}

static void rows_hold_them(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o;
    char without[SHA256_HEX_SIZE], with[SHA256_HEX_SIZE];
    size_t len;
    pair(&a, &b);
    b.y[1] = NAN;
    hours_sha256(&a, without);
    others_init(&o, &a);
    others_add(&o, "b.x", &b);
    a.beside = &o;
    hours_sha256(&a, with);
    assert_string_not_equal(without, with);
    unsigned char *rows = hours_canonical(&a, &len);
    assert_int_equal(len, N * 24);
    assert_memory_equal(rows + 16, &b.y[0], 8);
    assert_memory_equal(rows + 24 + 16, "\0\0\0\0\0\0\xf8\x7f", 8);
    free(rows);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
}

static double worth_of(const struct hours *b, const struct hours *a)
{
    struct others_target target;
    others_target_init(&target, a);
    double worth = others_worth(&target, b, others_lag(&target, b));
    others_target_done(&target);
    return worth;
}

/* What the other was an hour ago makes all of the next hour's error: sd 2.9 to none. */
static void worth(void **state)
{
    (void)state;
    struct hours a, b;
    pair(&a, &b);
    assert_true(worth_of(&b, &a) > 0.95);
    assert_true(worth_of(&a, &b) < OTHERS_WORTH);
    for (size_t i = 0; i < N; i++)
        b.y[i] = NAN;
    assert_near(worth_of(&b, &a), 0, 0);
    hours_done(&a);
    hours_done(&b);
}

static void chosen(void **state)
{
    (void)state;
    struct hours a, b, idle = series(N, 1), power = series(N, 1);
    struct others o;
    pair(&a, &b);
    for (size_t i = 0; i < N; i++) {
        idle.y[i] = noise(i, 99);
        power.y[i] = 3 * pow(a.y[i], 0.7);
    }
    struct others_asked in = {"d.a",
                              &a,
                              3,
                              {"d.b", "d.idle", "d.power"},
                              {&b, &idle, &power},
                              {false, true, false}};
    json_t *told = others_choose(&in, &o);
    assert_int_equal(o.n, 2); /* who was asked for goes first */
    assert_string_equal(o.of[0].series, "d.idle");
    assert_string_equal(o.of[1].series, "d.b");
    char *text = json_dumps(json_object_get(told, "same"), JSON_COMPACT);
    assert_string_equal(text, "[\"ln d.power = 1.099 + 0.7 × ln d.a\"]");
    const json_t *c = json_array_get(json_object_get(told, "considered"), 2);
    assert_string_equal(json_string_value(json_object_get(c, "series")), "d.power");
    assert_true(json_is_false(json_object_get(c, "read")));
    assert_true(json_number_value(json_object_get(c, "worth")) < OTHERS_WORTH);
    assert_true(json_real_value(json_object_get(c, "correlation")) > 0.9);
    c = json_array_get(json_object_get(told, "considered"), 0);
    assert_int_equal(json_integer_value(json_object_get(c, "lag")), 1);
    c = json_array_get(json_object_get(told, "considered"), 1);
    assert_true(fabs(json_number_value(json_object_get(c, "correlation"))) < 0.3);
    free(text);
    json_decref(told);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
    hours_done(&idle);
    hours_done(&power);
}

/* The mean of an hour's powers is not the power of its mean: nearly the same is told,
 * too, once, and of the later one. */
static void nearly_the_same(void **state)
{
    (void)state;
    struct hours co = series(N, 3), lpg = series(N, 3);
    struct others o;
    for (size_t i = 0; i < N; i++)
        lpg.y[i] = 3 * pow(co.y[i], 0.7) * (1 + 0.002 * noise(i, 5));
    struct others_asked in = {
        .series = "d.co", .hours = &co, .n = 1, .name = {"d.lpg"}, .other = {&lpg}};
    json_t *told = others_choose(&in, &o), *same = json_object_get(told, "same");
    assert_int_equal(json_array_size(same), 1);
    const char *text = json_string_value(json_array_get(same, 0));
    assert_non_null(strstr(
        text,
        "ln d.lpg is nearly a function of the others, above all of ln d.co (R² 0.999"));
    assert_int_equal(o.n, 0);
    json_decref(told);
    others_done(&o);
    hours_done(&co);
    hours_done(&lpg);
}

static struct model *fitted(const struct hours *a)
{
    struct err e = ERR_INIT;
    struct model *m = model_new(&algo_direct_others, "d.a");
    m->features = (struct feature_spec){.n_lags = 1, .lags = {1}};
    m->params[0] = RIDGE_MIN_STRENGTH;
    assert_ok(m->algo->fit(m, a, &e), e);
    return m;
}

/* a(t+1) = 50 + 0.5 (a(t) - 50) + b(t), and with b not known its mean stands in. */
static void reads_them(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o;
    struct forecast f[2];
    struct err e = ERR_INIT;
    pair(&a, &b);
    struct hours past = hours_part(&a, 0, N - 1);
    others_init(&o, &past);
    others_add(&o, "d.b", &b);
    past.beside = &o;
    struct model *m = fitted(&past);
    assert_int_equal(m->features.n_exogenous, 1);
    assert_string_equal(m->features.exogenous[0].series, "d.b");
    assert_near(m->coef[1], 0.5, 1e-3);
    assert_near(m->coef[2], 1, 1e-3);
    assert_ok(model_forecast(m, &past, 1, 0.95, f, &e), e);
    assert_near(f[0].yhat, a.y[N - 1], 1e-2);
    assert_int_equal(model_others_missing(m, &past), 0);
    others_done(&o);
    others_init(&o, &past); /* nothing stands beside any more */
    assert_int_equal(model_others_missing(m, &past), 1);
    assert_ok(model_forecast(m, &past, 1, 0.95, f, &e), e);
    assert_near(f[0].yhat, 50 + 0.5 * (a.y[N - 2] - 50) + m->features.exogenous[0].mean,
                1e-2);
    past.beside = NULL;
    assert_int_equal(model_others_missing(m, &past), 1);
    model_free(m);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
}

static void document(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o;
    struct err e = ERR_INIT;
    char name[FEATURE_NAME_SIZE];
    pair(&a, &b);
    others_init(&o, &a);
    others_add(&o, "d.b", &b);
    a.beside = &o;
    struct model *m = fitted(&a);
    strcpy(m->training.sha256, ""); /* none */
    m->features.exogenous[0].mean = 0.25;
    assert_string_equal(features_name(&m->features, 1, name), "d.b.lag_1");
    char *doc = model_document(m, NULL);
    assert_non_null(
        strstr(doc, "\"exogenous\":[{\"series\":\"d.b\",\"lags\":[1],\"mean\":0.25}]"));
    struct model *back = model_parse(doc, strlen(doc), &e);
    assert_non_null(back);
    char *again = model_document(back, NULL);
    assert_string_equal(doc, again);
    free(again);
    model_free(back);
    char *lags = strstr(doc, "\"lags\":[1],\"mean\"");
    memcpy(lags, "\"lags\":[0],\"mean\"", 17);
    assert_null(model_parse(doc, strlen(doc), &e));
    assert_string_equal(e.text, "features.exogenous[0]: field \"lags[0]\" must be an "
                                "integer from 1 to 24");
    free(doc);
    model_free(m);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
}

/* A training chooses what reads the other, and says which stood beside. */
static void trained(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o;
    struct err e = ERR_INIT;
    struct forecast f[1];
    struct train_result alone, both;
    pair(&a, &b);
    struct train_opts opts = {
        .series = "d.a", .code = "x", .horizon = 1, .level = 0.95, .seed = 1};
    struct hours past = hours_part(&a, 0, N - 1);
    assert_ok(train_series(&past, NULL, &opts, &alone, &e), e);
    others_init(&o, &past);
    others_add(&o, "d.b", &b);
    past.beside = &o;
    assert_ok(train_series(&past, NULL, &opts, &both, &e), e);
    assert_string_equal(both.model->algo->name, "direct_others");
    assert_int_equal(both.model->training.n_beside, 1);
    assert_string_equal(both.model->training.beside[0], "d.b");
    assert_string_not_equal(both.model->training.sha256, alone.model->training.sha256);
    assert_true(json_real_value(json_object_get(both.metrics, "mae")) <
                0.2 * json_real_value(json_object_get(alone.metrics, "mae")));
    assert_ok(model_forecast(both.model, &past, 1, 0.95, f, &e), e);
    assert_near(f[0].yhat, a.y[N - 1], 0.5);
    size_t len;
    char *doc = model_document(both.model, &len);
    struct model *back = model_parse(doc, len, &e);
    assert_non_null(back);
    assert_string_equal(back->training.beside[0], "d.b");
    model_free(back);
    free(doc);
    train_result_done(&alone);
    train_result_done(&both);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),          cmocka_unit_test(rows_hold_them),
        cmocka_unit_test(nearly_the_same), cmocka_unit_test(worth),
        cmocka_unit_test(chosen),          cmocka_unit_test(reads_them),
        cmocka_unit_test(document),        cmocka_unit_test(trained),
    };
    return cmocka_run_group_tests_name("others", tests, NULL, NULL);
}
