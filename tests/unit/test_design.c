/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/design.h"
#include "tests/unit/diagnostics_sample.h"

/* q is orthonormal and orthogonal to the constant, even for columns as alike as
 * Longley's, and with r it gives the columns back. */
static void basis(void **state)
{
    (void)state;
    double x[LONGLEY_ROWS * LONGLEY_COLS], y[LONGLEY_ROWS];
    struct design d;
    struct err e = ERR_INIT;
    longley_split(x, y);
    assert_ok(design_init(&d, x, LONGLEY_ROWS, LONGLEY_COLS, &e), e);
    assert_int_equal(d.rank, LONGLEY_COLS);
    for (size_t i = 0; i < d.rank; i++) {
        double sum = 0;
        for (size_t r = 0; r < d.rows; r++)
            sum += d.q[i * d.rows + r];
        assert_near(sum, 0, 1e-12);
        for (size_t j = 0; j < d.rank; j++) {
            double s = 0;
            for (size_t r = 0; r < d.rows; r++)
                s += d.q[i * d.rows + r] * d.q[j * d.rows + r];
            assert_near(s, i == j, 1e-14);
        }
    }
    for (size_t r = 0; r < d.rows; r++) {
        for (size_t c = 0; c < d.cols; c++) {
            double z = 0;
            for (size_t i = 0; i < d.rank; i++)
                z += d.r[c * d.cols + i] * d.q[i * d.rows + r];
            assert_near(d.mean[c] + d.length[c] * z, x[r * d.cols + c],
                        1e-13 * fabs(x[r * d.cols + c]));
        }
    }
    design_done(&d);
}

/* Of columns that say the same the first stays; a constant says nothing. */
static void rank(void **state)
{
    (void)state;
    double x[SAMPLE_ROWS * 6];
    struct design d;
    struct err e = ERR_INIT;
    for (int r = 0; r < SAMPLE_ROWS; r++) {
        const double *s = sample_x + r * SAMPLE_COLS;
        double row[] = {1e5, s[0], 1e5 + s[0], s[1], s[0] - s[1], 0};
        memcpy(x + r * 6, row, sizeof row);
    }
    static const enum column_state want[] = {COLUMN_CONSTANT,  COLUMN_KEPT,
                                             COLUMN_EXPLAINED, COLUMN_KEPT,
                                             COLUMN_EXPLAINED, COLUMN_CONSTANT};
    assert_ok(design_init(&d, x, SAMPLE_ROWS, 6, &e), e);
    assert_int_equal(d.rank, 2);
    assert_int_equal(d.kept[0], 1);
    assert_int_equal(d.kept[1], 3);
    for (int c = 0; c < 6; c++)
        assert_int_equal(d.state[c], want[c]);
    design_done(&d);
    /* more columns than rows can tell apart */
    assert_ok(design_init(&d, sample_x, 3, 6, &e), e);
    assert_int_equal(d.rank, 2);
    design_done(&d);
}

/* Half a unit in the last place of a large value is no spread; a millionth of it is. */
static void constant(void **state)
{
    (void)state;
    double x[] = {0.1 + 0.2, 0.3, 0.3, 0.3, 0.3 * (1 + 1e-6)};
    struct design d;
    struct err e = ERR_INIT;
    assert_ok(design_init(&d, x, 4, 1, &e), e);
    assert_int_equal(d.rank, 0);
    design_done(&d);
    assert_ok(design_init(&d, x, 5, 1, &e), e);
    assert_int_equal(d.rank, 1);
    design_done(&d);
}

static void projection(void **state)
{
    (void)state;
    double v[SAMPLE_ROWS], theta[SAMPLE_COLS], inverse[SAMPLE_COLS * SAMPLE_COLS];
    struct design d;
    struct err e = ERR_INIT;
    assert_ok(design_init(&d, sample_x, SAMPLE_ROWS, SAMPLE_COLS, &e), e);
    for (int r = 0; r < SAMPLE_ROWS; r++)
        v[r] = 5 + 2 * sample_x[r * 3] - 3 * sample_x[r * 3 + 2];
    design_centre(v, SAMPLE_ROWS);
    design_project(&d, v, theta);
    design_inverse(&d, inverse);
    static const double want[] = {2, 0, -3};
    for (int j = 0; j < 3; j++) {
        double z = 0;
        for (int i = 0; i < 3; i++)
            z += inverse[j * 3 + i] * theta[i];
        assert_near(z / d.length[j], want[j], 1e-12);
        for (int i = 0; i < j; i++)
            assert_true(inverse[j * 3 + i] == 0);
    }
    for (int r = 0; r < SAMPLE_ROWS; r++)
        assert_near(v[r], 0, 1e-11);

    memcpy(v, sample_y, sizeof v);
    assert_like(design_r2(&d, v), 0.96716988553514127); /* as in test_ols_inference.c */
    for (int r = 0; r < SAMPLE_ROWS; r++)
        v[r] = 21.3;
    assert_true(isnan(design_r2(&d, v)));
    design_done(&d);
}

/* 1, 2, 3, 4 beside ones: X'X = (4 10; 10 30), whose eigenvalues are 17 +- sqrt(269).
 * Centred and scaled, a column alone has condition 1; two with correlation r have
 * sqrt((1 + r) / (1 - r)): 1, 2, 3, 4 and 1, 3, 2, 4 have r = 0.8, which makes 3. */
static void condition(void **state)
{
    (void)state;
    static const double one[] = {1, 2, 3, 4}, two[] = {1, 1, 2, 3, 3, 2, 4, 4};
    struct design d;
    struct err e = ERR_INIT;
    double plain, scaled;
    assert_ok(design_init(&d, one, 4, 1, &e), e);
    design_condition(&d, &plain, &scaled);
    assert_near(plain, sqrt((17 + sqrt(269)) / (17 - sqrt(269))), 1e-12);
    assert_near(scaled, 1, 1e-15);
    design_done(&d);
    assert_ok(design_init(&d, two, 4, 2, &e), e);
    design_condition(&d, &plain, &scaled);
    assert_near(scaled, 3, 1e-13);
    design_done(&d);
}

static void refusals(void **state)
{
    (void)state;
    struct design d;
    struct err e = ERR_INIT;
    double x[] = {1, 2, 3, NAN};
    assert_failed(design_init(&d, x, 2, 0, &e), e, ERR_INVALID,
                  "a regression needs 1 to 128 columns, not 0");
    assert_failed(design_init(&d, x, 1, 2, &e), e, ERR_CONFLICT,
                  "a regression needs at least 2 rows, not 1");
    assert_failed(design_init(&d, x, 2, 2, &e), e, ERR_INVALID,
                  "row 1, column 1 is nan: numbers up to 1e+100 can be used");
    design_done(&d); /* after a refusal, and twice */
    design_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basis),     cmocka_unit_test(rank),
        cmocka_unit_test(constant),  cmocka_unit_test(projection),
        cmocka_unit_test(condition), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
