/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/collinearity.h"
#include "tests/unit/diagnostics_sample.h"

static void ties(const double *x, size_t rows, size_t cols, struct collinearity *c)
{
    struct design d;
    struct err e = ERR_INIT;
    assert_ok(design_init(&d, x, rows, cols, &e), e);
    collinearity(&d, c);
    design_done(&d);
}

/* outliers_influence.variance_inflation_factor(X, i); partial correlations from
 * P = inv(corr(x)): -P_ij / sqrt(P_ii P_jj) */
static void like_statsmodels(void **state)
{
    (void)state;
    static const double vif[] = {2.7790989613801149, 2.8456772941012369,
                                 1.0708028326644379};
    static const size_t partner[] = {1, 0, 1};
    static const double r[] = {-0.78976064586296957, -0.78976064586296957,
                               0.15306795184317443};
    struct collinearity c;
    ties(sample_x, SAMPLE_ROWS, SAMPLE_COLS, &c);
    for (int i = 0; i < SAMPLE_COLS; i++) {
        assert_int_equal(c.tie[i].state, COLUMN_KEPT);
        assert_like(c.tie[i].vif, vif[i]);
        assert_int_equal(c.tie[i].partner, partner[i]);
        assert_like(c.tie[i].partner_r, r[i]);
        assert_null(c.tie[i].weight);
    }
    collinearity_done(&c);
}

/* From 60 digits. */
static void longley_vif(void **state)
{
    (void)state;
    static const double vif[] = {135.532438280003, 1788.51348271818, 33.6188905960499,
                                 3.58893019344554, 399.15102231264,  758.980597406894};
    double x[LONGLEY_ROWS * LONGLEY_COLS], y[LONGLEY_ROWS];
    struct collinearity c;
    longley_split(x, y);
    ties(x, LONGLEY_ROWS, LONGLEY_COLS, &c);
    for (int i = 0; i < LONGLEY_COLS; i++)
        assert_like(c.tie[i].vif, vif[i]);
    collinearity_done(&c);
}

/* An MQ-2 gas sensor's three curves are made of one resistance: on logs,
 * ln lpg = 0.72340426 ln co - 1.03371373, ln smoke = 0.77272727 ln co + 0.20932592. */
static void gases(void **state)
{
    (void)state;
    enum { TEMP, CO, LPG, FLAT, SMOKE, N };
    double x[SAMPLE_ROWS * N];
    struct collinearity c;
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        double co = log(0.004 + 0.00001 * sample_x[r * SAMPLE_COLS + 2]);
        double row[] = {sample_y[r], co, 0.72340426 * co - 1.03371373, 1,
                        0.77272727 * co + 0.20932592};
        memcpy(x + (size_t)r * N, row, sizeof row);
    }
    ties(x, SAMPLE_ROWS, N, &c);
    assert_int_equal(c.tie[CO].state, COLUMN_KEPT);
    assert_int_equal(c.tie[LPG].state, COLUMN_EXPLAINED);
    assert_int_equal(c.tie[FLAT].state, COLUMN_CONSTANT);
    assert_int_equal(c.tie[SMOKE].state, COLUMN_EXPLAINED);
    assert_true(isinf(c.tie[CO].vif) && isinf(c.tie[LPG].vif) && isinf(c.tie[SMOKE].vif));
    assert_true(isnan(c.tie[FLAT].vif));
    assert_true(c.tie[TEMP].vif < 2); /* takes no part in it */
    assert_near(c.tie[LPG].weight[CO], 0.72340426, 1e-10);
    assert_near(c.tie[LPG].offset, -1.03371373, 1e-9);
    assert_near(c.tie[SMOKE].weight[CO], 0.77272727, 1e-10);
    assert_near(c.tie[SMOKE].offset, 0.20932592, 1e-9);
    for (int i = 0; i < N; i++) {
        if (i != CO)
            assert_true(c.tie[LPG].weight[i] == 0 && c.tie[SMOKE].weight[i] == 0);
    }
    collinearity_done(&c);
}

/* The same sensor as it reports: powers of one another, and beside them a column that
 * passes through 0. */
static void gases_on_logs(void **state)
{
    (void)state;
    enum { CO, TEMP, LPG, SMOKE, N };
    double x[SAMPLE_ROWS * N];
    struct collinearity c;
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        double co = 0.004 + 0.00001 * sample_x[r * SAMPLE_COLS + 2];
        double row[] = {co, sample_y[r] - 20, exp(0.72340426 * log(co) - 1.03371373),
                        exp(0.77272727 * log(co) + 0.20932592)};
        memcpy(x + (size_t)r * N, row, sizeof row);
    }
    ties(x, SAMPLE_ROWS, N, &c);
    assert_int_equal(c.tie[LPG].state, COLUMN_KEPT);
    assert_true(c.tie[LPG].vif > 1e4);
    collinearity_done(&c);
    collinearity_of_logs(x, SAMPLE_ROWS, N, &c);
    assert_int_equal(c.tie[CO].state, COLUMN_KEPT);
    assert_int_equal(c.tie[TEMP].state, COLUMN_CONSTANT);
    assert_int_equal(c.tie[LPG].state, COLUMN_EXPLAINED);
    assert_int_equal(c.tie[SMOKE].state, COLUMN_EXPLAINED);
    assert_near(c.tie[LPG].weight[CO], 0.72340426, 1e-10);
    assert_near(c.tie[SMOKE].weight[CO], 0.77272727, 1e-10);
    assert_near(c.tie[SMOKE].offset, 0.20932592, 1e-9);
    collinearity_done(&c);
}

/* A relation of three, among columns that are nearly the same besides. */
static void three_of_a_kind(void **state)
{
    (void)state;
    double x[SAMPLE_ROWS * 4];
    struct collinearity c;
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        const double *s = sample_x + r * SAMPLE_COLS;
        double near = s[0] + 1e-4 * s[2];
        double row[] = {s[0], near, s[1], 10 + s[0] - 0.5 * s[1]};
        memcpy(x + r * 4, row, sizeof row);
    }
    ties(x, SAMPLE_ROWS, 4, &c);
    assert_int_equal(c.tie[3].state, COLUMN_EXPLAINED);
    assert_near(c.tie[3].weight[0], 1, 1e-8);
    assert_true(c.tie[3].weight[1] == 0);
    assert_near(c.tie[3].weight[2], -0.5, 1e-8);
    assert_near(c.tie[3].offset, 10, 1e-6);
    assert_true(isinf(c.tie[0].vif) && isinf(c.tie[2].vif) && isinf(c.tie[3].vif));
    assert_true(c.tie[1].vif > 1e4 && isfinite(c.tie[1].vif));
    assert_int_equal(c.tie[1].partner, 0);
    assert_true(c.tie[1].partner_r > 0.99);
    collinearity_done(&c);
}

static void alone(void **state)
{
    (void)state;
    struct collinearity c;
    ties(sample_y, SAMPLE_ROWS, 1, &c);
    assert_near(c.tie[0].vif, 1, 1e-14);
    assert_true(c.tie[0].partner == COLLINEARITY_NONE && isnan(c.tie[0].partner_r));
    collinearity_done(&c);
    static const double flat[] = {5, 5, 5, 5};
    ties(flat, 2, 2, &c); /* nothing is kept */
    assert_true(isnan(c.tie[0].vif) && isnan(c.tie[1].vif));
    collinearity_done(&c);
    collinearity_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_statsmodels),
        cmocka_unit_test(longley_vif),
        cmocka_unit_test(gases),
        cmocka_unit_test(gases_on_logs),
        cmocka_unit_test(three_of_a_kind),
        cmocka_unit_test(alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
