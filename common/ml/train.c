/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/change.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

#define SYSTEM0_WINDOW_HOURS 168
#define LARGEST_VALUE 1e100 /* squares and sums stay finite */
#define GATE_BLOCK 24
#define GATE_MARGIN 0.01
#define NO_MARGIN 1 /* no gain is as large: what is not significant does not count */
#define GATE_DRAWS 2000

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

static int check(const struct hours *h, const struct train_opts *o, struct err *e)
{
    if (o->preset && *o->preset && !is_system0(o->preset))
        return err_set(e, ERR_INVALID,
                       "preset \"%.40s\" is not known: only \"system0\" is", o->preset);
    if (o->horizon < 1 || o->horizon > HORIZON_MAX)
        return err_set(e, ERR_INVALID, "the horizon must be 1 to %d hours, not %zu",
                       HORIZON_MAX, o->horizon);
    if (!(o->level >= 0.5 && o->level <= 0.999))
        return err_set(e, ERR_INVALID, "the level must be 0.5 to 0.999, not %g",
                       o->level);
    if (strlen(o->series) >= sizeof((struct model *)0)->series)
        return err_set(e, ERR_INVALID, "the name of the series is too long");
    if (!h->n)
        return err_kind(e, ERR_CONFLICT, "no_model_yet",
                        "%s has no complete hour yet, %d are needed", o->series,
                        TRAIN_MIN_HOURS);
    for (size_t i = 0; i < h->n; i++)
        if (isfinite(h->y[i]) && fabs(h->y[i]) > LARGEST_VALUE)
            return err_set(
                e, ERR_INVALID,
                "%s has the value %g %zu hours before its end: at most %g in size "
                "can be learned",
                o->series, h->y[i], h->n - 1 - i, LARGEST_VALUE);
    return 0;
}

static struct hours from(const struct hours *h, size_t i)
{
    return (struct hours){h->start_s + (int64_t)i * 3600, h->n - i, h->y + i};
}

/* How many hours to forget: those before a change that the champion shows now, or before
 * the one that it was trained after. */
static size_t since_change(const struct train_work *w)
{
    const struct truth t = {&w->whole_filled, w->whole.y};
    if (!w->champion || w->system0)
        return 0;
    size_t since = change_find(w->champion, &t, w->whole.n);
    double known_s =
        json_real_value(json_object_get(w->champion->metrics, "regime_from_s"));
    double hours = (known_s - (double)w->whole.start_s) / 3600;
    if (hours > (double)since && hours < (double)w->whole.n)
        since = (size_t)hours;
    struct hours rest = from(&w->whole, since);
    return hours_complete(&rest) < TRAIN_MIN_HOURS ? 0 : since;
}

/* The split in time. */
static void split(struct train_work *w)
{
    size_t n = w->fresh;
    w->holdout = n / 4 > HOLDOUT_HOURS ? HOLDOUT_HOURS : n / 4;
    if (w->system0) /* a fifth of the rows, rounded up */
        w->holdout = (n - 4 + 4) / 5;
    w->part = w->raw.n - w->holdout;
    w->q = score_scale(w->raw.y, w->part, 24);
    size_t leads = w->holdout / 2 < 1 ? 1 : w->holdout / 2;
    leads = leads > w->o->horizon ? w->o->horizon : leads;
    w->plan = (struct plan){w->part - 1, 1, w->holdout - leads + 1, leads};
}

/* Leaves the hours before `since` out. */
static void look_from(struct train_work *w, size_t since)
{
    w->since = since;
    w->raw = from(&w->whole, since);
    w->filled = from(&w->whole_filled, since);
    w->truth = (struct truth){&w->filled, w->raw.y};
    split(w);
}

/* Window, gaps, change. */
static int clean(struct train_work *w, const struct hours *h, struct err *e)
{
    if (check(h, w->o, e) || hours_copy(&w->whole, h, e))
        return -1;
    train_window(&w->whole, w->o->preset);
    size_t complete = hours_complete(&w->whole);
    if (complete < TRAIN_MIN_HOURS)
        return err_kind(e, ERR_CONFLICT, "no_model_yet",
                        "%s has %zu complete hours, %d are needed", w->o->series,
                        complete, TRAIN_MIN_HOURS);
    if (hours_copy(&w->whole_filled, &w->whole, e))
        return -1;
    hours_interpolate(&w->whole_filled, w->system0 ? w->whole.n : TRAIN_MAX_GAP);
    size_t since = since_change(w);
    w->fresh = w->whole.n - since;
    look_from(w, since);
    return 0;
}

