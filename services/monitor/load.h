/* SPDX-License-Identifier: GPL-3.0-or-later */
/* load: from Postgres into the fleet: at the start, and what changes while it runs. */
#ifndef FC_MONITOR_LOAD_H
#define FC_MONITOR_LOAD_H

#include "services/monitor/monitor.h"

/* Forgets the fleet and reads all of it: series, what was remembered, alerts, progress.
 */
int load_all(struct monitor *m, struct err *e) MUST_CHECK;
/* Champions that are new since the last time; newest: max(model_seq) as the tick saw it.
 */
int load_champions(struct monitor *m, int64_t newest, struct err *e) MUST_CHECK;
/* What checks need from the documents of these series' champions, where it was not read
 * yet: the first round after a start reads all, so that being ready does not wait. */
int load_references(struct monitor *m, struct tracked *const *list, size_t n,
                    struct err *e) MUST_CHECK;
/* How the open jobs stand; counts those that ended. */
int load_jobs(struct monitor *m, struct err *e) MUST_CHECK;

/* Rules from settings (JSON text); what is wrong with them is logged, and the defaults
 * hold. */
void load_rules(const struct monitor *m, struct tracked *t, const char *settings);

/* The row of series_state, as registry_series_remember() takes it; new. */
json_t *remember_json(const struct tracked *t);
json_t *quality_json(const struct quality *q);
json_t *time_json(int64_t t_ms); /* RFC 3339; null for INT64_MIN */

#endif
