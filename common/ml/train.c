/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/algos.h"
#include "common/ml/train_work.h"

static bool is_system0(const char *preset)
{
    return preset && !strcmp(preset, "system0");
}

void train_window(struct hours *h, const char *preset, const struct model *champion)
{
    for (size_t i = 0; i < h->n; i++)
        if (!isfinite(h->y[i]))
            h->y[i] = NAN;
    hours_trim(h);
    hours_keep_last(h,
                    is_system0(preset) && !champion ? SYSTEM0_HOURS : TRAIN_WINDOW_HOURS);
    hours_trim(h);
}

static void explain(struct train_work *w, const char *text)
{
    if (w->since && !w->system0)
        snprintf(w->reason, sizeof w->reason, "%s, from the %zu hours since a change: %s",
                 w->served->name, w->raw.n, text);
    else
        snprintf(w->reason, sizeof w->reason, "%s: %s", w->served->name, text);
}

/* The mean error of the candidate of that algorithm over the origins of all hours; NaN if
 * it took no part. */
static double mean_of(const struct pick *p, const struct algo *a)
{
    for (size_t c = 0; c < p->of->n; c++)
        if (p->used[c] && p->of->list[c].algo == a)
            return p->mean[c];
    return NAN;
}

/* ", of NAME 0.612", where it is known. */
static void beside(char *text, size_t size, const char *name, double mae)
{
    size_t len = strlen(text);
    if (isfinite(mae))
        snprintf(text + len, size - len, ", of %s %.4g", name, mae);
}

/* Nobody serves yet: what is chosen over all origins will do, which beats the baselines
 * there, as these are candidates. */
static enum train_outcome first_champion(struct train_work *w)
{
    const struct pick *late = &w->chosen->late;
    char text[240] = "there is no champion yet, and the history is too short for more";
    train_judge(w, w->winner, false);
    w->served = late->best < 0 ? train_prior(w) : pick_candidate(late, late->best);
    if (late->best >= 0) {
        snprintf(text, sizeof text,
                 "there is no champion yet; mean absolute error over %zu origins %.4g",
                 late->origins, late->mean[late->best]);
        beside(text, sizeof text, "persistence", mean_of(late, &algo_persistence));
        beside(text, sizeof text, "the seasonal naive forecast",
               mean_of(late, &algo_seasonal_naive_24));
    }
    explain(w, text);
    return TRAIN_PROMOTE;
}

/* A simple champion is itself among the candidates: what forecasts better over all
 * origins need not wait for a week in which it does so, too. */
static bool replaces_simple(struct train_work *w)
{
    const struct pick *late = &w->chosen->late;
    char text[160];
    if (!w->champion || !train_is_simple(w->champion->algo) || w->preset ||
        late->best < 0 || train_is_simple(w->served->algo))
        return false;
    double its = mean_of(late, w->champion->algo), mine = late->mean[late->best];
    if (its <= mine)
        return false;
    if (isnan(its))
        snprintf(text, sizeof text,
                 "%s serves, which no backtest can compare; mean absolute error over %zu "
                 "origins %.4g, no baseline's is lower",
                 w->champion->algo->name, late->origins, mine);
    else
        snprintf(text, sizeof text,
                 "%s serves, and over %zu origins this forecast better: mean absolute "
                 "error %.4g against %.4g",
                 w->champion->algo->name, late->origins, mine, its);
    explain(w, text);
    return true;
}

/* Who is to serve, and why. */
static enum train_outcome decide(struct train_work *w)
{
    const struct candidate *first = w->winner;
    train_score_others(w);
    if (!w->champion && !w->preset)
        return first_champion(w);
    train_judge(w, first, false);
    w->served = w->preset || w->chosen->late.best < 0
                    ? first
                    : pick_candidate(&w->chosen->late, w->chosen->late.best);
    explain(w, w->gate.reason);
    if (w->gate.pass || replaces_simple(w))
        return TRAIN_PROMOTE;
    const struct candidate *simple = train_best_fallback(w);
    if (simple == first || (!w->preset && w->chosen->late.best < 0))
        return w->champion ? TRAIN_KEEP : TRAIN_PROMOTE;
    train_judge(w, simple, true); /* the champion may be worse than the simplest thing */
    if (w->gate.pass || !w->champion) {
        w->served = simple;
        explain(w, w->gate.reason);
        return TRAIN_PROMOTE;
    }
    train_judge(w, first, false);
    return TRAIN_KEEP;
}

static void work_done(struct train_work *w)
{
    json_decref(w->gate.evidence);
    json_decref(w->tuning);
    backtest_done(&w->seasonal);
    backtest_done(&w->persistence);
    backtest_done(&w->champions);
    backtest_done(&w->challenger);
    model_free(w->fitted);
    train_forget(w->chosen);
    scales_done(&w->scales);
    hours_done(&w->whole_filled);
    hours_done(&w->whole);
}

int train_series(const struct hours *h, const struct model *champion,
                 const struct train_opts *o, struct train_result *r, struct err *e)
{
    struct train_work w = {
        .o = o,
        .champion = champion,
        .preset = o->preset ? preset_find(o->preset) : NULL,
        .system0 = is_system0(o->preset),
    };
    int rc = -1;
    *r = (struct train_result){0};
    if (train_clean(&w, h, e) || train_learn(&w, e))
        goto out;
    r->outcome = decide(&w);
    train_score_band(&w);
    r->model = train_finish(&w, e);
    if (!r->model)
        goto out;
    r->evidence = train_evidence(&w);
    if (w.tuning)
        json_object_set(r->evidence, "tuning", w.tuning);
    r->scores = train_scores(&w);
    r->metrics = train_metrics(&w, r->model);
    r->parameters = train_parameters(&w, r->model);
    r->model->training.rows = w.whole.n; /* those that were hashed */
    json_object_update(r->model->metrics, r->metrics);
    train_diagnostics(&w, r->metrics, r->evidence);
    snprintf(r->reason, sizeof r->reason, "%s", w.reason);
    rc = 0;
out:
    work_done(&w);
    return rc;
}

void train_result_done(struct train_result *r)
{
    model_free(r->model);
    json_decref(r->evidence);
    json_decref(r->scores);
    json_decref(r->metrics);
    json_decref(r->parameters);
    *r = (struct train_result){0};
}
