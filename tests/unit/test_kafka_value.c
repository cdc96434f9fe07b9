/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_value.h"

#include "services/ingest/decode.h"
#include "tests/unit/unit.h"

#define T INT64_C(1795132800000)

/* The value that a message becomes. */
static void expect(enum kafka_shape shape, const char *topic, const char *payload,
                   const char *key, const char *value)
{
    struct message m;
    struct err e = ERR_INIT;
    struct buf b;
    struct wal_record rec = {.receive_ms = T + 120,
                             .assigned_ms = T,
                             .topic = topic,
                             .payload = payload,
                             .len = strlen(payload)};
    message_init(&m);
    assert_int_equal(decode_message(NULL, topic, payload, rec.len, &m, &e), REJECT_NONE);
    struct reading *r = &m.item[0].r;
    r->time_ms = T;
    struct kafka_reading k = {r, m.decoder, &rec};
    buf_init(&b, KAFKA_VALUE_MAX);
    assert_int_equal(kafka_value(shape, &k, &b), 0);
    assert_string_equal(b.data, value);
    assert_string_equal(kafka_value_key(shape, r), key);
    buf_done(&b);
    message_done(&m);
}

#define NATIVE "fieldcast/kitchen/readings"
#define FRAMES "iot-frames-model"

static void test_native(void **unused)
{
    (void)unused;
    expect(KAFKA_SHAPE_NATIVE, NATIVE,
           "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,\"ts_ms\":1,"
           "\"values\":{\"temperature\":21.4,\"humidity\":48}}",
           "kitchen",
           "{\"device\":\"kitchen\",\"boot\":12,\"seq\":4711,\"ts_ms\":1795132800000,"
           "\"received_ms\":1795132800120,\"values\":{\"temperature\":21.4,"
           "\"humidity\":48}}");
    expect(KAFKA_SHAPE_NATIVE, "home/Kitchen/dht22", "{\"temp_c\":20.5}", "kitchen",
           "{\"device\":\"kitchen\",\"ts_ms\":1795132800000,"
           "\"received_ms\":1795132800120,\"values\":{\"temperature\":20.5}}");
    expect(KAFKA_SHAPE_NATIVE, FRAMES,
           "{\"name\":\"iot sensor\",\"payload\":{\"pressure\":101325}}", "iot_sensor",
           "{\"device\":\"iot_sensor\",\"ts_ms\":1795132800000,"
           "\"received_ms\":1795132800120,\"values\":{\"pressure\":1013.25}}");
}

static void test_system2(void **unused)
{
    (void)unused;
    /* as it came, with its own units and names */
    expect(KAFKA_SHAPE_SYSTEM2, FRAMES,
           "{\"id\":\"000000000\",\"name\":\"iot sensor\",\"place_id\":\"7\","
           "\"payload\":{\"temperature\":24.5,\"humidity\":61,\"pressure\":101325,"
           "\"fan_speed\":1}}",
           "iot sensor",
           "{\"id\":\"000000000\",\"name\":\"iot sensor\",\"place_id\":\"7\","
           "\"payload\":{\"temperature\":24.5,\"humidity\":61,\"pressure\":101325,"
           "\"fan_speed\":1,\"timestamp\":1795132800000,"
           "\"date\":\"2026-11-20T00:00:00.000Z\"}}");
    /* a bridge's time gives way to the one that Fieldcast uses */
    expect(
        KAFKA_SHAPE_SYSTEM2, FRAMES,
        "{\"name\":\"a\",\"payload\":{\"humidity\":61,\"timestamp\":5,\"date\":\"x\"}}",
        "a",
        "{\"name\":\"a\",\"payload\":{\"humidity\":61,\"timestamp\":1795132800000,"
        "\"date\":\"2026-11-20T00:00:00.000Z\"}}");
    expect(KAFKA_SHAPE_SYSTEM2, NATIVE,
           "{\"values\":{\"temperature\":21.5,\"pressure\":1013.25}}", "kitchen",
           "{\"id\":\"kitchen\",\"name\":\"kitchen\",\"place_id\":\"\",\"payload\":{"
           "\"temperature\":21.5,\"pressure\":101325.0,\"timestamp\":1795132800000,"
           "\"date\":\"2026-11-20T00:00:00.000Z\"}}");
}

static void test_presets(void **unused)
{
    (void)unused;
    enum kafka_shape shape;
    assert_int_equal(kafka_shape_parse("fieldcast", &shape), 0);
    assert_string_equal(kafka_shape_topic(shape), "fieldcast-readings");
    assert_string_equal(kafka_shape_name(shape), "native");
    assert_int_equal(kafka_shape_parse("system2", &shape), 0);
    assert_string_equal(kafka_shape_topic(shape), "event-frames-model");
    assert_int_equal(kafka_shape_parse("system3", &shape), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native),
        cmocka_unit_test(test_system2),
        cmocka_unit_test(test_presets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
