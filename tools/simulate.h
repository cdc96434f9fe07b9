/* SPDX-License-Identifier: GPL-3.0-or-later */
/* simulate: the subcommand that publishes a house of simulated sensors. */
#ifndef FC_TOOLS_SIMULATE_H
#define FC_TOOLS_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/options.h"
#include "tools/publish.h"
#include "tools/shape.h"

#define SIMULATE_DEVICES_MAX 100000

struct simulate_opts {
    struct publish_opts to;
    const struct shape *shape;
    const char *shape_name, *prefix, *start;
    int64_t devices, every_ms, backfill_ms, count, seed, boot;
    double rate; /* messages a second; 0 = as fast as they are acknowledged */
    bool live, help;
    struct option_list faults;
};

/* Reads and checks the command line; nothing is opened. */
int simulate_options(int argc, char **argv, struct simulate_opts *o,
                     struct err *e) MUST_CHECK;

/* The samples of a run lie on a grid: all devices take turns, evenly spread over `every`.
 * Sample k belongs to device k mod devices; its time depends on k alone. */
int64_t simulate_time(const struct simulate_opts *o, int64_t k);
/* The first sample at or after a time. */
int64_t simulate_first(const struct simulate_opts *o, int64_t t_ms);

/* The subcommand. Returns the exit code: 0, 1 (failed), 2 (wrong command line). */
int simulate_main(int argc, char **argv);

#endif
