/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sink promises, on a real log and a mock cluster: every reading in Kafka at
 * least once and those of a device in order, whatever the brokers do; the cursor behind
 * the first message that is not confirmed. */
#include "services/ingest/sink_kafka.h"

#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/kafka_mock.h"

#define T0 INT64_C(1795132800000)
#define PARTITIONS 4
#define DEVICES 5
#define MOST 20000
#define WAIT_MS 60000

static char dir[64];

struct bench {
    struct mock k;
    struct service service;
    struct dep *dep;
    struct wal *wal;
    struct wal_reader *reader;
    struct ledger *ledger;
    struct sink_kafka *sink;
    int64_t backlog_bytes;
    int timeout_ms, sent;
};

static void open_log(struct bench *b)
{
    struct err e = ERR_INIT;
    char path[128];
    struct wal_opts o = {
        .dir = dir, .max_bytes = INT64_C(4) << 20, .segment_bytes = 32768};
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    b->service.metrics = metrics_new("ingest");
    b->dep = service_dep(&b->service, "kafka", false);
    b->wal = wal_open(&o, &e);
    b->reader = b->wal ? wal_reader_open(b->wal, "kafka", 0, &e) : NULL;
    b->ledger = ledger_open(path, 100, b->service.metrics, &e);
    if (!b->reader || !b->ledger)
        fail_msg("%s", e.text);
}

static void open_sink(struct bench *b)
{
    struct err e = ERR_INIT;
    struct sink_kafka_opts o = {
        .wal = b->wal,
        .reader = b->reader,
        .how = {.ledger = b->ledger,
                .fix = {.past_ms = INT64_C(400) * 86400000, .future_ms = 600000}},
        .set = &b->k.set,
        .topic = TOPIC,
        .backlog_bytes = b->backlog_bytes,
        .timeout_ms = b->timeout_ms,
        .dep = b->dep,
        .metrics = b->service.metrics};
    b->sink = sink_kafka_open(&o, &e);
    if (!b->sink)
        fail_msg("%s", e.text);
}

static void close_sink(struct bench *b)
{
    sink_kafka_close(b->sink);
    wal_reader_close(b->reader);
    ledger_close(b->ledger);
    wal_close(b->wal);
    service_close(&b->service);
    b->service = (struct service){0};
}

static struct bench begin(void)
{
    struct bench b = {.backlog_bytes = INT64_C(3) << 20, .timeout_ms = WAIT_MS};
    mock_start(&b.k, 2, PARTITIONS);
    strcpy(dir, "/tmp/fieldcast-kafka-XXXXXX");
    assert_non_null(mkdtemp(dir));
    open_log(&b);
    return b;
}

