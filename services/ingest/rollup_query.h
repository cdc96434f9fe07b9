/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rollup_query: the question for many device-hours at once, and the lines of its answer.
 * Pure. */
#ifndef FC_INGEST_ROLLUP_QUERY_H
#define FC_INGEST_ROLLUP_QUERY_H

#include <jansson.h>

#include "common/buf.h"
#include "services/ingest/hours.h"

#define ROLLUP_HOURS 48    /* a query spans at most so much */
#define ROLLUP_CELLS 2400  /* device-hours in one query that InfluxDB aggregates */
#define ROLLUP_DEVICES 500 /* devices in one query */
#define ROLLUP_ROWS 5000   /* readings that one answer should bring, more or less */
#define ROLLUP_BYTES (512u << 10) /* of an answer with readings, at most */
#define ROLLUP_NAMES 16           /* quantities in one query */

/* Cuts ranges into pieces that lie in one block of ROLLUP_HOURS hours, and orders them so
 * that pieces of equal hours follow each other. Returns a new array of *n_out, owned by
 * the caller. */
struct hour_range *rollup_pieces(const struct hour_range *r, size_t n, size_t *n_out);

/* How many of the n pieces from p on go into one query: equal hours, and at most
 * `devices`. */
size_t rollup_chunk(const struct hour_range *p, size_t n, size_t devices);

/* Two ways to ask; both give the same numbers. */
enum rollup_way {
    ROLLUP_READINGS, /* of one hour: aggregating them costs InfluxDB ten times as much */
    ROLLUP_SUMS, /* of many hours, as after a backfill, or one with very many readings */
};

/* The way for pieces like p, unless their readings turn out to be too many. */
enum rollup_way rollup_way(const struct hour_range *p);

/* The InfluxQL for n pieces of equal hours and the n_names quantities. */
void rollup_query(struct buf *q, enum rollup_way way, const struct hour_range *p,
                  size_t n, const char *const *names, size_t n_names);

/* Hours whose readings may be deleted by now were made of more than what is left: how
 * many readings `hourly` holds for them. The question, and what is made of its answer
 * (new reference, for rollup_lines()). */
void rollup_kept_query(struct buf *q, const struct hour_range *p, size_t n,
                       const char *const *names, size_t n_names);
json_t *rollup_kept(const json_t *series);

/* Appends the `hourly` lines of an answer to a question of that way for pieces like p; of
 * a quantity's hour that kept (NULL: nothing) says to be of more readings, nothing. *rows
 * is how many rows it had. */
void rollup_lines(struct buf *b, enum rollup_way way, const struct hour_range *p,
                  const json_t *series, const json_t *kept, size_t *rows);

#endif
