/* SPDX-License-Identifier: GPL-3.0-or-later */
/* answer: forecasts as JSON, written straight into the response. Pure. */
#ifndef FC_PREDICTOR_ANSWER_H
#define FC_PREDICTOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/ml/model.h"
#include "services/predictor/models.h"

struct answer {
    const char *name;
    const struct version *by; /* who forecast */
    int64_t origin_ms;        /* NO_TIME: not known, then the times are null */
    double level;
    const struct forecast *f;
    size_t n;
    bool rows; /* each of f is one step from a row of its own; else leads 1..n */
    struct buf warnings; /* answer_warn() */
};

void answer_init(struct answer *a);
void answer_done(struct answer *a);
void answer_warn(struct answer *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The body of /predict, and that of /api/v1/forecasts. */
void answer_predict(const struct answer *a, struct buf *out);
void answer_forecasts(const struct answer *a, const char *unit, struct buf *out);

#endif
