/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rollup: makes `hourly` of `readings`, on a thread of its own.
 *
 * When an hour is complete (its end and the grace have passed by the clock), all that was
 * received before is in InfluxDB, and no message came for QUIET_MS, every marked
 * device-hour up to it is asked for in InfluxDB and written to `hourly`. Hours that get
 * late readings are done again, in rounds some seconds apart while a backfill runs. When
 * the clock was ahead and is put right, hours are closed from the newest complete one on.
 * Also deletes what is older than the retention, once a day of the clock. */
#ifndef FC_INGEST_ROLLUP_H
#define FC_INGEST_ROLLUP_H

#include "common/influx.h"
#include "common/service.h"
#include "services/ingest/hours.h"
#include "services/ingest/intake.h"
#include "services/ingest/sink_influx.h"

struct rollup;

struct rollup_opts { /* all borrowed but in */
    struct wal *wal;
    struct intake *intake;
    struct sink_influx *sink;
    struct hours *hours;
    struct influx *in; /* taken over */
    struct influx_state *state;
    struct metrics *metrics;
    int64_t tick_ms, grace_ms;
    int64_t retain_readings_d, retain_leads_d; /* 0: for ever */
};

struct rollup *rollup_open(const struct rollup_opts *o, struct err *e) MUST_CHECK;
void rollup_close(struct rollup *r);

/* What readers of `hourly` follow: device-hours written since `after` ("epoch:N"; NULL or
 * another epoch: reset). New reference:
 * {"epoch","cursor","reset","rolled_up","items":[{"device","from_ms","to_ms"}]} */
json_t *rollup_changes(struct rollup *r, const char *after, struct err *e) MUST_CHECK;

/* The newest complete hour that is rolled up (its start), or INT64_MIN. */
int64_t rollup_hour(struct rollup *r);

#endif
