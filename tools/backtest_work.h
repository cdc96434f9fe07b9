/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_work: what the files of `fieldcast backtest` share: backtest.c (the command),
 * backtest_methods.c (what is compared), backtest_candidates.c (all series),
 * backtest_rolling.c and backtest_holdout.c (the forecasts of one), backtest_tracks.c
 * (where these are put), backtest_tally.c (their figures), backtest_report.c and
 * backtest_json.c (how these look). Nobody else includes it.
 *
 * A method is a candidate of common/ml/candidates.h or, behind these, Naive2, the blend,
 * what is chosen, or what --preset makes. */
#ifndef FC_TOOLS_BACKTEST_WORK_H
#define FC_TOOLS_BACKTEST_WORK_H

#include <stdio.h>

#include "common/buf.h"
#include "common/ml/choice.h"
#include "common/ml/score.h"
#include "tools/backtest.h"
#include "tools/plot_forecast.h"
#include "tools/series.h"

#define METHODS_MAX (CANDIDATES_MAX + 4)
#define METHOD_NAIVE2 (n_candidates_alone)
#define METHOD_BLEND (n_candidates_alone + 1)
#define METHOD_CHOSEN (n_candidates_alone + 2)
#define METHOD_PRESET (n_candidates_alone + 3)
#define N_METHODS (n_candidates_alone + 4)
#define PERSISTENCE 0 /* places in the list of candidates */
#define SEASONAL_NAIVE 1

/* ---- methods: backtest_methods.c ---- */

/* How many there are: without a preset one less than N_METHODS. */
size_t method_count(const struct backtest_opts *o);
const char *method_name(const struct backtest_opts *o, size_t m);
/* What is fitted; NULL for Naive2, the blend and what is chosen. */
const struct candidate *method_candidate(const struct backtest_opts *o, size_t m);
/* The scale of its residuals. */
enum transform method_transform(const struct backtest_opts *o, size_t m);

/* What `fieldcast forecast` says of h, which is trimmed: HORIZON_MAX hours into f, and
 * the method that it chose. Refused as train_series() does. */
int backtest_train(const struct backtest_opts *o, const char *name, struct hours *h,
                   struct forecast *f, size_t *served, struct err *e) MUST_CHECK;

/* ---- forecasts: backtest_tracks.c, backtest_rolling.c, backtest_holdout.c ---- */

/* One method's forecasts; n_origins × leads, NaN where there is none. */
struct track {
    double *yhat, *lower, *upper; /* owned; NULL: it was not tried */
    char why[160];                /* not tried, or its last refusal; "": none */
    double ms;                    /* what it took; of blend and choice with all of their
                                   * candidates */
};

struct tracks {
    size_t n_origins, leads;
    size_t *origin; /* index of the last hour known. owned */
    double *y;      /* what came; n_origins × leads. owned */
    double q;       /* scale of MASE: of the hours before the first origin */
    /* How many origins there could be if none needed a history, and which of those that
     * are tried needs the longest one. */
    size_t possible, longest, longest_h;
    struct track t[METHODS_MAX];
    size_t chosen[METHODS_MAX]; /* how often each method was chosen */
};

/* What is told of a method that cannot be tried on the series' values. */
#define METHOD_NOT_SUITED "not for such values"

/* Memory for n_origins forecasts after h's hours first, first + step, …; all was zeroed,
 * but for what is told of methods already. */
void tracks_init(struct tracks *all, const struct hours *h, size_t n_origins,
                 size_t first, size_t step, size_t leads);
void track_begin(const struct tracks *all, size_t m, struct track *t);
void tracks_done(struct tracks *all); /* a zeroed struct is fine */

/* From rolling origins, each candidate fitted again at each. Blend, choice and bands at
 * an origin are made of what the origins before it had shown by then; where these cannot
 * tell what a training would choose, one is made. h is trimmed. */
void backtest_rolling(const struct backtest_opts *o, const char *name,
                      const struct hours *h, struct tracks *all);

/* What all would have said before the last o->holdout hours, once: the choice is what
 * `fieldcast forecast` says. h is trimmed. */