/* Candidates, backtest, choice; system 0's own model needs no choice. */
static int choose(struct train_work *w, struct err *e)
{
    const struct candidate *list = w->system0 ? candidates_system0 : candidates;
    size_t n = w->system0 ? n_candidates_system0 : n_candidates;
    if (choice_make(&w->choice, list, n, &w->truth, w->raw.n, w->o->horizon,
                    w->o->progress, w->o->progress_arg))
        return err_kind(e, ERR_CONFLICT, "cancelled", "the training was cancelled");
    pick_make(&w->early, &w->choice, &w->truth, w->part, !w->system0);
    pick_make(&w->late, &w->choice, &w->truth, w->raw.n, !w->system0);
    int best = w->early.best < 0 ? 0 : w->early.best;
    if (w->system0 && w->early.used[n - 1])
        best = (int)n - 1;
    w->winner = pick_candidate(&w->early, best);
    return 0;
}

/* Is it one of those that are there for want of better? */
static bool is_simple(const struct algo *a)
{
    for (size_t c = 0; c < n_candidates; c++)
        if (candidates[c].fallback && candidates[c].algo == a)
            return true;
    return false;
}

/* Was it fitted to none of the holdout's hours? */
static bool champion_is_older(const struct train_work *w)
{
    int64_t part_end_s = w->raw.start_s + ((int64_t)w->part - 1) * 3600;
    return w->champion && w->champion->training.to_s <= part_end_s;
}

static void forget_choice(struct train_work *w)
{
    pick_done(&w->late);
    pick_done(&w->early);
    choice_done(&w->choice);
}

/* Mean loss over the plan of what w would choose, fitted to its hours before the hour
 * `end` of all. */
static double loss_on(const struct train_work *w, const struct truth *all, size_t end,
                      const struct plan *plan)
{
    struct backtest bt;
    struct model *m = candidate_model(w->winner, w->o->series);
    struct hours known = {w->filled.start_s, end - w->since, w->filled.y};
    bool used = !w->winner->algo->fit(m, &known, NULL);
    double mean = NAN;
    if (used) {
        backtest_model(m, all, plan, &bt);
        backtest_compare(&bt, 1, plan->n, &used, &mean);
        backtest_done(&bt);
    }
    model_free(m);
    return mean;
}

/* A change that only seems one must not cost weeks of history: what is learned from the
 * hours since has to forecast the newest of them better than what is learned from all,
 * fitted to the same end. -1: cancelled. */
static int change_pays(const struct train_work *w, bool *pays, struct err *e)
{
    struct train_work before = {.o = w->o,
                                .champion = w->champion,
                                .whole = w->whole,
                                .fresh = w->fresh,
                                .whole_filled = w->whole_filled};
    const struct truth all = {&w->whole_filled, w->whole.y};
    struct plan plan = w->plan;
    plan.first += w->since;
    look_from(&before, 0);
    int rc = choose(&before, e);
    if (!rc) {
        double old = loss_on(&before, &all, w->since + w->part, &plan);
        *pays = !(old <= loss_on(w, &all, w->since + w->part, &plan));
    }
    forget_choice(&before);
    return rc;
}

/* What to learn from, and what by. */
static int learn(struct train_work *w, struct err *e)
{
    bool pays = true;
    if (choose(w, e) || (w->since && change_pays(w, &pays, e)))
        return -1;
    if (pays)
        return 0;
    forget_choice(w);
    look_from(w, 0); /* but the gate goes on looking at the hours since */
    return choose(w, e);
}

/* Fits c to the first part, scores it over the holdout beside the others, asks the gate.
 */
static void judge(struct train_work *w, const struct candidate *c, double margin)
{
    struct err e = ERR_INIT;
    struct hours part = {w->filled.start_s, w->part, w->filled.y};
    w->winner = c;
    model_free(w->fitted);
    w->fitted = candidate_model(c, w->o->series);
    backtest_done(&w->challenger);
    json_decref(w->gate.evidence);
    if (c->algo->fit(w->fitted, &part, &e)) /* then it is tried again, origin by origin */
        backtest_candidate(c, &w->truth, w->raw.n, &w->plan, &w->challenger);
    else
        backtest_model(w->fitted, &w->truth, &w->plan, &w->challenger);
    gate(
        &(struct gate_in){
            .challenger = w->challenger.loss,
            .champion = w->champion ? w->champions.loss : NULL,
            .persistence = w->persistence.loss,
            .seasonal_naive = w->seasonal.loss,
            .challenger_is_baseline = c->algo->baseline,
            .champion_is_baseline = w->champion && is_simple(w->champion->algo),
            .n = w->plan.n,
            .block = GATE_BLOCK,
            .champion_is_older = margin < NO_MARGIN && champion_is_older(w),
            .margin = margin,
            .confidence = 0.95,
            .draws = GATE_DRAWS,
            .seed = w->o->seed & INT64_MAX,
        },
        &w->gate);
}

