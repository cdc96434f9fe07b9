/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_internal: what kafka.c and kafka_consumer.c share. Included by these two alone.
 */
#ifndef FC_COMMON_KAFKA_INTERNAL_H
#define FC_COMMON_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "common/kafka.h"

/* What the library said last about its connections, for whoever waits for them. */
struct kafka_trouble {
    char text[300];
    bool dead;
};

struct kafka_option {
    const char *name, *value;
};

/* A handle of the library, with the settings and the options (ended by NULL). conf NULL
 * or what the caller began with; it is taken over. trouble: filled in the calls that
 * serve callbacks; the handle's opaque. */
rd_kafka_t *kafka_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                         const struct kafka_settings *set,
                         const struct kafka_option *options, void *opaque, struct err *e);

/* One request for metadata, of topic or, when NULL, of nothing but the brokers. */
int kafka_ask(rd_kafka_t *rk, rd_kafka_topic_t *topic, int timeout_ms,
              const struct kafka_trouble *t, struct err *e);

#endif
