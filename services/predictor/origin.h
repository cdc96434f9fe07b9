/* SPDX-License-Identifier: GPL-3.0-or-later */
/* origin: from histories to trajectories: what each champion forecasts at the last
 * complete hour, or at the newest hour of the series where that is older. */
#ifndef FC_PREDICTOR_ORIGIN_H
#define FC_PREDICTOR_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "services/predictor/models.h"

/* Makes the trajectory of s at the newest hour <= hour_ms anew if its champion, its
 * history or that hour has changed. When it cannot be made the one before stays, with a
 * note that says why. Under models_lock(). */
void origin_refresh(struct models *m, struct series *s, int64_t hour_ms);

/* Loads the histories of n series that lack them (up to load_to_ms) and refreshes all n
 * at hour_ms. On failure what was loaded is refreshed nevertheless. */
int origin_bring_up(struct models *m, struct influx *in, struct series *const *list,
                    size_t n, int64_t hour_ms, int64_t load_to_ms,
                    struct err *e) MUST_CHECK;

/* Of a forecast of m after past, that could be made. */
struct stand_ins stand_ins_of(const struct model *m, const struct hours *past);

/* The trajectory of v at another origin, from the history of s and those of the other
 * series that v reads, into out[HORIZON_MAX]. stand_ins may be NULL. -1 when that hour
 * has no value, or the model cannot. Under models_lock(). */
int origin_forecast(const struct models *m, const struct series *s,
                    const struct version *v, int64_t origin_ms, struct forecast *out,
                    struct stand_ins *stand_ins, struct err *e);

#endif
