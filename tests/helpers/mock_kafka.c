/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mock-kafka [BROKERS [PARTITIONS [TOPIC...]]]: librdkafka's mock cluster as a process of
 * its own, with listeners on 127.0.0.1. Prints "HOST:PORT,..." and then does what the
 * lines on its standard input say, answering each with "ok":
 *
 *   down      all brokers go away, with what they hold
 *   up        and come back
 *   errors N  the next N produce requests are answered in turn by three errors that pass
 *
 * It ends with its input. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_PRODUCE 0

static const rd_kafka_resp_err_t passing[] = {
    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
};

static int obey(rd_kafka_mock_cluster_t *c, int brokers, const char *line)
{
    int n, bad = 0;
    bool up = !strcmp(line, "up\n");
    if (up || !strcmp(line, "down\n")) {
        for (int b = 1; b <= brokers; b++)
            bad |= up ? rd_kafka_mock_broker_set_up(c, b)
                      : rd_kafka_mock_broker_set_down(c, b);
        return bad;
    }
    if (sscanf(line, "errors %d", &n) != 1)
        return -1;
    for (int i = 0; i < n; i++)
        rd_kafka_mock_push_request_errors_array(
            c, API_PRODUCE, 1, &passing[i % (int)(sizeof passing / sizeof *passing)]);
    return 0;
}

int main(int argc, char **argv)
{
    char why[256], line[100];
    int brokers = argc > 1 ? atoi(argv[1]) : 1, partitions = argc > 2 ? atoi(argv[2]) : 4;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    rd_kafka_mock_cluster_t *c = rk ? rd_kafka_mock_cluster_new(rk, brokers) : NULL;
    if (!c) {
        fprintf(stderr, "mock-kafka: could not start: %s\n", why);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        rd_kafka_mock_topic_create(c, argv[i], partitions, brokers);
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(c));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        puts(obey(c, brokers, line) ? "error" : "ok");
        fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(c);
    rd_kafka_destroy(rk);
    return 0;
}
