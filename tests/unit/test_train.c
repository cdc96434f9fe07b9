/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ml/algos.h"
#include "common/ml/score.h"
#include "common/ml/train.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

#define T0 INT64_C(1790000000 / 3600 * 3600)

static const struct train_opts opts = {
    .series = "kitchen.temperature",
    .code = "0.1.0 test",
    .horizon = 48,
    .level = 0.95,
    .seed = 11,
};

/* level + day + week + an autoregressive noise, from a seeded generator. */
static struct hours series(size_t n, double level, double day, double week, double noise,
                           double persist, unsigned long seed)
{
    struct hours h;
    double r = 0;
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, seed);
    assert_int_equal(hours_init(&h, T0, n, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        r = persist * r + gsl_ran_gaussian(g, noise);
        double t = (double)i;
        h.y[i] =
            level + day * sin(2 * M_PI * t / 24) + week * cos(2 * M_PI * t / 168) + r;
    }
    gsl_rng_free(g);
    return h;
}

static struct train_result trained(const struct hours *h, const struct model *champion,
                                   const struct train_opts *o)
{
    struct train_result r;
    struct err e = ERR_INIT;
    if (train_series(h, champion, o, &r, &e))
        fail_msg("%s", e.text);
    assert_non_null(r.model);
    assert_true(r.reason[0] && json_is_object(r.evidence) && json_is_object(r.metrics));
    /* whatever was trained can be stored and read back */
    size_t len;
    char *doc = model_document(r.model, &len);
    struct model *back = model_parse(doc, len, &e);
    if (!back)
        fail_msg("%s", e.text);
    model_free(back);
    free(doc);
    const char *key;
    json_t *v;
    json_object_foreach(r.metrics, key, v) assert_true(json_is_real(v));
    json_object_foreach(r.parameters, key, v) assert_true(json_is_string(v));
    return r;
}

static double metric(const struct train_result *r, const char *name)
{
    json_t *v = json_object_get(r->metrics, name);
    return json_is_real(v) ? json_real_value(v) : NAN;
}

static const char *candidate(const struct train_result *r)
{
    return json_string_value(json_object_get(r->parameters, "candidate"));
}

static void refuses(const struct hours *h, const struct train_opts *o, const char *text,
                    const char *slug)
{
    struct train_result r;
    struct err e = ERR_INIT;
    assert_int_equal(train_series(h, NULL, o, &r, &e), -1);
    assert_string_equal(e.text, text);
    assert_string_equal(err_slug(&e), slug);
    assert_null(r.model);
    train_result_done(&r);
}

