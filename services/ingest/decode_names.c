/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names as people and devices write them, and the canonical ones. */
#include <ctype.h>
#include <string.h>

#include "services/ingest/decode.h"

static const struct {
    const char *key, *quantity;
} aliases[] = {
    {"temp", "temperature"},
    {"temp_c", "temperature"},
    {"temperature_c", "temperature"},
    {"air_temperature", "temperature"},
    {"hum", "humidity"},
    {"hum_pct", "humidity"},
    {"humidity_pct", "humidity"},
    {"relative_humidity", "humidity"},
    {"air_humidity", "humidity"},
    {"pm2_5", "pm25"},
    {"pm_2_5", "pm25"},
    {"pm_10", "pm10"},
    {"pm1_0", "pm1"},
    {"pm_1_0", "pm1"},
    {"press", "pressure"},
    {"pressure_hpa", "pressure"},
    {"barometer", "pressure"},
    {"barometric_pressure", "pressure"},
    {"atmospheric_pressure", "pressure"},
    {"dewpoint", "dew_point"},
    {"carbon_dioxide", "co2"},
    {"eco2", "co2"},
    {"carbon_monoxide", "co"},
    {"methane", "ch4"},
    {"voc", "tvoc"},
    {"ozone", "o3"},
    {"nitrogen_dioxide", "no2"},
    {"sulphur_dioxide", "so2"},
    {"illuminance", "light"},
    {"illuminance_lux", "light"},
    {"illumination", "light"},
    {"lux", "light"},
    {"luminosity", "light"},
    {"soil_humidity", "soil_moisture"},
    {"soilmoisture", "soil_moisture"},
    {"rainfall", "rain"},
    {"precipitation", "rain"},
    {"active_power", "power"},
    {"signal_strength", "rssi"},
    {"wifi_signal", "rssi"},
};

/* Fields that every point has beside its quantities, and what an hour adds to a name. */
static bool reserved(const char *q)
{
    static const char *const names[] = {"time",    "device",    "received_ms", "seq",
                                        "quality", "device_ms", "late"};
    static const char *const ends[] = {"_min", "_max", "_n"};
    size_t n = strlen(q);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(q, names[i]))
            return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && !strcmp(q + n - strlen(ends[i]), ends[i]))
            return true;
    return false;
}

static void resolve(char name[QUANTITY_MAX + 1])
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(name, aliases[i].key))
            strcpy(name, aliases[i].quantity);
}

enum reject decode_name(const char *key, char out[QUANTITY_MAX + 1], struct err *e)
{
    size_t n = strlen(key);
    if (!n || n > QUANTITY_MAX)
        return reject_say(REJECT_BAD_VALUE, e, "\"%.80s\" is not the name of a quantity",
                          key);
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)tolower((unsigned char)key[i]);
    resolve(out);
    if (!quantity_valid(out))
        return reject_say(
            REJECT_BAD_VALUE, e,
            "\"%.70s\" is not a quantity: letters, digits and _ are expected", key);
    if (reserved(out))
        return reject_say(REJECT_BAD_VALUE, e,
                          "\"%.70s\" cannot be a quantity: the name is used for "
                          "something else",
                          key);
    return REJECT_NONE;
}

bool decode_loose_name(const char *key, char out[QUANTITY_MAX + 1])
{
    size_t n = 0;
    for (const char *p = key; *p && n < QUANTITY_MAX - 8; p++) {
        unsigned char c = (unsigned char)*p;
        bool word = p > key && isupper(c) && islower((unsigned char)p[-1]);
        if ((word || !isalnum(c)) && n && out[n - 1] != '_')
            out[n++] = '_';
        if (c < 0x80 && isalnum(c) && (n || isalpha(c)))
            out[n++] = (char)tolower(c);
    }
    while (n && out[n - 1] == '_')
        n--;
    out[n] = '\0';
    resolve(out);
    if (n && reserved(out))
        strcat(out, "_value");
    return n > 0;
}
