/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/choice.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/algos.h"

static bool all_positive(const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && y[i] <= 0)
            return false;
    return true;
}

/* Sets tried[]. The first quarter is history for everybody; who needs more begins later.
 */
static struct plan ladder(struct choice *ch, const struct truth *t, size_t hours,
                          size_t horizon)
{
    size_t least = SIZE_MAX;
    bool positive = all_positive(t->y, hours);
    for (size_t c = 0; c < ch->n; c++) {
        size_t min = candidate_min_hours(&ch->list[c]);
        struct plan p = plan_choice(hours, horizon, min);
        ch->tried[c] = p.n >= BACKTEST_MIN_ORIGINS &&
                       (ch->list[c].features.transform != TRANSFORM_LOG || positive);
        least = ch->tried[c] && min < least ? min : least;
    }
    return plan_choice(hours, horizon, least > hours / 4 ? least : hours / 4);
}

int choice_make(struct choice *ch, const struct candidate *list, size_t n,
                const struct truth *t, size_t hours, size_t horizon,
                bool (*between)(void *arg, double share), void *arg)
{
    *ch = (struct choice){.list = list, .n = n};
    ch->plan = ladder(ch, t, hours, horizon);
    for (size_t c = 0; c < n; c++) {
        if (ch->tried[c])
            backtest_candidate(&list[c], t, hours, &ch->plan, &ch->bt[c]);
        if (between && !between(arg, (double)(c + 1) / (double)n))
            return -1;
    }
    return 0;
}

void choice_done(struct choice *ch)
{
    for (size_t c = 0; c < ch->n; c++)
        backtest_done(&ch->bt[c]);
    *ch = (struct choice){0};
}

/* ---- the blend ---- */

/* Adds up to 1. Where all is forecast without an error, all weigh the same. */
static void weigh(const double *loss, size_t n, double *weight)
{
    double least = INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        least = fmin(least, loss[i]);
    for (size_t i = 0; i < n; i++) {
        weight[i] = least > 0 ? pow(loss[i] / least, BLEND_POWER) : loss[i] <= 0;
        sum += weight[i];
    }
    for (size_t i = 0; i < n; i++)
        weight[i] /= sum;
}

/* The best candidates, best first, into at. */
static size_t best_ones(const struct pick *p, size_t at[BLEND_MAX])
{
    size_t n = 0;
    for (size_t c = 0; c < p->of->n; c++) {
        if (!p->used[c])
            continue;
        size_t i = n;
        while (i && p->mean[c] < p->mean[at[i - 1]]) {
            if (i < BLEND_MAX)
                at[i] = at[i - 1];
            i--;
        }
        if (i < BLEND_MAX) {
            at[i] = c;
            n += n < BLEND_MAX;
        }
    }
    return n;
}

static void write_recipe(struct pick *p)
{
    size_t at[BLEND_MAX], n = best_ones(p, at), kept = 0;
    double loss[BLEND_MAX] = {0};
    for (size_t i = 0; i < n; i++)
        loss[i] = p->mean[at[i]];
    weigh(loss, n, p->recipe.weight);
    while (kept < n && p->recipe.weight[kept] >= BLEND_LEAST)
        kept++;
    weigh(loss, kept, p->recipe.weight);
    p->recipe.n = kept;
    for (size_t i = 0; i < kept; i++)
        p->recipe.member[i] = &p->of->list[at[i]];
}

/* At origin o, from what the members forecast there; where the history was too short for
 * some, from the others, if these weigh half or more. counted: its losses are among those
 * that the means are of; they are not to weigh here. */
static void blend_origin(struct pick *p, const struct truth *t, size_t o, bool counted)
{
    double loss[BLEND_MAX] = {0}, weight[BLEND_MAX], yhat[HORIZON_MAX] = {0};
    const double *made[BLEND_MAX];
    double n = (double)p->origins, known = 0;
    size_t leads = p->of->plan.leads, members = 0;
    for (size_t i = 0; i < p->recipe.n; i++) {
        size_t c = pick_index(p, p->recipe.member[i]);
        double here = p->of->bt[c].loss[o];
        if (!isfinite(here))
            continue;
        loss[members] = p->mean[c];
        if (counted && n > 1)
            loss[members] = fmax(p->mean[c] * n - here, 0) / (n - 1);
        made[members++] = p->of->bt[c].yhat + o * leads;
        known += p->recipe.weight[i];
    }
    if (known < 0.5)
        return;
    weigh(loss, members, weight);
    for (size_t i = 0; i < members; i++)
        for (size_t k = 0; k < leads; k++)
            yhat[k] += weight[i] * made[i][k];
    backtest_put(&p->blended, t, TRANSFORM_NONE, o, yhat);
}

