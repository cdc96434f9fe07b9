/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's checks: figures worked out by hand, windows in time with holes, a frozen
 * reference whose z can fire, and sensors that are silent, stuck, or merely at rest. */
#include "tests/unit/unit.h"

#include <math.h>

#include "services/monitor/checks.h"

#define LAST (WINDOW_HOURS - 1)
#define NEAR 1e-12

static struct window w;
static struct champion champion;
static struct rules rules;

static int fresh(void **state)
{
    (void)state;
    window_init(&w);
    champion = (struct champion){.version = 1, .rows = 100, .lead1_sd = 1};
    rules_default(&rules, "temperature", 6, 4);
    return 0;
}

/* Hour `ago` hours before the newest: truth, forecast with a band of ±1, version. */
static void hour(int ago, double y, double yhat, int version)
{
    w.y[LAST - ago] = y;
    w.yhat[LAST - ago] = yhat;
    w.lower[LAST - ago] = yhat - 1;
    w.upper[LAST - ago] = yhat + 1;
    w.version[LAST - ago] = version;
}

static struct quality newest(int version)
{
    struct quality q;
    checks_quality(&w, LAST, version, &q);
    return q;
}

/* Truth 10, 12, 14, 16; forecasts off by +1, -1, +2, 0. */
static void four_hours(void)
{
    hour(3, 10, 11, 1);
    hour(2, 12, 11, 1);
    hour(1, 14, 16, 1);
    hour(0, 16, 16, 1);
}

static void test_four_hours_by_hand(void **state)
{
    (void)state;
    four_hours();
    struct quality q = newest(0);
    assert_int_equal(q.n, 4);
    assert_int_equal(q.missing, 20);
    assert_int_equal(q.version, 1);
    assert_float_equal(q.mae_4h, 1.0, NEAR);            /* (1 + 1 + 2 + 0) / 4 */
    assert_float_equal(q.rmse_4h, sqrt(6.0 / 4), NEAR); /* 1 + 1 + 4 + 0 */
    assert_float_equal(q.mae_12h, 1.0, NEAR);
    assert_float_equal(q.rmse_12h, sqrt(6.0 / 4), NEAR);
    assert_float_equal(q.bias_12h, 0.5, NEAR);        /* (1 - 1 + 2 + 0) / 4 */
    assert_float_equal(q.r2_12h, 1 - 6.0 / 20, NEAR); /* mean 13: 9 + 1 + 1 + 9 */
    /* 1; 0.2 + 0.8; 0.4 + 0.8; 0 + 0.96 */
    assert_float_equal(q.ewma, 0.96, NEAR);
    assert_float_equal(q.coverage, 0.75, NEAR);
    /* the first hour has none before it; |y(t) - y(t-1)| is 2 each; 1 + 2 + 0 against 6
     */
    assert_int_equal(q.skill_n, 3);
    assert_float_equal(q.skill_24h, 1 - 3.0 / 6, NEAR);
}

static void test_nothing_is_not_zero(void **state)
{
    (void)state;
    struct quality q = newest(0);
    assert_int_equal(q.n, 0);
    assert_int_equal(q.missing, 24);
    assert_int_equal(q.version, 0);
    assert_true(isnan(q.mae_4h) && isnan(q.ewma) && isnan(q.skill_24h) &&
                isnan(q.coverage));
}

/* Four rows with a gap of ten hours: in rows they would all be "the last 4"; in hours
 * only two are. */
static void test_windows_are_hours_not_rows(void **state)
{
    (void)state;
    hour(13, 10, 20, 1);
    hour(12, 10, 20, 1);
    hour(1, 10, 11, 1);
    hour(0, 10, 12, 1);
    struct quality q = newest(0);
    assert_float_equal(q.mae_4h, 1.5, NEAR);
    assert_float_equal(q.mae_12h, 1.5, NEAR); /* hours 0..11 */
    assert_int_equal(q.n, 4);
    assert_int_equal(q.missing, 20);
    hour(11, 10, 20, 1);
    assert_float_equal(newest(0).mae_12h, 13.0 / 3, NEAR);
    hour(24, 10, 1000, 1); /* the hour before the window */
    assert_int_equal(newest(0).n, 5);
}

