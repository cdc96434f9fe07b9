/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "common/ml/adaptive.h"
#include "tests/unit/near.h"

#define DAY 24
#define DAYS 90
#define RUNS 20

static void test_steps(void **unused)
{
    (void)unused;
    struct adaptive a;
    adaptive_init(&a, 0.95, 1000);
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
        assert_true(adaptive_width(&a, i, 1000) == 1);
    adaptive_put(&a, 0, 1001, true); /* 0.04 × 0.95 */
    assert_near(adaptive_width(&a, 0, 1001), exp(0.038), 1e-15);
    assert_true(adaptive_width(&a, 0, 1000) == 1); /* not known an hour before */
    assert_true(adaptive_width(&a, 1, 1001) == 1); /* nor to another lead */
    adaptive_put(&a, 0, 1002, false);              /* 0.04 × -0.05 */
    assert_near(adaptive_width(&a, 0, 1002), exp(0.036), 1e-15);
    adaptive_put(&a, 4, 1002, true); /* 0.02 × 0.95 */
    assert_near(adaptive_width(&a, 4, 1002), exp(0.019), 1e-15);
    /* hours of which nothing is known move nothing */
    adaptive_move(&a, 1040);
    assert_near(adaptive_width(&a, 0, 1040), exp(0.036), 1e-15);
    /* the same hour again is no second miss, and another truth replaces it */
    adaptive_put(&a, 0, 1001, true);
    assert_near(adaptive_width(&a, 0, 1040), exp(0.036), 1e-15);
    adaptive_put(&a, 0, 1001, false);
    assert_near(adaptive_width(&a, 0, 1040), exp(-0.004), 1e-15);
    int known, missed;
    adaptive_count(&a, 0, &known, &missed);
    assert_int_equal(known, 2);
    assert_int_equal(missed, 0);
}

/* What is no longer among the bits stays counted and cannot change any more. */
static void test_window(void **unused)
{
    (void)unused;
    struct adaptive a, b;
    adaptive_init(&a, 0.95, 0);
    for (int h = 1; h <= 300; h++)
        adaptive_put(&a, 0, h, h % 10 == 0);
    assert_near(adaptive_width(&a, 0, 300), exp(0.04 * (30 - 300 * 0.05)), 1e-12);
    b = a;
    adaptive_put(&b, 0, 300 - ADAPTIVE_HOURS, true);
    assert_memory_equal(&a, &b, sizeof a);
    adaptive_put(&b, 0, 300 - ADAPTIVE_HOURS + 1, true);
    assert_near(adaptive_width(&b, 0, 300) / adaptive_width(&a, 0, 300), exp(0.04),
                1e-12);
    adaptive_move(&a, 299); /* never back */
    assert_true(a.newest == 300);
    double w = adaptive_width(&a, 0, 300);
    adaptive_move(&a, INT64_MAX);
    assert_near(adaptive_width(&a, 0, INT64_MAX), w, 1e-12);
    int known, missed;
    adaptive_count(&a, 0, &known, &missed);
    assert_int_equal(known, 0);
}

/* The state of any hour, read back from what is stored of an earlier one: bit for bit. */
static void test_order_and_restart(void **unused)
{
    (void)unused;
    struct adaptive a, late, again;
    adaptive_init(&a, 0.95, 500);
    late = a;
    for (int h = 501; h <= 800; h++)
        for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
            adaptive_put(&a, i, h, h * (int)(i + 3) % 11 == 0);
    for (int h = 501; h <= 800; h += 20) { /* twenty hours at once, newest first */
        adaptive_move(&late, h + 19);
        for (int k = 19; k >= 0; k--)
            for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
                adaptive_put(&late, i, h + k, (h + k) * (int)(i + 3) % 11 == 0);
    }
    assert_memory_equal(&a, &late, sizeof a);
    adaptive_init(&again, 0.95, 800);
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        again.lead[i].before = a.lead[i].before;
        for (int h = 800 - ADAPTIVE_HOURS + 1; h <= 800; h++)
            adaptive_put(&again, i, h, h * (int)(i + 3) % 11 == 0);
    }
    assert_memory_equal(&a, &again, sizeof a);
}