/* ---- the pick ---- */

/* The first, hence simplest, that is as good as the best but for CHOICE_TIE. */
static size_t simplest(const struct pick *p)
{
    double least = INFINITY;
    size_t c = 0;
    for (size_t i = 0; i < p->of->n; i++)
        if (p->used[i] && p->mean[i] < least)
            least = p->mean[i];
    while (!p->used[c] || p->mean[c] > least * (1 + CHOICE_TIE))
        c++;
    return c;
}

/* The least of many means flatters who has it, which the blend's, made without the origin
 * it is scored at, does not: so the blend goes before what seems somewhat better. */
static int best(const struct pick *p)
{
    size_t one = simplest(p), n = p->of->n;
    if (!p->used[n])
        return (int)one;
    return p->mean[one] <= p->mean[n] * (1 - BLEND_TIE) ? (int)one : (int)n;
}

static size_t origins_before(const struct plan *plan, size_t hours)
{
    size_t n = 0;
    while (n < plan->n && plan->first + n * plan->step + plan->leads < hours)
        n++;
    return n;
}

static void make_blend(struct pick *p, const struct truth *t, size_t limit)
{
    size_t n = p->of->n;
    double mean = 0, common = 0;
    write_recipe(p);
    if (p->recipe.n < 2)
        return;
    p->blend =
        (struct candidate){.name = "blend", .algo = &algo_blend, .recipe = &p->recipe};
    backtest_begin(&p->blended, &p->of->plan);
    for (size_t o = 0; o < p->of->plan.n; o++) {
        bool counted = o < limit && backtest_common(p->of->bt, n, p->used, o);
        blend_origin(p, t, o, counted);
        if (counted)
            mean += p->blended.loss[o];
        common += counted;
    }
    p->used[n] = true;
    p->mean[n] = mean / common;
}

void pick_make(struct pick *p, const struct choice *ch, const struct truth *t,
               size_t hours, bool blends)
{
    *p = (struct pick){.of = ch, .best = -1};
    size_t limit = origins_before(&ch->plan, hours);
    memcpy(p->used, ch->tried, sizeof ch->tried);
    p->origins = backtest_compare(ch->bt, ch->n, limit, p->used, p->mean);
    for (size_t c = ch->n; !p->origins && c-- > 1;) { /* too many holes: ask less */
        p->used[c] = false;
        p->origins = backtest_compare(ch->bt, ch->n, limit, p->used, p->mean);
    }
    if (p->origins && blends)
        make_blend(p, t, limit);
    if (p->origins)
        p->best = best(p);
}

void pick_done(struct pick *p)
{
    backtest_done(&p->blended);
    *p = (struct pick){.best = -1};
}

const struct candidate *pick_candidate(const struct pick *p, int i)
{
    return (size_t)i == p->of->n ? &p->blend : &p->of->list[i];
}

size_t pick_index(const struct pick *p, const struct candidate *c)
{
    return c == &p->blend ? p->of->n : (size_t)(c - p->of->list);
}

const struct backtest *pick_backtest(const struct pick *p, const struct candidate *c)
{
    return c == &p->blend ? &p->blended : &p->of->bt[c - p->of->list];
}

json_t *pick_table(const struct pick *p, double q)
{
    const struct choice *ch = p->of;
    json_t *rows = json_array();
    for (size_t c = 0; c < ch->n + p->used[ch->n]; c++) {
        json_t *row = json_pack("{s:s}", "name", pick_candidate(p, (int)c)->name);
        if (p->used[c]) {
            json_object_set_new(row, "mae", json_number(p->mean[c]));
            json_object_set_new(row, "mase", json_number(q > 0 ? p->mean[c] / q : NAN));
        } else {
            const char *why = !ch->tried[c]
                                  ? "not enough history, or not all values positive"
                              : ch->bt[c].why.code ? ch->bt[c].why.text
                                                   : "could forecast at too few origins";
            json_object_set_new(row, "left_out", json_string(why));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}
