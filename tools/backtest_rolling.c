/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/scales.h"
#include "common/ml/train.h"
#include "tools/backtest_work.h"

/* ---- origins ---- */

/* As many origins as asked for and as every candidate tried has the history for. */
static struct plan make_plan(const struct backtest_opts *o, size_t n, size_t need)
{
    struct plan p = {.step = (size_t)o->step, .leads = (size_t)o->horizon};
    if (n < need + p.leads)
        return p;
    size_t last = n - 1 - p.leads;
    p.n = (last + 1 - need) / p.step + 1;
    if (p.n > (size_t)o->origins)
        p.n = (size_t)o->origins;
    p.first = last - (p.n - 1) * p.step;
    return p;
}

/* At how many of these origins does c suit the hours that a training would see there? */
static size_t origins_suited(const struct candidate *c, const struct hours *h,
                             const struct plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t end = plan_origin(p, i) + 1;
        size_t begin = end > TRAIN_WINDOW_HOURS ? end - TRAIN_WINDOW_HOURS : 0;
        n += !c || candidate_suits(c, h->y + begin, end - begin);
    }
    return n;
}

/* Of each method that is not tried, why; returns the plan that the others share. Tried is
 * also who suits at a few origins only: the choice may take it there. */
static struct plan ladder(const struct backtest_opts *o, const struct hours *h,
                          bool *tried, struct tracks *all)
{
    size_t need = 1, wanted = (size_t)(o->origins < 3 ? o->origins : 3);
    size_t ahead = (size_t)(o->horizon + (int64_t)(wanted - 1) * o->step);
    bool named = false;
    for (size_t m = 0; m < method_count(o); m++) {
        const struct candidate *c = method_candidate(o, m);
        size_t min = c ? candidate_min_hours(c) : 1;
        struct plan alone = make_plan(o, h->n, min);
        size_t suited = alone.n ? origins_suited(c, h, &alone) : 0;
        bool suits = alone.n ? suited > 0 : !c || candidate_suits(c, h->y, h->n);
        bool throughout = suited == alone.n; /* such a one is told, and named */
        tried[m] = suits && alone.n >= wanted;
        if (tried[m] && (min > need || (min == need && throughout && !named))) {
            need = min;
            all->longest = m;
            named = throughout;
        }
        if (!suits)
            snprintf(all->t[m].why, sizeof all->t[m].why, METHOD_NOT_SUITED);
        else if (!tried[m])
            snprintf(all->t[m].why, sizeof all->t[m].why,
                     "%zu hours are needed for %zu origin%s, there are %zu", min + ahead,
                     wanted, wanted == 1 ? "" : "s", h->n);
    }
    all->longest_h = need;
    all->possible = make_plan(o, h->n, 1).n;
    return make_plan(o, tried[PERSISTENCE] ? h->n : 0, need);
}

/* ---- one series ---- */

/* The plan's origins and those before them that the choice at the first can look back
 * at. */
struct rolling {
    const struct backtest_opts *o;
    const char *name;
    const struct hours *h;
    struct hours filled;  /* owned */
    struct scales scales; /* of these. owned */
    struct truth truth;
    struct plan plan; /* with the earlier ones */
    size_t earlier;
    bool tried[METHODS_MAX];
    bool told[METHODS_MAX];          /* of these: it suits at every scored origin */
    struct backtest bt[METHODS_MAX]; /* of all but the blend and the choice. owned */
    double ms;                       /* of all candidates, without the preset's */
    struct tracks *all;
};

/* As many as a training looks at, none in the first quarter. */
static void look_back(struct rolling *r, struct plan scored)
{
    size_t n = (scored.first - scored.first / 4) / scored.step;
    r->earlier = n < BACKTEST_MAX_ORIGINS ? n : BACKTEST_MAX_ORIGINS;
    r->plan = scored;
    r->plan.first -= r->earlier * scored.step;
    r->plan.n += r->earlier;
}

/* Who does not suit throughout would cost the others their origins. */
static void told(struct rolling *r, const struct plan *scored)
{
    for (size_t m = 0; m < method_count(r->o); m++) {
        const struct candidate *c = method_candidate(r->o, m);
        r->told[m] = r->tried[m] && origins_suited(c, r->h, scored) == scored->n;
    }
}

