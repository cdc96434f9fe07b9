/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile: what is usual at each hour of the week, and a regression on how far the newest
 * hours were from that (regression with autoregressive errors, the seasons removed by
 * their means as in classical decomposition; Hyndman and Athanasopoulos 2021, 3.4, 10.2).
 *
 *     z[t] = usual[hour of the week] + r[t],  r[t] by ridge on r[t-1], r[t-2], ...
 *
 * What is usual is taken from what lies above or below the mean of the week around: first
 * that of the hour of the day, then that of the hour of the week of what is left. From a
 * few weeks such means are largely chance. So each is drawn towards 0 by what the spread
 * of its hours lets expect of chance (random effects, their variance by the method of
 * moments; Searle, Casella and McCulloch 1992, 3): a series that does not know the week
 * gets none. */
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/gram.h"
#include "common/ml/linear.h"
#include "common/ml/sums.h"

#define DAY 24
#define WEEK 168
#define MIN_HOURS WEEK
#define WEEKS_FROM (2 * WEEK) /* hours; with less, the days alone */
/* What is left of what is always as usual, for each unit of what is: rounding. */
#define NOTHING_LEFT 1e-9

/* What hours lie above the level around them, added up by hour of the week; missing ones
 * left out. */
struct bins {
    double sum[WEEK], count[WEEK], square; /* square: of all */
};

struct learnt {
    struct linear_hours hours;
    unsigned char *how;  /* hour of the week of each hour; owned */
    double *sum, *count; /* of the values before hour t, t from 0 to n; owned */
    double *left;        /* n, room for a fit; owned */
    struct bins settled; /* of the first n_settled, around which a whole week is known */
    size_t n_settled;
};

static void *begin(const struct model *m)
{
    struct learnt *l = xcalloc(1, sizeof *l);
    linear_hours_init(&l->hours, &m->features);
    return l;
}

static void end(void *learnt)
{
    struct learnt *l = learnt;
    linear_hours_done(&l->hours);
    free(l->how);
    free(l->sum);
    free(l->count);
    free(l->left);
    free(l);
}

/* Hour t less the mean of those that are there in the `span` around it, of which the two
 * at the ends count half; at either end of the n hours, less that of the last whole span.
 */
static void add_to_bins(const struct learnt *l, size_t t, size_t n, size_t span,
                        struct bins *b)
{
    const double *sum = l->sum, *count = l->count;
    size_t half = span / 2, mid = t < half ? half : t + half >= n ? n - 1 - half : t;
    size_t from = mid - half, to = mid + half;
    double level = (sum[to + 1] + sum[to] - sum[from + 1] - sum[from]) /
                   (count[to + 1] + count[to] - count[from + 1] - count[from]);
    double x = l->hours.z[t] - level;
    if (!isfinite(x))
        return;
    b->sum[l->how[t]] += x;
    b->count[l->how[t]]++;
    b->square += x * x;
}

static void take(void *learnt, const struct hours *h)
{
    struct learnt *l = learnt;
    size_t t = l->hours.n, n = h->n;
    l->how = xrealloc(l->how, n + 1);
    l->sum = xrealloc(l->sum, (n + 1) * sizeof *l->sum);
    l->count = xrealloc(l->count, (n + 1) * sizeof *l->count);
    l->left = xrealloc(l->left, (n + 1) * sizeof *l->left);
    l->sum[0] = l->count[0] = 0;
    for (; linear_hours_next(&l->hours, h); t++) {
        double z = l->hours.z[t];
        int64_t t_s = h->start_s + (int64_t)t * 3600;
        l->how[t] = (unsigned char)features_week_hour(h->zone, t_s);
        l->sum[t + 1] = l->sum[t] + (isfinite(z) ? z : 0);
        l->count[t + 1] = l->count[t] + isfinite(z);
    }
    for (; n > WEEK && l->n_settled + WEEK / 2 < n; l->n_settled++)
        add_to_bins(l, l->n_settled, n, WEEK, &l->settled);
}

/* ---- what is usual ---- */

/* The means by hour of the week modulo `period`, less that of all, each drawn towards 0;
 * taken off what is in the bins, and added to usual[]. */
