/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <string.h>

#include "common/ml/gate.h"
#include "tests/unit/near.h"

#define N 120

static double challenger[N], champion[N], persistence[N], seasonal[N];

static struct gate_in input(void)
{
    for (int i = 0; i < N; i++) {
        challenger[i] = 1;
        champion[i] = 1;
        persistence[i] = 2;
        seasonal[i] = 3;
    }
    return (struct gate_in){
        .challenger = challenger,
        .champion = champion,
        .persistence = persistence,
        .seasonal_naive = seasonal,
        .n = N,
        .block = 24,
        .margin = 0.01,
        .confidence = 0.95,
        .draws = 2000,
        .seed = 42,
    };
}

static json_t *ask(const struct gate_in *in, bool pass, const char *reason)
{
    struct gate_out out;
    gate(in, &out);
    if (out.pass != pass || strncmp(out.reason, reason, strlen(reason)))
        fail_msg("%s: %s", out.pass ? "passed" : "shut", out.reason);
    assert_non_null(out.evidence);
    return out.evidence;
}

static double real(const json_t *o, const char *a, const char *b)
{
    o = json_object_get(o, a);
    o = b ? json_object_get(o, b) : o;
    return json_is_number(o) ? json_number_value(o) : NAN;
}

static void first_model(void **state)
{
    (void)state;
    struct gate_in in = input();
    in.champion = NULL;
    json_decref(ask(&in, true, "there is no champion yet and the baselines are beaten"));
    for (int i = 0; i < N; i++)
        challenger[i] = 2.5;
    json_decref(
        ask(&in, false, "does not beat persistence: mean absolute error 2.5 against 2"));
    for (int i = 0; i < N; i++)
        challenger[i] = 2, persistence[i] = 4, seasonal[i] = 2;
    json_decref(ask(&in, false, "does not beat the seasonal naive forecast"));
    in.challenger_is_baseline = true; /* it is the seasonal naive forecast itself */
    json_decref(ask(&in, true, "there is no champion yet and no baseline is better"));
}

static void same_as_champion(void **state)
{
    (void)state;
    struct gate_in in = input();
    json_t *j =
        ask(&in, false, "gain over the champion is 0.00 %: neither significant nor");
    assert_near(real(j, "gain", NULL), 0, 0);
    assert_near(real(j, "difference", "lower"), 0, 0);
    json_decref(j);
}

static void margin(void **state)
{
    (void)state;
    struct gate_in in = input();
    /* gains and losses in turn, by days: not significant, but 2 % in the mean */
    for (int i = 0; i < N; i++)
        champion[i] = 1.02 + (i / 24 % 2 ? 0.6 : -0.4);
    json_t *j =
        ask(&in, true, "better than the champion by 1.96 %, more than the margin of 1 %");
    assert_true(real(j, "difference", "lower") < 0 && real(j, "difference", "upper") > 0);
    assert_true(json_is_false(json_object_get(j, "significant")));
    json_decref(j);
    in.margin = 0.05;
    json_decref(ask(&in, false, "gain over the champion is 1.96 %"));
}

static void significance(void **state)
{
    (void)state;
    struct gate_in in = input();
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, 3);
    for (int i = 0; i < N; i++)
        champion[i] = 1.05 + gsl_ran_gaussian(g, 0.02);
    gsl_rng_free(g);
    in.margin = 0.5;
    json_t *j = ask(&in, true, "significantly better than the champion: error lower by");
    double lower = real(j, "difference", "lower"), upper = real(j, "difference", "upper");
    assert_true(lower > 0.04 && upper < 0.06 && lower < upper);
    assert_near(real(j, "origins", NULL), N, 0);
    json_decref(j);
    /* better than the champion is not enough */
    for (int i = 0; i < N; i++)
        persistence[i] = 0.9;
    json_decref(ask(&in, false, "does not beat persistence"));
}

/* Better at every origin by next to nothing: surely, and not worth a change. And where no
 * margin is given only what is significant counts. */
static void next_to_nothing(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        champion[i] = 1.0005;
    json_t *j = ask(&in, false, "gain over the champion is 0.05 %: neither significant");
    assert_true(real(j, "difference", "lower") > 0);
    json_decref(j);
    for (int i = 0; i < N; i++)
        champion[i] = 1.002;
    json_decref(ask(&in, true, "significantly better than the champion"));
    for (int i = 0; i < N; i++)
        champion[i] = 1.2 + (i / 24 % 2 ? 1.8 : -1.2);
    in.margin = INFINITY;
    in.least = 0.1;
    j = ask(&in, false, "gain over the champion is 16.67 %: not significant");
    assert_true(json_is_null(json_object_get(j, "margin")));
    assert_near(real(j, "least", NULL), 0.1, 0);
    json_decref(j);
}

/* Two blocks at least; below, ten times the margin. */
static void few_origins(void **state)
{
    (void)state;
    struct gate_in in = input();
    in.n = 40;
    for (int i = 0; i < N; i++)
        champion[i] = 1.05;
    json_t *j = ask(&in, false, "gain over the champion is 4.76 %");
    assert_true(isnan(real(j, "difference", "lower")));
    json_decref(j);
    for (int i = 0; i < N; i++)
        champion[i] = 1.2;
    json_decref(ask(&in, true,
                    "better than the champion by 16.67 %, more than the margin of 10 %"));
    in.n = 0;
    json_decref(ask(&in, false, "the challenger could not be scored"));
}

