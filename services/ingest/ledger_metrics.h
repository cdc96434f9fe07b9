/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger_metrics: the account per device in /metrics.
 *
 * A row (five samples) for each of the first devices, as many as a setting says; beyond
 * that Prometheus would have more series than it is good for, so all others are one row,
 * sensor="(others)", and what is of no device is sensor="(none)": no device can be called
 * so. The rows of one rendering are of one moment, and together they are the totals. */
#ifndef FC_INGEST_LEDGER_METRICS_H
#define FC_INGEST_LEDGER_METRICS_H

#include "common/metrics.h"
#include "services/ingest/ledger.h"

#define LEDGER_METRICS_MAX 1000

struct ledger_metrics {
    struct ledger *ledger; /* borrowed */
    size_t devices;        /* at most LEDGER_METRICS_MAX */
};

/* From now on each rendering of m has the account. *lm and m outlive each other's use: lm
 * stays where it is while m is rendered. 0 devices: there is nothing of it. */
void ledger_metrics_init(struct ledger_metrics *lm, struct ledger *l, size_t devices,
                         struct metrics *m);

/* "received", "stored", "duplicate", "rejected", "pending": as the states of a sample. */
#define LEDGER_STATES 5
const char *ledger_state(size_t i);
uint64_t ledger_state_of(const struct counts *c, size_t i);

#endif
