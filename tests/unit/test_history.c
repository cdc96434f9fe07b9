/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/clock.h"
#include "services/predictor/history.h"

#define T0 INT64_C(1795176000000)

static int64_t at(int hour)
{
    return T0 + hour * HOUR_MS;
}

static void test_empty(void **unused)
{
    (void)unused;
    struct history *h = history_new(5);
    double y[8];
    int64_t t = 0;
    assert_int_equal(history_hours(h), 5);
    assert_false(history_newest(h, INT64_MAX, &t));
    assert_int_equal(history_copy(h, at(0), y, 8), 0);
    assert_false(history_put(h, at(0), NAN)); /* a missing hour says nothing */
    assert_false(history_newest(h, INT64_MAX, &t));
    history_free(h);
    history_free(NULL);
}

static void test_gaps_and_order(void **unused)
{
    (void)unused;
    struct history *h = history_new(5);
    double y[8];
    int64_t t;
    assert_true(history_put(h, at(0), 10));
    assert_true(history_put(h, at(3), 13));
    assert_true(history_put(h, at(1), 11));  /* late */
    assert_false(history_put(h, at(1), 11)); /* the same again */
    assert_true(history_put(h, at(1), 11.5));
    assert_false(history_put(h, at(1) + 1, 7)); /* not a whole hour */
    assert_int_equal(history_copy(h, at(3), y, 8), 4);
    assert_true(y[0] == 10 && y[1] == 11.5 && isnan(y[2]) && y[3] == 13);
    assert_true(history_newest(h, INT64_MAX, &t));
    assert_int_equal(t, at(3));
    assert_true(history_newest(h, at(2), &t));
    assert_int_equal(t, at(1));
    assert_false(history_newest(h, at(-1), &t));
    /* as of an hour that is missing: the gap is at the end */
    assert_int_equal(history_copy(h, at(2), y, 8), 3);
    assert_true(isnan(y[2]));
    /* no more than asked for, the newest ones */
    assert_int_equal(history_copy(h, at(3), y, 2), 1);
    assert_true(y[0] == 13);
    history_free(h);
}

static void test_ring(void **unused)
{
    (void)unused;
    struct history *h = history_new(5);
    double y[8];
    int64_t t;
    for (int i = -3; i < 20; i++)
        assert_true(history_put(h, at(i), i));
    assert_false(history_put(h, at(14), 99)); /* older than the ring */
    assert_int_equal(history_copy(h, at(19), y, 8), 5);
    assert_true(y[0] == 15 && y[4] == 19);
    assert_int_equal(history_copy(h, at(17), y, 8), 3);
    assert_true(y[0] == 15 && y[2] == 17);
    assert_int_equal(history_copy(h, at(14), y, 8), 0);
    assert_false(history_newest(h, at(14), &t));
    /* a jump over more than the ring forgets all */
    assert_true(history_put(h, at(40), 40));
    assert_int_equal(history_copy(h, at(40), y, 8), 1);
    assert_true(y[0] == 40);
    /* and a step of a few hours leaves gaps where they are */
    assert_true(history_put(h, at(43), 43));
    assert_int_equal(history_copy(h, at(43), y, 8), 4);
    assert_true(y[0] == 40 && isnan(y[1]) && isnan(y[2]) && y[3] == 43);
    history_free(h);
}

static void test_before_1970(void **unused)
{
    (void)unused;
    struct history *h = history_new(3);
    double y[4];
    for (int i = -4; i <= 1; i++)
        history_put(h, i * HOUR_MS, i);
    assert_int_equal(history_copy(h, HOUR_MS, y, 4), 3);
    assert_true(y[0] == -1 && y[1] == 0 && y[2] == 1);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_gaps_and_order),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_before_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
