/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages by the batch, on a real log that can be full: nobody is told that something is
 * safe before it is. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/intake.h"

static char dir[64];
static struct wal *wal;
static struct wal_reader *reader;
static struct interpreter how;
static struct intake *in;
static struct metrics *metrics;
static int64_t log_max = 4096;
static int64_t acked; /* the newest number that a device was told; -1: none */

static int setup(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char path[128];
    strcpy(dir, "/tmp/fieldcast-intake-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    struct wal_opts w = {.dir = dir, .max_bytes = log_max, .segment_bytes = log_max / 4};
    metrics = metrics_new("ingest");
    wal = wal_open(&w, &e);
    reader = wal_reader_open(wal, "influx", 0, &e);
    wal_ready(wal);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    how = (struct interpreter){
        .fix = {.past_ms = INT64_C(400) * 86400000, .future_ms = 600000},
        .ledger = ledger_open(path, 10, metrics, &e)};
    in = intake_new(wal, &how, NULL, metrics);
    acked = -1;
    return intake_remember(in, 0, &e);
}

static int teardown(void **unused)
{
    (void)unused;
    intake_free(in);
    ledger_close(how.ledger);
    wal_reader_close(reader);
    wal_close(wal);
    metrics_free(metrics);
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

static int arrives(int seq, bool staged, struct err *e)
{
    char text[100];
    snprintf(text, sizeof text, "{\"boot\":1,\"seq\":%d,\"values\":{\"temperature\":1}}",
             seq);
    struct arrival a = {.topic = "fieldcast/a/readings",
                        .payload = text,
                        .len = strlen(text),
                        .flags = staged ? 1 : WAL_HTTP};
    return staged ? intake_stage(in, &a, e) : intake_take(in, &a, e);
}

static int note_ack(void *arg, const char *device, int64_t boot, int64_t upto)
{
    (void)arg;
    assert_string_equal(device, "a");
    assert_int_equal(boot, 1);
    acked = upto;
    return 0;
}

static int records(void)
{
    struct err e = ERR_INIT;
    struct wal_record r;
    int64_t pos;
    int n = 0;
    while (wal_read(reader, &r, &pos, &e) > 0)
        n++;
    return n;
}

static void make_room(void)
{
    struct err e = ERR_INIT;
    records();
    assert_ok(wal_commit(reader, wal_reader_pos(reader), &e), e);
}

static void test_commit(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    for (int seq = 1; seq <= 3; seq++)
        assert_ok(arrives(seq, true, &e), e);
    assert_ok(arrives(2, true, &e), e); /* known, though only staged */
    assert_int_equal(records(), 0);
    assert_ok(intake_commit(in, &e), e);
    assert_int_equal(records(), 3);
    intake_acks(in, note_ack, NULL);
    assert_int_equal(acked, 3);
    assert_int_equal(ledger_totals(how.ledger).duplicate, 1);
    assert_int_equal(ledger_totals(how.ledger).received, 4);
}

static void test_full(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    int seq = 1;
    while (arrives(seq, false, &e) == 0)
        seq++;
    assert_int_equal(e.code, ERR_BUSY);
    intake_acks(in, note_ack, NULL);
    assert_int_equal(acked, seq - 1);

    assert_ok(arrives(seq, true, &e), e);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(intake_commit(in, &e), -1);
        /* known by what is not yet safe: that does not count for the sender of a POST */
        assert_int_equal(arrives(seq, false, &e), -1);
        assert_int_equal(e.code, ERR_BUSY);
        intake_acks(in, note_ack, NULL);
        assert_int_equal(acked, seq - 1);
    }
    make_room();
    assert_ok(arrives(seq, false, &e), e);
    assert_int_equal(records(), 1);
    intake_acks(in, note_ack, NULL);
    assert_int_equal(acked, seq);
    assert_ok(intake_commit(in, &e), e);
}

/* While the log takes nothing, no end of messages is kept in memory. */
static void test_bounded(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    int seq = 1;
    while (arrives(seq, false, &e) == 0)
        seq++;
    e = (struct err)ERR_INIT;
    while (arrives(seq, true, &e) == 0)
        seq++;
    assert_int_equal(e.code, ERR_BUSY);
    assert_in_range(wal_staged(wal), 1 << 20, (1 << 20) + 1000);
    make_room();
    assert_ok(arrives(seq, true, &e), e);
    assert_ok(intake_commit(in, &e), e);
    intake_acks(in, note_ack, NULL);
    assert_int_equal(acked, seq);
}

static int setup_large(void **unused)
{
    log_max = 4 << 20;
    return setup(unused);
}

/* Of a message that is too large its beginning is kept, unless its topic says that it is
 * nobody's reading. (The broker in deploy/ takes none that is.) */
static void test_too_large(void **unused)
{
    (void)unused;
    static const struct {
        const char *topic;
        int records;
    } rows[] = {{"zigbee2mqtt/bridge/devices", 0},
                {"zigbee2mqtt/lamp/set", 0},
                {"zigbee2mqtt/lamp", 1},
                {"fieldcast/a/readings", 1}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        struct arrival a = {
            .topic = rows[i].topic, .payload = "[{", .len = 2, .flags = 1 | WAL_CUT};
        assert_ok(intake_take(in, &a, &e), e);
        if (records() != rows[i].records)
            fail_msg("%s", rows[i].topic);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    log_init("test", LOG_FATAL);
    const struct CMUnitTest tests[] = {
        T(test_commit), T(test_full), T(test_too_large),
        cmocka_unit_test_setup_teardown(test_bounded, setup_large, teardown)};
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
