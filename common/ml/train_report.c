/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/score.h"
#include "common/ml/train_work.h"

/* Hours left out because the series changed after them. */
static size_t before_change(const struct train_work *w)
{
    return w->system0 ? 0 : w->since;
}

/* Six digits: 17 would be three times as much text for what nobody reads. */
static json_t *short_number(double x)
{
    double unit = pow(10, 5 - floor(log10(fabs(x)))); /* one over it: exact, mostly */
    double six = round(x * unit) / unit;
    return json_number(isfinite(six) ? six : x);
}

static void put_losses(json_t *o, const char *name, const struct backtest *bt)
{
    json_t *row = json_array();
    for (size_t i = 0; i < bt->plan.n; i++)
        json_array_append_new(row, short_number(bt->loss[i]));
    if (bt->plan.n)
        json_object_set_new(o, name, row);
    else
        json_decref(row);
}

/* New object: when the origins were, to which rows of errors are added. */
static json_t *begin_scores(const struct train_work *w, const struct plan *p)
{
    int64_t first_s = w->raw.start_s + (int64_t)p->first * 3600;
    return json_pack("{s:I, s:I}", "first_origin_s", (json_int_t)first_s, "step_h",
                     (json_int_t)p->step);
}

json_t *train_scores(const struct train_work *w)
{
    const struct pick *late = &w->chosen->late;
    json_t *all = begin_scores(w, &w->chosen->choice.plan);
    put_losses(all, w->served->name, pick_backtest(late, w->served));
    put_losses(all, candidates[0].name, &late->of->bt[0]);
    put_losses(all, candidates[1].name, &late->of->bt[1]);
    json_t *held = begin_scores(w, &w->plan);
    put_losses(held, "challenger", &w->challenger);
    put_losses(held, "champion", &w->champions);
    put_losses(held, "persistence", &w->persistence);
    put_losses(held, "seasonal_naive", &w->seasonal);
    return json_pack("{s:o, s:o}", "backtest", all, "holdout", held);
}

json_t *train_evidence(const struct train_work *w)
{
    const struct plan *p = &w->chosen->choice.plan;
    int64_t held_from_s = w->raw.start_s + (int64_t)w->part * 3600;
    return json_pack(
        "{s:s, s:s, s:s, s:O, s:o, s:{s:I, s:I, s:I}, s:I, s:I, s:I, s:I, s:b, s:b}",
        "winner", w->served->name, "judged", w->winner->name, "candidates_version",
        TRAIN_CANDIDATES, "gate", w->gate.evidence, "candidates",
        pick_table(&w->chosen->late, w->q), "backtest", "origins",
        (json_int_t)w->chosen->late.origins, "step", (json_int_t)p->step, "leads",
        (json_int_t)p->leads, "hours_before_change", (json_int_t)before_change(w),
        "holdout_hours", (json_int_t)w->holdout, "holdout_leads",
        (json_int_t)w->plan.leads, "holdout_step", (json_int_t)w->plan.step,
        "champion_saw_holdout", w->champion && w->champion->training.to_s >= held_from_s,
        "challenger_saw_holdout", w->saw_holdout);
}

static void put(json_t *o, const char *name, double x)
{
    if (isfinite(x))
        json_object_set_new(o, name, json_real(x));
}

/* Error at one lead over the holdout's origins. */
static void put_lead(json_t *o, const struct train_work *w, size_t lead)
{
    char name[32];
    double y[512], f[512];
    size_t n = w->plan.n < 512 ? w->plan.n : 512;
    if (lead > w->plan.leads)
        return;
    for (size_t i = 0; i < n; i++) {
        y[i] = w->raw.y[plan_origin(&w->plan, i) + lead];
        f[i] = w->challenger.yhat[i * w->plan.leads + lead - 1];
    }
    snprintf(name, sizeof name, "mae_lead_%zu", lead);
    put(o, name, score(y, f, n).mae);
}

/* A contender's error on the origins that the gate found common to all; NaN if none. */
static double gate_mae(const struct train_work *w, const char *who)
{
    const json_t *v = json_object_get(json_object_get(w->gate.evidence, "mae"), who);
    return json_is_real(v) ? json_real_value(v) : NAN;
}

