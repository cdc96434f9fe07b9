/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_candidates: every candidate on every series of a file, as training would try
 * it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/backtest.h"
#include "common/ml/score.h"
#include "common/ml/train.h"
#include "common/plain.h"
#include "tools/backtest.h"
#include "tools/backtest_input.h"
#include "tools/backtest_rows.h"
#include "tools/progress.h"

/* What came of one candidate on one series. */
struct result {
    const char *left_out; /* why; NULL: scored */
    struct score score;
    double mase;
};

struct run {
    const struct backtest_opts *o;
    FILE *rows, *table;
    json_t *json;
    double mase_sum[CANDIDATES_MAX];
    size_t mase_n; /* series where every candidate counts */
    struct progress progress;
    uint64_t done;
};

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

static bool all_positive(const struct hours *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->y[i] <= 0)
            return false;
    return true;
}

/* Sets tried[]; returns the plan that they share. */
static struct plan ladder(const struct run *r, const struct hours *h, bool *tried)
{
    size_t need = 1, wanted = (size_t)(r->o->origins < 3 ? r->o->origins : 3);
    for (size_t c = 0; c < n_candidates; c++) {
        size_t min = candidate_min_hours(&candidates[c]);
        tried[c] = make_plan(r->o, h->n, min).n >= wanted &&
                   (candidates[c].features.transform != TRANSFORM_LOG || all_positive(h));
        if (tried[c] && min > need)
            need = min;
    }
    return make_plan(r->o, h->n, need);
}

/* Errors at the origins that all have in common. */
static struct result score_one(const struct backtest *bt, const bool *common,
                               const double *y, double q)
{
    size_t leads = bt->plan.leads, n = 0;
    double *truth = xmalloc((bt->plan.n * leads + 1) * sizeof *truth);
    double *yhat = xmalloc((bt->plan.n * leads + 1) * sizeof *yhat);
    for (size_t i = 0; i < bt->plan.n; i++) {
        for (size_t k = 0; common[i] && k < leads; k++, n++) {
            truth[n] = y[bt->plan.first + i * bt->plan.step + 1 + k];
            yhat[n] = bt->yhat[i * leads + k];
        }
    }
    struct result res = {.score = score(truth, yhat, n)};
    res.mase = q > 0 ? res.score.mae / q : NAN;
    free(truth);
    free(yhat);
    return res;
}

static void write_rows(const struct run *r, const struct input_series *s, const double *y,
                       const char *candidate, const struct backtest *bt)
{
    for (size_t i = 0; i < bt->plan.n; i++) {
        size_t origin = bt->plan.first + i * bt->plan.step;
        for (size_t k = 0; k < bt->plan.leads; k++)
            if (isfinite(bt->yhat[i * bt->plan.leads + k]))
                rows_put(r->rows, s->name, candidate,
                         s->h.start_s + (int64_t)origin * 3600, k + 1,
                         bt->yhat[i * bt->plan.leads + k], y[origin + 1 + k]);
    }
}

static void print_series(const struct run *r, const struct input_series *s,
                         size_t origins, const struct result *res)
{
    size_t best = n_candidates;
    for (size_t c = 0; c < n_candidates; c++)
        if (!res[c].left_out &&
            (best == n_candidates || res[c].score.mae < res[best].score.mae))
            best = c;
    plain_put(r->table, s->name);
    fprintf(r->table, ": %zu hours, %zu missing; %zu origins, %" PRId64 " hours ahead\n",
            s->h.n, s->h.n - hours_complete(&s->h), origins, r->o->horizon);
    fprintf(r->table, "  %-20s %12s %12s %9s %9s\n", "candidate", "MAE", "RMSE", "R2",
            "MASE");
    for (size_t c = 0; c < n_candidates; c++) {
        if (res[c].left_out)
            fprintf(r->table, "  %-20s left out: %s\n", candidates[c].name,
                    res[c].left_out);
        else
            fprintf(r->table, "%s %-20s %12.6g %12.6g %9.4f %9.4f\n",
                    c == best ? "*" : " ", candidates[c].name, res[c].score.mae,
                    res[c].score.rmse, res[c].score.r2, res[c].mase);
    }
    fputc('\n', r->table);
}

static void add_json(struct run *r, const struct input_series *s, size_t origins,
                     const struct result *res)
{
    json_t *list = json_array();
    for (size_t c = 0; c < n_candidates; c++) {
        const char *name = candidates[c].name;
        const struct score *k = &res[c].score;
        json_array_append_new(
            list,
            res[c].left_out
                ? json_pack("{s:s, s:s}", "name", name, "left_out", res[c].left_out)
                : json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name", name, "n",
                            (json_int_t)k->n, "mae", json_number(k->mae), "rmse",
                            json_number(k->rmse), "bias", json_number(k->bias), "r2",
                            json_number(k->r2), "smape", json_number(k->smape), "mase",
                            json_number(res[c].mase)));
    }
    json_array_append_new(json_object_get(r->json, "series"),
                          json_pack("{s:s, s:I, s:I, s:I, s:o}", "series", s->name,
                                    "hours", (json_int_t)s->h.n, "missing",
                                    (json_int_t)(s->h.n - hours_complete(&s->h)),
                                    "origins", (json_int_t)origins, "candidates", list));
}

