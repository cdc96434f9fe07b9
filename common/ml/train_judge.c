/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_judge: how good a candidate is over the holdout, beside the others. */
#include <math.h>

#include "common/ml/score.h"
#include "common/ml/train_work.h"

#define GATE_BLOCK_HOURS 24
#define GATE_MARGIN 0.01
#define GATE_DRAWS 2000
#define WARY_GAIN 0.1
#define MUCH_BETTER 0.5 /* of the champion's error */

bool train_is_simple(const struct algo *a)
{
    for (size_t c = 0; c < n_candidates; c++)
        if ((candidates[c].fallback || candidates[c].prior) && candidates[c].algo == a)
            return true;
    return false;
}

/* Was it fitted to none of the holdout's hours? */
static bool champion_is_older(const struct train_work *w)
{
    int64_t part_end_s = w->raw.start_s + ((int64_t)w->part - 1) * 3600;
    return w->champion && w->champion->training.to_s <= part_end_s;
}

/* The best of them; of->n: no two of them could be compared, or at too few origins. */
static size_t fallback_of(const struct pick *p)
{
    bool used[CANDIDATES_MAX];
    size_t n = 0;
    for (size_t c = 0; c < p->of->n; c++) {
        used[c] = p->used[c] && p->of->list[c].fallback;
        n += used[c];
    }
    return n > 1 && p->origins >= BACKTEST_MIN_ORIGINS
               ? choice_simplest(p->of->list, p->of->n, used, p->mean)
               : p->of->n;
}

void train_judge(struct train_work *w, const struct candidate *c, bool in_place)
{
    struct err e = ERR_INIT;
    size_t block = GATE_BLOCK_HOURS / w->plan.step;
    bool wary = in_place && w->champion && !train_is_simple(w->champion->algo) &&
                w->plan.n >= 2 * block;
    struct hours part = hours_part(&w->filled, 0, w->part);
    w->winner = c;
    w->saw_holdout = w->compared ||
                     (in_place && fallback_of(&w->chosen->early) == w->chosen->choice.n);
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
            .champion_is_baseline = w->champion && train_is_simple(w->champion->algo),
            .n = w->plan.n,
            .block = block,
            .champion_is_older = !wary && champion_is_older(w),
            .margin = wary ? INFINITY : GATE_MARGIN,
            .least = wary ? WARY_GAIN : 0,
            .confidence = 0.95,
            .draws = GATE_DRAWS,
            .seed = w->o->seed & INT64_MAX,
        },
        &w->gate);
}

/* Can it forecast from the newest hour? */
static bool can_serve(const struct train_work *w, const struct candidate *c)
{
    double yhat[HORIZON_MAX];
    struct model *m = candidate_model(c, w->o->series);
    bool can = !m->algo->fit(m, &w->filled, NULL) &&
               !model_points(m, &w->filled, w->o->horizon, yhat, NULL);
    model_free(m);
    return can;
}

const struct candidate *train_prior(const struct train_work *w)
{
    const struct choice *ch = &w->chosen->choice;
    size_t best = 0;
    for (size_t c = 0; c < ch->n; c++)
        if (ch->list[c].prior && can_serve(w, &ch->list[c]))
            best = c;
    return &ch->list[best];
}

/* The better baseline over the holdout, if it has half the champion's error there at the
 * most; NULL: it has not. */
static const struct candidate *much_better_there(const struct train_work *w)
{
    const struct backtest of[] = {w->persistence, w->seasonal, w->champions};
    bool used[] = {true, true, w->champion != NULL};
    double mean[3];
    backtest_compare(of, 3, w->plan.n, 0, used, mean);
    int best = used[1] && !(mean[0] <= mean[1]);
    return mean[best] <= MUCH_BETTER * mean[2] ? &candidates[best] : NULL;
}

const struct candidate *train_best_fallback(const struct train_work *w)
{
    const struct choice *ch = &w->chosen->choice;
    const struct candidate *there =
        w->compared && !w->preset ? much_better_there(w) : NULL;
    if (there)
        return there;
    size_t early = fallback_of(&w->chosen->early), late = fallback_of(&w->chosen->late);
    return &ch->list[early < ch->n ? early : late < ch->n ? late : 0];
}

void train_score_others(struct train_work *w)
{
    const struct truth all = {&w->whole_filled, w->whole.y};
    struct plan plan = w->plan;
    plan.first += w->since;
    backtest_candidate(&candidates[0], &w->truth, w->raw.n, &w->plan, &w->persistence);
    backtest_candidate(&candidates[1], &w->truth, w->raw.n, &w->plan, &w->seasonal);
    if (w->champion)
        backtest_model(w->champion, &all, &plan, &w->champions);
}
