/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's mapping: what a file may say and how its mistakes are told, and what rows
 * make of messages. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <unistd.h>

#include "services/ingest/mapping.h"

/* ---- files
 * ------------------------------------------------------------------------------ */

static struct mapping *parse(const char *text)
{
    struct err e = ERR_INIT;
    struct mapping *p = mapping_parse(text, strlen(text), "rows.json", &e);
    if (!p)
        fail_msg("%s: %s", text, e.text);
    return p;
}

static void test_mistakes_are_told(void **unused)
{
    (void)unused;
#define ROW(rest) "[{\"topic\":\"a/+\"," rest "}]"
#define SAYS(rest) "rows.json: row 1: " rest
    static const char *const table[][2] = {
        {"{}", "rows.json must be a JSON array of at most 256 rows"},
        {"[1]", SAYS("an object is expected")},
        {"[{}]",
         SAYS("member \"topic\": it is missing or no filter: + stands for a whole "
              "level, # for all that follow, such as \"factory/+/telemetry\"")},
        {"[{\"topic\":\"a/#/b\"}]",
         SAYS("member \"topic\": it is missing or no filter: + stands for a whole "
              "level, # for all that follow, such as \"factory/+/telemetry\"")},
        {ROW("\"devise\":1"), SAYS("there is no member \"devise\": known are topic, "
                                   "format, device, time, location, values, all, "
                                   "retained")},
        {ROW("\"all\":\"$\""),
         SAYS("member \"device\": it is missing or has not 1 to 4 parts: it says which "
              "device a message is from, such as \"$.meta.id\" or \"topic:1\"")},
        {ROW("\"device\":\"meta.id\",\"all\":\"$\""),
         SAYS("member \"device\": a path (\"$.meta.id\"), \"topic:2\" or \"text:boiler\" "
              "is expected, not \"meta.id\"")},
        {ROW("\"device\":7,\"all\":\"$\""),
         SAYS("member \"device\": a path (\"$.meta.id\"), \"topic:2\" or \"text:boiler\" "
              "is expected")},
        {ROW("\"device\":\"topic:x\",\"all\":\"$\""),
         SAYS("member \"device\": \"topic:x\": a level of the topic is expected behind "
              "topic:, 0 for the first")},
        {ROW("\"device\":\"topic:2\",\"all\":\"$\""),
         SAYS("member \"device\": \"topic:2\": the last level of \"a/+\" is topic:1")},
        {ROW("\"device\":[\"$.a\",\"topic:9\"],\"all\":\"$\""),
         SAYS("member \"device\": \"topic:9\": the last level of \"a/+\" is topic:1")},
        {ROW("\"device\":\"$.a\",\"all\":\"$\",\"location\":\"topic:2\""),
         SAYS("member \"location\": \"topic:2\": the last level of \"a/+\" is topic:1")},
        {ROW("\"device\":\"text:--\",\"all\":\"$\""),
         SAYS("member \"device\": \"text:--\": a name of 1 to 64 letters and digits is "
              "expected behind text:")},
        {ROW("\"device\":\"$.a[\",\"all\":\"$\""),
         SAYS("member \"device\": \"$.a[\": character 5: a number of at most 6 digits or "
              "a name in quotes is expected")},
        {ROW("\"device\":[],\"all\":\"$\""),
         SAYS("member \"device\": it is missing or has not 1 to 4 parts: it says which "
              "device a message is from, such as \"$.meta.id\" or \"topic:1\"")},
        {ROW("\"device\":\"$.a\""),
         SAYS("member \"values\" or \"all\" is missing: one says what is stored")},
        {ROW("\"device\":\"$.a\",\"all\":1"),
         SAYS("member \"all\": a path in quotes is expected, such as \"$.meta.id\"")},
        {ROW("\"device\":\"$.a\",\"all\":\"$\",\"time\":\"ts\""),
         SAYS("member \"time\": \"ts\": character 1: a path begins with $, as $.meta.id "
              "does")},
        {ROW("\"device\":\"$.a\",\"all\":\"$\",\"location\":\"hall\""),
         SAYS("member \"location\": a path (\"$.meta.id\"), \"topic:2\" or "
              "\"text:boiler\" is expected, not \"hall\"")},
        {ROW("\"device\":\"$.a\",\"values\":{}"),
         SAYS("member \"values\": an object of 1 to 64 names is expected, such as "
              "{\"temperature\":\"$.t\"}")},
        {ROW("\"device\":\"$.a\",\"values\":{\"B C\":\"$.t\"}"),
         SAYS("member \"values.B C\": \"B C\" is not a quantity: letters, digits and _ "
              "are expected")},
        {ROW("\"device\":\"$.a\",\"values\":{\"t\":\"t\"}"),
         SAYS("member \"values.t\": member \"path\": \"t\": character 1: a path begins "
              "with $, as $.meta.id does")},
        {ROW("\"device\":\"$.a\",\"values\":{\"t\":{}}"),
         SAYS("member \"values.t\": member \"path\" is missing: it says where the value "
              "stands")},
        {ROW("\"device\":\"$.a\",\"values\":{\"t\":{\"path\":\"$.t\",\"units\":\"F\"}}"),
         SAYS("member \"values.t\": there is no member \"units\": known are path, unit")},
        {ROW("\"device\":\"$.a\",\"values\":{\"temp\":{\"path\":\"$.t\",\"unit\":\"X\"}"
             "}"),
         SAYS("member \"values.temp\": the unit \"X\" of temperature is not known: send "
              "°C")},
        {ROW("\"device\":\"$.a\",\"values\":{\"t\":{\"path\":\"$.t\",\"unit\":3}}"),
         SAYS("member \"values.t\": \"unit\" must be a short text, such as \"F\"")},
        {ROW("\"device\":\"$.a\",\"values\":{\"temp\":\"$.t\",\"temperature\":\"$.u\"}"),
         SAYS("member \"values\": two of the names mean temperature")},
        {ROW("\"device\":\"$.a\",\"all\":\"$\",\"retained\":true"),
         SAYS("member \"retained\": it must be \"refuse\", or \"ignore\" or \"take\"")},
        {ROW("\"format\":\"csv\""),
         SAYS("member \"format\": it must be \"json\", or \"line\"")},
        {ROW("\"format\":\"line\",\"device\":\"$.a\""),
         SAYS("there is no member \"device\": known are topic, format, retained")},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        assert_null(mapping_parse(table[i][0], strlen(table[i][0]), "rows.json", &e));
        assert_string_equal(e.text, table[i][1]);
    }
}

