/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What InfluxDB's sink buries, with a real log, ledger and dead letters. */
#include "services/ingest/burial.h"

#include "tests/unit/wal_log.h"

#define T0 INT64_C(1795132800000)

struct bench {
    struct metrics *metrics;
    struct ledger *ledger;
    struct deadletter *letters;
    struct wal *wal;
    struct wal_reader *reader;
    struct nap nap;
    struct held_up disk;
    struct burial burial;
    struct message m;
};

static void begin(struct bench *b, int64_t started_end)
{
    struct err e = ERR_INIT;
    char path[128];
    *b = (struct bench){.metrics = metrics_new("ingest"), .wal = open_log()};
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    b->reader = open_reader(b->wal, "");
    b->ledger = ledger_open(path, 100, b->metrics, &e);
    b->letters = deadletter_open(dir, 1 << 20, 0, &e);
    if (!b->ledger || !b->letters)
        fail_msg("%s", e.text);
    nap_init(&b->nap);
    b->disk.nap = &b->nap;
    message_init(&b->m);
    struct interpreter how = {
        .ledger = b->ledger,
        .fix = {.past_ms = INT64_C(400) * 86400000, .future_ms = 600000}};
    burial_init(&b->burial, &(struct burial_opts){.letters = b->letters,
                                                  .how = how,
                                                  .reader = b->reader,
                                                  .disk = &b->disk,
                                                  .started_end = started_end,
                                                  .metrics = b->metrics});
}

static void end(struct bench *b)
{
    message_done(&b->m);
    nap_done(&b->nap);
    deadletter_close(b->letters);
    ledger_close(b->ledger);
    wal_reader_close(b->reader);
    wal_close(b->wal);
    metrics_free(b->metrics);
}

static struct wal_record record(const char *payload)
{
    return (struct wal_record){.receive_ms = T0,
                               .assigned_ms = T0,
                               .topic = "fieldcast/kitchen/readings",
                               .topic_len = 26,
                               .payload = payload,
                               .len = strlen(payload)};
}

/* The only letter; new reference. */
static json_t *only_letter(struct bench *b)
{
    struct err e = ERR_INIT;
    struct letter_query q = {.before = -1, .limit = 10, .reason = ""};
    int64_t next;
    json_t *items = deadletter_list(b->letters, &q, NULL, &next, &e);
    assert_int_equal(json_array_size(items), 1);
    json_t *one = json_incref(json_array_get(items, 0));
    json_decref(items);
    return one;
}

static const char *member(const json_t *letter, const char *name)
{
    return json_string_value(json_object_get(letter, name));
}

static double rejects(struct bench *b, const char *reason)
{
    char labels[60];
    snprintf(labels, sizeof labels, "reason=\"%s\"", reason);
    return metric_value(
        metric_counter(b->metrics, "fieldcast_ingest_rejects_total", "", labels));
}

static void test_a_record(void **unused)
{
    (void)unused;
    struct bench b;
    struct wal_record rec = record("{");
    begin(&b, 100); /* the first of these lay in the log before */
    assert_int_equal(burial_record(&b.burial, &rec, 40, &b.m, REJECT_BAD_JSON, "no end"),
                     0);
    json_t *letter = only_letter(&b);
    assert_int_equal(json_integer_value(json_object_get(letter, "id")), 40);
    assert_string_equal(member(letter, "reason"), "bad_json");
    assert_string_equal(member(letter, "detail"), "no end");
    assert_true(json_is_true(json_object_get(letter, "logged")));
    assert_int_equal((int)rejects(&b, "bad_json"), 1);
    struct counts c = ledger_of_none(b.ledger);
    assert_int_equal(c.received, 1);
    assert_int_equal(c.rejected[REJECT_BAD_JSON], 1);
    assert_int_equal(burial_record(&b.burial, &rec, 100, &b.m, REJECT_BAD_JSON, "no end"),
                     0);
    c = ledger_of_none(b.ledger);
    assert_int_equal(c.received, 1);
    assert_int_equal(c.rejected[REJECT_BAD_JSON], 2);
    json_decref(letter);
    end(&b);
}

static void test_a_point(void **unused)
{
    (void)unused;
    struct bench b;
    struct err e = ERR_INIT;
    begin(&b, 0);
    struct wal_record rec =
        record("{\"device\":\"kitchen\",\"boot\":1,\"seq\":2,"
               "\"ts_ms\":1795132800000,\"values\":{\"temperature\":20}}");
    struct device *d;
    assert_int_equal(ledger_device(b.ledger, "kitchen", "kitchen", true, &d, &e), 0);
    assert_ok(wal_append(b.wal, &rec, 1, &e), e);
    wal_reader_seek(b.reader, wal_end(b.wal));
    struct point p = {.device = d, .pos = 0, .kind = POINT_RESTORE};
    assert_int_equal(burial_point(&b.burial, &p, "it is closed", &b.m), 0);
    assert_int_equal((int)rejects(&b, "refused_by_influxdb"), 0);
    p.kind = POINT_READING;
    assert_int_equal(burial_point(&b.burial, &p, "it is closed", &b.m), 0);
    assert_int_equal(wal_reader_pos(b.reader), wal_end(b.wal));
    assert_int_equal((int)rejects(&b, "refused_by_influxdb"), 1);
    json_t *letter = only_letter(&b);
    assert_string_equal(member(letter, "reason"), "refused_by_influxdb");
    assert_string_equal(member(letter, "detail"), "it is closed");
    assert_string_equal(member(letter, "device"), "kitchen");
    assert_true(json_is_object(json_object_get(letter, "point")));
    json_decref(letter);
    end(&b);
}

static void test_a_disk_that_refuses(void **unused)
{
    (void)unused;
    struct bench b;
    struct wal_record rec = record("{");
    char path[128];
    snprintf(path, sizeof path, "%s/deadletters.jsonl", dir);
    assert_int_equal(symlink("/dev/full", path), 0);
    begin(&b, 0);
    nap_stop(&b.nap);
    assert_int_equal(burial_record(&b.burial, &rec, 40, &b.m, REJECT_BAD_JSON, "no end"),
                     -1);
    assert_true(b.disk.said);
    assert_int_equal((int)rejects(&b, "bad_json"), 0);
    held_up_over(&b.disk);
    assert_false(b.disk.said);
    end(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    log_init("ingest", LOG_FATAL);
    const struct CMUnitTest tests[] = {
        T(test_a_record),
        T(test_a_point),
        T(test_a_disk_that_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