static void test_a_window_that_ends_earlier(void **state)
{
    (void)state;
    four_hours();
    struct quality q;
    checks_quality(&w, LAST - 1, 0, &q);
    assert_int_equal(q.n, 3);
    assert_float_equal(q.mae_4h, 4.0 / 3, NEAR);
    hour(47, 3, 4, 1);
    hour(24, 3, 6, 1);
    checks_quality(&w, 23, 0, &q); /* the earliest that a window of 48 h can score */
    assert_int_equal(q.n, 2);
    assert_float_equal(q.mae_4h, 3, NEAR);
}

static void test_own_errors_only(void **state)
{
    (void)state;
    hour(3, 10, 30, 1);
    hour(2, 10, 30, 1);
    hour(1, 10, 11, 2);
    hour(0, 10, 11, 2);
    assert_float_equal(newest(0).mae_4h, 10.5, NEAR);
    struct quality q = newest(2);
    assert_float_equal(q.mae_4h, 1, NEAR);
    assert_int_equal(q.n, 2);
    assert_int_equal(q.version, 2);
    assert_int_equal(newest(3).n, 0);
}

static void test_persistence_has_skill_zero(void **state)
{
    (void)state;
    for (int ago = 24; ago >= 0; ago--)
        hour(ago, 10 + (ago * 7) % 5, ago < 24 ? 10 + ((ago + 1) * 7) % 5 : NAN, 1);
    struct quality q = newest(0);
    assert_int_equal(q.skill_n, 24);
    assert_float_equal(q.skill_24h, 0, NEAR);
}

static void test_constant_truth(void **state)
{
    (void)state;
    for (int ago = 0; ago < 20; ago++)
        hour(ago, 5, 5.5, 1);
    struct quality q = newest(0);
    assert_true(isnan(q.skill_24h)); /* persistence is perfect: nothing to compare with */
    assert_float_equal(q.r2_12h, 1 - 12 * 0.25, NEAR); /* the total is taken as 1 */
}

/* ---- verdicts ------------------------------------------------------------ */

static struct verdicts verdicts(int silent_h, int hours, int grown_at)
{
    struct verdicts v;
    struct state_facts f = {&w,       &champion, &rules,  "temperature",
                            silent_h, hours,     grown_at};
    checks_verdicts(&f, &v);
    return v;
}

/* Truth goes up by 1 an hour; the forecast errs by `error`: skill is 1 - error. */
static void ramp(int hours, double error, int version)
{
    for (int ago = hours; ago >= 0; ago--)
        hour(ago, 100 - ago, ago < hours ? 100 - ago + error : NAN, version);
}

static void test_skill_lost_table(void **state)
{
    (void)state;
    static const struct {
        int pairs, version;
        double error, skill_min;
        bool baseline, lost;
    } rows[] = {
        {24, 1, 0.9, 0, false, false},    {24, 1, 1.1, 0, false, true},
        {12, 1, 1.1, 0, false, true},     {11, 1, 1.1, 0, false, false},
        {24, 2, 1.1, 0, false, false}, /* its predecessor's errors */
        {24, 1, 1.1, 0, true, false},  /* a baseline has no skill to lose */
        {24, 1, 1.1, -0.2, false, false}, {24, 1, 0.9, 0.2, false, true},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        fresh(NULL);
        champion.baseline = rows[i].baseline;
        rules.skill_min = rows[i].skill_min;
        ramp(rows[i].pairs, rows[i].error, rows[i].version);
        if (verdicts(0, 0, 0).skill_lost != rows[i].lost)
            fail_msg("row %zu", i);
    }
}

/* Beside persistence's errors of 1 those of the forecast are `high` and `low` in turn. */
static struct verdicts in_turn(double high, double low, double skill_min)
{
    fresh(NULL);
    rules.skill_min = skill_min;
    for (int ago = 24; ago >= 0; ago--)
        hour(ago, 100 - ago, ago < 24 ? 100 - ago + (ago % 2 ? high : low) : NAN, 1);
    return verdicts(0, 0, 0);
}

