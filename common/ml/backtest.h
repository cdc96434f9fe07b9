/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest: forecasts made as if it were earlier, from rolling origins, and their errors.
 *
 * An origin is the index of the last hour known; lead k (from 1) is the hour origin + k.
 * At each origin nothing later is touched: candidates are fitted again on what was known
 * then. Pure; a struct backtest owns its arrays. */
#ifndef FC_ML_BACKTEST_H
#define FC_ML_BACKTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/candidates.h"
#include "common/ml/dataset.h"

/* Hours between the origins of a choice: neither a divisor of a day nor of a week, so
 * that every hour of the day is an origin in turn. */
#define BACKTEST_STEP 23
#define BACKTEST_MAX_ORIGINS 36
#define BACKTEST_MIN_ORIGINS 3
/* All are compared at the origins that they have in common: who has fewer than the others
 * takes part only with so many. */
#define BACKTEST_ENOUGH 12
/* Where nobody has more than so many, half of them will do. */
#define BACKTEST_FEW 5

struct plan {
    size_t first, step, n; /* origins first, first + step, .. (n of them) */
    size_t leads;          /* hours forecast from each */
};
/* The place of the i-th origin among the hours; what is first forecast is behind it. */
static inline size_t plan_origin(const struct plan *p, size_t i)
{
    return p->first + i * p->step;
}

struct backtest {
    struct plan plan;
    double *yhat; /* n × leads, row major; NaN where it could not forecast. owned */
    double *
        residual; /* truth - yhat, on the model's scale; NaN also where truth is. owned */
    double *loss; /* per origin: mean absolute error; NaN if none. owned */
    struct err why; /* the last refusal; code ERR_NONE if there was none */
};

/* The series to forecast. filled: short gaps bridged, what models read; y: as measured,
 * what they are scored against. Same grid; borrowed. */
struct truth {
    const struct hours *filled;
    const double *y;
};

/* Origins for choosing within the first n hours, latest at n - 1 - leads, at most
 * BACKTEST_MAX_ORIGINS, none before min_hours are known. plan.n may become 0. */
struct plan plan_choice(size_t n, size_t horizon, size_t min_hours);

/* Fits c at each origin, to at most the last `window` hours known then, and forecasts.
 * out is always filled; free with backtest_done().
 */
void backtest_candidate(const struct candidate *c, const struct truth *t, size_t window,
                        const struct plan *plan, struct backtest *out);

/* The same with one fitted model. */
void backtest_model(const struct model *m, const struct truth *t, const struct plan *plan,
                    struct backtest *out);
/* For forecasts that are made elsewhere: nothing yet, and those of the i-th origin
 * (plan.leads of them); the transform says on which scale residuals are. */
void backtest_begin(struct backtest *out, const struct plan *plan);
void backtest_put(struct backtest *b, const struct truth *t, enum transform transform,
                  size_t i, const double *yhat);

void backtest_done(struct backtest *b); /* a zeroed struct is fine */

/* Has every one of the n backtests that is used (same plan) a loss at origin i? */
bool backtest_common(const struct backtest *b, size_t n, const bool *used, size_t i);

/* Mean loss over those of the first `origins` that they have in common; used[i] is
 * cleared for those that could forecast at fewer than half of the origins of the best, or
 * at fewer than all of these and than `enough` (where these are more
 * than BACKTEST_FEW; 0: never).
 * mean[i] is NaN where not used. Returns the number of common origins. */
size_t backtest_compare(const struct backtest *b, size_t n, size_t origins, size_t enough,
                        bool *used, double *mean);

#endif
