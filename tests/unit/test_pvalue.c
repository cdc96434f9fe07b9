/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/pvalue.h"
#include "tests/unit/diagnostics_sample.h"

/* SciPy 1.13.1: 2 * norm.sf(|z|), 2 * t.sf(|t|, df), f.sf(f, df1, df2), chi2.sf(x, df) */
static void like_scipy(void **state)
{
    (void)state;
    assert_like(p_normal(-1.96), 0.04999579029644087);
    assert_like(p_normal(37), 1.1451142445047853e-299);
    assert_like(p_t(2.5, 3), 0.087706647008065547);
    assert_like(p_t(3.3, 4.25), 0.027351219510989278);
    assert_like(p_t(-17, 31), 2.8824645059365198e-17);
    assert_like(p_t(30, 100), 8.3803325586883361e-52);
    assert_like(p_t(1.5, 80000), 0.13361834876714668);
    assert_like(p_f(2.5, 3, 44), 0.071828212398335797);
    assert_like(p_f(100, 8, 1300), 1.0742274192733348e-129);
    assert_like(p_chi2(7.8, 2), 0.020241911445804395);
    assert_like(p_chi2(600, 24), 2.3713744534558979e-111);
}

static void ends(void **state)
{
    (void)state;
    assert_near(p_normal(0), 1, 1e-15);
    assert_near(p_t(0, 5), 1, 1e-15);
    assert_near(p_f(-1e-17, 2, 5), 1, 1e-15); /* rounding below 0 */
    assert_near(p_chi2(0, 2), 1, 1e-15);
    assert_true(p_normal(-INFINITY) == 0 && p_t(INFINITY, 5) == 0 &&
                p_f(INFINITY, 2, 5) == 0 && p_chi2(INFINITY, 2) == 0);
    assert_true(p_normal(1e300) == 0 && p_t(-1e300, 5) == 0 && p_chi2(1e300, 2) == 0);
    assert_true(p_f(1e300, 2, 5) >= 0);
    assert_true(isnan(p_normal(NAN)) && isnan(p_t(NAN, 5)) && isnan(p_f(NAN, 2, 5)) &&
                isnan(p_chi2(NAN, 2)));
    assert_true(isnan(p_t(1, 0)) && isnan(p_f(1, 2, 0)) && isnan(p_f(1, -1, 5)) &&
                isnan(p_chi2(1, 0)) && isnan(p_chi2(1, NAN)));
}

static void words(void **state)
{
    (void)state;
    static const struct {
        double p;
        const char *text;
    } cases[] = {{0, "p < 0.001"},       {0.000999, "p < 0.001"}, {0.001, "p = 0.001"},
                 {0.0499, "p = 0.050"},  {0.123, "p = 0.12"},     {1, "p = 1.00"},
                 {1 + 1e-9, "p = 1.00"}, {NAN, "p not known"}};
    char buf[16];
    for (size_t i = 0; i < N_OF(cases); i++)
        assert_string_equal(p_text(cases[i].p, buf), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_scipy),
        cmocka_unit_test(ends),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
