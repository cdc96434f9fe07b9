/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tools/backtest_work.h"

/* ---- which origins ---- */

/* Has it a forecast there, and did an hour come? */
static bool scored(const struct tracks *all, size_t m, size_t i)
{
    const double *yhat = all->t[m].yhat;
    for (size_t k = 0; yhat && k < all->leads; k++)
        if (isfinite(yhat[i * all->leads + k]) && isfinite(all->y[i * all->leads + k]))
            return true;
    return false;
}

struct counts {
    size_t n[METHODS_MAX]; /* origins at which each could forecast */
    size_t most;
    bool used[METHODS_MAX]; /* it could at half of the origins of the best */
};

static void who_counts(const struct tracks *all, struct counts *c)
{
    *c = (struct counts){0};
    for (size_t m = 0; m < N_METHODS; m++) {
        for (size_t i = 0; i < all->n_origins; i++)
            c->n[m] += scored(all, m, i);
        c->most = c->n[m] > c->most ? c->n[m] : c->most;
    }
    for (size_t m = 0; m < N_METHODS; m++)
        c->used[m] = c->n[m] && 2 * c->n[m] >= c->most;
}

/* Why a method has no figures. */
static void why_not(const struct counts *c, size_t m, const struct track *t, char *why,
                    size_t size)
{
    if (c->used[m])
        snprintf(why, size, "there is no origin at which all could forecast");
    else if (*t->why)
        snprintf(why, size, "%s", t->why);
    else if (!c->most)
        snprintf(why, size, "too many hours are missing: none could be scored");
    else
        snprintf(why, size, "it could forecast at %zu origin%s, others at %zu", c->n[m],
                 c->n[m] == 1 ? "" : "s", c->most);
}

/* Marks those that all of these have in common; returns how many. */
static size_t in_common(const struct tracks *all, const bool *used, bool *common)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n_origins; i++) {
        common[i] = true;
        for (size_t m = 0; m < N_METHODS; m++)
            common[i] = common[i] && (!used[m] || scored(all, m, i));
        n += common[i];
    }
    return n;
}

/* ---- one method ---- */

static double mean(double sum, size_t n)
{
    return n ? sum / (double)n : NAN;
}

/* The common origins' rows of v, one behind the other. */
static void gather(const struct tracks *all, const bool *common, const double *v,
                   double *out)
{
    for (size_t i = 0; i < all->n_origins; i++)
        if (common[i]) {
            memcpy(out, v + i * all->leads, all->leads * sizeof *out);
            out += all->leads;
        }
}

static void by_lead(const double *y, const double *yhat, size_t n, size_t leads,
                    double *mae)
{
    for (size_t k = 0; k < leads; k++) {
        double sum = 0;
        size_t known = 0;
        for (size_t i = k; i < n; i += leads)
            if (isfinite(y[i]) && isfinite(yhat[i])) {
                sum += fabs(y[i] - yhat[i]);
                known++;
            }
        mae[k] = known ? sum / (double)known : NAN;
    }
}

static void inside_by_lead(const double *y, const double *lower, const double *upper,
                           size_t n, size_t leads, struct figures *f)
{
    size_t inside[HORIZON_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(y[i]) || !isfinite(lower[i]) || !isfinite(upper[i]))
            continue;
        f->lead_bands[i % leads]++;
        inside[i % leads] += y[i] >= lower[i] && y[i] <= upper[i];
    }
    for (size_t k = 0; k < leads; k++)
        f->lead_inside[k] = mean((double)inside[k], f->lead_bands[k]);
}

double figures_coverage(const struct figures *f, size_t k)
{
    return f->lead_bands[k] >= COVERAGE_ENOUGH ? f->lead_inside[k] : NAN;
}

static void measure(const struct backtest_opts *o, const struct tracks *all,
                    const bool *common, size_t n_common, const struct track *t,
                    struct figures *f)
{
    size_t n = n_common * all->leads;
    double *y = xmalloc((4 * n + 1) * sizeof *y);
    double *yhat = y + n, *lower = yhat + n, *upper = lower + n;
    gather(all, common, all->y, y);
    gather(all, common, t->yhat, yhat);
    gather(all, common, t->lower, lower);
    gather(all, common, t->upper, upper);
    f->known = true;
    f->s = score(y, yhat, n);
    f->mase = all->q > 0 ? f->s.mae / all->q : NAN;
    f->msis = score_msis(y, lower, upper, n, 1 - o->level / 100, all->q);
    f->coverage = score_coverage(y, lower, upper, n);
    by_lead(y, yhat, n, all->leads, f->lead_mae);
    inside_by_lead(y, lower, upper, n, all->leads, f);
    free(y);
}

static double mae_of(const struct figures *f)
{
    return f->known ? f->s.mae : NAN;
}

