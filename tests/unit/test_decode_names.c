/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, units and numbers as people and devices write them. Expected values are from
 * unit tables (NIST SP 811; gases: molar mass and 24.45 l/mol), not from the code's
 * factors. */
#include "tests/unit/unit.h"

#include <math.h>

#include "services/ingest/decode.h"

static void test_loose_names(void **unused)
{
    (void)unused;
    static const struct {
        const char *key, *name;
    } rows[] = {
        {"temperature", "temperature"},
        {"Temperature", "temperature"},
        {"TEMPERATURE", "temperature"},
        {"temp", "temperature"},
        {"Temp_C", "temperature"},
        {"airTemperature", "temperature"},
        {"SHT31-Temperature", "sht31_temperature"},
        {"SHT31_Humidity", "sht31_humidity"},
        {"soilMoisture", "soil_moisture"},
        {"soilmoisture", "soil_moisture"},
        {"DewPoint", "dew_point"},
        {"Relative Humidity", "humidity"},
        {"PM2.5", "pm25"},
        {"pm2_5", "pm25"},
        {"PM 10", "pm10"},
        {"PM1.0", "pm1"},
        {"CarbonDioxide", "co2"},
        {"CO2", "co2"},
        {"eco2", "co2"},
        {"Illuminance", "light"},
        {"lux", "light"},
        {"Barometric-Pressure", "pressure"},
        {"wifi signal", "rssi"},
        {"active_power", "power"},
        {"Temperature 2", "temperature_2"},
        {"a  --  b", "a_b"},
        {"__a__", "a"},
        {"1st floor", "st_floor"},
        {"Größe", "gr_e"},
        {"\xff\xfe x", "x"},
        {"time", "time_value"},
        {"Device", "device_value"},
        {"Received Ms", "received_ms_value"},
        {"temperature_max", "temperature_max_value"},
        {"TempMin", "temp_min_value"},
        {"x_n", "x_n_value"},
        {"n", "n"},
        {"max", "max"},
    };
    char out[QUANTITY_MAX + 1];
    for (size_t i = 0; i < N_OF(rows); i++) {
        if (!decode_loose_name(rows[i].key, out))
            fail_msg("no name is made of \"%s\"", rows[i].key);
        if (strcmp(out, rows[i].name))
            fail_msg("\"%s\" becomes %s, not %s", rows[i].key, out, rows[i].name);
        assert_true(quantity_valid(out));
    }
    static const char *const none[] = {"", " ", "---", "42", "1.5", "_", "°", "\xc3"};
    for (size_t i = 0; i < N_OF(none); i++)
        if (decode_loose_name(none[i], out))
            fail_msg("\"%s\" becomes %s", none[i], out);
}

/* However long the key is, a name is made that has room for a number behind it. */
static void test_loose_names_of_any_length(void **unused)
{
    (void)unused;
    char key[400], out[QUANTITY_MAX + 1];
    for (size_t n = 1; n < sizeof key; n++) {
        memset(key, 'a', n);
        key[n] = '\0';
        assert_true(decode_loose_name(key, out));
        assert_true(quantity_valid(out));
        assert_int_equal(strlen(out), n < QUANTITY_MAX - 8 ? n : QUANTITY_MAX - 8);
        for (size_t k = 0; k < n; k++) /* every letter begins a word */
            key[k] = k % 2 ? 'B' : 'b';
        assert_true(decode_loose_name(key, out) && quantity_valid(out));
    }
    memset(key, 'a', sizeof key);
    strcpy(key + QUANTITY_MAX - 12, "_max");
    assert_true(decode_loose_name(key, out) && quantity_valid(out));
    assert_non_null(strstr(out, "_max_value"));
}

