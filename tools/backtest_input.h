/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_input: the minutes of a CSV file. Every error names file, line and column. */
#ifndef FC_TOOLS_BACKTEST_INPUT_H
#define FC_TOOLS_BACKTEST_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Minutes in columns beside one called time. */
struct minutes {
    size_t n, columns;
    int64_t *t_s; /* n. owned */
    double **y;   /* columns × n. owned */
    char **name;  /* columns; UTF-8, whatever the file has (plain_utf8()). owned */
};

int input_minutes(const char *path, struct minutes *m, struct err *e) MUST_CHECK;
void minutes_done(struct minutes *m);

#endif
