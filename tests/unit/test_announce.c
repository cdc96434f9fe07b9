/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Home Assistant is told of devices, when, and when again. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <unistd.h>

#include "services/ingest/announce.h"
#include "services/ingest/decode.h"
#include "services/ingest/ha_config.h"

static char path[64];
static struct ledger *ledger;
static struct announce *announce;

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    temp_file(path, "");
    ledger = ledger_open(path, 1000, NULL, &e);
    announce = announce_new("homeassistant", 600, ledger);
    return ledger ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    announce_free(announce);
    ledger_close(ledger);
    return unlink(path);
}

/* ---- one configuration
 * ---------------------------------------------------------------------- */

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void expect(const json_t *o, const char *key, const char *want)
{
    const char *got = text(o, key);
    if (want ? !got || strcmp(got, want) : json_object_get(o, key) != NULL)
        fail_msg("%s is %s, not %s", key, got ? got : "(none)", want ? want : "(none)");
}

static void test_a_sensor(void **unused)
{
    (void)unused;
    struct ha_config c = {.prefix = "ha/x",
                          .device = "Garden-shed_1",
                          .level = "Garden-shed 1",
                          .quantity = "soil_moisture_2",
                          .has_status = true,
                          .expire_s = 600};
    char topic[HA_TOPIC_MAX + 1];
    ha_config_topic(&c, topic);
    assert_string_equal(topic,
                        "ha/x/sensor/fieldcast_Garden-shed_1/soil_moisture_2/config");
    json_t *o = ha_config_json(&c), *device = json_object_get(o, "device");
    expect(o, "name", "Soil moisture 2");
    expect(o, "unique_id", "fieldcast.Garden-shed_1.soil_moisture_2");
    expect(o, "default_entity_id", "sensor.garden_shed_1_soil_moisture_2");
    expect(o, "object_id", NULL);
    expect(o, "state_topic", "fieldcast/Garden-shed 1/readings");
    expect(o, "value_template",
           "{{ value_json['values']['soil_moisture_2'] | default('') }}");
    expect(o, "device_class", "moisture");
    expect(o, "state_class", "measurement");
    expect(o, "unit_of_measurement", "%");
    expect(o, "availability_topic", "fieldcast/Garden-shed 1/status");
    assert_int_equal(json_integer_value(json_object_get(o, "expire_after")), 600);
    expect(device, "name", "Garden-shed_1");
    const json_t *ids = json_object_get(device, "identifiers");
    assert_string_equal(json_string_value(json_array_get(ids, 0)),
                        "fieldcast_Garden-shed_1");
    expect(json_object_get(o, "origin"), "name", "Fieldcast");
    assert_non_null(text(json_object_get(o, "origin"), "sw_version"));
    json_decref(o);
}