static const struct unit_row {
    const char *quantity, *unit;
    double value, canonical, tolerance; /* relative; 0: 1e-9 */
} unit_rows[] = {
    {"temperature", "C", 21.5, 21.5, 0},
    {"temperature", "celsius", -40, -40, 0},
    {"temperature", "F", 68, 20, 0},
    {"temperature", "fahrenheit", -40, -40, 0},
    {"temperature", "K", 273.15, 0, 0},
    {"temperature", "kelvin", 300, 26.85, 0},
    {"temperature_3", "°F", 212, 100, 0},
    {"dew_point", "°F", 50, 10, 0},
    {"flow_temperature", "°F", 212, 100, 0}, /* known by their ends */
    {"flow_temperature_2", "K", 283.15, 10, 0},
    {"inner_dew_point", "°F", 50, 10, 0},
    {"delta_temperature", "°F", 9, 5, 0}, /* differences have no zero */
    {"diff_temperature_2", "K", 9, 9, 0},
    {"sea_pressure", "kPa", 101.325, 1013.25, 0},
    {"sea_pressure", NULL, 101325, 101325, 0}, /* by its size only where it is known */
    {"battery_voltage", "mV", 3100, 3.1, 0},
    {"wind_speed", "km/h", 36, 10, 0},
    {"day_energy_3", "kWh", 1.5, 1500, 0},
    {"wind_speed", "Bft", 7, 7, 0}, /* of a unit of its own */
    {"phone_battery", "%", 80, 80, 0},
    {"temperature_target", "°F", 68, 68, 0}, /* not known */
    {"mytemperature", "°F", 68, 68, 0},
    {"flow_temperature_x2", "°F", 68, 68, 0},
    {"dew_point", "K", 283.15, 10, 0},
    {"humidity", "%", 48.2, 48.2, 0},
    {"humidity", "%RH", 48.2, 48.2, 0},
    {"humidity", "percent", 48.2, 48.2, 0},
    {"humidity", "fraction", 0.482, 48.2, 0},
    {"soil_moisture", "%", 33, 33, 0},
    {"soil_moisture", "percent", 33, 33, 0},
    {"soil_moisture", "fraction", 0.33, 33, 0},
    {"battery_level", "%", 87, 87, 0},
    {"battery_level", "percent", 87, 87, 0},
    {"pressure", "hPa", 1013.25, 1013.25, 0},
    {"pressure", "hectopascal", 1013.25, 1013.25, 0},
    {"pressure", "mbar", 1013.25, 1013.25, 0},
    {"pressure", "Pa", 101325, 1013.25, 0},
    {"pressure", "Pa", 500, 5, 0}, /* as it says, not by its size */
    {"pressure", "kPa", 101.325, 1013.25, 0},
    {"pressure", "MPa", 0.101325, 1013.25, 0},
    {"pressure", "bar", 1.01325, 1013.25, 0},
    {"pressure", "psi", 14.6959, 1013.25, 1e-5}, /* 1 atm */
    {"pressure", "mmHg", 760, 1013.25, 1e-6},
    {"pressure", "inHg", 29.92, 1013.2, 1e-4},
    {"co", "ppm", 9, 9, 0},
    {"co", "ppb", 9000, 9, 0},
    {"co", "mg/m3", 1, 0.8729, 1e-4},
    {"co", "µg/m³", 1000, 0.8729, 1e-4},
    {"co2", "ppm", 612, 612, 0},
    {"co2", "ppb", 612000, 612, 0},
    {"tvoc", "ppm", 0.2, 0.2, 0},
    {"tvoc", "ppb", 200, 0.2, 0},
    {"lpg", "ppm", 5, 5, 0},
    {"smoke", "ppm", 5, 5, 0},
    {"ch4", "ppm", 2, 2, 0},
    {"ch4", "ppb", 1900, 1.9, 0},
    {"pm1", "µg/m³", 7, 7, 0},
    {"pm1", "mg/m3", 0.007, 7, 0},
    {"pm25", "µg/m³", 7, 7, 0},
    {"pm25", "mg/m3", 0.007, 7, 0},
    {"pm4", "µg/m³", 7, 7, 0},
    {"pm4", "mg/m3", 0.007, 7, 0},
    {"pm10", "µg/m³", 7, 7, 0},
    {"pm10", "mg/m3", 0.007, 7, 0},
    {"no2", "ug/m3", 40, 40, 0},
    {"no2", "mg/m3", 0.04, 40, 0},
    {"no2", "ppb", 21.26, 40, 1e-3},
    {"no2", "ppm", 0.02126, 40, 1e-3},
    {"o3", "ug/m3", 100, 100, 0},
    {"o3", "mg/m3", 0.1, 100, 0},
    {"o3", "ppb", 50, 98.16, 1e-4},
    {"o3", "ppm", 0.05, 98.16, 1e-4},
    {"so2", "ug/m3", 20, 20, 0},
    {"so2", "mg/m3", 0.02, 20, 0},
    {"so2", "ppb", 75, 196.5, 1e-3}, /* the US hourly standard: 75 ppb = 196.5 */
    {"so2", "ppm", 0.075, 196.5, 1e-3},
    {"light", "lx", 120, 120, 0},
    {"light", "lux", 120, 120, 0},
    {"light", "klx", 0.12, 120, 0},
    {"vibration", "m/s2", 9.81, 9.81, 0},
    {"vibration", "g", 1, 9.80665, 0},
    {"vibration", "mg", 1000, 9.80665, 0},
    {"sound", "dB", 60, 60, 0},
    {"sound", "dBA", 60, 60, 0},
    {"sound", "decibel", 60, 60, 0},
    {"voltage", "V", 230, 230, 0},
    {"voltage", "volt", 230, 230, 0},
    {"voltage", "mV", 230000, 230, 0},
    {"voltage", "kV", 0.23, 230, 0},
    {"battery", "V", 3.1, 3.1, 0},
    {"battery", "volt", 3.1, 3.1, 0},
    {"battery", "mV", 3100, 3.1, 0},
    {"current", "A", 0.5, 0.5, 0},
    {"current", "ampere", 0.5, 0.5, 0},
    {"current", "mA", 500, 0.5, 0},
    {"power", "W", 60, 60, 0},
    {"power", "watt", 60, 60, 0},
    {"power", "kW", 0.06, 60, 0},
    {"energy", "Wh", 1500, 1500, 0},
    {"energy", "kWh", 1.5, 1500, 0},
    {"energy", "MWh", 0.0015, 1500, 0},
    {"energy", "J", 3600, 1, 0},
    {"speed", "m/s", 10, 10, 0},
    {"speed", "km/h", 36, 10, 0},
    {"speed", "mph", 60, 26.8224, 1e-6},
    {"speed", "kn", 10, 5.14444, 1e-5},
    {"rain", "mm", 12.7, 12.7, 0},
    {"rain", "in", 0.5, 12.7, 0},
    {"rssi", "dBm", -61, -61, 0},
};

