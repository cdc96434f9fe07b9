/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_influx: from the log to InfluxDB, with a thread, a cursor and a connection of its
 * own.
 *
 * It reads records, understands them, and writes points in batches: when `points` are
 * together, or the first has waited flush_ms, or someone asks for a flush (delivery.h).
 * While there is more in the log than one batch takes, the next is put together while
 * InfluxDB takes the last (courier.h); they arrive one by one. Points that InfluxDB
 * refuses become dead letters. The hours of what was written are marked and saved, and
 * only then the cursor moves on. */
#ifndef FC_INGEST_SINK_INFLUX_H
#define FC_INGEST_SINK_INFLUX_H

#include "common/influx.h"
#include "services/ingest/deadletter.h"
#include "services/ingest/hours.h"
#include "services/ingest/influx_state.h"
#include "services/ingest/understand.h"
#include "services/ingest/wal.h"

struct sink_influx;

struct sink_influx_opts { /* all borrowed but in */
    struct wal *wal;
    struct wal_reader *reader; /* at its cursor */
    struct interpreter how;
    struct hours *hours;
    int64_t grace_ms; /* of the hours: what is older when it comes is late */
    struct deadletter *letters;
    struct influx *in; /* taken over */
    size_t points;
    int64_t flush_ms;
    struct influx_state *state;
    struct metrics *metrics;
};

struct sink_influx *sink_influx_open(const struct sink_influx_opts *o,
                                     struct err *e) MUST_CHECK;
/* What is not written yet stays in the log. */
void sink_influx_close(struct sink_influx *s);

/* Everything before this position is in InfluxDB, its hours are marked. */
int64_t sink_influx_written(const struct sink_influx *s);
/* What is read is to be written now. */
void sink_influx_flush(struct sink_influx *s);

#endif
