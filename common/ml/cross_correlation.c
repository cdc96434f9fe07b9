/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/cross_correlation.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/features.h"
#include "common/ml/pvalue.h"

#define VALUE_MAX 1e100
#define NORMAL_975 1.959963984540054 /* the normal distribution's 97.5 % quantile */

/* A copy with the mean taken off and divided by the largest deviation; NULL if there is
 * nothing in it that varies. */
static double *centred(const double *y, size_t n, const char *which, struct err *e)
{
    double mean = 0, top = 0;
    size_t present = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]))
            continue;
        if (!(fabs(y[i]) <= VALUE_MAX)) {
            err_set(e, ERR_INVALID,
                    "hour %zu of the %s series is %g: numbers up to %g can be used", i,
                    which, y[i], VALUE_MAX);
            return NULL;
        }
        mean += y[i];
        present++;
    }
    mean /= (double)present;
    for (size_t i = 0; i < n; i++)
        top = isnan(y[i]) ? top : fmax(top, fabs(y[i] - mean));
    if (present < CROSS_MIN_PAIRS || !(top > 1e-13 * fabs(mean))) {
        err_set(e, ERR_CONFLICT,
                "the %s series has %s: it cannot be compared with another", which,
                present < CROSS_MIN_PAIRS ? "fewer than 24 values" : "one value only");
        return NULL;
    }
    double *v = xmalloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = (y[i] - mean) / top;
    return v;
}

/* Mean product of the pairs x[t], y[t + lag] that are there; 0 if there are none. */
static double mean_product(const double *x, const double *y, size_t n, size_t lag)
{
    double sum = 0;
    size_t pairs = 0;
    for (size_t i = lag; i < n; i++) {
        double product = x[i - lag] * y[i];
        if (isnan(product))
            continue;
        sum += product;
        pairs++;
    }
    return pairs ? sum / (double)pairs : 0;
}

/* products[j] = ra(j) rb(j) for j = 1..J. Returns J. */
static size_t autocorrelations(const double *a, const double *b, size_t n,
                               double *products)
{
    size_t last = n / 5 < CROSS_SUM_MAX ? n / 5 : CROSS_SUM_MAX;
    double va = mean_product(a, a, n, 0), vb = mean_product(b, b, n, 0);
    for (size_t j = 1; j <= last; j++)
        products[j] = mean_product(a, a, n, j) / va * (mean_product(b, b, n, j) / vb);
    return last;
}

void cross_at(const double *a, const double *b, size_t n, int lag, struct cross_lag *c)
{
    *c = (struct cross_lag){lag, 0, NAN, NAN, NAN, -1, 1};
    size_t from = c->lag > 0 ? (size_t)c->lag : 0,
           shift = c->lag < 0 ? (size_t)-c->lag : 0;
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (size_t i = from; i + shift < n; i++) {
        double x = a[i], y = b[i + shift - from];
        if (isnan(x) || isnan(y))
            continue;
        sa += x, sb += y;
        c->n++;
    }
    if (c->n < CROSS_MIN_PAIRS)
        return;
    sa /= (double)c->n, sb /= (double)c->n;
    for (size_t i = from; i + shift < n; i++) {
        double x = a[i] - sa, y = b[i + shift - from] - sb;
        if (isnan(x) || isnan(y))
            continue;
        saa += x * x, sbb += y * y, sab += x * y;
    }
    if (saa > 1e-26 * (double)c->n * sa * sa && sbb > 1e-26 * (double)c->n * sb * sb)
        c->r = fmax(-1, fmin(1, sab / sqrt(saa) / sqrt(sbb)));
}

static void judge(const double *products, size_t last, struct cross_lag *c)
{
    double n = (double)c->n, sum = 0;
    if (isnan(c->r))
        return;
    for (size_t j = 1; j <= last && j < c->n; j++)
        sum += (1 - (double)j / n) * products[j];
    c->n_eff = sum > 0 ? n / (1 + 2 * sum) : n;
    if (c->n_eff > 2)
        c->p = p_t(c->r * sqrt((c->n_eff - 2) / (1 - c->r * c->r)), c->n_eff - 2);
    if (c->n_eff > 3) {
        double half = NORMAL_975 / sqrt(c->n_eff - 3);
        c->lower = tanh(atanh(c->r) - half);
        c->upper = tanh(atanh(c->r) + half);
    }
}

static int find_best(struct cross_correlation *c, struct err *e)
{
    size_t told = 0;
    for (size_t i = 0; i < CROSS_N; i++) {
        if (isnan(c->at[i].r))
            continue;
        if (!told++ || fabs(c->at[i].r) > fabs(c->at[c->best].r))
            c->best = i;
    }
    if (!told)
        return err_set(e, ERR_CONFLICT,
                       "the two series have fewer than %d hours in common",
                       CROSS_MIN_PAIRS);
    const struct cross_lag *best = &c->at[c->best];
    double tries = 1 + (double)(told - 1) * best->n_eff / (double)best->n;
    c->best_p = -expm1(tries * log1p(-best->p));
    return 0;
}

int cross_correlation(const double *a, const double *b, size_t n,
                      struct cross_correlation *c, struct err *e)
{
    *c = (struct cross_correlation){0};
    double *x = centred(a, n, "first", e);
    double *y = x ? centred(b, n, "second", e) : NULL;
    int rc = -1;
    if (y) {
        double *products = xcalloc(CROSS_SUM_MAX + 1, sizeof *products);
        size_t last = autocorrelations(x, y, n, products);
        for (size_t i = 0; i < CROSS_N; i++) {
            cross_at(x, y, n, (int)i - CROSS_LAGS, &c->at[i]);
            judge(products, last, &c->at[i]);
        }
        free(products);
        rc = find_best(c, e);
    }
    free(y);
    free(x);
    return rc;
}

static int hour_of_day(const struct zone *zone, int64_t start_s, size_t i)
{
    return features_week_hour(zone, start_s + (int64_t)i * 3600) % 24;
}

void cross_without_day(const double *y, size_t n, const struct zone *zone,
                       int64_t start_s, double *out)
{
    double mean[24] = {0};
    size_t days[24] = {0};
    for (size_t i = 0; i < n; i++) {
        int h = hour_of_day(zone, start_s, i);
        if (!isnan(y[i]))
            mean[h] += (y[i] - mean[h]) / (double)++days[h];
    }
    for (size_t i = 0; i < n; i++) {
        double off = mean[hour_of_day(zone, start_s, i)];
        double rest = y[i] - off; /* rounding is not to be taken for movement */
        out[i] = fabs(rest) <= 1e-12 * fabs(off) ? 0 : rest;
    }
}