static void compare(struct outcome *out)
{
    const struct figures *n2 = &out->f[METHOD_NAIVE2];
    double p = mae_of(&out->f[PERSISTENCE]), s = mae_of(&out->f[SEASONAL_NAIVE]);
    for (size_t m = 0; m < N_METHODS; m++) {
        struct figures *f = &out->f[m];
        f->skill_persistence = score_skill(mae_of(f), p);
        f->skill_seasonal = score_skill(mae_of(f), s);
        f->owa = n2->known ? score_owa(f->s.smape, f->mase, n2->s.smape, n2->mase) : NAN;
    }
}

void outcome_make(struct outcome *out, const struct backtest_opts *o,
                  const struct input_series *s, const struct tracks *all)
{
    struct counts counts;
    bool *common = xcalloc(all->n_origins + 1, sizeof *common);
    *out = (struct outcome){.name = s->name, .hours = s->h.n, .leads = all->leads};
    out->missing = s->h.n - hours_complete(&s->h);
    out->q = all->q;
    who_counts(all, &counts);
    out->origins = in_common(all, counts.used, common);
    out->planned = all->n_origins;
    out->possible = all->possible;
    out->longest = all->longest;
    out->longest_h = all->longest_h;
    out->n_fewest = out->n_most = counts.most;
    for (size_t m = 0; m < N_METHODS; m++)
        if (counts.used[m] && counts.n[m] < out->n_fewest) {
            out->fewest = m;
            out->n_fewest = counts.n[m];
        }
    memcpy(out->chosen, all->chosen, sizeof out->chosen);
    for (size_t m = 0; m < N_METHODS; m++) {
        struct figures *f = &out->f[m];
        f->ms = all->t[m].ms;
        if (counts.used[m] && out->origins)
            measure(o, all, common, out->origins, &all->t[m], f);
        else
            why_not(&counts, m, &all->t[m], f->why, sizeof f->why);
    }
    compare(out);
    free(common);
}

/* ---- over series ---- */

static void add(struct sums *s, const struct outcome *out, size_t m)
{
    const struct figures *f = &out->f[m], *n2 = &out->f[METHOD_NAIVE2];
    const struct figures *p = &out->f[PERSISTENCE], *sn = &out->f[SEASONAL_NAIVE];
    s->n++;
    s->mase += f->mase;
    s->smape += f->s.smape;
    s->ms += f->ms;
    if (isfinite(f->msis)) {
        s->n_msis++;
        s->msis += f->msis;
        s->coverage += f->coverage;
    }
    if (n2->known) {
        s->n_owa++;
        s->owa_mase += f->mase;
        s->owa_smape += f->s.smape;
        s->naive2_mase += n2->mase;
        s->naive2_smape += n2->s.smape;
    }
    if (p->known) {
        s->n_persistence++;
        s->p_mase += f->mase;
        s->persistence_mase += p->mase;
    }
    if (sn->known) {
        s->n_seasonal++;
        s->s_mase += f->mase;
        s->seasonal_mase += sn->mase;
    }
    for (size_t k = 0; k < out->leads; k++) {
        if (isfinite(f->lead_mae[k])) {
            s->lead[k] += f->lead_mae[k] / out->q;
            s->n_lead[k]++;
        }
        if (f->lead_bands[k]) {
            s->inside[k] += f->lead_inside[k];
            s->n_inside[k]++;
            s->bands[k] += f->lead_bands[k];
        }
    }
}

void totals_add(struct totals *t, const struct outcome *out)
{
    bool any = false, every = out->q > 0;
    t->n++;
    for (size_t m = 0; m < N_METHODS; m++) {
        any = any || out->f[m].known;
        every = every && (m >= n_candidates_alone || out->f[m].known);
        t->chosen[m] += out->chosen[m];
    }
    t->none += !any;
    t->constant += any && !(out->q > 0);
    for (size_t m = 0; out->q > 0 && m < N_METHODS; m++)
        if (out->f[m].known)
            add(&t->of[m], out, m);
    t->n_all += every;
    for (size_t c = 0; every && c < n_candidates_alone; c++)
        t->all_mase[c] += out->f[c].mase;
}

void totals_figures(const struct totals *t, size_t m, struct figures *f)
{
    const struct sums *s = &t->of[m];
    *f = (struct figures){.known = s->n};
    f->s.n = s->n;
    f->mase = mean(s->mase, s->n);
    f->s.smape = mean(s->smape, s->n);
    f->ms = mean(s->ms, s->n);
    f->msis = mean(s->msis, s->n_msis);
    f->coverage = mean(s->coverage, s->n_msis);
    f->owa = score_owa(s->owa_smape, s->owa_mase, s->naive2_smape, s->naive2_mase);
    f->skill_persistence = score_skill(s->p_mase, s->persistence_mase);
    f->skill_seasonal = score_skill(s->s_mase, s->seasonal_mase);
    for (size_t k = 0; k < HORIZON_MAX; k++) {
        f->lead_mae[k] = mean(s->lead[k], s->n_lead[k]);
        f->lead_inside[k] = mean(s->inside[k], s->n_inside[k]);
        f->lead_bands[k] = s->bands[k];
    }
}
