/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/series.h"

#include "common/ml/algos.h"
#include "common/ml/model.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

#define SPEC(n, scale, ...)                                                              \
    ((struct feature_spec){.n_lags = n, .lags = {__VA_ARGS__}, .transform = scale})

static struct model *fitted(const struct hours *h, struct feature_spec spec)
{
    struct err e = ERR_INIT;
    struct model *m = model_new(&algo_direct, "x.y");
    m->features = spec;
    m->params[0] = 1e-3;
    assert_ok(m->algo->fit(m, h, &e), e);
    return m;
}

/* What falls by 3 % an hour falls by 0.97^k in k hours, and nothing is stepped through.
 */
static void each_lead_by_itself(void **state)
{
    (void)state;
    struct hours h = series(300, 1);
    double out[HORIZON_MAX];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = 100 * pow(0.97, (double)i);
    struct model *m = fitted(&h, SPEC(1, TRANSFORM_NONE, 1));
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_near(m->coef[2 * k + 1], pow(0.97, k + 1), 1e-4);
    assert_int_equal(m->training.rows, 299);
    assert_ok(m->algo->forecast(m, UNTIL(h, 100), HORIZON_MAX, out, &e), e);
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_near(out[k], h.y[100 + k], 1e-3);
    model_free(m);
    hours_done(&h);
}

/* At lead 30 the lag 24 lies ahead and goes back a day, to where the lag 48 is. */
static void seasons_go_back_by_days(void **state)
{
    (void)state;
    struct hours h = series(900, 2);
    double out[HORIZON_MAX];
    struct err e = ERR_INIT;
    struct model *m = fitted(&h, SPEC(3, TRANSFORM_NONE, 1, 24, 48));
    for (int k = 0; k < HORIZON_MAX; k++) {
        double c = m->coef[4 * k + 3];
        assert_true(k < 24 ? c != 0 : c == 0);
    }
    assert_int_equal(m->algo->history(m), 48);
    for (size_t i = 0; i < h.n; i++) /* every day is the same */
        h.y[i] = 20 + 5 * sin(2 * M_PI * (double)(i % 24) / 24);
    model_free(m);
    m = fitted(&h, SPEC(3, TRANSFORM_NONE, 1, 24, 48));
    assert_ok(m->algo->forecast(m, UNTIL(h, 500), HORIZON_MAX, out, &e), e);
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_near(out[k], h.y[500 + k], 1e-2);
    model_free(m);
    hours_done(&h);
}

/* A missing hour before the first row changes nothing but how the sums are made. */
static void whole_and_with_a_hole(void **state)
{
    (void)state;
    struct hours h = series(700, 5), later;
    assert_int_equal(hours_init(&later, h.start_s - 3600, h.n + 1, NULL), 0);
    memcpy(later.y + 1, h.y, h.n * sizeof *h.y);
    struct feature_spec spec = SPEC(6, TRANSFORM_NONE, 1, 2, 24, 48, 167, 168);
    struct model *whole = fitted(&h, spec), *hole = fitted(&later, spec);
    assert_int_equal(whole->training.rows, hole->training.rows);
    for (size_t i = 0; i < (size_t)HORIZON_MAX * 7; i++)
        assert_near(whole->coef[i], hole->coef[i], 1e-10);
    later.y[400] = NAN; /* and one in between takes the rows that read it */
    model_free(hole);
    hole = fitted(&later, spec);
    assert_int_equal(hole->training.rows, whole->training.rows - 7);
    model_free(hole);
    model_free(whole);
    hours_done(&later);
    hours_done(&h);
}

static void on_logarithms(void **state)
{
    (void)state;
    struct hours h = series(600, 3);
    double out[HORIZON_MAX];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = exp(sin(2 * M_PI * (double)(i % 24) / 24));
    struct model *m = fitted(&h, SPEC(2, TRANSFORM_LOG, 1, 24));
    assert_ok(m->algo->forecast(m, UNTIL(h, 500), HORIZON_MAX, out, &e), e);
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_near(out[k] / h.y[500 + k], 1, 1e-2);
    h.y[499] = 0; /* a sensor that shows nothing for once */
    assert_ok(m->algo->forecast(m, UNTIL(h, 500), HORIZON_MAX, out, &e), e);
    for (int k = 0; k < HORIZON_MAX; k++)
        assert_true(isfinite(out[k]) && out[k] > 0);
    model_free(m);
    hours_done(&h);
}

static void what_is_missing(void **state)
{
    (void)state;
    struct hours h = series(600, 4);
    double out[HORIZON_MAX];
    struct err e = ERR_INIT;
    struct model *m = fitted(&h, SPEC(2, TRANSFORM_NONE, 1, 24));
    h.y[480] = NAN; /* lead 5 reads it */
    assert_ok(m->algo->forecast(m, UNTIL(h, 500), 4, out, &e), e);
    assert_failed(m->algo->forecast(m, UNTIL(h, 500), 5, out, &e), e, ERR_CONFLICT,
                  "lead 5 cannot be forecast: an hour it reads is missing");
    model_free(m);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lead_by_itself),
        cmocka_unit_test(seasons_go_back_by_days),
        cmocka_unit_test(whole_and_with_a_hole),
        cmocka_unit_test(on_logarithms),
        cmocka_unit_test(what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
