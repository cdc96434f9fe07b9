/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/checks.h"

#include <math.h>

#include "common/ml/score.h"
#include "common/reading.h"

#define LAST (WINDOW_HOURS - 1)

void window_init(struct window *w)
{
    for (int i = 0; i < WINDOW_HOURS; i++) {
        w->y[i] = w->yhat[i] = w->lower[i] = w->upper[i] = NAN;
        w->version[i] = 0;
    }
}

/* The hours [end - n + 1, end] with forecasts of other versions taken out. */
static void cut(const struct window *w, int end, int n, int version, double *y, double *f)
{
    for (int i = 0; i < n; i++) {
        int k = end - n + 1 + i;
        y[i] = w->y[k];
        f[i] = !version || w->version[k] == version ? w->yhat[k] : NAN;
    }
}

/* Absolute errors of the forecasts and of persistence, on the same target hours: those
 * with truth, forecast and the hour before. Returns how many. */
static int pairs(const struct window *w, int end, int version, double own[SKILL_HOURS],
                 double naive[SKILL_HOURS])
{
    int n = 0;
    for (int k = end - SKILL_HOURS + 1; k <= end; k++) {
        double before = k ? w->y[k - 1] : NAN;
        if (isnan(w->y[k]) || isnan(w->yhat[k]) || isnan(before) ||
            (version && w->version[k] != version))
            continue;
        own[n] = fabs(w->yhat[k] - w->y[k]);
        naive[n++] = fabs(before - w->y[k]);
    }
    return n;
}

static void skill(const struct window *w, int end, int version, struct quality *q)
{
    double own[SKILL_HOURS], naive[SKILL_HOURS], mine = 0, its = 0;
    int n = q->skill_n = pairs(w, end, version, own, naive);
    for (int i = 0; i < n; i++) {
        mine += own[i];
        its += naive[i];
    }
    q->skill_24h = n ? score_skill(mine / n, its / n) : NAN;
}

/* As skill_t is told in the header. */
static double skill_t(const struct window *w, int version, double skill_min)
{
    double own[SKILL_HOURS], naive[SKILL_HOURS], mean = 0, var = 0;
    int n = pairs(w, LAST, version, own, naive);
    for (int i = 0; i < n; i++)
        mean += (own[i] -= (1 - skill_min) * naive[i]) / n;
    for (int i = 0; i < n; i++)
        var += (own[i] - mean) * (own[i] - mean) / (n - 1);
    return n > 1 && var > 1e-12 * mean * mean ? mean / sqrt(var / n) : NAN;
}

/* Started at the first error of the 24 hours: 0.8^23 = 0.6 % of it is left at the end,
 * and late data give the same figure as data in time. */
static double ewma(const double *y, const double *f, int n)
{
    double m = NAN;
    for (int i = 0; i < n; i++) {
        double a = fabs(f[i] - y[i]);
        if (!isnan(a))
            m = isnan(m) ? a : EWMA_ALPHA * a + (1 - EWMA_ALPHA) * m;
    }
    return m;
}

void checks_quality(const struct window *w, int end, int version, struct quality *q)
{
    double y[SKILL_HOURS], f[SKILL_HOURS], lower[SKILL_HOURS], upper[SKILL_HOURS];
    *q = (struct quality){0};
    cut(w, end, SKILL_HOURS, version, y, f);
    for (int i = 0; i < SKILL_HOURS; i++) {
        int k = end - SKILL_HOURS + 1 + i;
        lower[i] = isnan(f[i]) ? NAN : w->lower[k];
        upper[i] = isnan(f[i]) ? NAN : w->upper[k];
        if (!isnan(f[i]) && !isnan(y[i]))
            q->version = w->version[k];
    }
    struct score day = score(y, f, SKILL_HOURS);
    struct score half = score(y + SKILL_HOURS - 12, f + SKILL_HOURS - 12, 12);
    struct score four = score(y + SKILL_HOURS - 4, f + SKILL_HOURS - 4, 4);
    q->n = (int)day.n;
    q->missing = (int)day.missing;
    q->mae_4h = four.mae;
    q->rmse_4h = four.rmse;
    q->mae_12h = half.mae;
    q->rmse_12h = half.rmse;
    q->r2_12h = half.r2;
    q->bias_12h = half.bias;
    q->ewma = ewma(y, f, SKILL_HOURS);
    q->coverage = score_coverage(y, lower, upper, SKILL_HOURS);
    skill(w, end, version, q);
}

struct miss checks_miss(double y, double lower, double upper, int version)
{
    if (isnan(y) || isnan(lower) || isnan(upper))
        return (struct miss){0};
    return (struct miss){version, y < lower || y > upper};
}

