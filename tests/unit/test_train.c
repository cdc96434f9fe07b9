/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ml/algos.h"
#include "common/ml/score.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"
#include "tests/unit/training.h"

static void wrong_options(void **state)
{
    (void)state;
    struct hours h = made_series(48, 20, 2, 0, 0.1, 0.5, 1);
    struct train_opts o = opts;
    o.preset = "system7";
    refuses(&h, &o,
            "preset \"system7\" is not known: it can be \"system0\", \"boost\", "
            "\"forest\", \"holt_winters\" or \"theta\"",
            "invalid");
    o.preset = "boost";
    refuses(&h, &o, "preset \"boost\" can only be made by the trainer service",
            "invalid");
    o = opts;
    o.horizon = 49;
    refuses(&h, &o, "the horizon must be 1 to 48 hours, not 49", "invalid");
    o = opts;
    o.level = 1;
    refuses(&h, &o, "the level must be 0.5 to 0.999, not 1", "invalid");
    h.y[40] = 1e300;
    refuses(
        &h, &opts,
        "kitchen.temperature has the value 1e+300 7 hours before its end: at most 1e+100 "
        "in size can be learned",
        "invalid");
    hours_done(&h);
}

static void learns_day_and_week(void **state)
{
    (void)state;
    struct hours h = made_series(1344 + 48, 50, 5, 8, 0.5, 0.7, 3);
    struct hours known = hours_part(&h, 0, 1344);
    struct train_result r = trained(&known, NULL, &opts);
    assert_int_equal(r.outcome, TRAIN_PROMOTE);
    assert_false(r.model->algo->baseline);
    assert_true(metric(&r, "skill_persistence") > 0.5);
    assert_true(metric(&r, "skill_seasonal_naive") > 0.3);
    assert_true(metric(&r, "coverage") > 0.85);
    assert_near(metric(&r, "lead1_sd"), 0.6, 0.15); /* 0.5 if the truth were known */
    assert_near(metric(&r, "hours"), 1344, 0);
    assert_int_equal(r.model->training.rows, 1344);
    assert_int_equal(r.model->training.to_s, T0 + 1343 * 3600);
    assert_int_equal(r.model->n_leads, 48);
    assert_int_equal(r.model->n_quantiles, 21);
    double least = INFINITY;
    for (size_t i = 0; i < 1344; i++)
        least = fmin(least, h.y[i]);
    assert_near(r.model->quantiles[0], least, 0);
    char sha[SHA256_HEX_SIZE];
    hours_sha256(&known, sha);
    assert_string_equal(r.model->training.sha256, sha);
    /* and the two days that it has not seen */
    struct forecast f[48];
    double yhat[48];
    struct err e = ERR_INIT;
    assert_int_equal(model_forecast(r.model, UNTIL(h, 1344), 48, 0.95, f, &e), 0);
    for (int k = 0; k < 48; k++)
        yhat[k] = f[k].yhat;
    assert_true(score(h.y + 1344, yhat, 48).mae < 1.5);
    train_result_done(&r);
    hours_done(&h);
}

static void same_bytes(void **state)
{
    (void)state;
    struct hours h = made_series(900, 50, 5, 8, 0.5, 0.7, 4);
    struct train_result a = trained(&h, NULL, &opts), b = trained(&h, NULL, &opts);
    char *x = model_document(a.model, NULL), *y = model_document(b.model, NULL);
    assert_string_equal(x, y);
    assert_true(json_equal(a.evidence, b.evidence));
    free(x);
    free(y);
    train_result_done(&a);
    train_result_done(&b);
    hours_done(&h);
}

