/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnose_work: what the files of `fieldcast diagnose` share: diagnose.c (the command),
 * diagnose_series.c (each series), diagnose_pairs.c (each two), diagnose_ties.c (which
 * say the same), diagnose_relations.c (what is told of these), diagnose_text.c (how it
 * looks for people), diagnose_csv.c (as rows), plot_diagnose.c (as a chart). Nobody else
 * includes it. */
#ifndef FC_TOOLS_DIAGNOSE_WORK_H
#define FC_TOOLS_DIAGNOSE_WORK_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/ml/features.h"
#include "common/ml/ties.h"
#include "tools/output.h"
#include "tools/plot_forecast.h"
#include "tools/progress.h"
#include "tools/series.h"

#define DIAGNOSE_BYTES (1u << 20) /* of one series' answer, or of one pair's */
#define DIAGNOSE_ALL_PAIRS 10     /* series of which each two are compared unasked */

struct diagnose_opts {
    struct input_file file;
    const char *output, *lags_text, *with, *plot; /* NULL: none */
    bool help, json, csv;
    int64_t threads;
    int lags[FEATURES_MAX];
    size_t n_lags;
};

/* The end of a series and what its regression says of each hour, from those before. */
struct fit {
    char *name; /* owned */
    int64_t end_s;
    size_t n; /* hours */
    double y[PLOT_PAST_MAX], yhat[PLOT_PAST_MAX];
    double r2, se; /* of the regression: share explained, standard error of its errors */
};

struct fits {
    struct fit *s[PLOT_PANELS]; /* owned */
    size_t n;
};

struct diagnose {
    const struct diagnose_opts *o;
    struct fits fits; /* for --plot */
    struct series *in;
    size_t n, told; /* series taken; whose answer was printed */
    size_t values;
    atomic_bool any;          /* a regression, pair, tie or that a series is constant */
    struct input_series with; /* which --with names. owned */
    size_t with_at;           /* its place in the file */
    struct input_series few[TIES_MAX]; /* all, while there are no more than
                                        * are compared. owned */
    struct progress progress;
    struct output output;
};

/* For parallel_items(), arg is a struct diagnose. The next series of the file, trimmed,
 * its name in UTF-8, and in bytes as it is in the file (for CSV). */
int diagnose_take(void *arg, void **item, struct err *e) MUST_CHECK;
void diagnose_drop(void *item);
/* What can be said of a series, in b. That it has no value, is constant or too short is
 * an answer as well. */
int diagnose_series(void *arg, void *item, struct buf *b, struct err *e) MUST_CHECK;

/* In the order in which they are told. */
enum found {
    FOUND_PREDICTS,
    FOUND_TOGETHER,
    FOUND_DOUBTFUL, /* one of these two by itself, but of so many pairs some are so by
                       chance */
    FOUND_NOTHING,
    FOUND_UNKNOWN,
    N_FOUND
};

struct diagnose_pair {
    size_t target, other; /* places in the file */
    enum found found;
    double strength; /* gain where it predicts, else the size of the correlation */
    char *text;      /* the sentence, or the JSON object. owned */
};

struct diagnose_pairs {
    struct diagnose *d;
    struct diagnose_pair *pair; /* NULL: there are too many to compare unasked. owned */
    size_t n, taken;
};

/* The regression of s on its past (diagnostics_lags.h) and the hours that it was made of,
 * in which short gaps are bridged as a training does it. NULL with *e when there can be
 * none. hours_done(filled) in any case; it must be zeroed before. */
json_t *diagnose_regression(const struct diagnose_opts *o, const struct input_series *s,
                            struct hours *filled, struct err *e);

/* Compares each two series, or --with's and each other one, and prints it. */
int diagnose_pairs(struct diagnose *d, struct err *e) MUST_CHECK;

/* How many series of a file are kept, to be compared with each other. */
size_t diagnose_few(const struct diagnose_opts *o);

/* Which of the series kept say the same: of ties.h, new; NULL where there are too many.
 */
json_t *diagnose_ties(const struct diagnose *d);

/* One of them as a sentence, behind head. */
void text_tie(struct buf *b, const char *head, const json_t *tie);

/* Prints what was found, which is sorted: the strongest first. */
void diagnose_relations(const struct diagnose_pairs *all);

/* Shows progress where the work is long: `done` of what progress_init() was told. */
void diagnose_progress(struct diagnose *d, size_t done);

/* ---- CSV: diagnose_csv.c ---- */

/* A row for each number in v, with its path there; sentences are left out, and so is what
 * is not known. */
void csv_figures(struct buf *b, const char *series, const char *other, const json_t *v);

/* ---- a chart: plot_diagnose.c ---- */

/* Keeps s for its panel, if there is room and a regression of it. */
void fits_add(struct diagnose *d, const struct input_series *s);
void fits_done(struct fits *f);
/* Writes the file of --plot; says so where there is nothing to draw. */
int fits_write(const struct diagnose *d, struct err *e) MUST_CHECK;

/* ---- text ---- */

/* A text behind `head`, wrapped at 90 columns with the later lines below its beginning;
 * nothing of it steers a terminal. */
void text_wrap(struct buf *b, const char *head, const char *text);

/* A regression (diagnostics_report.h): coefficients, tests, sentences. */
void text_regression(struct buf *b, const json_t *report);

#endif
