/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Naive2: by hand, and the figures of statsmodels 0.15 (acf, seasonal_decompose). */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/ml/naive2.h"
#include "tests/unit/near.h"

#define N 100
#define NEAR 1e-12

static double daily(int i, double level)
{
    return level + 0.05 * i + 5 * sin(2 * M_PI * i / 24) + (i * 7919 % 101) / 50.0;
}

/* 1 3 1 3 …: the moving average is 2, the factors 1/2 and 3/2 (or the terms -1 and 1). */
static void by_hand(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double y[20], f[3];
    for (int i = 0; i < 20; i++)
        y[i] = i % 2 ? 3 : 1;
    assert_true(naive2_seasonal(y, 20, 2));
    assert_ok(naive2_forecast(y, 20, 2, 3, f, &e), e);
    assert_true(f[0] == 1 && f[1] == 3 && f[2] == 1);
    assert_ok(naive2_forecast(y, 19, 2, 3, f, &e), e);
    assert_true(f[0] == 3 && f[1] == 1 && f[2] == 3);
    y[19] = 4.5; /* the last value's level, 4.5 / (3/2) and about */
    assert_ok(naive2_forecast(y, 20, 2, 2, f, &e), e);
    assert_near(f[1], 4.5, 1e-12);
    for (int i = 0; i < 20; i++)
        y[i] -= 2; /* -1 1 …: additive */
    assert_ok(naive2_forecast(y, 19, 2, 3, f, &e), e);
    assert_near(f[0], 1, 1e-12);
    assert_near(f[1], -1, 1e-12);
    /* r_1 = -5/6, r_2 = 4/6: below 1.645 √((1 + 2 · 25/36) / 6) = 1.04 */
    assert_false(naive2_seasonal(y, 6, 2));
}

static void oracle(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t n, m;
        double level, want[5]; /* at hours 1, 6, 24, 25, 30 */
    } cases[] = {
        {"multiplicative",
         N,
         24,
         20,
         {29.094711508066645, 28.283444334097638, 28.865533905932736, 29.094711508066645,
          28.283444334097638}},
        {"additive",
         N,
         24,
         0,
         {9.127071463366633, 8.388589461488296, 8.865533905932736, 9.127071463366633,
          8.388589461488296}},
        {"too short", 71, 24, 20, {21.84, 21.84, 21.84, 21.84, 21.84}},
        {"an odd season",
         N,
         7,
         10,
         {22.246409411960524, 19.537865140102607, 24.924846120604382, 26.256610478953696,
          23.577369942434412}},
    };
    static const int at[] = {0, 5, 23, 24, 29};
    for (size_t c = 0; c < N_OF(cases); c++) {
        struct err e = ERR_INIT;
        double y[N], f[30];
        for (int i = 0; i < N; i++)
            y[i] = cases[c].m == 7 ? 10 + i * 0.1 + i % 7 : daily(i, cases[c].level);
        assert_ok(naive2_forecast(y, cases[c].n, cases[c].m, 30, f, &e), e);
        for (size_t k = 0; k < 5; k++)
            assert_near(f[at[k]], cases[c].want[k], NEAR * 100);
    }
}

/* No season: persistence. */
static void flat(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double y[N], f[2], constant[N];
    for (int i = 0; i < N; i++) {
        y[i] = (i * 7919 % 101) / 50.0 + 1;
        constant[i] = 7;
    }
    assert_false(naive2_seasonal(y, N, 24));
    assert_ok(naive2_forecast(y, N, 24, 2, f, &e), e);
    assert_true(f[0] == y[N - 1] && f[1] == y[N - 1]);
    assert_false(naive2_seasonal(constant, N, 24));
    assert_ok(naive2_forecast(constant, N, 24, 2, f, &e), e);
    assert_true(f[1] == 7);
    assert_false(naive2_seasonal(y, N, 1));
    assert_false(naive2_seasonal(y, N, NAIVE2_SEASON_MAX + 1));
}

/* Hours that are missing change little, and a phase that is never there is not made up.
 */
static void gaps(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    double y[240], whole[24], f[24];
    for (int i = 0; i < 240; i++)
        y[i] = daily(i, 20);
    assert_ok(naive2_forecast(y, 240, 24, 24, whole, &e), e);
    y[30] = y[31] = y[100] = NAN;
    assert_ok(naive2_forecast(y, 240, 24, 24, f, &e), e);
    for (int k = 0; k < 24; k++)
        assert_near(f[k], whole[k], 0.7);
    for (int i = 5; i < 240; i += 24)
        y[i] = NAN;
    assert_ok(naive2_forecast(y, 240, 24, 24, f, &e), e);
    for (int k = 0; k < 24; k++)
        assert_true(f[k] == y[239]);
    y[239] = NAN;
    assert_failed(naive2_forecast(y, 240, 24, 24, f, &e), e, ERR_CONFLICT,
                  "the newest hour is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(oracle),
        cmocka_unit_test(flat),
        cmocka_unit_test(gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
