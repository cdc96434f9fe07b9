/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delivery: a batch's way into InfluxDB, whichever it is.
 *
 * One write for the whole batch is the rule. An answer that is none, or says "busy", or
 * asks for a setting to be mended, means the same again after a pause, for ever. "Too
 * large" means smaller writes from then on. Bad lines are refused as far as the answer
 * names them, and the rest is written again (the same points again change nothing); where
 * it names none, the halves are written. One thread. */
#ifndef FC_INGEST_DELIVERY_H
#define FC_INGEST_DELIVERY_H

#include "common/influx.h"
#include "services/ingest/batch.h"
#include "services/ingest/influx_state.h"
#include "services/ingest/nap.h"

struct delivery;

/* All borrowed. nap: ends every pause when it is stopped. */
struct delivery *delivery_new(struct influx *in, struct nap *nap, struct influx_state *s,
                              struct metrics *m);
void delivery_free(struct delivery *d);

/* Writes until every point is POINT_STORED or POINT_REFUSED: 0. -1 when stopped before;
 * what was written by then may be written again. */
int delivery_write(struct delivery *d, struct batch *b);

/* With nothing to write: asks once a second whether InfluxDB would do its part. */
void delivery_look(struct delivery *d);

#endif
