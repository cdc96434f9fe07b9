/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/scales.h"
#include "common/ml/train.h"
#include "tools/backtest_work.h"

struct holdout {
    const struct backtest_opts *o;
    const char *name;
    struct hours part;          /* before the holdout, its end trimmed. owned */
    struct hours whole, filled; /* its last eight weeks, and with short gaps bridged.
                                 * owned */
    struct scales scales;       /* of these. owned */
    size_t late;                /* hours that were trimmed off its end */
    struct choice *choice;      /* owned */
    struct pick pick;
    struct tracks *all;
    int64_t mark_us;
    size_t timed;
};

/* Called after each candidate's backtest. */
static bool timing(void *arg, double share)
{
    struct holdout *w = arg;
    int64_t now_us = clock_mono_us();
    (void)share;
    w->all->t[w->timed++].ms = (double)(now_us - w->mark_us) / 1000;
    w->mark_us = now_us;
    return true;
}

/* Leads count from the last hour that has a value; those that fell into the history are
 * left out, and those beyond the horizon are not forecast. */
static void put(struct holdout *w, size_t m, const struct forecast *f)
{
    struct track *t = &w->all->t[m];
    track_begin(w->all, m, t);
    for (size_t k = 0; k < w->all->leads && k + w->late < HORIZON_MAX; k++) {
        t->yhat[k] = f[k + w->late].yhat;
        t->lower[k] = f[k + w->late].lower;
        t->upper[k] = f[k + w->late].upper;
    }
}

static void add_band(const struct holdout *w, const struct backtest *bt,
                     enum transform transform, struct forecast *f)
{
    double yhat[HORIZON_MAX], lower[HORIZON_MAX], upper[HORIZON_MAX];
    double *r = xmalloc((bt->plan.n + 1) * HORIZON_MAX * sizeof *r);
    for (size_t i = 0; i < bt->plan.n * HORIZON_MAX; i++) {
        size_t origin = i / HORIZON_MAX, k = i % HORIZON_MAX;
        r[i] = k < bt->plan.leads ? bt->residual[origin * bt->plan.leads + k] : NAN;
    }
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        yhat[k] = f[k].yhat;
        lower[k] = upper[k] = NAN;
    }
    backtest_band(r, bt->plan.n, HORIZON_MAX, w->o->level / 100, transform, &w->filled,
                  yhat, lower, upper);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        f[k].lower = lower[k];
        f[k].upper = upper[k];
    }
    free(r);
}

/* Fitted to all of the history and forecast as a training's winner is. */
static void run_candidate(struct holdout *w, size_t m, const struct candidate *c,
                          const struct backtest *bt)
{
    struct track *t = &w->all->t[m];
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    int64_t begun_us = clock_mono_us();
    struct model *model = candidate_model(c, w->name);
    if (c->algo->fit(model, &w->filled, &e) ||
        model_forecast(model, &w->part, HORIZON_MAX, w->o->level / 100, f, &e)) {
        snprintf(t->why, sizeof t->why, "%.150s", e.text);
    } else {
        add_band(w, bt, c->features.transform, f);
        put(w, m, f);
    }
    model_free(model);
    t->ms += (double)(clock_mono_us() - begun_us) / 1000;
}

/* Why the choice did not try a candidate: as many origins as it takes need more hours. */
static void tell_not_tried(const struct holdout *w, const struct candidate *c,
                           struct track *t)
{
    size_t n = w->whole.n, min = candidate_min_hours(c);
    while (plan_choice(n, HORIZON_MAX, min).n < BACKTEST_MIN_ORIGINS)
        n++;
    if (candidate_suits(c, w->whole.y, w->whole.n))
        snprintf(t->why, sizeof t->why,
                 "%zu hours before the holdout are needed, there are %zu", n, w->whole.n);
    else
        snprintf(t->why, sizeof t->why, METHOD_NOT_SUITED);
}

static void run_candidates(struct holdout *w)
{
    for (size_t c = 0; c < n_candidates_alone; c++) {
        struct track *t = &w->all->t[c];
        if (w->choice->tried[c])
            run_candidate(w, c, &candidates[c], &w->choice->bt[c]);
        else
            tell_not_tried(w, &candidates[c], t);
        w->all->t[METHOD_BLEND].ms += t->ms;
    }
    if (w->pick.used[n_candidates_alone])
        run_candidate(w, METHOD_BLEND, &w->pick.blend, &w->pick.blended);
    else
        snprintf(w->all->t[METHOD_BLEND].why, sizeof w->all->t->why,
                 "fewer than two candidates could be compared");
}

