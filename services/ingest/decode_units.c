/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units as people and devices write them, and the canonical ones. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "services/ingest/decode.h"

/* Gases: µg/m³ = ppb × M / 24.45 at 25 °C and 1013.25 hPa, M in g/mol. */
#define PPB(m) ((m) / 24.45)

/* Units by their plain spelling (see plain()). The first of each stem is the canonical
 * one; canonical = value × factor + offset. */
static const struct {
    const char *stem, *unit;
    double factor, offset;
} units[] = {
    {"temperature", "c", 1, 0},
    {"temperature", "celsius", 1, 0},
    {"temperature", "f", 5.0 / 9, -160.0 / 9},
    {"temperature", "fahrenheit", 5.0 / 9, -160.0 / 9},
    {"temperature", "k", 1, -273.15},
    {"temperature", "kelvin", 1, -273.15},
    {"humidity", "%", 1, 0},
    {"humidity", "%rh", 1, 0},
    {"humidity", "percent", 1, 0},
    {"humidity", "fraction", 100, 0},
    {"soil_moisture", "%", 1, 0},
    {"soil_moisture", "percent", 1, 0},
    {"soil_moisture", "fraction", 100, 0},
    {"battery_level", "%", 1, 0},
    {"battery_level", "percent", 1, 0},
    {"pressure", "hpa", 1, 0},
    {"pressure", "hectopascal", 1, 0},
    {"pressure", "mbar", 1, 0},
    {"pressure", "pa", 0.01, 0},
    {"pressure", "kpa", 10, 0},
    {"pressure", "mpa", 1e4, 0},
    {"pressure", "bar", 1000, 0},
    {"pressure", "psi", 68.94757293168, 0},
    {"pressure", "mmhg", 1.33322387415, 0},
    {"pressure", "inhg", 33.86388666667, 0},
    {"co", "ppm", 1, 0},
    {"co", "ppb", 1e-3, 0},
    {"co", "mg/m3", 24.45 / 28.01, 0},
    {"co", "ug/m3", 24.45 / 28010, 0},
    {"co2", "ppm", 1, 0},
    {"co2", "ppb", 1e-3, 0},
    {"tvoc", "ppm", 1, 0},
    {"tvoc", "ppb", 1e-3, 0},
    {"lpg", "ppm", 1, 0},
    {"smoke", "ppm", 1, 0},
    {"ch4", "ppm", 1, 0},
    {"ch4", "ppb", 1e-3, 0},
    {"pm1", "ug/m3", 1, 0},
    {"pm1", "mg/m3", 1000, 0},
    {"pm25", "ug/m3", 1, 0},
    {"pm25", "mg/m3", 1000, 0},
    {"pm4", "ug/m3", 1, 0},
    {"pm4", "mg/m3", 1000, 0},
    {"pm10", "ug/m3", 1, 0},
    {"pm10", "mg/m3", 1000, 0},
    {"no2", "ug/m3", 1, 0},
    {"no2", "mg/m3", 1000, 0},
    {"no2", "ppb", PPB(46.01), 0},
    {"no2", "ppm", 1000 * PPB(46.01), 0},
    {"o3", "ug/m3", 1, 0},
    {"o3", "mg/m3", 1000, 0},
    {"o3", "ppb", PPB(48.00), 0},
    {"o3", "ppm", 1000 * PPB(48.00), 0},
    {"so2", "ug/m3", 1, 0},
    {"so2", "mg/m3", 1000, 0},
    {"so2", "ppb", PPB(64.07), 0},
    {"so2", "ppm", 1000 * PPB(64.07), 0},
    {"light", "lx", 1, 0},
    {"light", "lux", 1, 0},
    {"light", "klx", 1000, 0},
    {"vibration", "m/s2", 1, 0},
    {"vibration", "g", 9.80665, 0},
    {"vibration", "mg", 9.80665e-3, 0},
    {"sound", "db", 1, 0},
    {"sound", "dba", 1, 0},
    {"sound", "decibel", 1, 0},
    {"voltage", "v", 1, 0},
    {"voltage", "volt", 1, 0},
    {"voltage", "mv", 1e-3, 0},
    {"voltage", "kv", 1e3, 0},
    {"battery", "v", 1, 0},
    {"battery", "volt", 1, 0},
    {"battery", "mv", 1e-3, 0},
    {"current", "a", 1, 0},
    {"current", "ampere", 1, 0},
    {"current", "ma", 1e-3, 0},
    {"power", "w", 1, 0},
    {"power", "watt", 1, 0},
    {"power", "kw", 1e3, 0},
    {"energy", "wh", 1, 0},
    {"energy", "kwh", 1e3, 0},
    {"energy", "mwh", 1e6, 0},
    {"energy", "j", 1.0 / 3600, 0},
    {"speed", "m/s", 1, 0},
    {"speed", "km/h", 1 / 3.6, 0},
    {"speed", "mph", 0.44704, 0},
    {"speed", "kn", 1852.0 / 3600, 0},
    {"rain", "mm", 1, 0},
    {"rain", "in", 25.4, 0},
    {"rssi", "dbm", 1, 0},
};
#define N_UNITS (sizeof units / sizeof *units)

