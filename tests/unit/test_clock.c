/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define NOV20 INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */

static void test_parse(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t t_ms;
    } rows[] = {
        {"2026-11-20T10:00:00Z", NOV20},
        {"2026-11-20T10:00:00.000Z", NOV20},
        {"2026-11-20t10:00:00z", NOV20},
        {"2026-11-20 10:00:00Z", NOV20},
        {"2026-11-20T10:00:00.123Z", NOV20 + 123},
        {"2026-11-20T10:00:00.1239Z", NOV20 + 123},
        {"2026-11-20T10:00:00.123456789Z", NOV20 + 123},
        {"2026-11-20T04:00:00-06:00", NOV20},
        {"2026-11-20T15:30:00+05:30", NOV20},
        {"1795168800", NOV20},
        {"1795168800.25", NOV20 + 250},
        {"1795168800000", NOV20},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1000},
        {"0", 0},
        {"-1", -1000},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2000-02-29T12:00:00Z", INT64_C(951825600000)},
        {"2016-12-31T23:59:60Z",
         INT64_C(1483228800000)}, /* a leap second is the next one */
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        int64_t t = 1;
        assert_ok(clock_parse(rows[i].text, "from", &t, &e), e);
        if (t != rows[i].t_ms)
            fail_msg("%s gave %lld", rows[i].text, (long long)t);
    }
}

static void test_parse_refuses(void **unused)
{
    (void)unused;
    static const char *const rows[] = {
        "",
        " ",
        "now",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "0x10",
        " 1795168800",
        "1795168800 ",
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-13-20T10:00:00Z",
        "2026-00-20T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2026-11-31T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:00:61Z",
        "2026-11-20T10:00:00.Z",
        "2026-11-20T10:00:00+5:30",
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00Zx",
        "+2026-11-20T10:00:00Z",
        "99999999999999999999",
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        int64_t t;
        if (clock_parse(rows[i], "from", &t, &e) != -1)
            fail_msg("\"%s\" was taken", rows[i]);
    }
    struct err e = ERR_INIT;
    int64_t t;
    assert_failed(
        clock_parse("soon", "from", &t, &e), e, ERR_INVALID,
        "from must be a time such as 2026-11-20T10:00:00Z, epoch seconds or epoch "
        "milliseconds, not \"soon\"");
}

static void test_format(void **unused)
{
    (void)unused;
    static const struct {
        int64_t t_ms;
        const char *text;
    } rows[] = {
        {NOV20, "2026-11-20T10:00:00.000Z"},
        {NOV20 + 7, "2026-11-20T10:00:00.007Z"},
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    char out[CLOCK_RFC3339_SIZE];
    for (size_t i = 0; i < N_OF(rows); i++)
        assert_string_equal(clock_format(rows[i].t_ms, out), rows[i].text);
    /* and back, over four centuries, in steps that hit every weekday and month */
    for (int64_t t = INT64_C(-6e12); t < INT64_C(7e12); t += INT64_C(40003) * 86400 * 7) {
        struct err e = ERR_INIT;
        int64_t back;
        assert_ok(clock_parse(clock_format(t, out), "t", &back, &e), e);
        assert_true(back == t);
    }
}

static void test_hours(void **unused)
{
    (void)unused;
    assert_true(clock_hour_floor(NOV20) == NOV20);
    assert_true(clock_hour_floor(NOV20 + HOUR_MS - 1) == NOV20);
    assert_true(clock_hour_floor(-1) == -HOUR_MS);
    assert_true(clock_hour_floor(-HOUR_MS) == -HOUR_MS);
    const int64_t grace = 120000;
    assert_true(clock_last_complete_hour(NOV20 + grace - 1, grace) ==
                NOV20 - 2 * HOUR_MS);
    assert_true(clock_last_complete_hour(NOV20 + grace, grace) == NOV20 - HOUR_MS);
    assert_true(clock_last_complete_hour(NOV20, 0) == NOV20 - HOUR_MS);
}

static void test_a_clock_that_was_ahead(void **unused)
{
    (void)unused;
    assert_false(clock_was_ahead(INT64_MIN, NOV20)); /* no mark yet */
    assert_false(clock_was_ahead(INT64_MIN, -NOV20));
    assert_false(clock_was_ahead(NOV20 - HOUR_MS, NOV20));
    assert_false(clock_was_ahead(NOV20 + HOUR_MS, NOV20)); /* set a little: waited for */
    assert_true(clock_was_ahead(NOV20 + HOUR_MS + 1, NOV20));
    assert_true(clock_was_ahead(NOV20 + 4 * 366 * 24 * HOUR_MS, NOV20));
}

static void write_clock(const char *path, const char *text)
{
    char fresh[80];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *f = fopen(fresh, "w");
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(fresh, path), 0);
    clock_sleep_ms(5); /* the file is looked at every 2 ms */
}

/* The last test: the clock stays virtual. */
static void test_virtual(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_ok(clock_init("", &e), e);
    assert_false(clock_is_virtual());
    assert_true(llabs(clock_now_ms() - (int64_t)time(NULL) * 1000) < 2000);

    assert_int_equal(clock_init("/nonexistent/clock", &e), -1);
    assert_string_equal(e.text,
                        "could not read the clock file /nonexistent/clock: No such file "
                        "or directory");
    char path[64], want[200];
    static const char *const bad[] = {"",
                                      "now 1",
                                      "1795168800000",
                                      "1795168800000 -1",
                                      "1795168800000 2000000",
                                      "1795168800000 nan",
                                      "-1000 0",
                                      "99999999999999999999 0"};
    for (size_t i = 0; i < N_OF(bad); i++) {
        temp_file(path, bad[i]);
        snprintf(
            want, sizeof want,
            "the clock file %s must hold \"EPOCH_MS SPEED\", up to the year 2200, with "
            "a speed of 0 to 1000000",
            path);
        assert_failed(clock_init(path, &e), e, ERR_INVALID, want);
        unlink(path);
    }
    temp_file(path, "1795168800000 0\n");
    assert_ok(clock_init(path, &e), e);
    assert_true(clock_is_virtual());
    assert_true(clock_now_ms() == NOV20);
    clock_sleep_ms(5);
    assert_true(clock_now_ms() == NOV20); /* stands still */
    write_clock(path, "1795172400000 0\n");
    assert_true(clock_now_ms() == NOV20 + HOUR_MS);
    write_clock(path, "rubbish\n"); /* the last good one holds */
    assert_true(clock_now_ms() == NOV20 + HOUR_MS);
    write_clock(path,
                "1795168800000 3600\n"); /* an hour a second; backwards is possible */
    int64_t a = clock_now_ms(), m = clock_mono_us();
    clock_sleep_ms(50);
    int64_t real_us = clock_mono_us() - m, b = clock_now_ms();
    assert_true(a >= NOV20 && a < NOV20 + 3600 * 1000);
    assert_true(llabs((b - a) - real_us * 3600 / 1000) < 3600 * 20);
    unlink(path); /* gone: goes on from what it knows */
    clock_sleep_ms(5);
    assert_true(clock_now_ms() >= b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_a_clock_that_was_ahead),
        cmocka_unit_test(test_virtual),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