static void too_short(void **state)
{
    (void)state;
    struct hours h = series(23, 20, 2, 0, 0.1, 0.5, 1);
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

static void wrong_options(void **state)
{
    (void)state;
    struct hours h = series(48, 20, 2, 0, 0.1, 0.5, 1);
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

/* From the first day on there is a champion, whatever the length. */
static void every_length(void **state)
{
    (void)state;
    struct hours h = series(700, 20, 3, 2, 0.2, 0.8, 2);
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
        struct hours h = series(1008, 20.8, 0.1, 0, 0.02, 0.5, seed);
        for (size_t i = 0; i < h.n; i++)
            h.y[i] = round(h.y[i] * 10) / 10;
        struct train_result r = trained(&h, NULL, &opts);
        for (size_t i = 1; i < r.model->n_quantiles; i++)
            assert_true(r.model->quantiles[i] >= r.model->quantiles[i - 1]);
        train_result_done(&r);
        hours_done(&h);
    }
}

static void learns_day_and_week(void **state)
{
    (void)state;
    struct hours h = series(1344 + 48, 50, 5, 8, 0.5, 0.7, 3);
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
    struct hours h = series(900, 50, 5, 8, 0.5, 0.7, 4);
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

static void constant(void **state)
{
    (void)state;
    struct hours h = series(700, 21.5, 0, 0, 0, 0, 5);
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
static void nothing_to_learn(void **state)
{
    (void)state;
    double chosen = 0, persistence = 0;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct hours h = series(24 * 22, 0, 0, 0, 1, 1, seed);
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
    struct hours h = series(1000, 0, 0, 0, 1, 0.9, 21);
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
    struct hours h = series(66, 20, 3, 0, 0.3, 0.7, 15);
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
    struct hours h = series(1000, 50, 5, 8, 0.5, 0.7, 7);
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
        struct hours h = series(600, 50, 5, 8, 0.5, 0.7, 8);
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
    struct hours h = series(600, 20, 1, 0, 0.1, 0.5, 9);
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

static void against_a_champion(void **state)
{
    (void)state;
    struct hours h = series(1344, 50, 5, 8, 0.5, 0.7, 10);
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

/* On day 40 the room is used otherwise. Two days later a training begins from there, and
 * the next one, with the champion made after the change, does so too. */
static void change(void **state)
{
    (void)state;
    struct hours h = series(1344, 20, 3, 0, 0.3, 0.7, 12);
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

/* On random walks a champion that says "as a week ago" goes; where the challenger does no
 * better than luck, the simplest thing takes its place. */
static void baseline_takes_over(void **state)
{
    (void)state;
    int simple = 0;
    for (unsigned seed = 21; seed < 31; seed++) {
        struct hours h = series(24 * 30, 0, 0, 0, 1, 1, seed);
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

static void preset(void **state)
{
    (void)state;
    struct train_opts o = opts;
    o.preset = "system0";
    struct hours h = series(1000, 20, 0, 0, 1, 0.5, 13);
    struct train_result r = trained(&h, NULL, &o);
    assert_string_equal(r.model->training.preset, "system0");
    assert_near(metric(&r, "hours"), 168, 0);
    assert_near(metric(&r, "rows"), 131, 0); /* 164 less a fifth, rounded up */
    assert_string_equal(candidate(&r), "system0");
    assert_int_equal(r.model->features.n_lags, 4);
    assert_int_equal(r.model->features.lags[0], 4);
    train_result_done(&r);
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
    struct hours h = series(600, 20, 3, 0, 0.3, 0.7, 14);
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
    struct hours h = series(600, 20, 3, 2, 0.3, 0.7, 15);
    struct train_result r = trained(&h, NULL, &o);
    assert_int_equal(r.model->n_leads, 1);
    assert_true(r.model->training.seed == INT64_MAX);
    train_result_done(&r);
    hours_done(&h);
}

static void window(void **state)
{
    (void)state;
    struct hours h = series(2000, 20, 3, 2, 0.3, 0.7, 16);
    h.y[1999] = INFINITY;
    struct train_result r = trained(&h, NULL, &opts);
    assert_int_equal(r.model->training.rows, TRAIN_WINDOW_HOURS);
    train_window(&h, NULL);
    assert_int_equal(h.n, TRAIN_WINDOW_HOURS);
    assert_int_equal(h.start_s, T0 + (1999 - TRAIN_WINDOW_HOURS) * 3600);
    char sha[SHA256_HEX_SIZE];
    hours_sha256(&h, sha);
    assert_string_equal(r.model->training.sha256, sha);
    train_window(&h, "system0");
    assert_int_equal(h.n, 168);
    train_result_done(&r);
    hours_done(&h);
}

/* What is told of the regression on the last hours, whatever serves. */
static void diagnostics(void **state)
{
    (void)state;
    struct hours h = series(900, 50, 5, 8, 0.5, 0.7, 18);
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
    struct hours h = series(1344, 50, 5, 8, 0.5, 0.7, 17);
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
        cmocka_unit_test(too_short),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(every_length),
        cmocka_unit_test(tenths),
        cmocka_unit_test(learns_day_and_week),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(constant),
        cmocka_unit_test(nothing_to_learn),
        cmocka_unit_test(showers),
        cmocka_unit_test(band_of_few_hours),
        cmocka_unit_test(holes),
        cmocka_unit_test(absurd),
        cmocka_unit_test(against_a_champion),
        cmocka_unit_test(change),
        cmocka_unit_test(baseline_takes_over),
        cmocka_unit_test(preset),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(other_options),
        cmocka_unit_test(window),
        cmocka_unit_test(diagnostics),
        cmocka_unit_test(quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
