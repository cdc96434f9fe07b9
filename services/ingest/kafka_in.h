/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_in: Kafka as a source, beside MQTT and HTTP.
 *
 * A thread reads topics as a member of a consumer group and hands each message to the
 * intake; its offset is committed once it is in the log. So a message comes at least
 * once; the intake knows those that come again. What a message is, its topic says: the
 * one in the header mqtt.topic if a bridge has put it there, else "kafka/<topic>", where
 * the payload's shape decides. Messages without a value are counted and passed over;
 * those that are too large become dead letters.
 *
 * Kafka away: waits, and goes on by itself. The log takes nothing: waits with the message
 * in hand and commits nothing, so that it comes again after a stop. */
#ifndef FC_INGEST_KAFKA_IN_H
#define FC_INGEST_KAFKA_IN_H

#include "common/kafka.h"
#include "common/service.h"
#include "services/ingest/intake.h"

#define KAFKA_IN_TOPICS_MAX 32

struct kafka_in;

struct kafka_in_opts { /* all borrowed */
    const struct kafka_settings *set;
    const char *topics; /* comma-separated */
    const char *group;
    struct intake *intake;
    struct dep *kafka, *log;
    struct metrics *metrics;
};

/* Is this a list of topics, none of them sink_topic (NULL: there is none)? */
int kafka_in_check(const char *topics, const char *sink_topic, struct err *e) MUST_CHECK;

struct kafka_in *kafka_in_open(const struct kafka_in_opts *o, struct err *e) MUST_CHECK;
void kafka_in_close(struct kafka_in *in); /* NULL is fine */

#endif