static void run_candidates(struct rolling *r)
{
    for (size_t m = 0; m < method_count(r->o); m++) {
        const struct candidate *c = method_candidate(r->o, m);
        struct track *t = &r->all->t[m];
        int64_t begun_us = clock_mono_us();
        if (!c || !r->tried[m])
            continue;
        backtest_candidate(c, &r->truth, TRAIN_WINDOW_HOURS, &r->plan, &r->bt[m]);
        t->ms = (double)(clock_mono_us() - begun_us) / 1000;
        r->ms += m < n_candidates_alone ? t->ms : 0;
        snprintf(t->why, sizeof t->why, "%s",
                 !r->told[m]         ? METHOD_NOT_SUITED
                 : r->bt[m].why.code ? r->bt[m].why.text
                                     : "");
    }
}

static void run_naive2(struct rolling *r)
{
    double yhat[HORIZON_MAX];
    struct backtest *bt = &r->bt[METHOD_NAIVE2];
    int64_t begun_us = clock_mono_us();
    backtest_begin(bt, &r->plan);
    for (size_t i = 0; i < r->plan.n; i++) {
        size_t origin = plan_origin(&r->plan, i);
        if (!isfinite(r->h->y[origin]))
            continue;
        backtest_naive2(&r->filled, origin, r->plan.leads, yhat);
        backtest_put(bt, &r->truth, TRANSFORM_NONE, i, yhat);
    }
    r->all->t[METHOD_NAIVE2].ms = (double)(clock_mono_us() - begun_us) / 1000;
}

/* The i-th scored origin's row of a track, from row k of a backtest whose first is the
 * origin `from`, with a band by those that had ended by then. */
static void put(const struct rolling *r, size_t m, size_t i, const struct backtest *bt,
                size_t from, enum transform transform)
{
    struct track *t = &r->all->t[m];
    size_t leads = r->plan.leads, at = i * leads, k = r->earlier + i;
    size_t wait = (leads + r->plan.step - 1) / r->plan.step;
    size_t known = k >= from + wait ? k - wait + 1 - from : 0;
    size_t skip = known > BACKTEST_MAX_ORIGINS ? known - BACKTEST_MAX_ORIGINS : 0;
    size_t end = r->all->origin[i] + 1;
    size_t begin = end > TRAIN_WINDOW_HOURS ? end - TRAIN_WINDOW_HOURS : 0;
    const struct hours fitted = hours_part(&r->filled, begin, end - begin);
    if (!bt->yhat) /* it was not tried */
        return;
    memcpy(t->yhat + at, bt->yhat + (k - from) * leads, leads * sizeof *t->yhat);
    backtest_band(bt->residual + skip * leads, known - skip, leads, r->o->level / 100,
                  transform, &fitted, t->yhat + at, t->lower + at, t->upper + at);
}

/* What is known at the origin that ends it: at most as much as a training looks at. */
static void look(const struct rolling *r, size_t from, size_t n, struct choice *ch)
{
    *ch = (struct choice){.list = candidates,
                          .n = n_candidates_alone,
                          .window = TRAIN_WINDOW_HOURS,
                          .plan = r->plan};
    ch->plan.first = plan_origin(&r->plan, from);
    ch->plan.n = n;
    memcpy(ch->tried, r->tried, n_candidates_alone * sizeof *ch->tried);
    for (size_t c = 0; c < n_candidates_alone; c++) {
        if (!r->tried[c])
            continue;
        ch->bt[c].plan = ch->plan;
        ch->bt[c].yhat = r->bt[c].yhat + from * r->plan.leads;
        ch->bt[c].residual = r->bt[c].residual + from * r->plan.leads;
        ch->bt[c].loss = r->bt[c].loss + from;
    }
}

/* With less history a training plans its origins and leads by the length of it. */
#define PLANNED_BY_LENGTH (4 * HORIZON_MAX)
_Static_assert(PLANNED_BY_LENGTH >= 8 * BACKTEST_STEP, "see plan_choice()");

/* Is what a training does at an origin something that these backtests cannot tell? */
static bool must_train(const struct rolling *r, size_t origin)
{
    size_t n = origin + 1 < TRAIN_WINDOW_HOURS ? origin + 1 : TRAIN_WINDOW_HOURS;
    const struct hours known = hours_part(r->h, origin + 1 - n, n);
    return n < PLANNED_BY_LENGTH || hours_complete(&known) < TRAIN_MIN_HOURS;
}

