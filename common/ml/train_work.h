/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_work: what one training holds while it runs; shared by train.c (who is to serve),
 * train_learn.c (what is learned from, and by what), train_judge.c (how good that is),
 * train_finish.c (the model that serves) and train_report.c (what is told). Nobody
 * else includes it. */
#ifndef FC_ML_TRAIN_WORK_H
#define FC_ML_TRAIN_WORK_H

#include "common/ml/choice.h"
#include "common/ml/gate.h"
#include "common/ml/presets.h"
#include "common/ml/scales.h"
#include "common/ml/train.h"

#define SYSTEM0_HOURS 168 /* that it learns from */

/* The candidates' backtests and what is picked by them. */
struct chosen {
    struct choice choice;
    struct pick early; /* by what was known before the holdout: what the gate judges */
    struct pick late;  /* by all of it: what is served if the gate lets it through */
};

struct train_work {
    const struct train_opts *o;        /* borrowed */
    const struct model *champion;      /* borrowed; NULL: none */
    const struct preset *preset;       /* NULL: none */
    bool system0;                      /* it is that one */
    struct candidate made[PRESET_MAX]; /* its list */
    double tuned[MODEL_PARAMS_MAX];    /* parameters of the last of these */
    json_t *tuning; /* what was tried to find them; NULL: nothing. owned */
    struct hours whole, whole_filled; /* as measured, but for a newest hour that is not
                                         believed; with short gaps bridged. owned */
    char sha256[SHA256_HEX_SIZE];     /* of the rows as they were measured */
    struct others beside;     /* of whole: as given, with their lags; borrows them */
    size_t since;             /* hours of these that are left out: before a change, or of
                               * system 0's last week; 0: all are used */
    size_t fresh;             /* hours since a change, left out or not: they judge */
    struct hours raw, filled; /* the two from there on; borrowed */
    struct scales scales;     /* of filled. owned */
    struct truth truth;
    size_t part;    /* hours before the holdout: what the challenger is fitted to */
    size_t holdout; /* hours after it: what the gate scores */
    double q;       /* scale of MASE, over the first part */
    struct chosen *chosen; /* owned */

    struct plan plan;               /* origins over the holdout */
    const struct candidate *winner; /* the challenger: of early, or a fallback */
    const struct candidate *served; /* what is fitted to all hours */
    struct model *fitted;           /* the challenger, fitted to the first part. owned */
    struct backtest challenger, champions, persistence,
        seasonal;     /* over the holdout. owned */
    bool compared;    /* what to learn from was chosen by the holdout's hours */
    bool saw_holdout; /* so was the challenger, be it only by that */
    struct gate_out gate;
    char reason[320];
    double coverage, msis; /* of the first part's band over the holdout; NaN: none */
};

/* ---- train_learn.c ---- */

/* Checks and takes h: its window, gaps, change. */
int train_clean(struct train_work *w, const struct hours *h, struct err *e) MUST_CHECK;
/* Chooses: what to learn from (all hours, or those since a change) and by which
 * candidate. */
int train_learn(struct train_work *w, struct err *e) MUST_CHECK;
void train_forget(struct chosen *c); /* NULL is fine */

/* ---- train_tune.c ---- */

/* Makes the list of a preset, with the best of its parameters. */
int train_tune(struct train_work *w, struct err *e) MUST_CHECK;

/* ---- train_judge.c ---- */

/* Is it one of those that are there for want of better? */
bool train_is_simple(const struct algo *a);
/* The baselines' and the champion's forecasts over the holdout. The champion alone reads
 * on across a change. */
void train_score_others(struct train_work *w);
/* Fits c to the first part, scores it over the holdout beside the others, asks the gate.
 * in_place: c is one of the simple candidates, asked in place of the challenger. It takes
 * a model's place only if it is significantly better and by a tenth, where that can be
 * told: the blend, chosen by origins over many weeks, would have said so too, and one of
 * a hundred weeks lies. */
void train_judge(struct train_work *w, const struct candidate *c, bool in_place);
/* Who serves where no backtest can tell: fading_naive_24, or persistence where the newest
 * day has holes that cannot be bridged. */
const struct candidate *train_prior(const struct train_work *w);
/* The fallback with the least error before the holdout; over all hours, where there is
 * too little before it to compare two; persistence where that fails, too. After a change,
 * of which most hours before the holdout know nothing, a baseline that has half the
 * champion's error over the holdout goes before that. */
const struct candidate *train_best_fallback(const struct train_work *w);

/* ---- train_finish.c, train_report.c ---- */

/* How good the band is where it was not made: that of the first part over the holdout. */
void train_score_band(struct train_work *w);

/* The winner on all hours, with all that goes into its document but the metrics. System 0
 * serves what it fitted to its first four fifths. NULL on error. */
struct model *train_finish(struct train_work *w, struct err *e) MUST_CHECK;

json_t *train_evidence(const struct train_work *w);
json_t *train_scores(const struct train_work *w);
json_t *train_metrics(const struct train_work *w, const struct model *final);
json_t *train_parameters(const struct train_work *w, const struct model *final);

/* Adds what diagnostics_report.h says of the series' regression on its last hours: its
 * figures to the metrics, as diag_…, its terms and sentences to the evidence. Nothing
 * where there are too few rows or the series is constant. */
void train_diagnostics(const struct train_work *w, json_t *metrics, json_t *evidence);

#endif
