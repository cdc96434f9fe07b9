/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a training makes of a series that has changed, and of one that only seems to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/score.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/training.h"

/* On day 40 the room is used otherwise. Two days later a training begins from there, and
 * the next one, with the champion made after the change, does so too. */
static void change(void **state)
{
    (void)state;
    struct hours h = made_series(1344, 20, 3, 0, 0.3, 0.7, 12);
    struct hours before = hours_part(&h, 0, 960), after = hours_part(&h, 0, 960 + 48);
    struct train_result first = trained(&before, NULL, &opts);
    assert_true(isnan(metric(&first, "regime_from_s")));
    for (size_t i = 960; i < h.n; i++)
        h.y[i] = 60 - 2 * (h.y[i] - 20);
    struct train_result second = trained(&after, first.model, &opts);
    assert_int_equal(second.outcome, TRAIN_PROMOTE);
    assert_non_null(
        strstr(second.reason, " hours since a change: better than the champion"));
    assert_near(metric(&second, "regime_from_s"), (double)(T0 + 960 * 3600), 6 * 3600);
    assert_true(json_is_true(json_object_get(second.evidence, "challenger_saw_holdout")));
    assert_int_equal(second.model->training.rows, 960 + 48);
    assert_int_equal(second.model->training.from_s, T0);
    struct forecast f[24];
    double yhat[24];
    assert_int_equal(model_forecast(second.model, UNTIL(h, 960 + 48), 24, 0.95, f, NULL),
                     0);
    for (int k = 0; k < 24; k++)
        yhat[k] = f[k].yhat;
    assert_true(score(h.y + 960 + 48, yhat, 24).mae < 3);
    struct train_result third = trained(&h, second.model, &opts);
    assert_near(metric(&third, "hours"), metric(&second, "hours") + 384 - 48, 0);
    train_result_done(&third);
    train_result_done(&second);
    train_result_done(&first);
    hours_done(&h);
}

/* A change is remembered where all hours were learned from, too: later trainings judge by
 * those since, not by a week in whose first days nobody knew of it. */
static void change_is_remembered(void **state)
{
    (void)state;
    int seen = 0;
    for (unsigned seed = 1; seed < 13; seed++) {
        struct hours h = made_series(960 + 120, 20, 3, 0, 0.3, 0.7, seed);
        struct hours before = hours_part(&h, 0, 960), after = hours_part(&h, 0, 960 + 40);
        struct train_result first = trained(&before, NULL, &opts);
        for (size_t i = 960; i < h.n; i++)
            h.y[i] += 6;
        struct train_result second = trained(&after, first.model, &opts);
        if (second.outcome == TRAIN_PROMOTE && metric(&second, "hours") == 960 + 40) {
            double from_s = metric(&second, "regime_from_s");
            assert_near(from_s, (double)(T0 + 960 * 3600), 6 * 3600);
            struct train_result third = trained(&h, second.model, &opts);
            const json_t *held = json_object_get(third.evidence, "holdout_hours");
            assert_near(metric(&third, "regime_from_s"), from_s, 0);
            assert_near((double)json_integer_value(held), 120.0 / 4, 2);
            assert_int_equal(third.outcome, TRAIN_PROMOTE);
            train_result_done(&third);
            seen++;
        }
        train_result_done(&second);
        train_result_done(&first);
        hours_done(&h);
    }
    assert_true(seen >= 3);
}

/* Another amplitude, phase and noise since 40 hours: no champion stays that a baseline
 * beats by more than a tenth over the hours since, be its challenger as it may. */
