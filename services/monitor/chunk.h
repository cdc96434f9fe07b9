/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chunk: some devices on their way through a round: their series, the windows read for
 * them, and the scores of the hours that are due. */
#ifndef FC_MONITOR_CHUNK_H
#define FC_MONITOR_CHUNK_H

#include "services/monitor/facts.h"
#include "services/monitor/judge.h"
#include "services/monitor/monitor.h"
#include "services/monitor/names.h"
#include "services/monitor/work.h"

struct chunk {
    struct monitor *m;
    const struct work *work; /* of each device; borrowed */
    size_t n_work;
    struct devices devices;
    int64_t hour;       /* the newest complete hour */
    struct cell *cells; /* by name; owned */
    size_t n_cells, last;
    int64_t from;         /* first hour of the windows */
    int64_t piece_from;   /* and of the piece under way */
    struct names unknown; /* seen, and no series yet */
    bool any_champion;
};

/* Makes a cell of each series; first, series of devices that nobody knows. */
int chunk_open(struct chunk *c, struct err *e) MUST_CHECK;
void chunk_done(struct chunk *c);

/* Reads the 48 hours that end with the piece, and writes the evaluations of its hours
 * that are due. The windows stay in the cells. */
int chunk_score(struct chunk *c, const struct span *piece, struct report *r,
                struct err *e) MUST_CHECK;

/* The work of the series' device. */
const struct work *chunk_work(const struct chunk *c, const struct tracked *t);

#endif
