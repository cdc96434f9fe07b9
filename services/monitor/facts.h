/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts: what monitor reads from InfluxDB: `hourly` and `forecast_leads`, in pieces of at
 * most 48 hours and for many devices in one query. One thread at a time. */
#ifndef FC_MONITOR_FACTS_H
#define FC_MONITOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"

#define FACTS_DEVICES 100 /* most devices of one query */

/* Devices of one query: n (at most FACTS_DEVICES) sorted names; n 0: all there are. */
struct devices {
    const char *const *names;
    size_t n;
};

/* Quantities that `hourly` holds, by whatever device: what the queries ask for, at most
 * FACTS_FIELDS at once. */
#define FACTS_FIELDS 500
struct fields {
    char **names; /* owned */
    size_t n;
};
int facts_fields(struct influx *in, struct fields *f, struct err *e) MUST_CHECK;
void fields_done(struct fields *f); /* a zeroed struct is fine */

/* Calls each() for each value of [from_ms, from_ms + 48 h). quantity is borrowed. */
int facts_hourly(struct influx *in, const struct fields *f, const struct devices *d,
                 int64_t from_ms,
                 void (*each)(void *arg, const char *device, const char *quantity,
                              int64_t t_ms, double value),
                 void *arg, struct err *e) MUST_CHECK;

/* A stored forecast of the model that was champion then. */
struct stored {
    double yhat, lower, upper;
    int version;
};
/* Those for the hours of [from_ms, to_ms), at most 48: at all leads that are stored, or
 * at lead 1 alone. */
int facts_stored(struct influx *in, const struct devices *d, bool lead1, int64_t from_ms,
                 int64_t to_ms,
                 void (*each)(void *arg, const char *device, const char *quantity,
                              int lead, int64_t t_ms, const struct stored *f),
                 void *arg, struct err *e) MUST_CHECK;

/* Counts hours with a value in [from_ms, to_ms], newest piece first; each() is called per
 * piece of 48 h, which begins at piece_ms. */
int facts_count(struct influx *in, const struct fields *f, const struct devices *d,
                int64_t from_ms, int64_t to_ms,
                void (*each)(void *arg, const char *device, const char *quantity,
                             int64_t piece_ms, int count),
                void *arg, struct err *e) MUST_CHECK;

/* The devices that `hourly` knows: calls each() with their names, by name. */
int facts_devices(struct influx *in, void (*each)(void *arg, const char *device),
                  void *arg, struct err *e) MUST_CHECK;

/* Evaluations of one series in [from_ms, to_ms): new array of {"time","n",...}, by time.
 */
json_t *facts_evaluations(struct influx *in, const char *device, const char *quantity,
                          int64_t from_ms, int64_t to_ms, struct err *e) MUST_CHECK;

#endif
