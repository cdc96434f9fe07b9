/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/reading.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ranges are wide: what a sensor of that kind can say at all on this planet. Steps are
 * what a DHT22 or a gas sensor can not do from one sample to the next. */
static const struct quantity table[] = {
    {"temperature", "celsius", "°C", -90, 150, 5, true},
    {"dew_point", "celsius", "°C", -90, 100, 5, true},
    {"humidity", "percent", "%", 0, 100, 15, true},
    {"soil_moisture", "percent", "%", 0, 100, 0, true},
    {"pressure", "hectopascal", "hPa", 1, 100000, 0, true},
    {"co", "parts per million", "ppm", 0, 1e6, 0, true},
    {"lpg", "parts per million", "ppm", 0, 1e6, 0, true},
    {"smoke", "parts per million", "ppm", 0, 1e6, 0, true},
    {"co2", "parts per million", "ppm", 0, 1e6, 0, true},
    {"tvoc", "parts per million", "ppm", 0, 1e6, 0, true},
    {"ch4", "parts per million", "ppm", 0, 1e6, 0, true},
    {"pm1", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"pm25", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"pm4", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"pm10", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"no2", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"o3", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"so2", "microgram per cubic metre", "µg/m³", 0, 1e5, 0, true},
    {"light", "lux", "lx", 0, 2e5, 0, true},
    {"vibration", "metre per second squared", "m/s²", -2000, 2000, 0, true},
    {"sound", "decibel", "dB", -20, 200, 0, true},
    {"voltage", "volt", "V", -1e6, 1e6, 0, true},
    {"battery", "volt", "V", 0, 1000, 0, false},
    {"battery_level", "percent", "%", 0, 100, 0, false},
    {"current", "ampere", "A", -1e6, 1e6, 0, true},
    {"power", "watt", "W", -1e9, 1e9, 0, true},
    {"energy", "watt-hour", "Wh", -1e15, 1e15, 0, true},
    {"speed", "metre per second", "m/s", -1000, 1000, 0, true},
    {"rain", "millimetre", "mm", 0, 10000, 0, true},
    {"rssi", "dBm", "dBm", -200, 50, 0, false},
    {"linkquality", "", "", 0, 1e6, 0, false},
    {"uptime", "", "", 0, 1e15, 0, false},
    {"fan_speed", "level", "", 0, 1000, 0, true},
    {"motion", "0 or 1", "", 0, 1, 0, false},
    {"occupancy", "0 or 1", "", 0, 1, 0, false},
    {"contact", "0 or 1", "", 0, 1, 0, false},
    {"switch", "0 or 1", "", 0, 1, 0, false},
};
#define N_TABLE (sizeof table / sizeof *table)

const struct quantity *quantity_row(size_t i)
{
    return i < N_TABLE ? &table[i] : NULL;
}

/* Length of the stem: without a trailing _N of digits. */
static size_t stem_len(const char *q)
{
    size_t n = strlen(q), i = n;
    while (i && isdigit((unsigned char)q[i - 1]))
        i--;
    return i < n && i > 1 && q[i - 1] == '_' ? i - 1 : n;
}

const struct quantity *quantity_find(const char *quantity)
{
    size_t n = stem_len(quantity);
    for (size_t i = 0; i < N_TABLE; i++)
        if (strlen(table[i].stem) == n && !memcmp(table[i].stem, quantity, n))
            return &table[i];
    return NULL;
}

bool quantity_valid(const char *s)
{
    size_t n = strlen(s);
    if (!n || n > QUANTITY_MAX || !(*s >= 'a' && *s <= 'z'))
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static bool device_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool device_valid(const char *s)
{
    size_t n = 0;
    while (device_char(s[n]))
        n++;
    return n && n <= DEVICE_MAX && !s[n];
}

static bool is_mac(const char *s)
{
    if (strlen(s) != 17)
        return false;
    for (int i = 0; i < 17; i++)
        if (i % 3 == 2 ? s[i] != s[2] || (s[i] != ':' && s[i] != '-')
                       : !isxdigit((unsigned char)s[i]))
            return false;
    return true;
}

int device_from_raw(const char *raw, char out[DEVICE_MAX + 1])
{
    bool mac = is_mac(raw), any = false;
    size_t n = 0;
    for (; *raw && n < DEVICE_MAX; raw++) {
        if (mac && (*raw == ':' || *raw == '-'))
            continue;
        bool plain = (unsigned char)*raw < 0x80 && device_char(*raw);
        any |= plain && isalnum((unsigned char)*raw);
        out[n++] = mac ? (char)tolower((unsigned char)*raw) : plain ? *raw : '_';
    }
    out[n] = '\0';
    return any ? 0 : -1;
}

int series_split(const char *series, char name[SERIES_MAX + 1],
                 char device[DEVICE_MAX + 1], char quantity[QUANTITY_MAX + 1],
                 struct err *e)
{
    const char *dot = strchr(series, '.');
    size_t n = dot ? (size_t)(dot - series) : 0;
    if (n && series[n - 1] == '\\')
        n--;
    if (dot && n <= DEVICE_MAX && strlen(dot + 1) <= QUANTITY_MAX) {
        memcpy(device, series, n);
        device[n] = '\0';
        strcpy(quantity, dot + 1);
        if (device_valid(device) && quantity_valid(quantity)) {
            if (name)
                snprintf(name, SERIES_MAX + 1, "%s.%s", device, quantity);
            return 0;
        }
    }
    return err_set(e, ERR_INVALID,
                   "\"%.140s\" is not a series: expected device.quantity, such as "
                   "kitchen.temperature",
                   series);
}

int reading_add(struct reading *r, const char *quantity, double value, struct err *e)
{
    if (!quantity_valid(quantity))
        return err_set(
            e, ERR_INVALID,
            "\"%.70s\" is not a quantity: lower-case letters, digits and _ are "
            "expected, at most %d",
            quantity, QUANTITY_MAX);
    if (!isfinite(value))
        return err_set(e, ERR_INVALID, "the value of %s is not a finite number",
                       quantity);
    if (r->n == READING_VALUES_MAX)
        return err_set(e, ERR_INVALID, "a reading has at most %d values",
                       READING_VALUES_MAX);
    strcpy(r->values[r->n].quantity, quantity);
    r->values[r->n++].value = value;
    return 0;
}
