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

/* The file that a subcommand reads its series from, and the rows of its table of options
 * (options.h): S is the struct with the options, M its struct input_file. */
struct input_file {
    const char *path, *start, *freq; /* NULL: as the options say */
    bool wide;
    int64_t start_s;
};
/* clang-format off */
#define INPUT_OPTION(S, M)                                                               \
    {"input", "FILE", OPT_TEXT, offsetof(S, M.path), 0, 0,                               \
     "the CSV file (may be gzip'ed; - is standard input, which is the default)"}
#define INPUT_FORM_OPTIONS(S, M)                                                         \
    {"wide", NULL, OPT_FLAG, offsetof(S, M.wide), 0, 0,                                  \
     "a series per row: its name, then its hours; empty cells at the end"},              \
    {"start", "TIME", OPT_TEXT, offsetof(S, M.start), 0, 0,                              \
     "the first hour of a wide file (1970-01-01T00:00:00Z)"},                            \
    {"freq", "STEP", OPT_TEXT, offsetof(S, M.freq), 0, 0,                                \
     "time between values; only 1h is known"}
/* clang-format on */

/* When the options are read: the operand is another way to name the file; freq must be
 * 1h; start is for wide files alone. */
int input_file_check(struct input_file *f, const char *operand, struct err *e) MUST_CHECK;

struct input_series {
    char *name;     /* owned */
    struct hours h; /* owned; n is 0 where there was no value */
};

struct input {
    struct input_series *s; /* owned, in the order of the file */
    size_t n;
};

/* What the file holds, in its form. */
int input_read(const struct input_file *f, struct input *in, struct err *e) MUST_CHECK;

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
