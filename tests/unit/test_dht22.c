/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "firmware/main/dht22.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* What surrounds the 40 bits in a recording. */
enum { RELEASE = 1, START = 2, HALF_START = 4, END = 8, IDLE = 16 };

/* A small generator of its own, so that a failing frame can be made again. */
static uint32_t rnd(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* length +- spread */
static uint16_t jitter(int length, int spread, uint32_t *state)
{
    return (uint16_t)(length +
                      (spread ? (int)(rnd(state) % (2u * spread + 1)) - spread : 0));
}

/* Encodes the way the sensor does; returns the number of pulses. */
static size_t encode(uint16_t us[128], uint16_t humidity, uint16_t temp, int around,
                     int spread, uint32_t *state)
{
    uint8_t b[5] = {(uint8_t)(humidity >> 8), (uint8_t)humidity, (uint8_t)(temp >> 8),
                    (uint8_t)temp, 0};
    b[4] = (uint8_t)(b[0] + b[1] + b[2] + b[3]);
    size_t n = 0;
    if (around & RELEASE)
        us[n++] = jitter(30, spread, state);
    if (around & START)
        us[n++] = jitter(80, spread, state);
    if (around & (START | HALF_START))
        us[n++] = jitter(80, spread, state);
    for (int bit = 0; bit < 40; bit++) {
        bool one = b[bit / 8] >> (7 - bit % 8) & 1;
        us[n++] = jitter(50, spread, state);
        us[n++] = jitter(one ? 71 : 26, spread, state);
    }
    if (around & END)
        us[n++] = jitter(50, spread, state);
    if (around & IDLE)
        us[n++] = 0;
    return n;
}

static const int surroundings[] = {
    0,   START,      START | END,        RELEASE | START | END,        HALF_START | END,
    END, HALF_START, START | END | IDLE, RELEASE | START | END | IDLE,
};
enum { N_SURROUNDINGS = sizeof surroundings / sizeof *surroundings };

/* A frame as a logic analyser shows it: 65.2 %, 35.1 degC, stretched lows between bytes.
 */
static const uint16_t recorded[] = {
    81, 79,                                                         /* start */
    54, 24, 50, 23, 51, 24, 50, 24, 51, 23, 50, 24, 51, 71, 51, 23, /* 0x02 */
    66, 70, 51, 24, 50, 23, 51, 24, 50, 70, 52, 71, 51, 23, 50, 24, /* 0x8c */
    65, 24, 50, 24, 51, 23, 51, 24, 50, 23, 50, 24, 51, 24, 50, 71, /* 0x01 */
    66, 24, 51, 71, 51, 23, 51, 70, 52, 71, 51, 70, 52, 71, 51, 71, /* 0x5f */
    65, 71, 51, 70, 51, 70, 51, 24, 50, 70, 51, 71, 51, 70, 52, 24, /* 0xee */
    53};

static void test_recorded(void **unused)
{
    (void)unused;
    struct dht22_reading r;
    size_t n = sizeof recorded / sizeof *recorded;
    assert_int_equal(dht22_decode(recorded, n, &r), DHT22_OK);
    assert_true(r.humidity_pct == 65.2);
    assert_true(r.temp_c == 35.1);
    assert_int_equal(dht22_decode(recorded + 1, n - 1, &r), DHT22_OK);
    assert_int_equal(dht22_decode(recorded + 2, n - 2, &r), DHT22_OK);
    assert_int_equal(dht22_decode(recorded + 2, n - 3, &r), DHT22_OK);
}

static void test_signs(void **unused)
{
    (void)unused;
    static const struct {
        uint16_t raw;
        double temp;
    } cases[] = {
        {0x0000, 0.0},   {0x8000, 0.0},   {0x0065, 10.1},  {0x8065, -10.1},
        {0x8001, -0.1},  {0x8190, -40.0}, {0x04e2, 125.0}, {0xff9b, -10.1},
        {0xffff, -0.1},  {0xfe70, -40.0}, {0x0f9b, -10.1}, {0x0fff, -0.1},
        {0x0e70, -40.0},
    };
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t us[128];
        size_t n = encode(us, 500, cases[i].raw, START | END, 0, &state);
        struct dht22_reading r;
        assert_int_equal(dht22_decode(us, n, &r), DHT22_OK);
        assert_true(r.temp_c == cases[i].temp);
        assert_false(__builtin_signbit(r.temp_c) && r.temp_c == 0);
    }
}

