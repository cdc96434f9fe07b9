/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/filters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/ingest/settings.h"

static void expect(const char *text, const char *share, const char *const *want)
{
    struct filters f = {0};
    struct err e = ERR_INIT;
    if (filters_parse(&f, text, share, &e))
        fail_msg("%s: %s", text, e.text);
    int n = 0;
    for (; want[n]; n++)
        if (!f.list[n] || strcmp(f.list[n], want[n]) != 0)
            fail_msg("%s: filter %d is %s, not %s", text, n, f.list[n], want[n]);
    assert_int_equal(f.n, n);
    assert_null(f.list[n]);
    filters_done(&f);
}

static void test_alone(void **unused)
{
    (void)unused;
    expect("a/+", "", (const char *[]){"a/+", NULL});
    expect(" a , b/#,,c ", "", (const char *[]){"a", "b/#", "c", NULL});
    expect("$share/g/a,fieldcast/+/status", "",
           (const char *[]){"$share/g/a", "fieldcast/+/status", NULL});
}

static void test_group(void **unused)
{
    (void)unused;
    expect("fieldcast/+/readings,fieldcast/+/status,home/+/dht22", "fc",
           (const char *[]){"$share/fc/fieldcast/+/readings", "fieldcast/+/status",
                            "$share/fc/home/+/dht22", NULL});
    expect("tele/+/SENSOR,tele/+/LWT,zigbee2mqtt/+/availability,homie/+/$state,status,"
           "homeassistant/sensor/+/+/config",
           "fc",
           (const char *[]){"$share/fc/tele/+/SENSOR", "tele/+/LWT",
                            "zigbee2mqtt/+/availability", "homie/+/$state", "status",
                            "homeassistant/sensor/+/+/config", NULL});
    expect("$share/other/a,b", "fc",
           (const char *[]){"$share/other/a", "$share/fc/b", NULL});
}

static void test_one_of_our_own(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *share;
        int n;
    } rows[] = {{"a,b", "", 3},     {"a,+/status", "", 2},
                {"a,#", "", 2},     {"a,+/status", "g", 2}, /* no member shares these */
                {"a,#", "g", 3}, /* another member might get it */
                {"a,home/+", "", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct filters f = {0};
        struct err e = ERR_INIT;
        assert_int_equal(filters_parse(&f, rows[i].text, rows[i].share, &e), 0);
        bool shared = f.shared;
        assert_int_equal(filters_add(&f, "homeassistant/status", &e), 0);
        if (f.n != rows[i].n)
            fail_msg("%s: %d filters, not %d", rows[i].text, f.n, rows[i].n);
        if (f.n == 3)
            assert_string_equal(f.list[2], "homeassistant/status");
        assert_int_equal(f.shared, shared);
        filters_done(&f);
    }
}

static void test_shared_is_known(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *share;
        bool shared;
    } rows[] = {{"a", "", false},
                {"a", "g", true},
                {"x/status", "g", false},
                {"x/status,$share/g/a", "", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct filters f = {0};
        struct err e = ERR_INIT;
        assert_int_equal(filters_parse(&f, rows[i].text, rows[i].share, &e), 0);
        assert_int_equal(f.shared, rows[i].shared);
        filters_done(&f);
    }
}

static void test_asked_for(void **unused)
{
    (void)unused;
    static const char rows[] = "[{\"topic\":\"plant/lines\",\"format\":\"line\"},"
                               "{\"topic\":\"$share/g/own/#\",\"format\":\"line\"}]";
    struct err e = ERR_INIT;
    struct mapping *m = mapping_parse(rows, sizeof rows - 1, "rows", &e);
    if (!m)
        fail_msg("%s", e.text);
    assert_true(filters_ask_for("a/+,$share/g/b", m, "a/x"));
    assert_true(filters_ask_for("a/+,$share/g/b", m, "b"));
    assert_true(filters_ask_for("a", m, "plant/lines"));
    assert_true(filters_ask_for("a", m, "own/x"));
    assert_false(filters_ask_for("a/+,$share/g/b", m, "a/x/y"));
    assert_false(filters_ask_for("a", NULL, "plant/lines"));
    mapping_free(m);
}