/* A unit's plain spelling: small ASCII letters, without spaces, degree signs and "deg";
 * µ is u, powers are digits. */
static void plain(const char *unit, char out[24])
{
    static const char *const from[] = {"\xc2\xb5", "\xce\xbc", "\xc2\xb3",
                                       "\xc2\xb2", "\xc2\xb0", "\xc2\xba",
                                       "^",        " ",        "deg"};
    static const char *const to[] = {"u", "u", "3", "2", "", "", "", "", ""};
    size_t n = 0;
    while (*unit && n < 23) {
        size_t i = 0;
        while (i < 9 && strncasecmp(unit, from[i], strlen(from[i])) != 0)
            i++;
        if (i < 9) {
            unit += strlen(from[i]);
            if (*to[i])
                out[n++] = *to[i];
        } else {
            out[n++] = (char)tolower((unsigned char)*unit++);
        }
    }
    out[n] = '\0';
}

/* Pascal where hectopascal is meant is known by its size: the air's pressure on this
 * planet lies between 300 and 1200 hPa. */
#define PASCAL_LEAST 30000
#define PASCAL_MOST 120000

/* What is known by the end of its name: flow_temperature, battery_voltage_2. */
static const struct quantity *by_end(const char *name)
{
    const struct quantity *q;
    size_t n = strlen(name), end = n;
    while (end && isdigit((unsigned char)name[end - 1]))
        end--;
    if (end && end < n && name[end - 1] == '_')
        n = end - 1;
    for (size_t i = 0; (q = quantity_row(i)); i++) {
        size_t k = strlen(q->stem);
        if (n > k && name[n - k - 1] == '_' && !memcmp(name + n - k, q->stem, k))
            return q;
    }
    return NULL;
}

/* 9 °F more are 5 °C more, not -12.8 °C. */
static bool is_difference(const char *name)
{
    return strstr(name, "delta") || strstr(name, "diff");
}

enum reject decode_unit(const char *quantity, double *v, const char *unit, struct err *e)
{
    const struct quantity *q = quantity_find(quantity), *like = q ? q : by_end(quantity);
    const char *stem = like ? like->stem : "", *canonical = NULL;
    char spelt[24];
    if (!strcmp(stem, "dew_point"))
        stem = "temperature";
    if (!unit || !*unit) {
        if (q && !strcmp(stem, "pressure") && *v >= PASCAL_LEAST && *v <= PASCAL_MOST)
            *v /= 100;
        return REJECT_NONE;
    }
    plain(unit, spelt);
    for (size_t i = 0; i < N_UNITS; i++) {
        if (strcmp(stem, units[i].stem) != 0)
            continue;
        canonical = canonical ? canonical : units[i].unit;
        if (strcmp(spelt, units[i].unit) != 0)
            continue;
        *v = *v * units[i].factor + (is_difference(quantity) ? 0 : units[i].offset);
        return REJECT_NONE;
    }
    if (!q || !canonical || !strcasecmp(unit, q->unit))
        return REJECT_NONE; /* a number without a unit of its own, or of its own unit */
    return reject_say(REJECT_BAD_VALUE, e,
                      "the unit \"%.30s\" of %s is not known: send %s", unit, quantity,
                      q->symbol);
}
