/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/choice_blend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/algos.h"

#define FIRST_LEADS 3 /* of weight_leads, at which the best one is a member */

/* How much the error at each lead counts at each of weight_leads: leads near by on a
 * logarithmic scale say much the same, and each alone too little. Before main(). */
static double near[HORIZON_MAX][WEIGHT_LEADS];

__attribute__((constructor)) static void make_near(void)
{
    for (size_t w = 0; w < WEIGHT_LEADS; w++)
        for (size_t k = 0; k < HORIZON_MAX; k++) {
            double d = log(((double)k + 1) / weight_leads[w]) / BLEND_LEADS_ALIKE;
            near[k][w] = exp(-d * d / 2);
        }
}

/* ---- errors by lead ---- */

/* Of each candidate: the sum of its absolute errors at each lead, over some origins. */
struct tally {
    double sum[CANDIDATES_MAX][HORIZON_MAX];
};

/* sign 1: with those at origin o; -1: without them. */
static void tally(struct tally *y, const struct pick *p, const struct truth *t, size_t c,
                  size_t o, int sign)
{
    const struct plan *plan = &p->of->plan;
    const double *truth = t->y + plan_origin(plan, o) + 1;
    const double *yhat = p->of->bt[c].yhat + o * plan->leads;
    for (size_t k = 0; k < plan->leads; k++)
        if (isfinite(truth[k]))
            y->sum[c][k] += sign * fabs(truth[k] - yhat[k]);
}

/* Taking off again what was added may leave a little less than nothing. */
static inline double sum_of(const struct tally *y, size_t c, size_t k)
{
    return y->sum[c][k] > 0 ? y->sum[c][k] : 0;
}

/* Of n candidates c[], the error at each of weight_leads: a mean over leads, each taken
 * as a share of what all n err there. */
static void errors(const struct tally *y, const size_t *c, size_t n, size_t leads,
                   double (*error)[WEIGHT_LEADS])
{
    memset(error, 0, n * sizeof *error);
    for (size_t k = 0; k < leads; k++) {
        double all = 0;
        for (size_t i = 0; i < n; i++)
            all += sum_of(y, c[i], k);
        for (size_t i = 0; i < n && all > 0; i++)
            for (size_t w = 0; w < WEIGHT_LEADS; w++)
                error[i][w] += near[k][w] * sum_of(y, c[i], k) / all;
    }
}

/* Adds up to 1 at each lead. Where all is forecast without an error, all weigh the same.
 */
static void weigh(const double (*error)[WEIGHT_LEADS], size_t n,
                  struct lead_weights *weight)
{
    for (size_t w = 0; w < WEIGHT_LEADS; w++) {
        double least = INFINITY, sum = 0;
        for (size_t i = 0; i < n; i++)
            least = fmin(least, error[i][w]);
        for (size_t i = 0; i < n; i++) {
            double x = error[i][w];
            weight[i].at[w] = least > 0 ? pow(x / least, BLEND_POWER) : x <= 0;
            sum += weight[i].at[w];
        }
        for (size_t i = 0; i < n; i++)
            weight[i].at[w] /= sum;
    }
}

/* ---- who takes part ---- */

/* The candidates with the least errors, best first, into at. */
static size_t best_ones(const struct pick *p, size_t at[BLEND_BEST])
{
    size_t n = 0;
    for (size_t c = 0; c < p->of->n; c++) {
        if (!p->used[c])
            continue;
        size_t i = n;
        while (i && p->mean[c] < p->mean[at[i - 1]]) {
            if (i < BLEND_BEST)
                at[i] = at[i - 1];
            i--;
        }
        if (i < BLEND_BEST) {
            at[i] = c;
            n += n < BLEND_BEST;
        }
    }
    return n;
}

static bool among(const size_t *at, size_t n, size_t c)
{
    while (n && at[n - 1] != c)
        n--;
    return n;
}

/* The last of a full blend makes room for who forecasts the next hours best. */
static void let_in(const struct pick *p, const struct tally *y, size_t at[BLEND_BEST])
{
    size_t c[CANDIDATES_MAX] = {0}, n = 0;
    double error[CANDIDATES_MAX][WEIGHT_LEADS];
    for (size_t i = 0; i < p->of->n; i++)
        if (p->used[i])
            c[n++] = i;
    errors(y, c, n, p->of->plan.leads, error);
    for (size_t w = 0; w < FIRST_LEADS; w++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            best = error[i][w] < error[best][w] ? i : best;
        if (among(at, BLEND_BEST - 1, c[best]))
            continue;
        at[BLEND_BEST - 1] = c[best];
        return;
    }
}

