/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training on what is short, empty, constant, full of holes or absurd: a sensible
 * fallback or a clear refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/training.h"

static void too_short(void **state)
{
    (void)state;
    struct hours h = made_series(23, 20, 2, 0, 0.1, 0.5, 1);
    refuses(&h, &opts, "kitchen.temperature has 23 complete hours, 24 are needed",
            "no_model_yet");
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = NAN;
    refuses(&h, &opts, "kitchen.temperature has 0 complete hours, 24 are needed",
            "no_model_yet");
    refuses(&(struct hours){0}, &opts,
            "kitchen.temperature has no complete hour yet, 24 are needed",
            "no_model_yet");
    hours_done(&h);
}

/* From the first day on there is a champion, whatever the length. */
static void every_length(void **state)
{
    (void)state;
    struct hours h = made_series(700, 20, 3, 2, 0.2, 0.8, 2);
    for (size_t n = 24; n <= 700; n += n < 200 ? 1 : 50) {
        struct hours first = hours_part(&h, 0, n);
        struct train_result r = trained(&first, NULL, &opts);
        struct forecast f[48];
        struct err e = ERR_INIT;
        assert_int_equal(r.outcome, TRAIN_PROMOTE);
        if (model_forecast(r.model, UNTIL(h, n), 48, 0.95, f, &e))
            fail_msg("%zu hours: %s: %s", n, r.reason, e.text);
        for (int k = 0; k < 48; k++)
            if (!(f[k].lower <= f[k].yhat && f[k].yhat <= f[k].upper))
                fail_msg("%zu hours, lead %d: %s: %g %g %g", n, k + 1, r.reason,
                         f[k].lower, f[k].yhat, f[k].upper);
        if (n < 96)
            assert_string_equal(r.model->algo->name, "fading_naive_24");
        else
            assert_string_not_equal(r.model->algo->name, "fading_naive_24");
        train_result_done(&r);
    }
    hours_done(&h);
}

/* A sensor that reads tenths has many equal hours. (Interpolated between two of them, a
 * quantile once was a rounding error above the next, and nobody could read the model.) */
static void tenths(void **state)
{
    (void)state;
    for (unsigned long seed = 1; seed <= 10; seed++) {
        struct hours h = made_series(1008, 20.8, 0.1, 0, 0.02, 0.5, seed);
        for (size_t i = 0; i < h.n; i++)
            h.y[i] = round(h.y[i] * 10) / 10;
        struct train_result r = trained(&h, NULL, &opts);
        for (size_t i = 1; i < r.model->n_quantiles; i++)
            assert_true(r.model->quantiles[i] >= r.model->quantiles[i - 1]);
        train_result_done(&r);
        hours_done(&h);
    }
}

static void constant(void **state)
{
    (void)state;
    struct hours h = made_series(700, 21.5, 0, 0, 0, 0, 5);
    struct train_result r = trained(&h, NULL, &opts);
    struct forecast f[48];
    assert_int_equal(r.outcome, TRAIN_PROMOTE);
    assert_string_equal(candidate(&r), "persistence");
    assert_near(metric(&r, "mae"), 0, 0);
    assert_true(isnan(metric(&r, "mase"))); /* 0/0 is not known */
    assert_int_equal(model_forecast(r.model, UNTIL(h, h.n), 48, 0.95, f, NULL), 0);
    assert_true(f[47].lower == 21.5 && f[47].upper == 21.5);
    train_result_done(&r);
    hours_done(&h);
}

/* Random walks: nothing beats persistence by more than luck, and what is chosen is not
 * much worse than that. */
/* A month of rest, and then it moves: nobody knows what comes, and a band without width
 * would say that it is known. */
static void wakes_up(void **state)
{
    (void)state;
    for (size_t awake = 1; awake < 60; awake += 7) {
        struct hours h = made_series(1000, 20, 2, 0, 0.3, 0.5, 7);
        double last = h.y[999];
        for (size_t i = 0; i < 1000 - awake; i++)
            h.y[i] = 20;
        struct train_result r = trained(&h, NULL, &opts);
        struct forecast f[48];
        assert_int_equal(model_forecast(r.model, UNTIL(h, h.n), 48, 0.95, f, NULL), 0);
        for (int k = 0; k < 48; k++)
            assert_true(f[k].upper > f[k].yhat && f[k].lower < f[k].yhat);
        if (awake < 24)
            assert_near(f[0].yhat, last, 1e-9);
        train_result_done(&r);
        hours_done(&h);
    }
}

static void nothing_to_learn(void **state)
{
    (void)state;
    double chosen = 0, persistence = 0;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct hours h = made_series(24 * 22, 0, 0, 0, 1, 1, seed);
        struct hours known = hours_part(&h, 0, 24 * 20);
        struct train_result r = trained(&known, NULL, &opts);
        struct forecast f[48];
        assert_int_equal(r.outcome, TRAIN_PROMOTE);
        assert_int_equal(
            model_forecast(r.model, UNTIL(known, known.n), 48, 0.95, f, NULL), 0);
        for (size_t k = 0; k < 48; k++) {
            chosen += fabs(h.y[known.n + k] - f[k].yhat);
            persistence += fabs(h.y[known.n + k] - h.y[known.n - 1]);
        }
        train_result_done(&r);
        hours_done(&h);
    }
    printf("    error on random walks, of persistence's: %.3f\n", chosen / persistence);
    assert_true(chosen < 1.15 * persistence);
}

