/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule: which hours of which device are due.
 *
 * Pure: no I/O, no clock. Hours are named by their start, in ms; spans are inclusive. An
 * hour is due when it has closed since the last look, and again when late data changed
 * something that its windows reach: the hour itself and the 24 that follow. */
#ifndef FC_MONITOR_SCHEDULE_H
#define FC_MONITOR_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#define NO_HOUR INT64_MIN
#define PIECE_HOURS 24 /* hours scored from one window of 48 */

struct span {
    int64_t from, to;
};

/* What is asked about one device. */
struct schedule_in {
    int64_t scored;    /* newest hour that was due before; NO_HOUR: none */
    int64_t rolled_up; /* newest hour that is complete now; NO_HOUR: none */
    int64_t born;   /* first hour that can have a forecast; NO_HOUR: there is no model */
    int64_t oldest; /* nothing before it is scored again */
    const struct span *late; /* hours written since the last look, any order */
    size_t n_late;
};

/* Fills out (room for n_late + 2) with what is due, sorted and merged; returns how many.
 * The newest hour is due whenever anything is: a device without a model still shows its
 * value. */
size_t schedule_due(const struct schedule_in *in, struct span *out);

/* Sorts and merges n spans in place; returns how many are left. */
size_t spans_merge(struct span *s, size_t n);

/* Cuts a span into pieces of at most PIECE_HOURS, newest first: the i-th (from 0) into
 * *piece. Returns 0 when there is no such piece. */
int schedule_piece(const struct span *s, size_t i, struct span *piece);

/* Is the hour in one of the spans? */
int spans_have(const struct span *s, size_t n, int64_t hour);

#endif
