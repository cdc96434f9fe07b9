/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retention: deletes what is older than it is to be kept, by the clock and not by
 * InfluxDB's own time, once for each day of the clock. */
#ifndef FC_INGEST_RETENTION_H
#define FC_INGEST_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/influx.h"

struct retention {
    int64_t readings_d; /* readings, inference, forecasts; 0: for ever */
    int64_t leads_d;    /* forecast_leads, evaluations, device_status; 0: for ever */
    int64_t done_day;   /* INT64_MIN: not yet */
    int64_t wall_ms, mono_ms; /* when we started, by both clocks */
    int64_t seen_ms;          /* when the newest message came that is known; 0: none */
    bool said;                /* that the clock is not believed */
    bool said_3;              /* that InfluxDB 3 does not delete */
};

/* seen_ms: when the newest message before this start came; 0: not known. */
void retention_init(struct retention *r, int64_t readings_d, int64_t leads_d,
                    int64_t seen_ms);

/* A real clock that runs away (a battery, a time server) must not cost what was measured:
 * nothing is deleted in the first hour after the start, which is left to the time
 * service, nor once the clock is a day ahead of the time that has passed, nor when we
 * started RETENTION_UNSEEN_MS after the newest message: a machine without a clock may
 * boot in any year. -1: not believed, 0: not yet, 1: believed. */
#define RETENTION_UNSEEN_MS (INT64_C(30) * 24 * 3600000)
int retention_believes(const struct retention *r, int64_t now_ms, int64_t mono_ms);

/* Deletes if the day of now_ms is another than last time. What fails is said, and tried
 * again on the next call. */
void retention_run(struct retention *r, struct influx *in, int64_t now_ms);

#endif
