/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_diagnostics: what a run tells of its series' regression on the last hours and the
 * day before, whatever model serves. */
#include <stdio.h>

#include "common/ml/diagnostics_lags.h"
#include "common/ml/diagnostics_report.h"
#include "common/ml/train_work.h"

/* What is told as metrics, each a row in the registry: not what is the same in each run
 * (the numbers of lags), nor what another one says (the log-likelihood beside aic). Each
 * is called diag_ and its name in the report, for some are also the forecast's. */
static void put_metrics(json_t *metrics, const json_t *report)
{
    static const char *const told[] = {
        "rows",
        "r2",
        "r2_adjusted",
        "residual_se",
        "f",
        "f_p",
        "hac_f",
        "hac_f_p",
        "aic",
        "bic",
        "vif_max",
        "condition_scaled",
        "jarque_bera",
        "jarque_bera_p",
        "breusch_pagan",
        "breusch_pagan_p",
        "durbin_watson",
        "breusch_godfrey",
        "breusch_godfrey_p",
        "ljung_box",
        "ljung_box_p",
    };
    json_t *all = diagnostics_metrics(report); /* without what is not known */
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        char ours[64];
        snprintf(ours, sizeof ours, "diag_%s", told[i]);
        json_object_set(metrics, ours, json_object_get(all, told[i]));
    }
    json_decref(all);
}

/* How far each coefficient can be trusted, and how much it stands for others; the rest is
 * in `fieldcast diagnose`. */
static json_t *terms(const json_t *report)
{
    static const char *const told[] = {"name",   "coef",  "se", "p",
                                       "hac_se", "hac_p", "vif"};
    json_t *out = json_array(), *term;
    size_t i;
    json_array_foreach(json_object_get(report, "terms"), i, term)
    {
        json_t *o = json_object();
        for (size_t k = 0; k < sizeof told / sizeof *told; k++)
            json_object_set(o, told[k], json_object_get(term, told[k]));
        json_array_append_new(out, o);
    }
    return out;
}

void train_diagnostics(const struct train_work *w, json_t *metrics, json_t *evidence)
{
    json_t *report = diagnostics_lags_report(w->o->series, &w->filled, diagnostics_lags,
                                             DIAGNOSTICS_LAGS, NULL);
    if (!report) /* too few rows, or all are equal: there is nothing to tell */
        return;
    put_metrics(metrics, report);
    json_object_set_new(evidence, "diagnostics",
                        json_pack("{s:o, s:O}", "terms", terms(report), "notes",
                                  json_object_get(report, "notes")));
    json_decref(report);
}
