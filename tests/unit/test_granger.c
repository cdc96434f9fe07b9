/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <gsl/gsl_randist.h>

#include "common/ml/granger.h"
#include "tests/unit/diagnostics_sample.h"

static const int first_hours[] = {1, 2, 3};

/* tsa.stattools.grangercausalitytests(np.column_stack([living, kitchen]), [p]): its
 * ssr_ftest, and of the two regressions rsquared and 1 - sqrt of the ratio of mse_resid;
 * and with the columns the other way round. */
static void like_statsmodels(void **state)
{
    (void)state;
    struct granger g;
    struct err e = ERR_INIT;
    assert_ok(
        granger(living, kitchen, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e),
        e);
    assert_int_equal(g.rows, 119);
    assert_int_equal(g.added, 1);
    assert_int_equal(g.df, 116);
    assert_like(g.f, 80.648724642695939);
    assert_like(g.p, 5.7763750239608749e-15);
    assert_like(g.r2_own, 0.81865925550707752);
    assert_like(g.r2_both, 0.89302993752235194);
    assert_like(g.gain, 0.22865731760592245);
    assert_ok(
        granger(living, kitchen, ROOM_HOURS, first_hours, 3, first_hours, 3, 0, &g, &e),
        e);
    assert_int_equal(g.added, 3);
    assert_int_equal(g.df, 110);
    assert_like(g.f, 42.467820642131244);
    assert_like(g.p, 2.6214845840386385e-18);
    assert_like(g.gain, 0.31008482450604724);
    assert_ok(
        granger(kitchen, living, ROOM_HOURS, first_hours, 3, first_hours, 3, 0, &g, &e),
        e);
    assert_like(g.f, 5.0405043459902643);
    assert_like(g.p, 0.0026057576155129607);
}

/* living[30], living[77], kitchen[50], kitchen[51] missing; own lags 1, 2, 24, the
 * kitchen's 1, 2: sm.OLS on the rows that pandas' dropna leaves of the shifted columns,
 * m.compare_f_test(m_own) */
static void holes(void **state)
{
    (void)state;
    static const int own[] = {1, 2, 24};
    double a[ROOM_HOURS], b[ROOM_HOURS];
    struct granger g;
    struct err e = ERR_INIT;
    memcpy(a, living, sizeof a);
    memcpy(b, kitchen, sizeof b);
    a[30] = a[77] = b[50] = b[51] = NAN;
    assert_ok(granger(a, b, ROOM_HOURS, own, 3, first_hours, 2, 0, &g, &e), e);
    assert_int_equal(g.rows, 85);
    assert_int_equal(g.added, 2);
    assert_int_equal(g.df, 79);
    assert_like(g.f, 33.123282278957582);
    assert_like(g.p, 3.5734546824804132e-11);
    assert_like(g.r2_own, 0.84474302136333357);
    assert_like(g.r2_both, 0.91555530865994417);
    assert_like(g.gain, 0.25322533633814637);
}

/* b is what a will be: all that was left is explained. */
static void exact(void **state)
{
    (void)state;
    double b[ROOM_HOURS];
    struct granger g;
    struct err e = ERR_INIT;
    for (int i = 0; i < ROOM_HOURS; i++)
        b[i] = i + 1 < ROOM_HOURS ? 3 + 2 * living[i + 1] : NAN;
    assert_ok(granger(living, b, ROOM_HOURS, first_hours, 2, first_hours, 1, 0, &g, &e),
              e);
    assert_true(isinf(g.f) && g.p == 0 && g.r2_both == 1 && g.gain == 1);
    assert_true(g.r2_own > 0.8 && g.r2_own < 1);
}

