/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Devices whose clocks are wrong in the ways there are, message by message: from when on
 * their times are right, and that nothing else is learnt. */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/clock.h"
#include "services/ingest/timefix.h"

#define START INT64_C(1795168800000) /* 2026-11-20T10:00:00Z */
#define MIN INT64_C(60000)
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static const struct timefix fix = {.past_ms = 400 * DAY, .future_ms = 600000};

/* A message sent at sent_ms whose text is local time, zone_min ahead. */
static enum time_source local(struct device_clock *c, int64_t sent_ms, int zone_min,
                              int64_t now_ms, int64_t *t_ms)
{
    struct raw_time raw = {.kind = RAW_TIME_TEXT};
    char text[CLOCK_RFC3339_SIZE];
    int64_t said_ms;
    clock_format(sent_ms + zone_min * MIN, text);
    snprintf(raw.text, sizeof raw.text, "%.19s", text); /* 2026-11-20T10:00:00 */
    return timefix(&fix, &raw, c, now_ms, t_ms, &said_ms);
}

static enum time_source number(struct device_clock *c, double x, int64_t now_ms,
                               int64_t *t_ms)
{
    struct raw_time raw = {.kind = RAW_TIME_NUMBER, .number = x};
    int64_t said_ms;
    return timefix(&fix, &raw, c, now_ms, t_ms, &said_ms);
}

/* Every zone there is, at several cadences and delays: learnt after a minute and three
 * messages, and right from then on; before that the time is UTC or the arrival. */
static void test_zones_are_learnt(void **unused)
{
    (void)unused;
    static const int zones[] = {-720, -570, -300, -210, 60,  120,
                                330,  345,  525,  540,  765, 840};
    static const int64_t every[] = {5000, 10000, 60000, 300000};
    for (size_t z = 0; z < N_OF(zones); z++)
        for (size_t k = 0; k < N_OF(every); k++) {
            struct device_clock c = {0};
            int right = 0;
            for (int i = 0; i < 40; i++) {
                int64_t sent = START + i * every[k], now = sent + 300 + i * 37 % 5000, t;
                enum time_source s = local(&c, sent, zones[z], now, &t);
                bool ok = t == sent && s == TIME_DEVICE_ZONE;
                if (right && !ok)
                    fail_msg("zone %d: message %d was wrong again", zones[z], i);
                right += ok;
                if (!ok)
                    assert_true(t == now || t == sent + zones[z] * MIN);
            }
            assert_true(right >= 40 - (int)(1 + MIN / every[k]) - CLOCK_LEARN);
            assert_int_equal(c.zone_ms, zones[z] * MIN);
        }
}

static void test_utc_without_a_zone_is_utc(void **unused)
{
    (void)unused;
    struct device_clock c = {0};
    int64_t t;
    for (int i = 0; i < 20; i++) {
        int64_t sent = START + i * 10000;
        assert_int_equal(local(&c, sent, 0, sent + 200, &t), TIME_DEVICE);
        assert_int_equal(t, sent);
    }
    assert_true(c.zone_known);
    assert_int_equal(c.zone_ms, 0);
}

static void test_summer_time(void **unused)
{
    (void)unused;
    struct device_clock c = {0};
    int64_t t;
    int wrong = 0;
    for (int i = 0; i < 200; i++) {
        int64_t sent = START + i * MIN;
        local(&c, sent, i < 100 ? 120 : 60, sent + 500, &t);
        wrong += i > 3 && t != sent;
    }
    assert_in_range(wrong, 1, CLOCK_LEARN);
    assert_int_equal(c.zone_ms, HOUR);
}

/* A file of old readings without zones, sent as fast as it goes: taken as they are. */
static void test_a_replay_teaches_nothing(void **unused)
{
    (void)unused;
    static const int64_t step[] = {1000, 10000, 60000, 300000, 600000};
    for (size_t k = 0; k < N_OF(step); k++) {
        struct device_clock c = {0};
        for (int64_t i = 0; i < 20000; i++) {
            int64_t sent = START - 30 * DAY + i * step[k], now = START + i / 2, t;
            if (sent > now - MIN)
                break;
            assert_int_equal(local(&c, sent, 0, now, &t), TIME_DEVICE);
            assert_int_equal(t, sent);
        }
        assert_false(c.zone_known);
    }
}

static void test_a_known_zone_holds_for_what_comes_late(void **unused)
{
    (void)unused;
    struct device_clock c = {0};
    int64_t t;
    for (int i = 0; i < 20; i++)
        local(&c, START + i * MIN, 120, START + i * MIN + 100, &t);
    for (int i = 0; i < 500; i++) { /* its outbox, after a night without a broker */
        int64_t sent = START + HOUR + i * MIN, now = START + 12 * HOUR + i * 20;
        assert_int_equal(local(&c, sent, 120, now, &t), TIME_DEVICE_ZONE);
        assert_int_equal(t, sent);
    }
}