static void take_usual_off(struct bins *b, size_t period, double usual[WEEK])
{
    double mean[WEEK] = {0}, count[WEEK] = {0}; /* mean: first the sum */
    double all = 0, there = 0, grand = 0, within = b->square, between = 0, chance = 0;
    for (size_t i = 0; i < WEEK; i++) {
        mean[i % period] += b->sum[i];
        count[i % period] += b->count[i];
        grand += b->sum[i];
        all += b->count[i];
    }
    grand /= all;
    for (size_t i = 0; i < period; i++)
        there += count[i] > 0;
    for (size_t i = 0; i < period; i++)
        if (count[i] > 0) {
            within -= mean[i] * mean[i] / count[i];
            mean[i] = mean[i] / count[i] - grand;
            between += mean[i] * mean[i] / there;
            chance += 1 / count[i] / there;
        }
    within = all > there ? fmax(within, 0) / (all - there) : INFINITY;
    double real = fmax(between - within * chance, 0);
    for (size_t i = 0; i < period; i++)
        mean[i] *= real > 0 && count[i] > 0 ? real / (real + within / count[i]) : 0;
    for (size_t i = 0; i < WEEK; i++) {
        double off = mean[i % period];
        b->square += off * (off * b->count[i] - 2 * b->sum[i]);
        b->sum[i] -= off * b->count[i];
        usual[i] += off;
    }
}

static void make_usual(const struct learnt *l, double usual[WEEK])
{
    size_t n = l->hours.n;
    bool weeks = n >= WEEKS_FROM;
    struct bins b = weeks ? l->settled : (struct bins){.square = 0};
    for (size_t t = weeks ? l->n_settled : 0; t < n; t++)
        add_to_bins(l, t, n, weeks ? WEEK : DAY, &b);
    memset(usual, 0, WEEK * sizeof *usual);
    take_usual_off(&b, DAY, usual);
    if (weeks)
        take_usual_off(&b, WEEK, usual);
}

/* ---- the regression ---- */

/* A column for each lag, and the target behind them, of the rows in which all are there.
 */
struct columns {
    size_t cols, rows;
    const double *of[FEATURES_MAX + 1]; /* into what follows */
    double level;     /* the first row's target; taken off all, so that digits are kept */
    double spread;    /* of what is usual */
    double *gathered; /* owned */
};

/* Where hours are missing the columns are not just the series, moved. */
static void gather(struct columns *c, const struct learnt *l)
{
    const struct feature_spec *s = &l->hours.spec;
    size_t n = l->hours.n, reach = l->hours.reach, cap = n - reach, rows = 0;
    c->gathered = xmalloc(c->cols * cap * sizeof *c->gathered);
    for (size_t t = reach; t < n; t++) {
        double *at = c->gathered + rows, sum = at[s->n_lags * cap] = l->left[t];
        for (size_t i = 0; i < s->n_lags; i++)
            sum += at[i * cap] = l->left[t - (size_t)s->lags[i]];
        rows += isfinite(sum);
    }
    c->rows = rows;
    for (size_t i = 0; i < c->cols; i++)
        c->of[i] = c->gathered + i * cap;
}

/* What is left of the first hour that can be one; NaN if there is none. */
static double first_target(const struct learnt *l, const double *usual)
{
    size_t t = l->hours.reach;
    while (t + 1 < l->hours.n && !isfinite(l->hours.z[t]))
        t++;
    return l->hours.z[t] - usual[l->how[t]];
}

static void columns_init(struct columns *c, const struct learnt *l, const double *usual)
{
    const struct feature_spec *s = &l->hours.spec;
    size_t n = l->hours.n, reach = l->hours.reach;
    double low, high;
    *c = (struct columns){
        .cols = s->n_lags + 1, .rows = n - reach, .level = first_target(l, usual)};
    for (size_t t = 0; t < n; t++)
        l->left[t] = l->hours.z[t] - usual[l->how[t]] - c->level;
    for (size_t i = 0; i < s->n_lags; i++)
        c->of[i] = l->left + reach - s->lags[i];
    c->of[s->n_lags] = l->left + reach;
    gsl_stats_minmax(&low, &high, usual, 1, WEEK);
    c->spread = high - low;
    if (l->hours.gap)
        gather(c, l);
}

/* Of what is always as usual; the columns are taken to be there, but to say nothing. */
static void fit_nothing(struct linear_fit *f, size_t lags, double mean)
{
    *f = (struct linear_fit){.intercept = mean};
    for (size_t i = 0; i < lags; i++) {
        f->mean[i] = mean;
        f->std[i] = 1;
        f->dropped |= UINT64_C(1) << i;
    }
}

static int regress(const struct columns *c, double strength, struct linear_fit *f,
                   struct err *e)
{
    size_t n = c->cols, last = n - 1;
    double rows = (double)c->rows, sum[FEATURES_MAX + 1] = {0}, first[FEATURES_MAX + 1];
    double *products = xcalloc(n * n, sizeof *products);
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        first[i] = c->level;
        sum[i] = sums_total(c->of[i], c->rows);
        for (size_t j = i; j < n; j++)
            products[i * n + j] = sums_dot(c->of[i], c->of[j], c->rows);
    }
    double mean = sum[last] / rows, nothing = NOTHING_LEFT * c->spread;
    double left = products[last * n + last] / rows - mean * mean; /* variance */
    if (c->spread > 0 && left < nothing * nothing)
        fit_nothing(f, last, c->level + mean);
    else
        rc = gram_ridge_sums(
            &(struct gram_sums){last, n, 1, &rows, 1, first, sum, products}, strength, f,
            e);
    free(products);
    return rc;
}

