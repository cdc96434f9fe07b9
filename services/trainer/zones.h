/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zones: the clocks of the sites that series are at, from the catalogue's `tz` and the
 * table of zones that Postgres has. Kept for a month, as a train-all asks for one zone
 * thousands of times. One thread at a time. */
#ifndef FC_TRAINER_ZONES_H
#define FC_TRAINER_ZONES_H

#include <stdint.h>

#include "common/err.h"
#include "common/ml/zone.h"
#include "common/pg.h"

#define ZONES_KEPT 16

struct zones {
    int n;
    struct {
        int64_t from_s, to_s; /* hours that it was asked for */
        struct zone zone;
    } of[ZONES_KEPT];
};

/* The zones of n series, at most WINDOW_SERIES_MAX, over from_s..to_s and two years more;
 * NULL: UTC, or one that Postgres does not know (which is logged). They are borrowed
 * until the next call. Errors as pg_exec(). */
int zones_of(struct zones *z, struct pg *pg, const char *const names[], int n,
             int64_t from_s, int64_t to_s, const struct zone *out[],
             struct err *e) MUST_CHECK;

#endif
