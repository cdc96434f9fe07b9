/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/diagnostics_report.h"

#include <math.h>

#include "common/json.h"
#include "common/ml/diagnostics_work.h"

#define BREUSCH_GODFREY_LAGS 4
#define LJUNG_BOX_LAGS                                                                   \
    24 /* a day; more where more of the target's own lags are fitted                     \
        */

static size_t at_most(size_t want, size_t limit)
{
    return want < limit ? want : limit;
}

static void test_residuals(struct diagnostics *d)
{
    const double *e = d->fit.residual;
    const struct residual_test none = {NAN, NAN};
    size_t n = d->fit.rows, own = d->in->own_lags;
    d->normality = (struct normality){none, NAN, NAN};
    d->spread = d->breusch_godfrey = (struct spread){none, none};
    d->durbin_watson = d->ljung_box = none;
    d->breusch_godfrey_lags = at_most(BREUSCH_GODFREY_LAGS, n / 4);
    d->ljung_box_lags = own + 12 > LJUNG_BOX_LAGS ? own + 12 : LJUNG_BOX_LAGS;
    d->ljung_box_lags = at_most(d->ljung_box_lags, n / 4);

    struct err *er = &d->normality_err;
    if (!residual_normality(e, n, &d->normality, er))
        er->code = ERR_NONE;
    er = &d->spread_err;
    if (!residual_spread(&d->design, e, &d->spread, er))
        er->code = ERR_NONE;
    er = &d->durbin_watson_err;
    if (!residual_durbin_watson(&d->design, e, &d->durbin_watson, er))
        er->code = ERR_NONE;
    er = &d->breusch_godfrey_err;
    if (!residual_breusch_godfrey(&d->design, e, d->breusch_godfrey_lags,
                                  &d->breusch_godfrey, er))
        er->code = ERR_NONE;
    er = &d->ljung_box_err;
    int lags = (int)d->ljung_box_lags;
    if (!residual_ljung_box(e, n, &lags, 1, own, &d->ljung_box, er))
        er->code = ERR_NONE;
}

static void put(json_t *o, const char *name, double x)
{
    json_object_set_new(o, name, json_number(x));
}

static void put_count(json_t *o, const char *name, size_t n)
{
    json_object_set_new(o, name, json_integer((json_int_t)n));
}

static void put_fit(json_t *o, const struct diagnostics *d)
{
    const struct ols_inference *f = &d->fit;
    put_count(o, "rows", f->rows);
    put_count(o, "columns", f->cols);
    put_count(o, "columns_kept", f->rank);
    json_object_set_new(o, "exact", json_boolean(f->exact));
    put_count(o, "hac_lags", f->hac_lags);
    put(o, "r2", f->r2);
    put(o, "r2_adjusted", f->r2_adjusted);
    put(o, "residual_se", f->s);
    put(o, "f", f->f);
    put(o, "f_p", f->f_p);
    put(o, "hac_f", f->hac_f);
    put(o, "hac_f_p", f->hac_f_p);
    put(o, "log_likelihood", f->log_likelihood);
    put(o, "aic", f->aic);
    put(o, "bic", f->bic);
    put(o, "condition", f->condition);
    put(o, "condition_scaled", f->condition_scaled);
    double most = NAN;
    size_t explained = 0;
    for (size_t i = 0; i < d->ties.cols; i++) {
        most = fmax(most, d->ties.tie[i].vif); /* fmax() passes NaN over */
        explained += d->ties.tie[i].state == COLUMN_EXPLAINED;
    }
    put(o, "vif_max", most);
    put_count(o, "columns_explained", explained);
}

static void put_test(json_t *o, const char *name, const char *name_p,
                     const struct residual_test *t)
{
    put(o, name, t->statistic);
    put(o, name_p, t->p);
}