static size_t min_hours(const struct model *m)
{
    size_t rows = linear_min_hours(m);
    return rows > MIN_HOURS ? rows : MIN_HOURS;
}

static int fit(const void *learnt, struct model *m, struct err *e)
{
    const struct learnt *l = learnt;
    struct columns c;
    struct linear_fit f;
    int rc = -1;
    if (l->hours.n < min_hours(m))
        return err_set(e, ERR_CONFLICT, "%s needs %zu hours, there are %zu",
                       m->algo->name, min_hours(m), l->hours.n);
    m->usual = m->usual ? m->usual : xmalloc(WEEK * sizeof *m->usual);
    make_usual(l, m->usual);
    columns_init(&c, l, m->usual);
    m->training.rows = c.rows;
    if (c.rows < LINEAR_MIN_ROWS)
        err_set(e, ERR_CONFLICT, "%s needs %d complete rows, there are %zu",
                m->algo->name, LINEAR_MIN_ROWS, c.rows);
    else if (!regress(&c, m->params[0], &f, e))
        rc = linear_finish(m, &f, &l->hours, e);
    free(c.gathered);
    return rc;
}

static double usual_at(const struct model *m, int64_t t_s)
{
    return m->usual[features_week_hour(m->features.zone, t_s)];
}

static double above_usual(const struct model *m, const double *row)
{
    double z = m->raw[0];
    for (size_t i = 0; i < features_columns(&m->features); i++)
        z += m->raw[i + 1] * row[i];
    return z;
}

static double step(const struct model *m, const double *row, int64_t t_s)
{
    double rest[FEATURES_MAX];
    for (size_t i = 0; i < m->features.n_lags; i++)
        rest[i] = row[i] - usual_at(m, t_s - m->features.lags[i] * INT64_C(3600));
    return linear_clip(m, usual_at(m, t_s) + above_usual(m, rest));
}

/* As linear_forecast(), but what is usual is taken off each hour once, not by each lag:
 * a twentieth of a choice. */
static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double z[LAG_MAX + HORIZON_MAX], row[FEATURES_MAX];
    size_t need = linear_history(m);
    int64_t next_s = past->start_s + (int64_t)past->n * 3600;
    if (past->n < need)
        return err_set(e, ERR_CONFLICT, "%zu hours of history are needed, there are %zu",
                       need, past->n);
    linear_read(m, past, need, z);
    for (size_t i = 0; i < need; i++)
        z[i] -= usual_at(m, next_s - (int64_t)(need - i) * 3600);
    for (size_t k = 0; k < horizon; k++, next_s += 3600) {
        double usual = usual_at(m, next_s);
        if (features_row(&m->features, z, need + k, next_s, row))
            return err_set(e, ERR_CONFLICT,
                           "lead %zu cannot be forecast: an hour it reads is missing",
                           k + 1);
        out[k] = linear_clip(m, usual + above_usual(m, row));
        z[need + k] = features_transform(&m->features, out[k]) - usual;
    }
    return 0;
}

static json_t *save(const struct model *m)
{
    json_t *state = linear_save(m);
    json_object_set_new(state, "usual", json_reals(m->usual, WEEK));
    return state;
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    if (m->features.n_windows || m->features.calendar)
        return err_set(e, ERR_INVALID,
                       "field \"features\" must have neither windows nor a calendar, for "
                       "%s",
                       m->algo->name);
    m->usual = xmalloc(WEEK * sizeof *m->usual);
    return linear_load_reals(json_object_get(state, "usual"), "state.usual", m->usual,
                             WEEK, e) ||
                   linear_load(m, state, e)
               ? -1
               : 0;
}

static const struct learning learning = {begin, take, fit, end};

static const struct algo_param params[] = {
    {"strength", 1, RIDGE_MIN_STRENGTH, 1e6,
     "weight of the sum of squared coefficients (of standardised lags)"},
};

const struct algo algo_profile = {
    .name = "profile",
    .sentence =
        "What is usual at the hour of the week, and how far from that it was last",
    .complexity = 5,
    .params = params,
    .n_params = 1,
    .reads_lags = true,
    .scales = true,
    .min_hours = min_hours,
    .history = linear_history,
    .fit = algo_learn,
    .learning = &learning,
    .forecast = forecast,
    .step = step,
    .save = save,
    .load = load,
};
