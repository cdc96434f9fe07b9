/* SPDX-License-Identifier: GPL-3.0-or-later */
/* counts: the trainer's own metrics. Any thread. */
#ifndef FC_TRAINER_COUNTS_H
#define FC_TRAINER_COUNTS_H

#include <jansson.h>
#include <stddef.h>

#include "common/metrics.h"

/* A training ended: result is promoted, kept, refused, failed or cancelled. */
void counts_run(struct metrics *m, const char *series, const char *result);

/* One that was stored, which also counts as ended: rows it read, its metrics (mae is
 * shown), how long it took. */
void counts_stored(struct metrics *m, const char *series, const char *outcome,
                   size_t rows, const json_t *metrics, double seconds);

/* Jobs that wait in the queue, of all trainers. */
void counts_queue(struct metrics *m, double jobs);

#endif