/* Of unrelated series, 5 % are found to help at p < 0.05, and the gain is none. */
static void strangers(void **state)
{
    (void)state;
    enum { N = 336, PAIRS = 300 };
    double a[N], b[N], gain = 0;
    int wrong = 0;
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, 5);
    for (int i = 0; i < PAIRS; i++) {
        struct granger g;
        struct err e = ERR_INIT;
        a[0] = b[0] = 0;
        for (int t = 1; t < N; t++) {
            a[t] = 0.9 * a[t - 1] + gsl_ran_gaussian(r, 1);
            b[t] = 0.9 * b[t - 1] + gsl_ran_gaussian(r, 1);
        }
        assert_ok(granger(a, b, N, first_hours, 3, first_hours, 3, 0, &g, &e), e);
        wrong += g.p < 0.05;
        gain += g.gain / PAIRS;
    }
    gsl_rng_free(r);
    if (wrong < 0.01 * PAIRS || wrong > 0.1 * PAIRS)
        fail_msg("%d of %d unrelated pairs found related", wrong, PAIRS);
    assert_near(gain, 0, 0.001);
}

static void refusals(void **state)
{
    (void)state;
    static const int zero[] = {1, 0};
    static const int late[] = {118};
    double b[ROOM_HOURS];
    int many[128];
    struct granger g;
    struct err e = ERR_INIT;
    for (int i = 0; i < 128; i++)
        many[i] = i + 1;
    assert_failed(
        granger(living, kitchen, 9, first_hours, 0, first_hours, 1, 0, &g, &e), e,
        ERR_INVALID,
        "0 own lags and 1 of the other series: at least 1 of each is needed, at "
        "most 128 together");
    assert_failed(granger(living, kitchen, 9, many, 128, first_hours, 1, 0, &g, &e), e,
                  ERR_INVALID,
                  "128 own lags and 1 of the other series: at least 1 of each is needed, "
                  "at most 128 together");
    assert_failed(granger(living, kitchen, 9, zero, 2, first_hours, 1, 0, &g, &e), e,
                  ERR_INVALID,
                  "lag 0 of the first series is not in the past: lags begin at 1");
    assert_failed(granger(living, kitchen, 9, first_hours, 1, zero, 2, 0, &g, &e), e,
                  ERR_INVALID,
                  "lag 0 of the other series is not in the past: lags begin at 1");
    assert_failed(granger(living, kitchen, 9, first_hours, 3, first_hours, 3, 0, &g, &e),
                  e, ERR_CONFLICT,
                  "6 hours have all of 6 lags in both series: 8 are needed");
    assert_failed(
        granger(living, kitchen, ROOM_HOURS, late, 1, first_hours, 1, 0, &g, &e), e,
        ERR_CONFLICT, "2 hours have all of 2 lags in both series: 4 are needed");
    assert_failed(granger(NULL, NULL, 0, first_hours, 1, first_hours, 1, 0, &g, &e), e,
                  ERR_CONFLICT,
                  "0 hours have all of 2 lags in both series: 4 are needed");

    for (int i = 0; i < ROOM_HOURS; i++)
        b[i] = 21.3;
    const char *nothing = "the other series is constant, or says nothing that the first "
                          "one's own past does not";
    assert_failed(
        granger(living, b, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e), e,
        ERR_CONFLICT, nothing);
    assert_failed(
        granger(living, living, ROOM_HOURS, first_hours, 3, first_hours, 3, 0, &g, &e), e,
        ERR_CONFLICT, nothing);
    assert_failed(
        granger(b, living, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e), e,
        ERR_CONFLICT,
        "the series to be predicted is constant (21.3): there is nothing to "
        "explain");
    for (int i = 0; i < ROOM_HOURS; i++)
        b[i] = i;
    assert_failed(
        granger(b, living, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e), e,
        ERR_CONFLICT, "the series is exact by its own past: nothing can be added");
    b[5] = INFINITY;
    assert_failed(
        granger(b, living, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e), e,
        ERR_INVALID,
        "hour 5 of the first series is inf: numbers up to 1e+100 can be used");
    assert_failed(
        granger(living, b, ROOM_HOURS, first_hours, 1, first_hours, 1, 0, &g, &e), e,
        ERR_INVALID,
        "hour 5 of the other series is inf: numbers up to 1e+100 can be used");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_statsmodels),
        cmocka_unit_test(holes),
        cmocka_unit_test(exact),
        cmocka_unit_test(strangers),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