static void test_limits(void **unused)
{
    (void)unused;
    struct adaptive a;
    adaptive_init(&a, 0.95, 0);
    for (int h = 1; h < 5000; h++) {
        adaptive_put(&a, 0, h, true);
        adaptive_put(&a, 1, h, false);
    }
    assert_near(adaptive_width(&a, 0, 5000), 8, 1e-12);
    assert_near(adaptive_width(&a, 1, 5000), 0.25, 1e-12);
    adaptive_put(&a, 0, 5000, false); /* it comes back at once: nothing has piled up */
    assert_near(adaptive_width(&a, 0, 5000), 8 * exp(-0.002), 1e-12);
    assert_near(adaptive_limit(NAN), 0, 0);
    assert_near(exp(adaptive_limit(1e300)), 8, 1e-12);
    assert_near(adaptive_limit(-0.5), -0.5, 0);
}

static void test_between_leads(void **unused)
{
    (void)unused;
    const double w[ADAPTIVE_LEADS] = {4, 1, 1, 2, 0.5};
    static const struct {
        size_t lead;
        double width;
    } rows[] = {{0, 4},  {1, 4},  {6, 1},    {9, 1},   {12, 1},
                {24, 2}, {36, 1}, {48, 0.5}, {60, 0.5}};
    for (size_t i = 0; i < N_OF(rows); i++)
        assert_near(adaptive_at(w, rows[i].lead), rows[i].width, 1e-12);
    assert_true(adaptive_at(w, 24) == 2); /* exactly */
    for (size_t k = 1; k < 6; k++)        /* monotone between two of them */
        assert_true(adaptive_at(w, k) > adaptive_at(w, k + 1));
}

/* Errors of a given spread against a band made for spread 1, with the delay of the lead.
 * Returns the coverage of days [from, to) and the width at their end, over some runs. */
static double live(const double *sd, size_t i, int from, int to, double *last)
{
    static double width[DAYS * DAY];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    int lead = adaptive_leads[i], inside = 0, n = 0;
    gsl_rng_set(rng, 4);
    *last = 0;
    for (int run = 0; run < RUNS; run++) {
        struct adaptive a;
        adaptive_init(&a, 0.95, -1);
        for (int t = 0; t < DAYS * DAY; t++) {
            double e = gsl_ran_gaussian(rng, sd[t / DAY]);
            bool missed = t >= lead && fabs(e) > 1.959963984540054 * width[t - lead];
            if (t >= lead)
                adaptive_put(&a, i, t, missed);
            if (t >= from * DAY && t < to * DAY) {
                inside += !missed;
                n++;
            }
            /* made at t, when the miss of the hour before was known */
            width[t] = adaptive_width(&a, i, t - 1);
        }
        *last += width[to * DAY - 1] / RUNS;
    }
    gsl_rng_free(rng);
    return (double)inside / n;
}

/* The noise doubles on day 30 and is as before from day 60 on: four days later the band
 * holds again. Narrowing takes longer: each hour inside says little. */
static void test_noise_doubles(void **unused)
{
    (void)unused;
    double sd[DAYS], last;
    for (int d = 0; d < DAYS; d++)
        sd[d] = d >= 30 && d < 60 ? 2 : 1;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        assert_near(live(sd, i, 5, 30, &last), 0.95, 0.01);
        assert_near(last, 1, 0.1);
        assert_true(live(sd, i, 30, 31, &last) < 0.9); /* it was felt */
        assert_near(live(sd, i, 34, 60, &last), 0.95, 0.02);
        assert_near(last, 2, 0.2);
        assert_true(live(sd, i, 60, 62, &last) > 0.98);
        assert_near(live(sd, i, 80, 90, &last), 0.95, 0.035);
        assert_near(last, 1, 0.2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_order_and_restart),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_between_leads),
        cmocka_unit_test(test_noise_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