double checks_z(const struct window *w, int lag, double mean, double sd)
{
    double sum = 0;
    int n = 0;
    if (lag < 1 || LAST - 3 - lag < 0 || !(sd > 0))
        return NAN;
    for (int t = LAST - 3; t <= LAST; t++)
        if (!isnan(w->y[t - lag])) {
            sum += w->y[t - lag];
            n++;
        }
    return n >= 2 ? fabs(sum / n - mean) / sd : NAN;
}

int checks_run(const struct window *w)
{
    int n = 0, first = -1;
    for (int i = LAST; i >= 0; i--) {
        if (isnan(w->y[i]))
            continue;
        if (first < 0)
            first = i;
        if (w->y[i] != w->y[first])
            break;
        n = first - i + 1;
    }
    return first == LAST ? n : 0;
}

/* The longest run of one value among the hours before index end. */
static int longest_run(const struct window *w, int end)
{
    int longest = 0, from = -1;
    for (int i = 0; i < end; i++) {
        if (isnan(w->y[i]))
            continue;
        if (from < 0 || w->y[i] != w->y[from])
            from = i;
        if (i - from + 1 > longest)
            longest = i - from + 1;
    }
    return longest;
}

bool checks_stuck(const struct window *w, const char *quantity, int stuck_h)
{
    int run = checks_run(w), from = WINDOW_HOURS - run;
    const struct quantity *q = quantity_find(quantity);
    double low = INFINITY, high = -INFINITY;
    if (!stuck_h || run < stuck_h)
        return false;
    /* no rain, no light, full humidity: an end of the scale is no fault */
    if (q && (w->y[LAST] <= q->min || w->y[LAST] >= q->max))
        return false;
    for (int i = 0; i < from; i++)
        if (!isnan(w->y[i])) {
            low = fmin(low, w->y[i]);
            high = fmax(high, w->y[i]);
        }
    /* it moved before, and never rested nearly so long */
    return high > low && longest_run(w, from) <= run / 2;
}

static void system0_tests(const struct state_facts *f, struct verdicts *v)
{
    const struct champion *c = f->c;
    v->z_max = NAN;
    for (int i = 0; i < c->n_lags; i++) {
        double z = checks_z(f->w, c->lags[i], c->mean[i], c->sd[i]);
        v->drifted += z > f->r->z;
        v->z_max = fmax(v->z_max, z); /* fmax leaves a NaN out */
    }
    v->system0 =
        v->own.mae_12h > f->r->mae_12h || v->own.ewma > f->r->ewma || v->drifted >= 2;
}

/* A change of the world lasts over a whole day; what ends sooner was weather, or a model
 * that reads yesterday and has got used to it. */
static double mae_before(const struct window *w, int version)
{
    double y[12], f[12];
    cut(w, LAST - 12, 12, version, y, f);
    return score(y, f, 12).mae;
}

int checks_grown_at(const struct champion *c, int grown_at)
{
    int base = c->rows > grown_at ? c->rows : grown_at;
    int half_more = base + base / 2;
    int at = half_more < FULL_HISTORY_H ? half_more : FULL_HISTORY_H;
    return at > base ? at : base + 1;
}

void checks_verdicts(const struct state_facts *f, struct verdicts *v)
{
    const struct champion *c = f->c;
    *v = (struct verdicts){.z_max = NAN, .skill_t = NAN, .mae_12h_before = NAN};
    v->silent = f->silent_h > f->r->gap_h;
    v->stuck_h = checks_run(f->w);
    v->stuck = checks_stuck(f->w, f->quantity, f->r->stuck_h);
    checks_quality(f->w, LAST, c->version, &v->own);
    if (!c->version)
        return;
    v->mae_12h_before = mae_before(f->w, c->version);
    if (f->r->system0) {
        system0_tests(f, v);
    } else {
        double limit = f->r->error_factor * c->lead1_sd;
        v->skill_lost = !c->baseline && v->own.skill_n >= SKILL_MIN_PAIRS &&
                        v->own.skill_24h < f->r->skill_min;
        v->skill_t = skill_t(f->w, c->version, f->r->skill_min);
        v->skill_worse = v->skill_lost && !(v->skill_t <= SKILL_ALERT_T);
        v->error_risen = v->own.n >= SKILL_MIN_PAIRS && v->own.mae_12h > limit &&
                         v->mae_12h_before > limit;
    }
    v->history_grown =
        c->rows < FULL_HISTORY_H && f->hours >= checks_grown_at(c, f->grown_at);
}
