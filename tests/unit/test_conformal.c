/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_rng.h>

#include "common/ml/conformal.h"
#include "tests/unit/near.h"

static void rank(void **state)
{
    (void)state;
    double r[100];
    for (int i = 0; i < 19; i++)
        r[i] = 19 - i;                                   /* 19 .. 1, unsorted */
    assert_near(conformal_quantile(r, 19, 0.95), 19, 0); /* ceil(20 × .95) = 19th */
    for (int i = 0; i < 100; i++)
        r[i] = 100 - i;
    assert_near(conformal_quantile(r, 100, 0.95), 96, 0); /* ceil(101 × .95) = 96th */
    assert_near(conformal_quantile(r, 100, 0.5), 51, 0);
    assert_near(conformal_quantile(r, 99, 0.55), 56, 0); /* 100 × .55 is 55, + 1: r */
    assert_true(isnan(conformal_quantile(r, 0, 0.95)));
}

/* 3 residuals carry a level of 3/4: z(.875) = 1.1503494, wanted z(.975) = 1.9599640. */
static void too_few(void **state)
{
    (void)state;
    double r[] = {2, 1, 3};
    assert_near(conformal_quantile(r, 3, 0.95), 3 * 1.9599640 / 1.1503494, 1e-6);
}

static void pools_and_grows(void **state)
{
    (void)state;
    /* 2 origins, 4 leads, the last without residuals: all three others are pooled */
    const double r[] = {1, -2, 3, NAN, -1, 2, NAN, NAN};
    double half[4], pool[] = {1, 2, 3, 1, 2};
    assert_int_equal(conformal_widths(r, 2, 4, 0.8, half), 5);
    /* of two origins: Student's t with 2 degrees, 1.8856181, over the normal 1.2815516 */
    double want = conformal_quantile(pool, 5, 0.8) * 1.8856180831641 / 1.2815515655446;
    for (int k = 0; k < 3; k++)
        assert_near(half[k], want, 1e-9);
    assert_near(half[3], want * sqrt(4.0 / 3), 1e-9);
    half[0] = 7;
    const double none[] = {NAN, NAN};
    assert_int_equal(conformal_widths(none, 1, 2, 0.95, half), 0);
    assert_true(half[0] == 7);
}

/* With plenty of origins each lead stands for itself; widths never fall with the lead. */
static void per_lead_isotonic(void **state)
{
    (void)state;
    enum { ORIGINS = 100, LEADS = 3 };
    double r[ORIGINS * LEADS], half[LEADS];
    for (int o = 0; o < ORIGINS; o++) {
        r[o * LEADS] = 1;
        r[o * LEADS + 1] = -5; /* larger than the next: they meet in the middle */
        r[o * LEADS + 2] = 3;
    }
    conformal_widths(r, ORIGINS, LEADS, 0.95, half);
    const double few = 1.9720174778 / 1.9599639845; /* t with 198 degrees over normal */
    assert_near(half[0], few, 1e-8);
    assert_near(half[1], 4 * few, 1e-8);
    assert_near(half[2], 4 * few, 1e-8);
}

/* The promise itself: over many draws from a skewed distribution, bands made from 40
 * residuals hold 95 % of new ones. Coverage of one band has sd about 3.4 %; of the mean
 * of 2,000, below 0.1 %. */
static void coverage(void **state)
{
    (void)state;
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(g, 7);
    double inside = 0, r[40];
    for (int draw = 0; draw < 2000; draw++) {
        for (int i = 0; i < 40; i++)
            r[i] = -log(1 - gsl_rng_uniform(g));
        inside += 1 - exp(-conformal_quantile(r, 40, 0.95));
    }
    gsl_rng_free(g);
    assert_near(inside / 2000, 39.0 / 41, 0.003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rank),
        cmocka_unit_test(too_few),
        cmocka_unit_test(pools_and_grows),
        cmocka_unit_test(per_lead_isotonic),
        cmocka_unit_test(coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
