/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ask: what a request to /predict or /api/v1/forecasts asks for, read and checked. Pure.
 */
#ifndef FC_PREDICTOR_ASK_H
#define FC_PREDICTOR_ASK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/http_server.h"
#include "common/ml/model.h"
#include "common/reading.h"
#include "services/predictor/models.h"

#define ASK_HISTORY_MAX 2000
#define ASK_INSTANCES_MAX 1000
#define ASK_HORIZON_DEFAULT 24
#define ASK_NAME_MAX (SERIES_MAX + 1) /* room for an escaped dot */

enum ask_form { ASK_SERIES, ASK_HISTORY, ASK_FEATURES, ASK_INSTANCES };

struct ask {
    enum ask_form form;
    char name[ASK_NAME_MAX + 1]; /* as given; ask_canonical() */
    int version;                 /* 0: the champion */
    size_t horizon;
    double level;   /* 0: the model's own */
    int64_t end_ms; /* the hour of the last history value, or of lag_1; NO_TIME */
    const json_t
        *given;   /* the history, the features or the instances; borrowed of body */
    json_t *body; /* owned; NULL when it came as query */
};

/* ask_done() frees, also after a failure. */
int ask_from_body(struct ask *a, const struct req *q, struct err *e) MUST_CHECK;
int ask_from_query(struct ask *a, const struct req *q, struct err *e) MUST_CHECK;
/* Makes the name canonical, or refuses one that cannot be a series. */
int ask_canonical(struct ask *a, struct err *e) MUST_CHECK;
void ask_done(struct ask *a);

/* The history as numbers, null as NaN, into y[ASK_HISTORY_MAX]. */
int ask_history(const struct ask *a, double *y, size_t *n, struct err *e) MUST_CHECK;

/* One object of features, in the order in which v reads them: each must be there, none
 * else may. *missing is set when it is one of the former that failed. */
int ask_features(const json_t *o, const struct version *v, double *x, bool *missing,
                 struct err *e) MUST_CHECK;

#endif