static void test_units(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < N_OF(unit_rows); i++) {
        const struct unit_row *r = &unit_rows[i];
        struct err e = ERR_INIT;
        double v = r->value, tolerance = r->tolerance > 0 ? r->tolerance : 1e-9;
        assert_int_equal(decode_unit(r->quantity, &v, r->unit, &e), REJECT_NONE);
        if (fabs(v - r->canonical) > tolerance * fmax(fabs(r->canonical), 1))
            fail_msg("%s: %.10g %s becomes %.10g, not %.10g", r->quantity, r->value,
                     r->unit, v, r->canonical);
    }
}

/* The canonical unit's name and symbol are units too, for every quantity there is; so a
 * quantity with a unit and no row would be noticed here. */
static void test_every_quantity_knows_its_own_unit(void **unused)
{
    (void)unused;
    for (size_t i = 0; quantity_row(i); i++) {
        const struct quantity *q = quantity_row(i);
        const char *const spelt[] = {q->unit, q->symbol};
        for (size_t k = 0; k < N_OF(spelt); k++) {
            struct err e = ERR_INIT;
            double v = 17;
            if (decode_unit(q->stem, &v, spelt[k], &e) || v != 17)
                fail_msg("17 %s of %s becomes %g (%s)", spelt[k], q->stem, v, e.text);
        }
        struct err e = ERR_INIT;
        double v = 17;
        enum reject r = decode_unit(q->stem, &v, "furlong", &e);
        bool has_unit = *q->symbol;
        if (r != (has_unit ? REJECT_BAD_VALUE : REJECT_NONE) || v != 17)
            fail_msg("17 furlong of %s is %s, %g", q->stem, reject_name(r), v);
        if (has_unit)
            assert_string_equal(e.slug, "bad_value");
    }
}

static void test_spellings(void **unused)
{
    (void)unused;
    static const struct {
        const char *quantity, *unit;
        double value, canonical;
    } rows[] = {
        {"temperature",
         "\xc2\xb0"
         "F",
         68, 20}, /* degree sign */
        {"temperature",
         "\xc2\xba"
         "F",
         68, 20}, /* the ordinal indicator, often typed */
        {"temperature", " deg F ", 68, 20},
        {"temperature", "degC", 20, 20},
        {"temperature", "Degrees C", 20, NAN},
        {"temperature", "FAHRENHEIT", 68, 20},
        {"pm25", "\xc2\xb5g/m\xc2\xb3", 7, 7}, /* micro sign */
        {"pm25", "\xce\xbcg/m\xc2\xb3", 7, 7}, /* Greek mu */
        {"pm25", "ug/m^3", 7, 7},
        {"pm25", "UG/M3", 7, 7},
        {"pm25", "\xc2\xb5g / m\xc2\xb3", 7, 7},
        {"vibration", "m/s\xc2\xb2", 3, 3},
        {"vibration", "m/s^2", 3, 3},
        {"pressure", "HPA", 1000, 1000},
        {"pressure", "in Hg", 29.92, 1013.207489},
        {"humidity", "% RH", 40, 40},
        {"unheard_of", "furlong", 3, 3},
        {"temperature", "a unit that is much longer than any unit there is", 1, NAN},
        {"temperature", "\xff\xfe", 1, NAN},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        double v = rows[i].value;
        enum reject r = decode_unit(rows[i].quantity, &v, rows[i].unit, &e);
        if (isnan(rows[i].canonical) ? r != REJECT_BAD_VALUE
                                     : r || fabs(v - rows[i].canonical) > 1e-6)
            fail_msg("%g %s of %s: %s, %g", rows[i].value, rows[i].unit, rows[i].quantity,
                     reject_name(r), v);
    }
    struct err e = ERR_INIT;
    double v = 1;
    assert_int_equal(decode_unit("temperature", &v, "cubit", &e), REJECT_BAD_VALUE);
    assert_string_equal(e.text,
                        "the unit \"cubit\" of temperature is not known: send °C");
}

