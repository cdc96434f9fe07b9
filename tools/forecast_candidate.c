/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast_candidate.h"

#include <stdio.h>
#include <string.h>

#include "common/ml/choice.h"
#include "common/ml/conformal.h"
#include "common/ml/presets.h"
#include "common/ml/scales.h"

static const char *const of_presets[] = {"holt_winters", "theta"};
#define N_OF_PRESETS (sizeof of_presets / sizeof *of_presets)

/* Known elsewhere, but not to be had here. */
static const struct {
    const char *name, *why;
} refused[] = {
    {"direct_others", "reads the series beside it, but those of a file are forecast one "
                      "by one"},
    {"blend", "is made of what compares best: leave --candidate out"},
    {"boost", "can only be made by the trainer service"},
    {"forest", "can only be made by the trainer service"},
};

void forecast_candidate_names(struct buf *b)
{
    for (size_t i = 0; i < n_candidates_alone; i++)
        buf_addf(b, "%s, ", candidates[i].name);
    for (size_t i = 0; i < N_OF_PRESETS; i++)
        buf_addf(b, "%s%s", i ? ", " : "", of_presets[i]);
}

const struct candidate *forecast_candidate(const char *name, struct err *e)
{
    struct buf b;
    for (size_t i = 0; i < n_candidates_alone; i++)
        if (!strcmp(candidates[i].name, name))
            return &candidates[i];
    for (size_t i = 0; i < N_OF_PRESETS; i++)
        if (!strcmp(of_presets[i], name)) {
            const struct preset *p = preset_find(name);
            return &p->list[p->n - 1];
        }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strcmp(refused[i].name, name)) {
            err_set(e, ERR_INVALID, "--candidate %s: %s", name, refused[i].why);
            return NULL;
        }
    buf_init(&b, 4096);
    forecast_candidate_names(&b);
    err_set(e, ERR_INVALID, "--candidate must be one of %s, not \"%.40s\"", b.data, name);
    buf_done(&b);
    return NULL;
}

static int check(const struct candidate *c, const struct hours *h,
                 const struct train_opts *o, struct err *e)
{
    double low, high;
    size_t n = hours_complete(h), need = candidate_min_hours(c);
    need = need < TRAIN_MIN_HOURS ? TRAIN_MIN_HOURS : need;
    if (n < need)
        return err_kind(e, ERR_CONFLICT, "no_model_yet",
                        "%s has %zu complete hour%s, %s needs %zu", o->series, n,
                        n == 1 ? "" : "s", c->name, need);
    hours_range(h, &low, &high);
    if (c->features.transform == TRANSFORM_LOG && low <= 0)
        return err_set(e, ERR_INVALID,
                       "%s has the value %g, %s takes logarithms: all must be positive",
                       o->series, low, c->name);
    return 0;
}

static void set_band(const struct candidate *c, const struct truth *t,
                     const struct train_opts *o, struct model *m)
{
    double half[HORIZON_MAX];
    struct choice ch;
    if (choice_make(&ch,
                    &(struct choice_opts){
                        .list = c, .n = 1, .hours = t->filled->n, .horizon = o->horizon},
                    t))
        return; /* only a caller that watches can stop it */
    const struct plan *p = &ch.plan;
    if (ch.tried[0] &&
        conformal_widths(ch.bt[0].residual, p->n, p->leads, o->level, half))
        model_set_band(m, half, p->leads, o->level); /* beyond, it grows with the root */
    choice_done(&ch);
}

int forecast_alone(const struct candidate *c, const struct hours *h,
                   const struct train_opts *o, struct train_result *r, struct err *e)
{
    struct hours whole = {0}, filled = {0};
    struct scales scales = {0};
    int rc = -1;
    *r = (struct train_result){0};
    if (h->n && hours_copy(&whole, h, e))
        goto out;
    train_window(&whole, NULL, NULL);
    if (check(c, &whole, o, e) || hours_copy(&filled, &whole, e))
        goto out;
    hours_interpolate(&filled, TRAIN_MAX_GAP);
    scales_init(&scales, &filled);
    filled.scales = &scales;
    r->model = candidate_model(c, o->series);
    if (c->algo->fit(r->model, &filled, e))
        goto out;
    const struct truth t = {&filled, whole.y};
    set_band(c, &t, o, r->model);
    r->model->level = o->level;
    r->metrics = json_object();
    r->parameters = json_pack("{s:s}", "candidate", c->name);
    snprintf(r->reason, sizeof r->reason, "%s was asked for", c->name);
    rc = 0;
out:
    if (rc)
        train_result_done(r);
    scales_done(&scales);
    hours_done(&filled);
    hours_done(&whole);
    return rc;
}