static void put_tests(json_t *o, const struct diagnostics *d)
{
    put_test(o, "jarque_bera", "jarque_bera_p", &d->normality.jarque_bera);
    put(o, "skewness", d->normality.skewness);
    put(o, "kurtosis", d->normality.kurtosis);
    put_test(o, "breusch_pagan", "breusch_pagan_p", &d->spread.lm);
    put_test(o, "breusch_pagan_f", "breusch_pagan_f_p", &d->spread.f);
    put_test(o, "durbin_watson", "durbin_watson_p", &d->durbin_watson);
    put_test(o, "breusch_godfrey", "breusch_godfrey_p", &d->breusch_godfrey.lm);
    put_count(o, "breusch_godfrey_lags", d->breusch_godfrey_lags);
    put_test(o, "ljung_box", "ljung_box_p", &d->ljung_box);
    put_count(o, "ljung_box_lags", d->ljung_box_lags);
}

static json_t *term(const char *name, const struct ols_term *t, double vif)
{
    static const char *const why[] = {
        [COLUMN_CONSTANT] = "constant", [COLUMN_EXPLAINED] = "explained"};
    json_t *o = json_pack("{s:s, s:o, s:o}", "name", name, "coef", json_number(t->coef),
                          "se", json_number(t->se));
    put(o, "t", t->t);
    put(o, "p", t->p);
    put(o, "hac_se", t->hac_se);
    put(o, "hac_z", t->hac_z);
    put(o, "hac_p", t->hac_p);
    put(o, "vif", vif);
    json_object_set_new(o, "left_out",
                        t->state == COLUMN_KEPT ? json_null()
                                                : json_string(why[t->state]));
    return o;
}

static json_t *terms(const struct diagnostics *d)
{
    json_t *a = json_array();
    json_array_append_new(a, term("const", &d->fit.intercept, NAN));
    for (size_t i = 0; i < d->fit.cols; i++)
        json_array_append_new(a,
                              term(d->in->names[i], &d->fit.term[i], d->ties.tie[i].vif));
    return a;
}

static void put_relations(json_t *a, const struct diagnostics *d,
                          const struct collinearity *ties, bool logs)
{
    for (size_t i = 0; i < ties->cols; i++) {
        const struct column_tie *t = &ties->tie[i];
        if (!t->weight || (logs && d->ties.tie[i].weight)) /* told already */
            continue;
        json_t *weights = json_object();
        for (size_t k = 0; k < ties->cols; k++)
            if (t->weight[k] != 0)
                put(weights, d->in->names[k], t->weight[k]);
        json_array_append_new(a, json_pack("{s:s, s:b, s:o, s:o}", "column",
                                           d->in->names[i], "logs", logs, "offset",
                                           json_number(t->offset), "weights", weights));
    }
}

/* On logarithms where columns are much alike, and are not one series at several lags. */
static void find_ties(struct diagnostics *d)
{
    collinearity(&d->design, &d->ties);
    for (size_t i = 0; i < d->ties.cols; i++) {
        if (d->ties.tie[i].vif > COLLINEARITY_MUCH && d->in->own_lags < d->in->cols) {
            collinearity_of_logs(d->in->x, d->in->rows, d->in->cols, &d->log_ties);
            return;
        }
    }
}

json_t *diagnostics_report(const struct diagnostics_in *in, struct err *e)
{
    struct diagnostics d = {.in = in};
    json_t *o = NULL;
    if (design_init(&d.design, in->x, in->rows, in->cols, e) ||
        ols_inference(&d.design, in->y, in->hac_lags, &d.fit, e))
        goto out;
    find_ties(&d);
    test_residuals(&d);
    o = json_object();
    put_fit(o, &d);
    put_tests(o, &d);
    json_object_set_new(o, "terms", terms(&d));
    json_t *relations = json_array();
    put_relations(relations, &d, &d.ties, false);
    put_relations(relations, &d, &d.log_ties, true);
    json_object_set_new(o, "relations", relations);
    json_object_set_new(o, "notes", diagnostics_notes(&d));
out:
    collinearity_done(&d.log_ties);
    collinearity_done(&d.ties);
    ols_inference_done(&d.fit);
    design_done(&d.design);
    return o;
}

json_t *diagnostics_metrics(const json_t *report)
{
    json_t *o = json_object();
    for (void *i = json_object_iter((json_t *)report); i;
         i = json_object_iter_next((json_t *)report, i))
        if (json_is_number(json_object_iter_value(i)))
            put(o, json_object_iter_key(i), json_number_value(json_object_iter_value(i)));
    return o;
}
