/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/smoothing.h"

#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/linear.h"

#define HOUR_S 3600
#define DAY SMOOTHING_DAY
#define ALPHA_MIN 0.001
#define PHI_MIN 0.8
#define PHI_MAX 0.99
#define MAX_STEPS 200 /* of the simplex */
#define SIZE_ENOUGH 1e-3

size_t smoothing_hour(int64_t t_s)
{
    int64_t hour = t_s / HOUR_S % DAY;
    return (size_t)(hour < 0 ? hour + DAY : hour);
}

/* ---- the recursion ---- */

double smoothing_run(struct smoothing *s, const struct hours *h, size_t *n)
{
    size_t j = smoothing_hour(h->start_s), errors = 0;
    double sum = 0;
    for (size_t t = 0; t < h->n; t++) {
        s->trend *= s->phi;
        s->level += s->trend;
        if (isfinite(h->y[t])) {
            double error = h->y[t] - s->level - s->season[j];
            s->level += s->alpha * error;
            s->trend += s->beta * error;
            s->season[j] += s->gamma * error;
            sum += error * error;
            errors++;
        }
        j = j + 1 < DAY ? j + 1 : 0;
    }
    if (n)
        *n = errors;
    return sum;
}

double smoothing_ahead(const struct smoothing *s, size_t lead, int64_t last_s)
{
    double y = s->level, trend = s->trend;
    for (size_t k = 0; k < lead; k++)
        y += trend *= s->phi;
    return y + s->season[smoothing_hour(last_s + (int64_t)lead * HOUR_S)];
}

/* ---- where it begins ---- */

void smoothing_seasons(const struct hours *h, double season[DAY])
{
    size_t n[DAY] = {0}, seen = 0;
    double mean = 0;
    memset(season, 0, DAY * sizeof *season);
    for (size_t t = DAY / 2; t + DAY / 2 < h->n; t++) {
        const double *y = h->y + t - DAY / 2;
        double around = (y[0] + y[DAY]) / 2;
        for (size_t i = 1; i < DAY; i++)
            around += y[i];
        double d = h->y[t] - around / DAY;
        if (!isfinite(d)) /* one of these hours has no value */
            continue;
        size_t j = smoothing_hour(h->start_s + (int64_t)t * HOUR_S);
        season[j] += d;
        n[j]++;
    }
    for (size_t j = 0; j < DAY; j++) {
        season[j] = n[j] ? season[j] / (double)n[j] : 0;
        mean += season[j];
        seen += n[j] > 0;
    }
    for (size_t j = 0; j < DAY; j++)
        season[j] = n[j] ? season[j] - mean / (double)seen : 0;
}

void smoothing_begin(struct smoothing *s, const struct hours *h)
{
    double sum = 0, n = 0;
    for (size_t t = 0; t < h->n && (t < DAY || !n); t++) {
        if (!isfinite(h->y[t]))
            continue;
        sum += h->y[t] - s->season[smoothing_hour(h->start_s + (int64_t)t * HOUR_S)];
        n++;
    }
    s->level = n > 0 ? sum / n : 0;
    s->trend = 0;
}

/* ---- fitting ---- */

struct search {
    struct smoothing start;
    const struct hours *h;
    double unit; /* of the errors, squared */
};

static double within(double x, double low, double high)
{
    return low + (high - low) / (1 + exp(-x));
}

static double outside(double v, double low, double high)
{
    double share = fmin(fmax((v - low) / (high - low), 1e-3), 1 - 1e-3);
    return log(share / (1 - share));
}

/* What a point of the search means: any real numbers keep the limits. */
static void set(struct smoothing *s, const gsl_vector *x)
{
    s->alpha = within(gsl_vector_get(x, 0), ALPHA_MIN, 1 - ALPHA_MIN);
    if (x->size < 3)
        return;
    s->beta = within(gsl_vector_get(x, 1), 0, s->alpha);
    s->gamma = within(gsl_vector_get(x, 2), 0, 1 - s->alpha);
    if (x->size > 3)
        s->phi = within(gsl_vector_get(x, 3), PHI_MIN, PHI_MAX);
}

static double loss(const gsl_vector *x, void *arg)
{
    const struct search *f = arg;
    struct smoothing s = f->start;
    set(&s, x);
    double sum = smoothing_run(&s, f->h, NULL) / f->unit;
    return isfinite(sum) ? sum : 1e300;
}