static void refuse(const char *text, const char *sentence)
{
    struct filters f = {0};
    struct err e = ERR_INIT;
    assert_int_equal(filters_parse(&f, text, "", &e), -1);
    assert_string_equal(e.text, sentence);
    filters_done(&f);
}

static void test_refused(void **unused)
{
    (void)unused;
    char many[200] = "a";
    for (int i = 0; i < FILTERS_MAX; i++)
        strcat(many, ",a");
    refuse(" ,", "FC_MQTT_FILTERS names no topic");
    refuse(many, "FC_MQTT_FILTERS has more than 32 filters");
    refuse("a,b+",
           "FC_MQTT_FILTERS: \"b+\" is not a filter: + stands for a whole level, # "
           "for all that follow");
}

static void load(const char *share, const char *id, const char *sentence)
{
    struct ingest_settings s = {0};
    struct err e = ERR_INIT;
    setenv("FC_DATA_DIR", "/x", 1);
    setenv("FC_MQTT_SHARE", share, 1);
    setenv("FC_MQTT_CLIENT_ID", id, 1);
    int rc = ingest_settings_load(&s, &e);
    ingest_settings_done(&s);
    assert_int_equal(rc, sentence ? -1 : 0);
    if (sentence)
        assert_string_equal(e.text, sentence);
}

static void test_settings(void **unused)
{
    (void)unused;
    static const char needs[] =
        "FC_MQTT_SHARE=g needs FC_MQTT_CLIENT_ID, another in each ingest of the group "
        "and "
        "for ever the same in one: the broker keeps its part of the messages under this "
        "name";
    load("g", "", needs);
    load("g", "fieldcast-ingest", needs);
    load("g/h", "one",
         "FC_MQTT_SHARE must be a plain name without / + and #, not \"g/h\"");
    load(
        "g", "one",
        "FC_MQTT_SHARE=g needs FC_MEMBER, from 1 to 16 and another in each ingest of the "
        "group: so no two of them give readings without a time the same one");
    setenv("FC_MEMBER", "16", 1);
    load("g", "one", NULL);
    unsetenv("FC_MEMBER");
    load("", "", NULL);
}

/* A mapping's topics come to the others, and none is asked for twice. */
static void test_mapped(void **unused)
{
    (void)unused;
    static const char text[] =
        "[{\"topic\":\"factory/+\",\"device\":\"topic:1\",\"all\":\"$\"},"
        "{\"topic\":\"tele/+/SENSOR\",\"device\":\"topic:1\",\"all\":\"$\"},"
        "{\"topic\":\"home/#\",\"device\":\"topic:1\",\"all\":\"$\"},"
        "{\"topic\":\"a/b\",\"device\":\"topic:1\",\"all\":\"$\"}]";
    static const char *const want[] = {"$share/g/tele/+/SENSOR", "$share/g/a/+",
                                       "+/status", "$share/g/factory/+",
                                       "$share/g/home/#"};
    struct filters f = {0};
    struct err e = ERR_INIT;
    struct mapping *m = mapping_parse(text, sizeof text - 1, "test", &e);
    if (!m)
        fail_msg("%s", e.text);
    assert_int_equal(
        filters_parse(&f, "tele/+/SENSOR,home/+/dht22,a/+,+/status", "g", &e), 0);
    assert_int_equal(filters_add_mapped(&f, NULL, "g", &e), 0);
    assert_int_equal(f.n, 4);
    assert_int_equal(filters_add_mapped(&f, m, "g", &e), 0);
    assert_int_equal(f.n, 5);
    for (int i = 0; i < f.n; i++)
        assert_string_equal(f.list[i], want[i]);
    assert_null(f.list[5]);
    filters_done(&f);
    mapping_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),          cmocka_unit_test(test_group),
        cmocka_unit_test(test_one_of_our_own), cmocka_unit_test(test_shared_is_known),
        cmocka_unit_test(test_asked_for),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_settings),       cmocka_unit_test(test_mapped)};
    return cmocka_run_group_tests_name("filters", tests, NULL, NULL);
}
