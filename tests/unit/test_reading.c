/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/reading.h"

static const char *text_of(char c, size_t n)
{
    static char text[300];
    memset(text, c, n);
    text[n] = '\0';
    return text;
}

static void test_quantities(void **unused)
{
    (void)unused;
    static const struct {
        const char *name, *unit;
        bool forecast;
    } rows[] = {
        {"temperature", "celsius", true},
        {"temperature_3", "celsius", true},
        {"temperature_12", "celsius", true},
        {"dew_point", "celsius", true},
        {"humidity", "percent", true},
        {"soil_moisture", "percent", true},
        {"pressure", "hectopascal", true},
        {"co2", "parts per million", true},
        {"co2_1", "parts per million", true},
        {"pm25", "microgram per cubic metre", true},
        {"light", "lux", true},
        {"vibration", "metre per second squared", true},
        {"sound", "decibel", true},
        {"voltage", "volt", true},
        {"battery", "volt", false},
        {"battery_level", "percent", false},
        {"current", "ampere", true},
        {"power", "watt", true},
        {"energy", "watt-hour", true},
        {"speed", "metre per second", true},
        {"rain", "millimetre", true},
        {"rssi", "dBm", false},
        {"fan_speed", "level", true},
        {"motion", "0 or 1", false},
        {"occupancy", "0 or 1", false},
        {"contact", "0 or 1", false},
        {"switch", "0 or 1", false},
        {"linkquality", "", false},
        {"uptime", "", false},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        const struct quantity *q = quantity_find(rows[i].name);
        if (!q)
            fail_msg("%s is not in the table", rows[i].name);
        assert_string_equal(q->unit, rows[i].unit);
        assert_int_equal(q->forecast, rows[i].forecast);
    }
    static const char *const unknown[] = {
        "",   "temp", "temperature_",   "temperature_x", "temperatures",
        "_3", "3",    "temperature_3_4"};
    for (size_t i = 0; i < N_OF(unknown); i++)
        if (quantity_find(unknown[i]))
            fail_msg("\"%s\" is in the table", unknown[i]);
    size_t n = 0;
    for (const struct quantity *q; (q = quantity_row(n)); n++) {
        assert_true(quantity_valid(q->stem));
        assert_true(q->min < q->max);
        assert_ptr_equal(quantity_find(q->stem), q); /* each stem once */
    }
    assert_true(n > 30);
}

static void test_names(void **unused)
{
    (void)unused;
    static const struct {
        const char *s;
        bool quantity, device;
    } rows[] = {
        {"temperature_3", true, true},
        {"a", true, true},
        {"", false, false},
        {"3a", false, true},
        {"_a", false, true},
        {"A", false, true},
        {"a-b", false, true},
        {"a b", false, false},
        {"a.b", false, false},
        {"a/b", false, false},
        {"caf\xc3\xa9", false, false},
        {"a\"", false, false},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        assert_int_equal(quantity_valid(rows[i].s), rows[i].quantity);
        assert_int_equal(device_valid(rows[i].s), rows[i].device);
    }
    assert_true(device_valid(text_of('a', 64)));
    assert_false(device_valid(text_of('a', 65)));
    assert_true(quantity_valid(text_of('a', 64)));
    assert_false(quantity_valid(text_of('a', 65)));
}

static void test_device_from_raw(void **unused)
{
    (void)unused;
    static const struct {
        const char *raw, *device; /* NULL: refused */
    } rows[] = {
        {"kitchen", "kitchen"},
        {"Kitchen-2_x", "Kitchen-2_x"},
        {"living room", "living_room"},
        {"a.b/c", "a_b_c"},
        {"B8:27:EB:BF:9D:51", "b827ebbf9d51"},
        {"b8-27-eb-bf-9d-51", "b827ebbf9d51"},
        {"b8:27-eb:bf:9d:51", "b8_27-eb_bf_9d_51"}, /* no MAC: two separators */
        {"b8:27:eb:bf:9d:5g", "b8_27_eb_bf_9d_5g"},
        {"k\xc3\xbc"
         "che",
         "k__che"},
        {"", NULL},
        {"...", NULL},
        {"__", NULL},
        {"-", NULL},
    };
    char out[DEVICE_MAX + 1];
    for (size_t i = 0; i < N_OF(rows); i++) {
        assert_int_equal(device_from_raw(rows[i].raw, out), rows[i].device ? 0 : -1);
        if (rows[i].device) {
            assert_string_equal(out, rows[i].device);
            assert_true(device_valid(out));
        }
    }
    assert_int_equal(device_from_raw(text_of('x', 299), out), 0);
    assert_int_equal(strlen(out), 64);
}

static void test_series(void **unused)
{
    (void)unused;
    static const struct {
        const char *series, *name;
    } good[] = {{"kitchen.temperature", "kitchen.temperature"},
                {"kitchen\\.temperature", "kitchen.temperature"},
                {"a-b_C.pm25_2", "a-b_C.pm25_2"}};
    static const char *const bad[] = {
        "",      ".",   "kitchen", "kitchen.", ".temperature", "a.b.c",
        "a b.c", "a.B", "a\\\\.b", "\\.b",     "a.b ",         "a.b\n"};
    char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < N_OF(good); i++) {
        assert_ok(series_split(good[i].series, name, device, quantity, &e), e);
        assert_string_equal(name, good[i].name);
        assert_ok(series_split(good[i].series, NULL, device, quantity, &e), e);
    }
    for (size_t i = 0; i < N_OF(bad); i++)
        if (series_split(bad[i], name, device, quantity, &e) != -1)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_failed(series_split("kitchen", NULL, device, quantity, &e), e, ERR_INVALID,
                  "\"kitchen\" is not a series: expected device.quantity, such as "
                  "kitchen.temperature");
    char longest[400];
    snprintf(longest, sizeof longest, "%.64s.%.64s", text_of('a', 64), text_of('a', 64));
    assert_ok(series_split(longest, name, device, quantity, &e), e);
    assert_int_equal(strlen(name), SERIES_MAX);
    strcat(longest, "a");
    assert_int_equal(series_split(longest, name, device, quantity, &e), -1);
}

static void test_add(void **unused)
{
    (void)unused;
    struct reading *r = calloc(1, sizeof *r);
    struct err e = ERR_INIT;
    assert_ok(reading_add(r, "temperature", 21.5, &e), e);
    assert_string_equal(r->values[0].quantity, "temperature");
    assert_true(r->values[0].value == 21.5);
    assert_failed(
        reading_add(r, "Temp", 1, &e), e, ERR_INVALID,
        "\"Temp\" is not a quantity: lower-case letters, digits and _ are expected, "
        "at most 64");
    assert_failed(reading_add(r, "humidity", NAN, &e), e, ERR_INVALID,
                  "the value of humidity is not a finite number");
    assert_int_equal(reading_add(r, "humidity", INFINITY, &e), -1);
    while (r->n < READING_VALUES_MAX)
        assert_ok(reading_add(r, "x", 1, &e), e);
    assert_failed(reading_add(r, "x", 1, &e), e, ERR_INVALID,
                  "a reading has at most 64 values");
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_device_from_raw),
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_add),
    };
    return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