static void missing(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        champion[i] = 2, challenger[i] = i < 60 ? 1 : 1.5;
    persistence[0] = NAN;
    seasonal[119] = NAN;
    json_t *j = ask(&in, true, "significantly better");
    assert_near(real(j, "origins", NULL), 118, 0);
    assert_near(real(j, "left_out", NULL), 2, 0);
    assert_near(real(j, "mae", "challenger"), 1.25, 1e-12);
    json_decref(j);
    for (int i = 0; i < N; i++) /* a baseline that could forecast nowhere takes no part */
        seasonal[i] = NAN;
    j = ask(&in, true, "significantly better");
    assert_near(real(j, "origins", NULL), 119, 0);
    assert_true(isnan(real(j, "mae", "seasonal_naive")));
    json_decref(j);
    for (int i = 0; i < N; i++) /* nor does a champion that has become unable */
        champion[i] = NAN;
    json_decref(ask(&in, true, "the champion cannot forecast this series any more"));
    for (int i = 0; i < N; i++)
        challenger[i] = NAN;
    json_decref(ask(&in, false, "the challenger could not be scored"));
}

/* A gain that is neither significant nor large is enough against a baseline, for a model.
 */
static void baseline_champion(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        champion[i] = challenger[i] * (1.005 + 0.4 * sin(0.1 * i));
    for (int i = 0; i < N; i++)
        persistence[i] = seasonal[i] = 10;
    in.margin = 0.5;
    json_decref(ask(&in, false, "gain over the champion is 1.10 %: neither"));
    in.champion_is_baseline = true;
    json_decref(
        ask(&in, true, "better by 1.10 % than the champion, which is a baseline"));
    in.challenger_is_baseline = true; /* from one to another it takes more */
    json_decref(ask(&in, false, "gain over the champion is 1.10 %: neither"));
    in.challenger_is_baseline = false;
    for (int i = 0; i < N; i++)
        champion[i] = challenger[i];
    json_decref(ask(&in, false, "gain over the champion is 0.00 %"));
}

static void perfect(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        challenger[i] = champion[i] = persistence[i] = seasonal[i] = 0;
    in.challenger_is_baseline = true;
    json_decref(ask(&in, false, "gain over the champion is 0.00 %"));
    for (int i = 0; i < N; i++)
        champion[i] = 1;
    json_decref(ask(&in, true, "significantly better"));
}

static void repeats(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        champion[i] = 1 + 0.3 * sin(i);
    json_t *a = ask(&in, false, ""), *b = ask(&in, false, "");
    assert_true(json_equal(a, b));
    json_decref(b);
    in.seed++;
    b = ask(&in, false, "");
    assert_true(real(a, "difference", "lower") != real(b, "difference", "lower"));
    json_decref(a);
    json_decref(b);
}

/* Of two that forecast alike the one that will know the newest hours serves. */
static void older_champion(void **state)
{
    (void)state;
    struct gate_in in = input();
    for (int i = 0; i < N; i++)
        challenger[i] = 1.008 + (i % 2 ? 0.3 : -0.3);
    json_decref(ask(&in, false, "gain over the champion is -0.80 %"));
    in.champion_is_older = true;
    json_decref(ask(&in, true, "worse by 0.80 % than the champion"));
    for (int i = 0; i < N; i++)
        challenger[i] += 0.004;
    json_decref(ask(&in, false,
                    "worse by 1.20 % than the champion, which was not fitted to "
                    "these hours: not less than the 1 % that it may be"));
    in.n = 40; /* no interval: a young series, and far less history in the champion */
    for (int i = 0; i < N; i++)
        challenger[i] = 1.09;
    json_decref(ask(&in, true,
                    "worse by 9.00 % than the champion, which was not fitted to "
                    "these hours: less than the 10 % that it may be"));
    for (int i = 0; i < N; i++)
        challenger[i] = 1.11;
    json_decref(
        ask(&in, false, "worse by 11.00 % than the champion, which was not fitted to "));
    in.champion_is_older = false;
    for (int i = 0; i < N; i++)
        challenger[i] = 0.91;
    json_decref(ask(&in, false, "gain over the champion is 9.00 %"));
    in.champion_is_older = true;
    json_decref(ask(&in, true, "better by 9.00 % than the champion, which was not"));
    for (int i = 0; i < N; i++)
        challenger[i] = 1.01;
    in.margin = INFINITY; /* none will do */
    json_decref(ask(&in, false, "gain over the champion is -1.00 %: not significant"));
    in.margin = 0.01;
    for (int i = 0; i < N; i++)
        champion[i] = 0;
    json_decref(
        ask(&in, false, "the champion made no error, the challenger one of 1.01"));
    for (int i = 0; i < N; i++)
        champion[i] = 1;
    for (int i = 0; i < N; i++)
        challenger[i] = 1;
    in.n = N;
    for (int i = 0; i < N; i++)
        persistence[i] = 0.9; /* the baselines are to be beaten all the same */
    json_decref(ask(&in, false, "does not beat persistence"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_champion),    cmocka_unit_test(first_model),
        cmocka_unit_test(same_as_champion),  cmocka_unit_test(margin),
        cmocka_unit_test(next_to_nothing),   cmocka_unit_test(significance),
        cmocka_unit_test(few_origins),       cmocka_unit_test(missing),
        cmocka_unit_test(baseline_champion), cmocka_unit_test(perfect),
        cmocka_unit_test(repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
