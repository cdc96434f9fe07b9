/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/mqtt.h"

/* MQTT 3.1.1, section 4.7. */
static void test_match(void **unused)
{
    (void)unused;
    static const struct {
        const char *filter, *topic;
        bool match;
    } rows[] = {
        {"a/b", "a/b", true},
        {"a/b", "a/b/c", false},
        {"a/b", "a", false},
        {"a/b", "A/b", false},
        {"a/b", "a/bc", false},
        {"a/bc", "a/b", false},
        {"#", "a", true},
        {"#", "a/b/c", true},
        {"a/#", "a/b/c", true},
        {"a/#", "a", true},
        {"a/#", "ab", false},
        {"a/#", "a/", true},
        {"+", "a", true},
        {"+", "a/b", false},
        {"+", "", true},
        {"+/+", "/a", true},
        {"/+", "/a", true},
        {"+", "/a", false},
        {"a/+", "a/", true},
        {"a/+", "a", false},
        {"a/+/c", "a/b/c", true},
        {"a/+/c", "a//c", true},
        {"a/+/c", "a/b/d", false},
        {"a/+/#", "a/b", true},
        {"a/+/#", "a/b/c/d", true},
        {"a/+/#", "a", false},
        {"#", "$SYS/broker", false},
        {"+/broker", "$SYS/broker", false},
        {"$SYS/#", "$SYS/broker/load", true},
        {"fieldcast/+/readings", "fieldcast/kitchen/readings", true},
        {"fieldcast/+/readings", "fieldcast/kitchen/status", false},
        {"fieldcast/+/readings", "fieldcast/kitchen/readings/x", false},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        if (mqtt_match(rows[i].filter, rows[i].topic) != rows[i].match)
            fail_msg("%s on %s: not %d", rows[i].filter, rows[i].topic, rows[i].match);
}

static void test_filter_valid(void **unused)
{
    (void)unused;
    static const char *const good[] = {"#",     "+", "a",    "a/+/b",          "a/#",
                                       "+/+/#", "/", "a//b", "$share/g/a/+/#", "$SYS/#",
                                       "$share"};
    static const char *const bad[] = {
        "",          "a/#/b",      "a#",         "+a/b",     "a/b+",
        "#/",        "a/##",       "$share/",    "$share/g", "$share//a",
        "$share/g/", "$share/+/a", "$share/g/a#"};
    for (size_t i = 0; i < N_OF(good); i++)
        if (!mqtt_filter_valid(good[i]))
            fail_msg("%s is one", good[i]);
    for (size_t i = 0; i < N_OF(bad); i++)
        if (mqtt_filter_valid(bad[i]))
            fail_msg("%s is none", bad[i]);
}

static void test_shared(void **unused)
{
    (void)unused;
    assert_string_equal(mqtt_filter_shared("$share/g/a/+"), "a/+");
    assert_string_equal(mqtt_filter_shared("$share/g"), "$share/g");
    assert_string_equal(mqtt_filter_shared("a/+"), "a/+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_match),
                                       cmocka_unit_test(test_filter_valid),
                                       cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests_name("mqtt_match", tests, NULL, NULL);
}
