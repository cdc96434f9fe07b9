/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <gsl/gsl_randist.h>

#include "common/ml/cross_correlation.h"
#include "common/ml/pvalue.h"
#include "tests/unit/diagnostics_sample.h"

static const struct cross_lag *at(const struct cross_correlation *c, int lag)
{
    assert_int_equal(c->at[lag + CROSS_LAGS].lag, lag);
    return &c->at[lag + CROSS_LAGS];
}

static void check(const struct cross_lag *c, const double want[6])
{
    assert_int_equal(c->n, want[0]);
    assert_like(c->n_eff, want[1]);
    assert_like(c->r, want[2]);
    assert_like(c->p, want[3]);
    assert_like(c->lower, want[4]);
    assert_like(c->upper, want[5]);
}

/* pandas 2.2.3: s = pd.DataFrame({"a": living, "b": pd.Series(kitchen).shift(lag)});
 * s = s.dropna(); r = s.a.corr(s.b). n_eff by the header's formula in NumPy, with
 * ra(j) = nanmean(x[:-j] * x[j:]) / nanmean(x * x); p = 2 * t.sf(|t|, n_eff - 2); the
 * interval with norm.ppf(0.975). In turn: n, n_eff, r, p, lower, upper. */
static void like_pandas(void **state)
{
    (void)state;
    static const double lag_48[] = {72,
                                    5.4397454671210284,
                                    0.58883839282010009,
                                    0.25865197184061794,
                                    -0.52187838964651634,
                                    0.95878913144233702};
    static const double lag_1[] = {119,
                                   8.3958426085469142,
                                   0.38242257260551438,
                                   0.33316920353872109,
                                   -0.41436112581500811,
                                   0.84734248149832958};
    static const double lag0[] = {120,
                                  8.4592509752785219,
                                  0.5769791872783816,
                                  0.11922135447115971,
                                  -0.1789736638748804,
                                  0.9045623521864834};
    static const double lag3[] = {117,
                                  8.2690627668798271,
                                  0.92092747402865949,
                                  0.00088578007425153609,
                                  0.62989937336021407,
                                  0.98518602963292368};
    struct cross_correlation c;
    struct err e = ERR_INIT;
    assert_ok(cross_correlation(living, kitchen, ROOM_HOURS, &c, &e), e);
    check(at(&c, -48), lag_48);
    check(at(&c, -1), lag_1);
    check(at(&c, 0), lag0);
    check(at(&c, 3), lag3);
    /* the kitchen leads */
    assert_int_equal(c.at[c.best].lag, 3);
    assert_like(c.best_p, 0.0068749986631981008); /* 1 - (1 - p)^(1 + 96 n_eff / n) */
    /* and is led when the two change places */
    assert_ok(cross_correlation(kitchen, living, ROOM_HOURS, &c, &e), e);
    assert_int_equal(c.at[c.best].lag, -3);
    assert_like(c.at[c.best].r, lag3[2]);
}

/* The same with living[30], living[77], kitchen[50], kitchen[51] missing. */
static void holes(void **state)
{
    (void)state;
    static const double lag_48[] = {69,
                                    5.4394605844518304,
                                    0.57385102285475631,
                                    0.27401429734105476,
                                    -0.53820927143286634,
                                    0.9569274902340793};
    static const double lag3[] = {113,
                                  8.2969813596202435,
                                  0.92054108702834703,
                                  0.00087410958224119469,
                                  0.62972758664724693,
                                  0.98504446569447868};
    double a[ROOM_HOURS], b[ROOM_HOURS];
    struct cross_correlation c;
    struct err e = ERR_INIT;
    memcpy(a, living, sizeof a);
    memcpy(b, kitchen, sizeof b);
    a[30] = a[77] = b[50] = b[51] = NAN;
    assert_ok(cross_correlation(a, b, ROOM_HOURS, &c, &e), e);
    check(at(&c, -48), lag_48);
    check(at(&c, 3), lag3);
}

