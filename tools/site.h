/* SPDX-License-Identifier: GPL-3.0-or-later */
/* site: the clocks of the place that a file's series are from, by the system's table of
 * time zones. */
#ifndef FC_TOOLS_SITE_H
#define FC_TOOLS_SITE_H

#include <stdint.h>

#include "common/err.h"
#include "common/ml/zone.h"

/* Makes local time of this process that of the zone. Before other threads begin.
 * ERR_INVALID: there is no such zone in /usr/share/zoneinfo. */
int site_set(const char *name, struct err *e) MUST_CHECK;

/* What that zone's clocks say from from_s to to_s; of more than ZONE_SPANS_MAX offsets
 * the last. Any thread, after site_set(). */
void site_zone(const char *name, int64_t from_s, int64_t to_s, struct zone *z);

#endif
