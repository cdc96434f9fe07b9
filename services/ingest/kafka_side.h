/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_side: all of ingest that has to do with Kafka: its settings, the sink and the
 * source. Without FC_KAFKA_BROKERS there is none of it, no thread and no memory. */
#ifndef FC_INGEST_KAFKA_SIDE_H
#define FC_INGEST_KAFKA_SIDE_H

#include "services/ingest/kafka_in.h"
#include "services/ingest/sink_kafka.h"

struct kafka_side_settings {
    struct kafka_settings at;
    char *preset, *topic, *source_topics, *group;
    int64_t backlog_mb;
};

/* Rows for ingest's table. T: its settings struct, M: the member of the type above. */
/* clang-format off */
#define KAFKA_SIDE_SETTINGS(T, M)                                                       \
    KAFKA_SETTINGS(T, M.at),                                                            \
    {"KAFKA_PRESET", SET_STRING, offsetof(T, M.preset), "fieldcast", 1, 20,             \
     "how readings go to Kafka: fieldcast, system2, or none (they do not)"},            \
    {"KAFKA_TOPIC", SET_STRING, offsetof(T, M.topic), "", 0, 249,                       \
     "and where; empty: fieldcast-readings, with system2 event-frames-model"},          \
    {"KAFKA_BACKLOG_MB", SET_INT, offsetof(T, M.backlog_mb), "1024", 1, 1 << 20,        \
     "most of the log that waits for Kafka; at most half of FC_LOG_MAX_MB counts, MB"}, \
    {"KAFKA_SOURCE_TOPICS", SET_STRING, offsetof(T, M.source_topics), "", 0, 2048,      \
     "topics to take readings from, comma-separated, at most 32; empty: none"},         \
    {"KAFKA_GROUP", SET_STRING, offsetof(T, M.group), "fieldcast-ingest", 1, 249,       \
     "consumer group that takes them"}
/* clang-format on */

int kafka_side_check(const struct kafka_side_settings *s, struct err *e) MUST_CHECK;

struct kafka_side { /* zeroed: there is none */
    struct wal_reader *reader;
    struct sink_kafka *sink;
    struct kafka_in *in;
};

struct kafka_side_opts { /* all borrowed */
    const struct kafka_side_settings *set;
    struct service *service;
    struct wal *wal;
    int64_t log_max_bytes;
    struct interpreter how;
    struct intake *intake;
    struct dep *log;
};

/* Opens the sink's cursor, so that the log keeps what Kafka has not got: right after the
 * log. */
int kafka_side_open_cursor(struct kafka_side *k, const struct kafka_side_settings *s,
                           struct wal *w, struct err *e) MUST_CHECK;
/* Sink and source; before service_listen(). */
int kafka_side_open(struct kafka_side *k, const struct kafka_side_opts *o,
                    struct err *e) MUST_CHECK;
/* Takes nothing more from Kafka. */
void kafka_side_close_source(struct kafka_side *k);
/* The rest, before the log. Both also after a failure, and twice. */
void kafka_side_close(struct kafka_side *k);

#endif