static void run_preset(struct holdout *w)
{
    const struct truth truth = {&w->filled, w->whole.y};
    const struct candidate *c = w->o->beside;
    struct backtest bt;
    int64_t begun_us = clock_mono_us();
    if (!c)
        return;
    backtest_candidate(c, &truth, w->whole.n, &w->choice->plan, &bt);
    w->all->t[METHOD_PRESET].ms = (double)(clock_mono_us() - begun_us) / 1000;
    run_candidate(w, METHOD_PRESET, c, &bt);
    backtest_done(&bt);
}

static void run_naive2(struct holdout *w)
{
    const struct truth truth = {&w->filled, w->whole.y};
    struct track *t = &w->all->t[METHOD_NAIVE2];
    struct forecast f[HORIZON_MAX];
    struct backtest bt;
    double yhat[HORIZON_MAX];
    int64_t begun_us = clock_mono_us();
    backtest_begin(&bt, &w->choice->plan);
    for (size_t i = 0; i < bt.plan.n; i++) {
        size_t origin = plan_origin(&bt.plan, i);
        if (!isfinite(w->whole.y[origin]))
            continue;
        backtest_naive2(&w->filled, origin, bt.plan.leads, yhat);
        backtest_put(&bt, &truth, TRANSFORM_NONE, i, yhat);
    }
    backtest_naive2(&w->filled, w->filled.n - 1, HORIZON_MAX, yhat);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        f[k] = (struct forecast){yhat[k], NAN, NAN};
    add_band(w, &bt, TRANSFORM_NONE, f);
    put(w, METHOD_NAIVE2, f);
    t->ms = (double)(clock_mono_us() - begun_us) / 1000;
    backtest_done(&bt);
}

static void run_choice(struct holdout *w)
{
    struct track *t = &w->all->t[METHOD_CHOSEN];
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    size_t served;
    int64_t begun_us = clock_mono_us();
    if (backtest_train(w->o, w->name, &w->part, f, &served, &e)) {
        snprintf(t->why, sizeof t->why, "%.150s", e.text);
        return;
    }
    put(w, METHOD_CHOSEN, f);
    t->ms = (double)(clock_mono_us() - begun_us) / 1000;
    w->all->chosen[served]++;
}

/* The history, as a training takes it. -1: there is too little. */
static int prepare(struct holdout *w, const struct hours *h, struct err *e)
{
    size_t held = (size_t)w->o->holdout;
    if (h->n <= held)
        return err_set(e, ERR_CONFLICT, "%zu hours are too few to hold out %zu", h->n,
                       held);
    if (hours_copy(&w->part, h, e))
        return -1;
    w->part.n -= held;
    int64_t end_s = w->part.start_s + (int64_t)w->part.n * 3600;
    hours_trim(&w->part);
    w->late = (size_t)((end_s - w->part.start_s) / 3600) - w->part.n;
    if (hours_complete(&w->part) < TRAIN_MIN_HOURS)
        return err_set(e, ERR_CONFLICT,
                       "%zu complete hours before the holdout, %d are needed",
                       hours_complete(&w->part), TRAIN_MIN_HOURS);
    if (hours_copy(&w->whole, &w->part, e))
        return -1;
    train_window(&w->whole, NULL, NULL);
    if (hours_copy(&w->filled, &w->whole, e))
        return -1;
    hours_interpolate(&w->filled, TRAIN_MAX_GAP);
    scales_init(&w->scales, &w->filled);
    w->filled.scales = &w->scales;
    return 0;
}

void backtest_holdout(const struct backtest_opts *o, const char *name,
                      const struct hours *h, struct tracks *all)
{
    struct holdout w = {.o = o, .name = name, .all = all};
    struct err e = ERR_INIT;
    size_t held = (size_t)o->holdout;
    if (prepare(&w, h, &e)) {
        tracks_init(all, h, 0, 0, 1, held);
        for (size_t m = 0; m < method_count(o); m++)
            snprintf(all->t[m].why, sizeof all->t[m].why, "%.150s", e.text);
    } else {
        const struct truth truth = {&w.filled, w.whole.y};
        tracks_init(all, h, 1, h->n - held - 1, 1, held);
        w.choice = xmalloc(sizeof *w.choice);
        w.mark_us = clock_mono_us();
        (void)choice_make(w.choice,
                          &(struct choice_opts){candidates, n_candidates_alone, w.whole.n,
                                                HORIZON_MAX, 0, timing, &w},
                          &truth);
        pick_make(&w.pick, w.choice, &truth, w.whole.n, true);
        all->t[METHOD_BLEND].ms = (double)(clock_mono_us() - w.mark_us) / 1000;
        run_candidates(&w);
        run_naive2(&w);
        run_preset(&w);
        run_choice(&w);
        pick_done(&w.pick);
        choice_done(w.choice);
        free(w.choice);
    }
    scales_done(&w.scales);
    hours_done(&w.filled);
    hours_done(&w.whole);
    hours_done(&w.part);
}
