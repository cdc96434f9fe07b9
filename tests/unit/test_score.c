/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All expected values are worked out by hand in the comments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/ml/score.h"
#include "tests/unit/near.h"

static void by_hand(void **state)
{
    (void)state;
    /* f - y = 1, -1, 2, 0; mean of y 2.5; SST = 2.25 + .25 + .25 + 2.25 = 5; SSE = 6 */
    const double y[] = {1, 2, 3, 4}, f[] = {2, 1, 5, 4};
    struct score s = score(y, f, 4);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.missing, 0);
    assert_near(s.mae, 1, 1e-15);
    assert_near(s.rmse, sqrt(1.5), 1e-15);
    assert_near(s.bias, 0.5, 1e-15);
    assert_near(s.r2, 1 - 6.0 / 5, 1e-15);
    assert_near(s.smape, 200.0 / 4 * (1.0 / 3 + 1.0 / 3 + 2.0 / 8), 1e-12);
}

static void zero_by_zero(void **state)
{
    (void)state;
    const double y[] = {0, 0, 2}, f[] = {0, 1, 2};
    assert_near(score(y, f, 3).smape, 200.0 / 3, 1e-12); /* 0/0 counts 0 */
    const double c[] = {5, 5}, g[] = {5, 7};
    assert_near(score(c, g, 2).r2, 1 - 4.0 / 1, 1e-15); /* SST taken as 1 */
    assert_near(score(c, c, 2).r2, 1, 1e-15);
}

static void missing(void **state)
{
    (void)state;
    const double y[] = {NAN, 2, 3}, f[] = {1, NAN, 4};
    struct score s = score(y, f, 3);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.missing, 2);
    assert_near(s.mae, 1, 0);
    s = score(y, f, 2);
    assert_int_equal(s.n, 0);
    assert_true(isnan(s.mae) && isnan(s.rmse) && isnan(s.bias) && isnan(s.r2) &&
                isnan(s.smape));
    s = score(NULL, NULL, 0);
    assert_true(s.n == 0 && isnan(s.mae));
}

static void scale(void **state)
{
    (void)state;
    const double y[] = {1, 2, 4, 3, NAN, 7};
    /* lag 2: |4-1|, |3-2|, -, |7-3| = 3, 1, 4 */
    assert_near(score_scale(y, 6, 2), 8.0 / 3, 1e-15);
    const double c[] = {5, 5, 5};
    assert_near(score_scale(c, 3, 1), 0, 0);
    assert_true(isnan(score_scale(c, 3, 3)));
    assert_true(isnan(score_scale(c, 2, 24)));
}

static void intervals(void **state)
{
    (void)state;
    const double y[] = {5, 0, 12, NAN}, lower[] = {4, 1, 9, 0}, upper[] = {6, 3, 11, 1};
    /* widths 2, 2, 2; y[1] is 1 below and y[2] 1 above: 2/a each; a = 0.1, q = 2 */
    assert_near(score_msis(y, lower, upper, 4, 0.1, 2), (6 + 20 + 20) / 3.0 / 2, 1e-12);
    assert_near(score_coverage(y, lower, upper, 4), 1.0 / 3, 1e-15);
    assert_true(isnan(score_msis(y, lower, upper, 4, 0.1, 0)));
    assert_true(isnan(score_msis(y, lower, upper, 4, 0.1, NAN)));
    assert_true(isnan(score_coverage(y + 3, lower, upper, 1)));
}

static void skill(void **state)
{
    (void)state;
    assert_near(score_skill(0.75, 1), 0.25, 1e-15);
    assert_true(isnan(score_skill(1, 0)));
    assert_true(isnan(score_skill(NAN, 1)));
    assert_true(isnan(score_skill(1, NAN)));
}

/* Averages first, then ratios: half as bad by one and a quarter by the other. */
static void owa(void **state)
{
    (void)state;
    assert_near(score_owa(10, 0.5, 20, 2), 0.375, 1e-15);
    assert_near(score_owa(20, 2, 20, 2), 1, 1e-15);
    assert_true(isnan(score_owa(1, 1, 0, 1)) && isnan(score_owa(1, 1, 1, NAN)));
    assert_true(isnan(score_owa(NAN, 1, 1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),   cmocka_unit_test(zero_by_zero),
        cmocka_unit_test(missing),   cmocka_unit_test(scale),
        cmocka_unit_test(intervals), cmocka_unit_test(skill),
        cmocka_unit_test(owa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
