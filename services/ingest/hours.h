/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hours: which hours of which devices have new readings and are to be rolled up.
 *
 * The sink marks what it wrote and saves the marks before its cursor passes the readings,
 * so that a crash forgets none; the roll-up takes ranges out, and settles them when
 * `hourly` is written. An hour is a number: hours since 1970. A device has at most
 * HOURS_RANGES ranges; beyond that the two nearest become one, which only means work done
 * again. Any thread. */
#ifndef FC_INGEST_HOURS_H
#define FC_INGEST_HOURS_H

#include "services/ingest/ledger.h"

#define HOURS_RANGES 64
#define HOURS_NAMES                                                                      \
    63 /* quantities that are known by a bit; HOURS_OTHER stands for the rest */
#define HOURS_OTHER (UINT64_C(1) << 63)

struct hours;

struct hour_range {
    struct device *device;
    int32_t from, to;    /* first and last hour */
    uint64_t quantities; /* bits of what the device has been seen to measure */
};

static inline int32_t hour_of(int64_t t_ms)
{
    return (int32_t)((t_ms - (t_ms % 3600000 + 3600000) % 3600000) / 3600000);
}

/* Is a reading of t_ms that came at received_ms late? It is when it was older than the
 * hours' grace: only then can its hour have been closed without it. */
static inline bool hours_late(int64_t t_ms, int64_t received_ms, int64_t grace_ms)
{
    return received_ms - t_ms > grace_ms;
}

/* path: file of the marks. What ranges found there hold is not known: HOURS_OTHER. Lines
 * that are no marks of a known device between the hours first and last are left out and
 * said; the file is kept as <path>.bad then. */
struct hours *hours_open(const char *path, struct ledger *l, int32_t first, int32_t last,
                         struct err *e) MUST_CHECK;
void hours_close(struct hours *h);

uint64_t hours_quantities(struct hours *h, const struct reading *r);
/* The name of bit i, or NULL. */
const char *hours_name(struct hours *h, int i);

void hours_mark(struct hours *h, struct device *d, int32_t hour, uint64_t quantities);
/* Appends to the file what was marked since; 0 when there was nothing. */
int hours_save(struct hours *h, struct err *e) MUST_CHECK;

/* Is an hour up to `last` marked? */
bool hours_any(struct hours *h, int32_t last);
/* Marked device-hours in all. */
uint64_t hours_count(struct hours *h);
/* Takes all up to `last` out: *n of them, owned by the caller, by device, ascending. */
struct hour_range *hours_take(struct hours *h, int32_t last, size_t *n);
/* Marks n ranges again: they could not be done. */
void hours_give_back(struct hours *h, const struct hour_range *r, size_t n);
/* Writes the file anew, without what was taken. */
int hours_settle(struct hours *h, struct err *e) MUST_CHECK;

#endif
