/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/ml/model.h"
#include "tools/series.h"
#include "tools/site.h"

#define SPRING                                                                           \
    INT64_C(1774746000) /* 2026-03-29T01:00Z: Vienna goes from 1 h to 2 h ahead */
#define AUTUMN INT64_C(1792890000) /* 2026-10-25T01:00Z: and back */

static void offsets(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct zone z;
    assert_ok(site_set("Europe/Vienna", &e), e);
    site_zone("Europe/Vienna", SPRING - 86400, AUTUMN + 86400, &z);
    assert_string_equal(z.name, "Europe/Vienna");
    assert_int_equal(z.n, 3);
    assert_int_equal(z.span[0].offset_s, 3600);
    assert_int_equal(z.span[1].from_s, SPRING);
    assert_int_equal(z.span[1].offset_s, 7200);
    assert_int_equal(z.span[2].from_s, AUTUMN);
    site_zone("Europe/Vienna", 0, AUTUMN,
              &z); /* half a century: the latest eleven years */
    assert_true(z.n <= ZONE_SPANS_MAX);
    assert_int_equal(zone_offset(&z, AUTUMN - 1), 7200);
    assert_ok(site_set("Asia/Kolkata", &e), e);
    site_zone("Asia/Kolkata", SPRING, AUTUMN, &z);
    assert_int_equal(z.n, 1);
    assert_int_equal(z.span[0].offset_s, 19800);
}

static void refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Europe/Wien", "Europe",   "../../etc/passwd",
                                        "/etc/passwd", "./UTC",    "",
                                        "tzdata.zi",   "zone.tab", "Factory"};
    for (size_t i = 0; i < N_OF(wrong); i++) {
        char want[128];
        struct err e = ERR_INIT;
        snprintf(want, sizeof want,
                 "--tz \"%s\" is no time zone: one is called like Europe/Vienna",
                 wrong[i]);
        assert_failed(site_set(wrong[i], &e), e, ERR_INVALID, want);
    }
}

/* Four changes a year: where there is no room for all, the latest stay. */
static void many_changes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct zone z;
    int64_t end_s = INT64_C(1514764800); /* 2018-01-01 */
    assert_ok(site_set("Africa/Casablanca", &e), e);
    site_zone("Africa/Casablanca", end_s - 9 * 365 * INT64_C(86400), end_s, &z);
    assert_int_equal(z.n, ZONE_SPANS_MAX);
    assert_int_equal(zone_offset(&z, end_s), 0);
    assert_int_equal(zone_offset(&z, INT64_C(1501545600)), 3600); /* August 2017 */
    assert_int_equal(zone_offset(&z, INT64_C(1496275200)), 0);    /* June, Ramadan */
    for (size_t i = 1; i < z.n; i++)
        assert_true(z.span[i].from_s > z.span[i - 1].from_s);
}

/* Each series of a file has the clocks of its hours and of the two days behind them. */
static void series_of_a_file(void **state)
{
    (void)state;
    char path[64];
    struct err e = ERR_INIT;
    struct input_series one;
    temp_file(path, "time,value\n2026-03-28T23:00:00Z,1\n2026-03-29T00:00:00Z,2\n");
    for (int tz = 0; tz < 2; tz++) {
        struct input_file f = {.path = path, .tz = tz ? "Europe/Vienna" : NULL};
        assert_ok(input_file_check(&f, NULL, &e), e);
        struct series *s = series_open(&f, false, &e);
        assert_non_null(s);
        assert_int_equal(series_next(s, &one, &e), 1);
        if (tz)
            assert_int_equal(zone_offset(one.h.zone, SPRING + 3600), 7200);
        else
            assert_null(one.h.zone);
        input_series_done(&one);
        series_close(s);
    }
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),
        cmocka_unit_test(refused),
        cmocka_unit_test(many_changes),
        cmocka_unit_test(series_of_a_file),
    };
    return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
