/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/linear.h"
#include "common/ml/triangle.h"
#include "tests/unit/series.h"

#include "tests/unit/near.h"

#define ROWS 200
#define COLS 5

/* Column 2 is the sum of the first two, column 3 constant; all but 4 far from zero. */
static void rows(double *x, double *y, double level)
{
    struct hours h = series(3 * ROWS, 6);
    for (size_t r = 0; r < ROWS; r++) {
        double *row = x + COLS * r;
        row[0] = level + h.y[r];
        row[1] = level + h.y[2 * ROWS - r];
        row[2] = row[0] + row[1];
        row[3] = 7 + level;
        row[4] = h.y[3 * ROWS - 1 - r] / 100;
        y[r] = level + 3 * h.y[r] - row[4] + sin((double)r);
    }
    hours_done(&h);
}

static double fitted(const struct linear_fit *f, const double *row)
{
    double y = f->intercept;
    for (size_t c = 0; c < COLS; c++)
        y += f->coef[c] * (row[c] - f->mean[c]) / f->std[c];
    return y;
}

/* What QR finds from all rows, whenever it is looked at; which of columns that depend on
 * one another is left out is for rounding to say. */
static void as_of_all_rows(void **state)
{
    (void)state;
    static const double levels[] = {0, 1013, -1e6};
    double x[ROWS * COLS], y[ROWS], again[ROWS * COLS];
    struct linear_fit f, want;
    for (size_t i = 0; i < N_OF(levels); i++) {
        struct triangle *t = triangle_new(COLS);
        rows(x, y, levels[i]);
        for (size_t n = 1; n <= ROWS; n++) {
            triangle_add(t, x + COLS * (n - 1), y[n - 1]);
            assert_int_equal(triangle_rows(t), n);
            if (n < 30 || n % 17)
                continue;
            memcpy(again, x, sizeof x);
            assert_int_equal(linear_qr(again, y, n, COLS, &want, NULL), 0);
            assert_int_equal(triangle_qr(t, &f, NULL), 0);
            assert_int_equal(__builtin_popcountll(f.dropped), 2);
            assert_int_equal(__builtin_popcountll(want.dropped), 2);
            assert_true(f.dropped & 8 && !(f.dropped & 16));
            assert_near(f.coef[4], want.coef[4], 1e-9);
            for (size_t r = 0; r < n; r++)
                assert_near(fitted(&f, x + COLS * r), fitted(&want, x + COLS * r), 1e-8);
            for (size_t c = 0; c < COLS; c++) {
                assert_near(f.mean[c], want.mean[c], 1e-9 + 1e-14 * fabs(levels[i]));
                assert_near(f.std[c], want.std[c], 1e-9);
            }
        }
        triangle_free(t);
    }
    triangle_free(NULL);
}

/* To the bit the same, however often it was asked in between. */
static void asking_changes_nothing(void **state)
{
    (void)state;
    double x[ROWS * COLS], y[ROWS];
    struct linear_fit f, g;
    struct triangle *asked = triangle_new(COLS), *not = triangle_new(COLS);
    rows(x, y, 20);
    for (size_t n = 0; n < ROWS; n++) {
        triangle_add(asked, x + COLS * n, y[n]);
        triangle_add(not, x + COLS * n, y[n]);
        if (n > COLS)
            assert_int_equal(triangle_qr(asked, &g, NULL), 0);
    }
    assert_int_equal(triangle_qr(not, &f, NULL), 0);
    assert_memory_equal(&f, &g, sizeof f);
    triangle_free(asked);
    triangle_free(not );
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct linear_fit f;
    struct triangle *t = triangle_new(2);
    for (int i = 0; i < 2; i++)
        triangle_add(t, (double[]){5, 5}, i);
    assert_int_equal(triangle_qr(t, &f, &e), -1);
    assert_string_equal(e.text,
                        "2 features cannot be fitted to 2 rows: more rows are needed");
    e = (struct err)ERR_INIT;
    for (int i = 0; i < 40; i++)
        triangle_add(t, (double[]){5, 5}, i);
    assert_int_equal(triangle_qr(t, &f, &e), -1);
    assert_string_equal(e.text, "all features are constant: there is nothing to fit");
    triangle_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_of_all_rows),
        cmocka_unit_test(asking_changes_nothing),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