static void test_bounds_and_files(void **unused)
{
    (void)unused;
    static const char row[] = "{\"topic\":\"a\",\"format\":\"line\"},";
    struct err e = ERR_INIT;
    char path[64], *text = calloc(1, 300 * sizeof row);
    for (int n = 256; n <= 257; n++) {
        strcpy(text, "[");
        for (int i = 0; i < n; i++)
            strcat(text, row);
        text[strlen(text) - 1] = ']';
        struct mapping *p = mapping_parse(text, strlen(text), "x", &e);
        assert_int_equal(mapping_rows(p), n == 256 ? 256 : 0);
        mapping_free(p);
    }
    assert_string_equal(e.text, "x must be a JSON array of at most 256 rows");
    free(text);
    temp_file(path, "[{\"topic\":\"a/b\",\"format\":\"line\"}]");
    struct mapping *p = mapping_load(path, &e);
    assert_non_null(p);
    assert_string_equal(mapping_topic(p, 0), "a/b");
    mapping_free(p);
    unlink(path);
    assert_null(mapping_load(path, &e));
    assert_non_null(strstr(e.text, "could not open FC_DECODE_FILE /tmp/"));
    assert_non_null(strstr(e.text, "No such file"));
    assert_null(mapping_load("/tmp", &e));
    assert_string_equal(e.text, "could not read FC_DECODE_FILE /tmp: Is a directory");
    mapping_free(NULL);
    assert_null(mapping_find(NULL, "a"));
}

/* ---- messages
 * --------------------------------------------------------------------------- */

static const char rows[] =
    "[{\"topic\":\"factory/+/+/telemetry\",\"device\":\"$.meta.id\",\"time\":\"$.ts\","
    "\"location\":\"topic:1\",\"values\":{\"temperature\":{\"path\":\"$.t\",\"unit\":"
    "\"F\"},\"humidity\":\"$.d[1].rh\",\"open\":\"$.open\"}},"
    "{\"topic\":\"garden/#\",\"device\":[\"topic:1\",\"topic:2\"],\"all\":\"$.data\"},"
    "{\"topic\":\"scale\",\"device\":\"text:scale\",\"values\":{\"weight\":\"$\"}},"
    "{\"topic\":\"all/of/it\",\"device\":\"$.id\",\"time\":\"$.ts\",\"all\":\"$\","
    "\"values\":{\"light\":\"$.a\"},\"retained\":\"take\"},"
    "{\"topic\":\"lines\",\"format\":\"line\",\"retained\":\"ignore\"}]";

