/* SPDX-License-Identifier: GPL-3.0-or-later */
/* misses: follows what the monitor says of the bands that were stored, so that they go on
 * holding (common/ml/adaptive.h).
 *
 * Once an hour, before the champions forecast, it reads from `evaluations` which truths
 * lay outside: of all hours but the one that has just closed, so that it does not matter
 * who is first, the monitor or the predictor. Nothing is kept in a file: after a start
 * the state of each series is read back from its newest row in `forecast_leads` and the
 * hours since in `evaluations`, and is what it was. Used by one thread. */
#ifndef FC_PREDICTOR_MISSES_H
#define FC_PREDICTOR_MISSES_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "services/predictor/models.h"

struct misses {
    struct models *models; /* borrowed */
    struct influx *influx; /* borrowed */
    int64_t done_ms;       /* the origin up to which all were followed; NO_TIME */
    int64_t seen_ms;       /* newest hour that was scored; NO_TIME: none */
    int64_t seeing_ms;     /* the same, of the reading under way */
};

void misses_init(struct misses *m, struct models *models, struct influx *in);

/* Takes over what is known before the forecasts of origin hour_ms. On failure the next
 * call reads the same again. */
int misses_follow(struct misses *m, int64_t hour_ms, struct err *e) MUST_CHECK;

/* Takes over answers of InfluxDB (unit tests call them): the newest state of each series
 * whose turn it is (series.adaptive_turn), none of an origin after hour_ms; and scores.
 */
void misses_take_states(struct misses *m, const json_t *answer, int64_t hour_ms);
void misses_take(struct misses *m, const json_t *answer);

#endif
