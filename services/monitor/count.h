/* SPDX-License-Identifier: GPL-3.0-or-later */
/* count: how many hours of history series have, and series that nobody knew. */
#ifndef FC_MONITOR_COUNT_H
#define FC_MONITOR_COUNT_H

#include "services/monitor/facts.h"
#include "services/monitor/monitor.h"

/* Hours with a value of one series in a span of time. */
struct count {
    char name[SERIES_MAX + 1];
    int hours;
    int64_t first; /* no value is older (start of a piece of 48 h) */
};
struct counts {
    struct count *all; /* by name; owned, free() */
    size_t n, cap;
};

/* Counts the devices' series over the 8 weeks up to `hour`, but not before from_ms. */
int count_history(struct monitor *m, const struct devices *d, int64_t from_ms,
                  int64_t hour, struct counts *out, struct err *e) MUST_CHECK;
const struct count *count_find(const struct counts *c, const char *name); /* NULL: none */

#endif