static void test_kinds(void **unused)
{
    (void)unused;
    static const struct {
        const char *quantity, *topic, *device_class, *state_class, *unit;
    } rows[] = {
        {"temperature", "sensor", "temperature", "measurement", "°C"},
        {"dew_point", "sensor", "temperature", "measurement", "°C"},
        {"pressure", "sensor", "atmospheric_pressure", "measurement", "hPa"},
        {"pm25", "sensor", "pm25", "measurement", "µg/m³"},
        {"tvoc", "sensor", "volatile_organic_compounds_parts", "measurement", "ppm"},
        {"energy", "sensor", "energy", "total_increasing", "Wh"},
        {"battery", "sensor", "voltage", "measurement", "V"},
        {"battery_level", "sensor", "battery", "measurement", "%"},
        {"rssi", "sensor", "signal_strength", "measurement", "dBm"},
        {"lpg", "sensor", NULL, "measurement", "ppm"},
        {"linkquality", "sensor", NULL, "measurement", NULL},
        {"unheard_of", "sensor", NULL, "measurement", NULL},
        {"motion", "binary_sensor", "motion", NULL, NULL},
        {"contact_2", "binary_sensor", "opening", NULL, NULL},
        {"switch", "binary_sensor", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct ha_config c = {.prefix = "h", .device = "d", .level = "d"};
        char topic[HA_TOPIC_MAX + 1], want[80];
        c.quantity = rows[i].quantity;
        ha_config_topic(&c, topic);
        snprintf(want, sizeof want, "h/%s/fieldcast_d/%s/config", rows[i].topic,
                 rows[i].quantity);
        assert_string_equal(topic, want);
        json_t *o = ha_config_json(&c);
        expect(o, "device_class", rows[i].device_class);
        expect(o, "state_class", rows[i].state_class);
        expect(o, "unit_of_measurement", rows[i].unit);
        expect(o, "payload_on", strncmp(c.quantity, "contact", 7) ? NULL : "OFF");
        expect(o, "availability_topic", NULL); /* it has told no status */
        expect(o, "expire_after", NULL);
        json_decref(o);
    }
}

/* ---- when
 * ------------------------------------------------------------------------------------ */

static char heard[4096]; /* topics, one a line, without what they all have */
static json_t *last;     /* the newest configuration; owned */
static int fail_after = -1;

static int publish(void *arg, const char *topic, const char *payload, size_t len)
{
    (void)arg;
    if (!fail_after)
        return -1;
    fail_after -= fail_after > 0;
    assert_int_equal(strncmp(topic, "homeassistant/", 14), 0);
    strcat(strcat(heard, topic + 14), "\n");
    json_decref(last);
    last = json_loadb(payload, len, 0, NULL);
    assert_non_null(last);
    return 0;
}

/* What comes of it, in the order of the topics as they are said. */
static const char *said(size_t most)
{
    *heard = '\0';
    announce_some(announce, most, publish, NULL);
    json_decref(last);
    last = NULL;
    return heard;
}

static void send(const char *topic, const char *payload)
{
    struct message m;
    struct err e = ERR_INIT;
    message_init(&m);
    decode_message(NULL, topic, payload, strlen(payload), &m, &e);
    for (size_t i = 0; i < m.n; i++)
        if (!m.item[i].reject)
            assert_int_equal(ledger_device(ledger, m.item[i].r.device,
                                           m.item[i].r.raw_device, true,
                                           &m.item[i].device, &e),
                             REJECT_NONE);
    announce_see(announce, topic, payload, strlen(payload), &m);
    message_done(&m);
}

#define KITCHEN "fieldcast/kitchen/readings"
#define TEMPERATURE "sensor/fieldcast_kitchen/temperature/config\n"
#define HUMIDITY "sensor/fieldcast_kitchen/humidity/config\n"

static void test_each_quantity_once(void **unused)
{
    (void)unused;
    assert_string_equal(said(10), "");
    send(KITCHEN, "{\"values\":{\"temperature\":21.4}}");
    send(KITCHEN, "{\"values\":{\"temperature\":21.5,\"humidity\":40}}");
    assert_string_equal(said(10), TEMPERATURE HUMIDITY);
    send(KITCHEN, "{\"values\":{\"temperature\":21.6,\"humidity\":41}}");
    assert_string_equal(said(10), "");
    send("fieldcast/office/readings", "{\"values\":{\"motion\":true}}");
    assert_string_equal(said(10), "binary_sensor/fieldcast_office/motion/config\n");
    announce_again(announce); /* it goes round: a break in the middle starves nobody */
    assert_string_equal(
        said(10), "binary_sensor/fieldcast_office/motion/config\n" TEMPERATURE HUMIDITY);
    assert_string_equal(said(10), "");
}

static void test_a_few_at_a_time(void **unused)
{
    (void)unused;
    send(KITCHEN, "{\"values\":{\"temperature\":21.5,\"humidity\":40}}");
    assert_string_equal(said(1), TEMPERATURE);
    fail_after = 0; /* not connected */
    assert_string_equal(said(10), "");
    fail_after = -1;
    assert_string_equal(said(10), HUMIDITY);
    announce_again(announce);
    fail_after = 1;
    assert_string_equal(said(10), TEMPERATURE);
    announce_again(announce); /* in the middle: all from the first */
    fail_after = -1;
    assert_string_equal(said(10), TEMPERATURE HUMIDITY);
}

/* Only now is there a topic that says whether it is available. */
static void test_a_status_later(void **unused)
{
    (void)unused;
    send(KITCHEN, "{\"values\":{\"temperature\":21.5}}");
    assert_string_equal(said(10), TEMPERATURE);
    send("fieldcast/kitchen/status", "online");
    *heard = '\0';
    assert_int_equal(announce_some(announce, 10, publish, NULL), 1);
    expect(last, "availability_topic", "fieldcast/kitchen/status");
    send("fieldcast/kitchen/status", "offline");
    assert_string_equal(said(10), "");
    send("fieldcast/cellar/status", "online"); /* it has no quantity yet */
    assert_string_equal(said(10), "");
    send("fieldcast/cellar/readings", "{\"values\":{\"humidity\":80}}");
    assert_string_equal(said(10), "sensor/fieldcast_cellar/humidity/config\n");
}

/* What Home Assistant could not read in the device's messages, it is not told of. */
static void test_what_cannot_be_read(void **unused)
{
    (void)unused;
    send(KITCHEN, "{\"values\":{\"temp\":21.5,\"Humidity\":40,\"pressure\":101325,"
                  "\"co\":null,\"light\":7}}");
    assert_string_equal(said(10), "sensor/fieldcast_kitchen/light/config\n");
    send(KITCHEN, "{\"values\":{\"temp\":21.5,\"Humidity\":40,\"pressure\":101325}}");
    assert_string_equal(said(10), "");
    send("home/Attic/dht22", "{\"temp_c\":20,\"hum\":40}");
    send("tele/shed/SENSOR", "{\"Time\":\"x\",\"AM2301\":{\"Temperature\":20}}");
    send("fieldcast/attic/readings", "{\"values\":{\"temperature\":900}}"); /* refused */
    send("fieldcast/attic/readings", "rubbish");
    send("fieldcast/attic/status", "rubbish");
    announce_again(announce);
    assert_string_equal(said(10), "sensor/fieldcast_kitchen/light/config\n");
}

static void test_a_raw_name_in_the_topic(void **unused)
{
    (void)unused;
    send("fieldcast/garden shed/readings", "{\"values\":{\"temperature\":3}}");
    assert_int_equal(announce_some(announce, 10, publish, NULL), 1);
    expect(last, "state_topic", "fieldcast/garden shed/readings");
    expect(last, "unique_id", "fieldcast.garden_shed.temperature");
    assert_string_equal(said(10), "");
}

static int count(void *arg, const char *topic, const char *payload, size_t len)
{
    (void)topic;
    (void)payload;
    (void)len;
    ++*(size_t *)arg;
    return 0;
}

/* Names without end do not take memory without end. */
static void test_names_are_bounded(void **unused)
{
    (void)unused;
    char topic[64], payload[64];
    size_t n = 0;
    for (unsigned d = 0; d < 70; d++)
        for (unsigned q = 0; q < 70; q++) {
            snprintf(topic, sizeof topic, "fieldcast/d%u/readings", d);
            snprintf(payload, sizeof payload, "{\"values\":{\"q%u_%u_x\":1}}", d, q);
            send(topic, payload);
        }
    announce_some(announce, 10000, count, &n);
    assert_int_equal(n, ANNOUNCE_NAMES_MAX); /* of 70 × 64 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sensor),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test_setup_teardown(test_each_quantity_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_few_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_status_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_name_in_the_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