/* A training is asked for by a mean below zero; people are told of what is beyond chance.
 * Of 24 differences h - 1 and l - 1 the standard error is (h - l) / 2 / sqrt(23). */
static void test_skill_worse(void **state)
{
    (void)state;
    struct verdicts v = in_turn(3, 0, 0);
    assert_float_equal(v.skill_t, 0.5 / (1.5 / sqrt(23)), NEAR);
    assert_true(v.skill_lost && !v.skill_worse);
    v = in_turn(3, 1, 0);
    assert_float_equal(v.skill_t, sqrt(23), NEAR);
    assert_true(v.skill_lost && v.skill_worse);
    v = in_turn(1.2, 0.8, 0.5); /* the user wants half of persistence's error */
    assert_float_equal(v.skill_t, 0.5 / (0.2 / sqrt(23)), NEAR);
    assert_true(v.skill_lost && v.skill_worse);
    v = in_turn(2, 2, 0); /* the same each hour: no spread to compare with */
    assert_true(v.skill_lost && v.skill_worse && isnan(v.skill_t));
    v = in_turn(0.9, 0.5, 0);
    assert_true(!v.skill_lost && !v.skill_worse && v.skill_t < 0);
}

static void test_error_risen(void **state)
{
    (void)state;
    champion.baseline = true; /* this one holds for baselines too */
    ramp(24, 2.9, 1);
    assert_false(verdicts(0, 0, 0).error_risen);
    ramp(24, 3.1, 1);
    assert_true(verdicts(0, 0, 0).error_risen);
    champion.lead1_sd = NAN; /* not known: never */
    assert_false(verdicts(0, 0, 0).error_risen);
    champion.lead1_sd = 1;
    champion.version = 0; /* no champion: nothing to blame */
    assert_false(verdicts(0, 0, 0).error_risen);
    fresh(NULL);
    ramp(12, 50, 1); /* half a day says too little */
    assert_false(verdicts(0, 0, 0).error_risen);
    for (int ago = 23; ago >= 12; ago--) /* nor do errors that have ended, */
        hour(ago, 100 - ago, 160 - ago, 1);
    for (int ago = 11; ago >= 0; ago--)
        hour(ago, 100 - ago, 101 - ago, 1);
    assert_float_equal(verdicts(0, 0, 0).mae_12h_before, 60, NEAR);
    assert_false(verdicts(0, 0, 0).error_risen);
    for (int ago = 23; ago >= 0; ago--) /* or those of its predecessor */
        hour(ago, 100 - ago, 160 - ago, ago < 12 ? 1 : 2);
    assert_false(verdicts(0, 0, 0).error_risen);
}

static void test_system0_thresholds(void **state)
{
    (void)state;
    rules.system0 = true;
    for (int ago = 11; ago >= 0; ago--)
        hour(ago, 20, 20.59, 1);
    assert_false(verdicts(0, 0, 0).system0); /* 0.59 */
    for (int ago = 11; ago >= 0; ago--)
        hour(ago, 20, 20.61, 1);
    assert_true(verdicts(0, 0, 0).system0);
    fresh(NULL);
    rules.system0 = true;
    for (int ago = 11; ago >= 0; ago--) /* mae_12h 0.5, but the last hours are bad */
        hour(ago, 20, ago > 2 ? 20.05 : 21.85, 1);
    struct verdicts v = verdicts(0, 0, 0);
    assert_true(v.own.mae_12h < 0.6 && v.own.ewma > 0.7);
    assert_true(v.system0);
    rules.system0 = false; /* without the preset these thresholds mean nothing */
    assert_false(verdicts(0, 0, 0).system0);
}

static void reference(int n)
{
    champion.n_lags = n;
    for (int i = 0; i < n; i++) {
        champion.lags[i] = (short)(i + 1);
        champion.mean[i] = 20;
        champion.sd[i] = 0.5;
    }
}

