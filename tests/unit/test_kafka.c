/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kafka.h"

#include "tests/unit/kafka_mock.h"

#define WAIT_MS 60000 /* generous: nothing here measures time */

/* ---- settings -----------------------------------------------------------------------
 */

static struct kafka_settings plain(const char *brokers)
{
    return (struct kafka_settings){.brokers = (char *)brokers,
                                   .ca_file = (char *)"",
                                   .user = (char *)"",
                                   .password = (char *)"",
                                   .sasl = (char *)"PLAIN"};
}

static void test_settings(void **unused)
{
    (void)unused;
    static const char *const good[] = {"",        "kafka",      "kafka:9092",
                                       "a:1,b:2", "[::1]:9092", "10.0.0.1:9092,x-y.z"};
    static const struct {
        const char *brokers, *text;
    } bad[] = {
        {":9092", "FC_KAFKA_BROKERS: \":9092\" is not host:port"},
        {"a:1,,b", "FC_KAFKA_BROKERS: \"\" is not host:port"},
        {"a:x", "FC_KAFKA_BROKERS: \"a:x\" is not host:port"},
        {"a:", "FC_KAFKA_BROKERS: \"a:\" is not host:port"},
        {"a b:1", "FC_KAFKA_BROKERS: \"a b:1\" is not host:port"},
        {"http://a:1", "FC_KAFKA_BROKERS: \"http://a:1\" is not host:port"},
        {"[::1:1", "FC_KAFKA_BROKERS: \"[::1:1\" is not host:port"},
    };
    for (size_t i = 0; i < N_OF(good); i++) {
        struct kafka_settings s = plain(good[i]);
        struct err e = ERR_INIT;
        assert_ok(kafka_settings_check(&s, &e), e);
    }
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct kafka_settings s = plain(bad[i].brokers);
        struct err e = ERR_INIT;
        assert_failed(kafka_settings_check(&s, &e), e, ERR_INVALID, bad[i].text);
    }
    struct kafka_settings s = plain("a:1");
    struct err e = ERR_INIT;
    s.user = (char *)"me";
    assert_failed(kafka_settings_check(&s, &e), e, ERR_INVALID,
                  "FC_KAFKA_USER needs FC_KAFKA_PASSWORD");
    s.sasl = (char *)"MD5";
    assert_failed(kafka_settings_check(&s, &e), e, ERR_INVALID,
                  "FC_KAFKA_SASL must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, not "
                  "\"MD5\"");
}

static void test_topic_names(void **unused)
{
    (void)unused;
    char longest[251];
    memset(longest, 'a', 250);
    longest[250] = '\0';
    assert_false(kafka_topic_valid(longest));
    longest[249] = '\0';
    assert_true(kafka_topic_valid(longest));
    assert_true(kafka_topic_valid("event-frames_model.1"));
    assert_false(kafka_topic_valid(""));
    assert_false(kafka_topic_valid(".."));
    assert_false(kafka_topic_valid("^all"));
    assert_false(kafka_topic_valid("a/b"));
}

static void test_what_can_not_be_set_up(void **unused)
{
    (void)unused;
    struct kafka_settings s = plain("127.0.0.1:1");
    s.ca_file = (char *)"/nowhere/ca.pem";
    struct kafka_producer_opts o = {.set = &s, .topic = TOPIC, .timeout_ms = 1000};
    struct err e = ERR_INIT;
    assert_null(kafka_producer_open(&o, &e));
    assert_non_null(strstr(e.text, "could not set up Kafka: "));
    assert_non_null(strstr(e.text, "ssl.ca.location"));
}

/* ---- producer -----------------------------------------------------------------------
 */

#define MANY 3000

struct reports {
    unsigned char seen[MANY];
    size_t n[3];
    char why[400];
};

static void on_report(void *arg, uint32_t tag, enum kafka_outcome o, const char *why)
{
    struct reports *r = arg;
    assert_true(tag < MANY);
    r->seen[tag]++;
    r->n[o]++;
    if (o != KAFKA_DELIVERED)
        snprintf(r->why, sizeof r->why, "%s", why);
}

static struct kafka_producer *producer(struct mock *k, struct reports *r, int timeout_ms)
{
    struct err e = ERR_INIT;
    struct kafka_producer_opts o = {.set = &k->set,
                                    .topic = TOPIC,
                                    .timeout_ms = timeout_ms,
                                    .on_report = on_report,
                                    .arg = r};
    memset(r, 0, sizeof *r);
    struct kafka_producer *p = kafka_producer_open(&o, &e);
    if (!p)
        fail_msg("%s", e.text);
    return p;
}

