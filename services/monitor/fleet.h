/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fleet: all series that monitor watches, in memory, sorted by name (so that the series
 * of one device lie together).
 *
 * The loop's thread alone changes it, under the view lock; it may read without. Handlers
 * read under the lock. */
#ifndef FC_MONITOR_FLEET_H
#define FC_MONITOR_FLEET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/reading.h"
#include "services/monitor/checks.h"
#include "services/monitor/diagnose.h"
#include "services/monitor/rules.h"

enum alert_type { ALERT_SILENT, ALERT_STUCK, ALERT_SKILL, N_ALERTS };

struct gauges; /* the series' metrics; gauges.h */

struct tracked {
    char *name;           /* "kitchen.temperature"; owned */
    const char *quantity; /* points into name */
    size_t device_len;
    char *unit;     /* NULL: none. owned */
    char *settings; /* series.settings, a JSON object; owned */
    struct rules rules;
    bool disabled, quarantined; /* series.state */

    struct champion *champion; /* never NULL; version 0 until there is one. owned */
    char algorithm[40];
    int64_t
        born_ms; /* first hour that its models can have forecast; INT64_MIN: no model */

    int64_t first_hour, last_hour; /* hours with a value; INT64_MIN: none */
    double last_value;
    bool live; /* an hour closed with a value; else only its past is known, come late */
    int hours; /* with a value within 8 weeks, at the last count */
    int maybe; /* at most so many have come since */

    bool has_quality;
    struct quality quality;
    struct verdicts verdicts;
    struct diagnosis diagnosis;
    int64_t judged_hour; /* newest hour that verdicts and diagnosis are about */

    struct loop_state loop;
    int64_t job; /* the open job's id; 0: not known (yet) */
    bool unsent; /* asked, but trainer has not been told */
    enum reason asked_for;

    int64_t late_from,
        late_to;        /* late hours to score once more; late_to < late_from: none */
    int64_t late_at_ms; /* when late hours last came, monotonic; 0: never */
    bool waiting;       /* a training, or an alarm, waits for late hours to stop coming */
    char *alert_id[N_ALERTS]; /* NULL: not firing. owned */
    int64_t alert_since[N_ALERTS];
    struct gauges *gauges; /* NULL: beyond the number that have metrics */
};

struct fleet {
    pthread_mutex_t view;
    struct tracked **all; /* sorted; owned */
    size_t n, cap;
    size_t in_order; /* the first so many; the others were added since */
};

void fleet_init(struct fleet *f);
void fleet_clear(struct fleet *f); /* forgets all series */
void fleet_done(struct fleet *f);
void fleet_swap(struct fleet *a, struct fleet *b); /* their series, not their locks */

/* NULL if there is none. */
struct tracked *fleet_find(const struct fleet *f, const char *name);
/* First index whose name is after `after`. */
size_t fleet_after(const struct fleet *f, const char *after);
/* The series of a device: from *first on, so many. */
size_t fleet_device(const struct fleet *f, const char *device, size_t *first);

/* Adds one (name is copied; it must not be there yet) and returns it. Appends: after
 * adding, call fleet_sort() before looking anything up. */
struct tracked *fleet_add(struct fleet *f, const char *name);
void fleet_sort(struct fleet *f);

void fleet_lock(const struct fleet *f);
void fleet_unlock(const struct fleet *f);

/* The device's name. */
const char *tracked_device(const struct tracked *t, char out[DEVICE_MAX + 1]);
/* "active", "quarantined" or "disabled". */
const char *tracked_state(const struct tracked *t);
int tracked_alerts(const struct tracked *t);

#endif
