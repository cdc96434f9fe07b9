/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of single messages, on a mock cluster; the whole sink is in
 * test_sink_kafka.c. */
#include "services/ingest/kafka_delivery.h"

#include "common/log.h"
#include "tests/unit/kafka_mock.h"

#define WAIT_MS 60000

struct bench {
    struct mock k;
    struct service service;
    struct dep *dep;
    struct nap nap;
    struct kafka_delivery *d;
};

static void begin(struct bench *b)
{
    struct err e = ERR_INIT;
    *b = (struct bench){0};
    mock_start(&b->k, 1, 1);
    nap_init(&b->nap);
    b->service.metrics = metrics_new("ingest");
    b->dep = service_dep(&b->service, "kafka", false);
    struct kafka_delivery_opts o = {.set = &b->k.set,
                                    .topic = TOPIC,
                                    .timeout_ms = WAIT_MS,
                                    .dep = b->dep,
                                    .nap = &b->nap,
                                    .metrics = b->service.metrics};
    b->d = kafka_delivery_new(&o, 100, &e);
    if (!b->d)
        fail_msg("%s", e.text);
    for (int64_t until = clock_mono_ms() + WAIT_MS; !kafka_delivery_ready(b->d);)
        assert_true(clock_mono_ms() < until);
}

static void end(struct bench *b)
{
    kafka_delivery_free(b->d);
    service_close(&b->service);
    nap_done(&b->nap);
    mock_stop(&b->k);
}

static int put(struct bench *b, const char *text)
{
    struct kafka_record r = {
        .key = "k", .value = text, .len = strlen(text), .time_ms = 1795132800000};
    return kafka_delivery_put(b->d, &r);
}

/* A record with two messages. */
static void put_record(struct bench *b, int64_t pos, int64_t to)
{
    assert_true(kafka_delivery_takes(b->d));
    kafka_delivery_record(b->d, pos, to);
    assert_int_equal(put(b, "one"), 0);
    assert_int_equal(kafka_delivery_delivered(b->d), pos);
    assert_int_equal(put(b, "two"), 0);
    kafka_delivery_record_done(b->d);
}

/* Listens until nothing is on its way. True: it has begun anew. */
static bool listen_to_all(struct bench *b)
{
    bool anew = false;
    for (int64_t until = clock_mono_ms() + WAIT_MS; !kafka_delivery_idle(b->d);) {
        assert_true(clock_mono_ms() < until);
        anew |= kafka_delivery_listen(b->d, false);
    }
    return anew;
}

static double messages(struct bench *b, const char *result)
{
    char labels[40];
    snprintf(labels, sizeof labels, "result=\"%s\"", result);
    return metric_value(metric_counter(
        b->service.metrics, "fieldcast_ingest_kafka_messages_total", "", labels));
}

static void test_positions(void **unused)
{
    (void)unused;
    struct bench b;
    begin(&b);
    assert_true(dep_is_up(b.dep));
    assert_true(kafka_delivery_idle(b.d));
    assert_int_equal(kafka_delivery_delivered(b.d), 100);
    kafka_delivery_record(b.d, 100, 140); /* nothing in it for Kafka */
    kafka_delivery_record_done(b.d);
    assert_int_equal(kafka_delivery_delivered(b.d), 140);
    put_record(&b, 140, 200);
    assert_int_equal(kafka_delivery_delivered(b.d), 140);
    assert_false(listen_to_all(&b));
    assert_int_equal(kafka_delivery_delivered(b.d), 200);
    assert_int_equal((int)messages(&b, "delivered"), 2);
    kafka_delivery_record(b.d, 200, 260);
    kafka_delivery_refuse(b.d, "of no use");
    kafka_delivery_record_done(b.d);
    assert_int_equal(kafka_delivery_delivered(b.d), 260);
    assert_int_equal((int)messages(&b, "refused"), 1);
    end(&b);
}

static void test_all_again(void **unused)
{
    (void)unused;
    struct bench b;
    begin(&b);
    rd_kafka_mock_push_request_errors(b.k.cluster, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    put_record(&b, 100, 200);
    assert_true(listen_to_all(&b));
    assert_int_equal(kafka_delivery_delivered(b.d), 100);
    assert_false(dep_is_up(b.dep));
    assert_true(messages(&b, "again") >= 1);
    assert_true(kafka_delivery_ready(b.d));
    assert_false(dep_is_up(b.dep)); /* that brokers answer is not enough after this */
    put_record(&b, 100, 200);
    assert_false(listen_to_all(&b));
    assert_int_equal(kafka_delivery_delivered(b.d), 200);
    assert_true(dep_is_up(b.dep));
    end(&b);
}

static void test_one_by_one(void **unused)
{
    (void)unused;
    struct bench b;
    begin(&b);
    rd_kafka_mock_push_request_errors(b.k.cluster, API_PRODUCE, 2,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    put_record(&b, 100, 200);
    assert_true(listen_to_all(&b));
    assert_int_equal(kafka_delivery_delivered(b.d), 100);
    assert_int_equal((int)messages(&b, "refused"), 0);
    assert_true(kafka_delivery_ready(b.d));
    put_record(&b, 100, 200);
    assert_false(kafka_delivery_takes(b.d)); /* only these two, one by one */
    assert_true(listen_to_all(&b));          /* and then in batches again */
    assert_int_equal(kafka_delivery_delivered(b.d), 200);
    assert_int_equal((int)messages(&b, "refused"), 1);
    assert_int_equal((int)messages(&b, "delivered"), 1);
    assert_true(kafka_delivery_ready(b.d));
    assert_true(kafka_delivery_takes(b.d));
    end(&b);
}

static void test_a_stop_while_there_is_no_room(void **unused)
{
    (void)unused;
    struct bench b;
    int n = 0;
    begin(&b);
    mock_up(&b.k, false);
    nap_stop(&b.nap);
    kafka_delivery_record(b.d, 100, 200);
    while (put(&b, "one") == 0)
        assert_true(++n < 10000);
    assert_true(n > 1000);
    assert_int_equal(kafka_delivery_delivered(b.d), 100);
    kafka_delivery_begin(b.d, 150);
    assert_true(kafka_delivery_idle(b.d));
    assert_int_equal(kafka_delivery_delivered(b.d), 150);
    end(&b);
}

int main(void)
{
    log_init("ingest", LOG_FATAL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_all_again),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_a_stop_while_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
