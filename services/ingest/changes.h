/* SPDX-License-Identifier: GPL-3.0-or-later */
/* changes: which device-hours of `hourly` were written, in order, for those who read
 * them. Keeps the newest CHANGES_MAX; who is further behind is told so. Any thread. */
#ifndef FC_INGEST_CHANGES_H
#define FC_INGEST_CHANGES_H

#include <jansson.h>

#include "services/ingest/hours.h"

#define CHANGES_MAX 131072

struct changes;
struct changes *changes_new(uint64_t epoch); /* epoch: another number each start */
void changes_free(struct changes *c);

void changes_add(struct changes *c, const struct hour_range *r, size_t n);
/* All hours up to this one are written. */
void changes_rolled_up(struct changes *c, int64_t hour_ms); /* INT64_MIN: not known now */
int64_t changes_hour(struct changes *c);                    /* INT64_MIN: none yet */

/* See rollup_changes(). */
json_t *changes_since(struct changes *c, const char *after, struct err *e) MUST_CHECK;

#endif
