/* SPDX-License-Identifier: GPL-3.0-or-later */
/* process_metrics: what any process counts of itself: build, start, CPU, memory, files,
 * threads, lines logged. For service.c. */
#ifndef FC_COMMON_PROCESS_METRICS_H
#define FC_COMMON_PROCESS_METRICS_H

#include <stdint.h>

#include "common/metrics.h"

/* Brought up to date with each rendering of m. */
void process_metrics_add(struct metrics *m, int64_t started_ms);

#endif
