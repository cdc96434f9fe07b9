/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Homie values mean with the types, units and descriptions that the memory has;
 * cases without any are in tests/cases/decode. */
#include "tests/unit/memory_decode.h"

#include "common/log.h"

static enum reject take(const char *topic, const char *payload)
{
    enum reject r = take_bytes(topic, payload, strlen(payload));
    assert_true(m.from_memory);
    return r;
}

static void said(const char *topic, const char *payload)
{
    if (take(topic, payload) || m.n)
        fail_msg("%s %s: %s, %zu items", topic, payload, why.text, m.n);
}

static void is(const char *topic, const char *payload, const char *quantity, double x)
{
    enum reject r = take(topic, payload);
    if (r || m.n != 1 || m.item[0].r.n != 1)
        fail_msg("%s %s: %s, %zu items", topic, payload, why.text, m.n);
    const struct reading_value *v = &m.item[0].r.values[0];
    if (strcmp(v->quantity, quantity) || fabs(v->value - x) > 1e-9)
        fail_msg("%s: %s is %.17g, not %s %.17g", topic, v->quantity, v->value, quantity,
                 x);
}

static void is_refused(const char *topic, const char *payload, const char *text)
{
    assert_int_equal(take(topic, payload), REJECT_BAD_VALUE);
    assert_string_equal(why.text, text);
    assert_string_equal(m.item[0].r.device, "kitchen");
}

static void test_3_and_4(void **unused)
{
    (void)unused;
    is("homie/kitchen/bme280/temperature", "68", "temperature", 68);
    said("homie/kitchen/bme280/temperature/$datatype", "float");
    said("homie/kitchen/bme280/temperature/$unit", "°F");
    is("homie/kitchen/bme280/temperature", "68", "temperature", 20);
    is_refused("homie/kitchen/bme280/temperature", "warm",
               "the value of \"temperature\" is no float");
    is_refused("homie/kitchen/bme280/temperature", "true",
               "the value of \"temperature\" is no float");
    said("homie/kitchen/bme280/temperature/$unit", ""); /* taken away */
    is("homie/kitchen/bme280/temperature", "68", "temperature", 68);
    said("homie/kitchen/door/contact/$datatype", "boolean");
    is("homie/kitchen/door/contact", "false", "contact", 0);
    is_refused("homie/kitchen/door/contact", "1",
               "the value of \"contact\" is no boolean");
    said("homie/kitchen/lamp/scene/$datatype", "string"); /* a text of digits is a text */
    said("homie/kitchen/lamp/scene", "12");
    said("homie/kitchen/lamp/mode/$datatype", "enum");
    said("homie/kitchen/lamp/mode", "3");
    said("homie/kitchen/lamp/brightness/$datatype", "percent");
    is("homie/kitchen/lamp/brightness", "40", "brightness", 40);
    said("homie/kitchen/air/humidity/$datatype", "percent");
    is("homie/kitchen/air/humidity", "40", "humidity", 40);
    assert_int_equal(memory_topics(memory), 6);
}

static void test_one_name_in_two_nodes(void **unused)
{
    (void)unused;
    said("homie/kitchen/in/temperature/$datatype", "float");
    is("homie/kitchen/in/temperature", "20", "temperature", 20);
    said("homie/kitchen/out/temperature/$datatype", "float");
    said("homie/kitchen/out/humidity/$datatype", "float");
    said("homie/kitchen2/x/humidity/$datatype", "float"); /* another device */
    is("homie/kitchen/in/temperature", "20", "in_temperature", 20);
    is("homie/kitchen/out/temperature", "5", "out_temperature", 5);
    is("homie/kitchen/out/humidity", "5", "humidity", 5);
    is("homie/kitchen/counter/value", "5", "counter_value", 5);
}

static void test_5(void **unused)
{
    (void)unused;
    said("homie/5/kitchen/$description",
         "{\"homie\":\"5.0\",\"nodes\":{"
         "\"in\":{\"properties\":{\"temperature\":{\"datatype\":\"float\",\"unit\":"
         "\"°F\"},"
         "\"text\":{\"datatype\":\"string\"},\"on\":{\"datatype\":\"boolean\"},"
         "\"pressure\":{\"datatype\":\"integer\",\"unit\":\"kPa\"},\"odd\":3}},"
         "\"out\":{\"properties\":{\"temperature\":{\"datatype\":\"float\"}}},"
         "\"empty\":{},\"list\":[]}}");
    is("homie/5/kitchen/in/temperature", "68", "in_temperature", 20);
    is("homie/5/kitchen/out/temperature", "68", "out_temperature", 68); /* no unit */
    is("homie/5/kitchen/in/pressure", "101", "pressure", 1010);
    is("homie/5/kitchen/in/on", "true", "on", 1);
    said("homie/5/kitchen/in/text", "68");
    is("homie/5/kitchen/in/odd", "68", "odd", 68);
    is("homie/5/kitchen/never/announced", "68", "announced", 68);
    is("homie/kitchen/in/temperature", "68", "temperature", 68); /* 4 is another world */
    is_refused("homie/5/kitchen/in/on", "on", "the value of \"on\" is no boolean");
    assert_int_equal(take("homie/5/kitchen/$description", "{"), REJECT_BAD_JSON);
    assert_int_equal(memory_topics(memory), 0); /* the older one is no longer true */
    is("homie/5/kitchen/in/temperature", "68", "temperature", 68);
    said("homie/5/kitchen/$description", "{}");
    said("homie/5/kitchen/$description", "");
    assert_int_equal(memory_topics(memory), 0);
}

static void test_children_are_lost_with_their_root(void **unused)
{
    (void)unused;
    said("homie/5/root/$description", "{\"children\":[\"a\",\"b\",7,\"\"]}");
    said("homie/5/a/$description",
         "{\"children\":[\"c\",\"root\",\"!!\"],\"parent\":\"root\"}");
    assert_int_equal(take("homie/5/root/$state", "lost"), REJECT_NONE);
    static const char *const want[] = {"root", "a", "b", "c"};
    assert_int_equal(m.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(m.item[i].r.device, want[i]);
        assert_int_equal(m.item[i].kind, ITEM_STATUS);
        assert_false(m.item[i].online);
    }
    assert_int_equal(m.refused, REJECT_BAD_DEVICE); /* "!!" */
    assert_int_equal(take("homie/5/root/$state", "ready"), REJECT_NONE);
    assert_int_equal(m.n, 1);
    assert_true(m.item[0].online);
}

static void test_more_children_than_one_message_can_tell(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 100000);
    buf_adds(&b, "{\"children\":[\"x\"");
    for (int i = 0; i < MESSAGE_ITEMS_MAX; i++)
        buf_addf(&b, ",\"d%d\"", i);
    buf_adds(&b, "]}");
    said("homie/5/root/$description", b.data);
    buf_done(&b);
    assert_int_equal(take("homie/5/root/$state", "disconnected"), REJECT_NONE);
    assert_int_equal(m.n, MESSAGE_ITEMS_MAX);
    assert_string_equal(
        m.why.text, "more than 499 devices are lost with it: of some it is not noted");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_3_and_4),
        CASE(test_one_name_in_two_nodes),
        CASE(test_5),
        CASE(test_children_are_lost_with_their_root),
        CASE(test_more_children_than_one_message_can_tell),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
