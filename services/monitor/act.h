/* SPDX-License-Identifier: GPL-3.0-or-later */
/* act: everything the loop does to the world. One thread at a time. */
#ifndef FC_MONITOR_ACT_H
#define FC_MONITOR_ACT_H

#include <jansson.h>

#include "common/buf.h"
#include "services/monitor/monitor.h"

/* What one round wants done for some series, all of it or nothing. */
struct actions {
    json_t *remember;  /* rows for registry_series_remember() */
    json_t *states;    /* {"name","state"} */
    json_t *decisions; /* rows for registry_decide_all() */
    json_t *firing; /* alerts that begin: the notification's fields and "started" (ms) */
    json_t *resolved; /* ids of alerts that end */
};
void actions_init(struct actions *a);
void actions_done(struct actions *a);

/* In one transaction of our own turn. */
int act_commit(struct monitor *m, const struct actions *a, struct err *e) MUST_CHECK;

/* Writes line protocol; a batch that InfluxDB refuses for its contents is an error too.
 */
int act_evaluations(struct monitor *m, const struct buf *lines, struct err *e) MUST_CHECK;

/* Puts the notifications of a->firing into the outbox. */
void act_notify(struct monitor *m, const struct actions *a);

/* Creates series rows for names ("device.quantity" texts, borrowed) and tracks them. */
int act_create(struct monitor *m, const char *const *names, size_t n,
               struct err *e) MUST_CHECK;

/* Tells trainer about every ask that it has not been told of. Returns how many it took.
 */
int64_t act_ask(struct monitor *m);

/* Saves how far the loop is. */
int act_progress(struct monitor *m, struct err *e) MUST_CHECK;

#endif
