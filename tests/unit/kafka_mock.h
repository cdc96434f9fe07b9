/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_mock: librdkafka's mock cluster, with real listeners on 127.0.0.1, for one test;
 * and what lies in one of its topics. */
#ifndef FC_TESTS_KAFKA_MOCK_H
#define FC_TESTS_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/clock.h"
#include "common/kafka.h"
#include "tests/unit/unit.h"

#define API_PRODUCE 0
#define API_OFFSET_COMMIT 8
#define TOPIC "readings"

struct mock {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    int brokers;
    struct kafka_settings set;
};

static inline void mock_start(struct mock *k, int brokers, int partitions)
{
    char why[200];
#ifdef __SANITIZE_THREAD__
    skip(); /* the library begins its threads by thrd_create(), of which TSan knows
               nothing */
#endif
    k->brokers = brokers;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(k->rk);
    k->cluster = rd_kafka_mock_cluster_new(k->rk, brokers);
    assert_non_null(k->cluster);
    assert_int_equal(rd_kafka_mock_topic_create(k->cluster, TOPIC, partitions, brokers),
                     0);
    k->set = (struct kafka_settings){
        .brokers = (char *)rd_kafka_mock_cluster_bootstraps(k->cluster),
        .ca_file = (char *)"",
        .user = (char *)"",
        .password = (char *)"",
        .sasl = (char *)"PLAIN"};
}

static inline void mock_stop(struct mock *k)
{
    rd_kafka_mock_cluster_destroy(k->cluster);
    rd_kafka_destroy(k->rk);
}

static inline void mock_up(struct mock *k, bool up)
{
    for (int b = 1; b <= k->brokers; b++)
        assert_int_equal(up ? rd_kafka_mock_broker_set_up(k->cluster, b)
                            : rd_kafka_mock_broker_set_down(k->cluster, b),
                         0);
}

/* A plain consumer without a group: the mock's groups take seconds to begin. */
static inline rd_kafka_t *mock_reader(struct mock *k, const char *group)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", k->set.brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", group, why, sizeof why);
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof why);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "20", why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

/* Calls each() with the messages of a topic from its beginning, those of a partition in
 * their order, until n came or, in vain, for 60 s. Returns how many came. */
static inline size_t mock_read(struct mock *k, const char *topic, int partitions,
                               size_t n,
                               void (*each)(void *arg, const rd_kafka_message_t *m),
                               void *arg)
{
    rd_kafka_t *rk = mock_reader(k, "reader");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(rk, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    size_t got = 0;
    for (int64_t until = clock_mono_ms() + 60000; got < n && clock_mono_ms() < until;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
        if (m && !m->err) {
            each(arg, m);
            got++;
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_destroy(rk);
    return got;
}

/* How many messages of TOPIC's partitions group has committed, all together. */
static inline int64_t mock_committed(struct mock *k, const char *group, int partitions)
{
    rd_kafka_t *rk = mock_reader(k, group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, TOPIC, p);
    assert_int_equal(rd_kafka_committed(rk, list, 30000), 0);
    int64_t sum = 0;
    for (int p = 0; p < partitions; p++)
        sum += list->elems[p].offset > 0 ? list->elems[p].offset : 0;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return sum;
}

#endif
