/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edge nodes and their devices: topics, births and deaths, asking for a birth; and the
 * way through the intake, whose records need no memory when they are read again. */
#include "tests/unit/sparkplug_payload.h"

#include "common/log.h"
#include "services/ingest/intake.h"
#include "services/ingest/sparkplug_pb.h"
#include "services/ingest/sparkplug_topic.h"

static void test_devices_have_births_of_their_own(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    real("Temperature", 1, 10, 21);
    taken("spBv1.0/plant/DBIRTH/line1/oven 7");
    expect_status(0, "plant/line1/oven 7", true);
    assert_string_equal(m.item[0].r.device, "plant_line1_oven_7");
    assert_false(m.edge.birth);
    begin(2);
    real(NULL, 1, 0, 22);
    taken("spBv1.0/plant/DDATA/line1/oven 7");
    expect(0, "temperature", 22); /* in no unit: as it is */
    assert_string_equal(m.edge.id, "plant/line1");
    begin(0); /* another group's edge node of the same name is another device */
    real("Temperature", 1, 10, 5);
    taken("spBv1.0/plant2/NBIRTH/line1");
    assert_string_equal(m.item[0].r.device, "plant2_line1");
    assert_int_equal(memory_topics(memory), 3);
    birth(); /* a node's birth forgets those of its devices */
    assert_int_equal(memory_topics(memory), 2);
    begin(1);
    real(NULL, 1, 0, 22);
    assert_int_equal(take("spBv1.0/plant/DDATA/line1/oven 7"), REJECT_UNKNOWN_ALIAS);
}

static void test_deaths(void **unused)
{
    (void)unused;
    birth();
    begin(1);
    taken("spBv1.0/plant/DBIRTH/line1/a");
    taken("spBv1.0/plant/DBIRTH/line1/b");
    taken("spBv1.0/plant/DBIRTH/line10/c");
    begin(4);
    taken("spBv1.0/plant/DDEATH/line1/a");
    assert_int_equal(m.n, 1);
    expect_status(0, "plant/line1/a", false);
    begin(-1);
    whole("bdSeq", -1, 8, 2); /* of the session before this one */
    taken("spBv1.0/plant/NDEATH/line1");
    assert_int_equal(m.n, 0);
    begin(-1);
    whole("bdSeq", -1, 8, 3);
    taken("spBv1.0/plant/NDEATH/line1");
    assert_int_equal(m.n, 2);
    expect_status(0, "plant/line1", false);
    expect_status(1, "plant/line1/b", false); /* a is dead already */
    assert_int_equal(m.edge.seq, -1);
    begin(-1);
    taken("spBv1.0/plant/NDEATH/line2"); /* never heard of */
    expect_status(0, "plant/line2", false);
}

static void test_more_devices_than_one_message_can_tell(void **unused)
{
    (void)unused;
    char topic[64];
    for (int i = 0; i < MESSAGE_ITEMS_MAX + 2; i++) {
        begin(1);
        snprintf(topic, sizeof topic, "spBv1.0/g/DBIRTH/e/%d", i);
        taken(topic);
    }
    begin(-1);
    assert_int_equal(take("spBv1.0/g/NDEATH/e"), REJECT_NONE);
    assert_int_equal(m.n, MESSAGE_ITEMS_MAX);
    assert_string_equal(m.why.text, "g/e has more than 499 devices: of 3 it is not noted "
                                    "that they are offline");
}

