/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series_work: what the files of series.h share: series.c (which way a file is read),
 * series_long.c and series_wide.c (its two forms), series_gather.c (values by the hour).
 * Nobody else includes it. */
#ifndef FC_TOOLS_SERIES_WORK_H
#define FC_TOOLS_SERIES_WORK_H

#include <sys/types.h>

#include "tools/csv.h"
#include "tools/series.h"

/* ---- series_gather.c ---- */

/* One series' values, averaged by the hour: 8 bytes an hour from the first to the last,
 * 4 more once an hour has a second value. Zeroed: empty. */
struct gather {
    int64_t first_s;
    size_t n, before, cap; /* hours; free ones before them; in all */
    double *sum;           /* cap, from `before` on; NaN: no value yet. owned */
    uint32_t *count;       /* the same, beside the first; NULL: none has more. owned */
    int64_t first_ms, last_ms; /* the oldest reading and the newest */
    int64_t least_ms, most_ms; /* from the beginning of its hour to a reading */
};

/* Whether the value may be added: 0, or -1 where the series would be longer than
 * HOURS_MAX or leave the years 1970 to 9999. */
int gather_fits(const struct gather *g, int64_t t_ms);
void gather_add(struct gather *g, int64_t t_ms, double value); /* if it fits */
/* What it holds, as hours (n is 0 if nothing), without a partial hour at either end
 * (series.h); empties it. */
void gather_take(struct gather *g, struct hours *h);
void gather_done(struct gather *g);

/* Names seen, by their hashes: 16 bytes each. Zeroed: empty. */
struct seen {
    uint64_t *slot; /* owned */
    size_t n, size;
};
/* Was it there already? Two names may share a hash, once in 10^7 files. */
bool seen_add(struct seen *s, const char *name);
void seen_done(struct seen *s);

/* ---- the reader ---- */

struct series {
    const struct input_file *f; /* borrowed */
    bool again;                 /* the file can be read again */
    off_t begin;                /* of standard input */
    bool together;              /* long form: the rows of each series stand together */
    size_t count;               /* of series; 0: not known */
    struct csv *c;              /* NULL: everything is in `all`. owned */
    size_t rows;                /* read so far */
    struct seen seen;           /* series */

    /* long form */
    size_t columns;                 /* of the header */
    int series, time, value;        /* which of them; series -1: none */
    char *own_name;                 /* of a file without that column. owned */
    char name[SERIES_NAME_MAX + 1]; /* whose rows are being read */
    bool begun;                     /* its first row is in `row` */
    struct {
        int64_t t_ms;
        double value;
    } row;

    /* kept */
    struct input_series *all; /* owned */
    size_t n_all, next;
    bool keep; /* hand out copies */
};

/* Each reads the file from its beginning to its end: sets count and together, or says
 * what is wrong; or keeps all in s->all. s->c is open. */
int long_check(struct series *s, struct err *e) MUST_CHECK;
int long_load(struct series *s, struct err *e) MUST_CHECK;
int wide_check(struct series *s, struct err *e) MUST_CHECK;

/* The header; then, where rows stand together, the next series. */
int long_begin(struct series *s, struct err *e) MUST_CHECK;
int long_next(struct series *s, struct input_series *out, struct err *e) MUST_CHECK;
int wide_next(struct series *s, struct input_series *out, struct err *e) MUST_CHECK;

#endif
