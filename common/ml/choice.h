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

/* In the first days of a series nothing is chosen by forecasts of fewer hours (or than
 * are asked for): who is good at the next ones may be bad at the day to come. */
#define CHOICE_LEADS 24

/* A blend's members are the BLEND_BEST best (a document may hold BLEND_MAX), one of them
 * the best for the next hours; each weighs its backtest error to this power, at each lead
 * (lead_weights.h) that of the leads around it: a Gaussian with this deviation in the
 * logarithm of the lead. Those of less than BLEND_LEAST at all leads are left out. */
#define BLEND_BEST 5
#define BLEND_POWER -8
#define BLEND_LEADS_ALIKE 0.8
#define BLEND_LEAST 0.02
/* A single candidate goes before the blend if it is better by more than this share. */
#define BLEND_TIE 0.05

/* What is to be compared, within the first `hours` hours of a series. */
struct choice_opts {
    const struct candidate *list; /* borrowed */
    size_t n;
    size_t hours, horizon;
    size_t early; /* fewer, by which a pick will be made as well; 0: none will */
    bool (*between)(void *arg, double share); /* called after each; false stops. NULL */
    void *arg;
};

/* Every candidate's backtest over the same origins. */
struct choice {
    const struct candidate *list; /* borrowed */
    size_t n;
    size_t window;      /* hours that a fit sees at most */
    bool beside;        /* other series stand beside (others.h) */
    size_t least_leads; /* of forecasts that are to choose by: see CHOICE_LEADS; 0 */
    struct plan plan;
    struct backtest bt[CANDIDATES_MAX]; /* owned; empty where not tried */
    bool tried[CANDIDATES_MAX];
};

/* What they say up to some hour. Holds pointers into itself: it must not be moved. */
struct pick {
    const struct choice *of;
    struct recipe recipe;
    struct candidate blend;     /* of the best; behind the list, at of->n */
    struct backtest blended;    /* at each origin with the weights that the others give.
                                 * owned */
    bool suits[CANDIDATES_MAX]; /* by the hours known */
    bool used[CANDIDATES_MAX + 1];
    double mean[CANDIDATES_MAX + 1]; /* mean absolute error over the common origins */
    size_t origins;                  /* common ones */
    int best;                        /* -1: nothing could be compared */
};

/* Backtests every candidate that has enough history for at least BACKTEST_MIN_ORIGINS
 * origins, and that a pick may take: it suits all hours, or the early ones
 * (candidate_suits()). -1: between() stopped it. */
int choice_make(struct choice *ch, const struct choice_opts *o, const struct truth *t);
void choice_done(struct choice *ch);

/* Compares those that suit the first `hours` hours (of them a window's), of which alone
 * anything is known, at the origins whose forecasts end before that; with blends those
 * that have BACKTEST_ENOUGH of them (else whoever has half), and also the blend of the
 * best, if there are two. best is the blend, unless a single candidate is better by
 * BLEND_TIE, or a baseline is as good; then, and without a blend, it is the simplest
 * that is as good as the best but for CHOICE_TIE. With blends nothing is chosen from
 * fewer than BACKTEST_MIN_ORIGINS common origins where so many end in time: those that
 * ask most give way. Free with pick_done(). */
void pick_make(struct pick *p, const struct choice *ch, const struct truth *t,
               size_t hours, bool blends);
void pick_done(struct pick *p);

/* Of those of the n that are used, of the least complexity that is as good as the best
 * but for CHOICE_TIE, the first; n if none is used. */
size_t choice_simplest(const struct candidate *list, size_t n, const bool *used,
                       const double *mean);

/* Candidate i, counted as in used[]; the index of one, and its backtest. */
const struct candidate *pick_candidate(const struct pick *p, int i);
size_t pick_index(const struct pick *p, const struct candidate *c);
const struct backtest *pick_backtest(const struct pick *p, const struct candidate *c);

/* A row per candidate: name, error, scaled error (q as in score.h), or why it was left
 * out. */
json_t *pick_table(const struct pick *p, double q);

#endif