static void baseline_after_change(void **state)
{
    (void)state;
    int simple = 0;
    for (unsigned seed = 1; seed < 13; seed++) {
        struct hours h = made_series(960 + 40, 20, 3, 0, 0.3, 0.7, seed);
        struct hours before = hours_part(&h, 0, 960);
        struct train_result first = trained(&before, NULL, &opts);
        for (size_t i = 960; i < h.n; i++)
            h.y[i] = 20 + sin(2 * M_PI * (double)(i + 8) / 24) * 6 + (h.y[i] - 20) * 0.2;
        struct train_result second = trained(&h, first.model, &opts);
        const json_t *mae =
            json_object_get(json_object_get(second.evidence, "gate"), "mae");
        double champion = json_real_value(json_object_get(mae, "champion")),
               baseline = fmin(json_real_value(json_object_get(mae, "persistence")),
                               json_real_value(json_object_get(mae, "seasonal_naive")));
        if (second.outcome == TRAIN_KEEP)
            assert_true(champion * 0.9 <= baseline);
        simple += second.model->algo->baseline;
        train_result_done(&second);
        train_result_done(&first);
        hours_done(&h);
    }
    assert_true(simple > 0);
}

/* A file that ends three days after the change: nobody has served yet, and what is
 * learned from these days forecasts the next two better. */
static void change_without_champion(void **state)
{
    (void)state;
    double since = 0, all = 0;
    int seen = 0;
    for (unsigned seed = 41; seed < 49; seed++) {
        struct hours h = made_series(960 + 72 + 48, 20, 3, 0, 0.3, 0.7, seed);
        struct hours quiet = hours_part(&h, 0, 960), known = hours_part(&h, 0, 960 + 72);
        struct train_result r = trained(&quiet, NULL, &opts);
        assert_true(isnan(metric(&r, "regime_from_s")));
        train_result_done(&r);
        for (size_t i = 960; i < h.n; i++)
            h.y[i] = 60 - 2 * (h.y[i] - 20);
        double yhat[48];
        r = trained(&known, NULL, &opts);
        if (strstr(r.reason, " hours since a change: there is no champion")) {
            assert_near(metric(&r, "regime_from_s"), (double)(T0 + 960 * 3600), 6 * 3600);
            seen++;
        }
        assert_int_equal(model_points(r.model, &known, 48, yhat, NULL), 0);
        since += score(h.y + known.n, yhat, 48).mae;
        train_result_done(&r);
        struct model *m = model_new(&algo_ridge, "x.y");
        m->features = (struct feature_spec){.n_lags = 4, .lags = {1, 2, 24, 25}};
        assert_int_equal(m->algo->fit(m, &known, NULL), 0);
        assert_int_equal(model_points(m, &known, 48, yhat, NULL), 0);
        all += score(h.y + known.n, yhat, 48).mae;
        model_free(m);
        hours_done(&h);
    }
    assert_true(seen >= 6 && since < 0.5 * all);
}

/* One misread at the end, whatever it is, leaves what is learned where it was; its row is
 * hashed as it was measured. */
static void a_misread_at_the_end(void **state)
{
    (void)state;
    struct hours h = made_series(1000, 20, 3, 0, 0.3, 0.7, 12);
    struct train_result r = trained(&h, NULL, &opts);
    static const double misread[] = {500, -127, 1e12, -1e99};
    for (size_t i = 0; i < sizeof misread / sizeof *misread; i++) {
        h.y[999] = misread[i];
        char sha[SHA256_HEX_SIZE];
        hours_sha256(&h, sha);
        struct train_result now = trained(&h, NULL, &opts);
        assert_string_equal(now.model->training.sha256, sha);
        struct forecast f[48], g[48];
        assert_int_equal(model_forecast(now.model, &h, 48, 0.95, f, NULL), 0);
        h.y[999] = misread[i] > 0 ? now.model->quantiles[now.model->n_quantiles - 1]
                                  : now.model->quantiles[0];
        assert_int_equal(model_forecast(r.model, &h, 48, 0.95, g, NULL), 0);
        for (int k = 0; k < 48; k++) {
            assert_true(fabs(f[k].yhat - g[k].yhat) < 1);
            assert_true(f[k].lower < f[k].yhat && f[k].upper > f[k].yhat);
        }
        train_result_done(&now);
    }
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change),
        cmocka_unit_test(change_is_remembered),
        cmocka_unit_test(baseline_after_change),
        cmocka_unit_test(change_without_champion),
        cmocka_unit_test(a_misread_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
