/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unknown: why a series has no champion, in words for the one who asked. Worker threads
 * only: it asks Postgres and InfluxDB. */
#ifndef FC_PREDICTOR_UNKNOWN_H
#define FC_PREDICTOR_UNKNOWN_H

#include "common/err.h"
#include "services/predictor/predictor.h"

/* name is canonical. Fills *e: ERR_CONFLICT "no_model_yet" with how many
 * complete hours are there, ERR_NOT_FOUND naming close series, or ERR_UNAVAILABLE. */
void unknown_model(struct predictor *p, const char *name, struct err *e);

/* 0 when the series is in the catalogue or serves; else -1, as above. */
int unknown_series(struct predictor *p, const char *name, struct err *e) MUST_CHECK;

/* How unlike two names are: single-character changes, at most 255. */
unsigned unknown_distance(const char *a, const char *b);

/* An InfluxDB client for one request; influx_free(). */
struct influx *unknown_influx(const struct predictor *p);

#endif
