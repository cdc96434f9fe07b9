/* SPDX-License-Identifier: GPL-3.0-or-later */
/* influx_state: whether InfluxDB does what ingest needs it for, and which InfluxDB it is.
 *
 * Ingest's job is to write readings and to make hours of them: while either fails, the
 * neighbour is down in /readyz. Any thread may call. */
#ifndef FC_INGEST_INFLUX_STATE_H
#define FC_INGEST_INFLUX_STATE_H

#include "common/influx.h"
#include "common/service.h"

enum influx_part {
    INFLUX_WRITES, /* of readings */
    INFLUX_LOOKS,  /* that it answers a query: asked while nothing is written */
    INFLUX_HOURS,  /* the queries and writes that make the hours */
    INFLUX_PARTS
};

struct influx_state;

/* dep, m: borrowed. */
struct influx_state *influx_state_new(struct dep *dep, struct metrics *m);
void influx_state_free(struct influx_state *s);

void influx_state_works(struct influx_state *s, enum influx_part part);
/* config: somebody has to mend a setting (an alarm of its own). */
void influx_state_fails(struct influx_state *s, enum influx_part part, bool config,
                        const char *why);
bool influx_state_up(const struct influx_state *s);

/* Logs another version than before, and shows it in /metrics. */
void influx_state_server(struct influx_state *s, const struct influx_server *server);

#endif
