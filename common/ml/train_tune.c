/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_tune: what a preset makes, and with which parameters.
 *
 * Those of its tuning are tried on the hours before the holdout: fitted to the first four
 * fifths of them, scored by forecasts over the last fifth. So the gate judges by a week
 * of which the search knows nothing, and the number of fits is fixed. The backtest that
 * the band comes from has origins before that fifth, too: its forecasts are made with
 * parameters that were found by later hours, but by models that were not. */
#include <math.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/train_work.h"

#define VALIDATION_SHARE 5
#define SEARCH_PROGRESS 0.1 /* of what a training is told to have done */

/* The list to choose from: the preset's, with who grows trees. */
static void make_list(struct train_work *w)
{
    struct candidate *last = &w->made[w->preset->n - 1];
    memcpy(w->made, w->preset->list, w->preset->n * sizeof *w->made);
    last->grower = w->o->grower;
    if (w->preset->tuning)
        memcpy(w->tuned, w->preset->tuning->params[0], sizeof w->tuned);
    last->params = w->preset->tuning ? w->tuned : NULL;
}

/* Fits with the i-th parameters and scores; false: it could not be fitted. */
static bool try_one(struct train_work *w, size_t i, const struct plan *plan,
                    struct backtest *bt)
{
    struct candidate c = w->made[w->preset->n - 1];
    c.params = w->preset->tuning->params[i];
    struct model *m = candidate_model(&c, w->o->series);
    const struct hours known = hours_part(&w->filled, 0, plan->first + 1);
    bool fitted = !c.algo->fit(m, &known, NULL);
    if (fitted)
        backtest_model(m, &w->truth, plan, bt);
    model_free(m);
    return fitted;
}

static void keep_table(struct train_work *w, const double *mean)
{
    const struct algo *a = w->made[w->preset->n - 1].algo;
    w->tuning = json_array();
    for (size_t i = 0; i < w->preset->tuning->n; i++) {
        json_t *row = json_object();
        for (size_t k = 0; k < a->n_params; k++)
            json_object_set_new(row, a->params[k].name,
                                json_real(w->preset->tuning->params[i][k]));
        json_object_set_new(row, "mae", json_number(mean[i]));
        json_array_append_new(w->tuning, row);
    }
}

int train_tune(struct train_work *w, struct err *e)
{
    struct backtest bt[TUNE_MAX] = {0};
    bool used[TUNE_MAX] = {false};
    double mean[TUNE_MAX];
    size_t leads = w->plan.leads, last = w->part / VALIDATION_SHARE, best = 0;
    size_t n = w->preset && w->preset->tuning ? w->preset->tuning->n : 0;
    struct plan plan = {w->part - last - 1, BACKTEST_STEP, 0, leads};
    int rc = 0;
    if (!w->preset)
        return 0;
    make_list(w);
    if (last > leads)
        plan.n = (last - leads) / BACKTEST_STEP + 1;
    if (plan.n < BACKTEST_MIN_ORIGINS) /* too short to search: the first will do */
        return 0;
    for (size_t i = 0; i < n && !rc; i++) {
        used[i] = try_one(w, i, &plan, &bt[i]);
        double share = SEARCH_PROGRESS * (double)(i + 1) / (double)n;
        if (w->o->progress && !w->o->progress(w->o->progress_arg, share))
            rc = err_kind(e, ERR_CONFLICT, "cancelled", "the training was cancelled");
    }
    if (n && !rc && backtest_compare(bt, n, plan.n, 0, used, mean)) {
        for (size_t i = 1; i < n; i++)
            if (used[i] && (!used[best] || mean[i] < mean[best]))
                best = i;
        memcpy(w->tuned, w->preset->tuning->params[best], sizeof w->tuned);
        keep_table(w, mean);
    }
    for (size_t i = 0; i < n; i++)
        backtest_done(&bt[i]);
    return rc;
}