/* A shower of some hours now and then: the mean of these is never there. */
static void showers(void **state)
{
    (void)state;
    struct hours h = made_series(1000, 0, 0, 0, 1, 0.9, 21);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = h.y[i] > 4 ? h.y[i] - 4 : 0;
    h.y[h.n - 1] = 0;
    struct train_result r = trained(&h, NULL, &opts);
    struct forecast f[48];
    assert_int_equal(model_forecast(r.model, UNTIL(h, h.n), 48, 0.95, f, NULL), 0);
    for (int k = 12; k < 48; k++) {
        assert_near(f[k].yhat, 0, 0.02);
        assert_true(f[k].lower <= f[k].yhat && f[k].yhat <= f[k].upper);
    }
    json_t *table = json_object_get(r.evidence, "candidates"), *row;
    size_t i, asked = 0;
    json_array_foreach(table, i, row)
    {
        if (!strcmp(json_string_value(json_object_get(row, "name")), "median_168"))
            asked += json_object_get(row, "left_out") == NULL;
    }
    assert_int_equal(asked, 1);
    train_result_done(&r);
    hours_done(&h);
}

/* Two half days with days between: no backtest can tell, and the day before is not known.
 */
static void band_of_few_hours(void **state)
{
    (void)state;
    struct hours h = made_series(66, 20, 3, 0, 0.3, 0.7, 15);
    struct forecast f[48];
    for (size_t i = 16; i < 54; i++)
        h.y[i] = NAN;
    struct train_result r = trained(&h, NULL, &opts);
    assert_string_equal(candidate(&r), "persistence");
    assert_int_equal(model_forecast(r.model, UNTIL(h, h.n), 48, 0.95, f, NULL), 0);
    assert_true(f[0].lower < f[0].yhat && f[0].yhat < f[0].upper);
    assert_true(f[47].upper - f[47].lower > f[0].upper - f[0].lower);
    train_result_done(&r);
    hours_done(&h);
}

static void holes(void **state)
{
    (void)state;
    struct hours h = made_series(1000, 50, 5, 8, 0.5, 0.7, 7);
    for (size_t i = 0; i < h.n; i++)
        if (i % 7 == 3 || (i > 300 && i < 340) || (i > 980 && i < 990))
            h.y[i] = NAN;
    struct train_result r = trained(&h, NULL, &opts);
    assert_true(metric(&r, "skill_persistence") > 0.5);
    assert_true(metric(&r, "missing_hours") > 140);
    train_result_done(&r);
    /* every fourth hour only, and one island of a day in eight weeks of nothing */
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = i % 4 ? NAN : 20 + (double)(i % 24);
    r = trained(&h, NULL, &opts);
    train_result_done(&r);
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = i < 24 || i == 999 ? 20 + (double)(i % 24) : NAN;
    r = trained(&h, NULL, &opts);
    assert_string_equal(candidate(&r), "persistence");
    train_result_done(&r);
    hours_done(&h);
}

static void absurd(void **state)
{
    (void)state;
    static const double scale[] = {1e-300, 1e-20, 1e20, 1e98};
    for (size_t s = 0; s < sizeof scale / sizeof *scale; s++) {
        struct hours h = made_series(600, 50, 5, 8, 0.5, 0.7, 8);
        for (size_t i = 0; i < h.n; i++)
            h.y[i] *= scale[s];
        struct train_result r = trained(&h, NULL, &opts);
        struct forecast f[48];
        assert_int_equal(model_forecast(r.model, UNTIL(h, h.n), 48, 0.95, f, NULL), 0);
        for (int k = 0; k < 48; k++)
            assert_true(isfinite(f[k].yhat) && isfinite(f[k].lower) &&
                        isfinite(f[k].upper));
        train_result_done(&r);
        hours_done(&h);
    }
    /* one monstrous spike in a quiet series */
    struct hours h = made_series(600, 20, 1, 0, 0.1, 0.5, 9);
    h.y[300] = 1e99;
    struct train_result r = trained(&h, NULL, &opts);
    train_result_done(&r);
    /* +1, -1, +1: explosive fits are tempting */
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = i % 2 ? 1 : -1;
    r = trained(&h, NULL, &opts);
    assert_near(metric(&r, "mae"), 0, 1e-9);
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_short), cmocka_unit_test(every_length),
        cmocka_unit_test(tenths),    cmocka_unit_test(constant),
        cmocka_unit_test(wakes_up),  cmocka_unit_test(nothing_to_learn),
        cmocka_unit_test(showers),   cmocka_unit_test(band_of_few_hours),
        cmocka_unit_test(holes),     cmocka_unit_test(absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
