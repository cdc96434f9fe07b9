/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ESPHome's values mean with the units that its announcements to Home Assistant
 * have; cases without any are in tests/cases/decode. */
#include "tests/unit/unit.h"

#include <math.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/decode.h"
#include "services/ingest/understand.h"

static char dir[64];
static struct memory *memory;
static struct message m;
static struct err why;

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    strcpy(dir, "/tmp/fieldcast-units-XXXXXX");
    if (!mkdtemp(dir) || !(memory = memory_open(dir, false, &e)))
        return -1;
    message_init(&m);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    char path[80];
    memory_close(memory);
    message_done(&m);
    snprintf(path, sizeof path, "%s/memory", dir);
    unlink(path);
    return rmdir(dir);
}

/* An announcement: nothing to be stored. In single quotes. */
static void announced(const char *payload)
{
    struct memory_change c;
    struct buf texts;
    struct err e = ERR_INIT;
    size_t n = strlen(payload);
    char *tight = malloc(n + 1); /* not terminated */
    memcpy(tight, payload, n);
    for (size_t i = 0; i < n; i++)
        tight[i] = (char)(tight[i] == '\'' ? '"' : tight[i]);
    const char *topic = "homeassistant/sensor/porch/x/config";
    buf_init(&texts, 1025); /* as the intake has it */
    assert_int_equal(decode_message(memory, topic, tight, n, &m, &e), REJECT_NONE);
    assert_int_equal(m.n, 0);
    assert_true(m.from_memory);
    if (decode_remember(topic, tight, n, false, &c, &texts))
        assert_ok(memory_change(memory, &c, &e), e);
    assert_false(decode_remember(topic, tight, n, true, &c, &texts));
    buf_done(&texts);
    free(tight);
}

static void is(const char *topic, const char *payload, double x, bool with_unit)
{
    why = (struct err)ERR_INIT;
    enum reject r = decode_message(memory, topic, payload, strlen(payload), &m, &why);
    if (r || m.n != 1 || m.item[0].r.n != 1)
        fail_msg("%s %s: %s, %zu items", topic, payload, why.text, m.n);
    const struct reading_value *v = &m.item[0].r.values[0];
    if (fabs(v->value - x) > 1e-9)
        fail_msg("%s: %s is %.17g, not %.17g", topic, v->quantity, v->value, x);
    assert_int_equal(m.from_memory, with_unit);
}

static void test_units(void **unused)
{
    (void)unused;
    is("porch/sensor/energy/state", "2", 2, false);
    announced(
        "{'name':'Energy','stat_t':'porch/sensor/energy/state','unit_of_meas':'kWh',"
        "'dev':{'ids':'a'}}");
    is("porch/sensor/energy/state", "2", 2000, true);
    announced(
        "{'state_topic':'porch/sensor/temperature/state','unit_of_measurement':'°F'}");
    is("porch/sensor/temperature/state", "68", 20, true);
    is("hall/sensor/temperature/state", "68", 68, false);
    announced("{'~':'hall','stat_t':'~/sensor/temperature/state','unit_of_meas':'°F'}");
    is("hall/sensor/temperature/state", "68", 20, true);
    announced("{'~':'/state','stat_t':'attic/sensor/temperature~','unit_of_meas':'°F'}");
    is("attic/sensor/temperature/state", "68", 20, true);
    announced("{'stat_t':'hall/sensor/temperature/state'}"); /* without one from now on */
    is("hall/sensor/temperature/state", "20", 20, false);
    is("hall/binary_sensor/motion/state", "ON", 1, false);
    assert_int_equal(memory_topics(memory), 3);
}

static void test_what_is_passed_over(void **unused)
{
    (void)unused;
    static const char *const payloads[] = {
        "",
        "{not json",
        "[]",
        "7",
        "{}",
        "{'stat_t':7,'unit_of_meas':'V'}",
        "{'stat_t':'','unit_of_meas':'V'}",
        "{'stat_t':'~','unit_of_meas':'V'}",
        "{'~':'x','stat_t':'~~','unit_of_meas':'V'}",
        "{'stat_t':'~/sensor/a/state','unit_of_meas':'V'}",
        "{'stat_t':'zigbee2mqtt/attic','unit_of_meas':'°C'}",
        "{'stat_t':'fieldcast/kitchen/readings','unit_of_meas':'°C'}",
        "{'stat_t':'a/sensor/b/state','unit_of_meas':'no unit is as long as that is'}",
        "{'stat_t':'a/sensor/b/state','unit_of_meas':['V']}",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        announced(payloads[i]);
    char text[2000];
    snprintf(text, sizeof text, "{'stat_t':'%01000d/sensor/a/state','unit_of_meas':'V'}",
             7);
    announced(text);
    assert_int_equal(memory_topics(memory), 0);
}

static void test_a_unit_that_is_not_known(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    announced("{'stat_t':'porch/sensor/temperature/state','unit_of_meas':'parsec'}");
    assert_int_equal(
        decode_message(memory, "porch/sensor/temperature/state", "1", 1, &m, &e),
        REJECT_BAD_VALUE);
    assert_non_null(strstr(e.text, "the unit \"parsec\" of temperature is not known"));
}

/* What lies in the log as it came was understood without a unit, and stays so. */
static void test_the_log_needs_no_units(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char path[80];
    struct account a;
    snprintf(path, sizeof path, "%s/devices", dir);
    struct ledger *l = ledger_open(path, 10, NULL, &e);
    assert_non_null(l);
    struct interpreter how = {
        .ledger = l, .memory = memory, .fix = {.past_ms = 1000, .future_ms = 1000}};
    struct wal_record rec = {.receive_ms = 1793577600000,
                             .assigned_ms = 1793577600000,
                             .topic = "porch/sensor/temperature/state",
                             .topic_len = 30,
                             .payload = "68",
                             .len = 2};
    announced("{'stat_t':'porch/sensor/temperature/state','unit_of_meas':'°F'}");
    assert_int_equal(recall(&how, &rec, &m, &a, &e), REJECT_NONE);
    assert_true(fabs(m.item[0].r.values[0].value - 68) < 1e-9);
    account_done(&a);
    assert_int_equal(understand(&how, &rec, TO_TAKE, &m, &e), REJECT_NONE);
    assert_true(fabs(m.item[0].r.values[0].value - 20) < 1e-9);
    assert_true(m.from_memory); /* so it is an account there */
    ledger_close(l);
    unlink(path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_units),
        T(test_what_is_passed_over),
        T(test_a_unit_that_is_not_known),
        T(test_the_log_needs_no_units),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