/* The key tells the partition: 7 devices, each with its own numbers in order. */
static int produce(struct kafka_producer *p, uint32_t i, struct err *e)
{
    char key[20], value[40];
    bool refused;
    snprintf(key, sizeof key, "device%u", i % 7);
    int n = snprintf(value, sizeof value, "%u %u", i % 7, i);
    struct kafka_header h = {"number", value, (size_t)n};
    struct kafka_record r = {.key = key,
                             .value = value,
                             .len = (size_t)n,
                             .time_ms = 1700000000000 + i,
                             .headers = &h,
                             .n_headers = 1};
    return kafka_produce(p, &r, i, &refused, e);
}

static void produce_all(struct kafka_producer *p, uint32_t n)
{
    struct err e = ERR_INIT;
    int rc;
    for (uint32_t i = 0; i < n; i++) {
        while ((rc = produce(p, i, &e)) == 1)
            kafka_producer_poll(p, 50);
        assert_ok(rc, e);
    }
}

static size_t reported(const struct reports *r)
{
    return r->n[KAFKA_DELIVERED] + r->n[KAFKA_AGAIN] + r->n[KAFKA_REFUSED];
}

static void await_reports(struct kafka_producer *p, const struct reports *r, size_t n)
{
    for (int64_t until = clock_mono_ms() + WAIT_MS;
         reported(r) < n && clock_mono_ms() < until;)
        kafka_producer_poll(p, 50);
    assert_int_equal(reported(r), n);
}

struct order {
    long last[7];
};

static void check_order(void *arg, const rd_kafka_message_t *m)
{
    struct order *o = arg;
    char text[40];
    unsigned device, i;
    assert_true(m->len < sizeof text);
    memcpy(text, m->payload, m->len);
    text[m->len] = '\0';
    assert_int_equal(sscanf(text, "%u %u", &device, &i), 2);
    assert_true(device < 7);
    assert_true(o->last[device] < (long)i); /* in order, none twice */
    o->last[device] = (long)i;
}

static void expect_in_order(struct mock *k, int partitions, size_t n)
{
    struct order o = {.last = {-1, -1, -1, -1, -1, -1, -1}};
    assert_int_equal(mock_read(k, TOPIC, partitions, n, check_order, &o), n);
}

