/* SPDX-License-Identifier: GPL-3.0-or-later */
/* queue: the threads that train.
 *
 * Each has its own connections, takes some jobs at a time from Postgres, reads the hours
 * of all of them together and trains one after the other. They sleep until queue_wake().
 * The leases of all jobs held are kept up by queue_beat(), which also brings progress to
 * the registry and cancellations to the threads. */
#ifndef FC_TRAINER_QUEUE_H
#define FC_TRAINER_QUEUE_H

#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"
#include "common/service.h"
#include "services/trainer/settings.h"

struct queue;

/* Everything is borrowed and outlives the queue. */
struct queue_opts {
    const struct trainer_settings *set;
    struct metrics *metrics;
    struct dep *pg,
        *influx; /* told when they turn out to be away; nothing is taken then */
};

struct queue *queue_open(const struct queue_opts *o, struct err *e) MUST_CHECK;
/* Stops trainings under way and gives their jobs back. NULL is fine. */
void queue_close(struct queue *q);

/* There may be work. Any thread. */
void queue_wake(struct queue *q);

/* Renews the leases, with a connection of the caller's. */
int queue_beat(struct queue *q, struct pg *pg, struct err *e) MUST_CHECK;

#endif
