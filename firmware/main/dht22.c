/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "firmware/main/dht22.h"

#include <stdbool.h>

enum {
    PULSES = 80,  /* 40 bits, low and high each */
    LONGEST = 86, /* release, start pair, bits, low at the end, idle until the time-out */
    LOW_MIN = 30, /* the data sheet says 48..55; clones stretch it between bytes */
    LOW_MAX = 90,
    HIGH_MIN = 10, /* 0: 22..30 us, 1: 68..75 us by the data sheet */
    HIGH_ONE = 48, /* half way; from here on it is a 1 */
    HIGH_MAX = 100,
    START_MIN = 62, /* the start pair: 75..85 us each */
    START_MAX = 115,
    RELEASE_MAX = 200
};

static bool within(uint16_t x, int least, int most)
{
    return x >= least && x <= most;
}

static bool is_start(uint16_t x)
{
    return within(x, START_MIN, START_MAX);
}

/* Index of the first bit's low, or -1. The first six bits are always 0 (humidity is at
 * most 1000), so two long pulses can only be the start; without them, the first high is
 * shorter than the low after it. */
static int first_bit(const uint16_t us[], size_t n)
{
    for (int i = 0; i < 2 && (size_t)i + 1 < n; i++)
        if (is_start(us[i]) && is_start(us[i + 1]))
            return i == 0 || within(us[0], 1, RELEASE_MAX) ? i + 2 : -1;
    for (int i = 0; i < 2 && (size_t)i + 2 < n; i++)
        if (within(us[i], LOW_MIN, LOW_MAX) &&
            within(us[i + 1], HIGH_MIN, HIGH_ONE - 1) && us[i + 1] < us[i + 2])
            return i;
    return -1;
}

static enum dht22_result read_bits(const uint16_t us[], uint8_t bytes[5])
{
    for (int bit = 0; bit < 40; bit++) {
        uint16_t low = us[2 * bit], high = us[2 * bit + 1];
        if (!within(low, LOW_MIN, LOW_MAX) || !within(high, HIGH_MIN, HIGH_MAX))
            return DHT22_BAD_PULSE;
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] << 1 | (high >= HIGH_ONE));
    }
    return DHT22_OK;
}

/* Tenths of a degree. A magnitude never reaches 0x4000 (1638 degC), nor a positive value
 * 0x0800 (204 degC): these bits tell the clones' forms from the data sheet's. */
static int temperature(uint16_t raw)
{
    if ((raw & 0xc000) == 0xc000)
        return (int)raw - 0x10000;
    if (raw & 0x8000)
        return -(int)(raw & 0x7fff);
    if ((raw & 0xf800) == 0x0800)
        return (int)raw - 0x1000;
    return raw;
}

/* Readings of 1.0 degC with 1 % and 0.0 degC with 1..2 % come from sensors that fail. */
static bool is_ghost(int temp, int humidity)
{
    return (temp == 10 && humidity == 10) ||
           (temp == 0 && humidity >= 10 && humidity <= 20);
}

enum dht22_result dht22_decode(const uint16_t us[], size_t n, struct dht22_reading *r)
{
    if (n > LONGEST)
        return DHT22_TOO_LONG;
    int start = first_bit(us, n);
    if (start < 0)
        return n < PULSES ? DHT22_TRUNCATED : DHT22_BAD_PULSE;
    if (n < (size_t)start + PULSES)
        return DHT22_TRUNCATED;
    uint8_t b[5] = {0};
    enum dht22_result result = read_bits(us + start, b);
    if (result)
        return result;
    if ((uint8_t)(b[0] + b[1] + b[2] + b[3]) != b[4])
        return DHT22_CHECKSUM;
    int humidity = b[0] << 8 | b[1];
    int temp = temperature((uint16_t)(b[2] << 8 | b[3]));
    if (humidity > 1000)
        return DHT22_HUMIDITY;
    if (temp < -400 || temp > 1250)
        return DHT22_TEMPERATURE;
    if (is_ghost(temp, humidity))
        return DHT22_GHOST;
    r->temp_c = temp / 10.0;
    r->humidity_pct = humidity / 10.0;
    return DHT22_OK;
}

const char *dht22_result_name(enum dht22_result result)
{
    static const char *const names[] = {"ok",          "truncated", "too_long",
                                        "bad_pulse",   "checksum",  "humidity",
                                        "temperature", "ghost"};
    return (unsigned)result < sizeof names / sizeof *names ? names[result] : "unknown";
}