/* Every frame in range comes back, whatever surrounds it and with each pulse 9 us off. */
static void test_round_trip(void **unused)
{
    (void)unused;
    uint32_t state = 7;
    for (int k = 0; k < 20000; k++) {
        uint16_t humidity = (uint16_t)(rnd(&state) % 1001);
        int temp = (int)(rnd(&state) % 1651) - 400;
        bool ghost = (temp == 10 && humidity == 10) ||
                     (temp == 0 && humidity >= 10 && humidity <= 20);
        uint16_t raw = temp >= 0    ? (uint16_t)temp
                       : k % 3 == 0 ? (uint16_t)(0x8000 | -temp)
                       : k % 3 == 1 ? (uint16_t)temp
                                    : (uint16_t)temp & 0x0fff;
        uint16_t us[128];
        size_t n = encode(us, humidity, raw, surroundings[k % N_SURROUNDINGS], 9, &state);
        struct dht22_reading r;
        assert_int_equal(dht22_decode(us, n, &r), ghost ? DHT22_GHOST : DHT22_OK);
        if (!ghost) {
            assert_true(r.humidity_pct == humidity / 10.0);
            assert_true(r.temp_c == temp / 10.0);
        }
    }
}

static void test_truncated(void **unused)
{
    (void)unused;
    uint32_t state = 3;
    for (int s = 0; s < N_SURROUNDINGS; s++) {
        uint16_t us[128];
        struct dht22_reading r;
        encode(us, 451, 213, surroundings[s], 5, &state);
        size_t before = (surroundings[s] & RELEASE ? 1u : 0u) +
                        (surroundings[s] & START ? 2u : 0u) +
                        (surroundings[s] & HALF_START ? 1u : 0u);
        for (size_t n = 0; n < before + 80; n++)
            assert_int_equal(dht22_decode(us, n, &r), DHT22_TRUNCATED);
        assert_int_equal(dht22_decode(us, before + 80, &r), DHT22_OK);
    }
}

/* One wrong bit, wherever, is never taken for a reading. */
static void test_checksum(void **unused)
{
    (void)unused;
    uint32_t state = 5;
    for (size_t bit = 6; bit < 40; bit++) {
        uint16_t us[128];
        struct dht22_reading r;
        size_t n = encode(us, 451, 213, START | END, 0, &state);
        uint16_t *high = &us[2 + 2 * bit + 1];
        *high = *high < 48 ? 71 : 26;
        assert_int_equal(dht22_decode(us, n, &r), DHT22_CHECKSUM);
    }
}

static void test_refusals(void **unused)
{
    (void)unused;
    uint32_t state = 9;
    uint16_t us[128];
    struct dht22_reading r = {-1, -1};
    size_t n = encode(us, 1001, 213, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r), DHT22_HUMIDITY);
    n = encode(us, 500, 1251, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r), DHT22_TEMPERATURE);
    n = encode(us, 500, 0x8000 | 401, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r), DHT22_TEMPERATURE);
    n = encode(us, 10, 10, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r), DHT22_GHOST);
    n = encode(us, 20, 0, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r), DHT22_GHOST);
    n = encode(us, 0, 0, START | END, 0, &state);
    assert_int_equal(dht22_decode(us, n, &r),
                     DHT22_OK); /* dry and freezing, not a ghost */
    r = (struct dht22_reading){-1, -1};

    n = encode(us, 451, 213, START | END, 0, &state);
    us[21] = 140; /* a high that is neither */
    assert_int_equal(dht22_decode(us, n, &r), DHT22_BAD_PULSE);
    us[21] = 3;
    assert_int_equal(dht22_decode(us, n, &r), DHT22_BAD_PULSE);
    us[21] = 26;
    us[20] = 200; /* a low that is none */
    assert_int_equal(dht22_decode(us, n, &r), DHT22_BAD_PULSE);
    memset(us, 0, sizeof us);
    assert_int_equal(dht22_decode(us, 82, &r), DHT22_BAD_PULSE);
    assert_int_equal(dht22_decode(us, 87, &r), DHT22_TOO_LONG);
    assert_int_equal(dht22_decode(us, 0, &r), DHT22_TRUNCATED);
    assert_true(r.temp_c == -1 && r.humidity_pct == -1); /* untouched by refusals */
}

/* Noise never gets out of bounds and almost never adds up. */
static void test_noise(void **unused)
{
    (void)unused;
    uint32_t state = 11;
    for (int k = 0; k < 50000; k++) {
        uint16_t us[128];
        size_t n = rnd(&state) % 100;
        for (size_t i = 0; i < n; i++)
            us[i] = (uint16_t)(rnd(&state) % (k % 2 ? 100 : 65536));
        struct dht22_reading r;
        if (dht22_decode(us, n, &r) == DHT22_OK)
            assert_true(r.humidity_pct >= 0 && r.humidity_pct <= 100 && r.temp_c >= -40 &&
                        r.temp_c <= 125);
    }
}

static void test_names(void **unused)
{
    (void)unused;
    assert_string_equal(dht22_result_name(DHT22_OK), "ok");
    assert_string_equal(dht22_result_name(DHT22_GHOST), "ghost");
    assert_string_equal(dht22_result_name((enum dht22_result)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),   cmocka_unit_test(test_signs),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_checksum),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_noise),      cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
