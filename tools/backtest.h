/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest: the subcommand that measures forecasts on a file, without any server. */
#ifndef FC_TOOLS_BACKTEST_H
#define FC_TOOLS_BACKTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/candidates.h"
#include "tools/series.h"

enum backtest_format { BACKTEST_TABLE, BACKTEST_CSV, BACKTEST_JSON };

struct backtest_opts {
    struct input_file file;
    const char *output, *evaluate, *preset;
    const char *rows, *plot; /* files, rows may be "-"; NULL: none */
    bool json, leads, all, help;
    enum backtest_format format;
    int64_t horizon, origins, step, holdout, threads; /* holdout 0: rolling origins */
    double level;
    const struct candidate *beside; /* what --preset makes, but for system0; NULL: none */
};

/* Reads and checks the command line; nothing is opened. */
int backtest_options(int argc, char **argv, struct backtest_opts *o,
                     struct err *e) MUST_CHECK;

/* The subcommand. Returns the exit code: 0, 1 (failed), 2 (wrong command line). */
int backtest_main(int argc, char **argv);

/* What it does with the preset "system0" (backtest_system0.c) and without
 * (backtest_candidates.c). */
int backtest_system0(const struct backtest_opts *o, struct err *e) MUST_CHECK;
int backtest_candidates(const struct backtest_opts *o, struct err *e) MUST_CHECK;

#endif
