/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_learn: what a training learns from, and which candidate it chooses. */
#include <math.h>
#include <string.h>

#include "common/ml/change.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

#define LARGEST_VALUE 1e100 /* squares and sums stay finite */

static int check(const struct hours *h, const struct train_opts *o, struct err *e)
{
    if (o->preset && *o->preset && strcmp(o->preset, "system0"))
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

int train_clean(struct train_work *w, const struct hours *h, struct err *e)
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

void train_forget_choice(struct train_work *w)
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
    train_forget_choice(&before);
    return rc;
}

int train_learn(struct train_work *w, struct err *e)
{
    bool pays = true;
    if (choose(w, e) || (w->since && change_pays(w, &pays, e)))
        return -1;
    if (pays)
        return 0;
    train_forget_choice(w);
    look_from(w, 0); /* but the gate goes on looking at the hours since */
    return choose(w, e);
}
