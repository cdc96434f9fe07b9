/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics: a process's counters, gauges and histograms in Prometheus text format 0.0.4.
 *
 * A metric is made once (metric_*()) and then updated from any thread without a lock;
 * rendering takes a lock only against new metrics. Names carry the prefix and the unit
 * ("fieldcast_ingest_spool_bytes"); counters end in _total. A name is one family: help
 * and kind of its first use hold. Every sample gets the label service="...". Labels are
 * given rendered: "reason=\"bad_json\"" (metrics_label() escapes a value). A family holds
 * at most METRICS_MAX_SAMPLES label sets; beyond that all share one sample whose label
 * values are "other". */
#ifndef FC_COMMON_METRICS_H
#define FC_COMMON_METRICS_H

#include <stdint.h>

#include "common/buf.h"

#define METRICS_MAX_SAMPLES 500

struct metrics;
struct metric; /* one sample (or one histogram); borrowed, lives as long as its metrics */

struct metrics *metrics_new(const char *service);
void metrics_free(struct metrics *m);

/* Find or make. labels NULL or "" for none. Never NULL. */
struct metric *metric_counter(struct metrics *m, const char *name, const char *help,
                              const char *labels);
struct metric *metric_gauge(struct metrics *m, const char *name, const char *help,
                            const char *labels);
/* bounds: n ascending upper bounds, borrowed for ever (static); +Inf is added. */
struct metric *metric_histogram(struct metrics *m, const char *name, const char *help,
                                const char *labels, const double *bounds, unsigned n);

/* Takes a sample out, for label values that have ended (a version); nobody may use s any
 * more. The sample that stands for "other" label sets stays. */
void metric_drop(struct metrics *m, struct metric *s);

void metric_add(struct metric *s, double x);     /* counter (x >= 0) or gauge */
void metric_set(struct metric *s, double x);     /* gauge; or a counter kept elsewhere */
void metric_observe(struct metric *s, double x); /* histogram */
double metric_value(const struct metric *s);     /* histogram: the count */

/* Runs before each rendering, to bring gauges up to date. At most 16; must not block. */
void metrics_on_render(struct metrics *m, void (*fn)(void *arg), void *arg);

/* fn appends families of its own to each rendering, whole, with HELP and TYPE, behind all
 * others: for many samples that are kept elsewhere. At most 4; must not block. */
void metrics_on_text(struct metrics *m,
                     void (*fn)(void *arg, const char *service, struct buf *out),
                     void *arg);

/* Appends key="value" (escaped) to b, with a comma before it if b is not empty. */
void metrics_label(struct buf *b, const char *key, const char *value);

/* The whole exposition. Content type: METRICS_CONTENT_TYPE. */
void metrics_render(struct metrics *m, struct buf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Bounds in seconds that suit requests: 0.5 ms .. 5 s. */
extern const double metrics_seconds[];
extern const unsigned metrics_seconds_n;

#endif
