/* SPDX-License-Identifier: GPL-3.0-or-later */
/* widths: how wide the bands of a series are, from what is known of its misses
 * (common/ml/adaptive.h; misses.h reads them). All but the last under models_lock(). */
#ifndef FC_PREDICTOR_WIDTHS_H
#define FC_PREDICTOR_WIDTHS_H

#include <stdint.h>

#include "services/predictor/models.h"

void widths_none(struct widths *w); /* the model's own; any thread */

/* s begins anew with the bands of v, at the origin hour_ms. */
void widths_begin(struct series *s, const struct version *v, int64_t hour_ms);

/* How wide the bands of v (who forecasts for s) are at an origin that s has reached. A
 * version that has made none yet begins with its own, and so it stays while what
 * InfluxDB says of s has not been read. */
void widths_now(struct series *s, const struct version *v, int64_t origin_ms,
                struct widths *out);

/* The same at an origin that passed before the one that s has reached; widths only. */
void widths_past(const struct series *s, const struct version *v, int64_t origin_ms,
                 struct widths *out);

/* The hours from from_ms on of s may be scored again: they are read once more with the
 * next two origins. */
void widths_reread(struct series *s, int64_t from_ms);

/* The clock was ahead: nothing is known. */
void widths_forget(struct series *s);

/* Sets the gauges of live coverage, over all series and per lead. Takes the lock. */
void widths_show(struct models *models, struct metrics *metrics);

#endif