/* The fallback with the least error over the holdout; persistence where nothing can be
 * compared. */
static const struct candidate *best_fallback(const struct train_work *w)
{
    const struct candidate *list = w->choice.list;
    struct backtest bt[CANDIDATES_MAX] = {0};
    bool used[CANDIDATES_MAX] = {false};
    double mean[CANDIDATES_MAX];
    size_t best = 0;
    for (size_t c = 0; c < w->choice.n; c++) {
        used[c] = list[c].fallback;
        if (used[c])
            backtest_candidate(&list[c], &w->truth, w->raw.n, &w->plan, &bt[c]);
    }
    if (backtest_compare(bt, w->choice.n, w->plan.n, used, mean))
        for (size_t c = 1; c < w->choice.n; c++)
            if (used[c] && (!used[best] || mean[c] < mean[best] * (1 - CHOICE_TIE)))
                best = c;
    for (size_t c = 0; c < w->choice.n; c++)
        backtest_done(&bt[c]);
    return &list[best];
}

/* The baselines' and the champion's forecasts over the holdout. The champion alone reads
 * on across a change. */
static void score_others(struct train_work *w)
{
    const struct truth all = {&w->whole_filled, w->whole.y};
    struct plan plan = w->plan;
    plan.first += w->since;
    backtest_candidate(&candidates[0], &w->truth, w->raw.n, &w->plan, &w->persistence);
    backtest_candidate(&candidates[1], &w->truth, w->raw.n, &w->plan, &w->seasonal);
    if (w->champion)
        backtest_model(w->champion, &all, &plan, &w->champions);
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
    judge(w, w->winner, GATE_MARGIN);
    w->served =
        w->late.best < 0 ? best_fallback(w) : pick_candidate(&w->late, w->late.best);
    snprintf(text, sizeof text,
             "there is no champion yet, and it forecast best from %zu origins",
             w->late.origins);
    if (w->late.best < 0)
        snprintf(text, sizeof text,
                 "there is no champion yet, and the history is too short for more");
    explain(w, text);
    return TRAIN_PROMOTE;
}

/* Who is to serve, and why. */
static enum train_outcome decide(struct train_work *w)
{
    const struct candidate *first = w->winner;
    score_others(w);
    if (!w->champion && !w->system0)
        return first_champion(w);
    judge(w, first, GATE_MARGIN);
    w->served =
        w->system0 || w->late.best < 0 ? first : pick_candidate(&w->late, w->late.best);
    explain(w, w->gate.reason);
    if (w->gate.pass)
        return TRAIN_PROMOTE;
    const struct candidate *simple = best_fallback(w);
    if (simple == first)
        return w->champion ? TRAIN_KEEP : TRAIN_PROMOTE;
    /* the champion may have become worse than the simplest thing: not by a week's luck */
    bool model = w->champion && !is_simple(w->champion->algo);
    judge(w, simple, model && w->plan.n >= 2 * GATE_BLOCK ? NO_MARGIN : GATE_MARGIN);
    if (w->gate.pass || !w->champion) {
        w->served = simple;
        explain(w, w->gate.reason);
        return TRAIN_PROMOTE;
    }
    judge(w, first, GATE_MARGIN);
    return TRAIN_KEEP;
}

static void work_done(struct train_work *w)
{
    json_decref(w->gate.evidence);
    backtest_done(&w->seasonal);
    backtest_done(&w->persistence);
    backtest_done(&w->champions);
    backtest_done(&w->challenger);
    model_free(w->fitted);
    forget_choice(w);
    hours_done(&w->whole_filled);
    hours_done(&w->whole);
}

int train_series(const struct hours *h, const struct model *champion,
                 const struct train_opts *o, struct train_result *r, struct err *e)
{
    struct train_work w = {
        .o = o, .champion = champion, .system0 = is_system0(o->preset)};
    int rc = -1;
    *r = (struct train_result){0};
    if (clean(&w, h, e) || learn(&w, e))
        goto out;
    r->outcome = decide(&w);
    train_score_band(&w);
    r->model = train_finish(&w, e);
    if (!r->model)
        goto out;
    r->evidence = train_evidence(&w);
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
