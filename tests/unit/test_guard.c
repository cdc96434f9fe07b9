/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard by itself, and through understand(): what is beyond a limit is refused, and
 * the rest is not. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/ingest/understand.h"

static struct interpreter how;
static struct message m;
static char path[64];

static void begin(int64_t per_min, int64_t quantities, int64_t names)
{
    struct err e = ERR_INIT;
    struct guard_limits limits = {per_min, quantities, names};
    strcpy(path, "/tmp/fieldcast-guard-XXXXXX");
    close(mkstemp(path));
    how.fix = (struct timefix){.past_ms = INT64_C(400) * 86400000, .future_ms = 600000};
    how.ledger = ledger_open(path, 1000, NULL, &e);
    how.guard = guard_new(&limits);
    assert_non_null(how.ledger);
    message_init(&m);
}

static void end(void)
{
    message_done(&m);
    guard_free(how.guard);
    ledger_close(how.ledger);
    unlink(path);
}

static enum reject take(const char *device, const char *values, enum purpose what_for,
                        struct err *e)
{
    char topic[100], payload[2000];
    snprintf(topic, sizeof topic, "fieldcast/%s/readings", device);
    int n = snprintf(payload, sizeof payload, "{\"values\":{%s}}", values);
    struct wal_record rec = {.receive_ms = INT64_C(1795132800000),
                             .topic = topic,
                             .topic_len = strlen(topic),
                             .payload = payload,
                             .len = (size_t)n};
    *e = (struct err)ERR_INIT;
    return understand(&how, &rec, what_for, &m, e);
}

static void test_new_devices(void **unused)
{
    (void)unused;
    struct err e;
    begin(2, 10, 10);
    assert_int_equal(take("a", "\"co\":1", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("a", "\"co\":2", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("b", "\"co\":1", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("c", "\"co\":1", TO_TAKE, &e), REJECT_TOO_MANY_NEW_DEVICES);
    assert_string_equal(e.text, "the device c is new, and so many others were within a "
                                "minute (FC_DEVICES_PER_MIN)");
    assert_int_equal(take("a", "\"co\":3", TO_TAKE, &e),
                     REJECT_NONE); /* known ones are */
    assert_int_equal(ledger_size(how.ledger), 2);
    assert_int_equal(take("d", "\"co\":1", TO_RECALL, &e), REJECT_NONE); /* was taken */
    assert_int_equal(ledger_size(how.ledger), 3);
    end();
}

static void test_quantities_of_a_device(void **unused)
{
    (void)unused;
    struct err e;
    begin(100, 3, 100);
    assert_int_equal(take("a", "\"co\":1,\"co2\":2", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("a", "\"x1\":1,\"x2\":2,\"co\":3", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(m.item[0].r.n, 2);
    assert_string_equal(m.item[0].r.values[0].quantity, "x1");
    assert_string_equal(m.item[0].r.values[1].quantity, "co");
    assert_int_equal(m.refused, REJECT_TOO_MANY_QUANTITIES);
    assert_string_equal(m.why.text, "x2 would be one more than 3 quantities of a "
                                    "(FC_QUANTITIES_MAX)");
    assert_int_equal(take("a", "\"x2\":2", TO_TAKE, &e), REJECT_TOO_MANY_QUANTITIES);
    assert_int_equal(take("a", "\"x2\":2", TO_TAKE, &e), REJECT_TOO_MANY_QUANTITIES);
    assert_int_equal(take("b", "\"x2\":2", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("a", "\"co2\":2,\"co\":1", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(m.item[0].r.n, 2);
    assert_int_equal(take("a", "\"x9\":2", TO_RECALL, &e), REJECT_NONE);
    end();
}

static void test_names_in_all(void **unused)
{
    (void)unused;
    struct err e;
    begin(100, 100, 3);
    assert_int_equal(take("a", "\"x1\":1,\"x2\":1,\"x3\":1", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(take("b", "\"x4\":1,\"x2\":1", TO_TAKE, &e), REJECT_NONE);
    assert_int_equal(m.item[0].r.n, 1);
    assert_string_equal(m.why.text, "x4 of b would be one more than 3 names of "
                                    "quantities (FC_QUANTITY_NAMES_MAX)");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_devices),
        cmocka_unit_test(test_quantities_of_a_device),
        cmocka_unit_test(test_names_in_all),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
