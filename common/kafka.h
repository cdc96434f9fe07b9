/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka: a producer and a consumer of Apache Kafka (librdkafka inside), as ingest uses
 * them.
 *
 * Each belongs to one thread, which makes all its calls; the library's own threads are
 * not seen. Both connect in the background and again, for ever, and keep little in memory
 * (a few MB). Nothing here is durable: the producer says what was delivered, the consumer
 * asks what may be committed, and whoever calls has the log on disk. */
#ifndef FC_COMMON_KAFKA_H
#define FC_COMMON_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.h"

/* Where the brokers are and who comes; KAFKA_SETTINGS fills it from the environment. */
struct kafka_settings {
    char *brokers; /* "" = no Kafka */
    bool tls;
    char *ca_file; /* not "": TLS, and only this authority */
    char *user, *password, *sasl;
};

/* Rows for a service's table. T: its settings struct, M: the member of the type above. */
/* clang-format off */
#define KAFKA_SETTINGS(T, M)                                                            \
    {"KAFKA_BROKERS", SET_STRING, offsetof(T, M.brokers), "", 0, 1024,                  \
     "Kafka: host:port of some brokers, comma-separated; empty: no Kafka"},             \
    {"KAFKA_TLS", SET_BOOL, offsetof(T, M.tls), "0", 0, 1,                              \
     "1: TLS to the brokers"},                                                          \
    {"KAFKA_CA_FILE", SET_STRING, offsetof(T, M.ca_file), "", 0, 4096,                  \
     "their certificate authority, which turns TLS on; empty: the system's"},           \
    {"KAFKA_USER", SET_STRING, offsetof(T, M.user), "", 0, 256,                         \
     "user at the brokers (SASL); empty: none"},                                        \
    {"KAFKA_PASSWORD", SET_SECRET, offsetof(T, M.password), "", 0, 512,                 \
     "and password"},                                                                   \
    {"KAFKA_SASL", SET_STRING, offsetof(T, M.sasl), "PLAIN", 1, 20,             \
     "how the password is shown: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}
/* clang-format on */

/* Can these ever work? The text names the variable. */
int kafka_settings_check(const struct kafka_settings *s, struct err *e) MUST_CHECK;
/* 1 to 249 of [A-Za-z0-9._-], but not "." or "..". */
bool kafka_topic_valid(const char *topic);

struct kafka_header {
    const char *name;
    const void *value;
    size_t len;
};

/* ---- producer -----------------------------------------------------------------------
 */

/* What became of a message. AGAIN: it is not known to be there, and may be tried again
 * (time-out, no leader, no right to write). REFUSED: a broker did not take the batch that
 * it was in, and will not (too large, malformed). */
enum kafka_outcome { KAFKA_DELIVERED, KAFKA_AGAIN, KAFKA_REFUSED };

struct kafka_producer;

struct kafka_producer_opts {
    const struct kafka_settings *set; /* borrowed for the call */
    const char *topic;                /* copied */
    int timeout_ms; /* a message that is not delivered by then is reported as AGAIN */
    bool single;    /* one message a batch: REFUSED means this one */
    /* In kafka_producer_poll(), once for each message, in any order. tag: what was given
     * with it; why: borrowed, "" when delivered. */
    void (*on_report)(void *arg, uint32_t tag, enum kafka_outcome o, const char *why);
    void *arg;
};

/* Idempotent: the brokers have each message once, in the order of the calls, as long as
 * nothing is reported as AGAIN. The brokers need not be there yet. */
struct kafka_producer *kafka_producer_open(const struct kafka_producer_opts *o,
                                           struct err *e) MUST_CHECK;
/* What is not delivered is dropped, without a report. NULL is fine. */
void kafka_producer_close(struct kafka_producer *p);

struct kafka_record {
    const char *key;
    const void *value;
    size_t len;
    int64_t time_ms;
    const struct kafka_header *headers;
    size_t n_headers;
};
#define KAFKA_HEADERS_MAX 8

/* Hands a message over (copied). 0; 1: the queue is full, poll and try again; -1: it can
 * not be taken, now or ever (*refused). */
int kafka_produce(struct kafka_producer *p, const struct kafka_record *r, uint32_t tag,
                  bool *refused, struct err *e) MUST_CHECK;
/* Waits up to timeout_ms for reports, and calls on_report. True: one came. */
bool kafka_producer_poll(struct kafka_producer *p, int timeout_ms);
/* Asks for the topic: 0 when a broker answers and it is there. */
int kafka_producer_ping(struct kafka_producer *p, int timeout_ms,
                        struct err *e) MUST_CHECK;
/* True: it will deliver nothing more; close it and open another. */
bool kafka_producer_dead(const struct kafka_producer *p);

/* ---- consumer -----------------------------------------------------------------------
 */

/* At most so many messages of a partition are handed out beyond what is committed. */
#define KAFKA_UNCOMMITTED_MAX 100

struct kafka_consumer;

struct kafka_message { /* borrowed until the next call */
    const char *topic;
    int32_t partition;
    int64_t offset, time_ms; /* time_ms: -1 if none */
    const void *value;       /* NULL: it has none */
    size_t len;
    bool again; /* it may have been handed out before, to this process or another */
};

/* Joins the group. topics: ended by NULL, borrowed for the call. A group that was never
 * there begins with the oldest message. */
struct kafka_consumer *kafka_consumer_open(const struct kafka_settings *set,
                                           const char *group, const char *const *topics,
                                           struct err *e) MUST_CHECK;
/* Commits what was taken and leaves the group, for some seconds at most. NULL is fine. */
void kafka_consumer_close(struct kafka_consumer *c);

/* The next message: 1; 0: none came in timeout_ms; -1: something is wrong, try again
 * later. Must be called at least every 5 minutes, else others get the partitions. */
int kafka_consumer_next(struct kafka_consumer *c, int timeout_ms, struct kafka_message *m,
                        struct err *e);
/* A header of the message that was handed out last; NULL if it has none of that name. */
const void *kafka_consumer_header(const struct kafka_consumer *c, const char *name,
                                  size_t *len);
/* The message that was handed out last is safe: its offset may be committed, which
 * kafka_consumer_next() does soon. Without this call it comes again. */
void kafka_consumer_taken(struct kafka_consumer *c);
/* 0 when a broker answers. */
int kafka_consumer_ping(struct kafka_consumer *c, int timeout_ms,
                        struct err *e) MUST_CHECK;

#endif
