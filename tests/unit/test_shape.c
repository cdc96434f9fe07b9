/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/shape.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct shape_message m; /* large */

static struct sample kitchen(void)
{
    return (struct sample){.device = "kitchen",
                           .boot = 12,
                           .seq = 4711,
                           .ts_ms = 1795132800250,
                           .value = {{"temperature", 21.4, false},
                                     {"humidity", 48.2, false},
                                     {"pressure", 1013.3, false},
                                     {"co2", 640, false}},
                           .n = 4};
}

/* What each kind of device sends, as the texts on the wire. */
static void test_messages(void **unused)
{
    (void)unused;
    static const struct {
        const char *shape;
        size_t parts, part;
        const char *topic, *payload;
    } cases[] = {
        {"native", 1, 0, "fieldcast/kitchen/readings",
         "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,\"ts_ms\":1795132800250,"
         "\"values\":{"
         "\"temperature\":21.4,\"humidity\":48.2,\"pressure\":1013.3,\"co2\":640}}"},
        {"system0", 1, 0, "home/kitchen/dht22",
         "{\"sensor_id\":\"dht22_kitchen\",\"location\":\"kitchen\",\"temp_c\":21.4,"
         "\"hum_pct\":48.2,\"ts\":848448000}"},
        {"system1", 1, 0, "iot-device-data",
         "{\"data\":{\"temp\":21.4,\"humidity\":48.2},\"device_id\":\"kitchen\","
         "\"ts\":1795132800.25}"},
        {"system2", 1, 0, "iot-frames-model",
         "{\"id\":\"784168356\",\"name\":\"kitchen\",\"place_id\":\"000000000\","
         "\"payload\":{"
         "\"temperature\":21.4,\"humidity\":48.2,\"pressure\":101330}}"},
        {"system3", 4, 0, "sensors/kitchen/data",
         "{\"sensor_id\":\"kitchen\",\"sensor_type\":\"temperature\",\"timestamp\":"
         "\"2026-11-"
         "20T00:00:00.250\",\"value\":21.4,\"unit\":\"celsius\",\"location\":\"kitchen\","
         "\"metadata\":{\"quality\":\"good\"}}"},
        {"system3", 4, 2, "sensors/kitchen/data",
         "{\"sensor_id\":\"kitchen\",\"sensor_type\":\"pressure\",\"timestamp\":\"2026-"
         "11-"
         "20T00:00:00.250\",\"value\":101.33,\"unit\":\"kPa\",\"location\":\"kitchen\","
         "\"metadata\":{\"quality\":\"good\"}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape *sh = shape_find(cases[i].shape);
        struct sample s = kitchen();
        struct err e = ERR_INIT;
        assert_non_null(sh);
        assert_int_equal(shape_parts(sh, &s), cases[i].parts);
        assert_int_equal(shape_write(sh, &s, cases[i].part, NULL, &m, &e), 0);
        assert_string_equal(m.topic, cases[i].topic);
        assert_string_equal(m.payload, cases[i].payload);
        assert_int_equal(m.len, strlen(m.payload));
        json_t *doc = json_loads(m.payload, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(doc);
        json_decref(doc);
    }
}

/* A shape without a device time gets the one its bridge would add, when it is late. */
static void test_past(void **unused)
{
    (void)unused;
    struct sample s = kitchen();
    struct err e = ERR_INIT;
    s.past = true;
    s.n = 1;
    assert_int_equal(shape_write(shape_find("system2"), &s, 0, NULL, &m, &e), 0);
    assert_string_equal(
        m.payload,
        "{\"id\":\"784168356\",\"name\":\"kitchen\",\"place_id\":\"000000000\","
        "\"payload\":{\"temperature\":21.4,\"timestamp\":1795132800250}}");
}

static void test_booleans_and_raw_ids(void **unused)
{
    (void)unused;
    struct sample s = {
        .device = "b8:27:eb:bf:9d:51",
        .ts_ms = 1594598424502,
        .value = {{"light", 1, true}, {"motion", 0, true}, {"co", 0.0049, false}},
        .n = 3};
    struct err e = ERR_INIT;
    assert_true(shape_sends_raw_ids(shape_find("system1")));
    assert_false(shape_sends_raw_ids(shape_find("system0")));
    assert_int_equal(shape_write(shape_find("system1"), &s, 0, NULL, &m, &e), 0);
    assert_string_equal(m.payload,
                        "{\"data\":{\"light\":true,\"motion\":false,\"co\":0.0049}"
                        ",\"device_id\":\"b8:27:eb:bf:9d:51\",\"ts\":1594598424.502}");
}

static void test_prefix(void **unused)
{
    (void)unused;
    struct sample s = kitchen();
    struct err e = ERR_INIT;
    assert_int_equal(shape_write(shape_find("native"), &s, 0, "plant", &m, &e), 0);
    assert_string_equal(m.topic, "plant/kitchen/readings");
    assert_int_equal(shape_write(shape_find("system1"), &s, 0, "sensor/output", &m, &e),
                     0);
    assert_string_equal(m.topic, "sensor/output");
}

static void test_not_carried(void **unused)
{
    (void)unused;
    struct sample s = {.device = "lab", .value = {{"co2", 500, false}}, .n = 1};
    assert_int_equal(shape_parts(shape_find("system0"), &s), 0);
    assert_int_equal(shape_parts(shape_find("native"), &s), 1);
    assert_false(shape_carries(shape_find("system2"), "co2"));
    assert_true(shape_carries(shape_find("system2"), "pressure"));
    assert_true(shape_carries(shape_find("native"), "anything"));
}

static void test_refusals(void **unused)
{
    (void)unused;
    assert_null(shape_find("system9"));
    assert_null(shape_find(""));
    struct sample s = kitchen();
    struct err e = ERR_INIT;
    s.device = "kit/chen";
    assert_int_equal(shape_write(shape_find("system0"), &s, 0, NULL, &m, &e), -1);
    assert_string_equal(
        e.text, "\"kit/chen\" is not a device name: 1 to 64 letters, digits, _ or -");
    s = kitchen();
    s.value[1].value = NAN;
    assert_int_equal(shape_write(shape_find("system3"), &s, 0, NULL, &m, &e), -1);
    assert_string_equal(e.text, "the value of kitchen.humidity is not a finite number");
    s = kitchen();
    s.value[1].quantity = "Hum";
    assert_int_equal(shape_write(shape_find("native"), &s, 0, NULL, &m, &e), -1);
    assert_string_equal(e.text,
                        "a quantity must be 1 to 64 lower-case letters, digits or _, "
                        "a letter first");
    char prefix[300];
    memset(prefix, 'p', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    s = kitchen();
    assert_int_equal(shape_write(shape_find("native"), &s, 0, prefix, &m, &e), -1);
    assert_string_equal(e.text, "the topic for kitchen is longer than 199 letters");
    static char id[20000];
    memset(id, '\1', sizeof id - 1);
    s.device = id;
    assert_int_equal(shape_write(shape_find("system1"), &s, 0, NULL, &m, &e), -1);
    assert_int_equal(e.code, ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_booleans_and_raw_ids),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_not_carried),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
