/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_learn: what a training learns from, and which candidate it chooses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/change.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

/* Hours. Forecasts of two days that begin an hour apart hardly differ. */
#define ORIGINS_FAR_APART 96

#define LEVEL_MAX (0.999 + 1e-12) /* 99.9 / 100 is a little more */

#define LARGEST_VALUE 1e100 /* squares and sums stay finite */

static int check(const struct hours *h, const struct train_opts *o, struct err *e)
{
    const struct preset *p = o->preset && *o->preset ? preset_find(o->preset) : NULL;
    if (o->preset && *o->preset && !p)
        return err_set(e, ERR_INVALID,
                       "preset \"%.40s\" is not known: it can be " PRESET_NAMES,
                       o->preset);
    if (p && p->tuning && !o->grower)
        return err_set(e, ERR_INVALID,
                       "preset \"%s\" can only be made by the trainer service", p->name);
    if (o->horizon < 1 || o->horizon > HORIZON_MAX)
        return err_set(e, ERR_INVALID, "the horizon must be 1 to %d hours, not %zu",
                       HORIZON_MAX, o->horizon);
    if (!(o->level >= 0.5 && o->level <= LEVEL_MAX))
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

/* How many hours to forget: those before a change that the champion shows now, or before
 * the one that was known when it was trained; without a champion, one that the series
 * shows. */
static size_t since_change(const struct train_work *w)
{
    const struct truth t = {&w->whole_filled, w->whole.y};
    size_t since = w->champion ? change_find(w->champion, &t, w->whole.n)
                               : change_find_alone(w->whole.y, w->whole.n);
    double known_s =
        w->champion
            ? json_real_value(json_object_get(w->champion->metrics, "regime_from_s"))
            : 0;
    double hours = (known_s - (double)w->whole.start_s) / 3600;
    if (hours > (double)since && hours < (double)w->whole.n)
        since = (size_t)hours;
    struct hours rest = hours_part(&w->whole, since, w->whole.n - since);
    return hours_complete(&rest) < TRAIN_MIN_HOURS ? 0 : since;
}

/* System 0 looks at its last week; what it is judged beside may look further back. */
static size_t since_last_week(const struct train_work *w)
{
    size_t since = w->whole.n > SYSTEM0_HOURS ? w->whole.n - SYSTEM0_HOURS : 0;
    while (!isfinite(w->whole.y[since])) /* the newest hour is there */
        since++;
    return since;
}

/* The split in time. Where the first and the last origin are far apart every second hour
 * is one, counted back from the last: a sensor that reports every second hour, or every
 * fourth, has a value there as it has in its newest hour. */
static void split(struct train_work *w)
{
    size_t n = w->fresh;
    w->holdout = hours_holdout(n);
    if (w->system0) /* a fifth of the rows, rounded up */
        w->holdout = (n - 4 + 4) / 5;
    w->part = w->raw.n - w->holdout;
    w->q = score_scale(w->raw.y, w->part, 24);
    size_t leads = w->holdout / 2 < 1 ? 1 : w->holdout / 2;
    leads = leads > w->o->horizon ? w->o->horizon : leads;
    size_t last = w->holdout - leads; /* hours from the first origin to the last */
    size_t step = last >= ORIGINS_FAR_APART ? 2 : 1;
    w->plan = (struct plan){w->part - 1 + last % step, step, last / step + 1, leads};
}

/* Leaves the hours before `since` out. */
static void look_from(struct train_work *w, size_t since)
{
    w->since = since;
    w->raw = hours_part(&w->whole, since, w->whole.n - since);
    w->filled = hours_part(&w->whole_filled, since, w->whole.n - since);
    scales_done(&w->scales);
    scales_init(&w->scales, &w->filled);
    w->filled.scales = &w->scales;
    w->truth = (struct truth){&w->filled, w->raw.y};
    split(w);
}

static int enough(const struct train_work *w, const struct hours *h, struct err *e)
{
    size_t complete = hours_complete(h);
    if (complete >= TRAIN_MIN_HOURS)
        return 0;
    return err_kind(e, ERR_CONFLICT, "no_model_yet",
                    "%s has %zu complete hour%s%s, %d are needed", w->o->series, complete,
                    complete == 1 ? "" : "s",
                    h == &w->raw && w->since ? " in its last week" : "", TRAIN_MIN_HOURS);
}

/* With the hours at which each says most, found before the holdout: so that they follow
 * from the rows that are stored. */
static void stand_beside(struct train_work *w)
{
    if (!w->whole.beside)
        return;
    w->beside = *w->whole.beside;
    others_lags(&w->beside, &w->whole);
    w->whole.beside = &w->beside;
}

/* A misread must not shift what is learned; the next hour tells whether it was one. */
static void doubt_newest(struct train_work *w)
{
    const struct hours others = hours_part(&w->whole, 0, w->whole.n - 1);
    double low, high, *newest = &w->whole.y[others.n];
    hours_range(&others, &low, &high);
    *newest = hours_believed(*newest, low, high, others.n);
}

int train_clean(struct train_work *w, const struct hours *h, struct err *e)
{
    if (check(h, w->o, e) || hours_copy(&w->whole, h, e))
        return -1;
    train_window(&w->whole, w->o->preset, w->champion);
    if (enough(w, &w->whole, e))
        return -1;
    stand_beside(w);
    hours_sha256(&w->whole, w->sha256);
    if (!w->system0)
        doubt_newest(w);
    if (hours_copy(&w->whole_filled, &w->whole, e))
        return -1;
    hours_interpolate(&w->whole_filled, w->system0 ? w->whole.n : TRAIN_MAX_GAP);
    size_t since = w->system0 ? since_last_week(w) : since_change(w);
    w->fresh = w->whole.n - since;
    look_from(w, since);
    return enough(w, &w->raw, e);
}

/* Candidates, backtest, choice; what a preset makes is chosen already. */
static int choose(struct train_work *w, struct err *e)
{
    const struct candidate *list = w->preset ? w->made : candidates;
    size_t n = w->preset ? w->preset->n : n_candidates;
    struct chosen *c = w->chosen = xcalloc(1, sizeof *c);
    if (choice_make(&c->choice,
                    &(struct choice_opts){list, n, w->raw.n, w->o->horizon, w->part,
                                          w->o->progress, w->o->progress_arg},
                    &w->truth))
        return err_kind(e, ERR_CONFLICT, "cancelled", "the training was cancelled");
    size_t least = w->o->horizon < CHOICE_LEADS ? w->o->horizon : CHOICE_LEADS;
    c->choice.least_leads = w->preset || w->since ? 0 : least;
    pick_make(&c->early, &c->choice, &w->truth, w->part, !w->preset);
    pick_make(&c->late, &c->choice, &w->truth, w->raw.n, !w->preset);
    w->winner =
        c->early.best < 0 ? train_prior(w) : pick_candidate(&c->early, c->early.best);
    if (w->preset && c->early.used[n - 1])
        w->winner = pick_candidate(&c->early, (int)n - 1);
    return 0;
}

void train_forget(struct chosen *c)
{
    if (!c)
        return;
    pick_done(&c->late);
    pick_done(&c->early);
    choice_done(&c->choice);
    free(c);
}

/* Mean loss over the holdout of what w would choose, fitted to its hours before that. */
static double holdout_loss(const struct train_work *w)
{
    const struct truth all = {&w->whole_filled, w->whole.y};
    struct backtest bt;
    struct plan plan = w->plan;
    struct model *m = candidate_model(w->winner, w->o->series);
    struct hours part = hours_part(&w->filled, 0, w->part);
    bool used = !w->winner->algo->fit(m, &part, NULL);
    double mean = NAN;
    plan.first += w->since;
    if (used) {
        backtest_model(m, &all, &plan, &bt);
        backtest_compare(&bt, 1, plan.n, 0, &used, &mean);
        backtest_done(&bt);
    }
    model_free(m);
    return mean;
}

/* A change that only seems one must not cost weeks of history: what is learned from the
 * hours since has to forecast the newest of them better than what is learned from all,
 * fitted to the same end. In either case the gate looks at the hours since. */
int train_learn(struct train_work *w, struct err *e)
{
    if (train_tune(w, e) || choose(w, e))
        return -1;
    if (!w->since || w->system0)
        return 0;
    w->compared = true;
    struct chosen *fresh = w->chosen;
    const struct candidate *winner = w->winner;
    size_t since = w->since;
    double loss = holdout_loss(w);
    look_from(w, 0);
    int rc = choose(w, e);
    if (!rc && !(holdout_loss(w) <= loss)) {
        train_forget(w->chosen);
        w->chosen = fresh;
        w->winner = winner;
        look_from(w, since);
    } else {
        train_forget(fresh);
    }
    return rc;
}
