/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay: the subcommand that publishes a table of measurements. */
#ifndef FC_TOOLS_REPLAY_H
#define FC_TOOLS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/publish.h"
#include "tools/replay_columns.h"
#include "tools/shape.h"

struct replay_opts {
    struct publish_opts to;
    struct replay_layout layout; /* preset and options together */
    const struct shape *shape;
    const char *file, *preset, *prefix, *speed_text, *from_text, *to_text, *clock_file;
    double speed; /* 0: as fast as it goes */
    int64_t from_ms, to_ms, boot, count;
    bool shift_to_now, help;
};

/* Reads and checks the command line; nothing is opened. */
int replay_options(int argc, char **argv, struct replay_opts *o,
                   struct err *e) MUST_CHECK;

/* The subcommand. Returns the exit code: 0, 1 (failed), 2 (wrong command line). */
int replay_main(int argc, char **argv);

#endif