static void test_pascal_by_its_size(void **unused)
{
    (void)unused;
    static const struct {
        const char *quantity, *unit;
        double value, canonical;
    } rows[] = {
        {"pressure", NULL, 101325, 1013.25}, {"pressure_2", "", 30000, 300},
        {"pressure", NULL, 120000, 1200},    {"pressure", NULL, 29999, 29999},
        {"pressure", NULL, 120001, 120001},  {"pressure", NULL, 1013.25, 1013.25},
        {"pressure", "hPa", 50000, 50000},   {"temperature", NULL, 50000, 50000},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        double v = rows[i].value;
        assert_int_equal(decode_unit(rows[i].quantity, &v, rows[i].unit, &e),
                         REJECT_NONE);
        if (fabs(v - rows[i].canonical) > 1e-9)
            fail_msg("%g of %s becomes %g", rows[i].value, rows[i].quantity, v);
    }
}

static void test_numbers(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        double x;
    } rows[] = {
        {"0", 0},         {"21.5", 21.5},
        {"-3.5", -3.5},   {"+3", 3},
        {"1e3", 1000},    {"1E-2", 0.01},
        {".5", 0.5},      {"5.", 5},
        {" 21.5 ", 21.5}, {"\t7\r\n", 7},
        {"007", 7},       {"-0", 0},
        {"1e308", 1e308}, {"0.000000000000000000000000000000000000000000000001", 1e-48},
    };
    double x;
    for (size_t i = 0; i < N_OF(rows); i++) {
        if (!decode_number(rows[i].text, strlen(rows[i].text), &x) || x != rows[i].x)
            fail_msg("\"%s\" is not read as %g", rows[i].text, rows[i].x);
    }
    static const char *const none[] = {
        "",         " ",
        "nan",      "NaN",
        "inf",      "-inf",
        "Infinity", "0x10",
        "1,5",      "1 2",
        "1.2.3",    "--1",
        "1e",       "e5",
        ".",        "+",
        "1e999",    "21.5 C",
        "true",     "null",
        "\"1\"",    "1_000",
        "\xc2\xbd", "1111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < N_OF(none); i++)
        if (decode_number(none[i], strlen(none[i]), &x))
            fail_msg("\"%s\" is read as %g", none[i], x);
    assert_true(decode_number("21.5 and more", 4, &x) && x == 21.5); /* n bytes only */
    assert_false(decode_number("1\0002", 3, &x));
    char *tight = malloc(2); /* under ASan, one byte more is an error */
    memcpy(tight, "12", 2);
    assert_true(decode_number(tight, 2, &x) && x == 12);
    free(tight);
}

static void test_json_numbers(void **unused)
{
    (void)unused;
    static const struct {
        const char *json;
        bool ok;
        double x;
    } rows[] = {
        {"21.5", true, 21.5},  {"7", true, 7},           {"true", true, 1},
        {"false", true, 0},    {"\"21.5\"", true, 21.5}, {"\" 7 \"", true, 7},
        {"\"nan\"", false, 0}, {"\"\"", false, 0},       {"null", false, 0},
        {"[1]", false, 0},     {"{}", false, 0},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        double x = 0;
        json_t *v = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(v);
        if (decode_json_number(v, &x) != rows[i].ok || (rows[i].ok && x != rows[i].x))
            fail_msg("%s is read as %g", rows[i].json, x);
        json_decref(v);
    }
    double x;
    assert_false(decode_json_number(NULL, &x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loose_names),
        cmocka_unit_test(test_loose_names_of_any_length),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_every_quantity_knows_its_own_unit),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_pascal_by_its_size),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_json_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
