/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_live: tells the predictor what was just measured; best effort.
 *
 * Readings wait in a queue of fixed size; a thread sends them as POST /api/v1/live to one
 * of several addresses, chosen by the device. What does not fit, or is not taken, is
 * dropped and counted: the predictor reads InfluxDB anyway. Readings older than
 * LIVE_AGE_MS are not live and not sent. */
#ifndef FC_INGEST_SINK_LIVE_H
#define FC_INGEST_SINK_LIVE_H

#include "common/metrics.h"
#include "common/reading.h"
#include "common/service.h"

#define LIVE_AGE_MS (INT64_C(2) * 3600000)

struct sink_live;

/* urls: comma-separated addresses ("http://127.0.0.1:8103"); "" gives NULL without an
 * error. token: what services show each other. dep: the predictor; borrowed. */
int sink_live_open(struct sink_live **s, const char *urls, const char *token,
                   struct dep *dep, struct metrics *m, struct err *e) MUST_CHECK;
void sink_live_close(struct sink_live *s); /* NULL is fine */

/* Copies what it needs; never blocks. Any thread. */
void sink_live_push(struct sink_live *s, const struct reading *r, int64_t t_ms,
                    int64_t now_ms);

#endif
