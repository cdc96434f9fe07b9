/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_parse(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"250ms", 250},
                 {"5s", 5000},
                 {"5m", 300000},
                 {"1.5h", 5400000},
                 {"2d", 172800000},
                 {"6w", INT64_C(3628800000)},
                 {"0s", 0},
                 {".5s", 500},
                 {"5.s", 5000},
                 {"0.0005s", 1},
                 {"36500d", DURATION_MAX_MS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        struct err e = ERR_INIT;
        assert_int_equal(duration_parse(cases[i].text, "--every", &ms, &e), 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void test_refusals(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"",       "5",    "m",    "-5m",  "5 m",
                                      "5M",     "1e3s", "infs", "nans", "0x10s",
                                      "1.2.3s", "5mm",  ".s",   "+5m"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -1;
        struct err e = ERR_INIT;
        assert_int_equal(duration_parse(bad[i], "--every", &ms, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(ms, -1);
    }
    int64_t ms;
    struct err e = ERR_INIT;
    assert_int_equal(duration_parse("5x", "--every", &ms, &e), -1);
    assert_string_equal(e.text,
                        "--every must be a number and a unit (ms, s, m, h, d, w) such "
                        "as 5m or 6w, not \"5x\"");
    e = (struct err)ERR_INIT;
    assert_int_equal(duration_parse("5300w", "--every", &ms, &e), -1);
    assert_string_equal(e.text, "--every must be at most 100 years, not \"5300w\"");
    assert_int_equal(
        duration_parse("999999999999999999999999999999999999w", "x", &ms, NULL), -1);
}

static void test_format(void **unused)
{
    (void)unused;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0 ms"},
                 {850, "850 ms"},
                 {12999, "12 s"},
                 {60000, "1 min"},
                 {185000, "3 min 5 s"},
                 {7500000, "2 h 5 min"},
                 {86400000, "1 d"},
                 {97200000, "1 d 3 h"},
                 {INT64_C(3628800000), "42 d"},
                 {-185000, "-3 min 5 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[DURATION_TEXT_SIZE];
        assert_string_equal(duration_format(cases[i].ms, out), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_format)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
