/* SPDX-License-Identifier: GPL-3.0-or-later */
/* round: the work of a tick: all devices that have something due, some at a time: facts
 * -> checks -> diagnose -> act. */
#ifndef FC_MONITOR_ROUND_H
#define FC_MONITOR_ROUND_H

#include "services/monitor/monitor.h"

/* feed: what ingest has just said; borrowed. Does what is due and moves m->scored,
 * m->cursor. Whatever fails is due again at the next tick. */
int round_run(struct monitor *m, const struct feed *feed, struct report *r,
              struct err *e) MUST_CHECK;

#endif
