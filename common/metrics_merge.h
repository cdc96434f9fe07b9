/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics_merge: one exposition (metrics.h) of several processes'. Pure; any thread. */
#ifndef FC_COMMON_METRICS_MERGE_H
#define FC_COMMON_METRICS_MERGE_H

#include "common/buf.h"

/* Merges family by family (each family's lines together, its HELP and TYPE once). texts:
 * n expositions; NULL entries are skipped. */
void metrics_merge(const char *const texts[], unsigned n, struct buf *out);

#endif
