/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_delivery: messages on their way to Kafka, and what became of them.
 *
 * Messages are put in the order of the log, those of a record between
 * kafka_delivery_record() and kafka_delivery_record_done(). Everything before
 * kafka_delivery_delivered() is in Kafka. When a delivery fails, all that is not
 * confirmed is forgotten, and kafka_delivery_listen() says that it is to be put again, in
 * its order. When brokers refuse a batch for good, the same is put again with one message
 * a batch: only the one that is refused is counted and stepped over.
 *
 * It says of the brokers whether they are there (struct dep), and waits a little longer
 * each time when they are not. One thread. */
#ifndef FC_INGEST_KAFKA_DELIVERY_H
#define FC_INGEST_KAFKA_DELIVERY_H

#include "common/kafka.h"
#include "common/service.h"
#include "services/ingest/nap.h"

struct kafka_delivery;

struct kafka_delivery_opts { /* all borrowed */
    const struct kafka_settings *set;
    const char *topic;
    int timeout_ms;  /* after which a message is put again */
    struct dep *dep; /* Kafka */
    struct nap *nap; /* a stop ends all waiting */
    struct metrics *metrics;
};

/* pos: of the first record that will be put. The brokers need not be there. */
struct kafka_delivery *kafka_delivery_new(const struct kafka_delivery_opts *o,
                                          int64_t pos, struct err *e) MUST_CHECK;
void kafka_delivery_free(struct kafka_delivery *d); /* NULL is fine */

/* Do brokers answer? If not, it has waited before it says so. To be asked before the
 * first record, and after each time that all is to be put again. */
bool kafka_delivery_ready(struct kafka_delivery *d);

/* May a record be begun? False: first what was put one by one is to be confirmed. */
bool kafka_delivery_takes(const struct kafka_delivery *d);
/* The record at pos, which ends at end. Until it is done it is not counted as put. */
void kafka_delivery_record(struct kafka_delivery *d, int64_t pos, int64_t end);
void kafka_delivery_record_done(struct kafka_delivery *d);

/* A message of the record (copied). Waits for room. 0: put, or refused for good and
 * counted; -1: something failed, or there was a stop: the record is to be read again. */
int kafka_delivery_put(struct kafka_delivery *d, const struct kafka_record *r) MUST_CHECK;
/* One that is not even tried. why: for the log. */
void kafka_delivery_refuse(struct kafka_delivery *d, const char *why);

/* Hears what became of messages; waits a moment for that unless there is more to put.
 * True: all is to be put again from kafka_delivery_delivered() on. */
bool kafka_delivery_listen(struct kafka_delivery *d, bool more);
/* Asks whether brokers are there when nothing was heard for a while: of what is on its
 * way, or because there was nothing to put. */
void kafka_delivery_watch(struct kafka_delivery *d);
/* Forgets all that is on its way; the next record is the one at pos. */
void kafka_delivery_begin(struct kafka_delivery *d, int64_t pos);
/* Waits up to wait_ms for what is on its way, if brokers are there. */
void kafka_delivery_finish(struct kafka_delivery *d, int64_t wait_ms);

/* The position of the first record that is not wholly in Kafka. */
int64_t kafka_delivery_delivered(const struct kafka_delivery *d);
/* Nothing is on its way. */
bool kafka_delivery_idle(const struct kafka_delivery *d);

#endif