static void end(struct bench *b)
{
    close_sink(b);
    mock_stop(&b->k);
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

static void append(struct bench *b, const char *topic, const char *payload)
{
    struct err e = ERR_INIT;
    struct wal_record r = {.receive_ms = T0 + b->sent + 7,
                           .assigned_ms = T0 + b->sent,
                           .flags = 1 | WAL_DUP,
                           .topic = topic,
                           .topic_len = strlen(topic),
                           .payload = payload,
                           .len = strlen(payload)};
    assert_ok(wal_append(b->wal, &r, 1, &e), e);
}

/* n readings, numbered over all devices; between them what Kafka gets nothing of. */
static void add(struct bench *b, int n)
{
    char topic[64], payload[160];
    for (int i = 0; i < n; i++, b->sent++) {
        int d = b->sent % DEVICES;
        snprintf(topic, sizeof topic, "fieldcast/d%d/readings", d);
        snprintf(payload, sizeof payload,
                 "{\"device\":\"d%d\",\"boot\":1,\"seq\":%d,\"ts_ms\":%" PRId64
                 ",\"values\":{\"temperature\":20}}",
                 d, b->sent, T0 + b->sent);
        append(b, topic, payload);
        if (i % 50 == 0)
            append(b, topic, "{not json");
        if (i % 70 == 0)
            append(b, "fieldcast/d0/status", "online");
    }
}

static double metric(struct bench *b, const char *result)
{
    char labels[40];
    snprintf(labels, sizeof labels, "result=\"%s\"", result);
    return metric_value(metric_counter(
        b->service.metrics, "fieldcast_ingest_kafka_messages_total", "", labels));
}

#define await(condition)                                                                 \
    do {                                                                                 \
        for (int64_t until = clock_mono_ms() + WAIT_MS; !(condition);)                   \
            if (clock_mono_ms() > until)                                                 \
                fail_msg("waited in vain for %s", #condition);                           \
            else                                                                         \
                clock_sleep_ms(2);                                                       \
    } while (0)

static void await_all(struct bench *b)
{
    await(sink_kafka_delivered(b->sink) == wal_end(b->wal));
}

/* ---- what is in Kafka ---------------------------------------------------------------
 */

struct seen {
    unsigned char times[MOST];
    int last[DEVICES]; /* the newest number of each */
    int distinct, backwards;
};

static void look(void *arg, const rd_kafka_message_t *m)
{
    struct seen *s = arg;
    char text[400], device[20];
    int d, seq;
    snprintf(text, sizeof text, "%.*s", (int)m->len, (const char *)m->payload);
    assert_int_equal(sscanf(text, "{\"device\":\"d%d\",\"boot\":1,\"seq\":%d,", &d, &seq),
                     2);
    int n = snprintf(device, sizeof device, "d%d", d);
    assert_int_equal(m->key_len, n);
    assert_memory_equal(m->key, device, n);
    assert_true(seq >= 0 && seq < MOST);
    s->distinct += !s->times[seq]++;
    s->backwards += seq <= s->last[d];
    s->last[d] = seq;
}

static int64_t in_topic(struct bench *b)
{
    int64_t sum = 0, low, high;
    rd_kafka_t *rk = mock_reader(&b->k, "reader");
    for (int p = 0; p < PARTITIONS; p++) {
        assert_int_equal(
            rd_kafka_query_watermark_offsets(rk, TOPIC, p, &low, &high, 30000), 0);
        sum += high - low;
    }
    rd_kafka_destroy(rk);
    return sum;
}

static void look_at_all(struct bench *b, struct seen *s)
{
    memset(s, 0, sizeof *s);
    memset(s->last, 0xff, sizeof s->last);
    size_t n = (size_t)in_topic(b);
    assert_int_equal(mock_read(&b->k, TOPIC, PARTITIONS, n, look, s), n);
}

static void expect_each_once_in_order(struct bench *b)
{
    static struct seen s;
    look_at_all(b, &s);
    assert_int_equal(s.distinct, b->sent);
    assert_int_equal(s.backwards, 0);
    assert_int_equal(in_topic(b), b->sent);
}

static void expect_none_missing(struct bench *b)
{
    static struct seen s;
    look_at_all(b, &s);
    assert_int_equal(s.distinct, b->sent);
}

/* ---- tests --------------------------------------------------------------------------
 */

static void header_is(const rd_kafka_message_t *m, const char *name, const char *want)
{
    rd_kafka_headers_t *h;
    const void *value;
    size_t len;
    assert_int_equal(rd_kafka_message_headers(m, &h), 0);
    assert_int_equal(rd_kafka_header_get_last(h, name, &value, &len), 0);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(value, want, len);
}

static void look_closely(void *arg, const rd_kafka_message_t *m)
{
    (void)arg;
    rd_kafka_timestamp_type_t kind;
    const char *want = "{\"device\":\"d0\",\"boot\":1,\"seq\":0,\"ts_ms\":1795132800000,"
                       "\"received_ms\":1795132800007,\"values\":{\"temperature\":20}}";
    assert_int_equal(m->len, strlen(want));
    assert_memory_equal(m->payload, want, m->len);
    assert_true(rd_kafka_message_timestamp(m, &kind) == T0);
    assert_int_equal(kind, RD_KAFKA_TIMESTAMP_CREATE_TIME);
    header_is(m, "mqtt.topic", "fieldcast/d0/readings");
    header_is(m, "mqtt.qos", "1");
    header_is(m, "mqtt.dup", "1");
    header_is(m, "mqtt.retain", "0");
    header_is(m, "fieldcast.shape", "native");
}

static void test_a_message(void **unused)
{
    (void)unused;
    struct bench b = begin();
    open_sink(&b);
    add(&b, 1);
    await_all(&b);
    assert_true(dep_is_up(b.dep));
    assert_int_equal(mock_read(&b.k, TOPIC, PARTITIONS, 1, look_closely, NULL), 1);
    end(&b);
}

static void test_errors_of_brokers(void **unused)
{
    (void)unused;
    struct bench b = begin();
    add(&b, 3000);
    rd_kafka_mock_push_request_errors(
        b.k.cluster, API_PRODUCE, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    open_sink(&b);
    add(&b, 3000);
    await_all(&b);
    assert_int_equal((int)metric(&b, "delivered"), 6000);
    expect_each_once_in_order(&b);
    await(wal_committed(b.reader) == wal_end(b.wal));
    end(&b);
}

/* Kafka goes away and comes back: the cursor stands still meanwhile. */
static void test_brokers_away(void **unused)
{
    (void)unused;
    struct bench b = begin();
    open_sink(&b);
    add(&b, 500);
    await_all(&b);
    int64_t pos = sink_kafka_delivered(b.sink);
    mock_up(&b.k, false);
    add(&b, 500);
    await(!dep_is_up(b.dep));
    assert_int_equal(sink_kafka_delivered(b.sink), pos);
    assert_int_equal(wal_committed(b.reader), pos);
    mock_up(&b.k, true);
    await_all(&b);
    assert_true(dep_is_up(b.dep));
    expect_none_missing(&b);
    end(&b);
}

/* Messages run out of time in the library: they are produced again from the log. */
static void test_time_outs(void **unused)
{
    (void)unused;
    struct bench b = begin();
    b.timeout_ms = 600;
    open_sink(&b);
    add(&b, 100);
    await_all(&b);
    mock_up(&b.k, false);
    add(&b, 3000); /* more than fit in the window */
    await(metric(&b, "again") > 0);
    await(!dep_is_up(b.dep));
    mock_up(&b.k, true);
    await_all(&b);
    expect_none_missing(&b);
    end(&b);
}

/* The topic may not be written to: nothing is stepped over, and when that is mended all
 * goes on. */
static void test_a_configuration_fault(void **unused)
{
    (void)unused;
    struct bench b = begin();
    rd_kafka_resp_err_t denied[8];
    for (size_t i = 0; i < N_OF(denied); i++)
        denied[i] = RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    rd_kafka_mock_push_request_errors_array(b.k.cluster, API_PRODUCE, N_OF(denied),
                                            denied);
    add(&b, 20);
    open_sink(&b);
    await(metric(&b, "again") >= 20);
    await_all(&b);
    assert_int_equal((int)metric(&b, "refused"), 0);
    expect_none_missing(&b);
    end(&b);
}

/* A batch is refused, then one message alone: only that one is stepped over. */
static void test_refused(void **unused)
{
    (void)unused;
    static struct seen s;
    struct bench b = begin();
    rd_kafka_mock_push_request_errors(b.k.cluster, API_PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (int i = 0; i < 10; i++) { /* all of one device: one batch */
        char payload[120];
        snprintf(payload, sizeof payload,
                 "{\"device\":\"d1\",\"boot\":1,\"seq\":%d,\"values\":{\"co\":1}}",
                 b.sent++);
        append(&b, "fieldcast/d1/readings", payload);
    }
    open_sink(&b);
    await_all(&b);
    assert_int_equal((int)metric(&b, "refused"), 1);
    look_at_all(&b, &s);
    assert_int_equal(s.distinct, 9);
    add(&b, 100); /* in batches again */
    await_all(&b);
    look_at_all(&b, &s);
    assert_int_equal(s.distinct, 109);
    assert_int_equal((int)metric(&b, "refused"), 1);
    end(&b);
}

/* Ends in the middle, several times, and goes on where its cursor is. */
static void test_restarts(void **unused)
{
    (void)unused;
    struct bench b = begin();
    open_sink(&b);
    for (int i = 0; i < 4; i++) {
        add(&b, 1000);
        if (i % 2)
            mock_up(&b.k, false);
        close_sink(&b);
        if (i % 2)
            mock_up(&b.k, true);
        open_log(&b);
        open_sink(&b);
    }
    await_all(&b);
    expect_none_missing(&b);
    end(&b);
}

/* Away for longer than the log may wait: the oldest are given up, the newest arrive. */
static void test_away_for_too_long(void **unused)
{
    (void)unused;
    static struct seen s;
    struct bench b = begin();
    b.backlog_bytes = 200000;
    mock_up(&b.k, false);
    open_sink(&b);
    for (int i = 0; i < 3; i++) {
        add(&b, 2000); /* some 320 kB */
        await(wal_end(b.wal) - sink_kafka_delivered(b.sink) <= 200000);
    }
    mock_up(&b.k, true);
    await_all(&b);
    struct metric *skipped = metric_counter(
        b.service.metrics, "fieldcast_ingest_kafka_skipped_bytes_total", "", NULL);
    assert_true(metric_value(skipped) > 0);
    look_at_all(&b, &s);
    assert_true(s.distinct < b.sent);
    int first = 0;
    while (!s.times[first])
        first++;
    for (int i = first; i < b.sent; i++)
        assert_true(s.times[i] > 0);
    end(&b);
}

int main(void)
{
    log_init("ingest", LOG_FATAL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message),
        cmocka_unit_test(test_errors_of_brokers),
        cmocka_unit_test(test_brokers_away),
        cmocka_unit_test(test_time_outs),
        cmocka_unit_test(test_a_configuration_fault),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_away_for_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
