/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live: readings as they come, from ingest: the last value of each series, and what the
 * forecast of its hour was off by, which goes to the measurement `inference`.
 *
 * Any thread may take readings: they are kept in memory, bounded, and written by the one
 * thread that calls live_flush(). */
#ifndef FC_PREDICTOR_LIVE_H
#define FC_PREDICTOR_LIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "services/predictor/models.h"

struct live;

struct live *live_new(struct models *m, struct metrics *metrics);
void live_free(struct live *l); /* NULL is fine */

/* Takes {"readings":[{"device","time_ms","values":{…}},…]}: all of it or, with *e,
 * nothing: ERR_INVALID names the first bad one, ERR_BUSY when what is still to write
 * fills the buffer. */
int live_take(struct live *l, const json_t *body, struct err *e) MUST_CHECK;

/* The last reading of a series; false if there was none since the start. */
bool live_last(struct live *l, const struct series *s, int64_t *time_ms, double *value);

/* Writes what has gathered. -1: InfluxDB is away, it is kept. */
int live_flush(struct live *l, struct influx *in, struct err *e) MUST_CHECK;

#endif
