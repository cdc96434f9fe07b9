/* SPDX-License-Identifier: GPL-3.0-or-later */
/* work: the list of devices that have something due, made from ingest's feed. */
#ifndef FC_MONITOR_WORK_H
#define FC_MONITOR_WORK_H

#include "services/monitor/monitor.h"
#include "services/monitor/schedule.h"

struct work {
    char device[DEVICE_MAX + 1];
    struct span *late; /* hours written since the last look; owned */
    size_t n_late;
    struct span *due; /* hours to score, merged; owned */
    size_t n_due;
    struct span again; /* late hours of before, to be scored once more; to < from: none */
    bool arriving;     /* some of late is older than what just closed */
};

/* By device. Free with work_free(). Asks InfluxDB for its devices when m->discover is
 * set. Returns -1 with *e. */
int work_list(struct monitor *m, const struct feed *feed, struct work **list, size_t *n,
              struct err *e) MUST_CHECK;
void work_free(struct work *list, size_t n);

/* Remembers devices nobody knows whose hours were written before ingest says that they
 * are complete: they are looked at when they are. */
void work_keep_ahead(struct monitor *m, const struct feed *feed);

/* Has the series late hours that are to be scored once more when no others follow? The
 * forecasts of such hours are made of them too, and come a moment after them. */
bool work_unscored(const struct tracked *t);

/* Did late hours come in for this series a moment ago? */
bool work_arriving(const struct monitor *m, const struct tracked *t);

#endif
