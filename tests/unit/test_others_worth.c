/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At which of its hours another says most, what that is worth, and that neither looks at
 * the hours that judge. */
#include "tests/unit/follower.h"

#include "common/ml/others_choose.h"
#include "tests/unit/near.h"

#define N 1000

static double worth(const struct hours *a, const struct hours *b, int *lag)
{
    struct others_target target;
    others_target_init(&target, a);
    *lag = others_lag(&target, b);
    double w = others_worth(&target, b, *lag);
    others_target_done(&target);
    return w;
}

static void lag_is_found(void **state)
{
    (void)state;
    static const int lags[] = {1, 2, 6, 17, 24};
    for (size_t i = 0; i < N_OF(lags); i++)
        for (unsigned seed = 0; seed < 5; seed++) {
            struct hours a, b;
            int lag;
            follower(&a, &b, N, lags[i], seed);
            for (size_t t = seed * 7 + 30; t < N; t += 150) /* holes */
                b.y[t] = NAN;
            assert_true(worth(&a, &b, &lag) > OTHERS_WORTH);
            assert_int_equal(lag, lags[i]);
            hours_done(&a);
            hours_done(&b);
        }
}

/* The best of 24 lags is not taken for something: two weeks, as few as there may be, and
 * six. */
static void nothing_is_found(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct hours a, b;
        int lag;
        follower(&a, &b, seed % 2 ? N : 336, 0, 100 + seed);
        assert_true(worth(&a, &b, &lag) < OTHERS_WORTH);
        assert_true(lag >= 1 && lag <= OTHERS_LAG_MAX);
        hours_done(&a);
        hours_done(&b);
    }
}

/* What says the same as the series itself says nothing at its own lags either. */
static void a_twin(void **state)
{
    (void)state;
    struct hours a, b;
    int lag;
    follower(&a, &b, N, 0, 1);
    for (size_t t = 0; t < N; t++) {
        a.y[t] += t >= 25 ? 0.5 * (a.y[t - 25] - 20) : 0;
        b.y[t] = 3 * a.y[t] + 7;
    }
    assert_true(worth(&a, &b, &lag) < 0.01);
    hours_done(&a);
    hours_done(&b);
}

static void cannot_be_told(void **state)
{
    (void)state;
    struct hours a, b;
    int lag;
    follower(&a, &b, N, 6, 1);
    for (size_t t = 0; t < N; t++)
        b.y[t] = 4;
    assert_near(worth(&a, &b, &lag), 0, 0);
    assert_int_equal(lag, 1);
    assert_near(worth(&b, &a, &lag), 0, 0);
    const struct hours few = hours_part(&a, 0, 3), none = hours_part(&a, 0, 0);
    assert_near(worth(&few, &b, &lag), 0, 0);
    assert_near(worth(&none, &b, &lag), 0, 0);
    assert_int_equal(lag, 1);
    hours_done(&a);
    hours_done(&b);
}

static double told(const json_t *j, const char *what)
{
    const json_t *c = json_array_get(json_object_get(j, "considered"), 0);
    return json_number_value(json_object_get(c, what));
}

/* Whatever the week that the gate looks at says: the choice is the same, and that before
 * it counts. */
static void the_last_week_does_not_choose(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o, again;
    follower(&a, &b, N, 6, 3);
    struct others_asked in = {
        .series = "d.a", .hours = &a, .n = 1, .name = {"d.b"}, .other = {&b}};
    json_t *before = others_choose(&in, &o);
    assert_near(told(before, "lag"), 6, 0);
    assert_int_equal(o.n, 1);
    assert_int_equal(o.of[0].lag, 6);
    for (size_t t = N - hours_holdout(N); t < N; t++) {
        a.y[t] = follower_noise(t, 9);
        b.y[t] = 1000 * follower_noise(t + 3, 9);
    }
    json_t *after = others_choose(&in, &again);
    assert_near(told(after, "worth"), told(before, "worth"), 0);
    assert_near(told(after, "lag"), 6, 0);
    others_lags(&again, &a);
    assert_int_equal(again.of[0].lag, 6);
    b.y[N - hours_holdout(N) - 1] = 1000; /* but the hour before it counts */
    others_done(&again);
    json_decref(after);
    after = others_choose(&in, &again);
    assert_true(told(after, "worth") < told(before, "worth"));
    json_decref(before);
    json_decref(after);
    others_done(&o);
    others_done(&again);
    hours_done(&a);
    hours_done(&b);
}

/* The training, which has the series from its first to its last value, finds the lag that
 * was told; of others that begin before and end after it, too. */
static void lags_are_those_that_were_told(void **state)
{
    (void)state;
    struct hours a, b;
    struct others o;
    follower(&a, &b, N, 11, 5);
    for (size_t t = 0; t < 50; t++)
        a.y[t] = a.y[N - 1 - t] = NAN;
    struct others_asked in = {
        .series = "d.a", .hours = &a, .n = 1, .name = {"d.b"}, .other = {&b}};
    json_t *j = others_choose(&in, &o);
    int lag = o.of[0].lag;
    assert_int_equal(lag, 11);
    const struct hours trimmed = hours_part(&a, 50, N - 100);
    o.of[0].lag = 1;
    others_lags(&o, &trimmed);
    assert_int_equal(o.of[0].lag, lag);
    struct others_target target;
    others_target_init(&target, &trimmed);
    const struct hours other = hours_part(&b, 50, N - 100);
    assert_near(told(j, "worth"), others_worth(&target, &other, lag), 0);
    others_target_done(&target);
    json_decref(j);
    others_done(&o);
    hours_done(&a);
    hours_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_is_found),
        cmocka_unit_test(nothing_is_found),
        cmocka_unit_test(a_twin),
        cmocka_unit_test(cannot_be_told),
        cmocka_unit_test(the_last_week_does_not_choose),
        cmocka_unit_test(lags_are_those_that_were_told),
    };
    return cmocka_run_group_tests_name("others_worth", tests, NULL, NULL);
}
