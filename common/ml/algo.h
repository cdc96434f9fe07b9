/* SPDX-License-Identifier: GPL-3.0-or-later */
/* algo: what every algorithm is. One file each, ending in one const struct; one line in
 * the table of algos.c. Baselines are algorithms like the others. Pure. */
#ifndef FC_ML_ALGO_H
#define FC_ML_ALGO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/dataset.h"

struct model; /* common/ml/model.h */

#define HORIZON_MAX 48 /* hours */
#define FORECAST_MANY 4

/* A parameter of an algorithm: checks input, fills GET /api/v1/algorithms. */
struct algo_param {
    const char *name;
    double dflt, min, max;
    const char *sentence;
};

/* Fitting that goes on as hours come: what is known of the hours so far is kept, so that
 * a backtest, which fits again at each origin, sees each hour once. Gives what fit()
 * gives on the same hours. */
struct learning {
    void *(*begin)(const struct model *m); /* m: unfitted; free with end() */
    /* h: those taken in before unchanged, and later ones. */
    void (*take)(void *learnt, const struct hours *h);
    int (*fit)(const void *learnt, struct model *m, struct err *e);
    void (*end)(void *learnt);
};

struct algo {
    const char *name;     /* "ridge" */
    const char *sentence; /* what it is, for people */
    int complexity;       /* ties in a backtest go to the smaller one */
    bool baseline;        /* what the gate asks everybody to beat, and says nothing new */
    bool reads_lags;      /* works on m->features; the baselines do not */
    bool reads_others;    /* and on the series beside (others.h) */
    bool scales;          /* keeps the mean and spread of its columns in the document */
    const struct algo_param *params;
    size_t n_params;

    /* How many hours of history fitting takes at least. */
    size_t (*min_hours)(const struct model *m);
    /* How many of the latest hours a forecast reads. */
    size_t (*history)(const struct model *m);
    /* Fits m->state (and m->scaling) to h, whose gaps were already treated. Refuses
     * NaN-only, constant-with-no-rank and too short input with a clear text.
     * Deterministic. Does not touch m->training but for rows, where it counts the rows
     * that took part. */
    int (*fit)(struct model *m, const struct hours *h, struct err *e);
    const struct learning *learning; /* NULL: nothing is saved by going on */
    /* The horizon (1..HORIZON_MAX) hours after the last of past into out; NaN allowed
     * where the algorithm does not read. Returns -1 when a needed hour is missing. Always
     * finite. */
    int (*forecast)(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e);
    /* The same of FORECAST_MANY models of this algorithm that read the same features,
     * each on its own past, in less time and to the last bit. False, where it cannot be
     * done like that: then they go one by one. NULL: never. */
    bool (*forecast_many)(const struct model *const *m, const struct hours *past,
                          size_t horizon, double (*out)[HORIZON_MAX]);
    /* The hour t_s, by a row of transformed features; NULL where there are none. */
    double (*step)(const struct model *m, const double *row, int64_t t_s);
    /* The "state" object of the document, and back. */
    json_t *(*save)(const struct model *m);
    int (*load)(struct model *m, const json_t *state, struct err *e);
};

extern const struct algo *const algos[];        /* NULL at the end */
const struct algo *algo_find(const char *name); /* NULL if unknown */

/* fit() of those that have learning. */
int algo_learn(struct model *m, const struct hours *h, struct err *e) MUST_CHECK;

#endif