/* Time since the device woke up, in three units, with a restart in the middle. */
static void test_time_since_start(void **unused)
{
    (void)unused;
    static const double units[] = {1000, 1, 1e-3}; /* s, ms, us */
    static const int64_t every[] = {10000, 60000, 300000};
    for (size_t u = 0; u < N_OF(units); u++)
        for (size_t k = 0; k < N_OF(every); k++) {
            struct device_clock c = {0};
            int right = 0, n = 100;
            for (int i = 0; i < n; i++) {
                int64_t sent = START + i * every[k], now = sent + 200 + i * 41 % 1500, t;
                int64_t woke = START - 7000 + (i >= 50 ? 50 * every[k] : 0);
                enum time_source s =
                    number(&c, floor((double)(sent - woke) / units[u]), now, &t);
                assert_true(t <= now);
                if (s == TIME_DEVICE_OFFSET && llabs(t - sent) <= 2500)
                    right++;
                else if (s != TIME_IMPLAUSIBLE || t != now)
                    fail_msg("unit %g, every %lld: message %d is %lld ms off", units[u],
                             (long long)every[k], i, (long long)(t - sent));
            }
            int64_t learning = 2 + MIN / every[k] + CLOCK_LEARN;
            assert_true(right >= n - 2 * learning);
        }
}

/* A clock that stands, one that jumps about: arrival, always. */
static void test_what_is_no_clock(void **unused)
{
    (void)unused;
    struct device_clock stands = {0}, jumps = {0};
    uint64_t seed = 1;
    int64_t t;
    for (int i = 0; i < 2000; i++) {
        int64_t now = START + i * 30000;
        assert_int_equal(number(&stands, 1234, now, &t), TIME_IMPLAUSIBLE);
        assert_int_equal(t, now);
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        assert_int_equal(number(&jumps, (double)(seed >> 40), now, &t), TIME_IMPLAUSIBLE);
        assert_int_equal(t, now);
    }
    struct device_clock c = {0};
    static const double odd[] = {0, -1, 1e18, -9e18, 9.1e18, 1e-300, 1234567, NAN};
    for (int i = 0; i < 1000; i++) /* nothing breaks */
        number(&c, odd[i % (int)N_OF(odd)], START + i * 1000, &t);
}

static void test_skew_and_drift(void **unused)
{
    (void)unused;
    struct device_clock c = {0};
    int64_t t;
    assert_true(isnan(device_clock_drift_ppm(&c)));
    for (int64_t i = 0; i < 6 * 360; i++) { /* six hours, 100 ppm slow, 2 s behind */
        int64_t now = START + i * 10000;
        double behind = 2000 + (double)(i * 10000) * 100e-6;
        int64_t delay = i % 7 ? i * 131 % 4000 : 0;
        number(&c, (double)(now - delay) - behind, now, &t);
    }
    assert_in_range(c.skew_ms, 2000 + 1900, 2000 + 2400);
    assert_true(fabs(device_clock_drift_ppm(&c) - 100) < 5);
}

/* Ours, not the device's: it was right all the time. */
static void test_our_clock_was_ahead(void **unused)
{
    (void)unused;
    struct device_clock c = {0};
    int64_t t, ahead = START + INT64_C(126000000000); /* four years */
    for (int i = 0; i < 200; i++)
        device_clock_note(&c, ahead + i * 10000 - 3000, ahead + i * 10000);
    for (int i = 0; i < 500; i++) /* a zone that was about to be learnt */
        device_clock_zone(&c, ahead + i * 10000 + 7200000, ahead + i * 10000 - 50000);
    c.zone_known = false;
    for (int i = 0; i < 200; i++)
        device_clock_note(&c, START + i * 10000 - 70, START + i * 10000);
    assert_int_equal(c.skew_ms, 70);
    assert_true(c.first_ms < ahead && c.last_ms < ahead);
    for (int i = 0; i < 10; i++)
        t = device_clock_zone(&c, START + i * 10000 + 7200000, START + i * 10000);
    assert_true(t == START + 90000 && c.zone_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones_are_learnt),
        cmocka_unit_test(test_utc_without_a_zone_is_utc),
        cmocka_unit_test(test_summer_time),
        cmocka_unit_test(test_a_replay_teaches_nothing),
        cmocka_unit_test(test_a_known_zone_holds_for_what_comes_late),
        cmocka_unit_test(test_time_since_start),
        cmocka_unit_test(test_what_is_no_clock),
        cmocka_unit_test(test_skew_and_drift),
        cmocka_unit_test(test_our_clock_was_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
