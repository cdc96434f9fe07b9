/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hourly: from the measurement `hourly` into the histories of series. */
#ifndef FC_PREDICTOR_HOURLY_H
#define FC_PREDICTOR_HOURLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "services/predictor/models.h"

/* Reads the hours from..to (both included) of n series, in chunks, and puts them into
 * their histories (series without one are left out); marks as stale whose history that
 * changed. Takes the lock of m between the queries. ERR_* as influx_query(). */
int hourly_read(struct influx *in, struct models *m, struct series *const *list, size_t n,
                int64_t from_ms, int64_t to_ms, struct err *e) MUST_CHECK;

/* Makes sure that each of n series has a history as long as its champion reads, and fills
 * those that were not read yet, up to the hour to_ms. */
int hourly_load(struct influx *in, struct models *m, struct series *const *list, size_t n,
                int64_t to_ms, struct err *e) MUST_CHECK;

/* Hours kept for a model: what it reads, what bridges gaps, and a day of past origins. */
size_t hourly_kept(const struct model *m);

#endif