static void units(void **state)
{
    (void)state;
    double a[ROOM_HOURS], b[ROOM_HOURS];
    struct cross_correlation c, plain;
    struct err e = ERR_INIT;
    for (int i = 0; i < ROOM_HOURS; i++) {
        a[i] = living[i] * 1e98;
        b[i] = -(kitchen[i] - 24) * 1e-250;
    }
    assert_ok(cross_correlation(living, kitchen, ROOM_HOURS, &plain, &e), e);
    assert_ok(cross_correlation(a, b, ROOM_HOURS, &c, &e), e);
    for (int i = 0; i < CROSS_N; i++) {
        assert_near(c.at[i].r, -plain.at[i].r, 1e-10);
        assert_near(c.at[i].p, plain.at[i].p, 1e-9);
    }
}

static void itself(void **state)
{
    (void)state;
    struct cross_correlation c;
    struct err e = ERR_INIT;
    assert_ok(cross_correlation(kitchen, kitchen, ROOM_HOURS, &c, &e), e);
    assert_int_equal(c.at[c.best].lag, 0);
    assert_near(c.at[c.best].r, 1, 1e-14);
    assert_true(c.best_p < 1e-12);
    assert_near(c.at[c.best].lower, 1, 1e-6);
    assert_true(c.at[c.best].upper <= 1);
}

static void own_past(gsl_rng *g, double persist, double cycle, double *y, size_t n)
{
    double r = 0, phase = gsl_rng_uniform(g) * 2 * M_PI;
    for (size_t t = 0; t < n + 200; t++) {
        r = persist * r + gsl_ran_gaussian(g, 1);
        if (t >= 200)
            y[t - 200] = r + cycle * sin(2 * M_PI * (double)t / 24 + phase);
    }
}

/* Two series that know nothing of each other: how often p says otherwise at 5 %, over 200
 * pairs of three weeks, at one lag and at the best of 97; and how often it would if every
 * hour counted. */
static void strangers(double persist, double cycle, double *honest, double *best,
                      double *naive)
{
    enum { N = 504, PAIRS = 200 };
    double a[N], b[N];
    int wrong = 0, wrong_best = 0, wrong_naive = 0;
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, 11);
    for (int i = 0; i < PAIRS; i++) {
        struct cross_correlation c;
        struct err e = ERR_INIT;
        own_past(g, persist, cycle, a, N);
        own_past(g, persist, cycle, b, N);
        if (cycle > 0) {
            cross_without_day(a, N, NULL, 0, a);
            cross_without_day(b, N, NULL, 0, b);
        }
        assert_ok(cross_correlation(a, b, N, &c, &e), e);
        double r = at(&c, 0)->r;
        wrong += at(&c, 0)->p < 0.05;
        wrong_best += c.best_p < 0.05;
        wrong_naive += p_t(r * sqrt((N - 2) / (1 - r * r)), N - 2) < 0.05;
    }
    gsl_rng_free(g);
    *honest = (double)wrong / PAIRS;
    *best = (double)wrong_best / PAIRS;
    *naive = (double)wrong_naive / PAIRS;
}

/* 5 % is promised; of 200 pairs, up to 10 % is within about three standard errors. */
static void false_alarms(void **state)
{
    (void)state;
    static const struct {
        double persist, cycle, naive;
    } cases[] = {{0, 0, 0.02},   {0.8, 0, 0.3},  {0.95, 0, 0.5},
                 {0.99, 0, 0.7}, {0.8, 2, 0.25}, {0.5, 4, 0.05}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        double honest, best, naive;
        strangers(cases[i].persist, cases[i].cycle, &honest, &best, &naive);
        if (honest < 0.01 || honest > 0.1 || best > 0.1 || naive < cases[i].naive)
            fail_msg("case %zu: %g of unrelated pairs found related, %g naively", i,
                     honest, naive);
    }
}