/* The reference's own test compares the last 4 of 12 values with all 12: its |z| cannot
 * exceed about 1.36 and never fires. Against the frozen training reference the same jump
 * does. */
static void test_frozen_reference_can_fire(void **state)
{
    (void)state;
    rules.system0 = true;
    reference(4);
    for (int ago = 47; ago >= 0; ago--)
        hour(ago, ago < 6 ? 22 : 20, ago < 6 ? 22 : 20, 1);
    /* lag 1: hours 1..4 ago, all 22: (22 - 20) / 0.5 */
    assert_float_equal(checks_z(&w, 1, 20, 0.5), 4, NEAR);
    /* lag 4: hours 4..7 ago: 22, 22, 20, 20 */
    assert_float_equal(checks_z(&w, 4, 20, 0.5), 2, NEAR);
    struct verdicts v = verdicts(0, 0, 0);
    assert_int_equal(v.drifted, 2); /* lag 3: 22, 22, 22, 20 is exactly 3, not above */
    assert_float_equal(v.z_max, 4, NEAR);
    assert_true(v.own.mae_12h == 0 && v.system0);
    rules.z = 4;
    assert_false(verdicts(0, 0, 0).system0);
}

static void test_one_drifted_feature_is_not_enough(void **state)
{
    (void)state;
    rules.system0 = true;
    reference(1);
    for (int ago = 47; ago >= 0; ago--)
        hour(ago, 25, 25, 1);
    struct verdicts v = verdicts(0, 0, 0);
    assert_int_equal(v.drifted, 1);
    assert_false(v.system0);
}

static void test_z_needs_its_hours(void **state)
{
    (void)state;
    assert_true(isnan(checks_z(&w, 1, 20, 0.5)));
    hour(1, 22, 22, 1);
    assert_true(isnan(checks_z(&w, 1, 20, 0.5))); /* one row */
    hour(3, 22, 22, 1);
    assert_float_equal(checks_z(&w, 1, 20, 0.5), 4, NEAR);
    assert_true(isnan(checks_z(&w, 1, 20, 0)));
    assert_true(isnan(checks_z(&w, 45, 20, 1))); /* beyond the window */
    assert_true(isnan(checks_z(&w, 0, 20, 1)));
}

static void test_history_grown_table(void **state)
{
    (void)state;
    static const struct {
        int rows, hours, grown_at;
        bool grown;
    } table[] = {
        {24, 35, 24, false},     {24, 36, 24, true},        {24, 53, 36, false},
        {24, 54, 36, true},      {25, 36, 25, false},       {25, 37, 25, true},
        {800, 1199, 800, false}, {800, 1200, 800, true},    {1000, 1343, 0, false},
        {1000, 1344, 0, true},   {1000, 1344, 1344, false}, {1344, 5000, 1344, false},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        champion.rows = table[i].rows;
        if (verdicts(0, table[i].hours, table[i].grown_at).history_grown !=
            table[i].grown)
            fail_msg("row %zu", i);
    }
}

static void test_silence(void **state)
{
    (void)state;
    assert_false(verdicts(3, 0, 0).silent);
    assert_true(verdicts(4, 0, 0).silent);
    rules.gap_h = 10;
    assert_false(verdicts(10, 0, 0).silent);
}

/* ---- stuck --------------------------------------------------------------- */

static void moving(int from_ago, int to_ago)
{
    for (int ago = from_ago; ago >= to_ago; ago--)
        hour(ago, 20 + 0.1 * (ago % 7), 20, 1);
}

static void resting(int from_ago, double value)
{
    for (int ago = from_ago; ago >= 0; ago--)
        hour(ago, value, value, 1);
}

