/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train: one training of one series, from cleaned hours to a model with its evidence.
 *
 * Reads as one paragraph: clean -> candidates -> rolling-origin backtest -> choice ->
 * conformal band -> gate -> refit. Pure: the trainer and `fieldcast backtest` both call
 * it. */
#ifndef FC_ML_TRAIN_H
#define FC_ML_TRAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"

#define TRAIN_MIN_HOURS 24
#define TRAIN_WINDOW_HOURS 1344       /* 8 weeks */
#define TRAIN_MAX_GAP 3               /* hours bridged; longer gaps end a row */
#define TRAIN_CANDIDATES "2026-11-10" /* version of the declared candidate list */

struct train_opts {
    const char *series;
    const char *preset; /* NULL, or one of presets.h: what is made, without a choice */
    const char *code;   /* version and revision, goes into the document */
    size_t horizon;     /* 1..HORIZON_MAX; 48 */
    double level;       /* 0.95 */
    uint64_t seed;      /* of the gate's bootstrap; its top bit is ignored */
    /* Called with 0..1 now and then; returns false to cancel. NULL is fine. */
    bool (*progress)(void *arg, double share);
    void *progress_arg;

    const struct grower *grower; /* of trees.h; NULL: presets that need it are refused.
                                  * borrowed */
};

enum train_outcome { TRAIN_PROMOTE, TRAIN_KEEP };

struct train_result {
    struct model
        *model; /* the chosen one, refitted on all of h; owned. never NULL on success */
    enum train_outcome outcome; /* PROMOTE: it passed the gate */
    char reason[320];           /* a sentence */
    json_t *evidence; /* gate's evidence, the candidates' table, what the diagnostics of
                         a regression say; owned */
    json_t *scores;   /* the mean absolute error at each origin: {"backtest":
                         {"first_origin_s", "step_h", NAME:[...], ...}, "holdout": {...}},
                         of what is served and the baselines, and of the gate's
                         contenders; null where one could not forecast; owned */
    json_t *metrics;  /* flat object of reals: mae, rmse, mase, smape, r2, bias, coverage,
                         msis, skill_persistence, skill_seasonal_naive, rows, ..., and
                         the diagnostics as diag_...; those that are not known are absent.
                         The model's document has all but the diagnostics; owned */
    json_t *parameters; /* flat object of strings for run_params; owned */
};

/* Cuts h to what training uses: the last TRAIN_WINDOW_HOURS without missing hours at the
 * ends. The rows whose hash is in the document are hours_canonical() of the result, so a
 * caller that keeps them cuts first. The preset "system0" learns from the last 168, which
 * are all that is kept unless it stands beside a champion, who reads further back. */
void train_window(struct hours *h, const char *preset, const struct model *champion);

/* A champion whose errors have left all proportion, or without one hours that have
 * (change.h), show that the series has changed: then, and in later trainings with a
 * champion made after that change, only the hours since are judged by ("regime_from_s" in
 * the metrics), and learned from, unless all hours forecast the newest better. The
 * document's training rows are still all of the window, as they decide where the change
 * was.
 *
 * Without a champion the challenger need only beat the baselines; if it does not, the
 * best baseline is promoted: there is always one. With a champion, the challenger is kept
 * back unless it passes the gate. Both are judged on hours the challenger was not fitted
 * to; a champion may have seen them ("champion_saw_holdout" in the evidence).
 *
 * h: at least TRAIN_MIN_HOURS values (else ERR_CONFLICT "no_model_yet"), none beyond
 * 1e100 in size (else ERR_INVALID); it is cut as by train_window() and not changed.
 * champion: the serving model or NULL; not changed. Cancelled: ERR_CONFLICT "cancelled".
 */
int train_series(const struct hours *h, const struct model *champion,
                 const struct train_opts *o, struct train_result *r,
                 struct err *e) MUST_CHECK;
void train_result_done(struct train_result *r);

#endif
