/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "firmware/main/payload.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct payload_value values[] = {{"temperature", 21.4}, {"humidity", 48.2}};

static struct payload_reading reading(void)
{
    return (struct payload_reading){.device = "kitchen",
                                    .boot = 12,
                                    .seq = 4711,
                                    .has_ts = true,
                                    .ts_ms = 1795132800000,
                                    .values = values,
                                    .n = 2};
}

static const char expected[] =
    "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,\"ts_ms\":1795132800000,"
    "\"values\":{\"temperature\":21.4,\"humidity\":48.2}}";

static void test_contract(void **unused)
{
    (void)unused;
    char buf[256];
    struct payload_reading r = reading();
    assert_int_equal(payload_write(&r, buf, sizeof buf), (int)strlen(expected));
    assert_string_equal(buf, expected);
}

static void test_without_clock(void **unused)
{
    (void)unused;
    char buf[256];
    struct payload_reading r = reading();
    r.has_ts = false;
    r.n = 1;
    payload_write(&r, buf, sizeof buf);
    assert_string_equal(buf, "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,"
                             "\"values\":{\"temperature\":21.4}}");
}

/* Every size up to the need leaves "", touches nothing beyond, and tells the need. */
static void test_does_not_fit(void **unused)
{
    (void)unused;
    struct payload_reading r = reading();
    int need = payload_write(&r, NULL, 0);
    assert_int_equal(need, (int)strlen(expected));
    for (size_t size = 1; size <= (size_t)need; size++) {
        char *buf = malloc(size); /* exact, so that sanitizers see a step too far */
        assert_int_equal(payload_write(&r, buf, size), need);
        assert_string_equal(buf, "");
        free(buf);
    }
    char fits[sizeof expected];
    assert_int_equal(payload_write(&r, fits, sizeof fits), need);
    assert_string_equal(fits, expected);
}

static void test_refusals(void **unused)
{
    (void)unused;
    char long_name[PAYLOAD_NAME_MAX + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct {
        const char *device, *quantity;
        double value;
        size_t n;
        int error;
        const char *text;
    } cases[] = {
        {"kitchen", "temperature", NAN, 1, PAYLOAD_NOT_FINITE,
         "a value is not a finite number"},
        {"kitchen", "temperature", INFINITY, 1, PAYLOAD_NOT_FINITE,
         "a value is not a finite number"},
        {"kitchen", "temperature", -INFINITY, 1, PAYLOAD_NOT_FINITE,
         "a value is not a finite number"},
        {"", "temperature", 1, 1, PAYLOAD_BAD_DEVICE,
         "a device name must be 1 to 64 letters, digits, _ or -"},
        {NULL, "temperature", 1, 1, PAYLOAD_BAD_DEVICE,
         "a device name must be 1 to 64 letters, digits, _ or -"},
        {"a/b", "temperature", 1, 1, PAYLOAD_BAD_DEVICE,
         "a device name must be 1 to 64 letters, digits, _ or -"},
        {"a\"", "temperature", 1, 1, PAYLOAD_BAD_DEVICE,
         "a device name must be 1 to 64 letters, digits, _ or -"},
        {long_name, "temperature", 1, 1, PAYLOAD_BAD_DEVICE,
         "a device name must be 1 to 64 letters, digits, _ or -"},
        {"kitchen", "temperature", 1, 0, PAYLOAD_BAD_COUNT,
         "a reading must hold 1 to 32 values"},
        {"kitchen", "temperature", 1, PAYLOAD_VALUES_MAX + 1, PAYLOAD_BAD_COUNT,
         "a reading must hold 1 to 32 values"},
        {"kitchen", "", 1, 1, PAYLOAD_BAD_QUANTITY,
         "a quantity must be 1 to 64 lower-case letters, digits or _, a letter first"},
        {"kitchen", "Temp", 1, 1, PAYLOAD_BAD_QUANTITY,
         "a quantity must be 1 to 64 lower-case letters, digits or _, a letter first"},
        {"kitchen", "_temp", 1, 1, PAYLOAD_BAD_QUANTITY,
         "a quantity must be 1 to 64 lower-case letters, digits or _, a letter first"},
        {"kitchen", "2temp", 1, 1, PAYLOAD_BAD_QUANTITY,
         "a quantity must be 1 to 64 lower-case letters, digits or _, a letter first"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct payload_value v[PAYLOAD_VALUES_MAX + 1];
        for (size_t k = 0; k < PAYLOAD_VALUES_MAX + 1; k++)
            v[k] = (struct payload_value){cases[i].quantity, cases[i].value};
        struct payload_reading r = reading();
        r.device = cases[i].device;
        r.values = v;
        r.n = cases[i].n;
        char buf[4096] = "before";
        assert_int_equal(payload_write(&r, buf, sizeof buf), cases[i].error);
        assert_string_equal(buf, "");
        assert_string_equal(payload_error_text(cases[i].error), cases[i].text);
    }
    assert_string_equal(payload_error_text(0), "no error");
}

/* The longest reading there can be is valid JSON, and every number reads back the same.
 */
static void test_reads_back(void **unused)
{
    (void)unused;
    static const double numbers[] = {
        0,         -0.0,    1,       -40,    21.4,
        28.800002, 1e-300,  1e300,   5e-324, 1.7976931348623157e308,
        0.1 + 0.2, 1013.25, 1.0 / 3, -1e-5,  123456789};
    char name[PAYLOAD_NAME_MAX + 1], quantities[PAYLOAD_VALUES_MAX][PAYLOAD_NAME_MAX + 1];
    memset(name, 'Z', PAYLOAD_NAME_MAX);
    name[PAYLOAD_NAME_MAX] = '\0';
    struct payload_value v[PAYLOAD_VALUES_MAX];
    for (size_t i = 0; i < PAYLOAD_VALUES_MAX; i++) {
        memset(quantities[i], 'q', PAYLOAD_NAME_MAX);
        snprintf(quantities[i] + PAYLOAD_NAME_MAX - 3, 4, "_%02u", (unsigned)(i % 100));
        v[i].quantity = quantities[i];
        v[i].value = numbers[i % (sizeof numbers / sizeof *numbers)];
    }
    struct payload_reading r = {name,      UINT32_MAX, UINT32_MAX,        true,
                                INT64_MAX, v,          PAYLOAD_VALUES_MAX};
    char buf[8192];
    int n = payload_write(&r, buf, sizeof buf);
    assert_in_range(n, 1, sizeof buf - 1);
    json_error_t why;
    json_t *doc = json_loads(buf, JSON_REJECT_DUPLICATES, &why);
    assert_non_null(doc);
    assert_int_equal(json_integer_value(json_object_get(doc, "boot")), UINT32_MAX);
    for (size_t i = 0; i < PAYLOAD_VALUES_MAX; i++) {
        json_t *x = json_object_get(json_object_get(doc, "values"), quantities[i]);
        assert_true(json_is_number(x));
        assert_true(json_number_value(x) == v[i].value);
    }
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),     cmocka_unit_test(test_without_clock),
        cmocka_unit_test(test_does_not_fit), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