static bool counts(const struct lead_weights *w)
{
    bool any = false;
    for (size_t i = 0; i < WEIGHT_LEADS; i++)
        any = any || w->at[i] >= BLEND_LEAST;
    return any;
}

static void write_recipe(struct pick *p, const struct tally *y)
{
    size_t at[BLEND_BEST] = {0}, n = best_ones(p, at), kept = 0,
           leads = p->of->plan.leads;
    double error[BLEND_BEST][WEIGHT_LEADS];
    if (n == BLEND_BEST)
        let_in(p, y, at);
    errors(y, at, n, leads, error);
    weigh((const double(*)[WEIGHT_LEADS])error, n, p->recipe.weight);
    for (size_t i = 0; i < n; i++)
        if (counts(&p->recipe.weight[i]))
            at[kept++] = at[i];
    errors(y, at, kept, leads, error);
    weigh((const double(*)[WEIGHT_LEADS])error, kept, p->recipe.weight);
    p->recipe.n = kept;
    for (size_t i = 0; i < kept; i++)
        p->recipe.member[i] = &p->of->list[at[i]];
}

/* ---- how it would have forecast ---- */

static double mean_weight(const struct lead_weights *w)
{
    double sum = 0;
    for (size_t i = 0; i < WEIGHT_LEADS; i++)
        sum += w->at[i];
    return sum / WEIGHT_LEADS;
}

/* At origin o, from what the members forecast there; where the history was too short for
 * some, from the others, if these weigh half or more. counted: its errors are in y; they
 * are not to weigh here. */
static void blend_origin(struct pick *p, const struct truth *t, struct tally *y, size_t o,
                         bool counted)
{
    double error[BLEND_BEST][WEIGHT_LEADS], yhat[HORIZON_MAX] = {0}, known = 0;
    struct lead_weights weight[BLEND_BEST];
    size_t leads = p->of->plan.leads, at[BLEND_BEST], n = 0;
    for (size_t i = 0; i < p->recipe.n; i++) {
        size_t c = pick_index(p, p->recipe.member[i]);
        if (!isfinite(p->of->bt[c].loss[o]))
            continue;
        at[n++] = c;
        known += mean_weight(&p->recipe.weight[i]);
    }
    if (known < 0.5)
        return;
    bool others = counted && p->origins > 1;
    for (size_t i = 0; i < n && others; i++)
        tally(y, p, t, at[i], o, -1);
    errors(y, at, n, leads, error);
    weigh((const double(*)[WEIGHT_LEADS])error, n, weight);
    for (size_t i = 0; i < n; i++) {
        const double *made = p->of->bt[at[i]].yhat + o * leads;
        for (size_t k = 0; k < leads; k++)
            yhat[k] += lead_weight(&weight[i], k) * made[k];
        if (others)
            tally(y, p, t, at[i], o, 1);
    }
    backtest_put(&p->blended, t, TRANSFORM_NONE, o, yhat);
}

void choice_blend(struct pick *p, const struct truth *t, size_t limit)
{
    const struct choice *ch = p->of;
    struct tally y = {0};
    double sum = 0, common = 0;
    bool *counted = xcalloc(ch->plan.n + 1, sizeof *counted);
    for (size_t o = 0; o < ch->plan.n; o++) {
        counted[o] = o < limit && backtest_common(ch->bt, ch->n, p->used, o);
        for (size_t c = 0; c < ch->n && counted[o]; c++)
            if (p->used[c])
                tally(&y, p, t, c, o, 1);
    }
    write_recipe(p, &y);
    if (p->recipe.n < 2)
        goto out;
    p->blend =
        (struct candidate){.name = "blend", .algo = &algo_blend, .recipe = &p->recipe};
    backtest_begin(&p->blended, &ch->plan);
    for (size_t o = 0; o < ch->plan.n; o++) {
        blend_origin(p, t, &y, o, counted[o]);
        sum += counted[o] ? p->blended.loss[o] : 0;
        common += counted[o];
    }
    p->used[ch->n] = true;
    p->mean[ch->n] = sum / common;
out:
    free(counted);
}