static double of_gate(const struct train_result *r, const char *what)
{
    json_t *v = json_object_get(json_object_get(r->evidence, "gate"), what);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Every hour, or every second where that is enough, up to the newest that can be scored;
 * blocks of a day either way. Without noise an hour beside the right one would show. */
static void origins_of_the_gate(void **state)
{
    (void)state;
    static const struct {
        size_t hours;
        double origins, block, pairs;
    } cases[] = {{1344, 61, 12, 61 * 48}, /* a week */
                 {576, 49, 12, 49 * 48},
                 {575, 96, 24, 96 * 48},
                 {100, 14, 24, 14 * 12}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hours h = made_series(cases[i].hours, 50, 5, 0, 0, 0, 10);
        struct train_result r = trained(&h, NULL, &opts);
        assert_near(of_gate(&r, "origins"), cases[i].origins, 0);
        assert_near(of_gate(&r, "block"), cases[i].block, 0);
        assert_near(metric(&r, "holdout_pairs"), cases[i].pairs, 0);
        assert_true(metric(&r, "mae") < 1e-9 && metric(&r, "mae_lead_1") < 1e-9 &&
                    metric(&r, "mae_lead_6") < 1e-9);
        train_result_done(&r);
        hours_done(&h);
    }
}

/* Its band, too, is held against the right hours: it is narrower than what an hour adds.
 */
static void band_over_the_holdout(void **state)
{
    (void)state;
    struct hours h = made_series(1344, 50, 5, 0, 0.05, 0.7, 10);
    struct train_result r = trained(&h, NULL, &opts);
    assert_true(metric(&r, "coverage") > 0.8);
    assert_true(metric(&r, "mae") > 0.01 && metric(&r, "mae") < 0.1);
    train_result_done(&r);
    hours_done(&h);
}

/* Whatever the length: half of the hours are enough to be judged by. */
static void every_second_hour(void **state)
{
    (void)state;
    for (size_t n = 577; n < 593; n += 2) {
        struct hours h = made_series(n, 50, 5, 0, 0.5, 0.7, 10);
        for (size_t i = 1; i < n; i += 2)
            h.y[i] = NAN;
        struct train_result r = trained(&h, NULL, &opts);
        assert_true(of_gate(&r, "origins") >= 49 && metric(&r, "mae") > 0);
        train_result_done(&r);
        hours_done(&h);
    }
}

static void against_a_champion(void **state)
{
    (void)state;
    struct hours h = made_series(1344, 50, 5, 8, 0.5, 0.7, 10);
    struct train_result first = trained(&h, NULL, &opts);
    struct train_result again = trained(&h, first.model, &opts);
    assert_int_equal(again.outcome, TRAIN_KEEP); /* it is the same */
    assert_true(json_is_true(json_object_get(again.evidence, "champion_saw_holdout")));
    train_result_done(&again);
    /* a baseline as champion is treated like any other */
    struct model *baseline = model_new(&algo_seasonal_naive_24, "kitchen.temperature");
    again = trained(&h, baseline, &opts);
    assert_int_equal(again.outcome, TRAIN_PROMOTE);
    assert_non_null(strstr(again.reason, "significantly better than the champion"));
    assert_true(json_is_false(json_object_get(again.evidence, "champion_saw_holdout")));
    train_result_done(&again);
    model_free(baseline);
    /* nothing to gain on a constant: the champion stays, be it what it may */
    for (size_t i = 0; i < h.n; i++)
        h.y[i] = 50;
    again = trained(&h, first.model, &opts);
    assert_true(again.outcome == TRAIN_PROMOTE || again.outcome == TRAIN_KEEP);
    train_result_done(&again);
    train_result_done(&first);
    hours_done(&h);
}

/* The holdout's row of the challenger, as it was judged. */
static json_t *judged(const struct train_result *r)
{
    return json_object_get(json_object_get(r->scores, "holdout"), "challenger");
}

/* The challenger is chosen and fitted by what was known before the holdout: whatever its
 * newest hour is, also one of which there is no logarithm, the errors at all origins that
 * do not forecast it are the same. */
static void judged_by_what_it_has_not_seen(void **state)
{
    (void)state;
    struct hours h = made_series(1000, 20, 3, 2, 0.5, 0.7, 17);
    struct train_result r = trained(&h, NULL, &opts);
    size_t origins = json_array_size(judged(&r)), same = 0;
    for (int other = 0; other < 2; other++) {
        h.y[999] = other ? 60 : 0;
        struct train_result now = trained(&h, NULL, &opts);
        assert_int_equal(json_array_size(judged(&now)), origins);
        for (same = 0; same < origins && json_equal(json_array_get(judged(&r), same),
                                                    json_array_get(judged(&now), same));
             same++)
            ;
        assert_true(same + 1 >= origins && same < origins);
        assert_string_equal(json_string_value(json_object_get(now.evidence, "judged")),
                            json_string_value(json_object_get(r.evidence, "judged")));
        assert_true(
            json_is_false(json_object_get(now.evidence, "challenger_saw_holdout")));
        train_result_done(&now);
    }
    train_result_done(&r);
    hours_done(&h);
}

/* The error at each origin, whose means are what the choice and the gate went by. */
static void scores(void **state)
{
    (void)state;
    struct hours h = made_series(1000, 20, 3, 2, 0.3, 0.7, 17);
    struct model *naive = model_new(&algo_seasonal_naive_168, "kitchen.temperature");
    struct train_result r = trained(&h, naive, &opts);
    json_t *held = json_object_get(r.scores, "holdout"), *x;
    json_t *all = json_object_get(r.scores, "backtest");
    size_t n = json_array_size(json_object_get(held, "challenger")), i;
    double sum = 0, late = 0;
    assert_int_equal(n, 61);
    assert_int_equal(json_object_size(held), 6);
    assert_int_equal(json_integer_value(json_object_get(held, "step_h")), 2);
    json_array_foreach(json_object_get(held, "champion"), i, x) sum += json_real_value(x);
    assert_near(
        sum / 61,
        json_real_value(json_object_get(
            json_object_get(json_object_get(r.evidence, "gate"), "mae"), "champion")),
        1e-5);
    n = json_array_size(json_object_get(all, candidate(&r))) - 1;
    assert_int_equal(json_integer_value(json_object_get(all, "first_origin_s")),
                     h.start_s + (1000 - 1 - 48 - (json_int_t)n * 23) * 3600);
    assert_int_equal(json_integer_value(json_object_get(all, "step_h")), 23);
    for (i = 952; i < 1000; i++)
        late += fabs(h.y[i] - h.y[951]) / 48;
    x = json_array_get(json_object_get(all, "persistence"), n);
    assert_near(json_real_value(x), late, 1e-5 * late);
    train_result_done(&r);
    model_free(naive);
    hours_done(&h);
}

/* On random walks a champion that says "as a week ago" goes; where the challenger does no
 * better than luck, the simplest thing takes its place. */
static void baseline_takes_over(void **state)
{
    (void)state;
    int simple = 0;
    for (unsigned seed = 21; seed < 31; seed++) {
        struct hours h = made_series(24 * 30, 0, 0, 0, 1, 1, seed);
        struct model *naive = model_new(&algo_seasonal_naive_168, "kitchen.temperature");
        struct train_result r = trained(&h, naive, &opts);
        assert_int_equal(r.outcome, TRAIN_PROMOTE);
        simple += !strcmp(candidate(&r), "persistence");
        train_result_done(&r);
        model_free(naive);
        hours_done(&h);
    }
    assert_true(simple > 0);
}

/* Nor does the median of the last week, unless the series rests. */
static void no_median(void **state)
{
    (void)state;
    for (unsigned seed = 51; seed < 81; seed++) {
        struct hours h = made_series(1344, 50, 2, 0, 1, 0, seed);
        struct hours part = hours_part(&h, 0, 1344 - 168);
        struct train_result first = trained(&part, NULL, &opts);
        for (size_t i = part.n; i < h.n; i++) /* the day's cycle is gone */
            h.y[i] -= 2 * sin(2 * M_PI * (double)i / 24);
        struct train_result r = trained(&h, first.model, &opts);
        assert_string_not_equal(candidate(&r), "median_168");
        train_result_done(&r);
        train_result_done(&first);
        hours_done(&h);
    }
}

static void preset(void **state)
{
    (void)state;
    struct train_opts o = opts;
    o.preset = "system0";
    struct hours h = made_series(1000, 20, 0, 0, 1, 0.5, 13);
    struct train_result r = trained(&h, NULL, &o);
    assert_string_equal(r.model->training.preset, "system0");
    assert_near(metric(&r, "hours"), 168, 0);
    assert_near(metric(&r, "rows"), 131, 0); /* 164 less a fifth, rounded up */
    assert_string_equal(candidate(&r), "system0");
    assert_int_equal(r.model->features.n_lags, 4);
    assert_int_equal(r.model->features.lags[0], 4);
    train_result_done(&r);
    /* beside a champion that reads further back than its week */
    hours_done(&h);
    h = made_series(1000, 20, 0, 3, 1, 0.5, 13);
    struct train_result good = trained(&h, NULL, &opts);
    struct train_result beside = trained(&h, good.model, &o);
    assert_true(model_history(good.model) > 168);
    assert_near(metric(&beside, "hours"), 168, 0);
    assert_true(json_is_real(json_object_get(
        json_object_get(json_object_get(beside.evidence, "gate"), "mae"), "champion")));
    assert_null(strstr(beside.reason, "cannot forecast"));
    assert_true(isnan(metric(&beside, "regime_from_s")));
    train_result_done(&beside);
    train_result_done(&good);
    h.n = 26; /* too short for it: a baseline, and the reason says so */
    r = trained(&h, NULL, &o);
    assert_string_equal(candidate(&r), "persistence");
    train_result_done(&r);
    hours_done(&h);
}

static bool stop(void *arg, double share)
{
    int *calls = arg;
    assert_true(share > 0 && share <= 1);
    return ++*calls < 3;
}

static void cancelled(void **state)
{
    (void)state;
    int calls = 0;
    struct train_opts o = opts;
    o.progress = stop;
    o.progress_arg = &calls;
    struct hours h = made_series(600, 20, 3, 0, 0.3, 0.7, 14);
    refuses(&h, &o, "the training was cancelled", "cancelled");
    assert_int_equal(calls, 3);
    hours_done(&h);
}

static void other_options(void **state)
{
    (void)state;
    struct train_opts o = opts;
    o.horizon = 1;
    o.seed = UINT64_MAX;
    struct hours h = made_series(600, 20, 3, 2, 0.3, 0.7, 15);
    struct train_result r = trained(&h, NULL, &o);
    assert_int_equal(r.model->n_leads, 1);
    assert_true(r.model->training.seed == INT64_MAX);
    train_result_done(&r);
    hours_done(&h);
}

static void window(void **state)
{
    (void)state;
    struct hours h = made_series(2000, 20, 3, 2, 0.3, 0.7, 16);
    h.y[1999] = INFINITY;
    struct train_result r = trained(&h, NULL, &opts);
    assert_int_equal(r.model->training.rows, TRAIN_WINDOW_HOURS);
    train_window(&h, NULL, NULL);
    assert_int_equal(h.n, TRAIN_WINDOW_HOURS);
    assert_int_equal(h.start_s, T0 + (1999 - TRAIN_WINDOW_HOURS) * 3600);
    char sha[SHA256_HEX_SIZE];
    hours_sha256(&h, sha);
    assert_string_equal(r.model->training.sha256, sha);
    train_window(&h, "system0", r.model);
    assert_int_equal(h.n, TRAIN_WINDOW_HOURS);
    train_window(&h, "system0", NULL);
    assert_int_equal(h.n, 168);
    train_result_done(&r);
    hours_done(&h);
}

/* What is told of the regression on the last hours, whatever serves. */
static void diagnostics(void **state)
{
    (void)state;
    struct hours h = made_series(900, 50, 5, 8, 0.5, 0.7, 18);
    for (size_t i = 500; i < 510; i++)
        h.y[i] = NAN; /* not bridged: no rows for it, 3 hours after, 13 a day later */
    struct train_result r = trained(&h, NULL, &opts);
    json_t *told = json_object_get(r.evidence, "diagnostics"), *value;
    const char *name;
    size_t n = 0;
    json_object_foreach(r.metrics, name, value)
    {
        bool of_regression = !strncmp(name, "diag_", 5);
        n += of_regression;
        /* a run's; the document, of which the predictor keeps many, goes without */
        assert_true(of_regression == !json_object_get(r.model->metrics, name));
    }
    assert_int_equal(n, 21);
    assert_true(metric(&r, "diag_rows") == 900 - 26 - 10 - 3 - 13);
    assert_true(metric(&r, "diag_r2") > 0.9 && metric(&r, "diag_r2") < 1);
    assert_true(metric(&r, "diag_hac_f_p") < 1e-9);
    assert_true(metric(&r, "diag_vif_max") > 10);
    json_t *terms = json_object_get(told, "terms"), *one = json_array_get(terms, 1);
    assert_int_equal(json_array_size(terms), 8);
    assert_string_equal(json_string_value(json_object_get(one, "name")), "lag_1");
    assert_true(json_real_value(json_object_get(one, "coef")) > 0.5);
    assert_true(json_real_value(json_object_get(one, "hac_se")) < 0.1);
    assert_true(json_real_value(json_object_get(one, "hac_p")) < 1e-9);
    assert_true(json_real_value(json_object_get(one, "p")) < 1e-9);
    assert_true(json_real_value(json_object_get(one, "vif")) > 10);
    json_t *note = json_array_get(json_object_get(told, "notes"), 0);
    const char *text = json_string_value(json_object_get(note, "text"));
    assert_non_null(
        strstr(text, "% of how kitchen.temperature varies, more than chance"));
    train_result_done(&r);

    struct hours few = hours_part(&h, 0, 34); /* eight rows for seven lags */
    r = trained(&few, NULL, &opts);
    assert_null(json_object_get(r.metrics, "diag_rows"));
    assert_null(json_object_get(r.evidence, "diagnostics"));
    train_result_done(&r);
    few.n++;
    r = trained(&few, NULL, &opts);
    assert_true(metric(&r, "diag_rows") == 9);
    train_result_done(&r);
    for (size_t i = 0; i < 100; i++)
        h.y[i] = 21;
    few.n = 100;
    r = trained(&few, NULL, &opts);
    assert_null(json_object_get(r.metrics, "diag_r2"));
    train_result_done(&r);
    hours_done(&h);
}

static void quick(void **state)
{
    (void)state;
    struct hours h = made_series(1344, 50, 5, 8, 0.5, 0.7, 17);
    clock_t begun = clock();
    struct train_result r = trained(&h, NULL, &opts);
    double s = (double)(clock() - begun) / CLOCKS_PER_SEC;
    print_message("one training of 1,344 hours: %.1f ms\n", 1000 * s);
    assert_true(s < 1); /* about 0.015 s; sanitizers take some ten times that */
    train_result_done(&r);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(learns_day_and_week),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(origins_of_the_gate),
        cmocka_unit_test(band_over_the_holdout),
        cmocka_unit_test(every_second_hour),
        cmocka_unit_test(against_a_champion),
        cmocka_unit_test(judged_by_what_it_has_not_seen),
        cmocka_unit_test(scores),
        cmocka_unit_test(baseline_takes_over),
        cmocka_unit_test(no_median),
        cmocka_unit_test(preset),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(other_options),
        cmocka_unit_test(window),
        cmocka_unit_test(diagnostics),
        cmocka_unit_test(quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
