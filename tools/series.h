/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series: the series of a CSV file, one after the other, in bounded memory.
 *
 * A regular file is read twice: first all of it is checked, so that an error in its last
 * line is told before anything is printed, and then one series at a time is kept. Where
 * the rows of a long file's series do not stand together (by time, say), all of its hours
 * are kept, 8 bytes each. A pipe is read once: a wide one a row at a time; of a long one
 * all hours are kept, unless `grouped` says that rows stand together. A wide file that
 * has a name twice is refused. Each error names file, line and column. One thread at a
 * time.
 *
 * Values of a long file are averaged by the hour. Where an hour has several (the median
 * of those that have any; d: an hour over it) the first hour and the last count only if
 * readings reach their ends: the first is at most 1.5 d after the hour's beginning, the
 * last at most 1.5 d before its end. Several at the same time of the hour (within d / 2,
 * in the whole series) are one reading of an hour. Hours between are as they are. */
#ifndef FC_TOOLS_SERIES_H
#define FC_TOOLS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/dataset.h"

#define SERIES_FILE_MAX 1000000    /* in a file */
#define SERIES_KEPT_MAX (1u << 29) /* hours kept at a time: 4 GiB */
#define SERIES_NAME_MAX 129        /* bytes */

/* The file that a subcommand reads its series from, and the rows of its table of options
 * (options.h): S is the struct with the options, M its struct input_file. */
struct input_file {
    const char *path, *start, *freq, *tz; /* NULL: as the options say */
    bool wide, grouped;
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
     "time between values; only 1h is known"},                                           \
    {"tz", "ZONE", OPT_TEXT, offsetof(S, M.tz), 0, 0,                                    \
     "time zone, like Europe/Vienna: the hours and days that models go by (UTC)"},       \
    {"grouped", NULL, OPT_FLAG, offsetof(S, M.grouped), 0, 0,                            \
     "the rows of each series stand together: from a pipe, too, only one series is "     \
     "kept in memory (in a file this is seen by itself)"}
/* clang-format on */

/* When the options are read: the operand is another way to name the file; freq must be
 * 1h; start is for wide files alone, grouped for others. Sets the local time of the
 * process to tz. */
int input_file_check(struct input_file *f, const char *operand, struct err *e) MUST_CHECK;

/* Refuses to write over what is read: path is what the option names, NULL is fine. */
int input_file_spare(const struct input_file *f, const char *option, const char *path,
                     struct err *e) MUST_CHECK;

/* "rooms.csv", "standard input": for messages. */
const char *input_file_name(const struct input_file *f);

struct input_series {
    char *name;     /* owned */
    char *bytes;    /* owned; NULL, but where a subcommand puts the name as it is in the
                     * file here, and another text of it there */
    struct hours h; /* owned; n is 0 where there was no value */
    struct zone *zone; /* h.zone, with two days after the last hour. owned; NULL: UTC */
};
void input_series_done(struct input_series *s);

struct series;

/* Opens and, if it is a regular file, checks it. again: series_rewind() will be asked
 * for; what can be read only once is then kept whole. f is borrowed. */
struct series *series_open(const struct input_file *f, bool again,
                           struct err *e) MUST_CHECK;
void series_close(struct series *s); /* NULL is fine */

/* How many there are; 0: not known beforehand (a pipe). */
size_t series_count(const struct series *s);

/* The next one, in the order of the file: 1, 0 at the end, -1 with e. */
int series_next(struct series *s, struct input_series *out, struct err *e) MUST_CHECK;
/* From the first one again; only where `again` was given. */
int series_rewind(struct series *s, struct err *e) MUST_CHECK;

#endif
