/* SPDX-License-Identifier: GPL-3.0-or-later */
/* window: the hours that trainings read, from `hourly` in InfluxDB.
 *
 * Several series are read together: a query per 48 hours of all of them costs about as
 * much as one of a single series. */
#ifndef FC_TRAINER_WINDOW_H
#define FC_TRAINER_WINDOW_H

#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "common/ml/dataset.h"

#define WINDOW_SERIES_MAX 64

/* The hours from_s..to_s (starts, inclusive) of n series, at most WINDOW_SERIES_MAX;
 * missing ones are NaN. names: valid series names. out: n of them, filled on success
 * only; hours_done() each. */
int window_read(struct influx *in, const char *const names[], int n, int64_t from_s,
                int64_t to_s, struct hours *out, struct err *e) MUST_CHECK;

#endif