void backtest_holdout(const struct backtest_opts *o, const char *name,
                      const struct hours *h, struct tracks *all);

/* The band around yhat from n rows of residuals on the scale of the transform; on
 * logarithms within the limits of a model that was fitted to these hours. */
void backtest_band(const double *residual, size_t n, size_t leads, double level,
                   enum transform transform, const struct hours *fitted,
                   const double *yhat, double *lower, double *upper);

/* Naive2 from an origin; NaN where there is none. */
void backtest_naive2(const struct hours *filled, size_t origin, size_t leads,
                     double *yhat);

/* ---- figures: backtest_tally.c ---- */

struct figures {
    bool known;
    char why[160]; /* left out, "" where known */
    struct score s;
    double mase, owa, msis, coverage, skill_persistence, skill_seasonal, ms;
    double lead_mae[HORIZON_MAX];    /* NaN: none */
    double lead_inside[HORIZON_MAX]; /* share inside the band; NaN: none had one */
    size_t lead_bands[HORIZON_MAX];  /* hours that it is the share of */
};

/* The share inside the band so many hours ahead (from 0); NaN of fewer hours than
 * COVERAGE_ENOUGH, which say too little. */
#define COVERAGE_ENOUGH 10
double figures_coverage(const struct figures *f, size_t k);

/* What came of one series. */
struct outcome {
    const char *name; /* borrowed */
    size_t hours, missing, origins, leads;
    size_t planned, possible, longest, longest_h; /* as in struct tracks */
    size_t fewest, n_fewest, n_most; /* who could forecast at the fewest of these */
    double q;
    struct figures f[METHODS_MAX];
    size_t chosen[METHODS_MAX];
};

/* Over the origins that every method that counts could forecast; with one origin, each
 * that could. */
void outcome_make(struct outcome *out, const struct backtest_opts *o,
                  const struct input_series *s, const struct tracks *all);

/* Sums over series, and what they give: each method over the series that it was scored
 * on, its ratios against the others on the same ones. */
struct sums {
    size_t n, n_owa, n_msis, n_persistence, n_seasonal;
    double mase, smape, ms;
    double owa_mase, owa_smape, naive2_mase, naive2_smape;
    double msis, coverage;
    double p_mase, persistence_mase, s_mase, seasonal_mase;
    double lead[HORIZON_MAX];
    size_t n_lead[HORIZON_MAX];
    double inside[HORIZON_MAX];
    size_t n_inside[HORIZON_MAX], bands[HORIZON_MAX]; /* series, hours */
};

struct totals {
    size_t n, constant, none; /* series; without a scale; that nothing was scored on */
    size_t n_all;             /* on which every candidate counts */
    double all_mase[CANDIDATES_MAX];
    struct sums of[METHODS_MAX];
    size_t chosen[METHODS_MAX];
};

void totals_add(struct totals *t, const struct outcome *out);
/* Means; known is false where n is 0. */
void totals_figures(const struct totals *t, size_t m, struct figures *f);

/* ---- report: backtest_report.c, backtest_json.c ---- */

void report_series(struct buf *b, const struct backtest_opts *o,
                   const struct outcome *out);
void report_series_json(struct buf *b, const struct backtest_opts *o,
                        const struct outcome *out);
void report_totals(FILE *to, const struct backtest_opts *o, const struct totals *t);
/* What follows the series in the document: `"overall":[…]` and so on, without braces. */
void report_totals_json(FILE *to, const struct backtest_opts *o, const struct totals *t);

/* ---- chart: plot_backtest.c ---- */

struct plotted {
    char *name;                    /* owned */
    struct figures f[METHODS_MAX]; /* lead_mae over the scale */
};

struct plots {
    struct plotted *s[PLOT_PANELS]; /* owned */
    size_t n, all;                  /* kept; how many there were */
};

void plots_add(struct plots *p, const struct outcome *out);
/* Into o->plot. */
int plots_write(const struct plots *p, const struct backtest_opts *o,
                const struct totals *t, struct err *e) MUST_CHECK;
void plots_done(struct plots *p);

#endif