static void test_stuck(void **state)
{
    (void)state;
    moving(47, 12);
    resting(11, 25);
    assert_int_equal(checks_run(&w), 12);
    assert_true(checks_stuck(&w, "temperature", 12));
    assert_false(checks_stuck(&w, "temperature", 13));
    assert_false(checks_stuck(&w, "temperature", 0));
    assert_true(verdicts(0, 0, 0).stuck);
    hour(0, 25.1, 25, 1);
    assert_int_equal(checks_run(&w), 1);
    assert_false(checks_stuck(&w, "temperature", 12));
}

static void test_what_never_moved_is_not_stuck(void **state)
{
    (void)state;
    resting(47, 25);
    assert_int_equal(checks_run(&w), 48);
    assert_false(checks_stuck(&w, "temperature", 12));
}

static void test_a_rest_like_the_last_one_is_not_stuck(void **state)
{
    (void)state;
    moving(47, 12);
    for (int ago = 36; ago > 28; ago--)
        hour(ago, 21, 21, 1); /* eight hours at rest the day before */
    resting(11, 25);
    assert_false(checks_stuck(&w, "temperature", 12));
}

static void test_an_end_of_the_scale_is_not_stuck(void **state)
{
    (void)state;
    moving(47, 15);
    resting(14, 0);
    assert_false(checks_stuck(&w, "rain", 12)); /* it is dry */
    assert_true(checks_stuck(&w, "temperature", 12));
    resting(14, 100);
    assert_false(checks_stuck(&w, "humidity", 12)); /* fog */
}

static void test_holes_do_not_end_a_run(void **state)
{
    (void)state;
    moving(47, 15);
    resting(14, 25);
    w.y[LAST - 5] = w.y[LAST - 6] = NAN;
    assert_int_equal(checks_run(&w), 15);
    w.y[LAST] = NAN; /* but a run must reach the newest hour */
    assert_int_equal(checks_run(&w), 0);
}

static void test_miss(void **state)
{
    (void)state;
    static const struct {
        double y, lower, upper;
        int version;
        bool missed;
    } rows[] = {{2, 1, 3, 4, false},   {1, 1, 3, 4, false},   {3, 1, 3, 4, false},
                {0.99, 1, 3, 4, true}, {3.01, 1, 3, 4, true}, {NAN, 1, 3, 0, false},
                {2, NAN, 3, 0, false}, {2, 1, NAN, 0, false}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct miss m = checks_miss(rows[i].y, rows[i].lower, rows[i].upper, 4);
        assert_int_equal(m.version, rows[i].version);
        assert_true(m.missed == rows[i].missed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_four_hours_by_hand, fresh),
        cmocka_unit_test(test_miss),
        cmocka_unit_test_setup(test_nothing_is_not_zero, fresh),
        cmocka_unit_test_setup(test_windows_are_hours_not_rows, fresh),
        cmocka_unit_test_setup(test_a_window_that_ends_earlier, fresh),
        cmocka_unit_test_setup(test_own_errors_only, fresh),
        cmocka_unit_test_setup(test_persistence_has_skill_zero, fresh),
        cmocka_unit_test_setup(test_constant_truth, fresh),
        cmocka_unit_test_setup(test_skill_lost_table, fresh),
        cmocka_unit_test_setup(test_skill_worse, fresh),
        cmocka_unit_test_setup(test_error_risen, fresh),
        cmocka_unit_test_setup(test_system0_thresholds, fresh),
        cmocka_unit_test_setup(test_frozen_reference_can_fire, fresh),
        cmocka_unit_test_setup(test_one_drifted_feature_is_not_enough, fresh),
        cmocka_unit_test_setup(test_z_needs_its_hours, fresh),
        cmocka_unit_test_setup(test_history_grown_table, fresh),
        cmocka_unit_test_setup(test_silence, fresh),
        cmocka_unit_test_setup(test_stuck, fresh),
        cmocka_unit_test_setup(test_what_never_moved_is_not_stuck, fresh),
        cmocka_unit_test_setup(test_a_rest_like_the_last_one_is_not_stuck, fresh),
        cmocka_unit_test_setup(test_an_end_of_the_scale_is_not_stuck, fresh),
        cmocka_unit_test_setup(test_holes_do_not_end_a_run, fresh),
    };
    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