static void test_topics(void **unused)
{
    (void)unused;
    static const char *const nothing[] = {"spBv1.0/STATE/host", "spBv1.0/g/NCMD/e",
                                          "spBv1.0/g/DCMD/e/d"};
    static const char *const bad[] = {"spBv1.0",           "spBv1.0/g",
                                      "spBv1.0/g/NBIRTH",  "spBv1.0/g/NDATA/e/d",
                                      "spBv1.0/g/DDATA/e", "spBv1.0/g/XDATA/e",
                                      "spBv1.0/g/N/e",     "spBv1.0/g/DDATA/e/d/x"};
    for (size_t i = 0; i < N_OF(nothing); i++) {
        begin(0);
        taken(nothing[i]);
        assert_int_equal(m.n, 0);
    }
    for (size_t i = 0; i < N_OF(bad); i++) {
        begin(0);
        assert_int_equal(take(bad[i]), REJECT_UNKNOWN_TOPIC);
    }
    char topic[300];
    snprintf(topic, sizeof topic, "spBv1.0/g/NDATA/%0140d", 1);
    assert_int_equal(take(topic), REJECT_BAD_DEVICE);
    snprintf(topic, sizeof topic, "spBv1.0/%080d/NDATA/%080d", 1, 1);
    assert_int_equal(take(topic), REJECT_BAD_DEVICE);
    assert_int_equal(take("spBv1.0//NDATA/"), REJECT_BAD_DEVICE);
    assert_int_equal(memory_topics(memory), 0);
    char command[SPARKPLUG_TOPIC_MAX + 1];
    sparkplug_command_topic("plant/line1", command);
    assert_string_equal(command, "spBv1.0/plant/NCMD/line1");
}

static void test_asking_for_a_birth(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 256);
    sparkplug_rebirth(&b, T0);
    Sparkplug__Payload *p =
        sparkplug__payload__unpack(NULL, b.len, (const uint8_t *)b.data);
    assert_non_null(p);
    assert_int_equal(p->n_metrics, 1);
    assert_string_equal(p->metrics[0]->name, "Node Control/Rebirth");
    assert_int_equal(p->metrics[0]->datatype, 11);
    assert_true(p->metrics[0]->boolean_value);
    assert_true(p->timestamp == T0);
    sparkplug__payload__free_unpacked(p, NULL);
    buf_done(&b);
}

static void arrives(struct intake *in, const char *topic)
{
    struct err e = ERR_INIT;
    pack();
    struct arrival a = {.topic = topic, .payload = out.bytes, .len = out.len};
    assert_ok(intake_take(in, &a, &e), e);
}

/* What stands in the log means the same without any memory. */
static void test_the_log_needs_no_memory(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char path[128];
    struct metrics *metrics = metrics_new("ingest");
    struct wal_opts w = {.dir = dir, .max_bytes = 4 << 20, .segment_bytes = 1 << 20};
    struct wal *wal = wal_open(&w, &e);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    struct interpreter how = {.fix = {.past_ms = INT64_C(40000) * 86400000,
                                      .future_ms = INT64_C(400) * 86400000},
                              .ledger = ledger_open(path, 10, metrics, &e),
                              .memory = memory};
    struct intake *in = intake_new(wal, &how, NULL, metrics);
    begin(0);
    in_unit(real("Temperature", 1, 10, 68), "°F");
    arrives(in, "spBv1.0/g/NBIRTH/e");
    assert_int_equal(memory_topics(memory), 1); /* before it is acknowledged */
    begin(1);
    real(NULL, 1, 0, 212);
    arrives(in, "spBv1.0/g/NDATA/e");
    begin(2);
    real(NULL, 2, 0, 5);
    arrives(in, "spBv1.0/g/NDATA/e");
    begin(3);
    metric("Text", -1, 12); /* nothing to be stored, and yet remembered */
    arrives(in, "spBv1.0/g/DBIRTH/e/d");
    assert_int_equal(memory_topics(memory), 2);

    how.memory = NULL;
    struct wal_reader *r = wal_reader_open(wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos;
    int n = 0;
    for (; wal_read(r, &rec, &pos, &e) > 0; n++) {
        struct account a;
        assert_true(rec.flags & WAL_ACCOUNT);
        assert_int_equal(recall(&how, &rec, &m, &a, &e), REJECT_NONE);
        if (n == 1)
            expect(0, "temperature", 100);
        assert_int_equal(a.reason, n == 2 ? REJECT_UNKNOWN_ALIAS : REJECT_NONE);
        account_done(&a);
    }
    assert_int_equal(n, 4);
    wal_reader_close(r);
    intake_free(in);
    ledger_close(how.ledger);
    wal_close(wal);
    metrics_free(metrics);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_devices_have_births_of_their_own),
        CASE(test_deaths),
        CASE(test_more_devices_than_one_message_can_tell),
        CASE(test_topics),
        CASE(test_asking_for_a_birth),
        CASE(test_the_log_needs_no_memory),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
