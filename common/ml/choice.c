/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/choice.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/choice_blend.h"

/* Sets tried[]. The first quarter is history for everybody; who needs more begins later.
 */
static struct plan ladder(struct choice *ch, const struct choice_opts *o,
                          const struct truth *t)
{
    size_t least = SIZE_MAX;
    for (size_t c = 0; c < o->n; c++) {
        const struct candidate *who = &o->list[c];
        size_t min = candidate_min_hours(who);
        struct plan p = plan_choice(o->hours, o->horizon, min);
        ch->tried[c] = p.n >= BACKTEST_MIN_ORIGINS &&
                       (candidate_suits(who, t->y, o->hours) ||
                        (o->early && candidate_suits(who, t->y, o->early))) &&
                       (!who->algo->reads_others || ch->beside);
        least = ch->tried[c] && min < least ? min : least;
    }
    least = least > o->hours / 4 ? least : o->hours / 4;
    return plan_choice(o->hours, o->horizon, least);
}

int choice_make(struct choice *ch, const struct choice_opts *o, const struct truth *t)
{
    *ch = (struct choice){.list = o->list, .n = o->n, .window = o->hours};
    ch->beside = t->filled->beside && t->filled->beside->n;
    ch->plan = ladder(ch, o, t);
    for (size_t c = 0; c < o->n; c++) {
        if (ch->tried[c])
            backtest_candidate(&o->list[c], t, o->hours, &ch->plan, &ch->bt[c]);
        if (o->between && !o->between(o->arg, (double)(c + 1) / (double)o->n))
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

/* ---- the pick ---- */

size_t choice_simplest(const struct candidate *list, size_t n, const bool *used,
                       const double *mean)
{
    double least = NAN;
    size_t best = n;
    for (size_t c = 0; c < n; c++)
        if (used[c])
            least = fmin(mean[c], least); /* of a number and NaN, the number */
    for (size_t c = 0; c < n; c++)
        if (used[c] && mean[c] <= least * (1 + CHOICE_TIE) &&
            (best == n || list[c].algo->complexity < list[best].algo->complexity))
            best = c;
    return best;
}

/* Is a baseline as good as candidate i? */
static bool loses_to_baseline(const struct pick *p, size_t i)
{
    for (size_t c = 0; c < p->of->n; c++)
        if (p->used[c] && p->of->list[c].algo->baseline && p->mean[c] <= p->mean[i])
            return true;
    return false;
}

/* The least of many means flatters who has it, which the blend's, made without the origin
 * it is scored at, does not: so the blend goes before what seems somewhat better. But
 * nobody serves who does not beat the baselines. */
static int best(const struct pick *p)
{
    size_t n = p->of->n, one = choice_simplest(p->of->list, n, p->used, p->mean);
    if (!p->used[n])
        return (int)one;
    bool better = p->mean[one] <= p->mean[n] * (1 - BLEND_TIE);
    return better || loses_to_baseline(p, n) ? (int)one : (int)n;
}

static size_t origins_before(const struct plan *plan, size_t hours)
{
    size_t n = 0;
    while (n < plan->n && plan_origin(plan, n) + plan->leads < hours)
        n++;
    return n;
}

void pick_make(struct pick *p, const struct choice *ch, const struct truth *t,
               size_t hours, bool blends)
{
    *p = (struct pick){.of = ch, .best = -1};
    size_t limit = origins_before(&ch->plan, hours);
    size_t enough = blends ? BACKTEST_ENOUGH : 0;
    size_t from = hours > ch->window ? hours - ch->window : 0;
    for (size_t c = 0; c < ch->n; c++) {
        p->suits[c] = candidate_suits(&ch->list[c], t->y + from, hours - from);
        p->used[c] = ch->tried[c] && p->suits[c] && !ch->list[c].prior;
    }
    p->origins = backtest_compare(ch->bt, ch->n, limit, enough, p->used, p->mean);
    size_t least = blends && limit > 1 ? limit : 1; /* of origins; a preset takes any */
    least = least < BACKTEST_MIN_ORIGINS ? least : BACKTEST_MIN_ORIGINS;
    for (size_t c = ch->n; p->origins < least && c-- > 1;) { /* holes: ask less */
        p->used[c] = false;
        p->origins = backtest_compare(ch->bt, ch->n, limit, enough, p->used, p->mean);
    }
    if (p->origins < least)
        return;
    if (blends)
        choice_blend(p, t, limit);
    if (ch->plan.leads >= ch->least_leads)
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
            const char *why = !ch->beside && ch->list[c].algo->reads_others
                                  ? "no other series stands beside this one"
                              : ch->list[c].prior ? "serves where no backtest can tell"
                              : !ch->tried[c] || !p->suits[c] ? CANDIDATE_NOT_TRIED
                              : ch->bt[c].why.code            ? ch->bt[c].why.text
                                                   : "could forecast at too few origins";
            json_object_set_new(row, "left_out", json_string(why));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}
