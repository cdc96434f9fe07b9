/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/ml/dataset.h"
#include "tests/unit/near.h"

#define T0 INT64_C(1795132800)

static struct hours make(size_t n, const double *y)
{
    struct hours h;
    assert_int_equal(hours_init(&h, T0, n, NULL), 0);
    if (y)
        memcpy(h.y, y, n * sizeof *y);
    return h;
}

static void limits(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    assert_int_equal(hours_init(&h, T0, 0, &e), -1);
    assert_string_equal(e.text, "a series must have 1 to 87600 hours, not 0");
    assert_int_equal(hours_init(&h, T0, HOURS_MAX + 1, &e), -1);
    assert_int_equal(hours_init(&h, T0 + 1, 5, &e), -1);
    assert_string_equal(e.text,
                        "a series must start on a whole hour of the years 1970 to "
                        "9999, not at 1795132801 s");
    assert_int_equal(hours_init(&h, -3600, 5, &e), -1);
    assert_int_equal(hours_init(&h, INT64_MAX / 3600 * 3600, 5, &e), -1);
    hours_done(&h);
    hours_done(&h);
}

static void set_and_count(void **state)
{
    (void)state;
    struct hours h = make(4, NULL);
    assert_int_equal(hours_complete(&h), 0);
    assert_true(hours_empty(&h));
    assert_int_equal(hours_set(&h, T0 + 3600, 2.5), 0);
    assert_int_equal(hours_set(&h, T0 - 3600, 1), -1);
    assert_int_equal(hours_set(&h, T0 + 4 * 3600, 1), -1);
    assert_int_equal(hours_set(&h, T0 + 1800, 1), -1);
    assert_int_equal(hours_set(&h, T0, INFINITY), -1);
    assert_int_equal(hours_set(&h, T0, NAN), -1);
    assert_int_equal(hours_complete(&h), 1);
    assert_false(hours_empty(&h));
    struct hours c;
    assert_int_equal(hours_copy(&c, &h, NULL), 0);
    assert_true(c.y != h.y && c.y[1] == 2.5 && isnan(c.y[0]));
    hours_done(&c);
    hours_done(&h);
}

static void believed(void **state)
{
    (void)state;
    static const struct {
        double newest, low, high;
        size_t n;
        double want;
    } cases[] = {
        {20, 10, 30, 200, 20},
        {50, 10, 30, 200, 50},
        {50.1, 10, 30, 200, 30},
        {-10, 10, 30, 200, -10},
        {-10.1, 10, 30, 200, 10},
        {500, 10, 30, 168, 30},
        {500, 10, 30, 167, 500},
        {500, 30, 30, 200, 500},
        {500, INFINITY, -INFINITY, 200, 500},
        {1e100, 0, 1, 1344, 1},
        {-1e308, 0, 1e308, 200, -1e308},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(hours_believed(cases[i].newest, cases[i].low, cases[i].high,
                                   cases[i].n) == cases[i].want);
    assert_true(isnan(hours_believed(NAN, 10, 30, 200)));
}

static void trim(void **state)
{
    (void)state;
    const double y[] = {NAN, NAN, 1, NAN, 3, NAN};
    struct hours h = make(6, y);
    hours_trim(&h);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.start_s, T0 + 2 * 3600);
    assert_true(h.y[0] == 1 && isnan(h.y[1]) && h.y[2] == 3);
    hours_keep_last(&h, 1);
    assert_true(h.n == 1 && h.y[0] == 3 && h.start_s == T0 + 4 * 3600);
    hours_done(&h);
    h = make(3, NULL);
    hours_trim(&h);
    assert_int_equal(h.n, 0);
    hours_done(&h);
}

static void interpolation(void **state)
{
    (void)state;
    const double y[] = {NAN, 1, NAN, NAN, NAN, 5, NAN, NAN, NAN, NAN, 0, NAN};
    struct hours h = make(12, y);
    assert_int_equal(hours_interpolate(&h, 3), 3);
    assert_true(isnan(h.y[0]) && h.y[2] == 2 && h.y[3] == 3 && h.y[4] == 4);
    for (int i = 6; i < 10; i++)
        assert_true(isnan(h.y[i]));
    assert_true(isnan(h.y[11]));
    assert_int_equal(hours_interpolate(&h, 4), 4);
    assert_near(h.y[6], 4, 1e-15);
    assert_int_equal(series_interpolate(h.y, 0, 3), 0);
    hours_done(&h);
}

static void canonical(void **state)
{
    (void)state;
    struct hours h = make(2, NULL);
    h.y[0] = 1.5;
    h.y[1] = -NAN; /* another bit pattern than NAN */
    size_t len;
    unsigned char *p = hours_canonical(&h, &len);
    static const unsigned char want[32] = {
        0x80, 0x8d, 0xff, 0x6a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,
        0x90, 0x9b, 0xff, 0x6a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
    assert_int_equal(len, 32);
    assert_memory_equal(p, want, 32);
    free(p);
    char a[SHA256_HEX_SIZE], b[SHA256_HEX_SIZE];
    hours_sha256(&h, a);
    h.y[1] = NAN;
    hours_sha256(&h, b);
    assert_string_equal(a, b);
    h.y[1] = 0;
    hours_sha256(&h, b);
    assert_string_not_equal(a, b);
    hours_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),    cmocka_unit_test(set_and_count),
        cmocka_unit_test(trim),      cmocka_unit_test(interpolation),
        cmocka_unit_test(canonical), cmocka_unit_test(believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
