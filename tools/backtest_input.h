/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_input: series of hours, or of minutes, from a CSV file. Every error names
 * file, line and column. */
#ifndef FC_TOOLS_BACKTEST_INPUT_H
#define FC_TOOLS_BACKTEST_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/dataset.h"

#define INPUT_SERIES_MAX 100000
#define INPUT_ROWS_MAX 20000000

/* What the subcommands that read such files have in common of their options: freq must be
 * 1h; start (or NULL) is for wide files alone. Sets *start_s. */
int input_options(const char *freq, bool wide, const char *start, int64_t *start_s,
                  struct err *e) MUST_CHECK;

struct input_series {
    char *name;     /* owned */
    struct hours h; /* owned; n is 0 where there was no value */
};

struct input {
    struct input_series *s; /* owned, in the order of the file */
    size_t n;
};

/* Header with time or timestamp, value, and perhaps series; the file's name stands in for
 * that. Values are averaged by the hour [H, H+1) they fall in. */
int input_long(const char *path, struct input *in, struct err *e) MUST_CHECK;

/* A series per row, hourly from start_s; the first row is a header if its second cell is
 * no number. */
int input_wide(const char *path, int64_t start_s, struct input *in,
               struct err *e) MUST_CHECK;
void input_done(struct input *in); /* a zeroed struct is fine */

/* Minutes in columns beside one called time. */
struct minutes {
    size_t n, columns;
    int64_t *t_s; /* n. owned */
    double **y;   /* columns × n. owned */
    char **name;  /* columns. owned */
};

int input_minutes(const char *path, struct minutes *m, struct err *e) MUST_CHECK;
void minutes_done(struct minutes *m);

#endif
