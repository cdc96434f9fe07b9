/* SPDX-License-Identifier: GPL-3.0-or-later */
/* choice: which candidate forecasts a stretch of a series best, by backtest. Pure. */
#ifndef FC_ML_CHOICE_H
#define FC_ML_CHOICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/ml/backtest.h"

/* A candidate must be better than a simpler one by more than this share to be preferred.
 */
#define CHOICE_TIE 0.005

struct choice {
    const struct candidate *list; /* borrowed */
    size_t n;
    struct plan plan;
    struct backtest bt[CANDIDATES_MAX]; /* owned; empty where not tried */
    bool tried[CANDIDATES_MAX], used[CANDIDATES_MAX];
    double mean[CANDIDATES_MAX]; /* mean absolute error over the common origins */
    size_t origins;              /* common ones */
    int best;                    /* index; -1: nothing could be compared */
};

/* Backtests, within the first `hours` hours, every candidate that has enough history for
 * at least BACKTEST_MIN_ORIGINS origins (a logarithm also needs every value positive).
 * between() is called after each and may return false to stop: then -1. */
int choice_make(struct choice *ch, const struct candidate *list, size_t n,
                const struct truth *t, size_t hours, size_t horizon,
                bool (*between)(void *arg, double share), void *arg);
void choice_done(struct choice *ch);

/* A row per candidate: name, error, scaled error (q as in score.h), or why it was left
 * out. */
json_t *choice_table(const struct choice *ch, double q);

#endif
