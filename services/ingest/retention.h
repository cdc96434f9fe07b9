/* SPDX-License-Identifier: GPL-3.0-or-later */
/* retention: deletes what is older than it is to be kept, by the clock and not by
 * InfluxDB's own time, once for each day of the clock. */
#ifndef FC_INGEST_RETENTION_H
#define FC_INGEST_RETENTION_H

#include "common/influx.h"

struct retention {
    int64_t readings_d; /* readings, inference, forecasts; 0: for ever */
    int64_t leads_d;    /* forecast_leads, evaluations, device_status; 0: for ever */
    int64_t done_day;   /* INT64_MIN: not yet */
};

/* Deletes if the day of now_ms is another than last time. What fails is said, and tried
 * again on the next call. */
void retention_run(struct retention *r, struct influx *in, int64_t now_ms);

#endif
