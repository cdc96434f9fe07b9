/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>

#include "common/ml/algos.h"
#include "common/ml/change.h"
#include "tests/unit/near.h"

#define N 1000
#define AT 940 /* the change */

static double y[N];

/* A day with autoregressive noise; what happens from AT on is up to the test. */
static struct hours series(unsigned long seed)
{
    double r = 0;
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, seed);
    for (size_t i = 0; i < N; i++) {
        r = 0.8 * r + gsl_ran_gaussian(g, 0.3);
        y[i] = 20 + 3 * sin(2 * M_PI * (double)i / 24) + r;
    }
    gsl_rng_free(g);
    return (struct hours){.n = N, .y = y};
}

static struct model *champion(const struct algo *a)
{
    struct hours before = {.n = AT - 100, .y = y};
    struct model *m = model_new(a, "a.b");
    assert_int_equal(a->fit(m, &before, NULL), 0);
    return m;
}

static size_t found(const struct model *m, const struct hours *h, size_t n)
{
    const struct truth t = {h, h->y};
    return change_find(m, &t, n);
}

/* Without members, series beside it, or somebody who grows its trees. */
static bool by_itself(const struct algo *a)
{
    return a != &algo_blend && !a->reads_others && a != &algo_boost && a != &algo_forest;
}

static void quiet(void **state)
{
    (void)state;
    for (unsigned long seed = 1; seed <= 20; seed++) {
        struct hours h = series(seed);
        for (size_t i = 0; algos[i]; i++) {
            if (!by_itself(algos[i]))
                continue;
            struct model *m = champion(algos[i]);
            assert_int_equal(found(m, &h, N), 0);
            model_free(m);
        }
    }
}

/* Another level, another hour of the day: each champion shows when it was. */
static void found_in_time(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t a = 0; algos[a]; a++) {
            bool flat = algos[a] == &algo_persistence || algos[a] == &algo_median_168;
            if (!by_itself(algos[a]) || (kind && flat))
                continue; /* it never knew the hour of the day */
            struct hours h = series(30);
            struct model *m = champion(algos[a]);
            for (size_t i = AT; i < N; i++)
                y[i] += kind ? -6 * sin(2 * M_PI * (double)i / 24) : 15;
            size_t at = found(m, &h, AT + 36);
            /* persistence and the day's naive have learned a new level after a day */
            if (at)
                assert_true(at + 12 >= AT && at <= AT + 12);
            else
                assert_true(m->algo == &algo_persistence ||
                            m->algo == &algo_seasonal_naive_24);
            assert_int_equal(found(m, &h, AT + 10), 0); /* too early to begin anew */
            model_free(m);
        }
    }
}

/* Three hours far off: what was forecast from them is wrong for a day, and yet nothing
 * has changed. */
static void excursion(void **state)
{
    (void)state;
    for (size_t ago = 24; ago < 60; ago += 4) {
        struct hours h = series(32);
        struct model *m = champion(&algo_ridge);
        for (size_t i = N - ago; i < N - ago + 3; i++)
            y[i] += 20;
        assert_int_equal(found(m, &h, N), 0);
        assert_int_equal(change_find_alone(y, N), 0);
        model_free(m);
    }
}

/* Without a champion the hours themselves show it. */
static void found_alone(void **state)
{
    (void)state;
    for (unsigned long seed = 1; seed <= 20; seed++) {
        series(seed);
        assert_int_equal(change_find_alone(y, N), 0);
        for (size_t i = AT; i < N; i++)
            y[i] = seed % 2 ? y[i] + 6 : 40 - y[i];
        size_t at = change_find_alone(y, N);
        assert_true(at + 8 >= AT && at <= AT + 8);
        for (size_t i = AT; i < N; i += 3) /* holes: there is still enough of each day */
            y[i] = NAN;
        at = change_find_alone(y, N);
        assert_true(at + 8 >= AT && at <= AT + 8);
        assert_int_equal(change_find_alone(y, AT + CHANGE_MIN_HOURS - 12), 0);
        assert_int_equal(change_find_alone(y + N - 671, 671), 0); /* under four weeks */
    }
}

static void too_little_to_judge(void **state)
{
    (void)state;
    struct hours h = series(31);
    struct model *m = champion(&algo_ridge);
    for (size_t n = 1; n < 26 + 96; n += 5)
        assert_int_equal(found(m, &h, n), 0);
    for (size_t i = 0; i < N; i++) /* it cannot forecast at all */
        y[i] = i % 2 ? NAN : y[i];
    for (size_t i = N - 200; i < N; i++)
        y[i] = NAN;
    assert_int_equal(found(m, &h, N), 0);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet),
        cmocka_unit_test(found_in_time),
        cmocka_unit_test(excursion),
        cmocka_unit_test(found_alone),
        cmocka_unit_test(too_little_to_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
