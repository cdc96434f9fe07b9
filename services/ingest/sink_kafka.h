/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_kafka: from the log to a Kafka topic, with a thread and a cursor of its own.
 *
 * It reads records, understands them, and produces a message for each reading
 * (kafka_value.h): key = device, CreateTime = the reading's time, headers mqtt.topic,
 * mqtt.qos, mqtt.dup, mqtt.retain and fieldcast.shape. The cursor moves up to the first
 * message whose delivery is not confirmed (kafka_delivery.h). Kafka has every reading at
 * least once, and those of a device in order but for repetitions after a failure. What
 * brokers refuse for good is counted and stepped over; it is in InfluxDB all the same.
 *
 * Kafka away: the cursor stands still and holds the log back, up to backlog_bytes.
 * Then the oldest readings are given up, for Kafka alone, because a full log would stop
 * everything. */
#ifndef FC_INGEST_SINK_KAFKA_H
#define FC_INGEST_SINK_KAFKA_H

#include "common/kafka.h"
#include "common/service.h"
#include "services/ingest/kafka_value.h"
#include "services/ingest/understand.h"
#include "services/ingest/wal.h"

struct sink_kafka;

struct sink_kafka_opts { /* all borrowed */
    struct wal *wal;
    struct wal_reader *reader; /* at its cursor */
    struct interpreter how;
    const struct kafka_settings *set;
    const char *topic;
    enum kafka_shape shape;
    int64_t backlog_bytes;
    int timeout_ms;  /* after which a message is produced again */
    struct dep *dep; /* Kafka */
    struct metrics *metrics;
};

struct sink_kafka *sink_kafka_open(const struct sink_kafka_opts *o,
                                   struct err *e) MUST_CHECK;
/* Waits up to 1.5 s for what is on its way; what is not delivered stays in the log. */
void sink_kafka_close(struct sink_kafka *s);

/* Everything before this position is in Kafka. */
int64_t sink_kafka_delivered(const struct sink_kafka *s);

#endif
