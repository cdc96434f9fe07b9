/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/dropped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct metrics *metrics;
static struct dropped d;

static int setup(void **unused)
{
    (void)unused;
    metrics = metrics_new("test");
    dropped_init(&d, metrics);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    metrics_free(metrics);
    return 0;
}

static int64_t note(const char *text, int64_t at_ms)
{
    return dropped_note(&d, text, strlen(text), at_ms);
}

static void test_growth(void **unused)
{
    (void)unused;
    assert_int_equal(note("0", 1000), 0);
    assert_int_equal(note("0", 11000), 0);
    assert_int_equal(note("12", 21000), 12);
    assert_int_equal(note("12", 31000), 0);
    assert_true(metric_value(d.gauge) == 12);
}

/* What was dropped before we came was dropped for us, as likely as not. */
static void test_first_value(void **unused)
{
    (void)unused;
    assert_int_equal(note("7", 5), 7);
    assert_int_equal(note("7", 200000), 0);
}

static void test_once_a_minute(void **unused)
{
    (void)unused;
    assert_int_equal(note("5", 0), 5);
    assert_int_equal(note("9", DROPPED_WARN_MS - 1), 0);
    assert_true(metric_value(d.gauge) == 9);
    assert_int_equal(note("10", DROPPED_WARN_MS), 5);
    assert_int_equal(note("10", 3 * DROPPED_WARN_MS), 0);
}

static void test_broker_restarted(void **unused)
{
    (void)unused;
    assert_int_equal(note("100", 0), 100);
    assert_int_equal(note("0", DROPPED_WARN_MS), 0);
    assert_int_equal(note("3", 2 * DROPPED_WARN_MS), 3);
    assert_int_equal(note("2", 4 * DROPPED_WARN_MS), 2);
}

static void test_nonsense(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "", "-1", "x", "1.5", " 1", "1 ", "+1", "1e", "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (note(bad[i], 0) != 0)
            fail_msg("\"%s\" was taken for a number", bad[i]);
    assert_int_equal(dropped_note(&d, "1\0", 2, 0), 0);
    assert_false(d.known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_growth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_once_a_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broker_restarted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown)};
    return cmocka_run_group_tests_name("dropped", tests, NULL, NULL);
}
