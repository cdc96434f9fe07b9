/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_json: what the tables say, with all digits. */
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/plain.h"
#include "tools/backtest_work.h"

#define REPORT_BYTES (1u << 20)

static void add_ratios(json_t *o, const struct figures *f)
{
    json_object_set_new(o, "smape", json_number(f->s.smape));
    json_object_set_new(o, "mase", json_number(f->mase));
    json_object_set_new(o, "owa", json_number(f->owa));
    json_object_set_new(o, "msis", json_number(f->msis));
    json_object_set_new(o, "coverage", json_number(f->coverage));
    json_object_set_new(o, "skill_persistence", json_number(f->skill_persistence));
    json_object_set_new(o, "skill_seasonal_naive", json_number(f->skill_seasonal));
    json_object_set_new(o, "ms", json_number(f->ms));
}

/* null where there are too few hours to say. */
static json_t *coverage_json(const struct figures *f, size_t leads)
{
    double share[HORIZON_MAX];
    for (size_t k = 0; k < leads; k++)
        share[k] = figures_coverage(f, k);
    return json_reals(share, leads);
}

static json_t *method_json(const struct backtest_opts *o, size_t m,
                           const struct outcome *out)
{
    const struct figures *f = &out->f[m];
    const struct score *s = &f->s;
    if (!f->known)
        return json_pack("{s:s, s:s}", "name", method_name(o, m), "left_out", f->why);
    json_t *one =
        json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "name", method_name(o, m), "n",
                  (json_int_t)s->n, "missing", (json_int_t)s->missing, "mae",
                  json_number(s->mae), "rmse", json_number(s->rmse), "bias",
                  json_number(s->bias), "r2", json_number(s->r2));
    add_ratios(one, f);
    if (o->leads) {
        json_object_set_new(one, "mae_leads", json_reals(f->lead_mae, out->leads));
        json_object_set_new(one, "coverage_leads", coverage_json(f, out->leads));
    }
    return one;
}

static json_t *chosen_json(const struct backtest_opts *o, const size_t *chosen)
{
    json_t *all = json_object();
    for (size_t m = 0; m < method_count(o); m++)
        if (chosen[m])
            json_object_set_new(all, method_name(o, m),
                                json_integer((json_int_t)chosen[m]));
    return all;
}

void report_series_json(struct buf *b, const struct backtest_opts *o,
                        const struct outcome *out)
{
    json_t *list = json_array();
    char *shown = plain_utf8(out->name);
    for (size_t m = 0; m < method_count(o); m++)
        json_array_append_new(list, method_json(o, m, out));
    json_t *one =
        json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "series", json_text(shown),
                  "hours", (json_int_t)out->hours, "missing", (json_int_t)out->missing,
                  "origins", (json_int_t)out->origins, "scale", json_number(out->q),
                  "chosen", chosen_json(o, out->chosen), "candidates", list);
    json_write(b, one);
    json_decref(one);
    free(shown);
}

static json_t *overall_json(const struct backtest_opts *o, const struct totals *t)
{
    size_t leads = (size_t)(o->holdout ? o->holdout : o->horizon);
    json_t *list = json_array();
    for (size_t m = 0; m < method_count(o); m++) {
        struct figures f;
        totals_figures(t, m, &f);
        json_t *one = json_pack("{s:s, s:I}", "name", method_name(o, m), "series",
                                (json_int_t)f.s.n);
        add_ratios(one, &f);
        if (o->leads) {
            json_object_set_new(one, "mase_leads", json_reals(f.lead_mae, leads));
            json_object_set_new(one, "coverage_leads", coverage_json(&f, leads));
        }
        json_array_append_new(list, one);
    }
    return list;
}

void report_totals_json(FILE *to, const struct backtest_opts *o, const struct totals *t)
{
    struct buf b;
    json_t *mean = json_object();
    for (size_t c = 0; t->n_all && c < n_candidates_alone; c++)
        json_object_set_new(mean, candidates[c].name,
                            json_number(t->all_mase[c] / (double)t->n_all));
    json_t *all =
        json_pack("{s:I, s:I, s:I, s:o, s:o, s:{s:I, s:o}}", "n_series", (json_int_t)t->n,
                  "not_scored", (json_int_t)t->none, "constant", (json_int_t)t->constant,
                  "overall", overall_json(o, t), "chosen", chosen_json(o, t->chosen),
                  "mean_mase", "series", (json_int_t)t->n_all, "candidates", mean);
    buf_init(&b, REPORT_BYTES);
    json_write(&b, all);
    fwrite(b.data + 1, 1, b.len - 2, to); /* without its braces */
    buf_done(&b);
    json_decref(all);
}