int smoothing_fit(struct smoothing *s, const struct hours *h, size_t n_free,
                  struct err *e)
{
    struct search f = {*s, h, 1};
    struct smoothing first = *s;
    f.unit = smoothing_run(&first, h, NULL);
    if (!isfinite(f.unit))
        return err_set(e, ERR_CONFLICT,
                       "the fit is not finite: the values are too large");
    if (f.unit <= 0) /* it is perfect already */
        return 0;
    gsl_multimin_function what = {loss, n_free, &f};
    gsl_vector *x = gsl_vector_alloc(n_free), *step = gsl_vector_alloc(n_free);
    const double at[] = {
        outside(s->alpha, ALPHA_MIN, 1 - ALPHA_MIN), outside(s->beta, 0, s->alpha),
        outside(s->gamma, 0, 1 - s->alpha), outside(s->phi, PHI_MIN, PHI_MAX)};
    for (size_t i = 0; i < n_free; i++)
        gsl_vector_set(x, i, at[i]);
    gsl_vector_set_all(step, 1);
    gsl_multimin_fminimizer *min =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n_free);
    gsl_multimin_fminimizer_set(min, &what, x, step);
    for (int i = 0; i < MAX_STEPS; i++)
        if (gsl_multimin_fminimizer_iterate(min) ||
            gsl_multimin_fminimizer_size(min) < SIZE_ENOUGH)
            break;
    set(s, gsl_multimin_fminimizer_x(min));
    gsl_multimin_fminimizer_free(min);
    gsl_vector_free(step);
    gsl_vector_free(x);
    return 0;
}

/* ---- members ---- */

int smoothing_check(struct model *m, const struct hours *h, struct err *e)
{
    size_t complete = hours_complete(h);
    m->training.rows = complete;
    if (h->n < SMOOTHING_MIN_HOURS || complete < h->n / 2)
        return err_set(e, ERR_CONFLICT,
                       "%s needs %d hours, half of them with a value: there are %zu, "
                       "%zu with one",
                       m->algo->name, SMOOTHING_MIN_HOURS, h->n, complete);
    return 0;
}

int smoothing_keep(struct model *m, const struct smoothing *s, const struct hours *h,
                   struct err *e)
{
    double low, high;
    free(m->smoothing);
    m->smoothing = xmalloc(sizeof *s);
    *m->smoothing = *s;
    hours_range(h, &low, &high);
    return linear_range(m, low, high, e);
}

size_t smoothing_min_hours(const struct model *m)
{
    (void)m;
    return SMOOTHING_MIN_HOURS;
}

size_t smoothing_history(const struct model *m)
{
    (void)m;
    return SMOOTHING_HISTORY;
}

int smoothing_forecast(const struct model *m, const struct hours *past, size_t horizon,
                       double (*ahead)(const struct smoothing *s, size_t lead,
                                       int64_t last_s),
                       double *out, struct err *e)
{
    if (past->n < SMOOTHING_HISTORY)
        return err_set(e, ERR_CONFLICT, "%d hours of history are needed, there are %zu",
                       SMOOTHING_HISTORY, past->n);
    size_t from = past->n - SMOOTHING_HISTORY;
    const struct hours last = hours_part(past, from, SMOOTHING_HISTORY);
    int64_t last_s = past->start_s + ((int64_t)past->n - 1) * HOUR_S;
    struct smoothing s = *m->smoothing;
    if (!isfinite(past->y[past->n - 1]))
        return err_set(e, ERR_CONFLICT, "the newest hour is missing");
    smoothing_begin(&s, &last);
    smoothing_run(&s, &last, NULL);
    for (size_t k = 0; k < horizon; k++)
        out[k] = linear_clip(m, ahead(&s, k + 1, last_s));
    return 0;
}

json_t *smoothing_save(const struct model *m)
{
    const struct smoothing *s = m->smoothing;
    const double clip[] = {m->clip_low, m->clip_high};
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "alpha", s->alpha, "beta",
                     s->beta, "gamma", s->gamma, "phi", s->phi, "drift", s->drift,
                     "season", json_reals(s->season, DAY), "clip", json_reals(clip, 2));
}

int smoothing_load(struct model *m, const json_t *state, struct err *e)
{
    struct smoothing *s = m->smoothing = xcalloc(1, sizeof *s);
    double most = 1e200;
    if (json_get_real(state, "alpha", &s->alpha, 1e-9, 1, e) ||
        json_get_real(state, "beta", &s->beta, 0, 1, e) ||
        json_get_real(state, "gamma", &s->gamma, 0, 1, e) ||
        json_get_real(state, "phi", &s->phi, 0, 1, e) ||
        json_get_real(state, "drift", &s->drift, -most, most, e))
        return err_prefix(e, "state");
    if (s->beta > s->alpha || s->gamma > 1 - s->alpha)
        return err_set(e, ERR_INVALID,
                       "field \"state.%s\" must be at most %s, which is %.15g, not %.15g",
                       s->beta > s->alpha ? "beta" : "gamma",
                       s->beta > s->alpha ? "alpha" : "1 - alpha",
                       s->beta > s->alpha ? s->alpha : 1 - s->alpha,
                       s->beta > s->alpha ? s->beta : s->gamma);
    if (linear_load_reals(json_object_get(state, "season"), "state.season", s->season,
                          DAY, e))
        return -1;
    return linear_load_clip(m, state, e);
}