static void report(struct run *r, const struct input_series *s, size_t origins,
                   const struct result *res)
{
    bool all = true;
    for (size_t c = 0; c < n_candidates; c++)
        all = all && !res[c].left_out && isfinite(res[c].mase);
    for (size_t c = 0; all && c < n_candidates; c++)
        r->mase_sum[c] += res[c].mase;
    r->mase_n += all;
    if (r->o->json)
        add_json(r, s, origins, res);
    else
        print_series(r, s, origins, res);
}

static void one_series(struct run *r, struct input_series *s)
{
    struct backtest bt[CANDIDATES_MAX] = {0};
    struct result res[CANDIDATES_MAX] = {0};
    bool used[CANDIDATES_MAX] = {false};
    double mean[CANDIDATES_MAX];
    struct hours filled = {0};
    hours_trim(&s->h);
    struct plan plan = ladder(r, &s->h, used);
    if (s->h.n && hours_copy(&filled, &s->h, NULL) == 0)
        hours_interpolate(&filled, TRAIN_MAX_GAP);
    const struct truth truth = {&filled, s->h.y};
    for (size_t c = 0; c < n_candidates; c++) {
        res[c].left_out =
            used[c] ? NULL : "not enough history, or not all values positive";
        if (used[c]) {
            backtest_candidate(&candidates[c], &truth, TRAIN_WINDOW_HOURS, &plan, &bt[c]);
            write_rows(r, s, s->h.y, candidates[c].name, &bt[c]);
        }
        r->done++;
        progress_if_long(&r->progress, r->done, clock_mono_ms());
    }
    bool *common = xcalloc(plan.n + 1, sizeof *common);
    size_t origins = backtest_compare(bt, n_candidates, plan.n, used, mean);
    double q = score_scale(s->h.y, plan.n ? plan.first + 1 : 0, 24);
    for (size_t i = 0; i < plan.n; i++)
        common[i] = backtest_common(bt, n_candidates, used, i);
    for (size_t c = 0; c < n_candidates; c++) {
        if (used[c] && origins)
            res[c] = score_one(&bt[c], common, s->h.y, q);
        else if (!res[c].left_out)
            res[c].left_out =
                bt[c].why.code ? bt[c].why.text : "too many hours are missing";
    }
    report(r, s, origins, res);
    for (size_t c = 0; c < n_candidates; c++)
        backtest_done(&bt[c]);
    free(common);
    hours_done(&filled);
}

/* Over all series with equal weight, those where every candidate has a MASE. */
static void summary(struct run *r, size_t n_series)
{
    if (r->o->json) {
        json_t *mean = json_object();
        for (size_t c = 0; r->mase_n && c < n_candidates; c++)
            json_object_set_new(mean, candidates[c].name,
                                json_number(r->mase_sum[c] / (double)r->mase_n));
        json_object_set_new(
            r->json, "mean_mase",
            json_pack("{s:I, s:o}", "series", (json_int_t)r->mase_n, "candidates", mean));
        struct buf b;
        buf_init(&b, (size_t)1 << 30);
        json_write(&b, r->json);
        plain_put(r->table, b.data);
        fputc('\n', r->table);
        buf_done(&b);
        return;
    }
    if (n_series < 2 || !r->mase_n)
        return;
    fprintf(r->table, "mean MASE over the %zu of %zu series that all could forecast\n",
            r->mase_n, n_series);
    for (size_t c = 0; c < n_candidates; c++)
        fprintf(r->table, "  %-20s %9.4f\n", candidates[c].name,
                r->mase_sum[c] / (double)r->mase_n);
}

int backtest_candidates(const struct backtest_opts *o, struct err *e)
{
    struct input in;
    struct run r = {.o = o};
    int64_t begun_ms = clock_mono_ms();
    int rc = -1;
    if (input_read(&o->file, &in, e))
        return -1;
    if (rows_open(o->output, &r.rows, e))
        goto out;
    r.table = r.rows == stdout ? stderr : stdout; /* two tables must not mix */
    r.json = json_pack("{s:s, s:[]}", "candidates_version", TRAIN_CANDIDATES, "series");
    progress_init(&r.progress, "backtest", "fits", in.n * n_candidates, begun_ms);
    for (size_t i = 0; i < in.n; i++)
        one_series(&r, &in.s[i]);
    if (r.progress.drawn)
        progress_end(&r.progress, r.done, clock_mono_ms());
    if (!in.n)
        err_set(e, ERR_INVALID, "%.100s holds no series", o->file.path);
    else
        summary(&r, in.n);
    rc = rows_close(r.rows, o->output, e) || !in.n ? -1 : 0;
out:
    json_decref(r.json);
    input_done(&in);
    return rc;
}
