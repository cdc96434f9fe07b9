/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quality: finds misreads, so that they are stored but kept out of the hours.
 *
 * A value is a misread when it jumps further from the median of its recent good values
 * than its quantity can (quantity.max_step) within QUALITY_GAP_MS, and does not stay
 * there: when QUALITY_SUSTAIN values in a row agree on the new level, it is the new level
 * and what was held against them is taken back. Readings known as ghosts of a DHT22 are
 * misreads at once. Readings that come late or after a longer pause are not judged. One
 * thread at a time. */
#ifndef FC_INGEST_QUALITY_H
#define FC_INGEST_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/reading.h"

#define QUALITY_GAP_MS 120000
#define QUALITY_SUSTAIN 3
#define QUALITY_RECENT 5
#define QUALITY_TRACKS 8 /* quantities of one device that are watched */

struct quality; /* what is known about one device; NULL until it has a watched quantity */
void quality_free(struct quality *q);

/* Judges a reading at its time: true = good. restore gets the times of earlier misreads
 * of the device that turned out good (their number in *n). *q is made when needed. */
bool quality_judge(struct quality **q, const struct reading *r, int64_t t_ms,
                   int64_t restore[QUALITY_SUSTAIN], int *n);

#endif
