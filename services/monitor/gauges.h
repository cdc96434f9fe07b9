/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gauges: the loop's figures in /metrics. Label sets are bounded: only the first
 * GAUGES_SERIES series that are scored have some of their own. */
#ifndef FC_MONITOR_GAUGES_H
#define FC_MONITOR_GAUGES_H

#include "services/monitor/act.h"

#define GAUGES_SERIES 100

/* Makes those that exist from the start, at 0. */
void gauges_open(struct monitor *m);
/* Shows a series' newest quality and verdicts. */
void gauges_show(struct monitor *m, struct tracked *t);
/* Counts the retrainings in the decisions. */
void gauges_count(struct monitor *m, const struct actions *a);
/* After a tick that took so long. */
void gauges_tick(struct monitor *m, double seconds);

#endif