json_t *train_metrics(const struct train_work *w, const struct model *final)
{
    size_t leads = w->plan.leads, cells = w->plan.n * leads;
    double *y = xmalloc((cells + 1) * sizeof *y);
    for (size_t i = 0; i < cells; i++)
        y[i] = w->raw.y[plan_origin(&w->plan, i / leads) + 1 + i % leads];
    struct score s = score(y, w->challenger.yhat, cells);
    free(y);

    json_t *o = json_object();
    double c = gate_mae(w, "challenger"), p = gate_mae(w, "persistence"),
           n = gate_mae(w, "seasonal_naive");
    put(o, "mae", s.mae);
    put(o, "rmse", s.rmse);
    put(o, "bias", s.bias);
    put(o, "r2", s.r2);
    put(o, "smape", s.smape);
    put(o, "mase", w->q > 0 ? s.mae / w->q : NAN);
    put(o, "coverage", w->coverage);
    put(o, "msis", w->msis);
    put(o, "mae_persistence", p);
    put(o, "mae_seasonal_naive", n);
    put(o, "skill_persistence", score_skill(c, p));
    put(o, "skill_seasonal_naive", score_skill(c, n));
    static const size_t told[] = {1, 6, 12, 24, 48};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        put_lead(o, w, told[i]);
    put(o, "backtest_mae", w->chosen->late.mean[pick_index(&w->chosen->late, w->served)]);
    put(o, "lead1_sd", final->lead1_sd);
    put(o, "rows", (double) final->training.rows);
    if (w->fresh < w->whole.n && !w->system0) /* learned from them or from all */
        put(o, "regime_from_s",
            (double)w->whole.start_s + 3600 * (double)(w->whole.n - w->fresh));
    put(o, "hours", (double)w->raw.n);
    put(o, "missing_hours", (double)(w->raw.n - hours_complete(&w->raw)));
    put(o, "holdout_pairs", (double)s.n);
    return o;
}

static void put_text(json_t *o, const char *name, const char *text)
{
    json_object_set_new(o, name, json_string(text));
}

static void put_count(json_t *o, const char *name, uint64_t n)
{
    char s[24];
    snprintf(s, sizeof s, "%" PRIu64, n);
    put_text(o, name, s);
}

static void put_param(json_t *o, const char *name, double x)
{
    struct buf b;
    buf_init(&b, 64);
    buf_add_real(&b, x);
    put_text(o, name, b.data);
    buf_done(&b);
}

/* "0.41 0.4 0.38 …", by lead. */
static void put_weights(json_t *o, const char *name, const struct lead_weights *w)
{
    struct buf b;
    buf_init(&b, 128);
    for (size_t i = 0; i < WEIGHT_LEADS; i++)
        buf_addf(&b, "%s%.3g", i ? " " : "", w->at[i]);
    put_text(o, name, b.data);
    buf_done(&b);
}

json_t *train_parameters(const struct train_work *w, const struct model *final)
{
    json_t *o = json_object();
    struct buf features;
    put_text(o, "algorithm", final->algo->name);
    put_text(o, "candidate", w->served->name);
    put_text(o, "candidates_version", TRAIN_CANDIDATES);
    put_text(o, "preset", w->preset ? w->preset->name : "");
    for (size_t i = 0; i < final->algo->n_params; i++)
        put_param(o, final->algo->params[i].name, final->params[i]);
    for (size_t i = 0; i < final->n_members; i++) {
        char name[32];
        snprintf(name, sizeof name, "weight_%s", w->served->recipe->member[i]->name);
        put_weights(o, name, &final->weight[i]);
    }
    if (features_columns(&final->features)) {
        char name[FEATURE_NAME_SIZE];
        buf_init(&features, 1024);
        for (size_t i = 0; i < features_columns(&final->features); i++)
            buf_addf(&features, "%s%s", i ? "," : "",
                     features_name(&final->features, i, name));
        put_text(o, "features", features.data);
        put_text(o, "transform",
                 final->features.transform == TRANSFORM_LOG ? "log" : "none");
        buf_done(&features);
    }
    put_count(o, "horizon", w->o->horizon);
    put_param(o, "level", w->o->level);
    put_count(o, "seed", w->o->seed & INT64_MAX);
    put_count(o, "window_hours", w->system0 ? w->raw.n : w->whole.n);
    put_count(o, "hours_before_change", before_change(w));
    put_count(o, "holdout_hours", w->holdout);
    put_count(o, "backtest_origins", w->chosen->late.origins);
    put_count(o, "backtest_step", w->chosen->choice.plan.step);
    return o;
}
