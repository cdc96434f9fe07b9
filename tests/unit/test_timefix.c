/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "services/ingest/timefix.h"

#define NOW INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */
#define S 1795168800.0
#define DAY INT64_C(86400000)
#define Y2000 946684800.0

static const struct timefix fix = {
    .past_ms = 400 * DAY, .future_ms = 600000, .local_min = 0};

static int64_t said; /* the device's own word, where another time is taken */

static enum time_source of_number(double x, int64_t *t)
{
    struct raw_time raw = {.kind = RAW_TIME_NUMBER, .number = x};
    return timefix(&fix, &raw, NULL, NOW, t, &said);
}

static enum time_source of_text(const struct timefix *f, const char *text, int64_t *t)
{
    struct raw_time raw = {.kind = RAW_TIME_TEXT};
    strcpy(raw.text, text);
    return timefix(f, &raw, NULL, NOW, t, &said);
}

static void test_numbers(void **unused)
{
    (void)unused;
    static const struct {
        double x;
        enum time_source source;
        int64_t t_ms;
    } table[] = {
        {S, TIME_DEVICE, NOW},
        {S - 0.5, TIME_DEVICE, NOW - 500},
        {S * 1e3, TIME_DEVICE, NOW},
        {S * 1e6, TIME_DEVICE, NOW},
        {S * 1e9, TIME_DEVICE, NOW},
        {S - 400 * 86400, TIME_DEVICE,
         NOW - 400 * DAY}, /* the window's ends belong to it */
        {S - 400 * 86400 - 1, TIME_IMPLAUSIBLE, NOW},
        {S + 600, TIME_DEVICE, NOW + 600000},
        {S + 601, TIME_IMPLAUSIBLE, NOW},
        {S - Y2000, TIME_DEVICE_2000, NOW}, /* counted from 2000 */
        {(S - Y2000) * 1000, TIME_DEVICE_2000, NOW},
        {S - Y2000 - 86400, TIME_DEVICE_2000, NOW - DAY},
        {0, TIME_IMPLAUSIBLE, NOW}, /* boot clocks */
        {1234, TIME_IMPLAUSIBLE, NOW},
        {Y2000 + 60, TIME_IMPLAUSIBLE, NOW},
        {-1, TIME_IMPLAUSIBLE, NOW},
        {1e300, TIME_UNREADABLE, NOW},
        {-9e18, TIME_IMPLAUSIBLE, NOW},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        int64_t t = -1;
        enum time_source s = of_number(table[i].x, &t);
        if (s != table[i].source || t != table[i].t_ms)
            fail_msg("%.17g: %s at %lld", table[i].x, time_source_name(s), (long long)t);
        if (time_source_is_arrival(s))
            assert_int_equal(t, NOW);
    }
}

static void test_texts(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        enum time_source source;
        int64_t t_ms;
    } table[] = {
        {"2026-11-20T10:00:00Z", TIME_DEVICE, NOW},
        {"2026-11-20T11:00:00+01:00", TIME_DEVICE, NOW},
        {"2026-11-20T09:59:59.5", TIME_DEVICE, NOW - 500},
        {"2026-11-20T09:59:59.500123", TIME_DEVICE, NOW - 500},
        {"2026-11-20T09:59:59.500023242+00:00", TIME_DEVICE, NOW - 500},
        {"2026-11-20T09:59:59.500787212Z", TIME_DEVICE, NOW - 500},
        {"2026-11-20 10:00:00", TIME_DEVICE, NOW},
        {"2026-11-20T10:00", TIME_DEVICE, NOW},
        {"1795168800", TIME_DEVICE, NOW},
        {"1795168800000", TIME_DEVICE, NOW},
        {"2019-01-01T00:00:00", TIME_IMPLAUSIBLE, NOW},
        {"1970-01-01T00:00:00Z", TIME_IMPLAUSIBLE, NOW},
        {"yesterday", TIME_UNREADABLE, NOW},
        {"", TIME_UNREADABLE, NOW},
        {"2026-13-20T10:00:00Z", TIME_UNREADABLE, NOW},
        {"2026-11-20", TIME_UNREADABLE, NOW},
        {"nan", TIME_UNREADABLE, NOW},
        {"0x6b000000", TIME_UNREADABLE, NOW},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        int64_t t = -1;
        enum time_source s = of_text(&fix, table[i].text, &t);
        if (s != table[i].source || t != table[i].t_ms)
            fail_msg("\"%s\": %s at %lld", table[i].text, time_source_name(s),
                     (long long)t);
    }
}

static void test_local_time(void **unused)
{
    (void)unused;
    struct timefix merida = fix;
    int64_t t;
    merida.local_min = -360;
    assert_int_equal(of_text(&merida, "2026-11-20T04:00:00", &t), TIME_DEVICE);
    assert_int_equal(t, NOW);
    /* a zone in the text wins */
    assert_int_equal(of_text(&merida, "2026-11-20T10:00:00Z", &t), TIME_DEVICE);
    assert_int_equal(t, NOW);
}

static void test_no_time(void **unused)
{
    (void)unused;
    struct raw_time raw = {.kind = RAW_TIME_NONE};
    int64_t t = -1;
    assert_int_equal(timefix(&fix, &raw, NULL, NOW, &t, &said), TIME_NONE);
    assert_int_equal(t, NOW);
    assert_string_equal(time_source_name(TIME_DEVICE_2000), "device_since_2000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_local_time),
        cmocka_unit_test(test_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
