/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/gram.h"
#include "common/ml/linear.h"
#include "tests/unit/series.h"

#include "tests/unit/near.h"

#define ROWS 40
#define COLS 4

/* Column 2 is the sum of the first two, column 3 constant. */
static void rows(double x[ROWS * COLS], double y[ROWS])
{
    struct hours h = series(2 * ROWS, 6);
    for (int r = 0; r < ROWS; r++) {
        double *row = x + COLS * r;
        row[0] = h.y[r];
        row[1] = h.y[2 * ROWS - 1 - r];
        row[2] = row[0] + row[1];
        row[3] = 7;
        y[r] = 3 * row[0] - row[1] + sin(r);
    }
    hours_done(&h);
}

/* The first cols columns. */
static struct gram *grown(const double *x, const double *y, size_t n, size_t cols)
{
    struct gram *g = gram_new(cols);
    for (size_t r = 0; r < n; r++)
        gram_add(g, x + COLS * r, y[r]);
    return g;
}

/* One column: the closed form is sum(zy) / (n + strength), as sum(zz) = n. */
static void closed_form(void **state)
{
    (void)state;
    double x[] = {1, 2, 3, 4}, y[] = {2, 1, 4, 5};
    struct linear_fit f;
    struct gram *g = gram_new(1);
    for (int r = 0; r < 4; r++)
        gram_add(g, &x[r], y[r]);
    assert_int_equal(gram_ridge(g, 2, &f, NULL), 0);
    assert_near(f.intercept, 3, 1e-15);
    assert_near(f.mean[0], 2.5, 1e-15);
    assert_near(f.std[0], sqrt(1.25), 1e-15);
    assert_near(f.coef[0], 6 / sqrt(1.25) / (4 + 2), 1e-14);
    assert_int_equal(gram_rows(g), 4);
    gram_free(g);
}

/* With next to no penalty it is what QR finds, also far from zero. */
static void near_least_squares(void **state)
{
    (void)state;
    double x[ROWS * COLS], y[ROWS], two[ROWS * 2];
    static const double levels[] = {0, 1013, 1e6};
    for (size_t i = 0; i < N_OF(levels); i++) {
        struct linear_fit f, want;
        rows(x, y);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < 2; c++)
                two[2 * r + c] = x[COLS * r + c] += levels[i];
        struct gram *g = grown(x, y, ROWS, 2);
        assert_int_equal(gram_ridge(g, RIDGE_MIN_STRENGTH, &f, NULL), 0);
        assert_int_equal(linear_qr(two, y, ROWS, 2, &want, NULL), 0);
        for (int c = 0; c < 2; c++) {
            assert_near(f.coef[c] / want.coef[c], 1, 2e-4);
            assert_near(f.mean[c] / want.mean[c], 1, 1e-12);
            assert_near(f.std[c] / want.std[c], 1, 1e-9);
        }
        gram_free(g);
    }
}

static void collinear(void **state)
{
    (void)state;
    double x[ROWS * COLS], y[ROWS];
    struct linear_fit f;
    rows(x, y);
    struct gram *g = grown(x, y, ROWS, COLS);
    assert_int_equal(gram_ridge(g, RIDGE_MIN_STRENGTH, &f, NULL), 0);
    assert_int_equal(f.dropped, 8);
    for (int c = 0; c < COLS; c++)
        assert_true(fabs(f.coef[c]) < 100);
    assert_true(f.coef[3] == 0 && f.std[3] == 1);
    gram_free(g);
}

/* Weighted least squares in its closed form, one column: w halves from row to row. */
static void forgets(void **state)
{
    (void)state;
    double x[ROWS * COLS], y[ROWS], sw = 0, mx = 0, my = 0, xx = 0, xy = 0;
    struct linear_fit f;
    struct gram *g = gram_new(1);
    rows(x, y);
    for (int r = 0; r < ROWS; r++) {
        gram_forget(g, 0.9);
        gram_add(g, &x[COLS * r], y[r]);
    }
    for (int r = 0; r < ROWS; r++) {
        double w = pow(0.9, ROWS - 1 - r);
        sw += w;
        mx += w * x[COLS * r];
        my += w * y[r];
    }
    mx /= sw;
    my /= sw;
    for (int r = 0; r < ROWS; r++) {
        double w = pow(0.9, ROWS - 1 - r), d = x[COLS * r] - mx;
        xx += w * d * d;
        xy += w * d * (y[r] - my);
    }
    assert_int_equal(gram_ridge(g, 3, &f, NULL), 0);
    double std = sqrt(xx / sw);
    assert_near(f.mean[0], mx, 1e-12);
    assert_near(f.intercept, my, 1e-12);
    assert_near(f.std[0], std, 1e-12);
    assert_near(f.coef[0], xy / std / (sw + 3), 1e-12);
    gram_free(g);
}

/* For as long as it may take: weights grow beyond what a double holds. */
static void forgets_for_ever(void **state)
{
    (void)state;
    struct linear_fit f, later;
    struct gram *g = gram_new(1);
    for (int i = 0; i < 20000; i++) {
        double x = i % 7;
        gram_forget(g, 0.9);
        gram_add(g, &x, 2 * x + 1);
        if (i == 9999)
            assert_int_equal(gram_ridge(g, 1e-3, &f, NULL), 0);
    }
    assert_int_equal(gram_ridge(g, 1e-3, &later, NULL), 0);
    /* 10,000 is 4 more than a multiple of 7, 20,000 is 1 more: only the fit is the same
     */
    assert_near(f.coef[0] / f.std[0], 2, 1e-3);
    assert_near(later.coef[0] / later.std[0], 2, 1e-3);
    gram_free(g);
}

static void refusals(void **state)
{
    (void)state;
    struct linear_fit f;
    struct err e = ERR_INIT;
    double x[ROWS * COLS], y[ROWS];
    rows(x, y);
    struct gram *g = grown(x, y, 3, 3);
    assert_int_equal(gram_ridge(g, 1, &f, &e), -1);
    assert_string_equal(e.text,
                        "3 features cannot be fitted to 3 rows: more rows are needed");
    assert_int_equal(gram_ridge(g, 0, &f, &e), -1);
    assert_string_equal(e.text, "the strength of ridge must be at least 0.001, not 0");
    gram_free(g);
    static const double flat[] = {7, 7, 7, 7}, huge[] = {1e200, -1e200, 1e200, -1e200};
    g = gram_new(1);
    for (int r = 0; r < 4; r++)
        gram_add(g, &flat[r], y[r]);
    assert_int_equal(gram_ridge(g, 1, &f, &e), -1);
    assert_string_equal(e.text, "all features are constant: there is nothing to fit");
    gram_free(g);
    g = gram_new(1);
    for (int r = 0; r < 4; r++)
        gram_add(g, &huge[r], y[r]);
    assert_int_equal(gram_ridge(g, 1, &f, &e), -1);
    assert_string_equal(e.text, "the fit is not finite: the values are too large");
    gram_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_form),      cmocka_unit_test(near_least_squares),
        cmocka_unit_test(collinear),        cmocka_unit_test(forgets),
        cmocka_unit_test(forgets_for_ever), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
