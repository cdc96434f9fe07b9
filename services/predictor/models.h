/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models: the champions in memory, and what each of them forecasts now.
 *
 * One struct series per name, made once and kept until models_free(). What it serves is
 * an immutable struct serving behind one atomic word; writers replace it whole. A reader
 * takes a reference without a lock: it never waits for a writer and never sees freed
 * memory.
 *
 *   series -> serving (trajectory) -> version (parsed model), the last two counted
 *
 * models_find(), series_serving() and the *_put() calls: any thread. All else needs
 * models_lock(), which is held for computing only, never for I/O. */
#ifndef FC_PREDICTOR_MODELS_H
#define FC_PREDICTOR_MODELS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/ml/adaptive.h"
#include "common/ml/model.h"
#include "services/predictor/history.h"

#define NO_TIME INT64_MIN

/* A version of a model, parsed. Read-only but for its count. */
struct version {
    atomic_int refs;
    int number;
    size_t hours;        /* that it was trained on and that had a value */
    struct model *model; /* owned; without the parts that serving does not need */
    char **names; /* of its features, in the order of model->features; one block. owned */
};

/* Parses a document of the given series. Refuses one that was made for another. */
struct version *version_parse(const char *series, int number, const char *doc, size_t len,
                              struct err *e) MUST_CHECK;
/* The same around a model that is there already (stolen). */
struct version *version_new(int number, struct model *m);
struct version *version_ref(struct version *v);
void version_put(struct version *v); /* NULL is fine */

/* How wide bands are that follow their misses; see widths.h. */
struct widths {
    double of[HORIZON_MAX];       /* per lead, as a multiple of the model's own */
    double state[ADAPTIVE_LEADS]; /* what is stored to go on from; NaN: not known */
};

/* What a forecast read in place of what is not there: worth a warning. */
struct stand_ins {
    unsigned gaps;       /* hours that came from other days */
    unsigned others;     /* other series, of which the mean stood in */
    double newest, read; /* the newest hour, and what was read: the same, mostly */
};

/* What answers for a series at present. Read-only but for its count. */
struct serving {
    atomic_llong refs;
    struct version *version; /* the champion; never NULL. owned reference */
    struct version *by;      /* who made the trajectory; NULL: there is none yet */
    int64_t origin_ms;       /* of the trajectory; NO_TIME: none */
    uint64_t made;           /* which of the series' trajectories it is, counted from 1 */
    struct stand_ins stand_ins; /* in what it read */
    char *note; /* why by is not version, or there is no trajectory; NULL. owned */
    double yhat[HORIZON_MAX];
    struct widths widths; /* of its bands */
};

struct series {
    struct series *_Atomic next; /* in its bucket */
    struct series *all_next;     /* in the order they came, newest first */
    char *name, *device;         /* owned */
    const char *quantity;        /* inside name */
    _Atomic uint64_t serving;    /* pointer and count: series_serving() */

    /* under models_lock() */
    struct history *history;        /* NULL until first needed. owned */
    bool loaded;                    /* history was read from InfluxDB */
    bool stale;                     /* its trajectory has to be made again */
    uint64_t made;                  /* trajectories so far */
    int64_t tried_ms;               /* origin of the last attempt; NO_TIME: none */
    bool unwritten;                 /* its trajectory is not in InfluxDB yet */
    bool leads_known;               /* the next is what InfluxDB says */
    int64_t leads_origin_ms;        /* newest origin in forecast_leads; NO_TIME: none */
    struct adaptive adaptive;       /* of the misses of adaptive_of; see widths.h */
    int adaptive_of;                /* version number; 0: none yet */
    bool adaptive_known;            /* what InfluxDB says of it was read */
    bool adaptive_turn;             /* it is being read */
    int64_t rescored_ms, reread_ms; /* hours from here on to be read again; NO_TIME */
    uint64_t reading;               /* the one that told of its champion; see watch.h */
    struct metric *trained;         /* gauges; NULL until a champion is there */
    struct metric *info;

    struct metric *_Atomic answered; /* counter; NULL until the first champion */
    atomic_llong live_ms;            /* the last live reading; see live.h */
    _Atomic double live_value;
};

struct models;

/* series_max: how many names are kept at most. */
struct models *models_new(size_t series_max);
void models_free(struct models *m); /* no reader may be left; NULL is fine */

void models_lock(struct models *m);
void models_unlock(struct models *m);

/* By the canonical name; NULL if it is not known. */
struct series *models_find(const struct models *m, const char *name);
/* Finds or makes it. NULL with ERR_BUSY when series_max are there, ERR_INVALID for a bad
 * name. Takes the lock itself. */
struct series *models_add(struct models *m, const char *name, struct err *e) MUST_CHECK;
/* The first of all; go on by all_next. New ones may come meanwhile, in front. */
struct series *models_all(const struct models *m);
size_t models_count(const struct models *m);

/* A reference to what it serves, or NULL. Give it back with serving_put(). */
struct serving *series_serving(struct series *s);
void serving_put(struct serving *v);

/* A serving without a trajectory. version: stolen. */
struct serving *serving_new(struct version *version);
/* Puts it in (stolen; NULL: nothing serves any more). Under models_lock(). */
void series_serve(struct series *s, struct serving *v);

#endif
