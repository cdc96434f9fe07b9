/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecasts: writes trajectories to InfluxDB.
 *
 * `forecasts` gets each new trajectory whole; `forecast_leads` gets five leads of it,
 * once per origin and series. What is still to write is a mark at the series and not a
 * queue: so nothing is lost while InfluxDB is away, and memory stays as it is. Origins
 * that passed unwritten meanwhile (at most a day) are made up for, from the hours up to
 * them and by a champion that was trained on no later ones. Used by one thread. */
#ifndef FC_PREDICTOR_FORECASTS_H
#define FC_PREDICTOR_FORECASTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "services/predictor/models.h"

struct forecasts {
    struct models *models; /* borrowed */
    struct influx *influx; /* borrowed */
    struct metric *points; /* counter of points written */
    size_t batch;          /* series per write */
};

void forecasts_init(struct forecasts *f, struct models *m, struct influx *in,
                    struct metrics *metrics);

/* Writes what is unwritten. 0: all is in InfluxDB; -1: not all, try again later. Lines
 * that InfluxDB refuses for good are logged and given up. hour_ms: the present origin. */
int forecasts_write(struct forecasts *f, int64_t hour_ms, struct err *e) MUST_CHECK;

/* The lines of one trajectory. leads: those of forecast_leads, else all for forecasts. */
void forecasts_lines(struct buf *b, const struct series *s, const struct version *v,
                     int64_t origin_ms, const double *yhat, const struct widths *w,
                     bool leads);

#endif