static void without_day(void **state)
{
    (void)state;
    double y[60], out[60];
    for (int i = 0; i < 60; i++)
        y[i] = i % 24 + 100.0 * (i / 24);
    y[25] = NAN;
    cross_without_day(y, 60, NULL, 0, out);
    assert_near(out[0], -100, 1e-12); /* of 0, 100, 200 */
    assert_near(out[24], 0, 1e-12);
    assert_near(out[1], -100, 1e-12); /* of 1, -, 201 */
    assert_true(isnan(out[25]));
    assert_near(out[13], -50, 1e-12); /* of 13, 113 */
    assert_near(out[37], 50, 1e-12);
    cross_without_day(y, 0, NULL, 0, out);
    cross_without_day(y, 60, NULL, 0, y);
    assert_near(y[37], 50, 1e-12);
    for (int i = 0; i < 60; i++) /* nothing but a cycle leaves nothing, to the last bit */
        y[i] = 0.1 + 0.7 * (i % 24);
    cross_without_day(y, 60, NULL, 0, y);
    for (int i = 0; i < 60; i++)
        assert_true(y[i] == 0);
    /* an hour of the day is one of the site's clocks, from 30:00 UTC on an hour ahead */
    const struct zone zone = {"X/Y", 2, {{0, 0}, {30 * 3600, 3600}}};
    for (int i = 0; i < 60; i++)
        y[i] = 0.1 + 0.7 * ((i + (i >= 30)) % 24);
    cross_without_day(y, 60, NULL, 0, out);
    assert_true(fabs(out[40]) > 0.1);
    cross_without_day(y + 5, 55, &zone, 5 * 3600, out);
    for (int i = 0; i < 55; i++)
        assert_true(out[i] == 0);
}

static void refusals(void **state)
{
    (void)state;
    double a[ROOM_HOURS], b[ROOM_HOURS];
    struct cross_correlation c;
    struct err e = ERR_INIT;
    memcpy(a, living, sizeof a);
    memcpy(b, kitchen, sizeof b);
    assert_failed(cross_correlation(a, b, 23, &c, &e), e, ERR_CONFLICT,
                  "the first series has fewer than 24 values: it cannot be compared with "
                  "another");
    assert_failed(cross_correlation(NULL, NULL, 0, &c, &e), e, ERR_CONFLICT,
                  "the first series has fewer than 24 values: it cannot be compared with "
                  "another");
    for (int i = 0; i < ROOM_HOURS; i++)
        b[i] = 0.3;
    assert_failed(cross_correlation(a, b, ROOM_HOURS, &c, &e), e, ERR_CONFLICT,
                  "the second series has one value only: it cannot be compared with "
                  "another");
    b[3] = -INFINITY;
    assert_failed(
        cross_correlation(a, b, ROOM_HOURS, &c, &e), e, ERR_INVALID,
        "hour 3 of the second series is -inf: numbers up to 1e+100 can be used");
    /* each has values, but never within two days of each other */
    for (int i = 0; i < ROOM_HOURS; i++) {
        a[i] = i < 30 ? living[i] : NAN;
        b[i] = i < 90 ? NAN : kitchen[i];
    }
    assert_failed(cross_correlation(a, b, ROOM_HOURS, &c, &e), e, ERR_CONFLICT,
                  "the two series have fewer than 24 hours in common");
}

/* One that varies only where the other is missing tells nothing at that lag. */
static void constant_where_they_meet(void **state)
{
    (void)state;
    double a[ROOM_HOURS], b[ROOM_HOURS];
    struct cross_correlation c;
    struct err e = ERR_INIT;
    for (int i = 0; i < ROOM_HOURS; i++) {
        a[i] = living[i];
        b[i] = i < 60 ? 20 : kitchen[i];
        if (i >= 60)
            a[i] = NAN;
    }
    assert_ok(cross_correlation(a, b, ROOM_HOURS, &c, &e), e);
    assert_true(isnan(at(&c, 0)->r) && isnan(at(&c, 0)->p) && isnan(at(&c, 0)->n_eff));
    assert_true(at(&c, 0)->lower == -1 && at(&c, 0)->upper == 1);
    assert_int_equal(at(&c, 0)->n, 60);
    assert_true(c.at[c.best].lag < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_pandas),  cmocka_unit_test(holes),
        cmocka_unit_test(units),        cmocka_unit_test(itself),
        cmocka_unit_test(false_alarms), cmocka_unit_test(without_day),
        cmocka_unit_test(refusals),     cmocka_unit_test(constant_where_they_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