static void test_errors_cost_nothing(void **unused)
{
    (void)unused;
    struct mock k;
    struct reports r;
    mock_start(&k, 3, 4);
    struct kafka_producer *p = producer(&k, &r, WAIT_MS);
    rd_kafka_mock_push_request_errors(
        k.cluster, API_PRODUCE, 5, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    produce_all(p, MANY);
    await_reports(p, &r, MANY);
    assert_int_equal(r.n[KAFKA_DELIVERED], MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(r.seen[i], 1);
    struct err e = ERR_INIT;
    assert_ok(kafka_producer_ping(p, 5000, &e), e);
    kafka_producer_close(p);
    expect_in_order(&k, 4, MANY);
    mock_stop(&k);
}

static void test_brokers_down_and_up(void **unused)
{
    (void)unused;
    struct mock k;
    struct reports r;
    struct err e = ERR_INIT;
    mock_start(&k, 2, 4);
    struct kafka_producer *p = producer(&k, &r, WAIT_MS);
    produce_all(p, 500);
    mock_up(&k, false);
    assert_int_equal(kafka_producer_ping(p, 300, &e), -1);
    assert_non_null(strstr(e.text, "no broker answers: "));
    for (uint32_t i = 500; i < 1000; i++)
        assert_int_equal(produce(p, i, &e), 0);
    kafka_producer_poll(p, 200);
    mock_up(&k, true);
    await_reports(p, &r, 1000);
    assert_int_equal(r.n[KAFKA_DELIVERED], 1000);
    kafka_producer_close(p);
    expect_in_order(&k, 4, 1000);
    mock_stop(&k);
}

static void test_time_out_and_a_full_queue(void **unused)
{
    (void)unused;
    struct mock k;
    struct reports r;
    struct err e = ERR_INIT;
    mock_start(&k, 1, 1);
    mock_up(&k, false);
    struct kafka_producer *p = producer(&k, &r, 700);
    uint32_t n = 0;
    int rc = 0;
    while (n < MANY && (rc = produce(p, n, &e)) == 0)
        n++;
    assert_int_equal(rc, 0);
    size_t more = 0; /* with one tag: only the bound of the queue is of interest */
    while ((rc = produce(p, 0, &e)) == 0)
        assert_true(++more < 100000);
    assert_int_equal(rc, 1);
    await_reports(p, &r, n + more);
    assert_int_equal(r.n[KAFKA_AGAIN], n + more);
    assert_non_null(strstr(r.why, "Message timed out"));
    kafka_producer_close(p);
    mock_stop(&k);
}

static void test_too_large(void **unused)
{
    (void)unused;
    struct mock k;
    struct reports r;
    struct err e = ERR_INIT;
    bool refused;
    mock_start(&k, 1, 1);
    struct kafka_producer *p = producer(&k, &r, WAIT_MS);
    static char big[1100000];
    struct kafka_record record = {
        .key = "k", .value = big, .len = sizeof big, .time_ms = 1700000000000};
    assert_failed(kafka_produce(p, &record, 1, &refused, &e), e, ERR_TOO_LARGE,
                  "could not hand a message to Kafka: Failed to produce message: "
                  "Broker: Message size too large");
    assert_true(refused);
    rd_kafka_mock_push_request_errors(k.cluster, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(produce(p, 2, &e), 0);
    await_reports(p, &r, 1);
    assert_int_equal(r.n[KAFKA_REFUSED], 1);
    assert_string_equal(r.why, "Broker: Message size too large");
    kafka_producer_close(p);
    mock_stop(&k);
}

/* ---- consumer -----------------------------------------------------------------------
 */

static struct kafka_consumer *consumer(struct mock *k, const char *group)
{
    struct err e = ERR_INIT;
    const char *topics[] = {TOPIC, NULL};
    struct kafka_consumer *c = kafka_consumer_open(&k->set, group, topics, &e);
    if (!c)
        fail_msg("%s", e.text);
    return c;
}

/* The next message, however long it takes (a failed commit is tried again). */
static void next(struct kafka_consumer *c, struct kafka_message *m)
{
    struct err e = ERR_INIT;
    int64_t until = clock_mono_ms() + WAIT_MS;
    while (kafka_consumer_next(c, 100, m, &e) != 1)
        if (clock_mono_ms() > until)
            fail_msg("no message: %s", e.text);
}

static void fill_topic(struct mock *k, uint32_t n)
{
    struct reports r;
    struct kafka_producer *p = producer(k, &r, WAIT_MS);
    produce_all(p, n);
    await_reports(p, &r, n);
    kafka_producer_close(p);
}

static void check_first(struct kafka_consumer *c, const struct kafka_message *m)
{
    size_t len;
    assert_string_equal(m->topic, TOPIC);
    assert_int_equal(m->offset, 0);
    assert_true(m->time_ms == 1700000000000);
    assert_int_equal(m->len, 3);
    assert_memory_equal(m->value, "0 0", 3);
    const void *h = kafka_consumer_header(c, "number", &len);
    assert_int_equal(len, 3);
    assert_memory_equal(h, "0 0", 3);
    assert_null(kafka_consumer_header(c, "other", &len));
}

/* What was taken is committed, and no more, also when a commit fails and when the
 * consumer just ends. */
static void test_only_what_was_taken_is_committed(void **unused)
{
    (void)unused;
    struct mock k;
    struct kafka_message m;
    struct err e = ERR_INIT;
    mock_start(&k, 1, 1);
    fill_topic(&k, 300);
    struct kafka_consumer *c = consumer(&k, "g");
    int failed = 0;
    for (int i = 0; i < 250;) {
        if (i == 50 && !failed)
            rd_kafka_mock_push_request_errors(
                k.cluster, API_OFFSET_COMMIT, 2,
                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
        int rc = kafka_consumer_next(c, 1000, &m, &e);
        if (rc < 0) {
            assert_string_equal(e.text,
                                "could not commit: Broker: Topic authorization failed");
            failed++;
            continue;
        }
        if (!rc)
            continue;
        if (!i)
            check_first(c, &m);
        assert_int_equal(m.offset, i);
        assert_int_equal(m.again, i < KAFKA_UNCOMMITTED_MAX);
        kafka_consumer_taken(c);
        i++;
    }
    assert_int_equal(failed, 2);
    next(c, &m); /* not taken */
    assert_int_equal(m.offset, 250);
    kafka_consumer_close(c);
    assert_int_equal(mock_committed(&k, "g", 1), 250);
    mock_stop(&k);
}

static void test_consumer_waits_for_brokers(void **unused)
{
    (void)unused;
    struct mock k;
    struct kafka_message m;
    struct err e = ERR_INIT;
    mock_start(&k, 1, 1);
    fill_topic(&k, 20);
    mock_up(&k, false);
    struct kafka_consumer *c = consumer(&k, "g");
    assert_int_equal(kafka_consumer_ping(c, 300, &e), -1);
    assert_int_equal(kafka_consumer_next(c, 100, &m, &e) == 1, 0);
    mock_up(&k, true);
    for (int i = 0; i < 20; i++) {
        next(c, &m);
        assert_int_equal(m.offset, i);
        kafka_consumer_taken(c);
    }
    assert_ok(kafka_consumer_ping(c, 5000, &e), e);
    kafka_consumer_close(c);
    mock_stop(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_topic_names),
        cmocka_unit_test(test_what_can_not_be_set_up),
        cmocka_unit_test(test_errors_cost_nothing),
        cmocka_unit_test(test_brokers_down_and_up),
        cmocka_unit_test(test_time_out_and_a_full_queue),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_only_what_was_taken_is_committed),
        cmocka_unit_test(test_consumer_waits_for_brokers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
