/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/train_work.h"

#define SYSTEM0_WINDOW_HOURS 168

static bool is_system0(const char *preset)
{
    return preset && !strcmp(preset, "system0");
}

void train_window(struct hours *h, const char *preset)
{
    for (size_t i = 0; i < h->n; i++)
        if (!isfinite(h->y[i]))
            h->y[i] = NAN;
    hours_trim(h);
    hours_keep_last(h, is_system0(preset) ? SYSTEM0_WINDOW_HOURS : TRAIN_WINDOW_HOURS);
    hours_trim(h);
}

static void explain(struct train_work *w, const char *text)
{
    if (w->since)
        snprintf(w->reason, sizeof w->reason, "%s, from the %zu hours since a change: %s",
                 w->served->name, w->raw.n, text);
    else
        snprintf(w->reason, sizeof w->reason, "%s: %s", w->served->name, text);
}

/* Nobody serves yet: the best over all origins will do, which is no worse than the
 * baselines, as these are candidates. */
static enum train_outcome first_champion(struct train_work *w)
{
    char text[160];
    train_judge(w, w->winner, false);
    snprintf(text, sizeof text,
             "there is no champion yet, and it forecast best from %zu origins",
             w->chosen->late.origins);
    w->served = w->chosen->late.best < 0
                    ? train_prior(w)
                    : pick_candidate(&w->chosen->late, w->chosen->late.best);
    if (w->chosen->late.best < 0)
        explain(w, "there is no champion yet, and the history is too short for more");
    else
        explain(w, text);
    return TRAIN_PROMOTE;
}

/* A simple champion is itself among the candidates: what forecasts better than all of
 * these from all origins need not wait for a week in which it does so, too. */
static bool replaces_simple(struct train_work *w)
{
    char text[160];
    if (!w->champion || !train_is_simple(w->champion->algo) || w->preset ||
        w->chosen->late.best < 0 || train_is_simple(w->served->algo))
        return false;
    snprintf(text, sizeof text, "%s serves, and this forecast better from %zu origins",
             w->champion->algo->name, w->chosen->late.origins);
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
    json_decref(r->metrics);
    json_decref(r->parameters);
    *r = (struct train_result){0};
}