static void train_at(const struct rolling *r, size_t i)
{
    struct tracks *all = r->all;
    struct track *t = &all->t[METHOD_CHOSEN];
    const struct hours part = hours_part(r->h, 0, all->origin[i] + 1);
    struct hours known = {0};
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    size_t served;
    if (hours_copy(&known, &part, &e) ||
        backtest_train(r->o, r->name, &known, f, &served, &e)) {
        snprintf(t->why, sizeof t->why, "%.150s", e.text);
    } else {
        for (size_t k = 0, at = i * all->leads; k < all->leads; k++, at++) {
            t->yhat[at] = f[k].yhat;
            t->lower[at] = f[k].lower;
            t->upper[at] = f[k].upper;
        }
        all->chosen[served]++;
    }
    hours_done(&known);
}

/* Where there is nothing to blend. */
static void blend_is_chosen(struct tracks *all, size_t i)
{
    size_t row = all->leads * sizeof(double), at = i * all->leads;
    const struct track *from = &all->t[METHOD_CHOSEN];
    struct track *to = &all->t[METHOD_BLEND];
    memcpy(to->yhat + at, from->yhat + at, row);
    memcpy(to->lower + at, from->lower + at, row);
    memcpy(to->upper + at, from->upper + at, row);
}

static void choose(const struct rolling *r, size_t i, struct choice *ch)
{
    struct pick p;
    size_t k = r->earlier + i, leads = r->plan.leads, n = n_candidates_alone;
    size_t wait = (leads + r->plan.step - 1) / r->plan.step;
    size_t back = BACKTEST_MAX_ORIGINS + wait - 1;
    size_t from = k > back ? k - back : 0;
    look(r, from, k - from + 1, ch);
    pick_make(&p, ch, &r->truth, plan_origin(&r->plan, k) + 1, true);
    bool told = p.best >= 0 && !must_train(r, plan_origin(&r->plan, k));
    if (told && (size_t)p.best == n) {
        put(r, METHOD_CHOSEN, i, &p.blended, from, TRANSFORM_NONE);
        r->all->chosen[METHOD_BLEND]++;
    } else if (told) {
        put(r, METHOD_CHOSEN, i, &r->bt[p.best], 0,
            method_transform(r->o, (size_t)p.best));
        r->all->chosen[p.best]++;
    } else {
        train_at(r, i);
    }
    if (p.best >= 0 && p.used[n])
        put(r, METHOD_BLEND, i, &p.blended, from, TRANSFORM_NONE);
    else
        blend_is_chosen(r->all, i);
    pick_done(&p);
}

static void fill_tracks(struct rolling *r)
{
    struct tracks *all = r->all;
    struct choice *ch = xmalloc(sizeof *ch);
    int64_t begun_us = clock_mono_us();
    for (size_t m = 0; m < method_count(r->o); m++)
        if (r->told[m])
            track_begin(all, m, &all->t[m]);
    for (size_t i = 0; i < all->n_origins; i++)
        if (isfinite(r->h->y[all->origin[i]]))
            choose(r, i, ch);
    r->ms += (double)(clock_mono_us() - begun_us) / 1000;
    all->t[METHOD_BLEND].ms = all->t[METHOD_CHOSEN].ms = r->ms;
    for (size_t m = 0; m < method_count(r->o); m++)
        for (size_t i = 0; r->told[m] && i < all->n_origins; i++)
            put(r, m, i, &r->bt[m], 0, method_transform(r->o, m));
    free(ch);
}

void backtest_rolling(const struct backtest_opts *o, const char *name,
                      const struct hours *h, struct tracks *all)
{
    struct rolling r = {.o = o, .name = name, .h = h, .all = all};
    struct plan scored = ladder(o, h, r.tried, all);
    tracks_init(all, h, scored.n, scored.first, scored.step, scored.leads);
    if (h->n && !hours_copy(&r.filled, h, NULL))
        hours_interpolate(&r.filled, TRAIN_MAX_GAP);
    scales_init(&r.scales, &r.filled);
    r.filled.scales = &r.scales;
    r.truth = (struct truth){&r.filled, h->y};
    if (scored.n)
        look_back(&r, scored);
    told(&r, &scored);
    run_candidates(&r);
    if (scored.n) {
        run_naive2(&r);
        fill_tracks(&r);
    }
    for (size_t m = 0; m < METHODS_MAX; m++)
        backtest_done(&r.bt[m]);
    scales_done(&r.scales);
    hours_done(&r.filled);
}