/* Decodes and prints: "reason detail" or "device values…" and what was left out. */
static void check(const struct mapping *p, const char *topic, const char *payload,
                  const char *want)
{
    struct message m;
    struct err e = ERR_INIT;
    char got[1000];
    message_init(&m);
    const struct mapping_row *row = mapping_find(p, topic);
    if (!row)
        fail_msg("no row for %s", topic);
    enum reject r = decode_mapped(row, topic, payload, strlen(payload), &m, &e);
    assert_true(m.mapped);
    int n = snprintf(got, sizeof got, "%s:", r ? reject_name(r) : m.decoder);
    if (r)
        n += snprintf(got + n, sizeof got - (size_t)n, " %s", e.text);
    for (size_t i = 0; i < m.n && !r; i++) {
        const struct item *it = &m.item[i];
        n += snprintf(got + n, sizeof got - (size_t)n, " %s%s%s", it->r.device,
                      *it->r.location ? "@" : "", it->r.location);
        if (it->time.kind == RAW_TIME_NUMBER)
            n += snprintf(got + n, sizeof got - (size_t)n, " t=%.15g", it->time.number);
        for (size_t k = 0; k < it->r.n; k++)
            n += snprintf(got + n, sizeof got - (size_t)n, " %s=%.15g",
                          it->r.values[k].quantity, it->r.values[k].value);
    }
    if (!r && m.n_refused)
        snprintf(got + n, sizeof got - (size_t)n, " (%s)", m.why.text);
    assert_string_equal(got, want);
    message_done(&m);
}

static void test_messages(void **unused)
{
    (void)unused;
    static const char t[] = "factory/hall 3/m7/telemetry";
    struct mapping *p = parse(rows);
    check(
        p, t,
        "{\"meta\":{\"id\":\"press-1\"},\"ts\":1795168800,\"t\":212,\"d\":[0,{\"rh\":"
        "40}],\"open\":true,\"x\":9}",
        "mapping row 1: press-1@hall 3 t=1795168800 temperature=100 humidity=40 open=1");
    check(p, t, "{\"meta\":{\"id\":7},\"t\":\"50\"}",
          "mapping row 1: 7@hall 3 temperature=10");
    check(p, t, "{\"meta\":{\"id\":7},\"t\":\"warm\",\"open\":null,\"d\":[0,{\"rh\":1}]}",
          "mapping row 1: 7@hall 3 humidity=1 (the value of \"temperature\" must be a "
          "number)");
    check(p, t, "{\"meta\":{\"id\":7},\"t\":1000,\"open\":0}",
          "mapping row 1: 7@hall 3 open=0 (temperature is 537.777777777778: possible are "
          "-90 to 150 °C)");
    check(p, t, "{\"meta\":{\"id\":7}}", "no_values: the message from 7 has no value");
    check(p, t, "{\"t\":50}",
          "no_device: nothing is at $.meta.id, which names the device");
    check(p, t, "{\"meta\":{\"id\":{}},\"t\":50}",
          "bad_device: at $.meta.id, which names the device, a text of at most 128 bytes "
          "is expected");
    check(p, t, "{\"meta\":{\"id\":\"\"},\"t\":50}",
          "no_device: the device's id is empty");
    check(p, t, "{\"meta\":{\"id\":\"a\"},\"ts\":[],\"t\":50}",
          "bad_time: field \"$.ts\" must be a number or a short text");
    check(p, t, "[1,2]", "no_device: nothing is at $.meta.id, which names the device");
    check(p, "garden/north/bed2",
          "{\"data\":{\"soil\":{\"moisture\":20},\"temp\":\"4.5\",\"note\":\"x\"}}",
          "mapping row 2: north-bed2 moisture=20 temperature=4.5");
    check(p, "garden/north/bed2", "{\"data\":7}", "mapping row 2: north-bed2 data=7");
    check(p, "garden/north", "{\"data\":7}",
          "no_device: the topic garden/north has no level 2 of at most 128 bytes, which "
          "names the device");
    check(p, "garden//", "{\"data\":7}", "no_device: the device's id is empty");
    check(p, "scale", "72.5", "mapping row 3: scale weight=72.5");
    check(p, "all/of/it", "{\"id\":5,\"ts\":1795168800,\"a\":1,\"b\":2,\"c\":{\"d\":3}}",
          "mapping row 4: 5 t=1795168800 light=1 b=2 c_d=3");
    check(p, "lines", "env,host=a x=1\nenv,host=b y=2", "mapping row 5: a x=1 b y=2");
    assert_int_equal(mapping_row_retained(mapping_find(p, "scale")), MAPPING_REFUSE);
    assert_int_equal(mapping_row_retained(mapping_find(p, "lines")), MAPPING_IGNORE);
    assert_int_equal(mapping_row_retained(mapping_find(p, "all/of/it")), MAPPING_TAKE);
    assert_null(mapping_find(p, "other"));
    struct message m;
    struct err e = ERR_INIT;
    message_init(&m);
    assert_int_equal(decode_mapped(mapping_find(p, "scale"), "scale", "{", 1, &m, &e),
                     REJECT_BAD_JSON);
    assert_string_equal(e.slug, "bad_json");
    message_done(&m);
    mapping_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_told),
        cmocka_unit_test(test_bounds_and_files),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
