/* SPDX-License-Identifier: GPL-3.0-or-later */
/* beside: the hours of a batch of trainings, each with the series that stand beside it
 * (common/ml/others.h): those that its settings name, and what helps to predict it of the
 * other quantities of its device or, where there are few series, of all. */
#ifndef FC_TRAINER_BESIDE_H
#define FC_TRAINER_BESIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "common/ml/dataset.h"
#include "common/ml/others_choose.h"
#include "common/pg.h"
#include "common/reading.h"
#include "services/trainer/window.h"

/* Who could stand beside whom, as indices into the names. */
struct beside_pairs {
    int n, cap;                   /* names; the first n_batch are those of the batch */
    char (*name)[SERIES_MAX + 1]; /* owned */
    int n_batch;
    struct {
        size_t n;
        int other[OTHERS_CONSIDERED_MAX];
        bool asked[OTHERS_CONSIDERED_MAX];
    } of[WINDOW_SERIES_MAX];
};

/* The hours of one series. */
struct beside {
    struct hours h;       /* h.beside is &others, or NULL. The values are not owned */
    struct others others; /* the chosen ones */
    json_t
        *told; /* what others_choose() says of them; NULL where there are none. owned */
};

struct beside_batch {
    struct beside_pairs pairs;
    struct beside of[WINDOW_SERIES_MAX]; /* in the order of the names */
    struct hours *read;                  /* of all series that were read; owned */
    int n_read;
};

/* First: who could stand beside these n series, at most WINDOW_SERIES_MAX, each another.
 * Errors as pg_exec(). b is made whatever happens, and must not be moved. */
int beside_ask(struct pg *pg, const char *const names[], int n, struct beside_batch *b,
               struct err *e) MUST_CHECK;
/* Then the hours from_s..to_s (starts, inclusive) of all of them, and which are read.
 * Errors as window_read(). */
int beside_read(struct influx *in, int64_t from_s, int64_t to_s, struct beside_batch *b,
                struct err *e) MUST_CHECK;
void beside_done(struct beside_batch *b);

#endif
